"""
What becomes of a reply that its author changes: edits it, deletes it, takes a file off it, or puts an ❌ on it.

As long as nothing of it can have reached the carrier, it counts: other words go out, or nothing does. Afterwards the
author is told privately that the customer has it. What was not sent is never sent by an edit alone: its author is asked.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.audit import AuditAction
from bot.domain.delivery import FAILED, worst
from bot.domain.intent import Written, find_words_to_send
from bot.domain.message import Message, State
from bot.domain.policy import Policy, ThreadMode
from bot.errors import NotAllowed
from bot.flows import reply_wording, wording
from bot.flows.accepting import Accepting, check_author, check_text
from bot.flows.auditing import audit_text
from bot.flows.channel_settings import choose_mode
from bot.flows.holding import GONE, change_words, is_still_here, take_out
from bot.flows.jobs import enqueue_mark, enqueue_whisper
from bot.flows.preparing import add_missing_files, check_files, read_attachments
from bot.flows.wording import Words
from bot.ports import Block, Person, Transaction

#: What has not been sent, and may be yet, by its author's word.
_NOT_SENT = frozenset({State.NOTE, State.BLOCKED, State.CANCELLED})
#: Slack itself throws old files away: that is nobody's change of mind.
_FILES_MATTER = timedelta(days=1)


class Changes:
    """Each method is called inside the caller's transaction, and returns what became of it, for the metrics."""

    def __init__(self, *, accepting: Accepting, policy: Policy, clock: Clock, chance: Chance) -> None:
        self._accepting = accepting
        self._policy = policy
        self._clock = clock
        self._chance = chance

    # --- Edited

    async def apply_edit(
        self, tx: Transaction, message: Message, written: Written, plain: str, files: Collection[Block], person: Person
    ) -> str:
        """Take an edit by *person* into account: *written* as it is now, *plain* as a phone would show it."""
        mode = await choose_mode(tx, message.channel_id, self._policy)
        words = find_words_to_send(written, plain, mode)
        if await is_still_here(tx, message):
            return await self._change_waiting(tx, message, words, plain)
        if message.state in GONE or message.state is State.REFUSED:
            return await self._tell_too_late(tx, message, words)
        # In prefix mode the same words may have become a text: somebody put the `sms:` before them that was forgotten.
        may_be_new = message.state is State.NOTE and mode is ThreadMode.PREFIX
        if message.state not in _NOT_SENT or (words == message.text and not may_be_new):
            return "kept"
        if words is not None:
            return await self.offer(tx, message, words, files, person)
        if message.state is not State.CANCELLED:
            await tx.messages.update(message.id, state=State.NOTE, text=plain)
            await enqueue_mark(tx, message.id, self._chance.token())
        return "kept"

    async def _change_waiting(self, tx: Transaction, message: Message, words: str | None, plain: str) -> str:
        if words == message.text:
            return "kept"
        if words is None:
            await take_out(tx, message, State.NOTE, text=plain)
            await self._audit_taking_back(tx, message)
            await self.tell_author(tx, message, "note-now", reply_wording.is_note_now())
            await enqueue_mark(tx, message.id, self._chance.token())
            return "note"
        conversation = await tx.conversations.get(message.conversation_id)
        has_files = bool(await tx.media.of_message(message.id))
        try:
            check_text(words, has_files=has_files, medium=conversation.parties.medium)
        except NotAllowed as error:
            await take_out(tx, message, State.BLOCKED, text=words)
            await self.tell_author(tx, message, "edit-blocked", wording.line(error.person))
        else:
            await change_words(tx, message, words)
            if message.state is State.CONFIRMING:
                await self._accepting.ask_again(tx, message, words)
        await enqueue_mark(tx, message.id, self._chance.token())
        return "changed"

    async def _tell_too_late(self, tx: Transaction, message: Message, words: str | None) -> str:
        # What they have, or are getting: the newest correction, else the original.
        has = await tx.facts.find_fact(f"corrected:{message.id}") or message.text
        # An older line's button must not send what is no longer there, least of all what is a note now.
        await tx.facts.set_fact(f"edit:{message.id}", "" if words is None or words == has else words)
        if words == has:
            return "kept"
        if message.state is not State.REFUSED:
            await self.tell_author(tx, message, "edited", reply_wording.still_has_original(message.id, words))
        elif words is not None:
            await self.tell_author(tx, message, "edited", reply_wording.never_had_original(message.id, words))
        return "too_late"

    async def offer(
        self, tx: Transaction, message: Message, words: str, files: Collection[Block], person: Person
    ) -> str:
        """Ask *person* whether what was not sent is to be sent as *words* and *files*, now that it says so."""
        await tx.messages.update(message.id, text=words)
        conversation = await tx.conversations.get(message.conversation_id)
        try:
            check_author(person)
            refs = read_attachments([*files])
            check_files(refs, self._policy, conversation.parties.medium)
            check_text(words, has_files=bool(refs), medium=conversation.parties.medium)
            await self._accepting.check_consent(tx, conversation)
        except NotAllowed as error:
            await self.tell_author(tx, message, "not-offered", wording.line(error.person))
            return "blocked"
        await add_missing_files(tx, message, refs, self._chance)
        await self._accepting.ask_again(tx, message, words, changed=True)
        return "asked"

    # --- Files taken off

    async def remove_files(self, tx: Transaction, message: Message, left: Collection[str]) -> str:
        """Take into account that of the message's files only *left* are still there."""
        gone = [media for media in await tx.media.of_message(message.id) if media.source not in left]
        if not gone:
            return "kept"
        if await is_still_here(tx, message):
            for media in gone:
                await tx.media.remove(media.id)
            await self._settle_remainder(tx, message)
            return "changed"
        if message.state in GONE and self._clock.now() - message.created_at < _FILES_MATTER:
            await self.tell_author(tx, message, "file-removed", reply_wording.file_removed_too_late())
            return "too_late"
        return "kept"

    async def _settle_remainder(self, tx: Transaction, message: Message) -> None:
        if not message.text.strip() and not await tx.media.of_message(message.id):
            await take_out(tx, message, State.CANCELLED)
            await self._audit_taking_back(tx, message)
            await self.tell_author(tx, message, "taken-back", reply_wording.taken_back())
        else:
            await change_words(tx, message, message.text)
            if message.state is State.CONFIRMING:
                await self._accepting.ask_again(tx, message, message.text)
        await enqueue_mark(tx, message.id, self._chance.token())

    # --- Taken back

    async def apply_deletion(self, tx: Transaction, message: Message) -> str:
        """Stop the text, or tell its author that this comes too late."""
        if await is_still_here(tx, message):
            await take_out(tx, message, State.CANCELLED)
            await self._audit_taking_back(tx, message)
            return "cancelled"
        if message.state in GONE:
            await self.tell_author(tx, message, "deleted", reply_wording.deleted_too_late())
            return "too_late"
        return "kept"

    async def apply_cross(self, tx: Transaction, message: Message) -> str:
        """Stop the text by its author's ❌, or tell them that this comes too late."""
        if await is_still_here(tx, message):
            await take_out(tx, message, State.CANCELLED)
            await self._audit_taking_back(tx, message)
            await enqueue_mark(tx, message.id, self._chance.token())
            await self.tell_author(tx, message, "taken-back", reply_wording.taken_back())
            return "cancelled"
        if message.state in GONE:
            delivery = worst(list((await tx.deliveries.of_message(message.id)).values()))
            if delivery is None or delivery.status not in FAILED:  # an ❌ beneath our own ❌ is a sigh
                await self.tell_author(tx, message, "too-late", reply_wording.stopped_too_late())
            return "too_late"
        return "kept"

    # --- What all of them do

    async def _audit_taking_back(self, tx: Transaction, message: Message) -> None:
        conversation = await tx.conversations.get(message.conversation_id)
        await audit_text(tx, AuditAction.TAKEN_BACK, message, conversation, at=self._clock.now())

    async def tell_author(self, tx: Transaction, message: Message, key: str, words: Words) -> None:
        """Tell the author of *message* something privately, in its thread."""
        conversation = await tx.conversations.get(message.conversation_id)
        if message.author is not None:
            text, blocks = words
            await enqueue_whisper(
                tx,
                f"{key}:{message.id}:{self._chance.token()}",
                channel_id=message.channel_id or conversation.channel_id,
                user_id=message.author,
                thread_ts=conversation.thread_ts,
                text=text,
                blocks=blocks,
            )
