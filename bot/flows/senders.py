"""What we can send from: the settings' numbers, and what the carrier account was last seen to have."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.domain.commands import Sender
from bot.domain.phone import Address
from bot.domain.policy import Policy
from bot.domain.senders import AccountSenders, OurSide, choose_side
from bot.ports import Store

_FACT = "account_senders"


class Senders:
    """Chooses our side of a text, and says what there is to choose from."""

    def __init__(self, *, store: Store, policy: Policy) -> None:
        self._store = store
        self._policy = policy

    async def choose_side(self, sender: Sender | None, to: Sequence[Address]) -> OurSide:
        """Return the side that *sender* means for a text to *to*. Raises NotAllowed, with what there is to choose from."""
        return choose_side(sender, to, self._policy, await self.find_account())

    async def find_account(self) -> AccountSenders | None:
        """Return what the account was last seen to have; None while nobody has looked."""
        async with self._store.reading() as view:
            fact = await view.facts.find_fact(_FACT)
        if fact is None:
            return None
        known = json.loads(fact)
        return AccountSenders(
            numbers=tuple(Address(number) for number in known["numbers"]),
            short_codes=tuple(Address(code) for code in known["short_codes"]),
            names=tuple(known["names"]),
            has_pool=bool(known["has_pool"]),
        )
