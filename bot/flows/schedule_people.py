"""The customers to whom scheduled texts go, as the sentences about them need them."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.phone import Address
from bot.flows.contacts import find_zones, name_people
from bot.flows.schedule_wording import Them
from bot.ports import Transaction
from bot.text.escape import escape_sms


async def find_them(view: Transaction, addresses: Sequence[Address], region: str) -> Them:
    """Return the customers behind *addresses*, as sentences need them."""
    names = await name_people(view, addresses, region)
    return Them(name=escape_sms(names), zones=await find_zones(view, addresses))
