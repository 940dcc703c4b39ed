"""
Operations on the carrier's account that somebody at the shell asks for.

What changes something is checked, put into the audit in a transaction of its own, and only then asked of the carrier;
what sends a text asks for the consent of everybody whom it would reach first, and for a later one once more before its
time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.audit import Actor, AuditAction, AuditEntry
from bot.domain.carrier_api.operation import Operation, list_recipients, plan_call
from bot.domain.carrier_codes import FailureKind, explain_code
from bot.domain.carrier_lanes import inbound_lane
from bot.domain.consent import CustomerStopped, Evidence, EvidenceSource
from bot.domain.ids import CarrierMessageId
from bot.domain.phone import Address, mask
from bot.domain.schedule import POINT_OF_NO_RETURN
from bot.errors import CarrierRefused, NotAllowed
from bot.flows.consenting import record_consent
from bot.flows.jobs import enqueue_watch
from bot.ports import CarrierAccount, Store, Transaction

#: How long to wait, once, while what a customer just wrote is being read: it may be STOP.
_LISTEN_WAIT = timedelta(seconds=1)
#: So long before its time a text for later is looked at: the carrier must still take it back then.
_WATCH_AHEAD = POINT_OF_NO_RETURN + timedelta(minutes=1)
#: Of a value in the audit, so many characters at most.
_LONGEST_VALUE = 200


class AccountCalls:
    """
    The use-cases. Without a *store*, nothing is known of consent and nothing is put on record.

    The carrier keeps a list of its own and refuses those who are on it (40300); that is all there is then.
    """

    def __init__(self, *, account: CarrierAccount, store: Store | None, clock: Clock, chance: Chance) -> None:
        self._account = account
        self._store = store
        self._clock = clock
        self._chance = chance

    async def call(
        self, operation: Operation, given: Mapping[str, object], *, actor: Actor, key: str | None = None
    ) -> Mapping[str, Any]:
        """
        Carry *operation* out for *actor* and return what the carrier answers.

        Transaction, before the call: consent is asked, and the deed put on record. Another, where the carrier refuses:
        that it did, and that somebody said STOP if that is why. Raises as `CarrierAccount.call` does, and NotAllowed.
        """
        plan_call(operation, given)  # what cannot go out is not even put on record
        if self._store is None or not operation.changes:
            return await self._account.call(operation, given, key=key)
        deed = f"account:{self._chance.token()}"
        await self._record(self._store, operation, given, actor, deed)
        try:
            answer = await self._account.call(operation, given, key=key)
        except CarrierRefused as error:
            await self._record_refusal(self._store, operation, given, deed, actor, error)
            raise
        await self._watch(self._store, operation, given, answer)
        return answer

    async def _watch(
        self, store: Store, operation: Operation, given: Mapping[str, object], answer: Mapping[str, Any]
    ) -> None:
        """Transaction: have a text that is for later looked at before its time, by the bridge: they may say STOP."""
        body = plan_call(operation, given).body or {}
        written = body.get("send_at")
        if not operation.sends or not isinstance(written, str):
            return
        due_at = max(self._clock.now(), datetime.fromisoformat(written) - _WATCH_AHEAD)
        async with store.transaction("watch held text") as tx:
            carrier_id = CarrierMessageId(str(answer["id"]))
            await enqueue_watch(tx, carrier_id, list_recipients(operation, given), due_at)

    async def _record(
        self, store: Store, operation: Operation, given: Mapping[str, object], actor: Actor, deed: str
    ) -> None:
        people = list_recipients(operation, given)
        for patience in (_LISTEN_WAIT, None):
            async with store.transaction("account call") as tx:
                if patience is None or not await _is_heard_from(tx, people):
                    await self._check_consent(tx, people)
                    await tx.audit.record(
                        AuditEntry(
                            key=deed,
                            at=self._clock.now(),
                            actor=actor,
                            action=AuditAction.SENT if operation.sends else AuditAction.ACCOUNT_CHANGED,
                            numbers=people,
                            subject=operation.name,
                            detail=describe_fields(operation, given),
                        )
                    )
                    return
            await self._clock.sleep(patience)

    async def _check_consent(self, tx: Transaction, people: tuple[Address, ...]) -> None:
        blocked = [address for address in people if (await tx.consents.get(address)).blocked]
        if blocked:
            raise NotAllowed(
                f"Not sent: {', '.join(map(mask, blocked))} opted out. `/optouts <number>` in Slack says how."
            )
        if await _is_heard_from(tx, people):
            raise NotAllowed(
                "Not sent: what they just wrote is still being read, and it may be STOP. Try again in a moment."
            )

    async def _record_refusal(
        self,
        store: Store,
        operation: Operation,
        given: Mapping[str, object],
        deed: str,
        actor: Actor,
        error: CarrierRefused,
    ) -> None:
        now = self._clock.now()
        people = list_recipients(operation, given)
        kind = explain_code(error.code, error.title, error.detail).kind
        async with store.transaction("account call refused") as tx:
            await tx.audit.record(
                AuditEntry(
                    key=f"{deed}:refused",
                    at=now,
                    actor=actor,
                    action=AuditAction.NOT_SENT if operation.sends else AuditAction.ACCOUNT_CHANGED,
                    numbers=people,
                    subject=operation.name,
                    detail={"refused": error.code},
                )
            )
            if operation.sends and kind is FailureKind.OPTED_OUT and len(people) == 1:
                evidence = Evidence(source=EvidenceSource.CARRIER_REFUSAL, at=now)
                await record_consent(
                    tx, people[0], CustomerStopped(evidence=evidence), evidence, key=f"refusal:{deed}", now=now
                )


async def _is_heard_from(tx: Transaction, people: tuple[Address, ...]) -> bool:
    """Tell whether something that one of them wrote is still unread."""
    return any([await tx.queue.is_busy(inbound_lane(address)) for address in people])


def describe_fields(operation: Operation, given: Mapping[str, object]) -> dict[str, str]:
    """Return what the audit keeps of *given*: each field and its value, but no words of a text and no secret."""
    told: dict[str, str] = {}
    for field in operation.fields:
        if field.name not in given or (operation.sends and field.name == "to"):
            continue
        value = given[field.name]
        written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        told[field.name] = "(not kept)" if field.private else written[:_LONGEST_VALUE]
    return told
