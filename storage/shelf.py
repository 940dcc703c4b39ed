"""
Our own copies of pictures and files: one file each, in a folder beside the database, named by its random id.

Files and not BLOBs: a picture is written once, read once or twice and thrown away, and as a BLOB each of its megabytes
would pass through the write-ahead log, with every commit of a text waiting behind it. A row says that a copy is there
only after the copy is whole and on disk; what is there without a row is the rest of a crash, and swept.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.ids import MediaId
from bot.errors import NotStored
from bot.observe import Log
from storage.database import Database
from storage.moments import to_micros

_log = Log("shelf")

#: What nobody knows is left alone for so long: it may be on its way in.
ORPHANS_AFTER = timedelta(hours=6)
_DRAFT = ".part"
_FORGETTABLE = "SELECT id FROM media WHERE keep_until < ? LIMIT 500"
_FORGET = "UPDATE media SET keep_until = NULL, expires_at = NULL, token = NULL WHERE id IN ({marks}) AND keep_until < ?"
_KNOWN = "SELECT id FROM media WHERE id IN ({marks})"


class _FileSink:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    async def write(self, chunk: bytes) -> None:
        try:
            await asyncio.to_thread(self._file.write, chunk)
        except OSError as error:
            raise _explain(error) from error


class FileShelf:
    """`bot.ports.media.Shelf` on a folder."""

    def __init__(self, folder: Path, chance: Chance) -> None:
        self.folder = folder
        self._chance = chance

    @asynccontextmanager
    async def draft(self, media_id: MediaId) -> AsyncIterator[_FileSink]:
        """Open a new copy: on disk, whole and for good, when the block ends; gone without a trace if it raises."""
        # Two workers may be at it when a lease ran out: each writes its own, and the later one stays.
        path = self.folder / f"{media_id}.{self._chance.token()}{_DRAFT}"
        try:
            # Not on a thread: whoever is cancelled meanwhile would never hear of the file, and leave it open.
            file = _open(path)
        except OSError as error:
            raise _explain(error) from error
        try:
            yield _FileSink(file)
            try:
                await asyncio.to_thread(_settle, file, path, self.path_of(media_id))
            except OSError as error:
                raise _explain(error) from error
        except BaseException:
            file.close()
            path.unlink(missing_ok=True)
            raise

    async def put(self, media_id: MediaId, content: bytes) -> None:
        """Put a whole copy on disk, in place of an earlier one."""
        async with self.draft(media_id) as sink:
            await sink.write(content)

    async def has(self, media_id: MediaId) -> bool:
        """Tell whether there is a copy."""
        return await asyncio.to_thread(self.path_of(media_id).is_file)

    async def read_head(self, media_id: MediaId, most: int) -> bytes:
        """Return the copy's first *most* bytes; KeyError if there is none."""
        try:
            return await asyncio.to_thread(_read_head, self.path_of(media_id), most)
        except FileNotFoundError:
            raise KeyError(media_id) from None
        except OSError as error:
            raise _explain(error) from error

    def path_of(self, media_id: MediaId) -> Path:
        """Return where the copy is, or would be."""
        return self.folder / media_id

    async def remove(self, media_ids: Collection[MediaId]) -> None:
        """Remove copies; one that is not there is no error."""
        await asyncio.to_thread(_unlink, [self.path_of(media_id) for media_id in media_ids])


class ShelfUpkeep:
    """Throws away the copies that have served, and what a crash left."""

    def __init__(self, database: Database, shelf: FileShelf, clock: Clock) -> None:
        self._database = database
        self._shelf = shelf
        self._clock = clock

    async def sweep(self) -> int:
        """Remove what is past its time, and what is in no row and old; return how many files that were."""
        removed = 0
        while batch := await self._take_served():
            await self._shelf.remove(batch)
            removed += len(batch)
        orphans = await self._find_orphans()
        await self._shelf.remove(orphans)
        removed += len(orphans)
        if removed:
            _log.info("Copies of pictures were removed.", files=removed)
        return removed

    async def _take_served(self) -> list[MediaId]:
        now = to_micros(self._clock.now())
        ids = [MediaId(row["id"]) for row in await self._database.read(_FORGETTABLE, (now,))]
        if ids:
            # The row first: a copy without a row is swept later, a row without its copy would be served in vain.
            async with self._database.write() as connection:
                await connection.execute_fetchall(_FORGET.format(marks=_marks(ids)), (*ids, now))
        return ids

    async def _find_orphans(self) -> list[MediaId]:
        names = await asyncio.to_thread(_list_old, self._shelf.folder, self._clock.now() - ORPHANS_AFTER)
        known: set[str] = set()
        for start in range(0, len(names), 500):
            batch = names[start : start + 500]
            known |= {row["id"] for row in await self._database.read(_KNOWN.format(marks=_marks(batch)), tuple(batch))}
        return [MediaId(name) for name in names if name not in known]


def _marks(values: Collection[str]) -> str:
    return ", ".join("?" for _ in values)


def _open(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Readable by us alone: a customer's picture is nobody else's on this machine.
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _settle(file: IO[bytes], draft: Path, path: Path) -> None:
    """Make what was written the copy at *path*, on disk before anybody is told."""
    file.flush()
    os.fsync(file.fileno())
    file.close()
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_head(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most)


def _unlink(paths: Collection[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _list_old(folder: Path, before: datetime) -> list[str]:
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            changed_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except FileNotFoundError:
            continue  # another task was faster
        if changed_at < before:
            found.append(path.name)
    return found


def _explain(error: OSError) -> NotStored:
    return NotStored(f"the disk refuses a picture: {error.strerror or type(error).__name__}")
