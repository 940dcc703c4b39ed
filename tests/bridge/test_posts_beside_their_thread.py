"""A thread whose root was deleted without our hearing of it: what Slack puts beside it must go, whatever else fails."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.sandbox.faults import FaultKind
from tests.bridge.harness import CHANNEL, Bench


@pytest.mark.parametrize("operation", ["chat.delete", "conversations.replies"])
async def test_a_post_that_cannot_be_taken_away_at_once_is_not_followed_by_another(
    bench: Bench, operation: str
) -> None:
    root = await bench.open_thread()
    bench.fail(bench.slack, FaultKind.LOSE, "event")
    bench.slack.workspace.users[bench.alice].is_admin = True
    await bench.slack.delete(bench.alice, CHANNEL, root)
    bench.fail(bench.slack, FaultKind.RATE_LIMIT, operation, times=3)

    await bench.text_in("Still there?")
    await bench.pass_time(timedelta(minutes=5))

    assert len(bench.shown("Still there?")) == 1
