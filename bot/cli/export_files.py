"""The files of an export: from our own copies while there are such, else from Slack, which keeps them."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import IO

from bot.clock import Clock
from bot.domain.ids import FileId
from bot.domain.media import MOST_ORIGINAL_BYTES, Media, MediaState, NotHad
from bot.domain.media_types import make_filename
from bot.domain.message import Direction
from bot.errors import Refused, RetryLater
from bot.ports.media import SlackFiles
from bot.ports.record import RecordedText
from storage.shelf import FileShelf

#: How often Slack is asked for one file, and how long is waited between where it does not say.
_TRIES = 5
_WAIT = timedelta(seconds=2)
_OWNER_ONLY = 0o600


class ExportedFiles:
    """A folder of copies, named by when, which text, and what it is."""

    def __init__(
        self, folder: Path, shelf: FileShelf, slack: SlackFiles, clock: Clock, *, tell: Callable[[str], None]
    ) -> None:
        self.folder = folder
        self._shelf = shelf
        self._slack = slack
        self._clock = clock
        self._tell = tell
        self.copied = self.missing = 0

    def find(self, text: RecordedText, file: Media) -> Path | None:
        """Return where the copy of *file* is, seen from beside the folder; None where there is none."""
        path = self._place(text, file)
        return path.relative_to(self.folder.parent) if path.exists() else None

    async def fetch(self, text: RecordedText) -> None:
        """Get the files of *text*; what cannot be had is told."""
        if text.message.erased_at is not None:
            return
        for file in text.media:
            place = self._place(text, file)
            if place.exists():
                continue
            problem = await self._try(text, file, place)
            if problem is None:
                self.copied += 1
            else:
                self.missing += 1
                self._tell(f"{place.name}: {problem}")

    async def _try(self, text: RecordedText, file: Media, place: Path) -> str | None:
        """Get one file and return None, or why it cannot be had."""
        if await self._shelf.has(file.id):
            try:
                await asyncio.to_thread(_copy, self._shelf.path_of(file.id), place)
            except FileNotFoundError:
                pass  # the bridge's upkeep was faster: Slack has it
            else:
                return None
        file_id = file.file_id
        if file_id is None and text.message.direction is Direction.OUTBOUND:
            file_id = FileId(file.source)
        if file_id is None or file.state is MediaState.LOST:
            return "it was never had"
        for _ in range(_TRIES):
            try:
                return await self._download(file_id, place)
            except RetryLater as error:
                await self._clock.sleep(error.after or _WAIT)
            except NotHad as error:
                return error.log
            except Refused as error:
                return error.log
        return "Slack does not answer"

    async def _download(self, file_id: FileId, place: Path) -> str | None:
        found = await self._slack.find_file(file_id)
        if found is None or not found.is_hosted:
            return "Slack no longer has it"
        partial = place.with_name(f"{place.name}.partial")
        file = _open_new(partial)
        try:
            with file:
                await self._slack.download(found, _Sink(file), most=MOST_ORIGINAL_BYTES)
            partial.rename(place)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        return None

    def _place(self, text: RecordedText, file: Media) -> Path:
        name = file.filename or make_filename(file.name, file.content_type or "", fallback="file")
        at = text.message.created_at
        return self.folder / f"{at:%Y%m%d-%H%M%S}-{text.message.id[-8:]}-{file.position}-{name}"


class _Sink:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    async def write(self, chunk: bytes) -> None:
        await asyncio.to_thread(self._file.write, chunk)


def _open_new(path: Path) -> IO[bytes]:
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb")


def _copy(source: Path, place: Path) -> None:
    partial = place.with_name(f"{place.name}.partial")
    with source.open("rb") as original, _open_new(partial) as copy:
        shutil.copyfileobj(original, copy)
    partial.rename(place)
