"""
Questions for `doctor`: single reading calls to both platforms, and what they answered, untouched.

Nothing is decided here and nothing changes at the platforms. Every call stands alone: one that fails says so by
raising RetryLater and leaves the others to be asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx

from bot.domain.ids import ChannelId
from bot.domain.phone import Address
from bot.errors import RetryLater
from bot.gateways.tls import get_tls, read_roots

_TIMEOUT = httpx.Timeout(8.0, connect=4.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a platform answered."""

    status: int
    body: Mapping[str, Any]  #: Empty where it was no JSON object.
    scopes: frozenset[str] | None = None  #: What Slack says that the token may do; None where it does not say.
    dated_at: datetime | None = None  #: The platform's clock.

    @property
    def data(self) -> Any:
        """Return what stands under `data`, where Telnyx puts everything."""
        return self.body.get("data")

    @property
    def trouble(self) -> str:
        """Return the platform's own word for what is wrong: `invalid_auth`, `10009`, else the HTTP status."""
        errors = self.body.get("errors")
        first = errors[0] if isinstance(errors, list) and errors else None
        code = first.get("code") if isinstance(first, Mapping) else self.body.get("error")
        return str(code) if isinstance(code, str | int) and code else f"HTTP {self.status}"


class Probe:
    """Asks one platform. Use as a context manager."""

    def __init__(self, url: str, *, token: str | None = None) -> None:
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        read_roots()
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/") + "/",
            headers=headers,
            timeout=_TIMEOUT,
            verify=get_tls(),  # whom the bridge trusts, and not httpx's own roots: they may not be the system's
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to `GET path`. Raises RetryLater when none comes."""
        return await self._ask("GET", path, parameters)

    async def post(self, path: str) -> Answer:
        """Return the answer to `POST path` without a body. Raises RetryLater when none comes."""
        return await self._ask("POST", path, None)

    async def _ask(self, method: str, path: str, parameters: Mapping[str, str] | None) -> Answer:
        try:
            response = await self._client.request(method, path.lstrip("/"), params=dict(parameters or {}))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RetryLater(f"cannot be reached ({type(error).__name__})") from error
        try:
            body = json.loads(response.content)
        except (ValueError, RecursionError):
            body = None
        scopes = response.headers.get("X-OAuth-Scopes")
        return Answer(
            status=response.status_code,
            body=body if isinstance(body, Mapping) else {},
            scopes=None if scopes is None else frozenset(part.strip() for part in scopes.split(",") if part.strip()),
            dated_at=_read_date(response.headers.get("Date")),
        )


def _read_date(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# --- Slack (docs.slack.dev/reference/methods; the granted scopes are a header of every answer)


async def ask_who_we_are(slack: Probe) -> Answer:
    """Ask Slack whose token this is."""
    return await slack.post("auth.test")


async def ask_channel(slack: Probe, channel: ChannelId) -> Answer:
    """Ask Slack what it lets us know of *channel*."""
    return await slack.get("conversations.info", {"channel": channel})


async def ask_groups(slack: Probe) -> Answer:
    """Ask Slack for the workspace's user groups."""
    return await slack.get("usergroups.list")


async def ask_group_members(slack: Probe, group_id: str) -> Answer:
    """Ask Slack who is in a user group."""
    return await slack.get("usergroups.users.list", {"usergroup": group_id})


# --- Telnyx (developers.telnyx.com; `/public_key` is used by its own examples, though its API description has it not)


async def ask_profiles(telnyx: Probe) -> Answer:
    """Ask for one messaging profile: the smallest question that needs the key."""
    return await telnyx.get("messaging_profiles", {"page[size]": "1"})


async def ask_profile(telnyx: Probe, profile_id: str) -> Answer:
    """Ask for the settings of one messaging profile."""
    return await telnyx.get(f"messaging_profiles/{profile_id}")


async def ask_number(telnyx: Probe, number: Address) -> Answer:
    """Ask for the messaging settings of one of our numbers: a list that is empty when it is not ours."""
    return await telnyx.get("phone_numbers/messaging", {"filter[phone_number]": number})


async def ask_records(telnyx: Probe, *, since: datetime) -> Answer:
    """Ask for the records of the newest texts since then, either way: the first page, newest first."""
    moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    parameters = {"filter[record_type]": "messaging", "filter[created_at][gte]": moment, "page[size]": "50"}
    return await telnyx.get("detail_records", parameters)


async def ask_public_key(telnyx: Probe) -> Answer:
    """Ask for the key with which webhooks are signed."""
    return await telnyx.get("public_key")


# --- Ourselves


async def ask_ourselves(public: Probe) -> Answer:
    """Ask our own public address whether we are alive."""
    return await public.get("healthz")
