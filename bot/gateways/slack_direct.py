"""
A call of Slack's Web API by aiohttp alone.

The SDK's own way to the same request costs as much as the request itself. That is nothing for what is called now and
then, but nearly every call is `chat.postMessage`, for a text that came in, or `reactions.add`, for one that arrived.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.json_text import read_json, write_json

_YES = HTTPStatus.OK


async def call_directly(client: AsyncWebClient, method: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """
    Call *method* with *asked* as JSON, by the session, address, proxy and token of *client*, and return Slack's yes.

    Raises what the SDK does: SlackApiError for any answer but a yes, TimeoutError and aiohttp's errors for none.
    """
    if client.session is None:
        raise TypeError("the client has no session to share")
    url = f"{client.base_url}{method}"
    headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/json;charset=utf-8"}
    async with client.session.post(url, data=write_json(asked), headers=headers, proxy=client.proxy) as response:
        raw = await response.read()
    try:
        answer = read_json(raw)
    except ValueError:
        answer = None
    found: Mapping[str, Any] = answer if isinstance(answer, dict) else {}  # a proxy's page says nothing, and so no yes
    if response.status != _YES or found.get("ok") is not True:
        AsyncSlackResponse(
            client=client,
            http_verb="POST",
            api_url=url,
            req_args={},
            data=dict(found),
            headers=dict(response.headers),
            status_code=response.status,
        ).validate()  # type: ignore[no-untyped-call] # the SDK's, which raises
    return found
