"""
What the flows need from the world, and the promises that whoever provides it makes.

Two kinds. `Store` and what hangs on its `Transaction` keep things: they never touch the network. The gateways touch the
network: they never keep anything, never retry by themselves, and never run inside a transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from bot.domain.consent import Consent, ConsentChange, Evidence
from bot.domain.conversation import Conversation, Parties
from bot.domain.delivery import Delivery, DeliveryStatus
from bot.domain.ids import (
    CarrierMessageId,
    ChannelId,
    ConversationId,
    MessageId,
    ScheduleId,
    SlackTs,
    TeamId,
    UserId,
)
from bot.domain.job import Job, NewJob, Pool
from bot.domain.message import Message, State
from bot.domain.phone import Address
from bot.domain.schedule import Schedule, ScheduleState
from bot.media_ports import MediaItems

#: A piece of Slack's Block Kit, as JSON.
Block = Mapping[str, Any]


# --- What is kept ---------------------------------------------------------------------------------------------------


class Conversations(Protocol):
    """The conversations and their threads."""

    async def get_or_create(
        self, parties: Parties, *, new_id: ConversationId, channel_id: ChannelId, now: datetime
    ) -> Conversation:
        """Return the one conversation of *parties*, made now under *new_id* if there was none."""
        ...

    async def get(self, conversation_id: ConversationId) -> Conversation:
        """Return the conversation; KeyError if there is none."""
        ...

    async def find(self, parties: Parties) -> Conversation | None:
        """Return the conversation of *parties*, if they have one."""
        ...

    async def find_by_thread(self, channel_id: ChannelId, thread_ts: SlackTs) -> Conversation | None:
        """Return the conversation to which the thread belongs or ever belonged."""
        ...

    async def find_with(self, address: Address) -> Sequence[Conversation]:
        """Return every conversation that *address* is part of, alone or in a group."""
        ...

    async def open_thread(self, conversation_id: ConversationId, channel_id: ChannelId, thread_ts: SlackTs) -> None:
        """Record that the conversation's thread now has its root there."""
        ...

    async def lose_thread(self, conversation_id: ConversationId, *, channel_id: ChannelId) -> None:
        """Record that the thread is gone; the next one will be opened in *channel_id* and link to the old."""
        ...

    async def touch(self, conversation_id: ConversationId, now: datetime) -> None:
        """Record that something was said."""
        ...

    async def rename(self, conversation_id: ConversationId, ours: Address) -> None:
        """Record under which of our numbers the conversation really runs; nothing if another already has it."""
        ...

    async def list_active(self, *, since: datetime, limit: int) -> Sequence[Conversation]:
        """Return those in which something was said after *since*: at most *limit*, the newest first."""
        ...

    async def list_unanswered(self, *, since: datetime, limit: int) -> Sequence[Conversation]:
        """Return those in which a customer had the last word, after *since*: at most *limit*, the newest first."""
        ...


class Messages(Protocol):
    """The texts of all conversations."""

    async def add(self, message: Message) -> bool:
        """Store *message*; False, and nothing changed, if one with its carrier id or its place in Slack is known."""
        ...

    async def get(self, message_id: MessageId) -> Message:
        """Return the message; KeyError if there is none."""
        ...

    async def find_by_carrier_id(self, carrier_id: CarrierMessageId) -> Message | None:
        """Return the message that the carrier calls so."""
        ...

    async def find_in_slack(self, channel_id: ChannelId, slack_ts: SlackTs) -> Message | None:
        """Return the message that stands there."""
        ...

    async def update(self, message_id: MessageId, **changes: object) -> None:
        """Set fields of the message by their names; the identity and the direction stay."""
        ...

    async def find_recent(self, conversation_id: ConversationId, limit: int) -> Sequence[Message]:
        """Return the conversation's newest *limit* messages, newest first."""
        ...

    async def find_silent(self, *, since: datetime, until: datetime) -> Sequence[Message]:
        """Return outbound messages that the carrier accepted between these moments and never told the end of."""
        ...

    async def find_outbound_to(self, address: Address, states: Sequence[State]) -> Sequence[Message]:
        """Return the outbound messages in one of *states* to conversations that *address* is part of."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierRequest:
    """A request to the carrier exactly as it goes out, every time it goes out."""

    message_id: MessageId
    path: str  #: Such as `/messages`.
    idempotency_key: str
    body: bytes
    created_at: datetime
    attempted_at: datetime | None = None  #: When the newest attempt began whose outcome is unknown.
    attempts: int = 0


class Deliveries(Protocol):
    """Requests to the carrier and what became of them."""

    async def add_request(self, request: CarrierRequest) -> None:
        """Store *request* before it is first made."""
        ...

    async def find_request(self, message_id: MessageId) -> CarrierRequest | None:
        """Return the stored request of a message."""
        ...

    async def open_attempt(self, message_id: MessageId, now: datetime) -> None:
        """Record that from *now* on the request may have been made."""
        ...

    async def close_attempt(self, message_id: MessageId) -> None:
        """Record that the newest attempt's outcome is known."""
        ...

    async def merge(self, message_id: MessageId, recipient: Address, reported: Delivery) -> Delivery:
        """Merge *reported* into what is known of that copy and return the result."""
        ...

    async def of_message(self, message_id: MessageId) -> Mapping[Address, Delivery]:
        """Return what is known of each copy of a message."""
        ...


class ConsentStep(StrEnum):
    """A kind of change, as the evidence names it."""

    STOPPED = "stopped"  #: The customer, or the carrier for them.
    STARTED = "started"  #: The customer.
    ADDED = "added"  #: A teammate.
    REMOVED = "removed"  #: A teammate.


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEntry:
    """One line of the evidence."""

    step: ConsentStep
    evidence: Evidence


class Consents(Protocol):
    """Who may be texted."""

    async def get(self, address: Address) -> Consent:
        """Return the state of *address*; an unknown one is free to be texted."""
        ...

    async def record(self, address: Address, change: ConsentChange, evidence: Evidence) -> Consent:
        """Append *change* with its *evidence*, which is kept for ever, and return the state after it."""
        ...

    async def list_blocked(self, *, offset: int, limit: int) -> tuple[int, Sequence[Consent]]:
        """Return how many are blocked, and *limit* of them from *offset*, newest first."""
        ...

    async def history(self, address: Address) -> Sequence[ConsentEntry]:
        """Return all evidence on *address*, newest first."""
        ...


class Schedules(Protocol):
    """Texts for later."""

    async def add(self, schedule: Schedule) -> bool:
        """Store *schedule*; False if its id is taken."""
        ...

    async def find(self, schedule_id: ScheduleId) -> Schedule | None:
        """Return the schedule."""
        ...

    async def find_by_message(self, message_id: MessageId) -> Schedule | None:
        """Return the schedule of a message, if it is a scheduled one."""
        ...

    async def set_state(self, schedule_id: ScheduleId, state: ScheduleState) -> None:
        """Set how far it got."""
        ...

    async def list_pending(self) -> Sequence[Schedule]:
        """Return all that have not gone out, soonest first."""
        ...


class Queue(Protocol):
    """The durable queue, from inside a transaction."""

    async def enqueue(self, job: NewJob) -> bool:
        """Enqueue *job*; False, and nothing done, if its key was ever enqueued before."""
        ...

    async def finish(self, job: Job) -> None:
        """Finish *job* in this transaction; raises LeaseLost if the claim is no longer ours."""
        ...

    async def hasten(self, key: str, due_at: datetime) -> bool:
        """Change when an unfinished, unclaimed job is due; False if there is no such job."""
        ...

    async def drop(self, key: str) -> bool:
        """Finish an unfinished job that nobody has claimed, undone; False if there is no such job."""
        ...

    async def note_once(self, key: str) -> bool:
        """Remember *key* for good; False if it was known: then this has been done already."""
        ...

    async def is_busy(self, lane: str) -> bool:
        """Tell whether the lane holds an unfinished job."""
        ...

    async def is_pool_busy(self, pool: Pool) -> bool:
        """Tell whether any job of *pool* is unfinished."""
        ...


class Facts(Protocol):
    """Small facts by name."""

    async def find_fact(self, name: str) -> str | None:
        """Return the fact."""
        ...

    async def set_fact(self, name: str, value: str) -> None:
        """Set or replace the fact."""
        ...


class Transaction(Protocol):
    """Everything that is kept, within one transaction: all of what was done takes effect, or none."""

    @property
    def conversations(self) -> Conversations: ...  # noqa: D102
    @property
    def messages(self) -> Messages: ...  # noqa: D102
    @property
    def deliveries(self) -> Deliveries: ...  # noqa: D102
    @property
    def consents(self) -> Consents: ...  # noqa: D102
    @property
    def schedules(self) -> Schedules: ...  # noqa: D102
    @property
    def queue(self) -> Queue: ...  # noqa: D102
    @property
    def facts(self) -> Facts: ...  # noqa: D102
    @property
    def media(self) -> MediaItems: ...  # noqa: D102


class Store(Protocol):
    """What is kept."""

    def transaction(self, name: str) -> AbstractAsyncContextManager[Transaction]:
        """
        Open a transaction that may write. *name* appears in logs and metrics.

        Must serialise writers, roll back on any exception and on cancellation, and be durable once it has ended.
        Must not be held across a network call. Raises RetryLater when the database is locked, full or failing.
        """
        ...

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a view of what is committed, for reading only; never waits for writers."""
        ...


class Workbench(Protocol):
    """The durable queue, as the workers see it. Each method is a transaction of its own."""

    async def claim(self, pool: Pool, limit: int) -> Sequence[Job]:
        """Claim up to *limit* due jobs of *pool*, oldest first, each with a lease and a token."""
        ...

    async def retry(self, job: Job, *, due_at: datetime, unsettled: bool, surprise: bool, trouble: str) -> None:
        """Give the claim back, to be taken up again; *unsettled* if the work may have been done."""
        ...

    async def park(self, job: Job, *, trouble: str) -> None:
        """Give the job up and keep it for a person; the next of its lane comes up."""
        ...

    async def sweep(self, *, everything: bool) -> int:
        """Take back claims whose lease ran out (*everything*: all claims, when no other worker can be alive)."""
        ...

    async def next_due(self, pool: Pool) -> datetime | None:
        """Return when the soonest ready job of *pool* is due."""
        ...

    async def wait(self, pool: Pool) -> None:
        """Return when a job of *pool* may have become ready."""
        ...


class Inbox(Protocol):
    """Where a request's handler leaves what came in."""

    async def put(self, job: NewJob) -> bool:
        """
        Return once *job* is on disk; False if it was there already.

        What arrives together shares one commit. Raises RetryLater when it could not be committed.
        """
        ...


# --- The carrier ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The carrier's yes to a send."""

    carrier_id: CarrierMessageId
    sender: str | None  #: The number that it chose, or ours.
    parts: int | None  #: As the carrier counts them.
    statuses: Mapping[Address, DeliveryStatus]  #: One for each recipient.


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierOptout:
    """One line of the carrier's own list of people who opted out."""

    address: Address
    ours: Address | None
    keyword: str | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRecord:
    """One line of the carrier's record of inbound texts: who and when, without the words."""

    carrier_id: CarrierMessageId
    sender: Address
    ours: Address
    created_at: datetime


class Carrier(Protocol):
    """
    The carrier's API. One call is one request: no retries in here.

    Raises RetryLater when the request certainly had no effect, OutcomeUnknown when it may have had one, CarrierRefused
    when it was understood and refused.
    """

    async def send(self, request: CarrierRequest) -> Acceptance:
        """Make *request*, byte for byte, under its key."""
        ...

    async def cancel(self, carrier_id: CarrierMessageId) -> None:
        """Take a scheduled message back; CarrierRefused if it is too late or unknown."""
        ...

    async def find_message(self, carrier_id: CarrierMessageId) -> Mapping[str, Any] | None:
        """Return the carrier's record of a message of the last ten days; None if it has none."""
        ...

    async def list_optouts(self) -> Sequence[CarrierOptout]:
        """Return the carrier's whole list, all pages."""
        ...

    async def list_inbound(self, *, since: datetime) -> Sequence[InboundRecord]:
        """Return the inbound texts that the carrier has on record from *since* on, all pages."""
        ...

    async def check_access(self) -> None:
        """Raise CarrierRefused if the API key is refused, RetryLater if the carrier cannot be reached."""
        ...


# --- Slack ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message to be posted by us. *key* goes into its metadata: by it the post is found again."""

    channel_id: ChannelId
    text: str  #: For notifications and screen readers: plain, escaped.
    blocks: Sequence[Block]
    key: str
    thread_ts: SlackTs | None = None
    broadcast: bool = False  #: Show it in the channel as well.


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """Where a post stands."""

    ts: SlackTs
    thread_ts: SlackTs | None  #: None for a threaded post says that the thread's root is gone.


class Threads(Protocol):
    """
    Slack's messages. One call is one request: no retries in here.

    Raises RetryLater when nothing happened, OutcomeUnknown when it may have, ChannelUnusable when the channel is
    archived, gone or closed to us, SlackRefused for any other refusal.
    """

    async def post(self, post: Post) -> Posted:
        """Post it, with no link unfurled and no mention brought to life."""
        ...

    async def find_post(self, post: Post, *, since: datetime) -> Sequence[Posted]:
        """Return the posts of ours with the key of *post*, oldest first, made after *since*. Changes nothing."""
        ...

    async def delete(self, channel_id: ChannelId, ts: SlackTs) -> None:
        """Delete a post of ours; one already gone is no error."""
        ...

    async def whisper(
        self, channel_id: ChannelId, user_id: UserId, text: str, blocks: Sequence[Block], thread_ts: SlackTs | None
    ) -> None:
        """Tell *user_id*, and nobody else, something in the channel or thread."""
        ...

    async def add_reaction(self, channel_id: ChannelId, ts: SlackTs, name: str) -> None:
        """Add our reaction; one already there is no error."""
        ...

    async def remove_reaction(self, channel_id: ChannelId, ts: SlackTs, name: str) -> None:
        """Remove our reaction; none there is no error."""
        ...

    async def list_replies(self, channel_id: ChannelId, thread_ts: SlackTs, *, since: datetime) -> Sequence[Block]:
        """Return the messages of a thread from *since* on, as Slack gives them; none for a thread that is gone."""
        ...

    async def join(self, channel_id: ChannelId) -> None:
        """Join a public channel; ChannelUnusable if it cannot be joined."""
        ...


class HomeTab(Protocol):
    """The app's Home tab. Publishing it again changes nothing."""

    async def publish_home(self, user_id: UserId, blocks: Sequence[Block]) -> None:
        """Show *blocks* on the Home tab of *user_id*. Raises RetryLater or SlackRefused."""
        ...


class Standing(StrEnum):
    """Who somebody is to this workspace."""

    MEMBER = "member"  #: A teammate: may text.
    GUEST = "guest"  #: Single- or multi-channel guest.
    OUTSIDER = "outsider"  #: Of another organisation (Slack Connect).
    BOT = "bot"  #: Not a person.
    GONE = "gone"  #: Deactivated, or not known to Slack.


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody in Slack."""

    id: UserId
    name: str  #: As teammates see it.
    zone: str | None  #: IANA time zone name.
    standing: Standing
    is_admin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OurselvesInSlack:
    """Who we are in Slack."""

    team_id: TeamId
    bot_user_id: UserId
    bot_id: str
    workspace_url: str  #: With a slash at the end; `https://acme.slack.com/`.


class Directory(Protocol):
    """Who is who in Slack. Raises RetryLater when Slack cannot tell now."""

    async def get_person(self, user_id: UserId) -> Person:
        """Return the person; one whom Slack does not know stands as GONE."""
        ...

    async def name_channel(self, channel_id: ChannelId) -> str | None:
        """Return the channel's name without `#`."""
        ...

    async def name_group(self, group_id: str) -> str | None:
        """Return the user group's handle without `@`."""
        ...

    async def get_ourselves(self) -> OurselvesInSlack:
        """Return who we are; SlackRefused if the token is refused."""
        ...
