"""What people read while more texts come than Slack takes: texts that stand together, and how many wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.flows.wording import Words, context, line
from bot.ports import Block
from bot.text.escape import MAX_BLOCK_TEXT, escape_sms, show_broken, split_for_slack, text_blocks

#: The block of a card that says how many texts wait; by it the line is found again.
BACKLOG_BLOCK = "backlog"
#: The same time of day is taken for that of the day on which it is read.
_HALF_A_DAY = timedelta(hours=12)


def joint_texts(texts: Sequence[tuple[str, str | None, datetime]], now: datetime) -> Words:
    """Return several texts of one conversation as one message: each as it was sent, with who sent it and when above it."""
    fallbacks, blocks = [], list[Block]()
    for text, sender, sent_at in texts:
        who = f"*{escape_sms(sender)}* · " if sender is not None else ""
        blocks.append(context(f"{who}{_time(sent_at, now)}"))
        blocks.extend(text_blocks(text))
        fallbacks.append(f"{escape_sms(sender)}: {escape_sms(text)}" if sender is not None else escape_sms(text))
    return "\n".join(fallbacks), blocks


def plain_text(fallback: str, text: str) -> Words:
    """Return *text* in the simplest form that Slack has, for where it refuses a better one; *fallback* is the old one's."""
    parts = split_for_slack(show_broken(text), MAX_BLOCK_TEXT)
    return fallback, [
        {"type": "section", "text": {"type": "plain_text", "text": part, "emoji": False}} for part in parts
    ]


def cannot_be_shown(word: str, job_id: int) -> Words:
    """Return the line that says that a text could not be shown, and where it is."""
    return line(
        f"⚠️ A text cannot be shown here: Slack refuses it (`{escape_sms(word)}`). It is kept: whoever runs Textbridge sees it"
        f" with `python -m bot queue show {job_id}` and tries again with `python -m bot queue retry {job_id}`."
    )


def waiting_line(count: int) -> Block:
    """Return the line of a card that says that texts wait, and why."""
    texts = "1 text is" if count == 1 else f"{count} texts are"
    line = f"⏳ {texts} waiting to be shown here: Slack allows about one message a second in a channel. None is lost."
    return {**context(line), "block_id": BACKLOG_BLOCK}


def _time(moment: datetime, now: datetime) -> str:
    """Return a moment by each reader's own clock, with the day where it may be another; in UTC where Slack cannot tell it."""
    day, fallback = (
        ("{date_short_pretty} at ", "%d %b %Y %H:%M:%S") if now - moment >= _HALF_A_DAY else ("", "%H:%M:%S")
    )
    return f"<!date^{int(moment.timestamp())}^{day}{{time_secs}}|{moment:{fallback}} UTC>"
