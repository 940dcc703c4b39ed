"""
The durable queue. Its rules are drawn in `bot.domain.job`; its invariants are indices of the schema.

A lane has at most one job that is ready or running: its head. Whoever takes a head away (finish, park, drop) promotes the
oldest that waits, in the same transaction; whoever adds a job to a lane that has a head makes it wait.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import aiosqlite

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.ids import JobId
from bot.domain.job import LEASE, Job, Kind, NewJob, Pool, QueuedJob, Status
from bot.errors import LeaseLost
from storage.connection import change, insert
from storage.database import Database
from storage.handing import Handover, Takers
from storage.moments import from_micros, to_micros
from storage.rush import FEW, LOOKS, PAUSE

if TYPE_CHECKING:  # the ports bring half of what we know with them, for which no answer waits
    from bot.ports import Taker

#: (kind, pool, key, lane, body, due, created)
INSERT = """
INSERT INTO jobs (kind, pool, key, lane, status, body, due_at, created_at)
VALUES (?1, ?2, ?3, ?4,
    CASE WHEN ?4 IS NOT NULL AND EXISTS (SELECT 1 FROM jobs WHERE lane = ?4 AND status IN ('ready', 'running'))
        THEN 'waiting' ELSE 'ready' END,
    ?5, ?6, ?7)
ON CONFLICT (key) DO NOTHING"""
_INSERT_RETURNING = INSERT + " RETURNING status"
#: Nothing where the key is known or the lane has a head: (kind, pool, key, lane, body, now, token, end of the lease).
_INSERT_CLAIMED = """
INSERT INTO jobs (kind, pool, key, lane, status, body, due_at, created_at, started_at, attempts, token, lease_until)
VALUES (?1, ?2, ?3, ?4, 'running', ?5, ?6, ?6, ?6, 1, ?7, ?8)
ON CONFLICT DO NOTHING"""
_NOTE = """
INSERT INTO jobs (kind, pool, key, status, body, due_at, created_at, finished_at)
VALUES ('noted', 'chore', ?1, 'done', '', ?2, ?2, ?2) ON CONFLICT (key) DO NOTHING"""
_IS_ANY_DUE = "SELECT 1 FROM jobs WHERE pool = ? AND status = 'ready' AND due_at <= ? LIMIT 1"
_DUE = "SELECT * FROM jobs WHERE pool = ? AND status = 'ready' AND due_at <= ? ORDER BY due_at, id LIMIT ?"
#: (token, end of the lease, now, id)
_CLAIM = """
UPDATE jobs SET status = 'running', token = ?1, lease_until = ?2, started_at = ?3, attempts = attempts + 1
WHERE id = ?4"""
_IS_ANY_WAITING = "SELECT 1 FROM jobs WHERE lane = ? AND status = 'waiting' LIMIT 1"
#: (now, id, token). What platforms sent stays for a while: see storage/raw.py.
_FINISH = """
UPDATE jobs SET status = 'done', body = CASE WHEN kind IN ('carrier_event', 'slack_event') THEN body ELSE '' END,
    token = NULL, lease_until = NULL, finished_at = ?1, trouble = NULL
WHERE id = ?2 AND token = ?3 AND status = 'running'"""
#: (now, id, token, trouble)
_PARK = """
UPDATE jobs SET status = 'parked', token = NULL, lease_until = NULL, finished_at = ?1, trouble = ?4
WHERE id = ?2 AND token = ?3 AND status = 'running'"""
_RETRY = """
UPDATE jobs SET status = 'ready', token = NULL, lease_until = NULL, due_at = ?1, surprises = surprises + ?2, trouble = ?3,
    attempts = attempts - ?7, unsettled_at = CASE WHEN ?4 THEN COALESCE(unsettled_at, started_at) ELSE unsettled_at END
WHERE id = ?5 AND token = ?6 AND status = 'running'"""
_PROMOTE = """
UPDATE jobs SET status = 'ready'
WHERE id = (SELECT MIN(id) FROM jobs WHERE lane = ?1 AND status = 'waiting')
    AND NOT EXISTS (SELECT 1 FROM jobs WHERE lane = ?1 AND status IN ('ready', 'running'))
RETURNING pool"""
_SWEEP = """
UPDATE jobs SET status = 'ready', token = NULL, lease_until = NULL, unsettled_at = COALESCE(unsettled_at, started_at),
    trouble = 'its worker vanished'
WHERE status = 'running' AND (?1 OR lease_until < ?2) RETURNING pool"""
_HASTEN = "UPDATE jobs SET due_at = ?1 WHERE key = ?2 AND status IN ('ready', 'waiting') RETURNING pool"
_DROP = """
UPDATE jobs SET status = 'done', body = '', finished_at = ?1, trouble = 'dropped'
WHERE key = ?2 AND status IN ('ready', 'waiting') RETURNING lane"""
#: Two questions, for each has an index of its own; asked as one, every job ever finished would be read.
_IS_BUSY = """
SELECT 1 FROM jobs WHERE lane = ?1 AND status IN ('ready', 'running') UNION ALL
SELECT 1 FROM jobs WHERE lane = ?1 AND status = 'waiting' LIMIT 1"""
_BODY = "SELECT body FROM jobs WHERE key = ? AND body <> ''"
_WAITING = "SELECT kind, key, body FROM jobs WHERE lane = ? AND status = 'waiting' ORDER BY id LIMIT ?"
_COUNT_WAITING = "SELECT COUNT(*) AS jobs FROM jobs WHERE lane = ? AND status = 'waiting'"
#: What runs is found among the leases, of which there are never many: they all end after 0.
_IS_POOL_BUSY = """
SELECT 1 FROM jobs WHERE pool = ?1 AND status = 'ready' UNION ALL
SELECT 1 FROM jobs WHERE pool = ?1 AND status = 'running' AND lease_until > 0 LIMIT 1"""
_NEXT_DUE = "SELECT MIN(due_at) AS due_at FROM jobs WHERE pool = ? AND status = 'ready'"
_AGAIN = """
UPDATE jobs SET attempts = 0, surprises = 0, due_at = ?1,
    status = CASE WHEN lane IS NOT NULL
        AND EXISTS (SELECT 1 FROM jobs h WHERE h.lane = jobs.lane AND h.status IN ('ready', 'running'))
        THEN 'waiting' ELSE 'ready' END
WHERE id = ?2 AND status = 'parked' RETURNING pool"""
_SET_ASIDE = """
UPDATE jobs SET status = 'parked', finished_at = ?1, trouble = 'parked by hand'
WHERE id = ?2 AND status IN ('ready', 'waiting') RETURNING lane"""

_LEASE_MICROS = LEASE // timedelta(microseconds=1)


class Bell:
    """Rings when a job of a pool may have become ready, and knows who takes one without being rung for."""

    def __init__(self) -> None:
        self.takers = Takers()
        self._events = {pool: asyncio.Event() for pool in Pool}

    def ring(self, pools: Iterable[str]) -> None:
        """Wake whoever waits for one of *pools*."""
        for pool in pools:
            self._events[Pool(pool)].set()

    async def wait(self, pool: Pool) -> None:
        """Return at the next ring for *pool*, or at once if it rang since the last wait."""
        await self._events[pool].wait()
        self._events[pool].clear()


class QueueRows:
    """
    `bot.ports.Queue` on SQLite, within one transaction.

    *rung* collects the pools to wake after the commit, *handover* what is begun then by one of the *takers*; without these
    every job waits to be claimed.
    """

    def __init__(self, connection: aiosqlite.Connection, clock: Clock, takers: Takers | None = None) -> None:
        self._connection = connection
        self._clock = clock
        self._takers = takers
        self.rung: set[str] = set()
        self.handover = Handover()

    async def enqueue(self, job: NewJob, *, in_hand: object = None) -> bool:
        """Enqueue *job*; False, and nothing done, if its key was ever enqueued before."""
        now = self._clock.now()
        if self._takers is not None and (job.due_at is None or job.due_at <= now):
            taker = self._takers.find_taker(job.pool)
            if taker is not None and await self._enqueue_claimed(job, taker, now, in_hand):
                return True
        for row in await self._connection.execute_fetchall(_INSERT_RETURNING, insert_parameters(job, now)):
            if row["status"] == Status.READY:
                self.rung.add(job.pool)
            return True
        return False

    async def _enqueue_claimed(self, job: NewJob, taker: Taker, now: datetime, in_hand: object) -> bool:
        """Enqueue *job* claimed, for *taker* to begin after the commit; False where it, the lane or the key is taken."""
        token = taker.reserve()
        if token is None:
            return False
        is_handed = False
        try:
            micros = to_micros(now)
            values = (job.kind, job.pool, job.key, job.lane, job.body, micros, token, micros + _LEASE_MICROS)
            job_id = await insert(self._connection, _INSERT_CLAIMED, values)
            if job_id is not None:
                claimed = Job(
                    id=JobId(job_id),
                    kind=job.kind,
                    pool=job.pool,
                    key=job.key,
                    body=job.body,
                    lane=job.lane,
                    attempts=1,
                    surprises=0,
                    unsettled=False,
                    created_at=now,
                    started_at=now,
                    token=token,
                    in_hand=in_hand,
                )
                self.handover.add(taker, claimed)
                is_handed = True
        finally:
            if not is_handed:
                taker.release()
        return is_handed

    async def finish(self, job: Job) -> None:
        """Finish *job* in this transaction; raises LeaseLost if the claim is no longer ours."""
        await self._take_away(_FINISH, job.id, job.token, job.lane)

    async def park(self, job: Job, trouble: str) -> None:
        """Give *job* up; raises LeaseLost if the claim is no longer ours."""
        await self._take_away(_PARK, job.id, job.token, job.lane, trouble)

    async def park_unknown(self, job_id: int, token: str, lane: str | None) -> None:
        """Give up a claimed job of a kind that this program does not know."""
        await self._take_away(_PARK, job_id, token, lane, "its kind is not known here")

    async def _take_away(self, sql: str, job_id: int, token: str, lane: str | None, *more: object) -> None:
        now = to_micros(self._clock.now())
        if not await change(self._connection, sql, (now, job_id, token, *more)):
            msg = f"job {job_id} is no longer ours"
            raise LeaseLost(msg)
        await self._promote(lane)

    async def _promote(self, lane: str | None) -> None:
        # Mostly nobody waits, and an UPDATE that changes nothing takes four times as long as a look.
        if lane is not None and list(await self._connection.execute_fetchall(_IS_ANY_WAITING, (lane,))):
            self.rung.update(row["pool"] for row in await self._connection.execute_fetchall(_PROMOTE, (lane,)))

    async def hasten(self, key: str, due_at: datetime) -> bool:
        """Change when an unfinished, unclaimed job is due; False if there is no such job."""
        rows = list(await self._connection.execute_fetchall(_HASTEN, (to_micros(due_at), key)))
        self.rung.update(row["pool"] for row in rows)
        return bool(rows)

    async def drop(self, key: str) -> bool:
        """Finish an unfinished job that nobody has claimed, undone; False if there is no such job."""
        rows = list(await self._connection.execute_fetchall(_DROP, (to_micros(self._clock.now()), key)))
        for row in rows:
            await self._promote(row["lane"])
        return bool(rows)

    async def note_once(self, key: str) -> bool:
        """Remember *key* for good; False if it was known: then this has been done already."""
        return bool(await change(self._connection, _NOTE, (key, to_micros(self._clock.now()))))

    async def find_body(self, key: str) -> str | None:
        """Return what a job came with, done or not; None where that is not kept, or no longer."""
        rows = list(await self._connection.execute_fetchall(_BODY, (key,)))
        return str(rows[0]["body"]) if rows else None

    async def is_busy(self, lane: str) -> bool:
        """Tell whether the lane holds an unfinished job."""
        return bool(list(await self._connection.execute_fetchall(_IS_BUSY, (lane,))))

    async def list_waiting(self, lane: str, limit: int) -> Sequence[QueuedJob]:
        """Return what waits behind the head of the lane, in order."""
        rows = await self._connection.execute_fetchall(_WAITING, (lane, limit))
        return [QueuedJob(kind=row["kind"], key=row["key"], body=row["body"]) for row in rows]

    async def count_waiting(self, lane: str) -> int:
        """Return how many wait behind the head of the lane."""
        return int(next(iter(await self._connection.execute_fetchall(_COUNT_WAITING, (lane,))))["jobs"])

    async def is_pool_busy(self, pool: Pool) -> bool:
        """Tell whether any job of *pool* is unfinished; one that waits has its lane's head before it."""
        return bool(list(await self._connection.execute_fetchall(_IS_POOL_BUSY, (pool,))))

    async def try_again(self, job_id: int) -> bool:
        """Bring a parked job back, by a person's word; False if it is not parked."""
        rows = list(await self._connection.execute_fetchall(_AGAIN, (to_micros(self._clock.now()), job_id)))
        self.rung.update(row["pool"] for row in rows)
        return bool(rows)

    async def set_aside(self, job_id: int) -> bool:
        """Park a job that nobody has claimed, by a person's word; False if there is no such job."""
        rows = list(await self._connection.execute_fetchall(_SET_ASIDE, (to_micros(self._clock.now()), job_id)))
        for row in rows:
            await self._promote(row["lane"])
        return bool(rows)


def insert_parameters(job: NewJob, now: datetime) -> tuple[object, ...]:
    """Return the parameters of INSERT for *job*."""
    created_at = to_micros(now)
    due_at = created_at if job.due_at is None else to_micros(job.due_at)
    # Plain text, for sqlite3 takes as long to make it of a member of an enum as for all the rest of a row.
    return (str(job.kind), str(job.pool), job.key, job.lane, job.body, due_at, created_at)


class WorkbenchRows:
    """`bot.ports.Workbench` on SQLite."""

    def __init__(self, database: Database, bell: Bell, clock: Clock, chance: Chance) -> None:
        self._database = database
        self._bell = bell
        self._clock = clock
        self._chance = chance

    async def claim(
        self, pool: Pool, limit: int, *, begin: Callable[[Sequence[Job]], None] | None = None
    ) -> Sequence[Job]:
        """Claim up to *limit* due jobs of *pool*, oldest first, each with a lease and a token; fewer, later, in a rush."""
        if await self._outlasts_us():
            limit = min(limit, FEW)
        now = self._clock.now()
        async with self._database.reading() as view:
            if not list(await view.execute_fetchall(_IS_ANY_DUE, (pool, to_micros(now)))):
                return []  # without a commit for nothing
        token = self._chance.token()
        async with self._database.write() as connection:
            rows = list(await connection.execute_fetchall(_DUE, (pool, to_micros(now), limit)))
            lease_until = to_micros(now + LEASE)
            await connection.executemany(_CLAIM, [(token, lease_until, to_micros(now), row["id"]) for row in rows])
            jobs = []
            for row in rows:
                try:
                    jobs.append(_read_claimed(row, token, now))
                except ValueError:  # left by a newer program: kept for it, and in nobody's way
                    await QueueRows(connection, self._clock).park_unknown(row["id"], token, row["lane"])
            jobs.sort(key=lambda job: job.id)
            if begin is not None:  # here, so that what they write may share this commit
                begin(jobs)
        return jobs

    async def _outlasts_us(self) -> bool:
        """Wait for a rush to be over, some looks long; tell whether there is one still."""
        rush = self._database.rush
        for _ in range(LOOKS):
            if rush is None or not rush.is_on(self._clock.monotonic()):
                return False
            await self._clock.sleep(PAUSE)
        return rush is not None and rush.is_on(self._clock.monotonic())

    async def retry(
        self, job: Job, *, due_at: datetime, unsettled: bool, surprise: bool, trouble: str, counted: bool = True
    ) -> None:
        """Give the claim back, to be taken up again; *unsettled* if the work may have been done, *counted* as an attempt."""
        async with self._database.write() as connection:
            changed = await change(
                connection,
                _RETRY,
                (to_micros(due_at), int(surprise), trouble, int(unsettled), job.id, job.token, int(not counted)),
            )
            if not changed:
                msg = f"job {job.id} is no longer ours"
                raise LeaseLost(msg)
        self._bell.ring([job.pool])

    async def park(self, job: Job, *, trouble: str) -> None:
        """Give the job up and keep it for a person; the next of its lane comes up."""
        async with self._database.write() as connection:
            queue = QueueRows(connection, self._clock)
            await queue.park(job, trouble)
        self._bell.ring(queue.rung)

    async def sweep(self, *, everything: bool) -> int:
        """Take back claims whose lease ran out (*everything*: all claims, when no other worker can be alive)."""
        async with self._database.write() as connection:
            rows = list(await connection.execute_fetchall(_SWEEP, (int(everything), to_micros(self._clock.now()))))
        self._bell.ring({row["pool"] for row in rows})
        return len(rows)

    async def next_due(self, pool: Pool) -> datetime | None:
        """Return when the soonest ready job of *pool* is due."""
        async with self._database.reading() as view:
            rows = list(await view.execute_fetchall(_NEXT_DUE, (pool,)))
        return None if rows[0]["due_at"] is None else from_micros(rows[0]["due_at"])

    def hand_to(self, pool: Pool, taker: Taker | None) -> None:
        """Have new jobs of *pool* offered to *taker* by the transactions that make them; None: to nobody any more."""
        self._bell.takers.set_taker(pool, taker)

    async def wait(self, pool: Pool) -> None:
        """Return when a job of *pool* may have become ready."""
        await self._bell.wait(pool)


def _read_claimed(row: sqlite3.Row, token: str, now: datetime) -> Job:
    """Return the job of a whole row as it is once it is claimed with *token*."""
    return Job(
        id=JobId(row["id"]),
        kind=Kind(row["kind"]),
        pool=Pool(row["pool"]),
        key=row["key"],
        body=row["body"],
        lane=row["lane"],
        attempts=row["attempts"] + 1,
        surprises=row["surprises"],
        unsettled=row["unsettled_at"] is not None,
        created_at=from_micros(row["created_at"]),
        started_at=now if row["unsettled_at"] is None else from_micros(row["unsettled_at"]),
        token=token,
    )
