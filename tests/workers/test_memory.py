"""What a burst took of the machine goes back when it is over, and not before."""

from __future__ import annotations

import pytest

from bot.domain.job import Kind
from bot.observe import Metrics
from bot.workers.memory import Memory, trim_memory


class Bench:
    """Looks, each after so many jobs were done, and whether memory was given back at them."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.trimmed = 0
        self.memory = Memory(self.metrics, trim=self._trim)

    def _trim(self) -> None:
        self.trimmed += 1

    async def look(self, *jobs: int) -> list[int]:
        """Look after so many more *jobs* each time, and return at which of the looks, from 1, memory was given back."""
        given = []
        for number, done in enumerate(jobs, 1):
            for one in range(done):
                self.metrics.jobs.labels(Kind.POST_TEXT, "done" if one % 2 else "retry").inc()
            before = self.trimmed
            await self.memory.give_back()
            if self.trimmed > before:
                given.append(number)
        return given


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_memory_is_given_back_when_a_burst_is_over_and_once_more_when_it_is_long_over(bench: Bench) -> None:
    assert await bench.look(600, 600, *([0] * 60)) == [3, 32]


async def test_nothing_is_given_back_while_there_is_much_to_do_and_a_trickle_is_not_much(bench: Bench) -> None:
    assert await bench.look(*([500] * 50), 20, *([5] * 60)) == [51, 80]


async def test_each_burst_is_given_back_by_itself(bench: Bench) -> None:
    assert await bench.look(1_200, 0, 0, 900, 0, 200, 0, *([0] * 40)) == [2, 7, 36]


async def test_for_a_few_jobs_nothing_is_given_back(bench: Bench) -> None:
    assert await bench.look(0, 0, 999, *([0] * 60)) == []


def test_giving_back_does_no_harm_wherever_it_runs() -> None:
    held = [bytes(700) for _ in range(1_000)]
    trim_memory()
    assert len({*map(len, held)}) == 1
