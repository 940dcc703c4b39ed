"""
The Telnyx account, as the flows and the shell need it: any operation of `bot.domain.carrier_api`, by its fields.

How a flow calls one: take the operation from its module, give its fields by the carrier's own names::

    from bot.domain.carrier_api.profiles import GET_PROFILE, UPDATE_PROFILE
    from bot.domain.carrier_api.senders import LIST_NUMBERS

    profile = await account.call(GET_PROFILE, {"id": profile_id})
    await account.call(UPDATE_PROFILE, {"id": profile_id, "webhook_url": address})
    async for number in account.list_all(LIST_NUMBERS, {"filter[messaging_profile_id]": profile_id}):
        …

A field that is left out stays as it is at the carrier; None empties it, where the carrier has a null for it. What comes
back is the carrier's own object, unchecked: read it with `.get`, for it may lack any field. `FieldsWrong.problems` goes
field by field into a form; `tell_harm(operation, fields)` says what to ask a person about before it is done;
`list_recipients(operation, fields)` says whose consent has to be asked before a send.

Nothing in this port asks for consent or keeps the audit. What people change from Slack goes through
`bot/flows/account.py`, what they do at the shell through `bot/flows/account_calls.py`, replies and commands through
`bot/flows/sending.py`; those do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.domain.account import Pulse
from bot.domain.carrier_api.operation import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list."""

    items: Sequence[Mapping[str, Any]]
    number: int  #: From 1.
    pages: int  #: How many there are in all, as the carrier says now.
    total: int  #: How many items there are in all.


class Pulses(Protocol):
    """How the program itself fares."""

    async def take(self) -> Pulse:
        """Return it, as it is now."""
        ...


class CarrierAccount(Protocol):
    """
    The account at the carrier. One call is one request: no retries in here.

    Raises FieldsWrong before anything is sent; RetryLater when the request certainly had no effect; OutcomeUnknown when
    a change may have been made; CarrierRefused, with code, title and detail, when it was understood and refused.
    """

    async def call(
        self, operation: Operation, given: Mapping[str, object], *, key: str | None = None
    ) -> Mapping[str, Any]:
        """
        Carry *operation* out with the fields *given* and return the object that comes back; empty where none does.

        *key*: the `Idempotency-Key`, for operations that are keyed. Not for lists.
        """
        ...

    def list_pages(self, operation: Operation, given: Mapping[str, object], *, start: int = 1) -> AsyncIterator[Page]:
        """Yield a list page by page, from the page *start* on; each is asked for when it is wanted."""
        ...

    def list_all(self, operation: Operation, given: Mapping[str, object]) -> AsyncIterator[Mapping[str, Any]]:
        """Yield a list's objects, over all its pages, as they are read."""
        ...
