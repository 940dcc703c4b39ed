"""Changes of consent: each is evidence and, in the same transaction, an entry of the audit."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from bot.domain.audit import CARRIER, CUSTOMER, Actor, AuditAction, AuditEntry
from bot.domain.consent import (
    Consent,
    ConsentChange,
    CustomerStarted,
    CustomerStopped,
    Evidence,
    EvidenceSource,
    HandAdded,
    HandRemoved,
    apply,
)
from bot.domain.phone import Address
from bot.ports import Transaction


async def record_consent(
    tx: Transaction, address: Address, change: ConsentChange, evidence: Evidence, *, key: str, now: datetime
) -> Consent:
    """
    Record *change* with its *evidence* and return the state after it.

    *key* names the deed within all changes of consent: told again, it changes nothing and leaves no second evidence. *now*
    is when it is recorded, which may be long after it was said.
    """
    before = await tx.consents.get(address)
    after = apply(before, change)
    detail = {"source": evidence.source.value, "before": _describe(before), "after": _describe(after)}
    if evidence.reason:
        detail["reason"] = evidence.reason
    if evidence.at != now:
        detail["said_at"] = evidence.at.isoformat()
    is_new = await tx.audit.record(
        AuditEntry(
            key=f"consent:{key}",
            at=now,
            actor=_find_actor(evidence),
            action=_name_action(change),
            numbers=(address,),
            subject=evidence.message_id,
            detail=detail,
        )
    )
    return await tx.consents.record(address, change, evidence) if is_new else before


def _describe(consent: Consent) -> str:
    """Return who keeps them from being texted, for the audit."""
    by = [
        who
        for who, stopped in (("customer", consent.stopped_by_customer), ("teammate", consent.stopped_by_hand))
        if stopped is not None
    ]
    return f"stopped by {' and '.join(by)}" if by else "may be texted"


def _find_actor(evidence: Evidence) -> Actor:
    if evidence.actor is not None:
        return Actor(evidence.actor)
    match evidence.source:
        case EvidenceSource.CARRIER_LIST | EvidenceSource.CARRIER_REFUSAL:
            return CARRIER
        case (
            EvidenceSource.KEYWORD | EvidenceSource.CARRIER_WORD | EvidenceSource.COMMAND | EvidenceSource.CARD
        ):  # the last two always name their actor
            return CUSTOMER
        case _:
            assert_never(evidence.source)


def _name_action(change: ConsentChange) -> AuditAction:
    match change:
        case CustomerStopped():
            return AuditAction.OPTED_OUT
        case CustomerStarted():
            return AuditAction.OPTED_IN
        case HandAdded():
            return AuditAction.OPTED_OUT_BY_HAND
        case HandRemoved():
            return AuditAction.OPT_OUT_LIFTED
        case _:
            assert_never(change)
