"""The switches of the demo page: what can go wrong, in words for a person and in faults of the simulators."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bot.sandbox.faults import Fault, FaultBoard, FaultKind


class Side(StrEnum):
    """Where a trouble strikes; the page groups the switches by it."""

    SLACK = "Slack"  #: The Web API, and the events that Slack sends.
    TELNYX = "Telnyx"  #: The messaging API, the webhooks and the phones behind it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One switch."""

    name: str
    side: Side
    label: str
    hint: str
    faults: tuple[Fault, ...] = ()


_SEND = "POST /messages"

#: Fails the next text to a phone: no fault of the API's, so it is the world that plays it.
NEXT_TEXT_FAILS = Trouble(
    name="next_fails",
    side=Side.TELNYX,
    label="Next text undelivered",
    hint="The next text to one of these phones is accepted, and fails at its own carrier.",
)

TROUBLES: tuple[Trouble, ...] = (
    Trouble(
        name="slack_down",
        side=Side.SLACK,
        label="Down",
        hint="Slack answers every call with 503.",
        faults=(Fault(kind=FaultKind.REFUSE, status=503),),
    ),
    Trouble(
        name="slack_slow",
        side=Side.SLACK,
        label="Slow",
        hint="Slack answers every call after 2 seconds.",
        faults=(Fault(kind=FaultKind.SLOW, seconds=2.0),),
    ),
    Trouble(
        name="slack_busy",
        side=Side.SLACK,
        label="Too many requests",
        hint="Slack answers every call with 429 and asks to wait 3 seconds.",
        faults=(Fault(kind=FaultKind.RATE_LIMIT, retry_after=3),),
    ),
    Trouble(
        name="slack_lost_answer",
        side=Side.SLACK,
        label="Answers get lost",
        hint="Slack posts each message, but its answer never arrives.",
        faults=(Fault(kind=FaultKind.DROP_ANSWER, operation="chat.postMessage"),),
    ),
    Trouble(
        name="slack_repeats",
        side=Side.SLACK,
        label="Events twice",
        hint="Slack sends every event twice at once.",
        faults=(Fault(kind=FaultKind.REPEAT, operation="event"),),
    ),
    Trouble(
        name="slack_reorders",
        side=Side.SLACK,
        label="Next event late",
        hint="Slack holds the next event back until another has overtaken it, 5 seconds at most.",
        faults=(Fault(kind=FaultKind.REORDER, operation="event", times=1),),
    ),
    Trouble(
        name="telnyx_down",
        side=Side.TELNYX,
        label="Down",
        hint="Telnyx answers every call with 503.",
        faults=(Fault(kind=FaultKind.REFUSE, status=503),),
    ),
    Trouble(
        name="telnyx_slow",
        side=Side.TELNYX,
        label="Slow",
        hint="Telnyx answers every call after 2 seconds, and its webhooks come late.",
        faults=(Fault(kind=FaultKind.SLOW, seconds=2.0),),
    ),
    Trouble(
        name="telnyx_refuses",
        side=Side.TELNYX,
        label="Refuses texts",
        hint="Telnyx refuses every text: not routable (40001).",
        faults=(Fault(kind=FaultKind.REFUSE, operation=_SEND, status=400, code="40001"),),
    ),
    Trouble(
        name="telnyx_lost_answer",
        side=Side.TELNYX,
        label="Answers get lost",
        hint="Telnyx sends each text, but its answer never arrives.",
        faults=(Fault(kind=FaultKind.DROP_ANSWER, operation=_SEND),),
    ),
    Trouble(
        name="telnyx_repeats",
        side=Side.TELNYX,
        label="Webhooks twice",
        hint="Telnyx sends every webhook twice at once.",
        faults=(Fault(kind=FaultKind.REPEAT),),
    ),
    Trouble(
        name="telnyx_reorders",
        side=Side.TELNYX,
        label="Webhooks disordered",
        hint="Receipts come in the wrong order, and the next text waits until another has overtaken it.",
        faults=(
            Fault(kind=FaultKind.REORDER, operation="message.finalized"),
            Fault(kind=FaultKind.REORDER, operation="message.received", times=1),
        ),
    ),
    NEXT_TEXT_FAILS,
)


def find_trouble(name: str) -> Trouble | None:
    """Return the switch of that name."""
    return next((trouble for trouble in TROUBLES if trouble.name == name), None)


@dataclass(slots=True, kw_only=True)
class Switchboard:
    """Which switches are on, and by which faults."""

    boards: dict[Side, FaultBoard]
    _numbers: dict[str, list[int]] = field(default_factory=dict)

    def switch_on(self, trouble: Trouble) -> None:
        """Put the faults of *trouble* in force; once only."""
        if trouble.name not in self.list_active():
            board = self.boards[trouble.side]
            self._numbers[trouble.name] = [board.add(fault) for fault in trouble.faults]

    def switch_off(self, trouble: Trouble) -> None:
        """Lift the faults of *trouble*."""
        for number in self._numbers.pop(trouble.name, []):
            self.boards[trouble.side].lift(number)

    def list_active(self) -> list[str]:
        """Return the names of the switches that are on; one whose counted faults are spent has gone off by itself."""
        active = []
        for trouble in TROUBLES:
            numbers = self._numbers.get(trouble.name, [])
            if any(number in self.boards[trouble.side].active() for number in numbers):
                active.append(trouble.name)
        return active
