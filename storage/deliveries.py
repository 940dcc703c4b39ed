"""Requests to the carrier and what became of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import aiosqlite

from bot.domain.delivery import Delivery, DeliveryStatus, merge
from bot.domain.ids import MessageId
from bot.domain.message import Direction, State
from bot.domain.phone import Address
from bot.ports import CarrierRequest
from storage.connection import NearConnection, change
from storage.moments import from_micros, from_micros_or_none, to_micros
from storage.packing import pack_id
from storage.rows import SELECT_DELIVERY, read_delivery
from storage.words import DIRECTION_CODES, STATE_CODES, STATUS_CODES, STATUSES

_NUMBER = "(SELECT number FROM packed_messages WHERE id = ?1)"
#: NULL for a number would give the request to whichever message comes next.
_ADD_REQUEST = f"""
INSERT INTO requests (message, path, idempotency_key, body, created_at, attempted_at, attempts)
VALUES (COALESCE({_NUMBER}, -1), ?2, ?3, ?4, ?5, ?6, ?7)"""  # noqa: S608 - constants
_FIND_REQUEST = f"SELECT * FROM requests WHERE message = {_NUMBER}"  # noqa: S608 - constants
_FORGET_REQUEST = f"DELETE FROM requests WHERE message = {_NUMBER} AND attempted_at IS NULL"  # noqa: S608 - constants
_OPEN_ATTEMPT = f"UPDATE requests SET attempted_at = ?2, attempts = attempts + 1 WHERE message = {_NUMBER}"  # noqa: S608 - constants
_CLOSE_ATTEMPT = f"UPDATE requests SET attempted_at = NULL, attempts = 0 WHERE message = {_NUMBER}"  # noqa: S608 - constants
#: What is known of a copy, after how the file calls it.
_OF_COPY = """
SELECT m.number, IIF(?2 = c.theirs, 0, ?2), d.status, d.occurred_at, d.code, d.title, d.detail, ?2
FROM packed_messages m JOIN packed_conversations c ON c.number = m.conversation
LEFT JOIN packed_deliveries d ON d.message = m.number AND d.recipient = IIF(?2 = c.theirs, 0, ?2) WHERE m.id = ?1"""
_OF_MESSAGE = f"{SELECT_DELIVERY} WHERE m.id = ?"
#: The status by its number. CROSS: in this order, by the index of what was active lately.
_COUNT_OUTCOMES = f"""
SELECT date(m.created_at / 1000000, 'unixepoch') AS day, d.status, COUNT(*) AS copies
FROM packed_conversations c
CROSS JOIN packed_messages m ON m.conversation = c.number AND m.created_at >= ?1
CROSS JOIN packed_deliveries d ON d.message = m.number
WHERE c.active_at >= ?1 AND m.direction = {DIRECTION_CODES[Direction.OUTBOUND]} GROUP BY 1, 2
UNION ALL
SELECT date(m.created_at / 1000000, 'unixepoch'), {STATUS_CODES[DeliveryStatus.SENDING_FAILED]}, COUNT(*)
FROM packed_conversations c
CROSS JOIN packed_messages m ON m.conversation = c.number AND m.created_at >= ?1
WHERE c.active_at >= ?1 AND m.state = {STATE_CODES[State.REFUSED]}
    AND NOT EXISTS (SELECT 1 FROM packed_deliveries d WHERE d.message = m.number)
GROUP BY 1"""  # noqa: S608 - constants
_PUT = """
INSERT INTO packed_deliveries (message, recipient, status, occurred_at, code, title, detail)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (message, recipient) DO UPDATE SET
    status = excluded.status, occurred_at = excluded.occurred_at,
    code = excluded.code, title = excluded.title, detail = excluded.detail"""


class DeliveryRows:
    """`bot.ports.Deliveries` on SQLite."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def add_request(self, request: CarrierRequest) -> None:
        """Store *request* before it is first made."""
        await self._connection.execute_fetchall(
            _ADD_REQUEST,
            (
                pack_id(request.message_id),
                request.path,
                request.idempotency_key,
                request.body,
                to_micros(request.created_at),
                None if request.attempted_at is None else to_micros(request.attempted_at),
                request.attempts,
            ),
        )

    async def count_outcomes(self, *, since: datetime) -> Sequence[tuple[date, DeliveryStatus, int]]:
        """Return how many copies of texts written from *since* on stand where, by day (UTC) and status."""
        parameters = (to_micros(since),)
        if isinstance(self._connection, NearConnection):  # it reads many rows, if none in vain
            rows: Iterable[sqlite3.Row] = await self._connection.scan(_COUNT_OUTCOMES, parameters)
        else:
            rows = await self._connection.execute_fetchall(_COUNT_OUTCOMES, parameters)
        return [(date.fromisoformat(row["day"]), STATUSES[row["status"]], row["copies"]) for row in rows]

    async def find_request(self, message_id: MessageId) -> CarrierRequest | None:
        """Return the stored request of a message."""
        rows = list(await self._connection.execute_fetchall(_FIND_REQUEST, (pack_id(message_id),)))
        if not rows:
            return None
        row = rows[0]
        return CarrierRequest(
            message_id=message_id,
            path=row["path"],
            idempotency_key=row["idempotency_key"],
            body=bytes(row["body"]),
            created_at=from_micros(row["created_at"]),
            attempted_at=from_micros_or_none(row["attempted_at"]),
            attempts=row["attempts"],
        )

    async def forget_request(self, message_id: MessageId) -> bool:
        """Remove the stored request of a message; False, and nothing done, if it may have been made or there is none."""
        return bool(await change(self._connection, _FORGET_REQUEST, (pack_id(message_id),)))

    async def open_attempt(self, message_id: MessageId, now: datetime) -> None:
        """Record that from *now* on the request may have been made."""
        await self._connection.execute_fetchall(_OPEN_ATTEMPT, (pack_id(message_id), to_micros(now)))

    async def close_attempt(self, message_id: MessageId) -> None:
        """Record that the newest attempt's outcome is known, and with it that of those before."""
        await self._connection.execute_fetchall(_CLOSE_ATTEMPT, (pack_id(message_id),))

    async def merge(self, message_id: MessageId, recipient: Address, reported: Delivery) -> Delivery:
        """Merge *reported* into what is known of that copy and return the result."""
        rows = list(await self._connection.execute_fetchall(_OF_COPY, (pack_id(message_id), recipient)))
        if not rows:
            raise KeyError(message_id)
        number, packed, *found = rows[0]
        known = None if found[0] is None else read_delivery(found)[1]
        merged = merge(known, reported)
        if merged != known:
            await self._connection.execute_fetchall(
                _PUT,
                (
                    number,
                    packed,
                    STATUS_CODES[merged.status],
                    to_micros(merged.occurred_at),
                    merged.code,
                    merged.title,
                    merged.detail,
                ),
            )
        return merged

    async def of_message(self, message_id: MessageId) -> Mapping[Address, Delivery]:
        """Return what is known of each copy of a message."""
        rows = await self._connection.execute_fetchall(_OF_MESSAGE, (pack_id(message_id),))
        return dict(read_delivery(row) for row in rows)
