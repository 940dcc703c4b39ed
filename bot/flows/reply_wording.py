"""What the author of a reply is told, privately: what waits for their word, what waits for a time, and what came too late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.actions import Action, name_words
from bot.domain.ids import MessageId
from bot.domain.policy import QuietMoment
from bot.flows.wording import Words, button, line, quote, shorten
from bot.ports import Block
from bot.text.escape import escape_sms, text_blocks
from bot.text.segments import count_segments


def confirm_reply(message_id: MessageId, text: str, whom: str, *, files: int = 0, changed: bool = False) -> Words:
    """
    Return the private question whether words are meant for the customer, with these words exactly as they would go.

    *whom*: what they are called. *changed*: it was a note, or had not been sent, before its author changed it.
    """
    along = "" if not files else " with 1 file" if files == 1 else f" with {files} files"
    parts = count_segments(text).parts
    length = f" It takes {parts} parts." if parts > 1 else ""
    reason = "You changed what had not been sent, and it still has not. " if changed else ""
    sentence, (section, buttons) = line(
        f"{reason}Send this{along} to *{escape_sms(whom)}*?{length}",
        [
            button("Send", Action.SEND, name_words(message_id, text), style="primary"),
            button("Keep as note", Action.KEEP, message_id),
        ],
    )
    shown: list[Block] = list(text_blocks(text)) if text.strip() else []
    return f"{sentence}\n{quote(shorten(text, 500))}" if shown else sentence, [section, *shown, buttons]


def waits_for_quiet_hours(message_id: MessageId, quiet: QuietMoment, whom: str) -> Words:
    """Return the private line that says until when a text waits, by their clock and by the reader's."""
    their_clock = (
        f"in some of the time zones where {escape_sms(whom)} may be"
        if quiet.several
        else f"where {escape_sms(whom)} is"
    )
    opening = quiet.local_opening
    return line(
        f"⏳ These are quiet hours {their_clock}. This waits until {opening:%H:%M on %A} their time "
        f"({escape_sms(quiet.zone.key.replace('_', ' '))}), which is {_by_your_clock(quiet.opens_at)} by your clock.",
        _waiting_buttons(message_id),
    )


def waits_in_hold(message_id: MessageId, whom: str, due_at: datetime, hold: timedelta) -> Words:
    """Return the private line beneath a reply that is held back for a moment."""
    return line(
        f"⏳ This goes to {escape_sms(whom)} in {_name_span(hold)}, at {_by_your_clock(due_at, seconds=True)}. Until then "
        "you can still edit it, delete it, or stop it with your own ❌ on it.",
        _waiting_buttons(message_id),
    )


def _waiting_buttons(message_id: MessageId) -> Sequence[Block]:
    return [button("Send now", Action.SEND_NOW, message_id), button("Mark as note", Action.MARK_NOTE, message_id)]


def _name_span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if seconds < 120 or seconds % 60:  # noqa: PLR2004 - two minutes: before that people think in seconds
        return f"{seconds} seconds"
    return f"{seconds // 60} minutes"


def _by_your_clock(moment: datetime, *, seconds: bool = False) -> str:
    """Return *moment* as Slack shows it to each reader by their own clock."""
    form = "{time_secs}" if seconds else "{date_short_pretty} at {time}"
    return f"<!date^{int(moment.timestamp())}^{form}|{moment:%H:%M} UTC>"


def still_has_original(message_id: MessageId, words: str | None) -> Words:
    """Return the private line after an edit that came too late; *words* is what it says now, None for a note."""
    if words is None:
        return line(
            "✏️ You turned a text that had already gone out into a note: the customer still has the original. This cannot be "
            "taken back."
        )
    sentence, (section, buttons) = line(
        "✏️ You edited a text that had already gone out: the customer still has the original. To send them this as well:",
        [button("Send correction", Action.SEND_CORRECTION, name_words(message_id, words), style="primary")],
    )
    return f"{sentence}\n{quote(shorten(words, 500))}", [section, *text_blocks(words), buttons]


def never_had_original(message_id: MessageId, words: str) -> Words:
    """Return the private line after an edit of a text that did not reach anybody."""
    sentence, (section, buttons) = line(
        "✏️ You edited a text that did not reach them. To send it as it is now:",
        [button("Send it again", Action.SEND_CORRECTION, name_words(message_id, words), style="primary")],
    )
    return f"{sentence}\n{quote(shorten(words, 500))}", [section, *text_blocks(words), buttons]


def deleted_too_late() -> Words:
    """Return the private line after a deletion that came too late."""
    return line("✏️ You deleted a text that had already gone out: the customer still has the original.")


def file_removed_too_late() -> Words:
    """Return the private line after a file was taken off a text that had gone out."""
    return line("✏️ You removed a file from a text that had already gone out: the customer still has the original.")


def stopped_too_late() -> Words:
    """Return the private line after an ❌ that came too late."""
    return line("✏️ Your ❌ came too late: this text has gone out, and cannot be taken back.")


def taken_back() -> Words:
    """Return the private line after an ❌ in time."""
    return line("↩️ Taken back: this was not sent.")


def is_note_now() -> Words:
    """Return the private line after a reply became a note in time."""
    return line("📝 This is a note now. It was not sent.")


def question_deleted() -> str:
    """Return what is answered to a word about a message that its author has deleted meanwhile."""
    return "🗑️ You deleted this, so it is not sent. To send it, write it anew in the thread."


def on_its_way(text: str) -> Words:
    """Return the private answer to a press that sends *text*."""
    return line(f"📤 On its way: “{escape_sms(shorten(text, 300))}”" if text.strip() else "📤 On its way.")
