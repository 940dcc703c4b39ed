"""What happens in Slack: a stored event is read, and becomes a text, a note, a change of one, or nothing."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, assert_never

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.audit import AuditAction
from bot.domain.ids import UserId
from bot.domain.job import Job, Pool
from bot.domain.message import Direction, Message, Origin, State
from bot.domain.policy import Policy, ThreadMode
from bot.domain.slack_events import (
    ChannelClosed,
    HomeOpened,
    MessageDeleted,
    MessageEdited,
    NotForUs,
    ReactionAdded,
    ThreadReply,
    read_slack_event,
)
from bot.errors import NotAllowed, NotUnderstood, RetryLater, SlackRefused
from bot.flows import wording
from bot.flows.accepting import Accepting, Draft, check_author, check_text
from bot.flows.auditing import audit_text
from bot.flows.home import Home
from bot.flows.jobs import enqueue_mark, enqueue_whisper, send_key
from bot.flows.preparing import check_files, read_attachments
from bot.observe import Log, Metrics
from bot.ports import Directory, Standing, Store, Transaction
from bot.text.mrkdwn import parse_message
from bot.text.notes import find_sms_prefix, is_note
from bot.text.plain import Names, find_mentions, render_plain
from bot.text.tree import Document

_log = Log("replies")

#: How soon, and for how long, to look again for a thread whose root we are just posting.
_LOOK_AGAIN = timedelta(milliseconds=500)
_LOOK_LONGEST = timedelta(hours=1)
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
        home: Home,
        policy: Policy,
        clock: Clock,
        chance: Chance,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._directory = directory
        self._accepting = accepting
        self._home = home
        self._policy = policy
        self._clock = clock
        self._chance = chance
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
            # In this order: what was posted before the first look is on record by the second.
            posting = await view.queue.is_pool_busy(Pool.POST)
            known = await view.conversations.find_by_thread(event.channel_id, event.thread_ts)
            repeated = await view.messages.find_in_slack(event.channel_id, event.ts)
        if known is None and posting and await self._may_be_ours(job, event):
            raise RetryLater("the thread may be one whose root is just being posted", after=_LOOK_AGAIN)
        if known is None or repeated is not None:
            return await self._pass_over(job)
        document = parse_message(event.text, event.blocks)
        person = await self._directory.get_person(event.user_id)
        if await self._is_foreign(event):
            person = replace(person, standing=Standing.OUTSIDER)
        text = await self._render(document)
        draft = Draft(
            text=text,
            author=event.user_id,
            origin=Origin.THREAD,
            channel_id=event.channel_id,
            slack_ts=event.ts,
        )
        async with self._store.transaction("take reply") as tx:
            conversation = await tx.conversations.get(known.id)
            outcome = "sent"
            prefixed = find_sms_prefix(text)
            if is_note(document) or (self._policy.thread_mode is ThreadMode.PREFIX and prefixed is None):
                await self._accepting.take_note(tx, conversation, draft)
                outcome = "note"
            else:
                if self._policy.thread_mode is ThreadMode.PREFIX and prefixed is not None:
                    draft = Draft(
                        text=prefixed,
                        author=draft.author,
                        origin=draft.origin,
                        channel_id=draft.channel_id,
                        slack_ts=draft.slack_ts,
                    )
                try:
                    check_author(person)
                    draft = replace(draft, files=read_attachments(event.files))
                    check_files(draft.files, self._policy, known.parties.medium)
                    check_text(draft.text, has_files=bool(draft.files), medium=known.parties.medium)
                    await self._accepting.check_consent(tx, conversation)
                except NotAllowed as error:
                    await self._accepting.take_blocked(tx, conversation, draft, error.person)
                    outcome = "blocked"
                else:
                    if self._policy.thread_mode is ThreadMode.CONFIRM:
                        await self._accepting.ask_first(tx, conversation, draft)
                        outcome = "asked"
                    else:
                        await self._accepting.take(tx, conversation, draft)
            await tx.queue.finish(job)
        _log.info("A reply was read.", conversation=known.id, outcome=outcome)
        return outcome

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

    async def _render(self, document: Document) -> str:
        mentions = find_mentions(document)
        users = {user: (await self._directory.get_person(UserId(user))).name for user in sorted(mentions.users)}
        channels = {}
        for channel in sorted(mentions.channels):
            name = await self._directory.name_channel(channel)  # type: ignore[arg-type]
            if name:
                channels[channel] = name
        groups = {}
        for group in sorted(mentions.groups):
            name = await self._directory.name_group(group)
            if name:
                groups[group] = name
        return render_plain(document, Names(users=users, channels=channels, groups=groups))

    # --- Changes of one

    async def _read_edit(self, job: Job, event: MessageEdited) -> str:
        """Transaction: the new text, while it still can change; else the line that says that it cannot."""
        document = parse_message(event.text, event.blocks)
        text = await self._render(document)
        async with self._store.transaction("take edit") as tx:
            message = await tx.messages.find_in_slack(event.channel_id, event.ts)
            outcome = "kept"
            if message is not None and message.direction is Direction.OUTBOUND and message.origin is Origin.THREAD:
                outcome = await self._apply_edit(tx, message, document, text)
            await tx.queue.finish(job)
        return outcome

    async def _apply_edit(self, tx: Transaction, message: Message, document: Document, text: str) -> str:
        if self._policy.thread_mode is ThreadMode.PREFIX:
            text = find_sms_prefix(text) or text
        if text == message.text:
            return "kept"
        if message.state in (State.WAITING, State.CONFIRMING):
            if is_note(document):
                await tx.messages.update(message.id, state=State.NOTE, text=text)
                await tx.queue.drop(send_key(message.id))
            else:
                conversation = await tx.conversations.get(message.conversation_id)
                has_files = bool(await tx.media.of_message(message.id))
                try:
                    check_text(text, has_files=has_files, medium=conversation.parties.medium)
                except NotAllowed as error:
                    await tx.messages.update(message.id, state=State.BLOCKED, text=text)
                    await tx.queue.drop(send_key(message.id))
                    await self._tell_author(tx, message, "edit-blocked", error.person)
                else:
                    await tx.messages.update(message.id, text=text)
            await enqueue_mark(tx, message.id, self._chance.token())
            return "changed"
        if message.state in (State.UNDER_WAY, State.ACCEPTED, State.UNSETTLED):
            await tx.facts.set_fact(f"edit:{message.id}", text)
            can_correct = not is_note(document)
            line, blocks = wording.still_has_original(message.id if can_correct else None, deleted=False)
            conversation = await tx.conversations.get(message.conversation_id)
            if message.author is not None and message.channel_id is not None:
                await enqueue_whisper(
                    tx,
                    f"edited:{message.id}:{self._chance.token()}",
                    channel_id=message.channel_id,
                    user_id=message.author,
                    thread_ts=conversation.thread_ts,
                    text=line,
                    blocks=blocks,
                )
            return "too_late"
        if message.state is State.NOTE:
            await tx.messages.update(message.id, text=text)
        return "kept"

    async def _tell_author(self, tx: Transaction, message: Message, key: str, text: str) -> None:
        conversation = await tx.conversations.get(message.conversation_id)
        if message.author is not None and message.channel_id is not None:
            await enqueue_whisper(
                tx,
                f"{key}:{message.id}:{self._chance.token()}",
                channel_id=message.channel_id,
                user_id=message.author,
                thread_ts=conversation.thread_ts,
                text=text,
            )

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
            message = await tx.messages.find_in_slack(event.channel_id, event.ts)
            if message is not None and message.direction is Direction.OUTBOUND and message.origin is Origin.THREAD:
                outcome = await self._apply_deletion(tx, message)
            await tx.queue.finish(job)
        return outcome

    async def _apply_deletion(self, tx: Transaction, message: Message) -> str:
        if message.state in (State.WAITING, State.CONFIRMING):
            await tx.messages.update(message.id, state=State.CANCELLED)
            await tx.queue.drop(send_key(message.id))
            await self._audit_taking_back(tx, message)
            return "cancelled"
        if message.state is State.UNDER_WAY:
            request = await tx.deliveries.find_request(message.id)
            if request is not None and request.attempted_at is None:  # it certainly never went out
                await tx.messages.update(message.id, state=State.CANCELLED)
                await self._audit_taking_back(tx, message)
                return "cancelled"
        if message.state in (State.UNDER_WAY, State.ACCEPTED, State.UNSETTLED):
            line, _ = wording.still_has_original(None, deleted=True)
            await self._tell_author(tx, message, "deleted", line)
            return "too_late"
        return "kept"

    async def _audit_taking_back(self, tx: Transaction, message: Message) -> None:
        conversation = await tx.conversations.get(message.conversation_id)
        await audit_text(tx, AuditAction.TAKEN_BACK, message, conversation, at=self._clock.now())

    async def _read_reaction(self, job: Job, event: ReactionAdded) -> str:
        """Transaction: a text taken back by its author's ❌ while it waits."""
        async with self._store.transaction("take reaction") as tx:
            outcome = "kept"
            message = await tx.messages.find_in_slack(event.channel_id, event.ts) if event.name == _TAKE_BACK else None
            if (
                message is not None
                and message.author == event.user_id
                and message.state in (State.WAITING, State.CONFIRMING)
            ):
                await tx.messages.update(message.id, state=State.CANCELLED)
                await tx.queue.drop(send_key(message.id))
                await self._audit_taking_back(tx, message)
                await enqueue_mark(tx, message.id, self._chance.token())
                await self._tell_author(tx, message, "taken-back", "↩️ Taken back: this was not sent.")
                outcome = "cancelled"
            await tx.queue.finish(job)
        return outcome


async def _unless_refused(showing: Awaitable[None]) -> None:
    """Show somebody something that Slack may refuse to show, without making trouble of it."""
    try:
        await showing
    except SlackRefused as error:
        _log.info("Slack refused to show something.", method=error.method, word=error.error)


def _read_callback(job: Job) -> Mapping[str, Any]:
    try:
        callback = json.loads(job.body)
    except (ValueError, RecursionError) as error:
        raise NotUnderstood("an event that cannot be read") from error
    if not isinstance(callback, Mapping):
        raise NotUnderstood("an event that is no object")
    return callback
