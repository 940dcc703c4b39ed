"""
The border between the program and the world: every commit and every call to a platform passes here, twice.

Before it takes effect and after. At any of these points a test can let the process die, let the platform fail, or have
something else happen meanwhile. The passages are counted, so that a test can go through all of them.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Collection
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import TypeVar

from bot.errors import OutcomeUnknown, RetryLater

T = TypeVar("T")

#: In the task that works a job: when, in the world's order of events, its newest "prepare send" was committed.
prepared_at: ContextVar[int] = ContextVar("prepared_at", default=0)


class Crash(BaseException):
    """The process is killed here. Nothing in the program may catch it."""


class Side(StrEnum):
    """Which side of an effect."""

    BEFORE = "before"  #: It has not happened.
    AFTER = "after"  #: It has happened, and the program does not know yet.


class Trouble(StrEnum):
    """How a call to a platform fails."""

    UNREACHABLE = "unreachable"  #: Nothing happened, and the program knows.
    LOST_REQUEST = "lost_request"  #: Nothing happened, and the program cannot know.
    LOST_ANSWER = "lost_answer"  #: It happened, and the program cannot know.


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One point at which the process can die."""

    number: int
    name: str
    side: Side
    effects: int

    def __str__(self) -> str:
        return f"#{self.number} {self.side} {self.name}"


@dataclass(slots=True, kw_only=True)
class Fault:
    """A trouble that strikes the next *times* calls whose name begins with *operation*."""

    operation: str
    trouble: Trouble
    times: int = 1


@dataclass(slots=True)
class Border:
    """Counts what passes, and decides what becomes of it. It outlives the process."""

    crash_at: Collection[int] = ()  #: Numbers of crossings.
    crash_before: set[str] = field(default_factory=set)  #: Names: the process dies once right before the next of each.
    crossings: list[Crossing] = field(default_factory=list)
    effects: int = 0  #: How much has taken effect outside the process's memory.
    begun_at: int = 0  #: The crossing with which what is tested begins: what comes before is tested elsewhere.
    faults: list[Fault] = field(default_factory=list)
    #: By the beginning of an operation's name: what happens once, after its effect and before its answer.
    meanwhile: list[tuple[str, Callable[[], Awaitable[None]]]] = field(default_factory=list)
    dead: bool = False
    sequence: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def cross(self, name: str, side: Side) -> None:
        """Pass one point; raises Crash where the process dies there, or has died already."""
        if self.dead:
            raise Crash
        crossing = Crossing(number=len(self.crossings), name=name, side=side, effects=self.effects)
        self.crossings.append(crossing)
        is_next = side is Side.BEFORE and name in self.crash_before
        if is_next or crossing.number in self.crash_at:
            self.crash_before.discard(name)
            self.dead = True
            raise Crash(str(crossing))

    def mend(self) -> None:
        """Plan no trouble any more."""
        self.faults.clear()
        self.meanwhile.clear()
        self.crash_at = ()
        self.crash_before.clear()

    def list_points(self) -> list[Crossing]:
        """Return one crossing for each state of the world in which the process can die, with the same left behind."""
        tested = self.crossings[self.begun_at :]
        return tested[:1] + [here for before, here in pairwise(tested) if before.effects != here.effects]

    async def ask(self, operation: str, read: Callable[[], T]) -> T:
        """Do *read*, a call to a platform that changes nothing there: that it is made is no point of its own."""
        await asyncio.sleep(0)
        if self.dead:
            raise Crash
        if self._take_fault(operation) is not None:
            raise RetryLater(f"{operation} did not answer")
        return read()

    async def call(self, operation: str, work: Callable[[], T], *, repeatable: bool = True) -> T:
        """
        Do *work*, a call to a platform that changes something there, with whatever befalls it.

        What may be repeated without harm is RetryLater when its answer is lost, as the ports have it; else OutcomeUnknown.
        """
        unknown = RetryLater if repeatable else OutcomeUnknown
        self.cross(operation, Side.BEFORE)
        await asyncio.sleep(0)  # others get their turn while the request is on its way
        if self.dead:
            raise Crash
        trouble = self._take_fault(operation)
        if trouble is Trouble.UNREACHABLE:
            raise RetryLater(f"{operation} cannot be reached")
        if trouble is Trouble.LOST_REQUEST:
            raise unknown(f"{operation} did not answer")
        result = work()
        self.effects += 1
        await self._let_happen(operation)
        self.cross(operation, Side.AFTER)
        if trouble is Trouble.LOST_ANSWER:
            raise unknown(f"{operation} did not answer")
        return result

    def _take_fault(self, operation: str) -> Trouble | None:
        for fault in self.faults:
            if operation.startswith(fault.operation):
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault.trouble
        return None

    async def _let_happen(self, operation: str) -> None:
        for plan in self.meanwhile:
            if operation.startswith(plan[0]):
                self.meanwhile.remove(plan)
                await plan[1]()
                return
