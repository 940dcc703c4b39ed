"""
A job of the durable queue, and the rules by which it moves.

::

            (a)            (c)             (d)
    waiting ----> ready ---------> running -----> done
                    ^                | |  (f)
                    |      (e)       | +--------> parked
                    +----------------+               |
                    +--------------------------------+ (g)

(a) the job ahead of it in its lane is done or parked · (c) claimed: lease and token · (d) finished in the transaction
that holds its result · (e) to be tried again, or its lease ran out: then it is *unsettled*, for its call may have been
made · (f) given up, kept for a person · (g) a person says: again. A job without a lane, or first in it, is born ready; or
it is born running, claimed by a worker of this process that has a place for it, and is begun as soon as it is on disk.

At most one job of a lane is ready or running: a partial unique index says so, not this program.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.ids import JobId


class Pool(StrEnum):
    """Which workers take the job: kinds that may be slow for the same reason share one."""

    CARRIER_IN = "carrier_in"  #: Stored webhooks. Database only.
    SLACK_IN = "slack_in"  #: Stored Slack events. May ask Slack who somebody is.
    POST = "post"  #: Messages into Slack threads.
    SEND = "send"  #: Texts to the carrier.
    MARK = "mark"  #: Reactions.
    MEDIA = "media"  #: Files, either way.
    CHORE = "chore"  #: Private lines, cancellations, look-ups.


#: Pools whose jobs change nothing but the database: a crash takes what they did with their claim, so they may begin before
#: the claim is on disk.
INSIDE = frozenset({Pool.CARRIER_IN})


class Kind(StrEnum):
    """What is to be done: one use-case each."""

    CARRIER_EVENT = "carrier_event"  #: Read a stored webhook.
    SLACK_EVENT = "slack_event"  #: Read a stored Slack event.
    POST_TEXT = "post_text"  #: Show a text in its thread, opening it where there is none.
    POST_LINE = "post_line"  #: Tell the thread something.
    POST_NOTICE = "post_notice"  #: Tell a channel something that belongs to no conversation.
    TIDY_POST = "tidy_post"  #: After a repeated post: look for a second copy and delete it.
    SEND_TEXT = "send_text"  #: Hand a text to the carrier.
    SHOW_MARK = "show_mark"  #: Bring the mark on a message up to date.
    SHOW_BACKLOG = "show_backlog"  #: Say on a card how many texts wait for Slack's pace, as long as they do.
    SHOW_ACCOUNT = "show_account"  #: Show the carrier account on an administrator's Home tab.
    SHOW_CONTACT = "show_contact"  #: Say on a card who somebody is, after that was changed.
    WHISPER = "whisper"  #: Tell one person something privately.
    REACT = "react"  #: A customer's tapback.
    CANCEL_AT_CARRIER = "cancel_at_carrier"  #: Take a scheduled text back.
    WATCH_HELD = "watch_held"  #: Of a text that was handed over from the shell: take it back if they said STOP since.
    NEXT_OCCURRENCE = "next_occurrence"  #: Make the next time of a text that repeats.
    FETCH_MEDIA = "fetch_media"  #: Get a customer's picture from the carrier.
    UPLOAD_MEDIA = "upload_media"  #: Bring a picture's bytes to Slack, which shows them to nobody yet.
    SHARE_MEDIA = "share_media"  #: Have a text's pictures shown in its thread.
    PREPARE_MEDIA = "prepare_media"  #: Get a teammate's files from Slack and make them fit to be sent.


class Status(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"  #: Another job of its lane comes first.
    READY = "ready"  #: May be claimed once it is due.
    RUNNING = "running"  #: Claimed; the lease says until when.
    DONE = "done"  #: Finished. Kept for its key, so that it cannot be enqueued again.
    PARKED = "parked"  #: Given up; a person looks (`python -m bot queue`).


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job to be enqueued. A *key* that was ever enqueued makes this one a no-op."""

    kind: Kind
    pool: Pool
    key: str
    body: str  #: JSON, or the raw event as it came.
    lane: str | None = None
    due_at: datetime | None = None  #: None: at once.


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedJob:
    """A job that waits in its lane, as others look at it."""

    kind: str  #: A Kind, or one of a newer program.
    key: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A claimed job."""

    id: JobId
    kind: Kind
    pool: Pool
    key: str
    body: str
    lane: str | None
    attempts: int  #: This one included.
    surprises: int  #: Failures so far that nobody foresaw.
    unsettled: bool  #: An earlier attempt may have done its work without our knowing.
    created_at: datetime
    started_at: datetime  #: When the first attempt that may have done its work began, else when this one did.
    token: str  #: Proof of the claim; every write for the job shows it.
    #: What whoever made it knew, where it is done at once: it saves looking that up. None for any other.
    in_hand: object = None


#: How long a claimed job may take before another worker may take it over. Longer than any gateway's own time limit.
LEASE = timedelta(seconds=90)
#: Attempts at a job whose failure nobody foresaw, before it is parked.
MOST_SURPRISES = 8

_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 30.0


def choose_wait(attempts: int, fraction: float) -> timedelta:
    """
    Return how long to wait after failed attempt number *attempts* (from 1): doubling, capped, with jitter.

    *fraction* is random from 0 to 1. The wait is between three quarters and the whole of the doubled span.
    """
    span = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2.0 ** min(attempts - 1, 16))
    return timedelta(seconds=span * (0.75 + 0.25 * fraction))
