"""The customers' phones: what each has received and sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bot.sandbox.telnyx_state import Media


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneText:
    """One text on one phone."""

    message_id: str
    at: datetime
    mine: bool  #: True: this phone sent it.
    from_: str
    to: str
    text: str | None
    subject: str | None = None
    media: tuple[Media, ...] = ()
    others: tuple[str, ...] = ()  #: The other members of a group.
    automatic: bool = False  #: True: the carrier's own answer to a keyword.


#: Who hears of each new text: (the phone's number, the text).
PhoneListener = Callable[[str, PhoneText], None]


@dataclass(slots=True)
class Phones:
    """All phones, by number; a phone exists from its first text on."""

    listeners: list[PhoneListener] = field(default_factory=list)
    _texts: defaultdict[str, list[PhoneText]] = field(default_factory=lambda: defaultdict(list))

    def show(self, number: str, text: PhoneText) -> None:
        """Put *text* on the screen of the phone *number* and tell the listeners."""
        self._texts[number].append(text)
        for listener in list(self.listeners):
            listener(number, text)

    def list_numbers(self) -> list[str]:
        """Return the numbers of all phones that have a text, oldest first."""
        return list(self._texts)

    def read_screen(self, number: str) -> list[PhoneText]:
        """Return everything on one phone, both directions, oldest first."""
        return list(self._texts.get(number, ()))

    def read_received(self, number: str) -> list[PhoneText]:
        """Return what one phone has received, oldest first."""
        return [text for text in self._texts.get(number, ()) if not text.mine]
