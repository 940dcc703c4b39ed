"""
Calls of Slack's Web API without the SDK.

The SDK's own way to a request costs more than the request itself. That is nothing for what is called now and then, but
nearly every call is `chat.postMessage`, for a text that came in, or `reactions.add`, for one that arrived.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.gateways.endpoint import Answer, Endpoint
from bot.json_text import read_json, write_json

_YES = HTTPStatus.OK


class DirectCalls:
    """Calls by the session, the address, the proxy and the token of *client*."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._endpoints: dict[str, Endpoint] = {}

    async def call_directly(self, method: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """
        Call *method* with *asked* as JSON, and return Slack's yes.

        Raises what the SDK does: SlackApiError for any answer but a yes, TimeoutError and aiohttp's errors for none.
        """
        endpoint = self._endpoints.get(method) or self._open(method)
        answer = await endpoint.post(write_json(asked))
        try:
            found = read_json(answer.content)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):  # a proxy's page, say: it says nothing, and so no yes
            found = {}
        if answer.status != _YES or found.get("ok") is not True:
            self._refuse(method, answer, found)
        return found

    def _open(self, method: str) -> Endpoint:
        if self._client.session is None:
            raise TypeError("the client has no session to share")
        headers = {"Authorization": f"Bearer {self._client.token}", "Content-Type": "application/json;charset=utf-8"}
        url = f"{self._client.base_url}{method}"
        endpoint = Endpoint(self._client.session, url, headers, proxy=self._client.proxy)
        self._endpoints[method] = endpoint
        return endpoint

    def _refuse(self, method: str, answer: Answer, found: dict[str, Any]) -> None:
        """Raise what the SDK makes of an answer that is no yes."""
        AsyncSlackResponse(
            client=self._client,
            http_verb="POST",
            api_url=f"{self._client.base_url}{method}",
            req_args={},
            data=found,
            headers=dict(answer.headers),
            status_code=answer.status,
        ).validate()  # type: ignore[no-untyped-call] # the SDK's
