"""
A database as years of use leave it, made directly, and what it costs to use one.

The second is measured in a process of its own: `python -m benchmarks.big_file DATABASE` prints it as JSON.

Its ids and times are made as the bridge, the carrier and Slack make theirs, and packed as the bridge packs them, over the
four hundred days before today; its texts have sixty letters. Half of them went out, each with its receipt. What is kept
for a time only is not in it: raw requests, finished jobs.
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
from uuid import uuid4

from benchmarks.bodies import CHANNEL, OURS
from bot.chance import SystemChance
from bot.clock import SystemClock
from bot.domain.conversation import Parties
from bot.domain.ids import CarrierMessageId, ChannelId, SlackTs
from bot.domain.job import Kind, NewJob, Pool
from bot.domain.phone import Address
from storage.database import open_database
from storage.inbox import GroupedInbox
from storage.migrate import migrate
from storage.moments import from_micros, to_micros
from storage.packing import pack_carrier_id, pack_id, pack_ts
from storage.queue import Bell
from storage.rows import SELECT_CONVERSATION, SELECT_MESSAGE
from storage.store import SqliteStore

#: Messages of each conversation.
EACH = 10
#: How many look-ups of a kind, and commits, are timed, and how many rows a commit has.
_LOOKUPS, _COMMITS, _ROWS = 2_000, 600, 32

_SPAN = timedelta(days=400)
_AUTHOR = "U0ALICE0000"

_NAMES = "INSERT INTO names (number, name) VALUES (1, ?), (2, ?)"
#: ?1 how many, ?2 ours, ?3 when, ?4 microseconds from one to the next.
_CONVERSATIONS = """
INSERT INTO packed_conversations (id, ours, theirs, channel, thread_ts, root, created_at, active_at)
WITH RECURSIVE series (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n + 1 < ?1)
SELECT made_id(?3 + n * ?4), ?2, '+1415' || printf('%07d', n * 7919 % 10000000), 1, made_ts(?3 + n * ?4), 1, ?3 + n * ?4,
    ?3 + n * ?4 * 10
FROM series"""
_THREADS = """
INSERT INTO packed_threads (channel, thread_ts, conversation) SELECT channel, thread_ts, number FROM packed_conversations"""
#: ?1 how many, ?2 conversations, ?3 when, ?4 microseconds from one to the next. A customer's in turn with an answer.
_MESSAGES = """
INSERT INTO packed_messages (id, conversation, direction, origin, state, text, author, sender, channel, slack_ts, carrier_id,
    created_at, mark_shown)
WITH RECURSIVE series (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n + 1 < ?1)
SELECT made_id(?3 + n * ?4), n % ?2 + 1, n % 2, n % 2, n % 2,
    substr('It is ready and can be picked up today until six, thank you. ', 1, 52) || printf('%08d', n),
    CASE n % 2 WHEN 1 THEN 2 END, CASE n % 2 WHEN 0 THEN 0 END, 1, made_ts(?3 + n * ?4), made_carrier_id(), ?3 + n * ?4,
    CASE n % 2 WHEN 1 THEN 0 END
FROM series"""
_DELIVERIES = """
INSERT INTO packed_deliveries (message, recipient, status, occurred_at)
SELECT number, 0, 0, created_at + 2000000 FROM packed_messages WHERE direction = 1"""

# What the store asks, word for word.
_BY_PARTIES = f"{SELECT_CONVERSATION} WHERE c.ours = ? AND c.theirs = ?"
_BY_THREAD = f"""
{SELECT_CONVERSATION} JOIN packed_threads t ON t.conversation = c.number
WHERE t.channel = (SELECT number FROM names WHERE name = ?) AND t.thread_ts = ?"""  # noqa: S608 - constants
_BY_CARRIER_ID = f"{SELECT_MESSAGE} WHERE m.carrier_id = ?"


def build_big_file(path: Path, messages: int) -> float:
    """Make a database of *messages* at *path*, and return how many bytes it takes for each."""
    began = to_micros(datetime.now(UTC) - _SPAN)
    step = to_micros(datetime.now(UTC)) // messages - began // messages
    chance = SystemChance()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection)
        empty = _measure_size(connection)
        for name, places, make in (
            ("made_id", 1, lambda at: pack_id(chance.ordered(from_micros(at)))),
            ("made_ts", 1, lambda at: pack_ts(f"{at // 1_000_000}.{at % 1_000_000:06}")),
            ("made_carrier_id", 0, lambda: pack_carrier_id(str(uuid4()))),
        ):
            connection.create_function(name, places, make)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -2000000", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        connection.execute(_NAMES, (CHANNEL, _AUTHOR))
        connection.execute(_CONVERSATIONS, (messages // EACH, OURS, began, step))
        connection.execute(_THREADS)
        connection.execute(_MESSAGES, (messages, messages // EACH, began, step))
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
            "SELECT theirs, channel_id, thread_ts FROM conversations WHERE number % 7 = 3 LIMIT ?", (_LOOKUPS,)
        ).fetchall()
        carrier_ids = connection.execute(
            "SELECT carrier_id FROM messages WHERE number % 11 = 5 LIMIT ?", (_LOOKUPS,)
        ).fetchall()
        if not pairs:
            return found
        database = await open_database(path)
        try:
            store = SqliteStore(database, Bell(), SystemClock())
            for name, sql, keys, pack in (
                ("parties", _BY_PARTIES, [(OURS, theirs) for theirs, _, _ in pairs], str),
                ("thread", _BY_THREAD, [(channel, ts) for _, channel, ts in pairs], pack_ts),
                ("carrier id", _BY_CARRIER_ID, carrier_ids, pack_carrier_id),
            ):
                ours, theirs = [], []
                for key in keys:
                    packed = (*key[:-1], pack(key[-1]))
                    began = time.perf_counter()
                    connection.execute(sql, packed).fetchone()
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
