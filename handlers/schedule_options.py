"""What a form asks about a scheduled text beside its time: whether it repeats, and whether a reply takes it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.recurrence import Rule, find_coming
from bot.domain.when_recurring import make_rule
from bot.errors import NotAllowed
from handlers.form_parts import make_option, make_plain, read_state

_REPEATS, _UNLESS = "repeats", "unless_reply"
_NEVER = "never"
_CHOICES = {
    _NEVER: "Does not repeat",
    "day": "Every day",
    "weekday": "Every weekday (Monday to Friday)",
    "week": "Every week, on that weekday",
    "2 weeks": "Every two weeks, on that weekday",
    "month": "Every month, on that day",
}


def option_blocks() -> list[dict[str, Any]]:
    """Return the fields."""
    options = [make_option(label, name) for name, label in _CHOICES.items()]
    return [
        {
            "type": "input",
            "block_id": _REPEATS,
            "label": make_plain("Repeats"),
            "hint": make_plain("By your own clock, also when clocks change. /schedule list shows it and ends it."),
            "element": {
                "type": "static_select",
                "action_id": _REPEATS,
                "options": options,
                "initial_option": options[0],
            },
        },
        unless_reply_block(checked=False),
    ]


def unless_reply_block(*, checked: bool) -> dict[str, Any]:
    """Return the field that makes a reply take the text back."""
    option = make_option("Cancel it if they reply first", _UNLESS)
    element: dict[str, Any] = {"type": "checkboxes", "action_id": _UNLESS, "options": [option]}
    if checked:
        element["initial_options"] = [option]
    return {
        "type": "input",
        "block_id": _UNLESS,
        "optional": True,
        "label": make_plain("Condition"),
        "element": element,
    }


def read_options(view: Mapping[str, Any]) -> tuple[object, bool]:
    """Return what was chosen, as it stands in the form."""
    chosen = read_state(view, _REPEATS, _REPEATS).get("selected_option")
    return chosen.get("value") if isinstance(chosen, Mapping) else None, reads_unless_reply(view)


def reads_unless_reply(view: Mapping[str, Any]) -> bool:
    """Tell whether a reply is to take the text back."""
    return bool(read_state(view, _UNLESS, _UNLESS).get("selected_options"))


def read_repetition(
    view: Mapping[str, Any], due_at: datetime, zone: ZoneInfo, now: datetime
) -> tuple[datetime, Rule | None]:
    """Return when it first goes, and by which rule from then on; *due_at* and None where it does not repeat."""
    chosen = read_state(view, _REPEATS, _REPEATS).get("selected_option")
    repeats = str(chosen["value"]) if isinstance(chosen, Mapping) else _NEVER
    if repeats == _NEVER or repeats not in _CHOICES:
        return due_at, None
    rule = make_rule(repeats, due_at.astimezone(zone).replace(tzinfo=None))
    first = find_coming(rule, zone, now=now)
    if first is None:
        raise NotAllowed("🚫 Not scheduled: it would never come.")
    return first.due_at, Rule(rrule=rule.rrule, began_on=first.occurs_on)
