"""
Showing pictures in a thread: after their text, in order, each once.

The bytes go to Slack as soon as they are here, in no order, and are shown to nobody by that. When it is their turn, one
call has all files of a text shared as one message. Slack shares some time after it said yes, and now and then never: so
its own view of each file is asked for until it names our thread, and an upload that never came is deleted and made
anew. The file's id is stored before that call, so a crash or a lost answer at any moment is settled by asking.

Nobody waits for a picture without end: after a bounded time the lane goes on, and the rest comes when it comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.conversation import Conversation
from bot.domain.ids import FileId, MediaId, MessageId, SlackTs
from bot.domain.job import Job
from bot.domain.media import KEPT_AFTER_SHARING, Loss, Media, MediaState, NotHad
from bot.domain.message import Direction
from bot.errors import ChannelUnusable, OutcomeUnknown, RetryLater, SlackRefused, ThreadGone
from bot.flows.fetching import hasten_sharing, lose
from bot.flows.jobs import enqueue_late_share, enqueue_line, enqueue_share, enqueue_upload, read_body, share_key
from bot.flows.media_wording import lost
from bot.flows.placing import Placing
from bot.observe import Log
from bot.ports import Store, Threads, Transaction
from bot.ports.media import Shelf, Shown, SlackFile, SlackFiles

_log = Log("sharing")

#: How long what comes after a picture in its thread waits for it to be fetched and brought to Slack.
LANE_PATIENCE = timedelta(seconds=8)
#: … and for Slack to show it, once it said that it would.
SHOW_PATIENCE = timedelta(seconds=6)
#: After so long Slack has forgotten to share it (its yes is not always followed by the deed).
NEVER_SHOWN = timedelta(seconds=40)
#: Uploads of one file that Slack may forget before it is given up.
_MOST_UPLOADS = 5
_LOOK_AGAIN = timedelta(milliseconds=400)
#: One attempt at all of it; less than a job's lease.
_LONGEST = timedelta(seconds=60)
#: Refusals about one file that another upload of it mends.
_UPLOAD_GONE = frozenset({"file_not_found", "file_deleted", "invalid_file_id"})

_ON_THE_WAY = frozenset({MediaState.EXPECTED, MediaState.KEPT})
_SETTLED = frozenset({MediaState.SHARED, MediaState.LOST})


class Sharing:
    """The last steps of a picture's way into a thread."""

    def __init__(
        self,
        *,
        store: Store,
        files: SlackFiles,
        threads: Threads,
        shelf: Shelf,
        placing: Placing,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._store = store
        self._files = files
        self._threads = threads
        self._shelf = shelf
        self._placing = placing
        self._clock = clock
        self._chance = chance

    # --- The bytes

    async def upload_media(self, job: Job) -> None:
        """Bring our copy of a file to Slack. Transaction: under which id Slack has it; or that it does not take it."""
        media_id = MediaId(read_body(job)["media"])
        async with self._store.reading() as view:
            media = await view.media.get(media_id)
        if media.state is not MediaState.KEPT:
            async with self._store.transaction("pass over upload") as tx:
                await tx.queue.finish(job)
            return
        try:
            upload = await self._files.begin_upload(media.filename or "file", media.size or 0)
            await self._files.send_bytes(upload, self._shelf.path_of(media_id))
        except NotHad as error:
            await self._lose(job, media, error)
        except SlackRefused as error:
            await self._lose(job, media, NotHad(Loss.REFUSED, error.log))
        else:
            async with self._store.transaction("record upload") as tx:
                await tx.media.update(
                    media_id, state=MediaState.UPLOADED, file_id=upload.file_id, uploads=media.uploads + 1
                )
                await hasten_sharing(tx, media, self._clock)
                await tx.queue.finish(job)

    async def _lose(self, job: Job, media: Media, error: NotHad) -> None:
        async with self._store.transaction("lose picture") as tx:
            await lose(tx, media, error, self._clock)
            await tx.queue.finish(job)

    # --- The share

    async def share_media(self, job: Job) -> None:
        """
        Have the files of a text shown in its thread, as far as they are there; tell of those that are lost.

        Transaction at the end: that all is shown or told; or, when the time of the lane is up, that the rest follows
        out of it.
        """
        body = read_body(job)
        message_id, late = MessageId(body["message"]), bool(body.get("late"))
        if late and await self._step_back_in(job, message_id):
            return
        try:
            async with asyncio.timeout(_LONGEST.total_seconds()):
                await self._advance(message_id, job, late=late)
        except TimeoutError as error:
            raise RetryLater("showing pictures took too long") from error
        except RetryLater:
            if late or not await self._time_is_up(message_id):
                raise
        async with self._store.transaction("show pictures") as tx:
            items = await tx.media.of_message(message_id)
            await self._tell_losses(tx, message_id, items)
            if any(media.state not in _SETTLED for media in items):
                _log.info("Pictures are late; the conversation goes on without them.", message_id=message_id)
                again = "" if job.key == share_key(message_id) else self._chance.token()
                await enqueue_late_share(tx, message_id, again)
            await tx.queue.finish(job)

    async def _step_back_in(self, job: Job, message_id: MessageId) -> bool:
        """Leave the rest to the lane when the thread is lost: only the lane may open one, or there would be two."""
        async with self._store.transaction("share in line again") as tx:
            message = await tx.messages.get(message_id)
            conversation = await tx.conversations.get(message.conversation_id)
            items = await tx.media.of_message(message_id)
            if conversation.thread_ts is not None or all(media.state is not MediaState.UPLOADED for media in items):
                return False
            await enqueue_share(tx, conversation.id, message_id, again=self._chance.token())
            await tx.queue.finish(job)
            return True

    async def _advance(self, message_id: MessageId, job: Job, *, late: bool) -> None:
        """Bring the files of a text as far as they go now. Returns when all are settled, else raises RetryLater."""
        items = await self._begin(message_id)
        if any(media.state is MediaState.COMPLETING for media in items):
            items = await self._settle(message_id, items)
        if not late and any(media.state in _ON_THE_WAY for media in items) and not await self._time_is_up(message_id):
            raise RetryLater("a picture is still on its way here", after=_LOOK_AGAIN)
        ready = [media for media in items if media.state is MediaState.UPLOADED]
        if ready:
            await self._complete(job, message_id, ready, late=late, count=len(items))
            items = await self._read(message_id)
        for media in items:
            # Those of one call come as one message: where the first is not to be seen, the others are not asked for.
            if media.state is MediaState.COMPLETED and not await self._look(media):
                break
        if late:
            async with self._store.transaction("tell lost pictures") as tx:
                await self._tell_losses(tx, message_id, await tx.media.of_message(message_id))
        if any(media.state not in _SETTLED for media in await self._read(message_id)):
            raise RetryLater("a picture is not shown yet", after=None if late and not ready else _LOOK_AGAIN)

    async def _read(self, message_id: MessageId) -> Sequence[Media]:
        async with self._store.reading() as view:
            return await view.media.of_message(message_id)

    async def _begin(self, message_id: MessageId) -> Sequence[Media]:
        items = await self._read(message_id)
        if all(media.began_at is not None for media in items):
            return items
        now = self._clock.now()
        async with self._store.transaction("begin sharing") as tx:
            for media in items:
                if media.began_at is None:
                    await tx.media.update(media.id, began_at=now)
            return await tx.media.of_message(message_id)

    async def _time_is_up(self, message_id: MessageId) -> bool:
        items = await self._read(message_id)
        moments = [media.began_at + LANE_PATIENCE for media in items if media.began_at is not None]
        moments += [media.completed_at + SHOW_PATIENCE for media in items if media.completed_at is not None]
        return bool(moments) and self._clock.now() >= max(moments)

    async def _tell_losses(self, tx: Transaction, message_id: MessageId, items: Sequence[Media]) -> None:
        message = await tx.messages.get(message_id)
        if message.direction is Direction.INBOUND:
            for media in items:
                if media.state is MediaState.LOST:
                    text, blocks = lost(media, len(items))
                    await enqueue_line(tx, message.conversation_id, f"lost:{media.id}", text, blocks)

    async def _settle(self, message_id: MessageId, items: Sequence[Media]) -> Sequence[Media]:
        """Find out which of the files that Slack may have been told to share it was told to share."""
        found = {}
        for media in items:
            if media.state is MediaState.COMPLETING and media.file_id is not None:
                found[media.id] = await self._knows(media.file_id, else_=False)
        now = self._clock.now()
        async with self._store.transaction("settle sharing") as tx:
            for media_id, known in found.items():
                if known:
                    await tx.media.update(media_id, state=MediaState.COMPLETED, completed_at=now)
                else:
                    await tx.media.update(media_id, state=MediaState.UPLOADED)
            return await tx.media.of_message(message_id)

    async def _complete(
        self, job: Job, message_id: MessageId, ready: Sequence[Media], *, late: bool, count: int
    ) -> None:
        conversation = await self._find_thread(job, message_id, late=late)
        if conversation.thread_ts is None:
            raise RetryLater("there is no thread", after=_LOOK_AGAIN)
        async with self._store.transaction("begin completing") as tx:
            for media in ready:
                await tx.media.update(
                    media.id,
                    state=MediaState.COMPLETING,
                    channel_id=conversation.channel_id,
                    thread_ts=conversation.thread_ts,
                )
        titles = [(media.file_id, _title(media, count)) for media in ready if media.file_id is not None]
        try:
            await self._files.complete_uploads(titles, conversation.channel_id, conversation.thread_ts)
        except OutcomeUnknown as error:
            raise RetryLater(error.log) from error  # the state says that it may have happened
        except ChannelUnusable as error:
            await self._placing.leave_channel(conversation, error)
            raise RetryLater(error.log) from error
        except ThreadGone as error:
            await self._lose_thread(conversation, ready)
            raise RetryLater(error.log, after=_LOOK_AGAIN) from error
        except SlackRefused as error:
            await self._take_refusal(ready, error)
            raise RetryLater(error.log) from error
        now = self._clock.now()
        async with self._store.transaction("record completing") as tx:
            for media in ready:
                await tx.media.update(media.id, state=MediaState.COMPLETED, completed_at=now)

    async def _lose_thread(self, conversation: Conversation, ready: Sequence[Media]) -> None:
        """Transaction: that the thread takes no more, and that *ready* was not shown in it."""
        async with self._store.transaction("lose thread of pictures") as tx:
            await tx.conversations.lose_thread(conversation.id, channel_id=conversation.channel_id)
            for media in ready:
                await tx.media.update(media.id, state=MediaState.UPLOADED)

    async def _find_thread(self, job: Job, message_id: MessageId, *, late: bool) -> Conversation:
        async with self._store.reading() as view:
            message = await view.messages.get(message_id)
            conversation = await view.conversations.get(message.conversation_id)
        if conversation.thread_ts is not None:
            return conversation
        if not late:
            return await self._placing.open_thread(job, conversation)
        raise RetryLater("the thread was lost just now", after=_LOOK_AGAIN)

    async def _take_refusal(self, ready: Sequence[Media], error: SlackRefused) -> None:
        """Transaction: what of *ready* Slack already has stays, what it forgot is uploaded anew; else it is lost."""
        known = {}
        for media in ready:
            if media.file_id is not None and error.error in _UPLOAD_GONE:
                known[media.id] = await self._knows(media.file_id, else_=True)
        now = self._clock.now()
        async with self._store.transaction("take refusal") as tx:
            for media in ready:
                if error.error not in _UPLOAD_GONE:
                    await lose(tx, media, NotHad(Loss.REFUSED, error.log), self._clock)
                elif known.get(media.id):
                    await tx.media.update(media.id, state=MediaState.COMPLETED, completed_at=now)
                else:
                    await self._upload_anew(tx, media)

    async def _knows(self, file_id: FileId, *, else_: bool) -> bool:
        """Say whether Slack has the file as one that it was told to share; *else_* where it does not tell."""
        try:
            return await self._files.find_file(file_id) is not None
        except SlackRefused:
            return else_

    async def _upload_anew(self, tx: Transaction, media: Media) -> None:
        if media.uploads >= _MOST_UPLOADS:
            await lose(tx, media, NotHad(Loss.NOT_SHOWN, "Slack never showed it"), self._clock)
            return
        await tx.media.update(media.id, state=MediaState.KEPT, file_id=None, completed_at=None)
        await enqueue_upload(tx, media.id, media.uploads)

    # --- What became of it

    async def _look(self, media: Media) -> bool:
        """Ask Slack whether it shows a file: False: not yet. Transaction: where; or that it is to be uploaded anew."""
        if media.file_id is None or media.completed_at is None:
            return False
        now = self._clock.now()
        try:
            file = await self._files.find_file(media.file_id)
        except SlackRefused as error:
            _log.info("Slack does not tell of a picture; its yes counts.", media=media.id, word=error.error)
            return await self._record_share(media, None, now)
        if file is not None and not file.tells_places:
            return await self._record_share(media, None, now)
        shown = _find_share(file, media)
        if shown is not None and shown.thread_ts == media.thread_ts:
            return await self._record_share(media, shown.ts, now)
        if shown is not None and media.channel_id is not None:
            # Slack shares into a deleted thread at top level and says ok.
            _log.info("A thread's root is gone; its picture is shown again in a new one.", media=media.id)
            await self._threads.delete(media.channel_id, shown.ts)
        elif file is not None and now - media.completed_at < NEVER_SHOWN:
            return False
        else:
            _log.warning("Slack never showed a picture; it is uploaded again.", media=media.id, uploads=media.uploads)
        # First gone, then made anew: should Slack show the first after all, it is not there twice.
        await self._files.delete_file(media.file_id)
        async with self._store.transaction("share anew") as tx:
            message = await tx.messages.get(media.message_id)
            conversation = await tx.conversations.get(message.conversation_id)
            if shown is not None and conversation.thread_ts == media.thread_ts:
                await tx.conversations.lose_thread(conversation.id, channel_id=conversation.channel_id)
            await self._upload_anew(tx, media)
        return True

    async def _record_share(self, media: Media, ts: SlackTs | None, now: datetime) -> bool:
        async with self._store.transaction("record share") as tx:
            await tx.media.update(
                media.id,
                state=MediaState.SHARED,
                slack_ts=ts,
                keep_until=_later(media, now + KEPT_AFTER_SHARING),
            )
        return True


def _find_share(file: SlackFile | None, media: Media) -> Shown | None:
    """Return the share that was asked for, else any in that channel."""
    if file is None or media.channel_id is None:
        return None
    shares = file.shown.get(media.channel_id, ())
    return next((share for share in shares if share.thread_ts == media.thread_ts), shares[0] if shares else None)


def _title(media: Media, count: int) -> str:
    which = f" {media.position + 1}/{count}" if count > 1 else ""
    return f"MMS{which} {media.content_type or 'file'}"


def _later(media: Media, moment: datetime) -> datetime:
    return moment if media.keep_until is None else max(moment, media.keep_until)
