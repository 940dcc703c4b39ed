"""
Finding what was missed: on start, and now and then.

The carrier tries a webhook three times and then no more; Slack's events come for a while. What neither could bring is
found by asking: the carrier's records of inbound texts, its word on texts of ours without a final receipt, the newest
replies in live threads, and the carrier's list of opt-outs. Whatever is found takes the same way as if it had come by
itself, so what comes after all is recognised and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from bot.clock import Clock
from bot.domain.carrier_events import Receipt, read_copies
from bot.domain.carrier_lanes import inbound_lane
from bot.domain.conversation import Conversation
from bot.domain.ids import CarrierMessageId
from bot.domain.job import Kind, NewJob, Pool
from bot.domain.policy import Policy
from bot.domain.stored_event import write_stored
from bot.errors import Busy, CarrierRefused, Paced, RetryLater, SlackRefused
from bot.flows.optouts import Optouts
from bot.flows.receipts import Receipts
from bot.flows.senders import Senders
from bot.flows.strays import recover_replies
from bot.observe import Log
from bot.ports import Carrier, InboundRecord, Store, Threads

_log = Log("reconcile")

#: How often the platforms are asked.
EVERY = timedelta(minutes=10)
#: What is younger than this may still come by itself.
GRACE = timedelta(minutes=2)
#: After the first look at what came while nobody was here.
_SECOND_LOOK = GRACE + timedelta(seconds=15)
#: Records may show late: each look goes back a little further than the one before ended.
_OVERLAP = timedelta(minutes=10)
#: A text of ours without a final receipt is asked about from this age on, while the carrier still knows it.
_SILENT_FROM = timedelta(hours=1)
_SILENT_UNTIL = timedelta(days=9, hours=12)
_ASK_AGAIN = timedelta(hours=6)
_MOST_ASKED = 50
#: In which threads replies are looked for, and how old a reply may be that is still sent.
_LIVE = timedelta(days=7)
_REPLY_MAY_BE = timedelta(hours=24)
_MOST_THREADS = 100
#: Times that one thread is waited for.
_MOST_WAITS = 5

_BEGUN = "first_reconciled_at"
_TEXTS_UNTIL = "texts_reconciled_until"
_REPLIES_UNTIL = "replies_reconciled_until"


class Reconcile:
    """Asks, and hands on what it finds."""

    def __init__(
        self,
        *,
        store: Store,
        carrier: Carrier,
        threads: Threads,
        receipts: Receipts,
        optouts: Optouts,
        senders: Senders,
        policy: Policy,
        clock: Clock,
    ) -> None:
        self._store = store
        self._carrier = carrier
        self._threads = threads
        self._receipts = receipts
        self._optouts = optouts
        self._senders = senders
        self._policy = policy
        self._clock = clock
        self._asked_at: dict[CarrierMessageId, datetime] = {}

    async def run(self) -> None:
        """
        Reconcile at once, then every EVERY, until cancelled.

        What came while nobody was here is too young for the first look, so the carrier's texts have one more soon after it.
        """
        began = self._clock.monotonic()
        await self.reconcile()
        await self._clock.sleep(_SECOND_LOOK)
        await self._try_part("texts", self.recover_texts)
        spent = timedelta(seconds=self._clock.monotonic() - began)
        await self._clock.sleep(max(EVERY - spent, timedelta()))
        while True:
            await self.reconcile()
            await self._clock.sleep(EVERY)

    async def reconcile(self) -> None:
        """Ask about everything once. A platform that does not answer is asked next time."""
        parts: Mapping[str, Callable[[], Awaitable[int]]] = {
            "texts": self.recover_texts,
            "receipts": self.ask_about_silent,
            "replies": self.recover_replies,
            "opt-outs": self._optouts.synchronise,
            "senders": self._senders.refresh,
        }
        for part, work in parts.items():
            await self._try_part(part, work)

    async def _try_part(self, part: str, work: Callable[[], Awaitable[int]]) -> None:
        try:
            found = await work()
        except (RetryLater, CarrierRefused, SlackRefused) as error:
            _log.warning("Something could not be reconciled; it is asked again.", part=part, trouble=error.log)
        else:
            if found:
                _log.warning("Something had been missed and is recovered.", part=part, found=found)

    # --- From the carrier

    async def recover_texts(self) -> int:
        """
        Have texts read whose webhooks never came; return how many. Transactions: one for each, and the cursor with each page.

        So whoever was away for long, and is stopped while it looks, need not begin again.
        """
        now = self._clock.now()
        begun = await self._read_cursor(_BEGUN)
        if begun is None:  # the first start: what was before it is not ours to show
            await self._write_cursor(_BEGUN, now)
            await self._write_cursor(_TEXTS_UNTIL, now)
            return 0
        until = await self._read_cursor(_TEXTS_UNTIL) or begun
        since = max(until - _OVERLAP, begun)
        found = 0
        async for records in self._carrier.list_inbound(since=since):
            for record in sorted(records, key=lambda record: record.created_at):
                if since <= record.created_at <= now - GRACE and record.ours in self._policy.our_numbers:
                    found += await self._recover_text(record)
            moments = [record.created_at for record in records]
            if moments and moments == sorted(moments) and until < moments[-1] < now - GRACE:
                until = moments[-1]
                await self._write_cursor(_TEXTS_UNTIL, until)
        await self._write_cursor(_TEXTS_UNTIL, max(until, now - GRACE))
        return found

    async def _recover_text(self, record: InboundRecord) -> bool:
        async with self._store.reading() as view:
            if await view.messages.find_by_carrier_id(record.carrier_id) is not None:
                return False
        payload = await self._carrier.find_message(record.carrier_id)
        if payload is None:
            _log.error("A text was missed, and the carrier no longer has its words.", carrier_id=record.carrier_id)
            return False
        event = {
            "data": {
                "id": f"recovered:{record.carrier_id}",
                "event_type": "message.received",
                "occurred_at": record.created_at.isoformat(),
                "payload": dict(payload),
            }
        }
        async with self._store.transaction("recover text") as tx:
            return await tx.queue.enqueue(
                NewJob(
                    kind=Kind.CARRIER_EVENT,
                    pool=Pool.CARRIER_IN,
                    key=f"telnyx:recovered:{record.carrier_id}",
                    lane=inbound_lane(record.sender),
                    body=write_stored(json.dumps(event), event, recovered=True),
                )
            )

    async def ask_about_silent(self) -> int:
        """Ask the carrier about texts of ours whose end is not known. Always returns 0: nothing of this was missed."""
        now = self._clock.now()
        async with self._store.reading() as view:
            silent = await view.messages.find_silent(since=now - _SILENT_UNTIL, until=now - _SILENT_FROM)
        asked = 0
        for message in silent:
            carrier_id = message.carrier_id
            before = None if carrier_id is None else self._asked_at.get(carrier_id)
            is_early = message.due_at is not None and message.due_at > now - _SILENT_FROM
            if carrier_id is None or is_early or (before is not None and now - before < _ASK_AGAIN):
                continue
            if asked >= _MOST_ASKED:
                break
            asked += 1
            self._asked_at[carrier_id] = now
            record = await self._carrier.find_message(carrier_id)
            if record is not None:
                receipt = Receipt(carrier_id=carrier_id, sender=None, copies=read_copies(record, now))
                await self._receipts.record_receipt(receipt, message.id)
        self._asked_at = {known: at for known, at in self._asked_at.items() if now - at < _ASK_AGAIN}
        if asked:
            _log.info("The carrier was asked about texts that it had fallen silent on.", texts=asked)
        return 0

    # --- From Slack

    async def recover_replies(self) -> int:
        """Have replies read whose events never came; return how many. Transactions: one for each thread, the cursor."""
        now = self._clock.now()
        until = await self._read_cursor(_REPLIES_UNTIL)
        if until is None:
            await self._write_cursor(_REPLIES_UNTIL, now)
            return 0
        since = max(until - _OVERLAP, now - _REPLY_MAY_BE)
        async with self._store.reading() as view:
            conversations = await view.conversations.list_active(since=now - _LIVE, limit=_MOST_THREADS)
        found = 0
        for conversation in conversations:
            found += await self._be_patient(partial(self._recover_from_thread, conversation, since, now - GRACE))
        await self._write_cursor(_REPLIES_UNTIL, max(until, now - GRACE))
        return found

    async def _be_patient(self, ask: Callable[[], Awaitable[int]]) -> int:
        """Return what *ask* does; there are more threads than Slack lets us look into in a minute."""
        for _ in range(_MOST_WAITS):
            try:
                return await ask()
            except (Busy, Paced) as error:
                await self._clock.sleep(error.after or timedelta(seconds=1))
        return await ask()

    async def _recover_from_thread(self, conversation: Conversation, since: datetime, until: datetime) -> int:
        if conversation.thread_ts is None:
            return 0
        return await recover_replies(
            self._store,
            self._threads,
            conversation.channel_id,
            conversation.thread_ts,
            since=since,
            until=until,
        )

    async def _read_cursor(self, name: str) -> datetime | None:
        async with self._store.reading() as view:
            value = await view.facts.find_fact(name)
        return None if value is None else datetime.fromisoformat(value)

    async def _write_cursor(self, name: str, moment: datetime) -> None:
        async with self._store.transaction("move cursor") as tx:
            await tx.facts.set_fact(name, moment.isoformat())
