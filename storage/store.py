"""`bot.ports.Store` on SQLite: every repository, within one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiosqlite

from bot.clock import Clock
from bot.observe import Log
from storage.audit import AuditRows
from storage.consents import ConsentRows
from storage.contacts import ContactRows
from storage.conversations import ConversationRows
from storage.database import Database, Reading
from storage.deliveries import DeliveryRows
from storage.facts import FactRows
from storage.media import MediaRows
from storage.messages import MessageRows
from storage.names import Names
from storage.queue import Bell, QueueRows
from storage.recurrences import RecurrenceRows
from storage.schedules import ScheduleRows
from storage.transcript import RecordRows

_log = Log("store")


class StoreTransaction:
    """`bot.ports.Transaction` on one connection."""

    def __init__(self, connection: aiosqlite.Connection, clock: Clock, names: Names | None = None) -> None:
        names = names or Names(connection)
        self.conversations = ConversationRows(connection, names)
        self.messages = MessageRows(connection, names)
        self.deliveries = DeliveryRows(connection)
        self.consents = ConsentRows(connection)
        self.schedules = ScheduleRows(connection)
        self.recurrences = RecurrenceRows(connection)
        self.contacts = ContactRows(connection)
        self.facts = FactRows(connection)
        self.media = MediaRows(connection)
        self.audit = AuditRows(connection)
        self.record = RecordRows(connection)
        self.queue = QueueRows(connection, clock)


class SqliteStore:
    """Transactions on the database, and the bell that wakes workers after each."""

    def __init__(self, database: Database, bell: Bell, clock: Clock) -> None:
        self._database = database
        self._bell = bell
        self._clock = clock
        self._view = StoreTransaction(database.reader, clock)
        self._writing: StoreTransaction | None = None

    @asynccontextmanager
    async def transaction(self, name: str) -> AsyncIterator[StoreTransaction]:
        """Open a transaction that may write; see the port for what it promises."""
        rung: set[str] = set()
        try:
            async with self._database.write() as connection:
                yield self._open(connection, rung)
            _log.debug("Committed.", transaction=name)
        finally:
            # Even when cancelled: the commit may have happened, and a ring too many only wakes somebody for nothing.
            self._bell.ring(rung)

    def _open(self, connection: aiosqlite.Connection, rung: set[str]) -> StoreTransaction:
        # There is one that writes at a time, and but for the bells it keeps nothing: so one is enough.
        if self._writing is None:
            names = Names(connection, committed=self._database.reader)
            self._writing = StoreTransaction(connection, self._clock, names)
        self._writing.queue.rung = rung
        return self._writing

    def reading(self) -> Reading[StoreTransaction]:
        """Open a view of what is committed, for reading only; each query sees the newest."""
        return Reading(self._view)
