"""Our Slack token goes along to Slack's own hosts, over https, and to nobody else."""

from __future__ import annotations

from typing import Any, cast

import pytest
from yarl import URL

from bot.gateways.slack_files import SlackFilesGateway

_SLACK = "https://slack.com/api/"
_SIMULATED = "http://127.0.0.1:5001/api/"


@pytest.mark.parametrize(
    ("api_url", "address", "may"),
    [
        (_SLACK, "https://files.slack.com/files-pri/T1-F1/a.png", True),
        (_SLACK, "https://FILES.SLACK.COM/a.png", True),
        (_SLACK, "https://team.slack.com/files/a.png", True),
        (_SLACK, "http://files.slack.com/a.png", False),
        (_SLACK, "https://files.slack.com.evil.example/a.png", False),
        (_SLACK, "https://notslack.com/a.png", False),
        (_SLACK, "https://evil.example/slack.com", False),
        (_SLACK, "http://127.0.0.1:5001/a.png", False),
        (_SLACK, "/files/a.png", False),
        (_SIMULATED, "http://127.0.0.1:5001/files/a.png", True),
        (_SIMULATED, "http://127.0.0.1:5002/files/a.png", True),
        (_SIMULATED, "http://localhost:5001/files/a.png", True),
        (_SIMULATED, "http://192.0.2.1:5001/files/a.png", False),
        (_SIMULATED, "https://evil.example/a.png", False),
        ("https://slack.example/api/", "https://slack.example/files/a.png", True),
        ("https://slack.example/api/", "https://slack.example:8443/files/a.png", False),
        ("https://slack.example/api/", "http://localhost/files/a.png", False),
    ],
)
async def test_the_token_is_for_slacks_own_hosts(api_url: str, address: str, *, may: bool) -> None:
    unused = cast("Any", None)
    gateway = SlackFilesGateway(slack=unused, session=unused, bot_token="xoxb-made-up", api_url=api_url)
    assert gateway._is_slack(URL(address)) is may
