"""
Cancellation at every await, one by one.

A task is cancelled where it waits for something: before the answer has come, or in the very turn of the loop in which
it comes. Counting loop turns would leave to chance which of the two is met; here the awaits themselves are counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Moment(StrEnum):
    """When the cancellation strikes."""

    WAITING = "waiting"  #: The answer is not there yet.
    ANSWERED = "answered"  #: The answer is there, and the task is about to go on.


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """Cancel at await number *at*, and once more *again* awaits later if that is not None."""

    at: int
    moment: Moment
    again: int | None = None


class _Interrupted(Generic[T]):
    """Awaits *work*, cancelling the own task as *strike* says. *reached* tells whether it came to that."""

    def __init__(self, work: Coroutine[Any, Any, T], strike: Strike) -> None:
        self._work = work
        self._strike = strike
        self.reached = False

    def __await__(self) -> Generator[Any, Any, T]:
        task = asyncio.current_task()
        assert task is not None
        count = 0
        step: Callable[[], Any] = lambda: self._work.send(None)  # noqa: E731
        while True:
            try:
                waits_for = step()
            except StopIteration as end:
                result: T = end.value
                return result
            if count == self._strike.at:
                self.reached = True
                self._cancel(task, waits_for)
            elif self._strike.again is not None and count == self._strike.at + self._strike.again:
                self._cancel(task, waits_for)
            count += 1
            try:
                yield waits_for
            except BaseException as error:  # noqa: BLE001 - handed on to the work
                thrown = error
                step = lambda: self._work.throw(thrown)  # noqa: E731, B023 - used before the next turn
            else:
                step = lambda: self._work.send(None)  # noqa: E731

    def _cancel(self, task: asyncio.Task[Any], waits_for: Any) -> None:
        if self._strike.moment is Moment.ANSWERED and isinstance(waits_for, asyncio.Future):
            # Runs before the task's own wake-up, which is added after it: the answer is there, the task not yet on.
            waits_for.add_done_callback(lambda _: task.cancel())
        else:
            task.cancel()


async def interrupt_everywhere(
    make: Callable[[], Awaitable[Callable[[], Coroutine[Any, Any, Any]]]], *, twice: bool = False
) -> AsyncIterator[tuple[Strike, BaseException | None]]:
    """
    Run what *make* prepares again and again, cancelled at its first, second, … await, and yield after each run.

    Yields where it struck and what the task ended with. Ends once a run has fewer awaits than that.
    """
    for moment in Moment:
        for again in (None, 1, 2, 3) if twice else (None,):
            at = 0
            while True:
                strike = Strike(at=at, moment=moment, again=again)
                work = await make()
                interrupted = _Interrupted(work(), strike)
                task = asyncio.ensure_future(_await(interrupted))
                outcome: object = (await asyncio.gather(task, return_exceptions=True))[0]
                if not interrupted.reached:
                    assert at > 0, "it never waited, so nothing was tried"
                    break
                yield strike, outcome if isinstance(outcome, BaseException) else None
                at += 1


async def _await(interrupted: _Interrupted[T]) -> T:
    return await interrupted
