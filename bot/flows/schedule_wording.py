"""Every sentence about scheduled texts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.actions import Action
from bot.domain.conversation import Conversation
from bot.domain.ids import UserId
from bot.domain.message import Message
from bot.domain.places import describe_their_clock
from bot.domain.policy import QuietMoment
from bot.domain.recurrence import Recurrence, describe_rule
from bot.domain.schedule import Schedule, ScheduleState
from bot.domain.when import describe_wait, format_time, format_when
from bot.flows import wording
from bot.flows.wording import Words
from bot.ports import Block
from bot.text.escape import escape_sms

#: Behind the name of a button that stands in the list: its answer is the list, brought up to date.
FROM_LIST = "list"
_CONDITION = "unless they reply first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Them:
    """The customer to whom a text goes, as sentences need them."""

    name: str  #: Escaped.
    zones: Collection[ZoneInfo]  #: Where they may be; empty where nobody knows.


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the list: a scheduled text, or one that repeats with its next time."""

    schedule: Schedule | None  #: None: one that repeats, whose next time is just being made.
    message: Message | None
    conversation: Conversation
    them: Them
    recurrence: Recurrence | None = None

    @property
    def id(self) -> str:
        """What people type to name it."""
        return self.recurrence.id if self.recurrence is not None else self.schedule.id if self.schedule else ""

    @property
    def due_at(self) -> datetime:
        """When it is next due, as it will be once a change under way is through."""
        if self.schedule is None:
            return self.conversation.created_at
        if self.message is not None and self.message.due_at is not None:
            return self.message.due_at
        return self.schedule.due_at

    @property
    def author(self) -> UserId:
        """Who made it."""
        if self.schedule is not None:
            return self.schedule.author
        return self.recurrence.author if self.recurrence is not None else UserId("")

    @property
    def text(self) -> str:
        """What it says."""
        if self.message is not None:
            return self.message.text
        return self.recurrence.text if self.recurrence is not None else ""


def say_when(at: datetime, zone: ZoneInfo, them: Them) -> str:
    """Say a moment by the reader's clock, with the customers' beside it where that shows something else. Escaped."""
    theirs = describe_their_clock(at, zone, them.zones)
    beside = f" ({escape_sms(theirs)} for them)" if theirs else ""
    return f"*{escape_sms(format_when(at, zone))}*{beside}"


def scheduled(
    schedule: Schedule, them: Them, *, text: str, zone: ZoneInfo, now: datetime, notes: Sequence[str]
) -> Words:
    """Return the private answer to who scheduled a text: when, to whom, and what; with [Edit] and [Cancel]."""
    # A breath later than when it was read: `in 2 hours` is to be told as 2 hours, not as 1 hour 59 minutes.
    wait = describe_wait(schedule.due_at + timedelta(seconds=1), now)
    condition = f", {_CONDITION}" if schedule.unless_reply else ""
    lines = [
        (
            f"🕘 Scheduled for {say_when(schedule.due_at, zone, them)}, {wait}, to {them.name}{condition}, "
            f"as `{schedule.id}`:"
        ),
        *notes,
        _quote(text),
    ]
    return wording.line("\n".join(lines), [edit_button(schedule.id), cancel_button(schedule.id)])


def repeating(recurrence: Recurrence, them: Them, *, first_at: datetime, zone: ZoneInfo, notes: Sequence[str]) -> Words:
    """Return the private answer to who scheduled a text that repeats."""
    condition = " A reply from them ends it." if recurrence.unless_reply else ""
    lines = [
        (
            f"🔁 Scheduled *{escape_sms(describe_rule(recurrence.rule))}* to {them.name}, as "
            f"`{recurrence.id}`. The first goes on {say_when(first_at, zone, them)}; it keeps your clock when the "
            f"clocks change.{condition}"
        ),
        *notes,
        _quote(recurrence.text),
    ]
    return wording.line(
        "\n".join(lines),
        [edit_button(recurrence.id), skip_button(recurrence.id), cancel_button(recurrence.id, repeats=True)],
    )


def in_quiet_hours(quiet: QuietMoment) -> str:
    """Return the warning that a scheduled text goes at an hour at which nobody is to be texted."""
    where = "where they may be" if quiet.several else "where they are"
    return (
        f"🌙 That is in the quiet hours: {format_time(quiet.local)} {where}. It goes all the same; quiet hours end there at "
        f"{format_time(quiet.local_opening)}. [Edit] changes the time."
    )


def changed(row: Row, *, zone: ZoneInfo, is_asked: bool, notes: Sequence[str]) -> Words:
    """Return the answer to who changed a scheduled text."""
    them = row.them
    when = f"goes on {say_when(row.due_at, zone, them)}"
    if row.recurrence is not None:
        when = f"now goes *{escape_sms(describe_rule(row.recurrence.rule))}*, the next on {say_when(row.due_at, zone, them)}"
    lines = [f"✏️ Changed: `{row.id}` {when}, to {them.name}:", *notes, _quote(row.text)]
    if is_asked:
        lines.append(
            "_The carrier holds the old one and is asked to give it back; only then the new one counts. You are told "
            "if it was too late._"
        )
    return wording.line(
        "\n".join(lines), [edit_button(row.id), cancel_button(row.id, repeats=row.recurrence is not None)]
    )


def list_page(rows: Sequence[Row], *, total: int, page: int, pages: int, zone: ZoneInfo) -> Words:
    """Return one page of what is waiting, the soonest first, each with its buttons."""
    heading = f"*{total} scheduled {'text' if total == 1 else 'texts'}*"
    if pages > 1:
        heading += f", page {page + 1} of {pages}"
    blocks: list[Block] = list(wording.line(heading)[1])
    lines = [heading]
    for row in rows:
        sentence = describe_row(row, zone)
        lines.append(sentence)
        blocks += wording.line(sentence, _row_buttons(row, page))[1]
    buttons = []
    if page > 0:
        buttons.append(_named(wording.button("Sooner", Action.SCHEDULES_PAGE, str(page - 1)), "sooner"))
    if page + 1 < pages:
        buttons.append(_named(wording.button("Later", Action.SCHEDULES_PAGE, str(page + 1)), "later"))
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return "\n".join(lines), blocks


def nothing_scheduled() -> Words:
    """Return the list when there is nothing in it."""
    return wording.line("Nothing is scheduled. `/schedule <number> <when> <text>` schedules a text.")


def describe_row(row: Row, zone: ZoneInfo) -> str:
    """Say of one scheduled text what it is, when it goes, to whom, by whom, and what it says."""
    them = row.them
    state = ""
    if row.schedule is not None and row.schedule.state is ScheduleState.TAKING_BACK:
        state = " _(being changed)_" if row.schedule.next_message_id else " _(being taken back)_"
    next_ = "" if row.schedule is None else say_when(row.due_at, zone, them)
    unless = (
        row.recurrence.unless_reply if row.recurrence is not None else bool(row.schedule and row.schedule.unless_reply)
    )
    when = next_
    if row.recurrence is not None:
        when = f"🔁 *{escape_sms(describe_rule(row.recurrence.rule))}*" + (f", next {next_}" if next_ else "")
    return (
        f"`{row.id}` {when} to {them.name} by <@{row.author}>{f', {_CONDITION}' if unless else ''}{state}\n"
        f"{escape_sms(wording.shorten(row.text, 150)) or '_a picture or file_'}"
    )


def _row_buttons(row: Row, page: int) -> list[Block]:
    repeats = row.recurrence is not None
    buttons = [edit_button(row.id), cancel_button(f"{row.id}|{page}", repeats=repeats)]
    if repeats:
        buttons.insert(1, skip_button(f"{row.id}|{page}"))
    return [_named(each, FROM_LIST) for each in buttons]


def _named(button: Block, name: str) -> Block:
    return {**button, "action_id": f"{button['action_id']}:{name}"}


def cancel_button(value: str, *, repeats: bool = False) -> Block:
    """Return the button that takes one back; of one that repeats it asks first."""
    confirm = ("End it?", "Nothing more of it is sent.", "End it") if repeats else None
    return wording.button("Cancel", Action.CANCEL_SCHEDULE, value, style="danger", confirm=confirm)


def edit_button(value: str) -> Block:
    """Return the button that opens the form to change one."""
    return wording.button("Edit", Action.EDIT_SCHEDULE, value)


def skip_button(value: str) -> Block:
    """Return the button that leaves one that repeats out once."""
    return wording.button("Skip next", Action.SKIP_SCHEDULE, value)


# ------------------------------------------------------------------------------------------------- told to its author


def not_handed_over(schedule: Schedule, them: Them, reason: str) -> Words:
    """Return what the author is told when the carrier does not take a scheduled text, with what can be done."""
    when = escape_sms(format_when(schedule.due_at, ZoneInfo(schedule.zone)))
    return wording.line(
        f"❌ Your scheduled text `{schedule.id}` to {them.name} for *{when}* will not go out: the carrier "
        f"does not take it. {reason}",
        [
            wording.button("Try again", Action.RETRY_SCHEDULE, schedule.id, style="primary"),
            edit_button(schedule.id),
        ],
    )


def not_reached(schedule: Schedule, them: Them) -> str:
    """Return what the author is told while the carrier cannot be reached to hand a scheduled text over."""
    when = escape_sms(format_when(schedule.due_at, ZoneInfo(schedule.zone)))
    return (
        f"⏳ The carrier cannot be reached, so your scheduled text `{schedule.id}` to {them.name} for *{when}* "
        "has not been handed over yet. It is tried again and again, and sent from here at its time; if that is not "
        "enough, call them."
    )


def not_settled(schedule: Schedule, them: Them) -> str:
    """Return what the author is told when nobody knows whether the carrier holds a scheduled text."""
    when = escape_sms(format_when(schedule.due_at, ZoneInfo(schedule.zone)))
    return (
        f"⚠️ It is not known whether the carrier has taken your scheduled text `{schedule.id}` to {them.name} "
        f"for *{when}*: it does not answer. It is still being settled; the thread tells more."
    )


def missed(schedule: Schedule, them: Them) -> Words:
    """Return what the author is told when a text could not go near its time, and so was not sent."""
    when = escape_sms(format_when(schedule.due_at, ZoneInfo(schedule.zone)))
    buttons = [edit_button(schedule.id)]
    if schedule.recurrence_id is None:
        buttons.insert(0, wording.button("Send now", Action.RETRY_SCHEDULE, schedule.id, style="primary"))
    return wording.line(
        f"⏰ Not sent: `{schedule.id}` to {them.name} was due on *{when}*, when Textbridge could not send. So "
        "long after its time it is not sent unless you say so.",
        buttons if schedule.recurrence_id is None else (),
    )


def missed_times(recurrence: Recurrence, moments: Sequence[datetime], them: Them) -> str:
    """Return what the author is told of the times of a text that repeats which were missed."""
    zone = ZoneInfo(recurrence.zone)
    shown = ", ".join(escape_sms(format_when(at, zone)) for at in moments[:3])
    more = f" and {len(moments) - 3} more" if len(moments) > 3 else ""  # noqa: PLR2004 -- as many as are shown
    return (
        f"⏰ Skipped: `{recurrence.id}` to {them.name} could not be sent on {shown}{more}, when Textbridge was "
        "not running. What is more than an hour late is not sent."
    )


def ended_with_author(recurrence: Recurrence) -> Words:
    """Return the line that tells the thread that a text no longer repeats, since its author may no longer text."""
    return wording.line(
        f"🔁 `{recurrence.id}` (*{escape_sms(describe_rule(recurrence.rule))}*) has ended: <@{recurrence.author}>, who "
        "scheduled it, can no longer text customers. Whoever wants it to go on schedules it anew."
    )


def replied(schedule_id: str, them: Them, *, is_asked: bool, repeats: bool) -> str:
    """Return what the author is told when a reply takes a scheduled text back."""
    what = f"your text `{schedule_id}` that repeats" if repeats else f"your scheduled text `{schedule_id}`"
    ends = "has ended" if repeats else "is taken back"
    asked = " The carrier holds the next one and is asked for it; you are told what it says." if is_asked else ""
    return f"↩️ {them.name} replied, so {what} {ends}.{asked}"


def replied_too_late(schedule_id: str, them: Them) -> str:
    """Return what the author is told when a reply came in the last minute."""
    return (
        f"⚠️ {them.name} replied, but `{schedule_id}` goes out within the minute; the carrier no longer takes it back."
    )


def was_taken_back(schedule: Schedule, *, is_changed: bool) -> str:
    """Return what the author is told when the carrier has given a text back."""
    if is_changed:
        return f"✏️ The carrier gave the old `{schedule.id}` back: the changed text goes in its stead."
    return f"↩️ `{schedule.id}` was taken back at the carrier. It is not sent."


def was_not_taken_back(schedule: Schedule, reason: str | None, *, is_changed: bool) -> str:
    """Return what the author is told when a text was not to be had back any more."""
    why = f" ({escape_sms(reason)})" if reason else ""
    if is_changed:
        return f"⚠️ `{schedule.id}` could not be changed: it was too late{why}. It goes out as it was."
    return f"⚠️ `{schedule.id}` could not be taken back: it was too late{why}."


def changed_by(schedule_id: str, actor: UserId, what: str) -> str:
    """Return what the author is told when somebody else changed what they had scheduled; *what* is a verb."""
    return f"ℹ️ <@{actor}> {what} your scheduled text `{schedule_id}`."  # noqa: RUF001 -- a sign, not a letter


def _quote(text: str) -> str:
    return wording.quote(wording.shorten(text, 1500)) if text.strip() else "> _a picture or file_"
