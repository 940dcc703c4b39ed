"""Whether the address at which a platform has us is ours."""

from __future__ import annotations

import pytest

from bot.domain.account import name_same_place

_OURS = "https://texts.example.com/webhooks/telnyx"


@pytest.mark.parametrize(
    "said",
    [
        _OURS,
        f"{_OURS}/",
        f"{_OURS}?x=1",
        "https://TEXTS.example.com/webhooks/telnyx",
        "HTTPS://texts.example.com:443/webhooks/telnyx",
    ],
)
def test_what_arrives_here_is_at_our_address(said: str) -> None:
    assert name_same_place(said, _OURS)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "texts.example.com/webhooks/telnyx",
        "http://texts.example.com/webhooks/telnyx",
        "https://texts.example.com:8443/webhooks/telnyx",
        "https://texts.example.com:99999/webhooks/telnyx",
        "https://old.example.com/webhooks/telnyx",
        "https://texts.example.com/Webhooks/Telnyx",
        "https://texts.example.com/slack/events",
        "https://[texts/webhooks/telnyx",
    ],
)
def test_what_arrives_elsewhere_or_nowhere_is_not(said: str) -> None:
    assert not name_same_place(said, _OURS)
