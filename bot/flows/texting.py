"""Texts that begin with a command or a form instead of a reply."""

from __future__ import annotations

from bot.domain.commands import Sender
from bot.domain.ids import ChannelId, UserId
from bot.domain.media import FileRef
from bot.domain.message import Origin
from bot.domain.phone import Address
from bot.domain.policy import Policy
from bot.flows import optout_wording, wording
from bot.flows.accepting import Accepting, Draft, check_author, check_text
from bot.flows.preparing import check_files
from bot.flows.senders import Senders
from bot.ports import Directory, Store
from bot.text.escape import escape_sms


class Texting:
    """`/sms`, typed or filled in."""

    def __init__(
        self, *, store: Store, directory: Directory, accepting: Accepting, senders: Senders, policy: Policy
    ) -> None:
        self._store = store
        self._senders = senders
        self._directory = directory
        self._accepting = accepting
        self._policy = policy

    async def text_now(
        self,
        *,
        once: str,
        author: UserId,
        to: tuple[Address, ...],
        sender: Sender | None,
        text: str,
        origin: Origin,
        files: tuple[FileRef, ...] = (),
    ) -> str:
        """
        Have *text* and *files* sent to *to*, shown in their thread, and return the private answer.

        *once* names the request: repeated, it sends nothing more. Raises NotAllowed. Transaction: the conversation, the
        text, its send and its post.
        """
        check_author(await self._directory.get_person(author))
        side = await self._senders.choose_side(sender, to)
        check_files(files, self._policy, side.medium)
        check_text(text, has_files=bool(files), medium=side.medium)
        async with self._store.transaction("text now") as tx:
            conversation = await self._accepting.open_conversation(tx, side, to)
            blocked = await self._accepting.check_consent(tx, conversation)
            message = None
            if await tx.queue.note_once(f"asked:{once}"):
                draft = Draft(text=text, author=author, origin=origin, files=files)
                message = await self._accepting.take(tx, conversation, draft)
        whom, rest = optout_wording.describe_recipients(conversation.parties, blocked, self._policy.region)
        what = f": “{escape_sms(wording.shorten(text, 300))}”" if text.strip() else "."
        if message is not None and message.due_at is not None:
            return f"⏳ Waiting for the end of the quiet hours of {whom}{what}{rest}\n{where(conversation.channel_id)}"
        return f"📤 On its way to {whom}{what}{rest}\n{where(conversation.channel_id)}"


def where(channel_id: ChannelId) -> str:
    """Return the sentence that says where a text's thread is."""
    return f"It is in their thread in <#{channel_id}>, with a mark that shows how it fares."
