"""An erasure, told in the threads that it concerns and written into the audit; what is erased is storage's to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain.audit import Actor, AuditAction, AuditEntry
from bot.domain.ids import ConversationId
from bot.domain.phone import Address
from bot.flows import wording
from bot.flows.jobs import enqueue_line
from bot.ports import Transaction
from bot.text.escape import escape_sms


async def record_erasure(
    tx: Transaction,
    address: Address,
    conversations: Sequence[ConversationId],
    *,
    key: str,
    actor: Actor,
    region: str,
    now: datetime,
    taken: Mapping[str, int],
) -> None:
    """
    Tell each thread, once for each *key*, that *address* was erased, and record it, in the transaction that erases.

    *taken*: how much of what was erased.
    """
    await tx.audit.record(
        AuditEntry(
            key=f"{AuditAction.ERASED}:{key}",
            at=now,
            actor=actor,
            action=AuditAction.ERASED,
            numbers=(address,),
            detail={what: str(many) for what, many in taken.items()},
        )
    )
    name = escape_sms(wording.name_address(address, region))
    text, blocks = wording.line(
        f"🧹 *The record of what was said with {name} was erased* on {now:%d %b %Y}: texts and pictures, here and on disk. "
        "Whether they may be texted is still known. What stands above is Slack's copy: delete it there."
    )
    for conversation_id in conversations:
        if (await tx.conversations.get(conversation_id)).thread_ts is not None:
            await enqueue_line(tx, conversation_id, f"erased:{key}:{conversation_id}", text, blocks)
