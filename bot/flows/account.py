"""The carrier account, for administrators: a look at all of it, and the changes that people make from Slack."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from bot.clock import Clock
from bot.domain.account import AccountView, Record, count_days
from bot.domain.audit import Actor, AuditAction, AuditEntry
from bot.domain.carrier_api.operation import Operation, tell_harm
from bot.domain.carrier_api.profiles import GET_PROFILE, LIST_AUTORESPONSES, LIST_PROFILE_SENDERS, UPDATE_PROFILE
from bot.domain.carrier_api.senders import LIST_NUMBERS, LIST_SHORT_CODES
from bot.domain.ids import UserId
from bot.domain.policy import Policy
from bot.errors import CarrierRefused, FieldsWrong, NotAllowed, OutcomeUnknown, RetryLater
from bot.flows.account_events import release_hold
from bot.flows.permissions import check_administrator
from bot.flows.senders import Senders
from bot.observe import Log
from bot.ports import Carrier, CarrierAccount, Directory, Store
from bot.ports.account import Pulses

_log = Log("account")

T = TypeVar("T")

#: How many days the picture shows, today included.
DAYS: Final = 7
#: How long a look is good for: a Home tab is opened again and again.
_FRESH: Final = timedelta(seconds=60)
#: How long a whole look may take, and a change; Slack shows a form's answer within three seconds.
_LOOK_PATIENCE: Final = timedelta(seconds=8)
_CHANGE_PATIENCE: Final = timedelta(seconds=1, milliseconds=700)
#: A list longer than this is cut: a Home tab is no place for it.
_MOST_LISTED: Final = 250


class Account:
    """Looks at the account, and changes it."""

    def __init__(
        self,
        *,
        store: Store,
        carrier: Carrier,
        account: CarrierAccount,
        senders: Senders,
        directory: Directory,
        pulses: Pulses,
        policy: Policy,
        clock: Clock,
    ) -> None:
        self._store = store
        self._carrier = carrier
        self._account = account
        self._senders = senders
        self._directory = directory
        self._pulses = pulses
        self._policy = policy
        self._clock = clock
        self._seen: AccountView | None = None
        self._looking = asyncio.Lock()

    @property
    def webhook_url(self) -> str | None:
        """Where the profile's webhook should point; None where nobody has said what our address is."""
        base = self._policy.webhook_base
        return None if base is None else f"{base}/webhooks/telnyx"

    async def look(self, *, fresh: bool = False) -> AccountView:
        """Return the account as it is, or was up to a minute ago unless it must be *fresh*. Raises nothing of the carrier's."""
        async with self._looking:
            now = self._clock.now()
            if fresh or self._seen is None or now - self._seen.seen_at > _FRESH:
                self._seen = await self._look(now)
            return self._seen

    async def _look(self, now: datetime) -> AccountView:
        missing: dict[str, str] = {}
        deadline = asyncio.get_running_loop().time() + _LOOK_PATIENCE.total_seconds()
        profile_id = self._policy.profile_id
        narrowed = {"filter[messaging_profile_id]": profile_id} if profile_id else {}
        profile: Record | None = None
        names: Sequence[Record] | None = None
        autoresponses: Sequence[Record] | None = None
        numbers = await self._try("numbers", missing, deadline, self._list(LIST_NUMBERS, narrowed))
        short_codes = await self._try("short codes", missing, deadline, self._list(LIST_SHORT_CODES, {}))
        if profile_id:
            profile = await self._try("profile", missing, deadline, self._account.call(GET_PROFILE, {"id": profile_id}))
            names = await self._try(
                "sender names", missing, deadline, self._list(LIST_PROFILE_SENDERS, {"id": profile_id})
            )
            answers = self._list(LIST_AUTORESPONSES, {"profile_id": profile_id})
            autoresponses = await self._try("automatic answers", missing, deadline, answers)
        else:
            missing["profile"] = "TELNYX_MESSAGING_PROFILE_ID is not set"
        spending = await self._try("today's cost", missing, deadline, self._carrier.sum_cost(since=_find_midnight(now)))
        first = (now - timedelta(days=DAYS - 1)).astimezone(UTC).date()
        async with self._store.reading() as view:
            optouts, _ = await view.consents.list_blocked(offset=0, limit=1)
            outcomes = await view.deliveries.count_outcomes(
                since=datetime(first.year, first.month, first.day, tzinfo=UTC)
            )
        return AccountView(
            seen_at=now,
            profile=profile,
            numbers=numbers,
            short_codes=short_codes,
            names=names,
            autoresponses=autoresponses,
            spending=spending,
            optouts=optouts,
            days=count_days(outcomes, first=first, days=DAYS),
            pulse=await self._pulses.take(),
            missing=missing,
        )

    async def _list(self, operation: Operation, given: Mapping[str, object]) -> Sequence[Record]:
        rows: list[Record] = []
        async for row in self._account.list_all(operation, given):
            rows.append(row)
            if len(rows) >= _MOST_LISTED:
                break
        return rows

    async def _try(self, what: str, missing: dict[str, str], deadline: float, asking: Awaitable[T]) -> T | None:
        """Return what *asking* gives by *deadline*; where it gives nothing, None, with the reason in *missing*."""
        try:
            async with asyncio.timeout_at(deadline):
                return await asking
        except TimeoutError:
            missing[what] = "Telnyx did not answer in time"
        except CarrierRefused as error:
            missing[what] = f"Telnyx refused: {error.code} {error.title or ''}".strip()
        except RetryLater as error:
            missing[what] = "Telnyx cannot be reached just now"
            _log.info("A part of the account could not be had.", part=what, trouble=error.log)
        return None

    # --- Changes

    async def check(self, actor: UserId, *, what: str) -> None:
        """Raise NotAllowed, which says whom to ask, unless *actor* may change the account."""
        check_administrator(await self._directory.get_person(actor), self._policy, what=what)

    def find_harm(self, operation: Operation, given: Mapping[str, object]) -> str | None:
        """Return what a person is asked about before this change is made; None if no text is lost by it."""
        wanted = given.get("webhook_url")
        if operation is UPDATE_PROFILE and wanted and self.webhook_url is not None and wanted != self.webhook_url:
            return f"Texts and receipts then go to {wanted} and no longer arrive here."
        return tell_harm(operation, given)

    async def change(self, operation: Operation, given: Mapping[str, object], *, actor: UserId, once: str) -> Record:
        """
        Carry out a change of the account and return what the carrier gives back.

        *once* names the request. Raises NotAllowed for who may not; FieldsWrong with what is wrong, field by field;
        CarrierRefused, RetryLater and OutcomeUnknown as the carrier answers. Transaction, after the call: the audit's
        entry, also where nobody knows whether it was done.
        """
        await self.check(actor, what="change the carrier account")
        outcome = "done"
        try:
            async with asyncio.timeout(_CHANGE_PATIENCE.total_seconds()):
                record = await self._account.call(operation, given)
        except TimeoutError:
            outcome = "not known"
            raise OutcomeUnknown("the carrier did not answer a change in time") from None
        except OutcomeUnknown:
            outcome = "not known"
            raise
        except (FieldsWrong, CarrierRefused, RetryLater):
            outcome = ""
            raise
        finally:
            if outcome:
                await self._note(operation, given, actor=actor, once=once, outcome=outcome)
                self._seen = None
        return record

    async def _note(
        self, operation: Operation, given: Mapping[str, object], *, actor: UserId, once: str, outcome: str
    ) -> None:
        private = {field.name for field in operation.fields if field.private}
        detail = {name: "…" if name in private else str(value)[:200] for name, value in given.items()}
        lifts = operation is UPDATE_PROFILE and {"daily_spend_limit", "daily_spend_limit_enabled"} & given.keys()
        async with self._store.transaction("note account change") as tx:
            if lifts:  # what waited for the old limit has a new chance
                await release_hold(tx)
            await tx.audit.record(
                AuditEntry(
                    key=f"{AuditAction.ACCOUNT_CHANGED}:{once}",
                    at=self._clock.now(),
                    actor=Actor(actor),
                    action=AuditAction.ACCOUNT_CHANGED,
                    subject=operation.name,
                    detail={**detail, "outcome": outcome},
                )
            )
        _log.info("The account was changed from Slack.", operation=operation.name, outcome=outcome)

    async def refresh_senders(self) -> None:
        """Look anew at what can be sent from; what cannot be had now is had at the next reconciliation."""
        try:
            await self._senders.refresh()
        except (CarrierRefused, RetryLater) as error:
            _log.info("Senders could not be looked at.", trouble=error.log)


def explain(error: FieldsWrong | CarrierRefused | RetryLater | OutcomeUnknown | NotAllowed) -> str:
    """Return why a change was not made, or may have been, for the person who asked for it."""
    match error:
        case FieldsWrong():
            return f"Nothing was changed: {error.person}"
        case CarrierRefused():
            said = ": ".join(part for part in (error.title, error.detail) if part)
            return f"Telnyx refused, and nothing was changed. {error.code} {said}".strip()
        case OutcomeUnknown():
            return "Telnyx did not answer, so the change may have been made or not. Press Look again in a minute."
        case NotAllowed():
            return error.person
        case RetryLater():
            return "Telnyx cannot be reached just now, and nothing was changed. Try again in a minute."


def _find_midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
