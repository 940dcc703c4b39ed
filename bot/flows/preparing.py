"""
Making a teammate's files ready to be sent: fetched from Slack, checked, made to fit, and kept for the carrier to fetch.

It goes before the send, in its lane, so texts keep their order. All files are ready, or nothing is sent and the author
is told privately which one is not and why.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.conversation import Conversation, Medium
from bot.domain.ids import FileId, MediaId, MessageId
from bot.domain.job import Job
from bot.domain.media import (
    KEPT_FOR_SENDING,
    MOST_FILES,
    MOST_ORIGINAL_BYTES,
    PICTURE_TYPES,
    SENDABLE_TYPES,
    FileRef,
    Loss,
    Media,
    MediaState,
    NotAPicture,
    NotHad,
    most_bytes,
    share_out,
)
from bot.domain.media_types import HEAD, choose_type, make_filename, read_type
from bot.domain.message import Message, Origin, State
from bot.domain.policy import Policy
from bot.domain.schedule import ScheduleState
from bot.errors import NotAllowed, RetryLater, SlackRefused
from bot.flows import media_wording
from bot.flows.jobs import enqueue_mark, enqueue_share, enqueue_upload, enqueue_whisper, read_body
from bot.observe import Log
from bot.ports import Store, Transaction
from bot.ports.media import Pictures, Shelf, SlackFile, SlackFiles

_log = Log("preparing")

#: How long Slack is asked again for a file before its author is told: what they write next waits as long.
PATIENCE = timedelta(minutes=10)
#: How long Slack may look at a new file (it is scanned) before it is taken as it is.
_SCAN_PATIENCE = timedelta(seconds=20)
_SCAN_WAIT = timedelta(milliseconds=700)
#: Answers in a file's place that may be right a moment later: a page, one of maintenance as well as that for the login;
#: a file that is not everywhere yet; one cut off on the way.
_ANSWERS = 3
_MAY_PASS = frozenset({Loss.GONE, Loss.LOCKED, Loss.EMPTY})
#: Before the second; twice as long before the third. However often Slack was asked while it still looked at the file.
_A_MOMENT = timedelta(milliseconds=500)
#: For all files of one attempt; less than a job's lease. What was fetched by then need not be fetched again.
_LONGEST = timedelta(seconds=70)
_GIF = "image/gif"


def read_attachments(files: Sequence[Mapping[str, Any]]) -> tuple[FileRef, ...]:
    """Return the files of a Slack message or form. Raises NotAllowed for what cannot be fetched from Slack at all."""
    refs = []
    for file in files:
        name = str(file.get("name") or file.get("title") or "the file")
        mode = file.get("mode")
        if mode == "tombstone":
            raise NotAllowed(media_wording.deleted(name))
        file_id = file.get("id")
        if mode in ("external", "hidden_by_limit") or file.get("is_external") or not isinstance(file_id, str):
            raise NotAllowed(media_wording.elsewhere(name))
        refs.append(_read_ref(FileId(file_id), file))
    return tuple(refs)


def _read_ref(file_id: FileId, file: Mapping[str, Any]) -> FileRef:
    address = file.get("url_private_download") or file.get("url_private")
    size = file.get("size")
    return FileRef(
        file_id=file_id,
        name=str(file["name"]) if file.get("name") else None,
        address=address if isinstance(address, str) and address else None,
        content_type=read_type(str(file.get("mimetype") or "")),
        size=size if isinstance(size, int) and not isinstance(size, bool) and size > 0 else None,
    )


def check_files(files: Sequence[FileRef], policy: Policy, medium: Medium = Medium.SMS) -> None:
    """Raise NotAllowed, with the number or what to set, if *files* cannot be sent from here by *medium*."""
    if medium is Medium.WHATSAPP and len(files) > 1:
        raise NotAllowed(media_wording.one_file_on_whatsapp(len(files)))
    if len(files) > MOST_FILES:
        raise NotAllowed(media_wording.too_many_files(len(files)))
    if files and policy.webhook_base is None:
        raise NotAllowed(media_wording.no_public_address())


def refer_again(items: Sequence[Media]) -> tuple[FileRef, ...]:
    """Return the files of an outbound text, to be sent with another."""
    return tuple(FileRef(file_id=FileId(media.source), name=media.name) for media in items)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Original:
    """A file as it lies in Slack, fetched."""

    media: Media
    raw_id: MediaId
    name: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A file as it goes out."""

    media: Media
    filename: str
    content_type: str
    size: int


class Preparing:
    """Makes files ready, in the media pool."""

    def __init__(
        self,
        *,
        store: Store,
        files: SlackFiles,
        shelf: Shelf,
        pictures: Pictures,
        policy: Policy,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._store = store
        self._files = files
        self._shelf = shelf
        self._pictures = pictures
        self._policy = policy
        self._clock = clock
        self._chance = chance
        # Of each file under way, how often Slack gave something else; a new process counts anew.
        self._others: Counter[MediaId] = Counter()

    async def prepare_media(self, job: Job) -> None:
        """Make the files of a text ready. Transaction: what they are; or that nothing is sent, and why."""
        message_id = MessageId(read_body(job)["message"])
        async with self._store.reading() as view:
            message = await view.messages.get(message_id)
            conversation = await view.conversations.get(message.conversation_id)
            items = await view.media.of_message(message_id)
        if message.state is not State.WAITING or all(media.state is not MediaState.EXPECTED for media in items):
            async with self._store.transaction("pass over files") as tx:
                await tx.queue.finish(job)
            return
        try:
            originals = await self._fetch_all(items, job)
            ready = await self._fit_all(originals, most_bytes(conversation.parties.ours))
        except NotAllowed as error:
            await self._refuse(job, message, error.person)
        except SlackRefused as error:
            _log.error("Slack refuses to tell of a file.", method=error.method, word=error.error)
            is_scope = error.error == "missing_scope"
            await self._refuse(
                job, message, media_wording.scope_missing() if is_scope else media_wording.not_fetched("the file")
            )
        except RetryLater as error:
            if self._clock.now() - job.created_at < PATIENCE or message.author is None:
                raise
            _log.warning("A file could not be fetched from Slack.", message_id=message_id, trouble=error.log)
            await self._refuse(job, message, media_wording.not_fetched(items[0].name or "the file"))
        else:
            await self._record(job, message, conversation, ready)
            await self._shelf.remove([original.raw_id for original in originals])

    # --- From Slack

    async def _fetch_all(self, items: Sequence[Media], job: Job) -> list[_Original]:
        try:
            async with asyncio.timeout(_LONGEST.total_seconds()):
                return [await self._fetch(media, job) for media in items]
        except TimeoutError as error:
            raise RetryLater("fetching files from Slack took too long") from error

    async def _fetch(self, media: Media, job: Job) -> _Original:
        file = await self._describe(media, job)
        name = media.name or (file.name if file else "the file")
        if file is None:
            return await self._take_twin(media, name)
        if not file.is_hosted:
            raise NotAllowed(media_wording.elsewhere(name))
        if (file.size is None or file.content_type is None) and self._clock.now() - job.created_at < _SCAN_PATIENCE:
            raise RetryLater("Slack is still looking at a file", after=_SCAN_WAIT)
        name = media.name or file.name
        most = self._check_announced(file, name)
        raw_id = MediaId(f"{media.id}.raw")
        # An earlier attempt may have brought it: a copy on the shelf is a whole one.
        if not await self._shelf.has(raw_id):
            try:
                async with self._shelf.draft(raw_id) as sink:
                    await self._files.download(file, sink, most=most)
            except NotHad as error:
                self._others[media.id] = answers = self._others[media.id] + 1
                if error.loss in _MAY_PASS and answers < _ANSWERS:
                    raise RetryLater(error.log, after=answers * _A_MOMENT) from error
                raise NotAllowed(_explain(error, name, most)) from error
        content_type = choose_type(file.content_type, await self._shelf.read_head(raw_id, HEAD))
        if content_type not in PICTURE_TYPES and content_type not in SENDABLE_TYPES:
            raise NotAllowed(media_wording.unsupported(name, content_type))
        size = await asyncio.to_thread(lambda: self._shelf.path_of(raw_id).stat().st_size)
        return _Original(media=media, raw_id=raw_id, name=name, content_type=content_type, size=size)

    async def _describe(self, media: Media, job: Job) -> SlackFile | None:
        """Return what Slack knows of a file; where it does not tell, what it told with the message that brought it."""
        told = _recall(media)
        try:
            file = await self._files.find_file(FileId(media.source))
        except SlackRefused as error:
            if told is None or error.error == "missing_scope":
                raise
            return told
        except RetryLater:
            if told is None or self._clock.now() - job.created_at < _SCAN_PATIENCE:
                raise
            return told
        if file is None or told is None:
            return file
        return replace(
            file,
            content_type=file.content_type or told.content_type,
            size=file.size or told.size,
            address=file.address or told.address,
        )

    async def _take_twin(self, media: Media, name: str) -> _Original:
        """
        Return our own copy of the same file of another text: Slack has none any more.

        A text that repeats has its file from there the first time only. Raises NotAllowed where there is no copy.
        """
        async with self._store.reading() as view:
            twins = await view.media.find_twins(media)
        for twin in twins:
            if await self._shelf.has(twin.id):
                content = await asyncio.to_thread(self._shelf.path_of(twin.id).read_bytes)
                raw_id = MediaId(f"{media.id}.raw")
                await self._shelf.put(raw_id, content)
                content_type = twin.content_type or choose_type(None, content[:HEAD])
                return _Original(media=media, raw_id=raw_id, name=name, content_type=content_type, size=len(content))
        raise NotAllowed(media_wording.deleted(name))

    def _check_announced(self, file: SlackFile, name: str) -> int:
        """Return how much of the file to take at most. Raises NotAllowed for what need not be fetched to be refused."""
        kind = file.content_type
        is_picture = kind is None or kind in PICTURE_TYPES or kind.startswith("image/")
        if not is_picture and kind is not None and kind not in SENDABLE_TYPES and kind != "application/octet-stream":
            raise NotAllowed(media_wording.unsupported(name, kind))
        most = MOST_ORIGINAL_BYTES
        if file.size is not None and file.size > most:
            raise NotAllowed(media_wording.original_too_large(name, file.size, most))
        return most

    # --- Made to fit

    async def _fit_all(self, originals: Sequence[_Original], most: int) -> list[_Ready]:
        """Return all files as they go out, on the shelf. Raises NotAllowed when they do not fit into *most* bytes."""
        moving = [original for original in originals if await self._moves(original)]
        still = [
            original for original in originals if original.content_type in PICTURE_TYPES and original not in moving
        ]
        fixed = [original for original in originals if original not in still]
        for original in fixed:
            if original.size > most:
                raise NotAllowed(media_wording.too_large(original.name, original.size, most))
        shares = share_out(most, [original.size for original in fixed], [original.size for original in still])
        if shares is None:
            raise NotAllowed(media_wording.too_large_together(sum(original.size for original in fixed), most))
        share_of = {original.media.id: share for original, share in zip(still, shares, strict=True)}
        ready = []
        for original in originals:
            try:
                ready.append(await self._fit(original, share_of.get(original.media.id), moves=original in moving))
            except NotAPicture as error:
                _log.info("A picture cannot be read.", media=original.media.id, trouble=error.log)
                raise NotAllowed(media_wording.unreadable(original.name)) from error
        return ready

    async def _moves(self, original: _Original) -> bool:
        if original.content_type != _GIF:
            return False
        try:
            return (await self._pictures.look(self._shelf.path_of(original.raw_id))).moves
        except NotAPicture as error:
            raise NotAllowed(media_wording.unreadable(original.name)) from error

    async def _fit(self, original: _Original, share: int | None, *, moves: bool) -> _Ready:
        path = self._shelf.path_of(original.raw_id)
        content_type = original.content_type
        if share is not None:
            fitted = await self._pictures.fit(path, share)
            content, content_type = fitted.content, fitted.content_type
        elif moves:
            content = (await self._pictures.strip_animation(path)).content
        else:
            content = await asyncio.to_thread(path.read_bytes)
        await self._shelf.put(original.media.id, content)
        filename = make_filename(original.name, content_type, fallback=f"file-{original.media.position + 1}")
        return _Ready(media=original.media, filename=filename, content_type=content_type, size=len(content))

    # --- What is kept of it

    async def _record(self, job: Job, message: Message, conversation: Conversation, ready: Sequence[_Ready]) -> None:
        now = self._clock.now()
        async with self._store.transaction("keep files") as tx:
            for file in ready:
                # A scheduled text that was changed meanwhile has handed its files on, and may be due later.
                holder = await tx.messages.get((await tx.media.get(file.media.id)).message_id)
                keep_until = max(now, holder.due_at or now) + KEPT_FOR_SENDING
                await tx.media.update(
                    file.media.id,
                    state=MediaState.KEPT,
                    filename=file.filename,
                    content_type=file.content_type,
                    size=file.size,
                    keep_until=keep_until,
                    address=None,
                )
                if message.origin is not Origin.THREAD:
                    await enqueue_upload(tx, file.media.id, file.media.uploads)
            # What was attached in the thread stands there. A scheduled text shows its files when it shows itself.
            if message.origin not in (Origin.THREAD, Origin.SCHEDULE):
                await enqueue_share(tx, conversation.id, message.id)
            await tx.queue.finish(job)
        self._forget_answers([file.media for file in ready])
        size = sum(file.size for file in ready)
        _log.info("Files are ready to be sent.", message_id=message.id, files=len(ready), size=size)

    async def _refuse(self, job: Job, message: Message, reason: str) -> None:
        async with self._store.transaction("refuse files") as tx:
            current = await tx.messages.get(message.id)
            if current.state is State.WAITING:
                await block_for_files(tx, current, reason, self._chance)
            await tx.queue.finish(job)
        items = await self._read(message.id)
        self._forget_answers(items)
        await self._shelf.remove([MediaId(f"{media.id}.raw") for media in items])

    def _forget_answers(self, items: Sequence[Media]) -> None:
        for media in items:
            self._others.pop(media.id, None)

    async def _read(self, message_id: MessageId) -> Sequence[Media]:
        async with self._store.reading() as view:
            return await view.media.of_message(message_id)


def _recall(media: Media) -> SlackFile | None:
    """Return a file as it was told of with its message; None where that was not all: Slack was still looking at it."""
    if media.address is None or media.content_type is None or media.size is None:
        return None
    return SlackFile(
        file_id=FileId(media.source),
        name=media.name or "file",
        content_type=media.content_type,
        size=media.size,
        address=media.address,
        is_hosted=True,
        shown={},
    )


def _explain(error: NotHad, name: str, most: int) -> str:
    match error.loss:
        case Loss.TOO_LARGE:
            return media_wording.original_too_large(name, error.size, most)
        case Loss.LOCKED:
            return media_wording.scope_missing()
        case _:
            return media_wording.not_fetched(name)


async def block_for_files(tx: Transaction, message: Message, reason: str, chance: Chance) -> None:
    """Record that *message* is not sent because of its files, and tell its author why, privately."""
    await tx.messages.update(message.id, state=State.BLOCKED)
    schedule = await tx.schedules.find_by_message(message.id)
    if schedule is not None:
        reason = f"{reason}\nIt is your scheduled text `{schedule.id}`."
        await tx.schedules.update(schedule.id, state=ScheduleState.FAILED, next_message_id=None)
    conversation = await tx.conversations.get(message.conversation_id)
    if message.author is not None:
        await enqueue_whisper(
            tx,
            f"files:{message.id}",
            channel_id=message.channel_id or conversation.channel_id,
            user_id=message.author,
            thread_ts=conversation.thread_ts,
            text=reason,
        )
    await enqueue_mark(tx, message.id, chance.token())


async def add_files(tx: Transaction, message: Message, files: Sequence[FileRef], chance: Chance) -> None:
    """Store the files that go with *message*; they are fetched once it is certain that it is to be sent."""
    await add_missing_files(tx, message, files, chance)


async def add_missing_files(tx: Transaction, message: Message, files: Sequence[FileRef], chance: Chance) -> None:
    """Store those of *files* that are not on record as going with *message* yet."""
    if not files:
        return
    known = await tx.media.of_message(message.id)
    sources = {media.source for media in known}
    missing = [ref for ref in files if ref.file_id not in sources]
    for position, ref in enumerate(missing, start=max((media.position + 1 for media in known), default=0)):
        await tx.media.add(
            Media(
                id=MediaId(chance.token()),
                message_id=message.id,
                position=position,
                source=ref.file_id,
                state=MediaState.EXPECTED,
                created_at=message.created_at,
                name=ref.name,
                content_type=ref.content_type,
                size=ref.size,
                address=ref.address,
            )
        )
