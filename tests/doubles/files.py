"""Pictures: the carrier's, the program's own copies, and Slack's files, each behind the border."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.domain.ids import ChannelId, FileId, MediaId, SlackTs
from bot.ports.media import Fetched, Fitted, Look, Shown, Sink, SlackFile, Upload
from tests.doubles.border import Border
from tests.doubles.slack import MemorySlack


class MemoryCarrierMedia:
    """`bot.ports.media.CarrierMedia`: every address has a picture."""

    def __init__(self, border: Border) -> None:
        self._border = border

    async def fetch(self, address: str, sink: Sink, *, most: int) -> Fetched:
        """Give the picture at *address*."""
        content = await self._border.ask("carrier fetch", lambda: f"picture at {address}".encode()[:most])
        await sink.write(content)
        return Fetched(content_type="image/jpeg", size=len(content), sha256=hashlib.sha256(content).hexdigest())


class _Draft:
    def __init__(self) -> None:
        self.content = b""

    async def write(self, chunk: bytes) -> None:
        self.content += chunk


class FolderShelf:
    """`bot.ports.media.Shelf`: a folder that outlives the process; a copy is there whole or not at all."""

    def __init__(self, border: Border, folder: Path) -> None:
        self._border = border
        self._folder = folder
        folder.mkdir(exist_ok=True)

    @asynccontextmanager
    async def draft(self, media_id: MediaId) -> AsyncIterator[_Draft]:
        """Open a new copy, there when the block ends."""
        draft = _Draft()
        yield draft
        await self._border.call("shelf put", lambda: self.path_of(media_id).write_bytes(draft.content))

    async def put(self, media_id: MediaId, content: bytes) -> None:
        """Put a whole copy there."""
        async with self.draft(media_id) as sink:
            await sink.write(content)

    async def has(self, media_id: MediaId) -> bool:
        """Tell whether there is one."""
        return self.path_of(media_id).exists()

    async def read_head(self, media_id: MediaId, most: int) -> bytes:
        """Return its beginning."""
        return self.path_of(media_id).read_bytes()[:most]

    def path_of(self, media_id: MediaId) -> Path:
        """Return where it is."""
        return self._folder / media_id

    async def remove(self, media_ids: Collection[MediaId]) -> None:
        """Remove them."""
        await self._border.call("shelf remove", lambda: self._remove(media_ids))

    def _remove(self, media_ids: Collection[MediaId]) -> None:
        for media_id in media_ids:
            self.path_of(media_id).unlink(missing_ok=True)


class StampingPictures:
    """`bot.ports.media.Pictures` that do no more than leave a mark on what they made."""

    async def look(self, path: Path) -> Look:
        """Return that it is one still pixel."""
        return Look(width=1, height=1, moves=False)

    async def fit(self, path: Path, most: int) -> Fitted:
        """Return the picture with the stamp on it."""
        return Fitted(content=stamp(_read(path))[:most], content_type="image/jpeg")

    async def strip_animation(self, path: Path) -> Fitted:
        """Refuse: nothing moves here."""
        raise AssertionError(path)


def _read(path: Path) -> bytes:
    return path.read_bytes()  # of a few bytes, in memory


def stamp(content: bytes) -> bytes:
    """Return what becomes of a picture that is made to fit."""
    return content + b", made to fit"


@dataclass(slots=True, kw_only=True)
class _File:
    name: str
    content: bytes | None = None
    is_ours: bool = True
    channel: ChannelId | None = None
    shown: Shown | None = None
    position: int = 0  #: In its message.
    is_deleted: bool = False


def draw(name: str) -> bytes:
    """Return the bytes of a teammate's picture: they begin as a JPEG does, and are none."""
    return b"\xff\xd8\xff" + name.encode()


class MemoryFiles:
    """`bot.ports.media.SlackFiles` of a `MemorySlack`."""

    def __init__(self, border: Border, slack: MemorySlack) -> None:
        self._border = border
        self._slack = slack
        self._files: dict[FileId, _File] = {}

    def list_shown(self, thread_ts: SlackTs) -> list[str]:
        """Return the names of the files that stand in a thread, in order."""
        standing = [
            (file.shown.ts, file.position, file.name)
            for file in self._files.values()
            if file.shown is not None and file.shown.thread_ts == thread_ts and not file.is_deleted
        ]
        return [name for _, _, name in sorted(standing)]

    def attach(self, name: str) -> dict[str, Any]:
        """Let a teammate upload a picture; returns how Slack writes it into the message that it goes with."""
        file_id = FileId(f"F{len(self._files):04}")
        self._files[file_id] = _File(name=name, content=draw(name), is_ours=False)
        return {"id": file_id, "name": name, "mode": "hosted", "mimetype": "image/jpeg"}

    def throw_away(self, name: str) -> None:
        """Let whoever uploaded it delete it."""
        next(file for file in self._files.values() if file.name == name).is_deleted = True

    async def begin_upload(self, filename: str, size: int) -> Upload:
        """Ask for a place."""
        assert size > 0

        def begin() -> Upload:
            file_id = FileId(f"F{len(self._files):04}")
            self._files[file_id] = _File(name=filename)
            return Upload(file_id=file_id, address=f"https://files.example/{file_id}")

        return await self._border.call("slack begin_upload", begin)

    async def send_bytes(self, upload: Upload, path: Path) -> None:
        """Bring the bytes there."""
        content = _read(path)
        await self._border.call("slack send_bytes", lambda: setattr(self._files[upload.file_id], "content", content))

    async def complete_uploads(
        self, titles: Sequence[tuple[FileId, str]], channel_id: ChannelId, thread_ts: SlackTs
    ) -> None:
        """Share them as one message, each once."""

        def complete() -> None:
            ts = self._slack.make_ts()
            for position, (file_id, _) in enumerate(titles):
                file = self._files[file_id]
                assert file.content
                if file.shown is None:
                    file.channel, file.position = channel_id, position
                    file.shown = Shown(ts=ts, thread_ts=thread_ts)

        await self._border.call("slack complete_uploads", complete, repeatable=False)

    async def find_file(self, file_id: FileId) -> SlackFile | None:
        """Return it; one of ours once it is shown."""
        return await self._border.ask("slack find_file", lambda: self._find(file_id))

    def _find(self, file_id: FileId) -> SlackFile | None:
        file = self._files.get(file_id)
        if file is None or file.is_deleted or (file.is_ours and file.shown is None):
            return None
        return SlackFile(
            file_id=file_id,
            name=file.name,
            content_type="image/jpeg",
            size=len(file.content or b""),
            address=None,
            is_hosted=True,
            shown={} if file.channel is None or file.shown is None else {file.channel: [file.shown]},
        )

    async def delete_file(self, file_id: FileId) -> None:
        """Delete it."""
        await self._border.call("slack delete_file", lambda: setattr(self._files[file_id], "is_deleted", True))

    async def download(self, file: SlackFile, sink: Sink, *, most: int) -> Fetched:
        """Give its bytes."""
        content = await self._border.ask("slack download", lambda: (self._files[file.file_id].content or b"")[:most])
        await sink.write(content)
        return Fetched(content_type=file.content_type, size=len(content), sha256=hashlib.sha256(content).hexdigest())
