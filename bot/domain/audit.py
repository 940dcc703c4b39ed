"""
The audit: who did what that matters to a customer or to the rules, and when.

An entry is written in the transaction that does what it tells, and is never changed or removed. It holds no word of any
text: those can be erased, entries cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType

from bot.domain.phone import Address

#: Who did it: the id of somebody in Slack, or one of the names below.
Actor = NewType("Actor", str)

#: The customer, by what they texted.
CUSTOMER: Final = Actor("customer")
#: Telnyx, by a refusal or by its list.
CARRIER: Final = Actor("carrier")
#: This program by itself: something fell due, or a rule took effect.
BRIDGE: Final = Actor("textbridge")


def name_operator(account: str) -> Actor:
    """Return the actor that is somebody at the shell of the machine, logged in as *account*."""
    return Actor(f"shell:{account}")


class AuditAction(StrEnum):
    """What was done."""

    # Texts
    SENT = "sent"  #: A text was handed to the carrier, for the first time.
    NOT_SENT = "not_sent"  #: A text was refused by our rules, when it was written or when its turn came.
    TAKEN_BACK = "taken_back"  #: A text that waited was cancelled.
    SCHEDULED = "scheduled"  #: A text was given a time.
    SCHEDULE_CHANGED = "schedule_changed"  #: A scheduled text got another time, text, or rule.
    # Overrides
    SENT_NOW = "sent_now"  #: Somebody sent at once what quiet hours or the hold kept waiting.
    SENT_AGAIN = "sent_again"  #: Somebody sent once more what may have gone out.
    NOTE_SENT = "note_sent"  #: Somebody turned a note into a text.
    CORRECTED = "corrected"  #: Somebody sent the correction of a text that had gone out.
    HOLD_LIFTED = "hold_lifted"  #: Somebody let sends go again that the carrier's spend limit had stopped.
    # Opt-outs
    OPTED_OUT = "opted_out"  #: By the customer, or by the carrier for them.
    OPTED_IN = "opted_in"  #: By the customer.
    OPTED_OUT_BY_HAND = "opted_out_by_hand"  #: By a teammate.
    OPT_OUT_LIFTED = "opt_out_lifted"  #: What a teammate had set, by a teammate.
    # Settings and the record
    SETTING_CHANGED = "setting_changed"  #: A setting got another value.
    CONTACT_CHANGED = "contact_changed"  #: A customer's name or time zone was set.
    EXPORTED = "exported"  #: What is kept of somebody was given out.
    ERASED = "erased"  #: What somebody wrote and was written was erased.
    ACCOUNT_CHANGED = "account_changed"  #: Something at the carrier: a number, a profile, a registration.
    JOB_DECIDED = "job_decided"  #: Somebody brought a job back or set it aside.


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line of the audit."""

    key: str  #: Names the deed: recorded twice, it is one entry.
    at: datetime  #: When it was done here; aware UTC.
    actor: Actor
    action: AuditAction
    numbers: tuple[Address, ...] = ()  #: The customers whom it concerns.
    subject: str | None = None  #: What it was done to: a message's id, a schedule's, the name of a setting.
    detail: Mapping[str, str] = field(default_factory=dict)  #: What else to know; never what a text says.
