"""How the simulated platform can be told to behave otherwise than it does by default."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class CcStyle(StrEnum):
    """How a group's other members are written in an inbound webhook: Telnyx's specification and its guides disagree."""

    OBJECTS = "objects"  #: As its specification and SDK: a list of objects, the other members only.
    STRINGS = "strings"  #: As its group messaging guide: a list of numbers, ours included, the sender not.


def _make_open_gate() -> asyncio.Event:
    gate = asyncio.Event()
    gate.set()
    return gate


@dataclass(slots=True, kw_only=True)
class Switches:
    """What can be set about the platform as a whole; each default is what is known, or guessed, of the real one."""

    honour_idempotency: bool = True  #: False: `Idempotency-Key` is ignored, as the platform did before November 2026.
    spend_limit_reached: bool = False  #: True: sends get 429 with code 40333.
    optout_status: int = 409  #: HTTP status of 40300.
    check_optouts_when_due: bool = True  #: Whether a scheduled message is checked for STOP once more when it is due.
    receipts_before_answer: bool = False  #: True: a send's receipts are delivered before its API call is answered.
    media_needs_key: bool = False  #: True: media are served only to the API key.
    cc_style: CcStyle = CcStyle.OBJECTS
    omit_cc: bool = False  #: True: inbound payloads have no `cc` at all, as some real ones.
    minimum_schedule: timedelta = timedelta(minutes=5)
    maximum_schedule: timedelta = timedelta(days=5)
    cancel_margin: timedelta = timedelta(minutes=1)
    maximum_parts: int = 10
    recommended_parts: int = 6  #: Beyond it `auto_detect` refuses. The real figure is not published.
    maximum_media: int = 10
    maximum_media_bytes: int = 1_000_000
    webhook_timeout: timedelta = timedelta(seconds=2)
    #: Waits between the attempts at one URL, one fewer than the attempts. Telnyx says "exponential" and no more.
    webhook_backoff: tuple[timedelta, ...] = (timedelta(seconds=1), timedelta(seconds=2))
    #: Cleared: sends that the API has begun to work on stay there, their keys "in progress".
    processing: asyncio.Event = field(default_factory=_make_open_gate)

    help_text: str = (
        "For help, contact the business that texts you. Reply STOP to unsubscribe. Msg&Data Rates May Apply."
    )
