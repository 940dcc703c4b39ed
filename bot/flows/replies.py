"""What happens in Slack: a stored event is read, and becomes a text, a note, a change of one, or nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, assert_never

from bot.clock import Clock
from bot.domain.conversation import Conversation
from bot.domain.ids import ChannelId, SlackTs
from bot.domain.intent import Written, find_words_to_send, read_written
from bot.domain.job import Job, Pool
from bot.domain.message import Direction, Message, Origin
from bot.domain.policy import Policy, ThreadMode
from bot.domain.slack_events import (
    ChannelClosed,
    FilesRemoved,
    HomeOpened,
    MessageDeleted,
    MessageEdited,
    NotForUs,
    ReactionAdded,
    ThreadReply,
    read_slack_event,
)
from bot.errors import NotAllowed, NotUnderstood, RetryLater, SlackRefused
from bot.flows.accepting import Accepting, Draft, check_author, check_text
from bot.flows.changes import Changes
from bot.flows.channel_settings import choose_mode
from bot.flows.early import (
    bring_up_to_date,
    find_behind,
    look_early,
    note_change,
    note_cross,
    note_deletion,
)
from bot.flows.home import Home
from bot.flows.preparing import check_files, read_attachments
from bot.flows.rendering import render_for_phone
from bot.json_text import read_json
from bot.observe import Log, Metrics
from bot.ports import Directory, Person, Standing, Store, Transaction

_log = Log("replies")

#: How soon, and for how long, to look again for a thread whose root we are just posting.
_LOOK_AGAIN = timedelta(milliseconds=500)
_LOOK_LONGEST = timedelta(hours=1)
#: Behind a reply that is read sooner than this nothing waits that says anything of it.
_HAS_WAITED = timedelta(milliseconds=200)
#: The reaction by which an author takes a reply back that still waits.
_TAKE_BACK = "x"


class Replies:
    """The use-cases of the slack_in pool."""

    def __init__(
        self,
        *,
        store: Store,
        directory: Directory,
        accepting: Accepting,
        changes: Changes,
        home: Home,
        policy: Policy,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._directory = directory
        self._accepting = accepting
        self._changes = changes
        self._home = home
        self._policy = policy
        self._clock = clock
        self._metrics = metrics

    async def read_slack_event(self, job: Job) -> None:
        """Read a stored event. What cannot be read is Broken: the worker parks it."""
        callback = _read_callback(job)
        event = read_slack_event(callback.get("event"))
        match event:
            case ThreadReply():
                kind, outcome = "reply", await self._read_reply(job, event)
            case MessageEdited():
                kind, outcome = "edit", await self._read_edit(job, event)
            case FilesRemoved():
                kind, outcome = "files_removed", await self._read_files_removed(job, event)
            case MessageDeleted():
                kind, outcome = "deletion", await self._read_deletion(job, event)
            case ReactionAdded():
                kind, outcome = "reaction", await self._read_reaction(job, event)
            case ChannelClosed():
                # The next post to it is refused, and moves the conversation; there is nothing to do before.
                kind, outcome = "channel_closed", await self._pass_over(job)
            case HomeOpened():
                await _unless_refused(self._home.show_home(event.user_id))
                kind, outcome = "home", await self._pass_over(job)
            case NotForUs():
                kind, outcome = event.type[:40], await self._pass_over(job)
            case _:
                assert_never(event)
        self._metrics.events.labels("slack", kind, outcome).inc()

    async def _pass_over(self, job: Job) -> str:
        async with self._store.transaction("pass over event") as tx:
            await tx.queue.finish(job)
        return "kept"

    # --- A reply

    async def _read_reply(self, job: Job, event: ThreadReply) -> str:
        """Transaction: the text or note, and what is to be done with it; or why it is not sent."""
        async with self._store.reading() as view:
            known = await self._find_conversation(view, job, event)
            if known is None or await view.messages.find_in_slack(event.channel_id, event.ts) is not None:
                return await self._pass_over(job)
            has_waited = self._clock.now() - job.created_at >= _HAS_WAITED
            behind = await find_behind(view, job.lane, event) if has_waited and job.lane else ()
            early = await look_early(view, event.channel_id, event.ts)
            first, event = event, await bring_up_to_date(view, event, early, behind)
        written, plain = await self._read_words(event)
        person = await self._directory.get_person(event.user_id)
        if await self._is_foreign(event):
            person = replace(person, standing=Standing.OUTSIDER)
        earlier = [
            await self._read_words(each)
            for each in (first, *behind)
            if each is not event and not isinstance(each, MessageDeleted)
        ]
        draft = Draft(
            text=plain,
            author=event.user_id,
            origin=Origin.THREAD,
            channel_id=event.channel_id,
            slack_ts=event.ts,
        )
        async with self._store.transaction("take reply") as tx:
            early = await look_early(tx, event.channel_id, event.ts)  # anew: an ❌ is not in its lane
            if early.is_deleted or any(isinstance(change, MessageDeleted) for change in behind):
                await tx.queue.finish(job)
                return "cancelled"
            conversation = await tx.conversations.get(known.id)
            mode = await choose_mode(tx, event.channel_id, self._policy)
            words = find_words_to_send(written, plain, mode)
            if words is None:
                await self._accepting.take_note(tx, conversation, draft)
                outcome = "note"
            elif early.is_noted or any(find_words_to_send(*each, mode) is None for each in earlier):
                # As if it had been read at once: what was a note is not sent by an edit alone.
                message = await self._accepting.take_note(tx, conversation, draft)
                outcome = "note"
                if message is not None:
                    outcome = await self._changes.offer(tx, message, words, event.files, person)
            else:
                if words != plain:
                    draft = replace(draft, text=words)
                ask = mode is ThreadMode.CONFIRM
                outcome = await self._take(tx, conversation, draft, person, event, ask=ask, is_crossed=early.is_crossed)
            await tx.queue.finish(job)
        _log.info("A reply was read.", conversation=known.id, outcome=outcome)
        return outcome

    async def _take(
        self,
        tx: Transaction,
        conversation: Conversation,
        draft: Draft,
        person: Person,
        event: ThreadReply,
        *,
        ask: bool,
        is_crossed: bool,
    ) -> str:
        try:
            check_author(person)
            if event.files:
                draft = replace(draft, files=read_attachments(event.files))
            check_files(draft.files, self._policy, conversation.parties.medium)
            check_text(draft.text, has_files=bool(draft.files), medium=conversation.parties.medium)
            await self._accepting.check_consent(tx, conversation)
        except NotAllowed as error:
            await self._accepting.take_blocked(tx, conversation, draft, error.person)
            return "blocked"
        if is_crossed:
            message = await self._accepting.keep_back(tx, conversation, draft)
            if message is not None:
                await self._changes.apply_cross(tx, message)
            return "cancelled"
        if ask:
            await self._accepting.ask_first(tx, conversation, draft)
            return "asked"
        await self._accepting.take(tx, conversation, draft)
        return "sent"

    async def _read_words(self, event: ThreadReply | MessageEdited | FilesRemoved) -> tuple[Written, str]:
        """Return what is written in a message, and how a phone shows it."""
        written = read_written(event.text, event.blocks)
        return written, await render_for_phone(written.document, self._directory)

    async def _find_conversation(self, view: Transaction, job: Job, event: ThreadReply) -> Conversation | None:
        """Return whose thread it is, None if no customer's. Raises RetryLater where that does not show yet."""
        known = await view.conversations.find_by_thread(event.channel_id, event.thread_ts)
        if known is None:
            # In this order: what was posted before the first look is on record by the second.
            posting = await view.queue.is_pool_busy(Pool.POST)
            known = await view.conversations.find_by_thread(event.channel_id, event.thread_ts)
            if known is None and posting and await self._may_be_ours(job, event):
                raise RetryLater("the thread may be one whose root is just being posted", after=_LOOK_AGAIN)
        return known

    async def _may_be_ours(self, job: Job, event: ThreadReply) -> bool:
        """Tell whether a thread that is not on record may be: people answer faster than Slack answers us."""
        if self._clock.now() - job.created_at > _LOOK_LONGEST:
            return False
        if event.parent_user_id is None:
            return True
        return event.parent_user_id == (await self._directory.get_ourselves()).bot_user_id

    async def _is_foreign(self, event: ThreadReply) -> bool:
        """Tell whether Slack says that the author belongs to another workspace; an event's own team may be theirs."""
        if not event.teams:
            return False
        ours = (await self._directory.get_ourselves()).team_id
        return bool(ours) and ours not in event.teams

    # --- Changes of one

    async def _read_edit(self, job: Job, event: MessageEdited) -> str:
        """Transaction: the new words, while they still can change; else the line that says that they cannot."""
        written, plain = await self._read_words(event)
        person = await self._directory.get_person(event.user_id)
        async with self._store.transaction("take edit") as tx:
            message = await _find_reply(tx, event.channel_id, event.ts)
            outcome = "kept"
            is_note = False  # of one that was read, what it is now is seen where the edit is applied
            if message is None:
                mode = await choose_mode(tx, event.channel_id, self._policy)
                is_note = find_words_to_send(written, plain, mode) is None
            is_newest = await note_change(
                tx, event, job.key, self._clock.now(), is_known=message is not None, is_note=is_note
            )
            if message is not None and is_newest:
                files = event.files or ()
                if event.files is not None:
                    await self._changes.remove_files(tx, message, {str(file.get("id")) for file in files})
                    message = await tx.messages.get(message.id)
                outcome = await self._changes.apply_edit(tx, message, written, plain, files, person)
            await tx.queue.finish(job)
        return outcome

    async def _read_files_removed(self, job: Job, event: FilesRemoved) -> str:
        """Transaction: the files that go out, while they still can change."""
        async with self._store.transaction("take files removed") as tx:
            message = await _find_reply(tx, event.channel_id, event.ts)
            outcome = "kept"
            is_newest = await note_change(tx, event, job.key, self._clock.now(), is_known=message is not None)
            if message is not None and is_newest:
                outcome = await self._changes.remove_files(tx, message, event.left)
            await tx.queue.finish(job)
        return outcome

    async def _read_deletion(self, job: Job, event: MessageDeleted) -> str:
        """Transaction: the text stopped, while it still can be; the thread given up, if it was its root."""
        async with self._store.transaction("take deletion") as tx:
            outcome = "kept"
            conversation = await tx.conversations.find_by_thread(event.channel_id, event.ts)
            if conversation is not None and conversation.thread_ts == event.ts:
                await tx.conversations.lose_thread(
                    conversation.id, channel_id=self._policy.choose_channel(conversation.parties.ours)
                )
                outcome = "root_lost"
            message = await _find_reply(tx, event.channel_id, event.ts)
            if message is not None:
                outcome = await self._changes.apply_deletion(tx, message)
                if outcome != "too_late":
                    await note_deletion(tx, event, self._clock.now(), is_known=True)
            elif await tx.messages.find_in_slack(event.channel_id, event.ts) is None:
                await note_deletion(tx, event, self._clock.now(), is_known=False)
            await tx.queue.finish(job)
        return outcome

    async def _read_reaction(self, job: Job, event: ReactionAdded) -> str:
        """Transaction: a text taken back by its author's ❌ while it waits."""
        async with self._store.transaction("take reaction") as tx:
            outcome = "kept"
            if event.name == _TAKE_BACK:
                message = await tx.messages.find_in_slack(event.channel_id, event.ts)
                if message is not None and message.author == event.user_id:
                    outcome = await self._changes.apply_cross(tx, message)
                elif message is None and event.item_user_id == event.user_id:
                    await note_cross(tx, event, self._clock.now())
            await tx.queue.finish(job)
        return outcome


async def _find_reply(tx: Transaction, channel_id: ChannelId, ts: SlackTs) -> Message | None:
    """Return what a teammate wrote there in a customer's thread, and what is still kept of it."""
    message = await tx.messages.find_in_slack(channel_id, ts)
    if message is None or message.direction is not Direction.OUTBOUND or message.origin is not Origin.THREAD:
        return None
    return None if message.erased_at is not None else message  # what was erased is not written down again


async def _unless_refused(showing: Awaitable[None]) -> None:
    """Show somebody something that Slack may refuse to show, without making trouble of it."""
    try:
        await showing
    except SlackRefused as error:
        _log.info("Slack refused to show something.", method=error.method, word=error.error)


def _read_callback(job: Job) -> Mapping[str, Any]:
    try:
        callback = read_json(job.body)
    except (ValueError, RecursionError) as error:
        raise NotUnderstood("an event that cannot be read") from error
    if not isinstance(callback, Mapping):
        raise NotUnderstood("an event that is no object")
    return callback
