"""
Where requests leave what came in: group commit.

A webhook is answered when its row is on disk, and an fsync costs the same for one row as for fifty. So rows collect while
the last commit runs, and go to disk together; each request waits for its own. A batch that fails is tried again row by
row, so that one bad row does not refuse its neighbours.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import aiosqlite

from bot.clock import Clock
from bot.domain.job import NewJob
from bot.errors import NotStored
from storage.database import Database
from storage.queue import INSERT, Bell, QueueRows, insert_parameters

#: The carrier gives up after two seconds and Slack after three; both try again when they are told to.
_PATIENCE_SECONDS = 1.5
#: The most rows of one commit: while they are written nothing else is answered.
_LARGEST_BATCH = 200

_NEWEST = "SELECT MAX(id) AS newest FROM jobs"
_IS_NOTED = "SELECT 1 FROM jobs WHERE key = ?"
_KNOWN = "SELECT key FROM jobs WHERE id <= ? AND key IN ({keys})"


class _Entry(NamedTuple):
    """A job on its way to disk. A tuple, for one is made for every answer."""

    job: NewJob
    stored: asyncio.Future[bool]
    since: float  #: On the loop's own clock.


class GroupedInbox:
    """`bot.ports.Inbox`. `run` must be running for `put` to return."""

    def __init__(
        self, database: Database, bell: Bell, clock: Clock, *, patience_seconds: float = _PATIENCE_SECONDS
    ) -> None:
        self._database = database
        self._bell = bell
        self._clock = clock
        self._patience = patience_seconds
        self._pending: list[_Entry] = []
        self._storing: list[_Entry] = []
        self._alarm: asyncio.TimerHandle | None = None  #: One for all: it rings when the oldest has waited too long.
        self._arrived = asyncio.Event()
        self._stopped = False

    async def put(self, job: NewJob) -> bool:
        """Return once *job* is on disk; False if it was there already. Raises NotStored if it could not be committed."""
        if self._stopped:
            raise _make_refusal()
        loop = asyncio.get_running_loop()
        entry = _Entry(job, loop.create_future(), loop.time())
        self._pending.append(entry)
        self._arrived.set()
        if self._alarm is None:
            self._alarm = loop.call_at(entry.since + self._patience, self._refuse_late)
        return await entry.stored

    async def note_once(self, key: str) -> bool:
        """Remember *key* on disk; False if it was known. Raises NotStored if it could not be committed."""
        async with self._database.write() as connection:
            return await QueueRows(connection, self._clock).note_once(key)

    async def is_noted(self, key: str) -> bool:
        """Tell whether *key* was remembered. Raises NotStored when the database cannot be read."""
        return bool(await self._database.read(_IS_NOTED, (key,)))

    def _refuse_late(self) -> None:
        """Refuse those who have waited too long. Theirs may yet be stored; the next try then finds its key taken."""
        self._alarm = None
        loop = asyncio.get_running_loop()
        for entry in (*self._storing, *self._pending):  # in the order in which they came
            if entry.stored.done():
                continue
            if entry.since + self._patience > loop.time():
                self._alarm = loop.call_at(entry.since + self._patience, self._refuse_late)
                return
            _settle(entry, NotStored("the database did not take it in time"))

    async def run(self) -> None:
        """Commit what has come, batch by batch, until cancelled; what is pending then is refused, to be sent again."""
        self._stopped = False
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                batch, self._pending = self._pending[:_LARGEST_BATCH], self._pending[_LARGEST_BATCH:]
                if self._pending:
                    self._arrived.set()
                if batch:
                    self._storing = batch
                    await self._store_batch(batch)
                    if self._database.rush is not None:
                        self._database.rush.count(len(batch), self._clock.monotonic())
        finally:
            self._stopped = True
            if self._alarm is not None:
                self._alarm.cancel()
                self._alarm = None
            # A commit under way may have happened; the sender tries again and finds the key taken.
            for entry in (*self._storing, *self._pending):
                _settle(entry, _make_refusal())
            self._storing, self._pending = [], []

    async def _store_batch(self, batch: list[_Entry]) -> None:
        try:
            await self._store(batch)
        except NotStored as error:
            # Locked or full is the file's trouble, not a row's: one by one, each would wait for the lock in vain.
            for entry in batch:
                _settle(entry, error)
        except Exception as error:  # noqa: BLE001 - whatever it was, each row gets a try of its own
            if len(batch) == 1:
                # Only the kind of error: the text of some quotes the row.
                _settle(batch[0], NotStored(f"cannot store: {type(error).__name__}"))
                return
            for entry in batch:
                await self._store_batch([entry])

    async def _store(self, batch: list[_Entry]) -> None:
        now = self._clock.now()
        jobs = [entry.job for entry in batch]
        added = [True] * len(jobs)

        def tell() -> None:
            """Have each answered; with the commit, and so a turn of the loop before this goes on."""
            for entry, is_new in zip(batch, added, strict=True):
                _settle(entry, is_new)
            self._bell.ring({job.pool for job in jobs})

        async with self._database.write(is_urgent=True, then=tell) as connection:
            rows = list(await connection.execute_fetchall(_NEWEST))
            changes = connection.total_changes
            await connection.executemany(INSERT, [insert_parameters(job, now) for job in jobs])
            if connection.total_changes - changes < len(jobs):
                added[:] = await _find_added(connection, [job.key for job in jobs], rows[0]["newest"] or 0)


async def _find_added(connection: aiosqlite.Connection, keys: list[str], newest: int) -> list[bool]:
    """Tell which of *keys* are new: in no row up to id *newest*, nor earlier among themselves."""
    sql = _KNOWN.format(keys=", ".join("?" for _ in keys))
    known = {row["key"] for row in await connection.execute_fetchall(sql, (newest, *keys))}
    added = []
    for key in keys:
        added.append(key not in known)
        known.add(key)
    return added


def _make_refusal() -> NotStored:
    return NotStored("stopping", person="Textbridge is restarting.")


def _settle(entry: _Entry, outcome: bool | Exception) -> None:  # noqa: FBT001 - what `put` returns
    if entry.stored.done():  # its request was cancelled meanwhile
        return
    if isinstance(outcome, Exception):
        entry.stored.set_exception(outcome)
    else:
        entry.stored.set_result(outcome)
