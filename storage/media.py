"""The files of all texts: what is known of each. Their bytes are on the shelf."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import aiosqlite

from bot.domain.ids import ChannelId, FileId, MediaId, MessageId, SlackTs
from bot.domain.media import Loss, Media, MediaState
from storage.moments import from_micros, from_micros_or_none, to_micros
from storage.packing import pack_id, unpack_id

_NUMBER = "(SELECT number FROM packed_messages WHERE id = ?)"
_ADD = f"""
INSERT INTO media (id, message, position, source, state, created_at, name, content_type, size, sha256, address)
VALUES (?, {_NUMBER}, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""  # noqa: S608 - constants
_SELECT = "SELECT f.*, m.id AS message_id FROM packed_messages m JOIN media f ON f.message = m.number"
_GET = f"{_SELECT} WHERE f.id = ?"
_OF_MESSAGE = f"{_SELECT} WHERE m.id = ? ORDER BY f.position"
_REMOVE = "DELETE FROM media WHERE id = ?"
_FIND_TWINS = """
SELECT f.*, m.id AS message_id
FROM packed_messages mine JOIN packed_messages m ON m.conversation = mine.conversation JOIN media f ON f.message = m.number
WHERE mine.id = ?1 AND f.source = ?2 AND f.id <> ?3 AND f.filename IS NOT NULL ORDER BY f.created_at DESC LIMIT 10"""
_FIND_SERVED = f"{_SELECT} WHERE f.token = ?"

#: What of a file may change, and so may stand in an UPDATE.
_CHANGEABLE = frozenset(
    {
        "message_id",
        "state",
        "content_type",
        "size",
        "sha256",
        "filename",
        "loss",
        "file_id",
        "uploads",
        "began_at",
        "channel_id",
        "thread_ts",
        "completed_at",
        "slack_ts",
        "token",
        "expires_at",
        "keep_until",
        "address",
    }
)


class MediaRows:
    """`bot.ports.media.MediaItems` on SQLite."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def add(self, media: Media) -> None:
        """Store *media*."""
        await self._connection.execute_fetchall(
            _ADD,
            (
                media.id,
                pack_id(media.message_id),
                media.position,
                media.source,
                media.state,
                to_micros(media.created_at),
                media.name,
                media.content_type,
                media.size,
                media.sha256,
                media.address,
            ),
        )

    async def get(self, media_id: MediaId) -> Media:
        """Return the file; KeyError if there is none."""
        rows = list(await self._connection.execute_fetchall(_GET, (media_id,)))
        if not rows:
            raise KeyError(media_id)
        return _read_media(rows[0])

    async def of_message(self, message_id: MessageId) -> Sequence[Media]:
        """Return the files of a text, in their order."""
        return [
            _read_media(row) for row in await self._connection.execute_fetchall(_OF_MESSAGE, (pack_id(message_id),))
        ]

    async def find_twins(self, media: Media) -> Sequence[Media]:
        """Return the same file of other texts to the same conversation, as far as it was ever had, newest first."""
        parameters = (pack_id(media.message_id), media.source, media.id)
        return [_read_media(row) for row in await self._connection.execute_fetchall(_FIND_TWINS, parameters)]

    async def find_by_token(self, token: str) -> Media | None:
        """Return the file that the carrier was told to fetch under *token*."""
        rows = list(await self._connection.execute_fetchall(_FIND_SERVED, (token,)))
        return _read_media(rows[0]) if rows else None

    async def update(self, media_id: MediaId, **changes: object) -> None:
        """Set fields of the file by their names; where it came from stays."""
        unknown = changes.keys() - _CHANGEABLE
        if unknown:
            msg = f"these fields of a file never change: {', '.join(sorted(unknown))}"
            raise ValueError(msg)
        if not changes:
            return
        values = dict(changes)
        # Names checked above, values bound.
        settings = ", ".join(f"message = {_NUMBER}" if name == "message_id" else f"{name} = ?" for name in values)
        if "message_id" in values:
            values["message_id"] = pack_id(str(values["message_id"]))
        await self._connection.execute_fetchall(
            f"UPDATE media SET {settings} WHERE id = ?",  # noqa: S608 - constants
            (*(_to_column(value) for value in values.values()), media_id),
        )

    async def remove(self, media_id: MediaId) -> None:
        """Forget the file: it no longer goes with its text."""
        await self._connection.execute_fetchall(_REMOVE, (media_id,))


def _to_column(value: object) -> object:
    if isinstance(value, datetime):
        return to_micros(value)
    if isinstance(value, StrEnum):
        return value.value
    return value


def _read_media(row: sqlite3.Row) -> Media:
    return Media(
        id=MediaId(row["id"]),
        message_id=MessageId(unpack_id(row["message_id"])),
        position=row["position"],
        source=row["source"],
        state=MediaState(row["state"]),
        created_at=from_micros(row["created_at"]),
        name=row["name"],
        content_type=row["content_type"],
        size=row["size"],
        sha256=row["sha256"],
        filename=row["filename"],
        loss=None if row["loss"] is None else Loss(row["loss"]),
        file_id=None if row["file_id"] is None else FileId(row["file_id"]),
        uploads=row["uploads"],
        began_at=from_micros_or_none(row["began_at"]),
        channel_id=None if row["channel_id"] is None else ChannelId(row["channel_id"]),
        thread_ts=None if row["thread_ts"] is None else SlackTs(row["thread_ts"]),
        completed_at=from_micros_or_none(row["completed_at"]),
        slack_ts=None if row["slack_ts"] is None else SlackTs(row["slack_ts"]),
        token=row["token"],
        expires_at=from_micros_or_none(row["expires_at"]),
        keep_until=from_micros_or_none(row["keep_until"]),
        address=row["address"],
    )
