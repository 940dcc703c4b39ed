"""
Pictures and files, in either direction: where each stands, why one could not be had, and what an MMS can carry.

::

    inbound   expected --(fetched)--> kept --> uploaded --> completing --> completed --> shared
                                       ^________________________________________|  Slack never showed it: once more
    outbound  expected --(fetched from Slack, made fit)--> kept, and on as above where the thread has not seen it

From any but the last, *lost* where it cannot be had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.ids import ChannelId, FileId, MediaId, MessageId, SlackTs
from bot.errors import Refused

#: The largest file that is taken from a customer. The networks carry about 1 MB; other channels of the carrier more.
MOST_INBOUND_BYTES = 25_000_000
#: The largest picture that is fetched from Slack to be made smaller.
MOST_ORIGINAL_BYTES = 50_000_000
#: How many files one MMS carries (Telnyx, error 40317).
MOST_FILES = 10
#: What one MMS may hold in all: "less than 1 MB" (40317), less a margin for the envelope.
MOST_BYTES = 950_000
#: The same from a toll-free number, which every network caps at 600 KB (Telnyx, MMS media transcoding).
MOST_BYTES_TOLL_FREE = 570_000
#: What pictures are made to fit in all: this much every network takes.
AIM_BYTES = 570_000
#: Below this a picture is not worth sending.
_LEAST_BYTES_EACH = 30_000

#: What phones take beside pictures (Telnyx, MMS media types). Sent as they are, or not at all.
SENDABLE_TYPES = frozenset(
    {
        "video/mp4",
        "video/3gpp",
        "video/quicktime",
        "audio/mpeg",
        "audio/mp4",
        "audio/ogg",
        "audio/amr",
        "audio/wav",
        "audio/3gpp",
        "application/pdf",
        "text/vcard",
        "text/calendar",
        "text/plain",
    }
)
#: Pictures that we can read, and so make fit.
PICTURE_TYPES = frozenset(
    {
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/webp",
        "image/heic",
        "image/avif",
        "image/bmp",
        "image/tiff",
    }
)
_TOLL_FREE = ("+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888")

#: How long a file stays at the address that the carrier was given: a text may wait a day for the carrier itself.
SERVED_FOR = timedelta(hours=48)
#: How long our own copy is kept after Slack has shown it, should somebody have to look.
KEPT_AFTER_SHARING = timedelta(hours=24)
#: How long our own copy of a teammate's file is kept, counted from when the text is due.
KEPT_FOR_SENDING = timedelta(days=7)


class MediaState(StrEnum):
    """How far a file got."""

    EXPECTED = "expected"  #: Known to be there; not fetched yet.
    KEPT = "kept"  #: Our own copy is on disk.
    UPLOADED = "uploaded"  #: Slack has the bytes, and shows them to nobody yet.
    COMPLETING = "completing"  #: Slack was, or may have been, told to share it.
    COMPLETED = "completed"  #: Slack said yes; it shares some time after.
    SHARED = "shared"  #: It stands in the thread.
    LOST = "lost"  #: It could not be had, and people were told.


class Loss(StrEnum):
    """Why a file could not be had."""

    GONE = "gone"  #: Its holder no longer gives it out, or refuses us.
    LOCKED = "locked"  #: Slack shows its login page instead: the app lacks a scope.
    TOO_LARGE = "too_large"  #: Larger than we take.
    FORBIDDEN = "forbidden"  #: Its address lies inside a network that is not to be reached.
    ASTRAY = "astray"  #: Its address is none, or redirects without end.
    ALTERED = "altered"  #: Its bytes are not those whose hash was announced.
    EMPTY = "empty"  #: It has no bytes.
    UNREACHABLE = "unreachable"  #: Its holder has not answered for a day.
    REFUSED = "refused"  #: Slack does not take it.
    NOT_SHOWN = "not_shown"  #: Slack said yes again and again and never showed it.
    MISLAID = "mislaid"  #: Our own copy is gone from the disk.


class NotHad(Refused):
    """A file cannot be had; *size* in bytes where that is why."""

    def __init__(self, loss: Loss, log: str, *, size: int | None = None) -> None:
        super().__init__(log)
        self.loss = loss
        self.size = size


class NotAPicture(Refused):
    """It cannot be read as a picture, or is too large to be tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRef:
    """A teammate's file in Slack, as told with the message that brought it."""

    file_id: FileId
    name: str | None
    address: str | None = None  #: Where its bytes are, for our token only.
    content_type: str | None = None
    size: int | None = None  #: In bytes.


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One file of one text."""

    id: MediaId
    message_id: MessageId
    position: int  #: From 0, in the order in which they were sent.
    source: str  #: The carrier's address of it (inbound), or the id of a teammate's file (outbound).
    state: MediaState
    created_at: datetime
    name: str | None = None  #: What others call it; never trusted.
    content_type: str | None = None  #: As announced; once kept, as found out.
    size: int | None = None  #: In bytes; likewise.
    sha256: str | None = None  #: Likewise; hexadecimal.
    filename: str | None = None  #: What we call it, once kept.
    loss: Loss | None = None
    file_id: FileId | None = None  #: Our upload in Slack.
    uploads: int = 0  #: How many uploads there were.
    began_at: datetime | None = None  #: When it was first its turn to be shared.
    channel_id: ChannelId | None = None  #: Where Slack was told to share it.
    thread_ts: SlackTs | None = None
    completed_at: datetime | None = None
    slack_ts: SlackTs | None = None  #: The message that shares it.
    token: str | None = None  #: Under which the carrier fetches it.
    expires_at: datetime | None = None  #: Until when it may.
    keep_until: datetime | None = None  #: When our own copy may go; None: not yet known.
    address: str | None = None  #: Of a teammate's file until it is kept: where Slack said that its bytes are.


def most_bytes(ours: str) -> int:
    """Return how many bytes of files an MMS from our number *ours* can carry."""
    return MOST_BYTES_TOLL_FREE if ours.startswith(_TOLL_FREE) else MOST_BYTES


def share_out(most: int, fixed: Sequence[int], pictures: Sequence[int]) -> list[int] | None:
    """
    Return how many bytes each of *pictures* may take beside the *fixed* files; None if not all can be carried.

    *most*: in all; the others are sizes in bytes, the pictures' before they are made smaller. What a small picture
    leaves of its share goes to the larger ones.
    """
    room = most - sum(fixed)
    if room < 0 or (pictures and room < _LEAST_BYTES_EACH * len(pictures)):
        return None
    room = min(room, max(AIM_BYTES - sum(fixed), _LEAST_BYTES_EACH * len(pictures)))
    shares = [0] * len(pictures)
    left = len(pictures)
    for place in sorted(range(len(pictures)), key=lambda place: pictures[place]):
        # Written anew, a picture may come out a little larger than it was.
        shares[place] = min(room // left, max(pictures[place] * 2, _LEAST_BYTES_EACH))
        room -= shares[place]
        left -= 1
    return shares
