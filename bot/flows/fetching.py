"""Getting customers' pictures from the carrier: at once, checked, and kept until Slack has shown them."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from bot.clock import Clock
from bot.domain.ids import MediaId
from bot.domain.job import Job
from bot.domain.media import MOST_INBOUND_BYTES, Loss, Media, MediaState, NotHad
from bot.domain.media_types import HEAD, choose_type, make_filename, name_in_address, read_type, sniff_type
from bot.errors import RetryLater
from bot.flows.jobs import enqueue_upload, late_share_key, read_body, share_key
from bot.observe import Log
from bot.ports import Store, Transaction
from bot.ports.media import CarrierMedia, Fetched, Shelf

_log = Log("fetching")

#: How long a picture whose holder does not answer is tried for.
PATIENCE = timedelta(hours=24)
#: Answers that may be right a moment later: not there yet, or cut off on the way. No answer at all is none of them.
_ANSWERS = 3
_MAY_PASS = frozenset({Loss.GONE, Loss.ALTERED, Loss.EMPTY})
#: Before the second; twice as long before the third. However often there was none before.
_A_MOMENT = timedelta(milliseconds=500)
#: What a proxy or a gateway on the way may say with status 200 in the place of a picture.
_PAGE = "text/html"


class Fetching:
    """The first step of a picture's way in."""

    def __init__(self, *, store: Store, carrier_media: CarrierMedia, shelf: Shelf, clock: Clock) -> None:
        self._store = store
        self._carrier_media = carrier_media
        self._shelf = shelf
        self._clock = clock
        # Of each picture under way, how often its holder gave something else; a new process counts anew.
        self._others: Counter[MediaId] = Counter()

    async def fetch_media(self, job: Job) -> None:
        """Fetch one picture. Transaction: what it is, and its way on to Slack; or why it cannot be had."""
        media_id = MediaId(read_body(job)["media"])
        async with self._store.reading() as view:
            media = await view.media.get(media_id)
        if media.state is not MediaState.EXPECTED:
            async with self._store.transaction("pass over picture") as tx:
                await tx.queue.finish(job)
            return
        answers = self._others[media_id] + 1
        try:
            fetched = await self._fetch(media, is_last=answers >= _ANSWERS)
        except NotHad as error:
            if error.loss in _MAY_PASS and answers < _ANSWERS:
                self._others[media_id] = answers
                raise RetryLater(error.log, after=answers * _A_MOMENT) from error
            await self._lose(job, media, error)
            return
        except RetryLater as error:
            if self._clock.now() - media.created_at < PATIENCE:
                raise
            await self._lose(job, media, NotHad(Loss.UNREACHABLE, error.log))
            return
        await self._keep(job, media, fetched)

    async def _fetch(self, media: Media, *, is_last: bool) -> Fetched:
        """
        Fetch it and check it against the hash and type that were announced; *is_last*: take another hash.

        Another hash twice over is no picture cut off on the way: carriers convert pictures, and announce what was before.
        """
        async with self._shelf.draft(media.id) as sink:
            fetched = await self._carrier_media.fetch(media.source, sink, most=MOST_INBOUND_BYTES)
            if media.sha256 is not None and fetched.sha256 != media.sha256:
                if not is_last:
                    raise NotHad(Loss.ALTERED, "its hash is not the one announced")
                _log.warning("A picture's hash is not the one announced; it is shown as it came.", media=media.id)
        announced = read_type(media.content_type)
        if announced not in (None, _PAGE) and sniff_type(await self._shelf.read_head(media.id, HEAD)) == _PAGE:
            raise NotHad(Loss.GONE, "a page came instead of it")
        return fetched

    async def _keep(self, job: Job, media: Media, fetched: Fetched) -> None:
        head = await self._shelf.read_head(media.id, HEAD)
        content_type = choose_type(media.content_type or fetched.content_type, head)
        filename = make_filename(name_in_address(media.source), content_type, fallback=f"mms-{media.position + 1}")
        async with self._store.transaction("keep picture") as tx:
            await tx.media.update(
                media.id,
                state=MediaState.KEPT,
                content_type=content_type,
                size=fetched.size,
                sha256=fetched.sha256,
                filename=filename,
            )
            await enqueue_upload(tx, media.id, media.uploads)
            await tx.queue.finish(job)
        self._others.pop(media.id, None)
        _log.info("A picture was fetched.", media=media.id, type=content_type, size=fetched.size)

    async def _lose(self, job: Job, media: Media, error: NotHad) -> None:
        async with self._store.transaction("lose picture") as tx:
            await lose(tx, media, error, self._clock)
            await tx.queue.finish(job)
        self._others.pop(media.id, None)


async def lose(tx: Transaction, media: Media, error: NotHad, clock: Clock) -> None:
    """Record that a file cannot be had; whoever shows the text's files tells so, and is told to look now."""
    now = clock.now()
    _log.warning("A picture cannot be had.", media=media.id, loss=error.loss, trouble=error.log)
    size = error.size or (media.size if error.loss is Loss.TOO_LARGE else None)
    await tx.media.update(media.id, state=MediaState.LOST, loss=error.loss, size=size, keep_until=now)
    await hasten_sharing(tx, media, clock)


async def hasten_sharing(tx: Transaction, media: Media, clock: Clock) -> None:
    """Have whoever shows the text's files look now."""
    now = clock.now()
    for key in (share_key(media.message_id), late_share_key(media.message_id)):
        await tx.queue.hasten(key, now)
