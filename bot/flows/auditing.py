"""What flows write into the audit about texts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.audit import BRIDGE, Actor, AuditAction, AuditEntry
from bot.domain.conversation import Conversation
from bot.domain.ids import UserId
from bot.domain.message import Message
from bot.domain.phone import Address
from bot.ports import Transaction


async def audit_text(
    tx: Transaction,
    action: AuditAction,
    message: Message,
    conversation: Conversation,
    *,
    at: datetime,
    actor: UserId | None = None,
    **detail: str,
) -> None:
    """
    Record, once for each text, each time that it was put in line, and *action*, what was done with *message*.

    *actor* is who did it, if somebody else than its author; *detail* never holds what the text says.
    """
    who = actor or message.author
    await tx.audit.record(
        AuditEntry(
            key=f"{action}:{message.id}:{message.turn}" if message.turn else f"{action}:{message.id}",
            at=at,
            actor=BRIDGE if who is None else Actor(who),
            action=action,
            numbers=conversation.parties.theirs,
            subject=message.id,
            detail={"from": conversation.parties.ours, "origin": message.origin.value, **detail},
        )
    )


async def audit_send(
    tx: Transaction,
    message: Message,
    conversation: Conversation,
    recipients: Sequence[Address],
    send_at: datetime | None,
    now: datetime,
) -> None:
    """
    Record, in the transaction that is followed by the call, that *message* goes to *recipients*, at *send_at*.

    Once for a text; once more if somebody of a group opts out before it has gone, for then it goes to fewer.
    """
    detail = {"from": conversation.parties.ours, "origin": message.origin.value}
    left_out = [address for address in conversation.parties.theirs if address not in recipients]
    if left_out:
        detail["left_out"] = ",".join(left_out)
    if send_at is not None:
        detail["send_at"] = send_at.isoformat()
    await tx.audit.record(
        AuditEntry(
            key=f"{AuditAction.SENT}:{message.id}" + (f":{len(recipients)}" if left_out else ""),
            at=now,
            actor=BRIDGE if message.author is None else Actor(message.author),
            action=AuditAction.SENT,
            numbers=tuple(recipients),
            subject=message.id,
            detail=detail,
        )
    )
