"""`bot.ports.Store` on SQLite: every repository, within one transaction."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType

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
from storage.handing import Handover, Takers
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

    def __init__(
        self, connection: aiosqlite.Connection, clock: Clock, names: Names | None = None, takers: Takers | None = None
    ) -> None:
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
        self.queue = QueueRows(connection, clock, takers)


class _Transacting(AbstractAsyncContextManager[StoreTransaction]):
    """One transaction, and what is done when it is on disk: workers are woken, and given what it made for them."""

    __slots__ = ("_bell", "_handover", "_name", "_open", "_rung", "_writing")

    def __init__(
        self, database: Database, bell: Bell, open_on: Callable[[aiosqlite.Connection], StoreTransaction], name: str
    ) -> None:
        self._bell = bell
        self._open = open_on
        self._name = name
        self._rung: set[str] = set()
        self._handover = Handover()
        self._writing = database.write(then=self._handover.pass_on)

    async def __aenter__(self) -> StoreTransaction:
        """Open it."""
        found = self._open(await self._writing.__aenter__())
        found.queue.rung, found.queue.handover = self._rung, self._handover
        return found

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Commit or roll back."""
        try:
            await self._writing.__aexit__(kind, error, traceback)
            _log.debug("Committed.", transaction=self._name)
        finally:
            self._handover.give_up()  # nothing is left to give up after a commit
            # Even when cancelled: the commit may have happened, and a ring too many only wakes somebody for nothing.
            self._bell.ring(self._rung)


class SqliteStore:
    """Transactions on the database, and the bell that wakes workers after each."""

    def __init__(self, database: Database, bell: Bell, clock: Clock) -> None:
        self._database = database
        self._bell = bell
        self._clock = clock
        self._view = StoreTransaction(database.reader, clock)
        self._writing: StoreTransaction | None = None

    def transaction(self, name: str) -> AbstractAsyncContextManager[StoreTransaction]:
        """Open a transaction that may write; see the port for what it promises."""
        return _Transacting(self._database, self._bell, self._open, name)

    def _open(self, connection: aiosqlite.Connection) -> StoreTransaction:
        # There is one that writes at a time, and but for what is to be done after it, it keeps nothing: so one is enough.
        if self._writing is None:
            names = Names(connection, committed=self._database.reader)
            self._writing = StoreTransaction(connection, self._clock, names, self._bell.takers)
        return self._writing

    def reading(self) -> Reading[StoreTransaction]:
        """Open a view of what is committed, for reading only; each query sees the newest."""
        return Reading(self._view, self._database)
