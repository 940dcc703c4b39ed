"""What the flows need from the world for pictures and files; the rest, and the rules for both, are in `bot.ports`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.domain.ids import ChannelId, FileId, MediaId, MessageId, SlackTs
from bot.domain.media import Media


class MediaItems(Protocol):
    """The files of all texts, by what is known of them; the bytes are on the shelf."""

    async def add(self, media: Media) -> None:
        """Store *media*."""
        ...

    async def get(self, media_id: MediaId) -> Media:
        """Return the file; KeyError if there is none."""
        ...

    async def of_message(self, message_id: MessageId) -> Sequence[Media]:
        """Return the files of a text, in their order."""
        ...

    async def find_twins(self, media: Media) -> Sequence[Media]:
        """Return the same file of other texts to the same conversation, as far as it was ever had, newest first."""
        ...

    async def find_by_token(self, token: str) -> Media | None:
        """Return the file that the carrier was told to fetch under *token*."""
        ...

    async def update(self, media_id: MediaId, **changes: object) -> None:
        """Set fields of the file by their names; where it came from stays."""
        ...

    async def remove(self, media_id: MediaId) -> None:
        """Forget the file: it no longer goes with its text."""
        ...


class Sink(Protocol):
    """Where bytes go as they come."""

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        ...


class Shelf(Protocol):
    """Our own copies. Raises NotStored when the disk cannot."""

    def draft(self, media_id: MediaId) -> AbstractAsyncContextManager[Sink]:
        """Open a new copy: on disk, whole and for good, when the block ends; gone without a trace if it raises."""
        ...

    async def put(self, media_id: MediaId, content: bytes) -> None:
        """Put a whole copy on disk, in place of an earlier one."""
        ...

    async def has(self, media_id: MediaId) -> bool:
        """Tell whether there is a copy."""
        ...

    async def read_head(self, media_id: MediaId, most: int) -> bytes:
        """Return the copy's first *most* bytes; KeyError if there is none."""
        ...

    def path_of(self, media_id: MediaId) -> Path:
        """Return where the copy is, or would be."""
        ...

    async def remove(self, media_ids: Collection[MediaId]) -> None:
        """Remove copies; one that is not there is no error."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came from elsewhere."""

    content_type: str | None  #: As the other end calls it.
    size: int
    sha256: str


class CarrierMedia(Protocol):
    """Pictures that the carrier holds for us."""

    async def fetch(self, address: str, sink: Sink, *, most: int) -> Fetched:
        """
        Fetch what is at *address*, at most *most* bytes. One call is one attempt.

        The address is not trusted: no place inside our network is reached unless the settings allow it. Raises NotHad
        when it is not to be had, RetryLater when it may be later.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Where a file stands in Slack."""

    ts: SlackTs
    thread_ts: SlackTs | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackFile:
    """A file, as Slack describes it."""

    file_id: FileId
    name: str
    content_type: str | None  #: None while Slack is still looking at it.
    size: int | None  #: In bytes; likewise.
    address: str | None  #: Where its bytes are, for our token only.
    is_hosted: bool  #: False: it lies elsewhere, or is only a stone in its place.
    shown: dict[ChannelId, Sequence[Shown]]
    tells_places: bool = True  #: False: Slack says nothing of where it is shown, not even that it is nowhere.


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A place for the bytes of one new file."""

    file_id: FileId
    address: str


class SlackFiles(Protocol):
    """
    Slack's files. One call is one request: no retries in here.

    Raises RetryLater when nothing happened, OutcomeUnknown when it may have, ChannelUnusable and SlackRefused as
    `bot.ports.Threads` does.
    """

    async def begin_upload(self, filename: str, size: int) -> Upload:
        """Ask for a place for a new file of *size* bytes. What is never completed, Slack throws away."""
        ...

    async def send_bytes(self, upload: Upload, path: Path) -> None:
        """Bring the bytes there."""
        ...

    async def complete_uploads(
        self, titles: Sequence[tuple[FileId, str]], channel_id: ChannelId, thread_ts: SlackTs
    ) -> None:
        """Have uploaded files shared, with their titles and in this order, as one message; Slack does it once each."""
        ...

    async def find_file(self, file_id: FileId) -> SlackFile | None:
        """Return what Slack knows of a file; None for one that it does not know, or not yet."""
        ...

    async def delete_file(self, file_id: FileId) -> None:
        """Delete a file of ours, wherever it is shared; one already gone is no error."""
        ...

    async def download(self, file: SlackFile, sink: Sink, *, most: int) -> Fetched:
        """Fetch a file's bytes, at most *most*. Raises NotHad when they are not to be had, RetryLater when not now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a picture is."""

    width: int
    height: int
    moves: bool  #: It has more than one frame.


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A picture as it goes out: its bytes, and nothing in them but the picture."""

    content: bytes
    content_type: str


class Pictures(Protocol):
    """Work on pictures. Raises NotAPicture for what cannot be read as one."""

    async def look(self, path: Path) -> Look:
        """Return what the picture in *path* is."""
        ...

    async def fit(self, path: Path, most: int) -> Fitted:
        """Return the picture in at most *most* bytes: upright, without a word on where and by whom it was taken."""
        ...

    async def strip_animation(self, path: Path) -> Fitted:
        """Return an animated GIF with its frames as they are, and nothing else in it."""
        ...
