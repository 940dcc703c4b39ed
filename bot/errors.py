"""
The one error tree. It is sorted by what the caller does now, not by where the error came from.

::

    TextbridgeError            carries two texts: for the log, and for the person who can act
    ├── RetryLater             nothing happened; the same may succeed after a while
    │   ├── Busy               … once the platform, which asked for patience, takes it
    │   ├── Paced              … once it is our turn: the platform was not even asked
    │   └── NotStored          … in the database; what was done elsewhere before may stand all the same
    ├── OutcomeUnknown         it may have happened; settle it before it is done again
    ├── Refused                it was understood and refused; doing it again changes nothing
    │   ├── CarrierRefused     … by the carrier, with its code, title and detail
    │   ├── SlackRefused       … by Slack, with its error word
    │   │   ├── ChannelUnusable … because the channel is archived, gone, or closed to us
    │   │   ├── ThreadGone     … because the root of the thread is gone, or takes no replies
    │   │   └── NotGranted     … because the app has not been granted what that takes
    │   ├── NotAllowed         … by our own rules: opted out, outsider, too long, …
    │   │   └── WrongSender    … because we cannot send from what was named
    │   └── FieldsWrong        … before the carrier was asked: what was given cannot be what it takes
    ├── Broken                 a defect, ours or theirs: keep it, park it, tell the operator
    │   └── NotUnderstood      … signed input of a shape we cannot read
    ├── LeaseLost              another worker took the job over; whatever this one did must not be committed
    └── SettingsWrong          the program cannot start as it is configured
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta


class TextbridgeError(Exception):
    """Root of all errors of our own. *log* is for the operator, *person* for whoever can act in Slack."""

    def __init__(self, log: str, *, person: str | None = None) -> None:
        super().__init__(log)
        self.log = log
        self.person = person or "Something went wrong here. Nothing is lost; please try again in a moment."


class RetryLater(TextbridgeError):
    """Nothing happened, and trying again is safe. *after*: the least wait that was asked of us, if any."""

    def __init__(self, log: str, *, after: timedelta | None = None, person: str | None = None) -> None:
        super().__init__(log, person=person)
        self.after = after


class Busy(RetryLater):
    """The platform asked for patience. *code*: its own word for why, if it gave one."""

    def __init__(self, log: str, *, after: timedelta | None = None, code: str | None = None) -> None:
        super().__init__(log, after=after)
        self.code = code


class Paced(RetryLater):
    """It is not our turn yet; *after* that long it is."""


class NotStored(RetryLater):
    """The database could not take it: locked, full, failing. What was done at the platforms before that stands."""


class OutcomeUnknown(TextbridgeError):
    """The request may or may not have been carried out: the answer never came, or was no answer."""


class Refused(TextbridgeError):
    """Understood and refused for good."""


class CarrierRefused(Refused):
    """
    The carrier said no. *code* is the carrier's own, a string of digits, or the HTTP status when it gave none.

    *field*: what of the request it is about, as the carrier points at it (`/to`, `filter[type]`). *further*: the code and
    the words of each error after the first, where there are several.
    """

    def __init__(
        self,
        *,
        code: str,
        title: str | None,
        detail: str | None,
        status: int,
        field: str | None = None,
        further: Sequence[str] = (),
    ) -> None:
        super().__init__(f"carrier refused with {code} (HTTP {status}): {title or 'no title'}")
        self.code = code
        self.title = title
        self.detail = detail
        self.status = status
        self.field = field
        self.further = tuple(further)


class SlackRefused(Refused):
    """
    Slack said no. *error* is Slack's word, such as `invalid_blocks`.

    *is_known*: that it stays so. A word that we have never heard of may mend itself, so it is worth some more tries.
    """

    def __init__(self, *, method: str, error: str, person: str | None = None, is_known: bool = True) -> None:
        super().__init__(f"Slack refused {method}: {error}", person=person)
        self.method = method
        self.error = error
        self.is_known = is_known


class ChannelUnusable(SlackRefused):
    """The channel is archived, deleted, or we are not in it."""


class ThreadGone(SlackRefused):
    """The root of the thread was deleted, or takes no replies. Slack mostly says yes instead and posts beside the thread."""


class NotGranted(SlackRefused):
    """The app lacks a scope or a permission. Somebody can grant it, and then the same succeeds."""


class NotAllowed(Refused):
    """Our own rules forbid it; *person* says why and what to do instead."""

    def __init__(self, person: str) -> None:
        super().__init__("not allowed", person=person)


class WrongSender(NotAllowed):
    """What was named is no sender of ours, or not one for this text; *person* says which there are."""


class FieldsWrong(Refused):
    """
    The carrier was not asked, since it would refuse. *problems*: each a field, by the carrier's name, and what is wrong.

    The second goes on after the first: `to` and `is needed`. It may quote what was given, so it is not for the log.
    """

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        names = ", ".join(name for name, _ in problems)
        person = "; ".join(f"{name} {says}" for name, says in problems)
        super().__init__(f"wrong fields: {names}", person=f"{person}.")
        self.problems = tuple(problems)


class Broken(TextbridgeError):
    """A defect that no repetition mends."""


class NotUnderstood(Broken):
    """Signed input whose shape we cannot read."""


class LeaseLost(TextbridgeError):
    """The job's lease ran out or was taken over while it was being worked on."""


class SettingsWrong(TextbridgeError):
    """One or more settings are missing or wrong; *problems* has one line each, naming the variable."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def drop_traces(error: BaseException) -> None:
    """
    Have *error*, and what it came from, let go of the calls in which they were raised, and of all that those held.

    A library that keeps an error in a variable while it raises it makes a circle of the two, which lies about until the
    collector comes by: forty kilobytes for each call to a platform that is down.
    """
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            one.__traceback__ = None
            waiting += (one.__cause__, one.__context__)
