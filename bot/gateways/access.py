"""
Whether the platforms take our credentials: one question to each, over the shared aiohttp session.

Readiness waits for these answers, so they are asked without the platforms' clients, which take longer to load than both
questions together. Anything but a yes is RetryLater: whoever mends it, it is asked again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import aiohttp

from bot.errors import RetryLater
from bot.gateways.proxies import find_proxy
from bot.gateways.tls import read_roots
from bot.observe import Metrics

#: 401 and 403 are about the key; whatever else the carrier has against the question is not.
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_BUSY = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
#: Who takes longer does not work as far as readiness goes (`bot.health`); whether it does again is asked sooner for it.
_PATIENCE = timedelta(seconds=5)


class Access:
    """Asks each platform whether it knows us."""

    def __init__(self, session: aiohttp.ClientSession, metrics: Metrics, *, patience: timedelta = _PATIENCE) -> None:
        self._session = session
        self._metrics = metrics
        self._timeout = aiohttp.ClientTimeout(total=patience.total_seconds())

    async def check_slack(self, url: str, bot_token: str) -> None:
        """Raise RetryLater when Slack refuses the token, or cannot be reached."""
        status, body = await self._ask("slack", "auth.test", "POST", f"{url.rstrip('/')}/auth.test", bot_token)
        if not body.get("ok"):
            word = body.get("error")
            said = f"Slack refuses the token: {word}" if isinstance(word, str) else f"Slack answered HTTP {status}"
            raise RetryLater(said)

    async def check_carrier(self, url: str, api_key: str) -> None:
        """Raise RetryLater when the carrier refuses the key, or cannot be reached."""
        address = f"{url.rstrip('/')}/messaging_profiles?page[size]=1"
        status, _ = await self._ask("telnyx", "GET /messaging_profiles", "GET", address, api_key)
        if status in _REFUSED:
            raise RetryLater(f"the carrier refuses the API key (HTTP {status})")
        if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise RetryLater(f"the carrier answered HTTP {status}")

    async def _ask(
        self, platform: str, operation: str, method: str, address: str, token: str
    ) -> tuple[int, Mapping[str, Any]]:
        outcome = "RetryLater"
        if address.startswith("https:"):
            await asyncio.to_thread(read_roots)
        try:
            async with self._session.request(
                method,
                address,
                headers={"Authorization": f"Bearer {token}"},
                allow_redirects=False,
                proxy=find_proxy(address),
                timeout=self._timeout,
            ) as response:
                raw = await response.read()
                outcome = "ok" if response.ok else f"HTTP {response.status}"
                return response.status, _read_json(raw)
        except (TimeoutError, aiohttp.ClientError) as error:
            raise RetryLater(f"{platform} cannot be reached: {type(error).__name__}") from error
        finally:
            self._metrics.calls.labels(platform, operation, outcome).inc()


def _read_json(raw: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, Mapping) else {}
