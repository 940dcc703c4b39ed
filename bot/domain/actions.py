"""The buttons in Slack, by the name under which Slack reports a click. The value of each is one identifier of ours."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What a button does. The value it carries stands behind it."""

    SEND = "send_reply"  #: Confirm a reply (message id).
    KEEP = "keep_reply"  #: Keep a reply as a note (message id).
    SEND_NOW = "send_now"  #: Do not wait for the end of the hold or the quiet hours (message id).
    SEND_CORRECTION = "send_correction"  #: Send the edited text (message id).
    CHECK = "check_outcome"  #: Ask the carrier what became of a text (message id).
    SEND_AGAIN = "send_again"  #: Send once more, though it may have gone out (message id).
    OPT_OUT = "opt_out"  #: They asked to be left alone (message id of what they wrote).
    CANCEL_SCHEDULE = "cancel_schedule"  #: Take a scheduled text back (schedule id).
    LIFT_SPEND_LIMIT = (
        "lift_spend_limit"  #: Send again what waits for a new day of the spend limit (the word `account`).
    )
    OPTOUTS_PAGE = "optouts_page"  #: Another page of the list (page number, from 0).
    HISTORY_PAGE = "history_page"  #: Another page of what was said (number, direction, message id; blanks between).
