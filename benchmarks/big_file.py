"""
A database as years of use leave it, made directly, and what it costs to use one.

The second is measured in a process of its own: `python -m benchmarks.big_file DATABASE` prints it as JSON.

Its ids are random, as the bridge's and the carrier's are, so that its indices are as scattered; its texts have sixty
letters. Half of them went out, each with its receipt. What is kept for a time only is not in it: raw requests, finished
jobs.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.bodies import CHANNEL, OURS
from bot.clock import SystemClock
from bot.domain.conversation import Parties
from bot.domain.ids import CarrierMessageId, ChannelId, SlackTs
from bot.domain.job import Kind, NewJob, Pool
from bot.domain.phone import Address
from storage.database import open_database
from storage.inbox import GroupedInbox
from storage.migrate import migrate
from storage.queue import Bell
from storage.store import SqliteStore

#: Messages of each conversation.
EACH = 10
#: How many look-ups of a kind, and commits, are timed, and how many rows a commit has.
_LOOKUPS, _COMMITS, _ROWS = 2_000, 600, 32

_STAND_INS = """
CREATE TEMP TABLE ids AS
WITH RECURSIVE series (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n + 1 < ?1)
SELECT n, lower(hex(randomblob(16))) AS id FROM series"""
_CONVERSATIONS = """
INSERT INTO conversations (id, ours, theirs, channel_id, thread_ts, root, created_at, active_at)
SELECT id, ?1, '+1415' || printf('%07d', 5000000 + n), ?2, printf('%d.%06d', 1600000000 + n, n % 1000000), 1, ?3, ?3 + n
FROM ids"""
_THREADS = "INSERT INTO threads SELECT channel_id, thread_ts, id FROM conversations"
#: ?1 how many, ?2 conversations, ?3 channel, ?4 when.
_MESSAGES = """
INSERT INTO messages (id, conversation_id, direction, origin, state, text, author, sender, channel_id, slack_ts, carrier_id,
    created_at, mark_shown)
WITH RECURSIVE series (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n + 1 < ?1)
SELECT lower(hex(randomblob(16))), ids.id,
    CASE m.n % 2 WHEN 0 THEN 'inbound' ELSE 'outbound' END,
    CASE m.n % 2 WHEN 0 THEN 'phone' ELSE 'thread' END,
    CASE m.n % 2 WHEN 0 THEN 'received' ELSE 'accepted' END,
    substr('It is ready and can be picked up today until six, thank you. ', 1, 52) || printf('%08d', m.n),
    CASE m.n % 2 WHEN 0 THEN NULL ELSE 'U0ALICE000' END,
    CASE m.n % 2 WHEN 0 THEN '+14155550101' ELSE '+13125550100' END,
    ?3, printf('%d.%06d', 1650000000 + m.n / 1000, m.n % 1000000),
    substr(r, 1, 8) || '-' || substr(r, 9, 4) || '-4' || substr(r, 14, 3) || '-8' || substr(r, 18, 3) || '-' || substr(r, 21),
    ?4 + m.n * 1000, CASE m.n % 2 WHEN 0 THEN NULL ELSE 'white_check_mark' END
FROM (SELECT n, lower(hex(randomblob(16))) AS r, n % ?2 AS c FROM series) m CROSS JOIN ids ON ids.rowid = m.c + 1"""
_DELIVERIES = """
INSERT INTO deliveries (message_id, recipient, status, occurred_at)
SELECT id, '+14155550101', 'delivered', created_at FROM messages WHERE direction = 'outbound'"""

_BY_PARTIES = "SELECT * FROM conversations WHERE ours = ? AND theirs = ?"
_BY_THREAD = """
SELECT c.* FROM threads t JOIN conversations c ON c.id = t.conversation_id WHERE t.channel_id = ? AND t.thread_ts = ?"""
_BY_CARRIER_ID = "SELECT * FROM messages WHERE carrier_id = ?"


def build_big_file(path: Path, messages: int) -> float:
    """Make a database of *messages* at *path*, and return how many bytes it takes for each."""
    now = int(datetime.now(UTC).timestamp() * 1e6) - 400 * 86_400 * 1_000_000
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection)
        empty = _measure_size(connection)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -2000000", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        connection.execute(_STAND_INS, (messages // EACH,))
        connection.execute(_CONVERSATIONS, (OURS, CHANNEL, now))
        connection.execute(_THREADS)
        connection.execute(_MESSAGES, (messages, messages // EACH, CHANNEL, now))
        connection.execute(_DELIVERIES)
        connection.execute("COMMIT")
        size = _measure_size(connection)
        connection.execute("PRAGMA journal_mode = WAL")
    return (size - empty) / messages


def _measure_size(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _percentile(spans: list[float], percent: float) -> float:
    return sorted(spans)[min(len(spans) - 1, int(len(spans) * percent / 100))] * 1e6


async def _time_lookups(path: Path) -> dict[str, float]:
    """Return the median microseconds of each look-up: by the store, and by sqlite3 alone."""
    found: dict[str, float] = {}
    with closing(sqlite3.connect(path)) as connection:
        pairs = connection.execute(
            "SELECT theirs, channel_id, thread_ts FROM conversations WHERE rowid % 7 = 3 LIMIT ?", (_LOOKUPS,)
        ).fetchall()
        carrier_ids = connection.execute(
            "SELECT carrier_id FROM messages WHERE rowid % 11 = 5 LIMIT ?", (_LOOKUPS,)
        ).fetchall()
        if not pairs:
            return found
        database = await open_database(path)
        try:
            store = SqliteStore(database, Bell(), SystemClock())
            for name, sql, keys in (
                ("parties", _BY_PARTIES, [(OURS, theirs) for theirs, _, _ in pairs]),
                ("thread", _BY_THREAD, [(channel, ts) for _, channel, ts in pairs]),
                ("carrier id", _BY_CARRIER_ID, carrier_ids),
            ):
                ours, theirs = [], []
                for key in keys:
                    began = time.perf_counter()
                    connection.execute(sql, key).fetchone()
                    theirs.append(time.perf_counter() - began)
                    began = time.perf_counter()
                    async with store.reading() as view:
                        if name == "parties":
                            await view.conversations.find(Parties(ours=Address(key[0]), theirs=(Address(key[1]),)))
                        elif name == "thread":
                            await view.conversations.find_by_thread(ChannelId(key[0]), SlackTs(key[1]))
                        else:
                            await view.messages.find_by_carrier_id(CarrierMessageId(key[0]))
                    ours.append(time.perf_counter() - began)
                found[f"lookup {name}"] = _percentile(ours, 50)
                found[f"lookup {name} raw"] = _percentile(theirs, 50)
        finally:
            await database.close()
    return found


async def _time_commits(path: Path) -> dict[str, float]:
    """Return the microseconds of commits of the inbox, and how long its log became, in megabytes."""
    database = await open_database(path)
    inbox = GroupedInbox(database, Bell(), SystemClock())
    running = asyncio.create_task(inbox.run())
    spans: list[float] = []
    longest = 0
    log = path.with_name(path.name + "-wal")
    stamp = time.time_ns()
    try:
        for commit in range(_COMMITS):
            jobs = [
                NewJob(
                    kind=Kind.CARRIER_EVENT,
                    pool=Pool.CARRIER_IN,
                    key=f"telnyx:{stamp}{commit:06}{row:03}-4000-8000-000000000000",
                    lane=f"inbound:+1415{commit:07}{row:03}",
                    body="x" * 1_400,
                    due_at=datetime.now(UTC) + timedelta(days=1),
                )
                for row in range(_ROWS)
            ]
            began = time.perf_counter()
            await asyncio.gather(*(inbox.put(job) for job in jobs))
            spans.append(time.perf_counter() - began)
            longest = max(longest, log.stat().st_size)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await database.close()
    return {"commit p50": _percentile(spans, 50), "commit p99": _percentile(spans, 99), "log": longest / 1e6}


async def _measure(path: Path) -> dict[str, Any]:
    return await _time_commits(path) | await _time_lookups(path)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(Path(sys.argv[1])))))
