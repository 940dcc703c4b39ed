"""
Throwing away what is older than it may be kept: words and pictures go, what became of each text stays.

In small steps, each a transaction of its own; between two of them whoever waits to write comes first. A
text on its way, either way, is left until it has arrived. The evidence on opt-outs and the audit are not touched.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.ids import MediaId
from bot.observe import Log
from storage.database import Database
from storage.erasure import erase_message
from storage.moments import to_micros
from storage.overwriting import overwriting, throw_away
from storage.shelf import FileShelf

_log = Log("retention")

#: Texts a transaction.
_STEP = 100
#: One whose words a job still carries is left; its time comes when the job is done.
_OLD = """
SELECT m.number, m.id FROM messages m WHERE m.erased_at IS NULL AND m.created_at / 3600000000 <= ?1 / 3600000000
AND m.created_at < ?1 AND COALESCE(m.due_at, 0) < ?1 AND m.state NOT IN ('waiting', 'under_way')
AND NOT EXISTS (SELECT 1 FROM jobs WHERE status IN ('waiting', 'ready', 'running') AND key IN (
    'text:' || m.id || ':0', 'send:' || m.id || IIF(m.turn > 0, ':' || m.turn, ''), 'settle:' || m.id,
    'prepare:' || m.id, 'share:' || m.id, 'show:' || m.id))
ORDER BY m.created_at / 3600000000 LIMIT ?2"""
#: What repeats keeps its words as long as it does.
_ERASE_RECURRENCES = """
UPDATE recurrences SET text = '' WHERE id IN (SELECT r.id FROM recurrences r
    WHERE r.active = 0 AND r.text <> '' AND r.created_at < ?1 AND NOT EXISTS (
        SELECT 1 FROM schedules s WHERE s.recurrence_id = r.id AND s.state IN ('waiting', 'at_carrier', 'taking_back'))
    LIMIT ?2) RETURNING id"""
_FILES = "SELECT id FROM media WHERE message = ?"
#: Parked jobs hold what could not be read or done; nobody took them up in all that time.
_END_PARKED = """
UPDATE jobs SET status = 'done', body = '', finished_at = ?1, trouble = 'too old to be kept'
WHERE id IN (SELECT id FROM jobs WHERE status = 'parked' AND finished_at < ?2 LIMIT ?3) RETURNING id"""


class Retention:
    """Throws away what is older than *span*."""

    def __init__(self, database: Database, shelf: FileShelf, clock: Clock, span: timedelta) -> None:
        self._database = database
        self._shelf = shelf
        self._clock = clock
        self._span = span

    async def sweep(self) -> int:
        """Erase all that is too old now, a step at a time, and return of how many texts."""
        before = self._clock.now() - self._span
        texts = jobs = 0
        while step := await self._erase_step(before):
            texts += step
        while step := await throw_away(
            self._database, _END_PARKED, to_micros(self._clock.now()), to_micros(before), _STEP
        ):
            jobs += step
        while await throw_away(self._database, _ERASE_RECURRENCES, to_micros(before), _STEP):
            pass
        if texts or jobs:
            _log.info("What is older than RETENTION_DAYS was erased.", texts=texts, parked_jobs=jobs)
        return texts

    async def _erase_step(self, before: datetime) -> int:
        files: list[MediaId] = []
        async with self._database.write() as connection, overwriting(connection):
            rows = list(await connection.execute_fetchall(_OLD, (to_micros(before), _STEP)))
            for row in rows:
                found = await connection.execute_fetchall(_FILES, (row["number"],))
                files += [MediaId(file["id"]) for file in found]
                await erase_message(connection, row["number"], row["id"], self._clock)
        await self._shelf.remove(files)
        return len(rows)
