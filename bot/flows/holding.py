"""Texts that have not gone out yet: whether they still can change, and how they are taken out of the line."""

from __future__ import annotations

from bot.domain.message import Message, State
from bot.flows.jobs import send_key
from bot.ports import Transaction

#: What has left, or may have.
GONE = frozenset({State.UNDER_WAY, State.ACCEPTED, State.UNSETTLED})


async def is_still_here(tx: Transaction, message: Message) -> bool:
    """Tell whether nothing of *message* can have reached the carrier, so that it can still be changed or stopped."""
    if message.state in (State.WAITING, State.CONFIRMING):
        return True
    if message.state is not State.UNDER_WAY:
        return False
    # The carrier could not be reached, or had no room: the request is stored, and certainly was never carried out.
    request = await tx.deliveries.find_request(message.id)
    return request is not None and request.attempted_at is None


async def take_out(tx: Transaction, message: Message, state: State, **changes: object) -> None:
    """Take *message*, which is still here, out of the line: it has *state* now, and is not sent unless it is released."""
    await tx.queue.drop(send_key(message.id, message.turn))
    await tx.deliveries.forget_request(message.id)
    await tx.messages.update(message.id, state=state, due_at=None, **changes)


async def change_words(tx: Transaction, message: Message, words: str) -> None:
    """Give *message*, which is still here, other words; its place in the line stays."""
    if message.state is State.UNDER_WAY:  # its request is made anew when its turn comes
        await tx.deliveries.forget_request(message.id)
        await tx.messages.update(message.id, state=State.WAITING, text=words)
        return
    await tx.messages.update(message.id, text=words)
