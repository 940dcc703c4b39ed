"""How this installation wants to be run: the settings that rules depend on, in the rules' own types."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bot.domain.ids import ChannelId, MessageId, UserId
from bot.domain.phone import Address

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

#: Beside senders, what a rate of texts may be of: all that the account sends, and all of its MMS.
ACCOUNT: Final = "account"
MMS: Final = "mms"


class ThreadMode(StrEnum):
    """What of a thread goes out as a text."""

    REPLY = "reply"  #: All but notes.
    PREFIX = "prefix"  #: Only what begins with `sms:`.
    CONFIRM = "confirm"  #: What its author confirms with a button.


class Pacing(StrEnum):
    """Whether the platforms' limits are kept before they have to say so."""

    AUTO = "auto"  #: For a real platform yes, for a simulator on this machine only once it has said so.
    DOCUMENTED = "documented"  #: Always.
    LEARNED = "learned"  #: Only for a while after a platform has asked for patience.


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """Hours of the day, by the recipient's clock, in which nobody is texted. May run over midnight."""

    begin: time
    end: time

    def find_opening(self, now: datetime, zones: tuple[ZoneInfo, ...]) -> datetime | None:
        """
        Return when texting is allowed again, None if it is now.

        With several *zones* (a number's region may span some) the strictest counts: it must be allowed in all of them.
        """
        moment = now
        # Two zones can push each other along, but each push ends at one of two openings a day.
        for _ in range(2 * len(zones) + 2):
            later = max((self._opening_in(zone, moment) for zone in zones), default=moment)
            if later == moment:
                break
            moment = later
        return None if moment == now else moment

    def _opening_in(self, zone: ZoneInfo, moment: datetime) -> datetime:
        local = moment.astimezone(zone)
        if not self._holds(local.time()):
            return moment
        opening = local.replace(hour=self.end.hour, minute=self.end.minute, second=0, microsecond=0)
        if opening <= local:
            opening += timedelta(days=1)
        return max(opening.astimezone(moment.tzinfo), moment + timedelta(seconds=1))

    def _holds(self, clock: time) -> bool:
        if self.begin <= self.end:
            return self.begin <= clock < self.end
        return clock >= self.begin or clock < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietMoment:
    """A moment at which somebody is not to be texted."""

    at: datetime
    zone: ZoneInfo  #: Theirs; where they may be in several, one in which it is quiet then, the last to open.
    opens_at: datetime  #: From when on it is allowed, in every zone where they may be. In the zone of `at`.
    several: bool  #: They may be in several zones: the strictest counts.

    @property
    def local(self) -> datetime:
        """The moment by their clock."""
        return self.at.astimezone(self.zone)

    @property
    def local_opening(self) -> datetime:
        """When it is allowed again, by their clock."""
        return self.opens_at.astimezone(self.zone)


def find_quiet_hours(
    quiet_hours: QuietHours | None, moment: datetime, zones: Collection[ZoneInfo]
) -> QuietMoment | None:
    """
    Tell how *moment*, aware, lies in the quiet hours of somebody who is in one of *zones*; None if it does not.

    With several zones the strictest counts: it must be allowed in all of them. With none nobody knows, and UTC counts.
    """
    if quiet_hours is None:
        return None
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only quiet hours need it, and a start is mostly imports

    places = tuple(sorted(zones, key=lambda zone: zone.key)) or (ZoneInfo("UTC"),)
    opens_at = quiet_hours.find_opening(moment, places)
    if opens_at is None:
        return None
    last = max(places, key=lambda zone: quiet_hours.find_opening(moment, (zone,)) or moment)
    return QuietMoment(at=moment, zone=last, opens_at=opens_at, several=len(places) > 1)


def read_quiet_hours(value: str) -> QuietHours | None:
    """Return the quiet hours that a setting like `21:00-08:00` means, None for the empty one."""
    if not value:
        return None
    begin, _, end = value.partition("-")
    hours = QuietHours(begin=_read_time(begin), end=_read_time(end))
    return None if hours.begin == hours.end else hours


def _read_time(value: str) -> time:
    hour, _, minute = value.partition(":")
    return time(int(hour), int(minute))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of this installation."""

    our_number: Address
    channels: Mapping[Address, ChannelId]  #: Each of our numbers and where its texts arrive; holds `our_number`.
    default_channel: ChannelId
    whatsapp_numbers: frozenset[Address] = frozenset()  #: Those of ours that have WhatsApp.
    profile_id: str | None
    region: str
    thread_mode: ThreadMode
    hold: timedelta
    notice_after: timedelta
    quiet_hours: QuietHours | None
    admins: frozenset[UserId] = frozenset()  #: Who may change settings, besides the workspace's own admins.
    webhook_base: str | None  #: Where the carrier reaches us; None: only through the profile's own address.
    #: Texts a second by sender, as agreed upon with the carrier; see `bot.domain.pace`.
    send_rates: Mapping[str, float] = field(default_factory=dict)

    def choose_channel(self, ours: Address) -> ChannelId:
        """Return where texts to *ours* arrive; a number that nobody listed goes to the default channel."""
        return self.channels.get(ours, self.default_channel)

    @property
    def our_numbers(self) -> frozenset[Address]:
        """All our numbers."""
        return frozenset(self.channels)

    @property
    def has_several_numbers(self) -> bool:
        """Whether it must be said which of our numbers is meant."""
        return len(self.channels) > 1

    def webhook_url(self, message_id: MessageId) -> str | None:
        """Return the address for the receipts of one text, which names it."""
        return None if self.webhook_base is None else f"{self.webhook_base}/webhooks/telnyx?ref={message_id}"

    def media_url(self, token: str, filename: str) -> str:
        """Return the address at which the carrier fetches one file. Needs `webhook_base`."""
        return f"{self.webhook_base}/media/{token}/{filename}"
