"""What Slack's answers mean, told by the gateway on answers that the simulator never gives."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import SystemClock
from bot.domain.ids import ChannelId, UserId
from bot.domain.places import read_zone
from bot.errors import OutcomeUnknown, RetryLater, SlackRefused
from bot.gateways.slack import SlackGateway
from bot.observe import Metrics
from bot.ports import Post, Standing
from bot.sandbox.server import Server
from bot.workers.pacing import Pacer

ANN = UserId("U0ANN")
POST = Post(channel_id=ChannelId("C0"), text="Hi", blocks=(), key="k")
OURSELVES = {"ok": True, "team_id": "T0OURS", "user_id": "U0BOT", "bot_id": "B0BOT"}


@asynccontextmanager
async def open_slack(answers: dict[str, Any], *, kind: str = "application/json") -> AsyncIterator[SlackGateway]:
    """Lend a gateway to a Slack that answers each method with *answers*: text as it is, anything else as JSON."""

    async def answer(request: web.Request) -> web.Response:
        given = answers[request.match_info["method"]]
        return web.Response(text=given if isinstance(given, str) else json.dumps(given), content_type=kind)

    app = web.Application()
    app.router.add_route("*", "/api/{method}", answer)
    server = Server(patience=timedelta(seconds=0.1))
    try:
        origin = await server.start(app)
        async with aiohttp.ClientSession() as session:
            client = AsyncWebClient(
                token="xoxb-t",
                base_url=f"{origin}/api/",
                session=session,
                retry_handlers=[],
            )
            yield SlackGateway(client=client, pace=Pacer(SystemClock(), learned=True), metrics=Metrics())
    finally:
        await server.stop()


@pytest.mark.parametrize(
    ("page", "kind"),
    [("<html>Back soon</html>", "text/html"), ("Back soon", "text/plain"), ("oops", "application/json")],
)
async def test_a_page_instead_of_an_answer_leaves_a_post_unknown_and_the_rest_for_later(page: str, kind: str) -> None:
    """A proxy's page with 200: no defect of ours, so however long it lasts, nothing is given up for it."""
    async with open_slack({"chat.postMessage": page, "auth.test": page}, kind=kind) as slack:
        with pytest.raises(OutcomeUnknown):
            await slack.post(POST)
        with pytest.raises(RetryLater):
            await slack.check_access()


async def test_an_answer_that_is_no_object_leaves_a_post_unknown() -> None:
    async with open_slack({"chat.postMessage": [1], "auth.test": [1]}) as slack:
        with pytest.raises(OutcomeUnknown):
            await slack.post(POST)
        with pytest.raises(RetryLater):
            await slack.check_access()


@pytest.mark.parametrize("word", ["missing_scope", "no_permission", "restricted_action_read_only_channel"])
async def test_a_post_waits_while_the_app_may_not_post(word: str) -> None:
    async with open_slack({"chat.postMessage": {"ok": False, "error": word}}) as slack:
        with pytest.raises(RetryLater):
            await slack.post(POST)


async def test_a_post_that_slack_refuses_for_what_it_says_is_refused() -> None:
    async with open_slack({"chat.postMessage": {"ok": False, "error": "msg_too_long"}}) as slack:
        with pytest.raises(SlackRefused):
            await slack.post(POST)


@pytest.mark.parametrize(
    ("ours", "theirs", "standing"),
    [
        ({}, {"team_id": "T0OURS"}, Standing.MEMBER),
        ({}, {}, Standing.MEMBER),
        ({}, {"team_id": "T0OTHER"}, Standing.OUTSIDER),
        ({}, {"team_id": "T0OTHER", "enterprise_user": {"enterprise_id": "E0OTHER"}}, Standing.OUTSIDER),
        (
            {"enterprise_id": "E0OURS"},
            {"team_id": "T0OTHER", "enterprise_user": {"enterprise_id": "E0OTHER"}},
            Standing.OUTSIDER,
        ),
        (
            {"enterprise_id": "E0OURS"},
            {"team_id": "T0OTHER", "enterprise_user": {"enterprise_id": "E0OURS"}},
            Standing.MEMBER,
        ),
    ],
)
async def test_only_our_own_organisations_people_are_colleagues(
    ours: dict[str, Any], theirs: dict[str, Any], standing: Standing
) -> None:
    async with open_slack(
        {"auth.test": OURSELVES | ours, "users.info": {"ok": True, "user": {"id": ANN, **theirs}}}
    ) as slack:
        assert (await slack.get_person(ANN)).standing is standing


@pytest.mark.parametrize(
    ("told", "zone"),
    [
        ({"tz": "America/Chicago", "tz_offset": -21600}, "America/Chicago"),
        ({"tz": None, "tz_offset": -18000}, "Etc/GMT+5"),
        ({"tz_offset": 3600}, "Etc/GMT-1"),
        ({"tz_offset": 0}, "Etc/GMT+0"),
        ({"tz_offset": 19800}, None),  # half an hour more than any zone of that kind
        ({"tz_offset": "3600"}, None),
        ({}, None),
    ],
)
async def test_whose_zone_slack_does_not_name_has_the_clock_of_its_distance_to_utc(
    told: dict[str, Any], zone: str | None
) -> None:
    async with open_slack({"users.info": {"ok": True, "user": {"id": ANN, **told}}, "auth.test": OURSELVES}) as slack:
        assert (await slack.get_person(ANN)).zone == zone
    assert zone is None or read_zone(zone).key == zone
