"""Pictures in memory: the carrier's, the program's own copies, and Slack's files, each behind the border."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.domain.ids import ChannelId, FileId, MediaId, SlackTs
from bot.ports.media import Fetched, Shown, Sink, SlackFile, Upload
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


class MemoryShelf:
    """`bot.ports.media.Shelf`: a folder that outlives the process."""

    def __init__(self, border: Border) -> None:
        self._border = border
        self._copies: dict[MediaId, bytes] = {}

    @asynccontextmanager
    async def draft(self, media_id: MediaId) -> AsyncIterator[_Draft]:
        """Open a new copy, there when the block ends."""
        draft = _Draft()
        yield draft
        await self._border.call("shelf put", lambda: self._copies.__setitem__(media_id, draft.content))

    async def put(self, media_id: MediaId, content: bytes) -> None:
        """Put a whole copy there."""
        async with self.draft(media_id) as sink:
            await sink.write(content)

    async def has(self, media_id: MediaId) -> bool:
        """Tell whether there is one."""
        return media_id in self._copies

    async def read_head(self, media_id: MediaId, most: int) -> bytes:
        """Return its beginning."""
        return self._copies[media_id][:most]

    def path_of(self, media_id: MediaId) -> Path:
        """Return a name; nobody here opens it."""
        return Path(media_id)

    async def remove(self, media_ids: Collection[MediaId]) -> None:
        """Remove them."""
        for media_id in media_ids:
            self._copies.pop(media_id, None)


@dataclass(slots=True, kw_only=True)
class _File:
    name: str
    has_bytes: bool = False
    channel: ChannelId | None = None
    shown: Shown | None = None
    position: int = 0  #: In its message.
    is_deleted: bool = False


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
        assert path.name
        await self._border.call("slack send_bytes", lambda: setattr(self._files[upload.file_id], "has_bytes", True))

    async def complete_uploads(
        self, titles: Sequence[tuple[FileId, str]], channel_id: ChannelId, thread_ts: SlackTs
    ) -> None:
        """Share them as one message, each once."""

        def complete() -> None:
            ts = self._slack.make_ts()
            for position, (file_id, _) in enumerate(titles):
                file = self._files[file_id]
                assert file.has_bytes
                if file.shown is None:
                    file.channel, file.position = channel_id, position
                    file.shown = Shown(ts=ts, thread_ts=thread_ts)

        await self._border.call("slack complete_uploads", complete, repeatable=False)

    async def find_file(self, file_id: FileId) -> SlackFile | None:
        """Return it, once it is shown."""
        return await self._border.ask("slack find_file", lambda: self._find(file_id))

    def _find(self, file_id: FileId) -> SlackFile | None:
        file = self._files.get(file_id)
        if file is None or file.shown is None or file.channel is None or file.is_deleted:
            return None
        return SlackFile(
            file_id=file_id,
            name=file.name,
            content_type="image/jpeg",
            size=1,
            address=None,
            is_hosted=True,
            shown={file.channel: [file.shown]},
        )

    async def delete_file(self, file_id: FileId) -> None:
        """Delete it."""
        await self._border.call("slack delete_file", lambda: setattr(self._files[file_id], "is_deleted", True))

    async def download(self, file: SlackFile, sink: Sink, *, most: int) -> Fetched:
        """Give its bytes."""
        content = await self._border.ask("slack download", lambda: f"bytes of {file.name}".encode()[:most])
        await sink.write(content)
        return Fetched(content_type=file.content_type, size=len(content), sha256=hashlib.sha256(content).hexdigest())
