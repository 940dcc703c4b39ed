"""What the simulated carrier knows: the account, its profiles and numbers, its messages and its block list."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.sandbox.telnyx_encoding import Encoding
from bot.sandbox.telnyx_errors import RequestDeniedError
from bot.sandbox.telnyx_switches import Switches


class Direction(StrEnum):
    """Whose message it is, as the carrier words it."""

    INBOUND = "inbound"  #: From a customer's phone to one of our numbers.
    OUTBOUND = "outbound"  #: From one of our numbers to a customer's phone.


class MessageType(StrEnum):
    """How a message travels."""

    SMS = "SMS"  #: Text only, counted in parts.
    MMS = "MMS"  #: Text, subject and media.
    WHATSAPP = "WHATSAPP"  #: By WhatsApp: its content is an object, not a text.


class Status(StrEnum):
    """Where a message is with one recipient (`to[].status`)."""

    SCHEDULED = "scheduled"  #: Waits for its `send_at`.
    CANCELLED = "cancelled"  #: Taken back while it was scheduled.
    QUEUED = "queued"  #: Accepted.
    SENDING = "sending"  #: On its way to the recipient's carrier.
    SENT = "sent"  #: The recipient's carrier has it.
    DELIVERED = "delivered"  #: The phone has it.
    READ = "read"  #: WhatsApp: somebody opened it.
    DELIVERY_UNCONFIRMED = "delivery_unconfirmed"  #: No receipt came in time.
    DELIVERY_FAILED = "delivery_failed"  #: The recipient's carrier could not deliver it.
    SENDING_FAILED = "sending_failed"  #: It never left Telnyx.
    EXPIRED = "expired"  #: Its validity ran out on the way.
    UNKNOWN = "unknown"  #: Group MMS to a recipient on another network.
    WEBHOOK_DELIVERED = "webhook_delivered"  #: Inbound: handed to the customer's webhook.


class OutcomeKind(StrEnum):
    """How a message to one phone ends."""

    DELIVERED = "delivered"  #: `message.sent`, then finalized as delivered.
    DELIVERY_FAILED = "delivery_failed"  #: `message.sent`, then finalized with an error.
    DELIVERY_UNCONFIRMED = "delivery_unconfirmed"  #: `message.sent`, then finalized without a receipt from the phone.
    EXPIRED = "expired"  #: `message.sent`, then finalized as expired.
    SENDING_FAILED = "sending_failed"  #: Finalized at once with an error; no `message.sent`.
    NEVER_FINALIZED = "never_finalized"  #: `message.sent` and nothing more, though the phone has it.
    SILENT = "silent"  #: No event at all, though the phone has it.
    UNKNOWN = "unknown"  #: Finalized as unknown: a group's recipient on another network.
    REFUSED = "refused"  #: The API call itself is refused with the error.


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is to happen to messages sent to one phone."""

    kind: OutcomeKind
    code: str | None = None  #: The carrier's error code, where the kind has one; None: the usual one of the kind.
    detail: str | None = None  #: None: the catalogue's.
    http_status: int | None = None  #: For REFUSED; None: the code's usual one.
    times: int | None = None  #: How many messages it still holds for; None: until it is set again.


DELIVERED = Outcome(kind=OutcomeKind.DELIVERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One picture or file, with its bytes."""

    filename: str
    content_type: str
    content: bytes
    url: str = ""  #: Where it was fetched from or is served at; empty until then.


@dataclass(slots=True, kw_only=True)
class Recipient:
    """One recipient of an outbound message and where the message is with them."""

    number: str
    status: Status
    outcome: Outcome = DELIVERED
    completed_at: datetime | None = None
    errors: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Message:
    """One message in either direction."""

    id: str
    direction: Direction
    type: MessageType
    from_: str
    recipients: list[Recipient]
    profile_id: str
    text: str | None
    received_at: datetime
    encoding: Encoding
    parts: int
    subject: str | None = None
    media: list[Media] = field(default_factory=list)
    media_urls: tuple[str, ...] = ()  #: Outbound: what the request named.
    webhook_url: str | None = None
    webhook_failover_url: str | None = None
    use_profile_webhooks: bool = True
    send_at: datetime | None = None
    sent_at: datetime | None = None
    valid_until: datetime | None = None
    group: bool = False
    cc: tuple[str, ...] = ()  #: Inbound group MMS: the other members, ours and the sender left out.
    autoresponse_type: str | None = None
    smart_encoding_applied: bool = False
    body: dict[str, Any] | None = None  #: What a WhatsApp message holds, in its API's own shape.
    webhook_outcome: str = ""  #: As `delivery_status` of the detail record words it.

    @property
    def completed_at(self) -> datetime | None:
        """When the last recipient was settled; None while one is not."""
        moments = [recipient.completed_at for recipient in self.recipients]
        return max((moment for moment in moments if moment), default=None) if all(moments) else None


@dataclass(slots=True, kw_only=True)
class Profile:
    """A messaging profile; the field names are the API's."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    v1_secret: str
    enabled: bool = True
    webhook_url: str | None = None
    webhook_failover_url: str | None = None
    webhook_api_version: str = "2"
    whitelisted_destinations: list[str] = field(default_factory=lambda: ["*"])
    number_pool_settings: dict[str, Any] | None = None
    url_shortener_settings: dict[str, Any] | None = None
    alpha_sender: str | None = None
    daily_spend_limit: str | None = "100.00"
    daily_spend_limit_enabled: bool = False
    mms_fall_back_to_sms: bool = False
    mms_transcoding: bool = False
    mobile_only: bool = False
    smart_encoding: bool = False
    resource_group_id: str | None = None
    ai_assistant_id: str | None = None
    health_webhook_url: str | None = None
    redaction_enabled: bool | None = (
        None  #: None: the organisation has no access to redaction, and the field is left out.
    )
    redaction_level: int = 2
    features: dict[str, Any] = field(default_factory=lambda: {"ai_opt_out_detection_enabled": False})


class NumberKind(StrEnum):
    """What sort of sender a number of ours is (`type` of the API)."""

    LONG_CODE = "long-code"  #: An ordinary number.
    TOLL_FREE = "toll-free"  #: 800 and its kin.
    SHORT_CODE = "short-code"  #: Three to eight digits.


@dataclass(slots=True, kw_only=True)
class OwnNumber:
    """One of the account's numbers."""

    id: str
    number: str
    kind: NumberKind
    country_code: str
    created_at: datetime
    updated_at: datetime
    profile_id: str | None
    mms: bool = True
    whatsapp: bool = False  #: Whether it has a WhatsApp account as well.
    hosted: bool = False  #: Of another provider, which leaves its texts to this one.
    messaging_product: str = "A2P"
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderName:
    """A name that texts may come from: an alphanumeric sender id."""

    id: str
    name: str
    profile_id: str
    us_long_code_fallback: str | None = None


@dataclass(slots=True, kw_only=True)
class AutoResponse:
    """What a profile does with some keywords, and answers to them."""

    id: str
    profile_id: str
    created_at: datetime
    updated_at: datetime
    op: str = "info"  #: `start`, `stop` or `info`.
    keywords: list[str] = field(default_factory=list)
    country_code: str = "*"
    resp_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """One block rule: *person* asked one of our senders to stop."""

    profile_id: str
    sender: str
    person: str
    keyword: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One message that the API accepted: a replay under the same key is none."""

    message_id: str
    operation: str
    key: str | None
    body: bytes
    accepted_at: datetime
    from_: str
    to: tuple[str, ...]
    text: str | None
    media_urls: tuple[str, ...]
    send_at: datetime | None


@dataclass(slots=True, kw_only=True)
class Account:
    """One organisation's account."""

    api_key: str
    organization_id: str
    default_profile_id: str
    profiles: dict[str, Profile] = field(default_factory=dict)
    former_profiles: dict[str, Profile] = field(default_factory=dict)  #: Deleted ones: their messages still name them.
    numbers: dict[str, OwnNumber] = field(default_factory=dict)
    sender_names: dict[str, SenderName] = field(default_factory=dict)  #: By id.
    autoresponses: dict[str, AutoResponse] = field(default_factory=dict)  #: By id.
    messages: dict[str, Message] = field(default_factory=dict)
    #: (our number, person) -> when they last wrote by WhatsApp.
    whatsapp_heard_at: dict[tuple[str, str], datetime] = field(default_factory=dict)
    optouts: dict[tuple[str, str, str], OptOut] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    sends: list[Send] = field(default_factory=list)
    switches: Switches = field(default_factory=Switches)

    def find_profile_of(self, number: str) -> Profile | None:
        """Return the profile to which our *number* is assigned."""
        own = self.numbers.get(number)
        return self.profiles.get(own.profile_id) if own is not None and own.profile_id is not None else None

    def get_profile(self, profile_id: str) -> Profile:
        """Return a profile by its id, or deny the request."""
        profile = self.profiles.get(profile_id)
        if profile is None:
            raise RequestDeniedError("10005")
        return profile

    def recall_profile(self, profile_id: str) -> Profile:
        """Return a profile of today or of the past."""
        return self.profiles.get(profile_id) or self.former_profiles[profile_id]

    def forget_profile(self, profile: Profile) -> None:
        """Take *profile* out, with its names and automatic answers; its numbers are on none then."""
        self.former_profiles[profile.id] = self.profiles.pop(profile.id)
        for number in self.numbers.values():
            number.profile_id = None if number.profile_id == profile.id else number.profile_id
        self.sender_names = {key: each for key, each in self.sender_names.items() if each.profile_id != profile.id}
        self.autoresponses = {key: each for key, each in self.autoresponses.items() if each.profile_id != profile.id}

    def list_short_codes(self) -> list[OwnNumber]:
        """Return our short codes."""
        return [number for number in self.numbers.values() if number.kind is NumberKind.SHORT_CODE]

    def is_blocked(self, profile_id: str, person: str) -> bool:
        """Tell whether *person* has stopped any sender of the profile: a block counts for all of them."""
        return any(profile == profile_id and blocked == person for profile, _, blocked in self.optouts)

    def take_outcome(self, number: str) -> Outcome:
        """Return what is to happen to the next message to *number*, counting it down."""
        outcome = self.outcomes.get(number, DELIVERED)
        if outcome.times is not None:
            if outcome.times <= 1:
                del self.outcomes[number]
            else:
                self.outcomes[number] = Outcome(
                    kind=outcome.kind,
                    code=outcome.code,
                    detail=outcome.detail,
                    http_status=outcome.http_status,
                    times=outcome.times - 1,
                )
        return outcome


def make_message_id() -> str:
    """Return a UUID of the look that the carrier's message ids have."""
    return f"4031{str(uuid.uuid4())[4:]}"


#: What a JSON object is here.
Json = dict[str, Any]
