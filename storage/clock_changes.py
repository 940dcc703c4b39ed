"""
The machine's clock may be set, forth or back, while jobs wait for moments by it.

A lease that was good for another minute must not end at once, and a job that was to be tried again in a second must not wait
for the hour that the clock went back; nor may it be thought that the carrier still knows a key of yesterday. So whoever sees
that the clock jumped moves these moments along. What is due much later was meant by the time of day (a scheduled text, the
end of quiet hours) and stays where it is.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.clock import Clock
from bot.observe import Log
from storage.database import Database
from storage.facts import FactRows
from storage.moments import to_micros
from storage.queue import Bell

_log = Log("clock")

#: Less than this is the clock being kept right, bit by bit.
_JUMP = timedelta(seconds=2)
#: Jobs that were due by so soon after the jump waited for a span, not for a time of day.
_SOON = timedelta(seconds=90)
#: So long a reply may wait to be changed; of what else is a send it is asked again, when its turn comes, whether it is time.
_LONGEST_HOLD = timedelta(hours=1)
_SEEN = "clock_seen_at"
#: How often the time is written down, for the next process.
_NOTE_EVERY = timedelta(seconds=30)

_MOVE_LEASES = "UPDATE jobs SET lease_until = lease_until + ?1 WHERE status = 'running'"
_MOVE_JOBS = """
UPDATE jobs SET due_at = MAX(due_at + ?1, ?2)
WHERE status IN ('ready', 'waiting') AND due_at > ?2
    AND due_at <= CASE kind WHEN 'send_text' THEN ?4 ELSE ?3 END
RETURNING pool"""
_MOVE_ATTEMPTS = """
UPDATE jobs SET unsettled_at = unsettled_at + ?1
WHERE status IN ('ready', 'waiting', 'running') AND unsettled_at > ?2"""
#: Of sends whose outcome is not known: how long a receipt is waited for, and the key is good, are spans. Not when the clock
#: goes forth: the machine may have slept meanwhile, and the carrier not, which forgets the key.
_MOVE_REQUESTS = """
UPDATE requests SET attempted_at = attempted_at + ?1, created_at = created_at + ?1 WHERE attempted_at IS NOT NULL"""


class ClockChanges:
    """Sees the clock jump, and moves along what waits."""

    def __init__(self, database: Database, bell: Bell, clock: Clock) -> None:
        self._database = database
        self._bell = bell
        self._clock = clock
        self._seen: tuple[datetime, float] | None = None
        self._noted_at: float | None = None

    async def follow(self) -> timedelta:
        """Look at the clock, and return by how much it jumped since the last look; to be called every second or so."""
        now, elapsed = self._clock.now(), self._clock.monotonic()
        if self._seen is None:  # an earlier process may have written a later time down
            noted = await self._read_noted()
            jump = min(timedelta(0), now - noted) if noted is not None else timedelta(0)
        else:
            before, elapsed_before = self._seen
            jump = now - before - timedelta(seconds=elapsed - elapsed_before)
        self._seen = now, elapsed
        if abs(jump) > _JUMP:
            _log.warning("The clock was set.", by=f"{jump.total_seconds():+.1f} s")
            await self._move(jump, now)
        if abs(jump) > _JUMP or self._noted_at is None or elapsed - self._noted_at > _NOTE_EVERY.total_seconds():
            self._noted_at = elapsed
            async with self._database.write() as connection:
                await FactRows(connection).set_fact(_SEEN, now.isoformat())
        return jump if abs(jump) > _JUMP else timedelta(0)

    async def _read_noted(self) -> datetime | None:
        async with self._database.write() as connection:
            noted = await FactRows(connection).find_fact(_SEEN)
        return None if noted is None else datetime.fromisoformat(noted)

    async def _move(self, jump: timedelta, now: datetime) -> None:
        by, at = to_span(jump), to_micros(now)
        async with self._database.write() as connection:
            await connection.execute_fetchall(_MOVE_LEASES, (by,))
            if jump < timedelta(0):
                await connection.execute_fetchall(_MOVE_REQUESTS, (by,))
                soon, held = (at - by + to_span(span) for span in (_SOON, _LONGEST_HOLD))
                rows = list(await connection.execute_fetchall(_MOVE_JOBS, (by, at, soon, held)))
                await connection.execute_fetchall(_MOVE_ATTEMPTS, (by, at))
                pools = {row["pool"] for row in rows}
            else:
                pools = set()
        self._bell.ring(pools)


def to_span(span: timedelta) -> int:
    """Return *span* in whole microseconds."""
    return int(span.total_seconds() * 1_000_000)
