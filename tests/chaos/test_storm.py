"""A short storm in every test run; `make chaos` has longer ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.storm import Storm, Weather


@pytest.mark.crash
@pytest.mark.timeout(150)
async def test_a_process_killed_again_and_again_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    """What was answered 200 arrives exactly once and in order, through SIGKILLs and faults on both platforms."""
    weather = Weather(seed=20261122, seconds=12, customers=8, kills_every=(0.7, 2.5))

    tally = await Storm(weather, tmp_path).rage()

    assert tally.wrong == [], tally.describe()
    # Few on a busy machine, many on a quick one; a storm without any would prove nothing.
    assert tally.kills >= 1
    assert sum(map(len, tally.texts_owed.values())) >= 5
    assert sum(map(len, tally.replies_owed.values())) >= 1
    assert tally.together >= 1
