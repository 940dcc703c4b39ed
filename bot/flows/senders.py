"""What we can send from: the settings' numbers, and what the carrier account was last seen to have."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bot.domain.carrier_api.profiles import GET_PROFILE, LIST_PROFILE_SENDERS
from bot.domain.carrier_api.senders import LIST_NUMBERS, LIST_SHORT_CODES
from bot.domain.commands import Sender
from bot.domain.phone import Address, is_phone, parse_address
from bot.domain.policy import Policy
from bot.domain.senders import AccountSenders, OurSide, choose_side, read_pool
from bot.ports import CarrierAccount, Store

_FACT = "account_senders"


class Senders:
    """Chooses our side of a text, and says what there is to choose from."""

    def __init__(self, *, store: Store, account: CarrierAccount, policy: Policy) -> None:
        self._store = store
        self._account = account
        self._policy = policy
        self._known: AccountSenders | None = None

    @property
    def known(self) -> AccountSenders | None:
        """What the account was last seen to have; None while nobody has looked, or asked here what was seen."""
        return self._known

    async def choose_side(self, sender: Sender | None, to: Sequence[Address]) -> OurSide:
        """Return the side that *sender* means for a text to *to*. Raises NotAllowed, with what there is to choose from."""
        return choose_side(sender, to, self._policy, await self.find_account())

    async def find_account(self) -> AccountSenders | None:
        """Return what the account was last seen to have, before a restart too; None while nobody has looked."""
        if self._known is None:
            async with self._store.reading() as view:
                fact = await view.facts.find_fact(_FACT)
            if fact is not None:
                self._known = _read(json.loads(fact))
        return self._known

    async def refresh(self) -> int:
        """
        Look anew at what the account has; return 0, for nothing of it was missed.

        Raises CarrierRefused or RetryLater, and then what was known stays. Transaction: what was seen.
        """
        seen = await self._look()
        if seen != await self.find_account():
            async with self._store.transaction("remember senders") as tx:
                await tx.facts.set_fact(_FACT, json.dumps(asdict(seen)))
            self._known = seen
        return 0

    async def _look(self) -> AccountSenders:
        profile_id = self._policy.profile_id
        narrowed = {"filter[messaging_profile_id]": profile_id} if profile_id else {}
        # What is on no profile cannot text.
        numbers = [
            row async for row in self._account.list_all(LIST_NUMBERS, narrowed) if row.get("messaging_profile_id")
        ]
        codes = [
            row async for row in self._account.list_all(LIST_SHORT_CODES, narrowed) if row.get("messaging_profile_id")
        ]
        names: list[str] = []
        has_pool = False
        if profile_id:
            profile = await self._account.call(GET_PROFILE, {"id": profile_id})
            has_pool = read_pool(profile)
            names = [
                str(row.get("alphanumeric_sender_id") or "")
                async for row in self._account.list_all(LIST_PROFILE_SENDERS, {"id": profile_id})
            ]
            names.append(str(profile.get("alpha_sender") or ""))
        return AccountSenders(
            # Short codes may stand among the numbers, too.
            numbers=tuple(filter(is_phone, _sort(row.get("phone_number") for row in numbers))),
            short_codes=_sort(row.get("short_code") for row in codes),
            names=tuple(sorted({name for name in names if name})),
            has_pool=has_pool,
        )


def _sort(values: Any) -> tuple[Address, ...]:
    return tuple(sorted({parse_address(str(value)) for value in values if value}))


def _read(known: Mapping[str, Any]) -> AccountSenders:
    return AccountSenders(
        numbers=tuple(Address(number) for number in known["numbers"]),
        short_codes=tuple(Address(code) for code in known["short_codes"]),
        names=tuple(known["names"]),
        has_pool=bool(known["has_pool"]),
    )
