"""
The database file: one connection that writes, one that reads, and the one discipline that both obey.

- One lock around every write, `BEGIN IMMEDIATE` always: a deferred transaction that reads and then writes fails at once
  with SQLITE_BUSY_SNAPSHOT, whatever the time-out.
- `BEGIN` stands inside the `try`. What goes to the connection's thread runs there in the order it was asked for, so the
  rollback of a cancelled transaction comes after whatever of it still runs. See `storage.connection` for what does not.
- Flushing costs the same for one transaction as for ten, so those who come together share a commit: the first begins, and
  the commit goes to the end of the line; whoever had its turn before that did its work in a savepoint of its own, sees
  what those before it did, and waits for the commit as well. If that fails, it has failed for all of them.
- Commit and rollback are run to their end even when the task is cancelled, and the lock is held until then. A cancelled
  task may therefore have committed: callers must not take CancelledError for "nothing happened".
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from bot.errors import Broken, NotStored
from storage.checkpoints import LAST_RESORT_PAGES, Checkpoints
from storage.connection import BEGIN, NearConnection
from storage.migrate import migrate
from storage.rush import Rush
from storage.whereabouts import Whereabouts

T = TypeVar("T")

#: How long SQLite itself waits for another process (a backup, the `queue` command) that holds the file.
BUSY_MILLISECONDS = 500
#: How many turns of the loop a commit leaves to those whose answers are just coming in, so that they may share it.
_TURNS = 4
#: How many of those who waited for a commit go on in one turn of the loop: a request that comes meanwhile waits for it.
_WOKEN_TOGETHER = 16

_WRITER = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}",
    "PRAGMA temp_store = MEMORY",
    f"PRAGMA wal_autocheckpoint = {LAST_RESORT_PAGES}",
)
#: A step may rebuild tables of years: nothing of the old ones stays in the file's free pages, where an erasure would not
#: find it; and what is sorted need not fit into memory.
_MIGRATOR = ("PRAGMA secure_delete = ON", "PRAGMA temp_store = DEFAULT", "PRAGMA cache_size = -65536")
#: What is wrong with where the file is, and not with a step; SQLite's codes tell more in their higher bytes.
_OF_THE_PLACE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
}
_PRIMARY = 0xFF
#: What is wrong with what is in the file.
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
#: What a statement of ours is to blame for, and no file.
_OURS = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError, sqlite3.NotSupportedError)
_PERSON = "Textbridge cannot write to its database just now. Nothing was sent."
#: How much of a file's size is free while its tables are rebuilt, at least.
_ROOM = 1.5
#: How often a step is told to break off, in seconds: one that hears it between two statements goes on.
_INTERRUPT_EVERY = 0.05
_READER = (
    "PRAGMA query_only = ON",
    f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}",
)


async def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Await *work* to its end even if this task is cancelled meanwhile; the cancellation is raised afterwards."""
    task = asyncio.ensure_future(work)  # noqa: TID251 - held and awaited right here
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancelled = error
        except Exception:  # noqa: BLE001 - raised again by result() below
            break
    if cancelled is not None:
        raise cancelled
    return task.result()


class _Commit:
    """A commit that several wait for."""

    def __init__(self, explain: Callable[[BaseException], NotStored | None]) -> None:
        self._explain = explain
        self.is_urgent = False  #: Somebody outside waits for it: it leaves nobody time to join.
        self.then: list[Callable[[], None]] = []  #: Called once it is on disk.
        self._waiters: list[asyncio.Future[None]] | None = []  #: None: it has ended.
        self._error: BaseException | None = None

    def settle(self, error: BaseException | None) -> None:
        """Tell all who wait that it is on disk, or why it is not."""
        waiters, self._waiters = self._waiters, None
        self._error = error
        if error is None:
            for call in self.then:
                call()
        self._wake(waiters or [])

    def _wake(self, waiters: list[asyncio.Future[None]]) -> None:
        """Wake a few in this turn of the loop and the others in the next: between turns, requests are taken in."""
        for waiter in waiters[:_WOKEN_TOGETHER]:
            if not waiter.done():  # its task was cancelled
                waiter.set_result(None)
        if len(waiters) > _WOKEN_TOGETHER:
            asyncio.get_running_loop().call_soon(self._wake, waiters[_WOKEN_TOGETHER:])

    @property
    def is_open(self) -> bool:
        """Tell whether it is still to come."""
        return self._waiters is not None

    async def wait(self, *, is_urgent: bool = False) -> None:
        """
        Return when it is on disk, cancelled or not; raise, to each a new exception, if it could not be.

        *is_urgent*: go on before all others.
        """
        cancelled: asyncio.CancelledError | None = None
        while self._waiters is not None:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.insert(0 if is_urgent else len(self._waiters), waiter)
            try:
                await waiter
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled
        if isinstance(self._error, NotStored):
            raise NotStored(self._error.log, person=self._error.person) from self._error
        if self._error is not None:
            explained = self._explain(self._error)
            raise explained or NotStored(f"the commit failed: {type(self._error).__name__}") from self._error


class _Writing(AbstractAsyncContextManager[aiosqlite.Connection]):
    """One write transaction, alone or joined to a commit that is still to come."""

    __slots__ = ("_begun", "_database", "_is_urgent", "_then")

    def __init__(self, database: Database, *, is_urgent: bool, then: Callable[[], None] | None) -> None:
        self._database = database
        self._is_urgent = is_urgent
        self._then = then
        self._begun: _Commit | None = None

    async def __aenter__(self) -> aiosqlite.Connection:
        """Wait for the lock, and begin or join."""
        connection, self._begun = await self._database.begin()
        return connection

    async def __aexit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        """Wait for the commit; take back what was done if the block failed."""
        if error is None:
            await self._database.end(self._begun, is_urgent=self._is_urgent, then=self._then)
            return
        await self._database.give_up(self._begun)
        explained = self._database.explain(error)
        if explained is not None:
            raise explained from error


class Reading(AbstractAsyncContextManager[T]):
    """Lends what reads, and says in our words when SQLite cannot."""

    def __init__(self, lent: T, database: Database) -> None:
        self._lent = lent
        self._database = database

    async def __aenter__(self) -> T:
        """Lend it."""
        return self._lent

    async def __aexit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        """Raise NotStored for what SQLite raised."""
        explained = None if error is None else self._database.explain(error)
        if explained is not None:
            raise explained from error


class Database:
    """An open database file. Make it with `open_database`. Without a *rush*, work never gives way to answers."""

    def __init__(
        self, path: Path, writer: aiosqlite.Connection, reader: aiosqlite.Connection, *, rush: Rush | None = None
    ) -> None:
        self.path = path
        self.reader = reader
        self.rush = rush
        self._writer = writer
        self._lock = asyncio.Lock()
        self._open_commit: _Commit | None = None
        self._committing: asyncio.Task[None] | None = None
        self._checkpoints = Checkpoints(path)
        self._whereabouts = Whereabouts(path)
        self._damage: str | None = None  #: What to do, since SQLite found the file damaged, if it did.

    def write(
        self, *, is_urgent: bool = False, then: Callable[[], None] | None = None
    ) -> AbstractAsyncContextManager[aiosqlite.Connection]:
        """
        Open a write transaction: committed and on disk when the block ends, rolled back on any exception.

        *is_urgent*: the commit begins at once, and runs while the next requests are read. *then* is called as soon as it is
        on disk, even if whoever wrote was cancelled meanwhile, and never if it is not; it must not raise.

        Raises NotStored when SQLite cannot: locked, full, read-only, failing.
        """
        return _Writing(self, is_urgent=is_urgent, then=then)

    async def begin(self) -> tuple[aiosqlite.Connection, _Commit | None]:
        """Wait for the lock; return what writes, and the commit that was joined, None where there was none."""
        await self._lock.acquire()
        begun = self._open_commit
        try:
            await self._writer.execute_fetchall(BEGIN if begun is None else "SAVEPOINT joined")
        except BaseException as error:
            await self.give_up(begun)
            explained = self.explain(error)
            if explained is not None:
                raise explained from error
            raise
        return self._writer, begun

    async def end(self, begun: _Commit | None, *, is_urgent: bool, then: Callable[[], None] | None) -> None:
        """Let the next one write, and return when what was written since `begin` is on disk."""
        if begun is not None:
            try:
                await self._writer.execute_fetchall("RELEASE joined")
            except BaseException as error:
                await self.give_up(begun)
                explained = self.explain(error)
                if explained is not None:
                    raise explained from error
                raise
        commit = self._open_one() if begun is None else begun
        commit.is_urgent |= is_urgent
        if then is not None:
            commit.then.append(then)
        self._lock.release()
        await commit.wait(is_urgent=is_urgent)

    async def give_up(self, begun: _Commit | None) -> None:
        """Take back what was written since `begin`, and only that, and let the next one write."""
        try:
            await run_to_end(self._roll_back() if begun is None else self._take_back(begun))
        finally:
            self._lock.release()

    def _open_one(self) -> _Commit:
        commit = self._open_commit = _Commit(self.explain)
        self._committing = asyncio.ensure_future(self._commit_in_turn(commit))  # noqa: TID251 - `close` awaits it
        self._committing.add_done_callback(partial(self._end_commit, commit))
        return commit

    async def _commit_in_turn(self, commit: _Commit) -> None:
        """Commit once all who wait for the lock by now have joined; the lock is given out in the order of asking."""
        for _ in range(_TURNS):
            if commit.is_urgent:
                break
            await asyncio.sleep(0)  # noqa: TID251 - no time passes
        async with self._lock:
            if self._open_commit is commit:
                self._open_commit = None
                try:
                    self._check_file()
                    await self._writer.commit()
                except BaseException:
                    await self._roll_back()
                    raise
                commit.settle(None)
                begin_anew = self._checkpoints.notice_commit()
                if begin_anew is not None and isinstance(self._writer, NearConnection):
                    await self._writer.restart_log(begin_anew)

    def _check_file(self) -> None:
        """Raise NotStored if what is committed now would be in no file that the next start opens, or in a damaged one."""
        trouble = self._whereabouts.find_trouble() or self._damage
        if trouble is not None:
            raise NotStored(trouble, person=_PERSON)

    def _end_commit(self, commit: _Commit, task: asyncio.Task[None]) -> None:
        """
        Tell all who wait for *commit* why it is not coming, if it is not.

        A callback, for whoever cancels all tasks at once may cancel one that has not begun: no line of it ever runs, and
        those who wait for it wait whether they are cancelled or not.
        """
        if self._open_commit is commit:
            self._open_commit = None  # nobody may join it; the next BEGIN finds what it left, and rolls it back
        if commit.is_open:
            commit.settle(asyncio.CancelledError() if task.cancelled() else task.exception())

    async def _take_back(self, commit: _Commit) -> None:
        """Take back what one who joined has done, and only that."""
        try:
            await self._writer.execute_fetchall("ROLLBACK TO joined")
            await self._writer.execute_fetchall("RELEASE joined")
        except sqlite3.OperationalError as error:
            # SQLite has rolled back all of it (disk full, I/O error): nobody's part is left.
            await self._roll_back()
            self._open_commit = None
            commit.settle(error)

    async def _roll_back(self) -> None:
        try:
            await self._writer.execute_fetchall("ROLLBACK")
        except sqlite3.OperationalError as error:
            # Nothing was begun, or SQLite has already rolled back by itself (disk full): both are what was wanted.
            if "no transaction is active" not in str(error):
                raise

    async def read(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        """Return the rows of a query on what is committed."""
        async with self.reading() as connection:
            if isinstance(connection, NearConnection):
                return await connection.scan(sql, parameters)
            return list(await connection.execute_fetchall(sql, parameters))

    def reading(self) -> Reading[aiosqlite.Connection]:
        """Lend the connection that reads, for queries on what is committed. Raises NotStored when SQLite cannot."""
        return Reading(self.reader, self)

    def explain(self, error: BaseException) -> NotStored | None:
        """Return in our words what SQLite could not do; None where *error* is of another kind."""
        if not isinstance(error, sqlite3.DatabaseError) or isinstance(error, _OURS):
            return None
        if getattr(error, "sqlite_errorcode", 0) & _PRIMARY in _DAMAGED:
            self._damage = f"the database is damaged, put a backup in its place: {error}"
            return NotStored(self._damage, person=_PERSON)
        return NotStored(f"the database refuses: {error}", person=_PERSON)

    async def close(self) -> None:
        """Close both connections; an open one would keep its thread, and with it the process, alive."""
        await run_to_end(self._close())

    async def _close(self) -> None:
        if self._committing is not None:  # of somebody who was cancelled and did not wait
            await asyncio.wait([self._committing])
        await asyncio.to_thread(self._checkpoints.close)
        await _close(self.reader, self._writer)


async def open_database(path: Path) -> Database:
    """
    Open the database at *path*, made and migrated if need be.

    Raises Broken when a newer program owns the file, or it cannot be brought up to date where it is; OSError or
    sqlite3.Error when it cannot be opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    await _bring_up_to_date(path)
    writer = await NearConnection(path)
    reader: aiosqlite.Connection | None = None
    try:
        writer.row_factory = sqlite3.Row
        for pragma in _WRITER:
            await writer.execute_fetchall(pragma)
        reader = await NearConnection(path)
        reader.row_factory = sqlite3.Row
        for pragma in _READER:
            await reader.execute_fetchall(pragma)
    except BaseException:
        await run_to_end(_close(*(connection for connection in (reader, writer) if connection is not None)))
        raise
    return Database(path, writer, reader, rush=Rush())


async def _close(*connections: aiosqlite.Connection) -> None:
    """Close each, whatever becomes of the others: one piece of work, so that a cancellation cannot come between."""
    async with AsyncExitStack() as stack:
        for connection in connections:
            stack.push_async_callback(connection.close)


async def _bring_up_to_date(path: Path) -> None:
    """Migrate the file at *path*, on a thread. A cancellation breaks off the step under way, and waits until it is undone."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    work = asyncio.ensure_future(asyncio.to_thread(_migrate, connection, path))  # noqa: TID251 - awaited right here
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            with suppress(sqlite3.ProgrammingError):  # it is closed already
                connection.interrupt()
            await asyncio.wait((work,), timeout=_INTERRUPT_EVERY)
        if not work.cancelled():
            work.exception()  # that it was interrupted
        raise


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    try:
        for pragma in (*_WRITER, *_MIGRATOR):
            connection.execute(pragma)
        migrate(connection)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & _PRIMARY not in _OF_THE_PLACE:
            raise
        room = max(1, round(_ROOM * path.stat().st_size / 1_000_000))
        need = f" About {room} MB must be free." if error.sqlite_errorcode == sqlite3.SQLITE_FULL else ""
        raise Broken(
            f"The database {path} could not be brought up to date, and is as it was: {error}.{need}"
        ) from error
    finally:
        connection.close()
