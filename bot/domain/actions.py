"""The buttons in Slack, by the name under which Slack reports a click. The value of each is one identifier of ours."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from bot.domain.ids import MessageId


class Action(StrEnum):
    """What a button does. The value it carries stands behind it."""

    SEND = "send_reply"  #: Confirm a reply (words of a message).
    KEEP = "keep_reply"  #: Keep a reply as a note (message id).
    MARK_NOTE = "mark_note"  #: Turn a reply that still waits into a note (message id).
    SEND_NOW = "send_now"  #: Do not wait for the end of the hold or the quiet hours (message id).
    SEND_CORRECTION = "send_correction"  #: Send the edited text (words of a message).
    CHECK = "check_outcome"  #: Ask the carrier what became of a text (message id).
    SEND_AGAIN = "send_again"  #: Send once more, though it may have gone out (message id).
    OPT_OUT = "opt_out"  #: They asked to be left alone (message id of what they wrote).
    CANCEL_SCHEDULE = "cancel_schedule"  #: Take a scheduled text back (its id; in the list also the page).
    EDIT_SCHEDULE = "edit_schedule"  #: Open the form that changes a scheduled text (its id).
    SKIP_SCHEDULE = "skip_schedule"  #: Leave a text that repeats out once (likewise).
    RETRY_SCHEDULE = "retry_schedule"  #: Hand a scheduled text over once more (its id).
    SCHEDULES_PAGE = "schedules_page"  #: Another page of what is scheduled (page number, from 0).
    LIFT_SPEND_LIMIT = (
        "lift_spend_limit"  #: Send again what waits for a new day of the spend limit (the word `account`).
    )
    CONTACT = "contact"  #: Open what is known of a customer (address).
    CHANNEL_SETTINGS = "channel_settings"  #: Open the settings of a channel (channel id).
    LOOK_AGAIN = "account_look"  #: Look at the carrier account anew (the word `account`, as all that follow).
    EDIT_PROFILE = "account_profile"  #: Open the form of the messaging profile's settings.
    EDIT_ANSWERS = "account_answers"  #: Open the list of automatic answers.
    EDIT_NAMES = "account_names"  #: Open the list of sender names.
    EDIT_CODES = "account_codes"  #: Open the list of short codes.
    POINT_WEBHOOK = "account_webhook"  #: Have the profile's webhook point here.
    OPTOUTS_PAGE = "optouts_page"  #: Another page of the list (page number, from 0).
    HISTORY_PAGE = "history_page"  #: Another page of what was said (number, direction, message id; blanks between).


def name_words(message_id: MessageId, words: str) -> str:
    """Return the value of a button beneath *words*: pressed once the message says something else, it is known for stale."""
    return f"{message_id}:{_shorten(words)}"


def read_message_id(value: str) -> MessageId:
    """Return the message that a button's value names, with or without its words."""
    return MessageId(value.partition(":")[0])


def are_shown(value: str, words: str) -> bool:
    """Tell whether a button with *value* stands beneath these *words*."""
    return value.partition(":")[2] == _shorten(words)


def _shorten(words: str) -> str:
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:12]
