"""Texts that begin with a command or a form instead of a reply."""

from __future__ import annotations

from bot.domain.commands import FromName, FromNumber, FromPool, Sender
from bot.domain.conversation import POOL
from bot.domain.ids import ChannelId, UserId
from bot.domain.media import FileRef
from bot.domain.message import Origin
from bot.domain.phone import Address, is_phone
from bot.domain.policy import Policy
from bot.errors import NotAllowed
from bot.flows import wording
from bot.flows.accepting import Accepting, Draft, check_author, check_text
from bot.flows.preparing import check_files
from bot.ports import Directory, Store
from bot.text.escape import escape_sms


def choose_sender(sender: Sender | None, policy: Policy) -> Address:
    """Return the address of ours that *sender* means. Raises NotAllowed, with what is there to choose from."""
    match sender:
        case None:
            return policy.our_number
        case FromPool():
            _need_profile(policy, "the number pool")
            return POOL
        case FromName(name=name):
            _need_profile(policy, "a sender name")
            return Address(name)
        case FromNumber(address=address):
            if is_phone(address) and address not in policy.our_numbers:
                ours = ", ".join(f"`{number}`" for number in sorted(policy.our_numbers))
                raise NotAllowed(f"🚫 Not sent: {address} is not one of our numbers. Ours are {ours}.")
            return address


def _need_profile(policy: Policy, what: str) -> None:
    if not policy.profile_id:
        raise NotAllowed(
            f"🚫 Not sent: {what} needs a messaging profile. Ask whoever runs Textbridge to set TELNYX_MESSAGING_PROFILE_ID."
        )


class Texting:
    """`/sms`, typed or filled in."""

    def __init__(self, *, store: Store, directory: Directory, accepting: Accepting, policy: Policy) -> None:
        self._store = store
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
        check_files(files, self._policy)
        check_text(text, has_files=bool(files))
        ours = choose_sender(sender, self._policy)
        async with self._store.transaction("text now") as tx:
            conversation = await self._accepting.open_conversation(tx, ours, to)
            await self._accepting.check_consent(tx, conversation)
            message = None
            if await tx.queue.note_once(f"asked:{once}"):
                draft = Draft(text=text, author=author, origin=origin, files=files)
                message = await self._accepting.take(tx, conversation, draft)
        whom = escape_sms(wording.name_parties(conversation.parties, self._policy.region))
        what = f": “{escape_sms(wording.shorten(text, 300))}”" if text.strip() else "."
        if message is not None and message.due_at is not None:
            return f"⏳ Waiting for the end of the quiet hours of {whom}{what}\n{where(conversation.channel_id)}"
        return f"📤 On its way to {whom}{what}\n{where(conversation.channel_id)}"


def where(channel_id: ChannelId) -> str:
    """Return the sentence that says where a text's thread is."""
    return f"It is in their thread in <#{channel_id}>, with a mark that shows how it fares."
