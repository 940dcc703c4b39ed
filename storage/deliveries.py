"""Requests to the carrier and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import aiosqlite

from bot.domain.delivery import Delivery, DeliveryStatus, merge
from bot.domain.ids import MessageId
from bot.domain.phone import Address
from bot.ports import CarrierRequest
from storage.moments import from_micros, from_micros_or_none, to_micros
from storage.rows import read_delivery

_ADD_REQUEST = "INSERT INTO requests (message_id, path, idempotency_key, body, created_at) VALUES (?, ?, ?, ?, ?)"
_FIND_REQUEST = "SELECT * FROM requests WHERE message_id = ?"
_FORGET_REQUEST = "DELETE FROM requests WHERE message_id = ? AND attempted_at IS NULL RETURNING message_id"
_OPEN_ATTEMPT = "UPDATE requests SET attempted_at = ?, attempts = attempts + 1 WHERE message_id = ?"
_CLOSE_ATTEMPT = "UPDATE requests SET attempted_at = NULL WHERE message_id = ?"
_OF_COPY = "SELECT * FROM deliveries WHERE message_id = ? AND recipient = ?"
_OF_MESSAGE = "SELECT * FROM deliveries WHERE message_id = ?"
_COUNT_OUTCOMES = """
SELECT date(m.created_at / 1000000, 'unixepoch') AS day, d.status, COUNT(*) AS copies
FROM conversations c
JOIN messages m ON m.conversation_id = c.id AND m.created_at >= ?1
JOIN deliveries d ON d.message_id = m.id
WHERE c.active_at >= ?1 AND m.direction = 'outbound' GROUP BY 1, 2
UNION ALL
SELECT date(m.created_at / 1000000, 'unixepoch'), 'sending_failed', COUNT(*)
FROM conversations c
JOIN messages m ON m.conversation_id = c.id AND m.created_at >= ?1
WHERE c.active_at >= ?1 AND m.state = 'refused' AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = m.id)
GROUP BY 1"""
_PUT = """
INSERT INTO deliveries (message_id, recipient, status, occurred_at, code, title, detail) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (message_id, recipient) DO UPDATE SET
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
            (request.message_id, request.path, request.idempotency_key, request.body, to_micros(request.created_at)),
        )

    async def count_outcomes(self, *, since: datetime) -> Sequence[tuple[date, DeliveryStatus, int]]:
        """Return how many copies of texts written from *since* on stand where, by day (UTC) and status."""
        rows = await self._connection.execute_fetchall(_COUNT_OUTCOMES, (to_micros(since),))
        return [(date.fromisoformat(row["day"]), DeliveryStatus(row["status"]), row["copies"]) for row in rows]

    async def find_request(self, message_id: MessageId) -> CarrierRequest | None:
        """Return the stored request of a message."""
        rows = list(await self._connection.execute_fetchall(_FIND_REQUEST, (message_id,)))
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
        return bool(list(await self._connection.execute_fetchall(_FORGET_REQUEST, (message_id,))))

    async def open_attempt(self, message_id: MessageId, now: datetime) -> None:
        """Record that from *now* on the request may have been made."""
        await self._connection.execute_fetchall(_OPEN_ATTEMPT, (to_micros(now), message_id))

    async def close_attempt(self, message_id: MessageId) -> None:
        """Record that the newest attempt's outcome is known."""
        await self._connection.execute_fetchall(_CLOSE_ATTEMPT, (message_id,))

    async def merge(self, message_id: MessageId, recipient: Address, reported: Delivery) -> Delivery:
        """Merge *reported* into what is known of that copy and return the result."""
        rows = list(await self._connection.execute_fetchall(_OF_COPY, (message_id, recipient)))
        known = read_delivery(rows[0]) if rows else None
        merged = merge(known, reported)
        if merged != known:
            await self._connection.execute_fetchall(
                _PUT,
                (
                    message_id,
                    recipient,
                    merged.status,
                    to_micros(merged.occurred_at),
                    merged.code,
                    merged.title,
                    merged.detail,
                ),
            )
        return merged

    async def of_message(self, message_id: MessageId) -> Mapping[Address, Delivery]:
        """Return what is known of each copy of a message."""
        rows = await self._connection.execute_fetchall(_OF_MESSAGE, (message_id,))
        return {Address(row["recipient"]): read_delivery(row) for row in rows}
