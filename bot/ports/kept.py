"""What is kept: the repositories of one transaction, the store that opens it, and the durable queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.audit import AuditEntry
from bot.domain.consent import Consent, ConsentChange, Evidence
from bot.domain.contact import Contact
from bot.domain.conversation import Conversation, Parties
from bot.domain.delivery import Delivery, DeliveryStatus
from bot.domain.ids import (
    CarrierMessageId,
    ChannelId,
    ConversationId,
    MessageId,
    RecurrenceId,
    ScheduleId,
    SlackTs,
)
from bot.domain.job import Job, NewJob, Pool, QueuedJob
from bot.domain.message import Message, State
from bot.domain.phone import Address
from bot.domain.recurrence import Recurrence
from bot.domain.schedule import Schedule, ScheduleState
from bot.ports.carrier import CarrierRequest
from bot.ports.media import MediaItems
from bot.ports.record import Record


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

    async def remember_thread(self, conversation_id: ConversationId, channel_id: ChannelId, thread_ts: SlackTs) -> None:
        """Record that what is written under *thread_ts* belongs to the conversation, whose own thread stays."""
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
        """
        Return those in which a customer had the last word, after *since*: at most *limit*, the newest first.

        What did not arrive is no word, and who may not be texted waits for none.
        """
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

    async def find_outbound_in(self, conversation_id: ConversationId, states: Sequence[State]) -> Sequence[Message]:
        """Return the conversation's outbound messages in one of *states*, oldest first."""
        ...

    async def find_outbound_to(self, address: Address, states: Sequence[State]) -> Sequence[Message]:
        """Return the outbound messages in one of *states* to conversations that *address* is part of."""
        ...


class Deliveries(Protocol):
    """Requests to the carrier and what became of them."""

    async def add_request(self, request: CarrierRequest) -> None:
        """Store *request* before it is first made."""
        ...

    async def find_request(self, message_id: MessageId) -> CarrierRequest | None:
        """Return the stored request of a message."""
        ...

    async def forget_request(self, message_id: MessageId) -> bool:
        """Remove the stored request of a message; False, and nothing done, if it may have been made or there is none."""
        ...

    async def open_attempt(self, message_id: MessageId, now: datetime) -> None:
        """Record that from *now* on the request may have been made."""
        ...

    async def close_attempt(self, message_id: MessageId) -> None:
        """Record that the newest attempt's outcome is known, and with it that of those before."""
        ...

    async def merge(self, message_id: MessageId, recipient: Address, reported: Delivery) -> Delivery:
        """Merge *reported* into what is known of that copy and return the result."""
        ...

    async def of_message(self, message_id: MessageId) -> Mapping[Address, Delivery]:
        """Return what is known of each copy of a message."""
        ...

    async def count_outcomes(self, *, since: datetime) -> Sequence[tuple[date, DeliveryStatus, int]]:
        """
        Return how many copies of texts written from *since* on stand where, by day (UTC) and status.

        A text that the carrier refused at once counts as `sending_failed`. A pair may come twice.
        """
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
        """Return all evidence on *address*, what was said last first, whenever it was recorded."""
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

    async def update(self, schedule_id: ScheduleId, **changes: object) -> None:
        """Set fields of the schedule by their names; who made it stays."""
        ...

    async def list_pending(self) -> Sequence[Schedule]:
        """Return all that have not gone out, soonest first."""
        ...

    async def list_unless_reply(self, conversation_id: ConversationId) -> Sequence[Schedule]:
        """Return what has not gone out to the conversation and is taken back when they write."""
        ...

    async def is_any_unless_reply(self, conversation_id: ConversationId) -> bool:
        """Tell whether anything to the conversation, waiting or repeating, is taken back when they write."""
        ...

    async def list_occurrences(self, recurrence_id: RecurrenceId) -> Sequence[Schedule]:
        """Return the times of a text that repeats that were not taken back, the earliest first."""
        ...


class Recurrences(Protocol):
    """Texts that repeat."""

    async def add(self, recurrence: Recurrence) -> bool:
        """Store *recurrence*; False if its id is taken."""
        ...

    async def find(self, recurrence_id: RecurrenceId) -> Recurrence | None:
        """Return the text that repeats."""
        ...

    async def save(self, recurrence: Recurrence) -> None:
        """Store what has changed of *recurrence*: whether, when and what it sends, and how far it got."""
        ...

    async def list_active(self, conversation_id: ConversationId | None = None) -> Sequence[Recurrence]:
        """Return what still repeats: in one conversation, or everywhere."""
        ...


class Queue(Protocol):
    """The durable queue, from inside a transaction."""

    async def enqueue(self, job: NewJob, *, in_hand: object = None) -> bool:
        """
        Enqueue *job*; False, and nothing done, if its key was ever enqueued before.

        One that is due, whose lane is free and for which a worker keeps a place is begun as soon as the transaction is on
        disk, without being claimed anew: its flow then finds *in_hand*, what the caller has just read or written and it would
        look up first, in `Job.in_hand`. Else, and after a crash, it finds None there and looks it up.
        """
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

    async def find_body(self, key: str) -> str | None:
        """Return what a job came with, done or not; None where that is not kept, or no longer."""
        ...

    async def is_busy(self, lane: str) -> bool:
        """Tell whether the lane holds an unfinished job."""
        ...

    async def list_waiting(self, lane: str, limit: int) -> Sequence[QueuedJob]:
        """Return what waits behind the head of the lane, in order."""
        ...

    async def count_waiting(self, lane: str) -> int:
        """Return how many wait behind the head of the lane."""
        ...

    async def is_pool_busy(self, pool: Pool) -> bool:
        """Tell whether any job of *pool* is unfinished."""
        ...


class Contacts(Protocol):
    """What is known of customers besides what they wrote."""

    async def find_contact(self, address: Address) -> Contact | None:
        """Return what is known of *address*."""
        ...

    async def save_contact(self, contact: Contact) -> None:
        """Store what is known of an address, in place of what was."""
        ...


class Facts(Protocol):
    """Small facts by name."""

    async def find_fact(self, name: str) -> str | None:
        """Return the fact."""
        ...

    async def find_facts(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return those of the facts that are there, by name."""
        ...

    async def set_fact(self, name: str, value: str) -> None:
        """Set or replace the fact."""
        ...


class Audit(Protocol):
    """Who did what, and when: only ever added to."""

    async def record(self, entry: AuditEntry) -> bool:
        """Add *entry*, for ever; False, and nothing done, if its key is known: then this is on record already."""
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
    def recurrences(self) -> Recurrences: ...  # noqa: D102
    @property
    def contacts(self) -> Contacts: ...  # noqa: D102
    @property
    def queue(self) -> Queue: ...  # noqa: D102
    @property
    def facts(self) -> Facts: ...  # noqa: D102
    @property
    def media(self) -> MediaItems: ...  # noqa: D102
    @property
    def audit(self) -> Audit: ...  # noqa: D102
    @property
    def record(self) -> Record: ...  # noqa: D102


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


class Taker(Protocol):
    """A worker, as the transactions see it that make jobs for it: one that has places free takes them without a search."""

    def reserve(self) -> str | None:
        """Keep a place for a job that is being made, and return the token to claim it with; None: there is no place."""
        ...

    def release(self) -> None:
        """Give a place back: the job was not made."""
        ...

    def take(self, job: Job) -> None:
        """Do *job*, which is claimed and on disk, in a place that was kept for it."""
        ...


class Workbench(Protocol):
    """The durable queue, as the workers see it. Each method that is awaited is a transaction of its own."""

    def hand_to(self, pool: Pool, taker: Taker | None) -> None:
        """Have new jobs of *pool* offered to *taker* by the transactions that make them; None: to nobody any more."""
        ...

    async def claim(
        self, pool: Pool, limit: int, *, begin: Callable[[Sequence[Job]], None] | None = None
    ) -> Sequence[Job]:
        """
        Claim up to *limit* due jobs of *pool*, oldest first, each with a lease and a token.

        *begin* is given them before the claim is on disk, and may be given them though it never is: only for jobs that
        change nothing but what is kept here, for what they write is on disk after the claim or not at all.
        """
        ...

    async def retry(
        self, job: Job, *, due_at: datetime, unsettled: bool, surprise: bool, trouble: str, counted: bool = True
    ) -> None:
        """Give the claim back, to be taken up again; *unsettled* if the work may have been done, *counted* as an attempt."""
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

    async def note_once(self, key: str) -> bool:
        """Remember *key* on disk; False if it was known. Raises RetryLater when it could not be committed."""
        ...

    async def is_noted(self, key: str) -> bool:
        """Tell whether *key* was remembered. Raises RetryLater when the database cannot be read."""
        ...
