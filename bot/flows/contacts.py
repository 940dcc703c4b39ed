"""What is known of customers besides what they wrote: their names, and which clock is theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.audit import Actor, AuditAction, AuditEntry
from bot.domain.contact import Contact, choose_zones, list_zones
from bot.domain.conversation import Conversation
from bot.domain.ids import ConversationId, UserId
from bot.domain.job import Job
from bot.domain.message import Message, Origin, State
from bot.domain.phone import Address
from bot.domain.policy import Policy, find_quiet_hours
from bot.errors import NotAllowed, SlackRefused
from bot.flows import wording
from bot.flows.jobs import enqueue_contact, enqueue_line, enqueue_mark, read_body, send_key
from bot.flows.permissions import check_member
from bot.flows.wording import CONTACT_BLOCK, Words
from bot.observe import Log
from bot.ports import Block, Cards, Directory, Store, Transaction
from bot.text.escape import escape_sms

_log = Log("contacts")

#: Of a name.
MOST_CHARACTERS = 80


async def find_contacts(tx: Transaction, addresses: Sequence[Address]) -> Mapping[Address, Contact]:
    """Return what is known of *addresses*."""
    found = [(address, await tx.contacts.find_contact(address)) for address in addresses]
    return {address: contact for address, contact in found if contact is not None}


async def find_zones(tx: Transaction, addresses: Sequence[Address]) -> frozenset[ZoneInfo]:
    """Return every zone in which one of *addresses* may be: those set for contacts, else those of the numbers."""
    contacts = await find_contacts(tx, addresses)
    names = {name for address in addresses for name in choose_zones(address, contacts.get(address))}
    return frozenset(ZoneInfo(name) for name in names)


async def name_people(tx: Transaction, addresses: Sequence[Address], region: str) -> str:
    """Return who the customers are, as one would say it: by name, where it is known, with the number."""
    contacts = await find_contacts(tx, addresses)
    return ", ".join(_name(address, contacts.get(address), region) for address in addresses)


def _name(address: Address, contact: Contact | None, region: str) -> str:
    number = wording.name_address(address, region)
    return number if contact is None or not contact.name else f"{contact.name}, {number}"


class Contacts:
    """Shows and changes what is known of a customer."""

    def __init__(
        self, *, store: Store, cards: Cards, directory: Directory, policy: Policy, clock: Clock, chance: Chance
    ) -> None:
        self._store = store
        self._cards = cards
        self._directory = directory
        self._policy = policy
        self._clock = clock
        self._chance = chance

    async def find_contact(self, address: Address, actor: UserId) -> Contact | None:
        """Return what is known of *address*. Raises NotAllowed."""
        check_member(await self._directory.get_person(actor), what="see who a customer is")
        async with self._store.reading() as view:
            return await view.contacts.find_contact(address)

    async def save_contact(
        self, address: Address, *, name: str | None, zone: str | None, actor: UserId, once: str
    ) -> Words:
        """
        Store *name* and *zone* (an IANA name), None for what is not known, and return the private answer.

        *once* names the request. Raises NotAllowed. Transaction: the contact, its audit, a line and the card in each
        thread with them, and the new times of what waits for their quiet hours.
        """
        check_member(await self._directory.get_person(actor), what="say who a customer is")
        name = " ".join((name or "").split())[:MOST_CHARACTERS] or None
        if zone is not None and zone not in list_zones():
            raise NotAllowed(
                "🚫 Nothing was changed: there is no such time zone. Choose one of those that are offered."
            )
        now = self._clock.now()
        async with self._store.transaction("save contact") as tx:
            before = await tx.contacts.find_contact(address)
            had = (None, None) if before is None else (before.name, before.zone)
            if had != (name, zone):
                await tx.contacts.save_contact(Contact(address=address, name=name, zone=zone, set_by=actor, set_at=now))
                await tx.audit.record(
                    AuditEntry(
                        key=f"contact:{once}",
                        at=now,
                        actor=Actor(actor),
                        action=AuditAction.CONTACT_CHANGED,
                        numbers=(address,),
                        detail={"zone_from": had[1] or "", "zone_to": zone or "", "name": "changed" * (had[0] != name)},
                    )
                )
                text, blocks = wording.contact_changed(address, self._policy.region, name=name, zone=zone, by=actor)
                for conversation in await tx.conversations.find_with(address):
                    if conversation.thread_ts is not None:
                        await enqueue_contact(tx, conversation.id, self._chance.token())
                        await enqueue_line(tx, conversation.id, f"contact:{once}:{conversation.id}", text, blocks)
                if had[1] != zone:
                    await self._move_waiting(tx, address)
        whom = escape_sms(wording.name_address(address, self._policy.region))
        return wording.line(f"📇 {whom}: {wording.describe_contact(name, zone)}.")

    async def _move_waiting(self, tx: Transaction, address: Address) -> None:
        """Give what waits for their quiet hours its time by the clock that is theirs now."""
        for message in await tx.messages.find_outbound_to(address, (State.WAITING,)):
            if message.due_at is None or message.origin is Origin.SCHEDULE:
                continue
            conversation = await tx.conversations.get(message.conversation_id)
            now = self._clock.now()
            quiet = find_quiet_hours(self._policy.quiet_hours, now, await find_zones(tx, conversation.parties.theirs))
            due_at = max(now if quiet is None else quiet.opens_at, self._find_hold_end(message))
            if await tx.queue.hasten(send_key(message.id, message.turn), due_at):
                await tx.messages.update(message.id, due_at=due_at)
                await enqueue_mark(tx, message.id, self._chance.token())

    def _find_hold_end(self, message: Message) -> datetime:
        return message.created_at + (self._policy.hold if message.origin is Origin.THREAD else timedelta(0))

    async def show_contact(self, job: Job) -> None:
        """Bring what the card of a conversation says of its people up to date. Transaction: that it is done."""
        conversation_id = ConversationId(read_body(job)["conversation"])
        async with self._store.reading() as view:
            conversation = await view.conversations.get(conversation_id)
            contacts = await find_contacts(view, conversation.parties.theirs)
        try:
            await self._rewrite(conversation, contacts)
        except SlackRefused as error:
            _log.info("A card cannot tell who somebody is.", word=error.error)
        async with self._store.transaction("show contact") as tx:
            await tx.queue.finish(job)

    async def _rewrite(self, conversation: Conversation, contacts: Mapping[Address, Contact]) -> None:
        if conversation.thread_ts is None:
            return  # there is no card yet, or no more; the next one says it
        channel_id, ts = conversation.channel_id, conversation.thread_ts
        card: Mapping[str, object] | None = await self._cards.find_card(channel_id, ts)
        blocks = card.get("blocks") if card is not None else None
        if card is None or not isinstance(blocks, list) or not blocks:
            return
        text, heading = wording.card_heading(conversation, region=self._policy.region, contacts=contacts)
        rest: list[Block] = [block for block in blocks[1:] if block.get("block_id") != CONTACT_BLOCK]
        said = str(card["text"]).partition(": ")[2]
        zones = wording.zone_line(contacts)
        changed = [heading, *rest, *([zones] if zones else [])]
        await self._cards.change_card(channel_id, ts, f"{text}: {said}" if said else text, changed)
