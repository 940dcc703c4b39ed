"""
What platforms sent, byte for byte, and what we sent: kept for a while beside the messages, then thrown away.

An event that was read, and the bytes of a send that was settled, say nothing that the messages do not; but when a
message looks wrong, they say why. So they stay for KEEP_RAW: an event in the job that it came in, a send in `requests`.
What was parked stays as long as a person leaves it; what is not settled stays until it is.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.message import State
from storage.database import Database
from storage.facts import FactRows
from storage.moments import from_micros, to_micros
from storage.overwriting import throw_away
from storage.words import STATE_CODES

#: What went wrong over night, or on a day off, can be looked at in the morning. Twice as long as the carrier remembers
#: a send by its key, and no longer than RETENTION_DAYS at its shortest.
KEEP_RAW = timedelta(days=2)
#: Rows a transaction: whoever waits to write comes between two of them.
_STEP = 200
_EMPTIED_UNTIL = "raw_emptied_until"

_EMPTY_EVENTS = """
UPDATE jobs SET body = '' WHERE id IN (
    SELECT id FROM jobs WHERE status = 'done' AND finished_at >= ?1 AND finished_at < ?2 AND body <> '' LIMIT ?3)
RETURNING id"""
#: What was read of messages before they were themselves, and what Slack refused to show as it was: each says first when
#: that was, in seconds.
_FORGET_FACTS = """
DELETE FROM facts WHERE (name GLOB 'changed:*' OR name GLOB 'crossed:*' OR name GLOB 'deleted:*'
    OR name GLOB 'noted:*' OR name GLOB 'apart:*' OR name GLOB 'plain:*')
    AND CAST(value AS REAL) < ? RETURNING name"""
_SETTLED = ", ".join(str(STATE_CODES[state]) for state in (State.ACCEPTED, State.REFUSED, State.CANCELLED))
#: A schedule that the carrier holds may still be changed, for which its request is looked at.
_FORGET_REQUESTS = f"""
DELETE FROM requests WHERE message IN (
    SELECT r.message FROM requests r JOIN packed_messages m ON m.number = r.message
    WHERE r.created_at < ?1 AND r.attempted_at IS NULL AND m.state IN ({_SETTLED})
        AND NOT EXISTS (
            SELECT 1 FROM schedules s WHERE s.message = m.number AND s.state IN ('waiting', 'at_carrier', 'taking_back'))
    LIMIT ?2)
RETURNING message"""  # noqa: S608 - numbers


class RawUpkeep:
    """Throws away what is older than KEEP_RAW."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def sweep(self) -> int:
        """Throw away what is too old now, a step at a time; return of how many events and sends."""
        before = self._clock.now() - KEEP_RAW
        since = await self._find_emptied_until()
        if since > before:  # the clock was ahead then
            since = from_micros(0)
        gone = 0
        while step := await self._empty_step(since, before):
            gone += step
        async with self._database.write() as connection:
            await FactRows(connection).set_fact(_EMPTIED_UNTIL, str(to_micros(before)))
        while step := await self._forget_step(before):
            gone += step
        return gone + await throw_away(self._database, _FORGET_FACTS, before.timestamp())

    async def _find_emptied_until(self) -> datetime:
        """Return until when all was emptied: finished jobs stay for a month, and are not looked through every hour."""
        async with self._database.reading() as connection:
            found = await FactRows(connection).find_fact(_EMPTIED_UNTIL)
        return from_micros(int(found or 0))

    async def _empty_step(self, since: datetime, before: datetime) -> int:
        return await throw_away(self._database, _EMPTY_EVENTS, to_micros(since), to_micros(before), _STEP)

    async def _forget_step(self, before: datetime) -> int:
        return await throw_away(self._database, _FORGET_REQUESTS, to_micros(before), _STEP)
