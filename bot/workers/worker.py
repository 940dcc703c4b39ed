"""
Workers: each takes due jobs of one pool and has the flow that knows the kind do them.

A flow finishes its job inside the transaction that holds its result. What else may happen is here:

- Paced: it is not its turn. The job comes back when it is; that was no attempt.
- RetryLater: nothing happened. The job is ready again after a wait.
- OutcomeUnknown, NotStored, and a vanished worker: it may have happened. The job is ready again, *unsettled*: its flow
  looks first.
- Broken, Refused: no repetition mends it. Parked for a person.
- LeaseLost: somebody else has the job; this result was not committed.
- Anything else is a defect of ours: tried again a few times, then parked.

Several jobs of a kind that a flow can do together are done in one transaction, all or none. What goes wrong there is told of
none of them: each is then done alone, and what becomes of it is as above.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.job import INSIDE, MOST_SURPRISES, Job, Kind, Pool, choose_wait
from bot.errors import (
    Broken,
    LeaseLost,
    NotStored,
    OutcomeUnknown,
    Paced,
    Refused,
    RetryLater,
    TextbridgeError,
    drop_traces,
)
from bot.observe import Log, Metrics
from bot.ports import Workbench

_log = Log("worker")

#: How long jobs under way may take to finish when the program stops; it must end within 10 seconds in all.
PATIENCE = timedelta(seconds=5)
#: How long a worker sleeps at most: a job that another process brought back (`queue retry`) rings no bell in this one.
LONGEST_SLEEP = timedelta(seconds=2)
#: How many jobs are claimed together at most, and how many begin in one turn of the loop, together or each alone: whoever
#: waits for an answer meanwhile waits for as many.
MOST_AT_ONCE = 32
MOST_IN_A_TURN = 8

#: Does one job: finishes it in its own transaction, or raises.
Flow = Callable[[Job], Awaitable[None]]
#: Does several jobs of one kind: finishes all of them in one transaction of its own, or raises and has done none.
JointFlow = Callable[[Sequence[Job]], Awaitable[None]]


class Worker:
    """
    Works one pool, with at most *limit* jobs under way.

    Jobs come in two ways. Those that wait are claimed; and while none waits that is due, a transaction that makes one for
    this pool hands it over as it is (`bot.ports.Taker`). Whatever waits goes first, for it is older.
    """

    def __init__(
        self,
        pool: Pool,
        flows: Mapping[Kind, Flow],
        workbench: Workbench,
        *,
        joint_flows: Mapping[Kind, JointFlow] | None = None,
        limit: int,
        clock: Clock,
        chance: Chance,
        metrics: Metrics,
    ) -> None:
        self._pool = pool
        self._flows = flows
        self._joint_flows = {} if joint_flows is None else joint_flows
        self._workbench = workbench
        self._limit = limit
        self._clock = clock
        self._chance = chance
        self._metrics = metrics
        self._running: dict[asyncio.Task[None], int] = {}  #: And how many jobs each does.
        self._begun = 0  #: How many jobs those are.
        self._unbegun: deque[Job] = deque()  #: Ours, and to begin within the next turns of the loop.
        self._reserved = 0  #: Places kept for jobs that are being made.
        self._takes = False  #: Whether jobs may be handed over: nothing that is due waits to be claimed.
        self._ended = asyncio.Event()  #: Set when a place has become free.

    async def run(self) -> None:
        """Work until cancelled; then let what is under way finish, within PATIENCE. The rest is the next process's."""
        self.open()
        try:
            while True:
                try:
                    if not await self._claim_and_start():
                        await self._wait_for_work()
                except RetryLater as error:
                    _log.warning("The queue cannot be read; trying again.", pool=self._pool, trouble=error.log)
                    await self._clock.sleep(timedelta(seconds=1))
        finally:
            self.close()
            try:
                async with asyncio.timeout(PATIENCE.total_seconds()):
                    await self.rest()
            except TimeoutError:
                _log.info("Work in hand is left to the next process.", pool=self._pool, jobs=self._count_taken())
            finally:  # even when cancelled once more: then there is no patience left
                self._unbegun.clear()
                for task in self._running:
                    task.cancel()
                await asyncio.gather(*self._running, return_exceptions=True)

    async def drain(self) -> int:
        """Do all that is due now, and what comes of it, then return how many jobs were claimed. For tests."""
        done = 0
        while jobs := await self._claim(self._limit):
            done += len(jobs)
            await self.rest()
        self._takes = True
        await self.rest()
        return done

    async def rest(self) -> None:
        """Return when nothing is in hand."""
        while self._count_taken():
            await self._wait_for_an_end()

    # --- Jobs that are handed over

    def open(self) -> None:
        """Let jobs be handed over."""
        self._workbench.hand_to(self._pool, self)

    def close(self) -> None:
        """Let no more jobs be handed over, but those for which a place is kept."""
        self._workbench.hand_to(self._pool, None)

    def reserve(self) -> str | None:
        """Keep a place for a job that is being made, and return the token to claim it with; None: there is no place."""
        if not self._takes or self._count_taken() >= self._limit:
            return None
        self._reserved += 1
        return self._chance.token()

    def release(self) -> None:
        """Give a place back: the job was not made."""
        self._reserved -= 1
        self._ended.set()

    def take(self, job: Job) -> None:
        """Do *job*, which is claimed and on disk, in a place that was kept for it."""
        self._reserved -= 1
        self._begin_soon([job])

    # --- Jobs that are claimed

    def _count_taken(self) -> int:
        """Return how many places are taken."""
        return self._begun + len(self._unbegun) + self._reserved

    async def _wait_for_an_end(self) -> None:
        self._ended.clear()
        await self._ended.wait()

    async def _claim_and_start(self) -> int:
        if self._count_taken() >= self._limit:
            await self._wait_for_an_end()
            # Jobs that share a commit end together; those that follow them are then claimed together, too.
            await asyncio.sleep(0)
        most = min(self._limit - self._count_taken(), MOST_AT_ONCE)
        if most <= 0:  # it was handed another one meanwhile
            return 1
        self._reserved += most
        try:
            jobs = await self._claim(most)
        finally:
            self._reserved -= most
        self._takes = not jobs
        return len(jobs)

    async def _claim(self, most: int) -> Sequence[Job]:
        """Claim up to *most* jobs and have them begun: those that touch nothing outside at once, to share its commit."""
        if self._pool in INSIDE:
            return await self._workbench.claim(self._pool, most, begin=self._begin_soon)
        jobs = await self._workbench.claim(self._pool, most)
        self._begin_soon(jobs)
        return jobs

    def _begin_soon(self, jobs: Sequence[Job]) -> None:
        if jobs and not self._unbegun:
            asyncio.get_running_loop().call_soon(self._begin_some)
        self._unbegun.extend(jobs)

    def _begin_some(self) -> None:
        most = MOST_IN_A_TURN
        while most and self._unbegun:
            jobs = self._pick(self._unbegun, most)
            _ = self._begin(jobs)
            most -= len(jobs)
        if self._unbegun:
            asyncio.get_running_loop().call_soon(self._begin_some)

    def _pick(self, waiting: deque[Job], most: int) -> list[Job]:
        """Take off *waiting* what is done next: one job, or up to *most* of a kind that is done together."""
        jobs = [waiting.popleft()]
        if jobs[0].kind in self._joint_flows:
            while len(jobs) < most and waiting and waiting[0].kind is jobs[0].kind:
                jobs.append(waiting.popleft())
        return jobs

    def _begin(self, jobs: Sequence[Job]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._work_some(jobs), name=f"{jobs[0].kind} {jobs[0].id}")
        self._running[task] = len(jobs)
        self._begun += len(jobs)
        task.add_done_callback(self._end)
        return task

    def _end(self, task: asyncio.Task[None]) -> None:
        self._begun -= self._running.pop(task)
        self._ended.set()

    async def _wait_for_work(self) -> None:
        due_at = await self._workbench.next_due(self._pool)
        span = LONGEST_SLEEP if due_at is None else min(due_at - self._clock.now(), LONGEST_SLEEP)
        alarms = {
            asyncio.ensure_future(self._workbench.wait(self._pool)),
            asyncio.ensure_future(self._clock.sleep(span)),
        }
        try:
            await asyncio.wait(alarms, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for alarm in alarms:
                alarm.cancel()
            await asyncio.gather(*alarms, return_exceptions=True)

    async def _work_some(self, jobs: Sequence[Job]) -> None:
        if len(jobs) == 1:
            await self._work(jobs[0])
        elif not await self._work_together(jobs):
            await asyncio.wait([self._begin([job]) for job in jobs])

    async def _work_together(self, jobs: Sequence[Job]) -> bool:
        """Do *jobs*, of one kind, in one transaction; False if that failed, and none of them is done."""
        kind = jobs[0].kind
        began = self._clock.monotonic()
        try:
            await self._joint_flows[kind](jobs)
        except Exception as error:  # noqa: BLE001 - whatever it was, each job gets a try of its own, and tells
            if isinstance(error, TextbridgeError):
                drop_traces(error)
            _log.info("Jobs could not be done together; each is done alone.", kind=kind, jobs=len(jobs))
            return False
        seconds = self._clock.monotonic() - began
        done, spread = self._metrics.jobs.labels(kind, "done"), self._metrics.job_seconds.labels(kind)
        for _ in jobs:
            done.inc()
            spread.observe(seconds)
        return True

    async def _work(self, job: Job) -> None:
        began = self._clock.monotonic()
        outcome = "failed"
        try:
            outcome = await self._attempt(job)
        except LeaseLost:
            outcome = "lease_lost"
            _log.warning("A job was taken over; its result is not kept.", job=job.id, kind=job.kind)
        except RetryLater as error:
            # The result could not be written. The lease runs out by itself, and the job is then unsettled.
            outcome = "not_written"
            _log.warning("A job's result could not be written.", job=job.id, kind=job.kind, trouble=error.log)
        finally:
            self._metrics.jobs.labels(job.kind, outcome).inc()
            self._metrics.job_seconds.labels(job.kind).observe(self._clock.monotonic() - began)

    async def _attempt(self, job: Job) -> str:
        try:
            await self._call_flow(job)
        except NotStored as error:
            # The flow's call may have gone out before its result could not be stored.
            await self._retry(job, error, unsettled=True)
            return "not_stored"
        except Paced as error:
            await self._put_back(job, error)
            return "paced"
        except RetryLater as error:
            await self._retry(job, error, after=error.after)
            return "retry"
        except OutcomeUnknown as error:
            await self._retry(job, error, unsettled=True)
            return "unknown"
        except (Broken, Refused) as error:
            _log.error("A job cannot be done and is parked.", job=job.id, kind=job.kind, trouble=error.log)
            await self._workbench.park(job, trouble=error.log)
            return "parked"
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - a defect in one job must not stop the others
            if job.surprises + 1 >= MOST_SURPRISES:
                _log.error("A job failed too often and is parked.", error=error, job=job.id, kind=job.kind)
                await self._workbench.park(job, trouble=type(error).__name__)
                return "parked"
            _log.error(
                "A job failed; it will be tried again.", error=error, job=job.id, kind=job.kind, attempt=job.attempts
            )
            # It may have failed after its call went out: let the flow look before it calls again.
            await self._retry(job, TextbridgeError(type(error).__name__), unsettled=True, surprise=True)
            return "surprise"
        return "done"

    async def _call_flow(self, job: Job) -> None:
        try:
            await self._flows[job.kind](job)
        except TextbridgeError as error:
            drop_traces(error)
            raise

    async def _put_back(self, job: Job, error: Paced) -> None:
        due_at = self._clock.now() + (error.after or timedelta(0))
        _log.debug("A job waits for its turn.", job=job.id, kind=job.kind, trouble=error.log)
        await self._workbench.retry(
            job, due_at=due_at, unsettled=False, surprise=False, trouble=error.log, counted=False
        )

    async def _retry(
        self,
        job: Job,
        error: TextbridgeError,
        *,
        after: timedelta | None = None,
        unsettled: bool = False,
        surprise: bool = False,
    ) -> None:
        wait = choose_wait(job.attempts, self._chance.fraction())
        if after is not None and after > timedelta(0):  # `Retry-After: 0` must not make it run hot
            wait = after
        _log.info("A job waits to be tried again.", job=job.id, kind=job.kind, attempt=job.attempts, trouble=error.log)
        await self._workbench.retry(
            job, due_at=self._clock.now() + wait, unsettled=unsettled, surprise=surprise, trouble=error.log
        )
