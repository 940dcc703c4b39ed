"""
The program on in-memory platforms: the real handlers, flows, workers and store, put together as `bot.app` does.

A `World` outlives the program: the file, the clock, both platforms, and what they have not got an answer to yet. A `Bench`
is one life of the program in it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar, cast

from aiohttp import web

from bot.chance import SeededChance
from bot.clock import ManualClock
from bot.domain.delivery import DeliveryStatus
from bot.domain.job import Kind, Pool
from bot.domain.phone import Address
from bot.domain.policy import Policy, ThreadMode
from bot.flows.assembly import Surroundings, assemble_flows
from bot.flows.fetching import Fetching
from bot.flows.preparing import Preparing
from bot.flows.sharing import Sharing
from bot.observe import Metrics
from bot.workers.pacing import Pacer
from bot.workers.worker import Worker
from handlers.media import MediaFiles
from handlers.slack import SlackRequests
from handlers.telnyx import CarrierWebhook
from handlers.verify import CarrierVerifier, SlackVerifier
from storage.inbox import GroupedInbox
from storage.moments import from_micros, to_micros
from storage.queue import Bell, WorkbenchRows
from tests.doubles.border import Border, Crash
from tests.doubles.carrier import CarriedText, EmptyAccount, MemoryCarrier, StillPulses, describe
from tests.doubles.direct import BorderDatabase, BorderStore, DirectExecutor, copy_file, open_database
from tests.doubles.files import FolderShelf, MemoryCarrierMedia, MemoryFiles, StampingPictures
from tests.doubles.pace import EasyPace
from tests.doubles.slack import CHANNEL, TEAM, MemorySlack

T = TypeVar("T")
Json = dict[str, Any]

OURS = Address("+13125550142")
ANA = Address("+17735550118")
BOB = Address("+14155550163")
CEM = Address("+12065550171")

#: As many at once as in `bot.app`, within reason: enough that jobs of one pool overtake each other where they can.
_LIMIT = 4
#: How often the clock is moved on to what is due next before a world that does not come to rest is called so.
_MOST_WAITS = 400
_DUE = "SELECT DISTINCT pool FROM jobs WHERE status = 'ready' AND due_at <= ?"
_NEXT = """
SELECT MIN(CASE status WHEN 'ready' THEN due_at END), MIN(CASE status WHEN 'running' THEN lease_until END)
FROM jobs WHERE status IN ('ready', 'running')"""
#: One for all lives: making the figures anew each time would take longer than a life.
_METRICS = Metrics()


def make_policy() -> Policy:
    """Return the plainest rules."""
    return Policy(
        our_number=OURS,
        channels={OURS: CHANNEL},
        default_channel=CHANNEL,
        profile_id=None,
        region="US",
        thread_mode=ThreadMode.REPLY,
        hold=timedelta(0),
        notice_after=timedelta(minutes=10),
        quiet_hours=None,
        webhook_base="https://bridge.example",
    )


@dataclass(slots=True, kw_only=True)
class Taken:
    """Between when and when we took something in: places in the world's order of events, 0 for not yet."""

    began: int = 0  #: When it was first offered.
    stored: int = 0  #: When it was first answered 200.


@dataclass(slots=True, kw_only=True)
class Request:
    """What a platform sends us until it is answered 200."""

    body: Json
    reference: str | None = None  #: In the address, of a receipt.
    answered: bool = False
    taken: Taken = field(default_factory=Taken)  #: Shared with its repetitions.

    @property
    def is_carriers(self) -> bool:
        return "data" in self.body


@dataclass(slots=True)
class World:
    """Everything outside the process."""

    folder: Path
    template: Path
    policy: Policy = field(default_factory=make_policy)
    border: Border = field(default_factory=Border)
    clock: ManualClock = field(default_factory=ManualClock)
    slack_pace: EasyPace = field(default_factory=EasyPace)
    chance: SeededChance = field(default_factory=lambda: SeededChance(11))
    requests: list[Request] = field(default_factory=list)  #: All that ever were, in the order in which they came up.
    hands_on: bool = True  #: Whether jobs are begun where they are made, or each waits to be claimed.
    lives: int = 0
    _numbers: int = 0
    slack: MemorySlack = field(init=False)
    carrier: MemoryCarrier = field(init=False)
    carrier_media: MemoryCarrierMedia = field(init=False)
    shelf: FolderShelf = field(init=False)
    files: MemoryFiles = field(init=False)

    def __post_init__(self) -> None:
        self.slack = MemorySlack(self.border, self.clock)
        self.carrier = MemoryCarrier(self.border, self.clock)
        self.carrier_media = MemoryCarrierMedia(self.border)
        self.shelf = FolderShelf(self.border, self.folder / "media")
        self.files = MemoryFiles(self.border, self.slack)

    @property
    def unanswered(self) -> list[Request]:
        """Those requests that have not been answered 200, oldest first."""
        return [request for request in self.requests if not request.answered]

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def text_in(
        self,
        sender: Address,
        text: str,
        *,
        to: Address = OURS,
        others: Collection[Address] = (),
        media: Collection[str] = (),
    ) -> Request:
        """Let a customer text us."""
        number = self._number()
        payload = {
            "id": f"inbound-{number}",
            "direction": "inbound",
            "type": "MMS" if others or media else "SMS",
            "from": {"phone_number": sender},
            "to": [{"phone_number": to, "status": "webhook_delivered"}],
            "cc": [{"phone_number": other} for other in others],
            "text": text,
            "media": [{"url": url, "content_type": "image/jpeg"} for url in media],
        }
        return self._ask_carriers("message.received", payload, None)

    def report(self, text: CarriedText, status: DeliveryStatus | None = None) -> Request:
        """Let the carrier send a receipt: `message.sent` for SENT, else the final one; by default as its fate will be."""
        status = status or text.fate
        event_type = "message.sent" if status is DeliveryStatus.SENT else "message.finalized"
        return self._ask_carriers(event_type, describe(text, status), text.reference)

    def _ask_carriers(self, event_type: str, payload: Json, reference: str | None) -> Request:
        data = {
            "event_type": event_type,
            "id": f"event-{self._number()}",
            "occurred_at": self.clock.now().isoformat(),
            "record_type": "event",
            "payload": payload,
        }
        request = Request(body={"data": data}, reference=reference)
        self.requests.append(request)
        return request

    def tell(self, event: Json) -> Request:
        """Let Slack send us *event*."""
        request = Request(
            body={"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{self._number()}", "event": event}
        )
        self.requests.append(request)
        return request

    def repeat(self, request: Request, *, new_id: bool = False) -> Request:
        """Let the platform send something once more: as it was, or the same message under a new event id."""
        body = json.loads(json.dumps(request.body))
        if new_id:
            number = self._number()
            if request.is_carriers:
                body["data"]["id"] = f"event-{number}"
            else:
                body["event_id"] = f"Ev{number}"
        repeated = replace(request, body=body, answered=False)
        self.requests.append(repeated)
        return repeated


async def _refuse(*_: object) -> web.Response:
    """Stand for slack-bolt, which no story asks: commands are given to the flows directly."""
    raise AssertionError("a command")


class _Trusting:
    """Takes every signature for genuine: signatures are tested elsewhere."""

    def is_genuine(self, *_: object) -> bool:
        return True


class _Incoming:
    """As much of `aiohttp.web.Request` as the handlers look at."""

    content_type = "application/json"

    def __init__(self, request: Request) -> None:
        self.headers: dict[str, str] = {}
        self.query = {} if request.reference is None else {"ref": request.reference}
        self._raw = json.dumps(request.body).encode()

    async def read(self) -> bytes:
        return self._raw


class _Fetch:
    """As much of a request for a file as its handler looks at."""

    def __init__(self, address: str) -> None:
        _, _, place = address.partition("/media/")
        token, _, filename = place.partition("/")
        self.match_info = {"token": token, "filename": filename}


class Bench:
    """One life of the program."""

    def __init__(self, world: World, database: BorderDatabase) -> None:
        self.world = world
        self._database = database
        policy, clock, chance = world.policy, world.clock, world.chance
        bell = Bell()
        store = self.store = BorderStore(database, bell, clock)
        self.workbench = WorkbenchRows(database, bell, clock, chance)
        self._inbox = GroupedInbox(database, bell, clock)
        flows = assemble_flows(
            Surroundings(
                store=store,
                carrier=world.carrier,
                account=EmptyAccount(),
                pulses=StillPulses(),
                threads=world.slack,
                cards=world.slack,
                directory=world.slack,
                home_tab=world.slack,
                slack_pace=world.slack_pace,
                carrier_pace=Pacer(clock, learned=True),
                policy=policy,
                clock=clock,
                chance=chance,
                metrics=_METRICS,
            )
        )
        self.texting, self.optouts, self.schedules = flows.texting, flows.optouts, flows.schedules
        self.reconcile = flows.reconcile
        self.decisions, self.contacts = flows.decisions, flows.contacts
        fetching = Fetching(store=store, carrier_media=world.carrier_media, shelf=world.shelf, clock=clock)
        sharing = Sharing(
            store=store,
            files=world.files,
            threads=world.slack,
            shelf=world.shelf,
            placing=flows.placing,
            clock=clock,
            chance=chance,
        )
        preparing = Preparing(
            store=store,
            files=world.files,
            shelf=world.shelf,
            pictures=StampingPictures(),
            policy=policy,
            clock=clock,
            chance=chance,
        )
        by_kind = {
            **flows.by_kind,
            Kind.FETCH_MEDIA: fetching.fetch_media,
            Kind.UPLOAD_MEDIA: sharing.upload_media,
            Kind.SHARE_MEDIA: sharing.share_media,
            Kind.PREPARE_MEDIA: preparing.prepare_media,
        }
        self._workers = {
            pool: Worker(
                pool,
                by_kind,
                self.workbench,
                joint_flows=flows.joint_by_kind,
                limit=_LIMIT,
                clock=clock,
                chance=chance,
                metrics=_METRICS,
            )
            for pool in Pool
        }
        self._from_carrier = CarrierWebhook(
            verifier=cast("CarrierVerifier", _Trusting()),
            inbox=self._inbox,
            region=policy.region,
            clock=clock,
            metrics=_METRICS,
        )
        self._from_slack = SlackRequests(
            verifier=cast("SlackVerifier", _Trusting()),
            inbox=self._inbox,
            dispatch=_refuse,
            clock=clock,
            metrics=_METRICS,
        )
        self._media = MediaFiles(store=store, shelf=world.shelf, clock=clock, metrics=_METRICS)
        self._others = asyncio.all_tasks()
        self._inbox_task = asyncio.create_task(self._inbox.run(), name="inbox")

    # --- Life and death

    @classmethod
    async def open(cls, world: World) -> Bench:
        """Start the program: what an earlier life left running is taken up."""
        world.lives += 1
        world.border.dead = False
        asyncio.get_running_loop().set_default_executor(DirectExecutor())
        path = world.folder / "textbridge.db"
        copy_file(world.template, path)
        database = await open_database(path, world.border)
        bench = cls(world, database)
        try:
            await bench.workbench.sweep(everything=True)
        except Crash:
            await bench.end()
            return await cls.open(world)
        return bench

    async def end(self) -> None:
        """Die without a word: every task ends where it is, and all that is in memory is gone."""
        self.world.border.dead = True
        tasks = [task for task in asyncio.all_tasks() - self._others if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._database.close()

    # --- Requests

    async def deliver(self, request: Request) -> bool:
        """Let the platform send *request*, and return whether we answered 200."""
        if request.answered:
            return True
        world = self.world
        request.taken.began = request.taken.began or next(world.border.sequence)
        handle = self._from_carrier.handle if request.is_carriers else self._from_slack.handle
        answering = asyncio.ensure_future(handle(cast("web.Request", _Incoming(request))))
        await asyncio.wait({answering, self._inbox_task}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            answering.cancel()
        (answer,) = await asyncio.gather(answering, return_exceptions=True)
        if isinstance(answer, web.StreamResponse) and answer.status == HTTPStatus.OK:
            # This went out even if the process died just then.
            request.taken.stored = request.taken.stored or next(world.border.sequence)
            request.answered = True
        if world.border.dead:
            raise Crash
        if isinstance(answer, BaseException):
            raise answer
        return request.answered

    async def serve(self, address: str) -> bytes:
        """Let the carrier fetch a file that goes with a text; returns its bytes."""
        answer = await self._media.handle(cast("web.Request", _Fetch(address)))
        assert isinstance(answer, web.FileResponse), f"{answer.status} for {address}"
        return answer._path.read_bytes()

    # --- Work

    async def work(self, *pools: Pool) -> None:
        """Do all that is due now in *pools* (all of them unless told), and what comes of it."""
        now = to_micros(self.world.clock.now())
        workers = [self._workers[pool] for pool in Pool if not pools or pool in pools]
        for worker in workers if self.world.hands_on else ():
            worker.open()
        try:
            # What one hands to another is done by it though nothing of its pool is due.
            while {Pool(name) for (name,) in await self.read(_DUE, now)} & set(pools or Pool):
                await asyncio.gather(*(worker.drain() for worker in workers))
                await asyncio.gather(*(worker.rest() for worker in workers))
        finally:
            for worker in workers:
                worker.close()
        if self.world.border.dead:  # of a job that nobody waited for
            raise Crash

    async def read(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query on the file."""
        return [tuple(row) for row in await self._database.read(sql, parameters)]

    async def wait_for_next(self) -> bool:
        """Move the clock on to what is due next, here or at the carrier; False if nothing is."""
        world = self.world
        [(due, lease)] = await self.read(_NEXT)
        moments = [] if due is None else [from_micros(due)]
        if lease is not None:
            moments.append(from_micros(lease) + timedelta(seconds=1))
        if (held := world.carrier.next_held()) is not None:
            moments.append(held)
        if not moments:
            return False
        await world.clock.advance(max(min(moments) - world.clock.now(), timedelta(0)))
        if lease is not None:
            await self.workbench.sweep(everything=False)
        world.carrier.pass_time()
        return True


class Life:
    """The program, started again whenever it dies. What was asked of it is asked again, as the platforms do."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.bench: Bench | None = None

    async def start(self) -> Bench:
        """Return the living program, started if need be."""
        if self.bench is None:
            self.bench = await Bench.open(self.world)
        return self.bench

    async def stop(self) -> None:
        """End it, however it stands."""
        if self.bench is not None:
            await self.bench.end()
            self.bench = None

    async def do(self, work: Callable[[Bench], Awaitable[T]]) -> T:
        """Have *work* done; if the program dies of it, start it and have it done again."""
        while True:
            bench = await self.start()
            try:
                return await work(bench)
            except Crash:
                await self.stop()

    async def deliver_all(self) -> None:
        """Bring every unanswered request, in order, each until it is answered 200."""
        for request in self.world.unanswered:
            while not await self.do(lambda bench, request=request: bench.deliver(request)):  # type: ignore[misc]
                pass

    async def settle(self, *, spare: timedelta | None = None) -> None:
        """Bring every request and do all work, letting the time pass that it takes; at most *spare*, where told."""
        until = None if spare is None else self.world.clock.now() + spare
        for _ in range(_MOST_WAITS):
            await self.deliver_all()
            await self.do(lambda bench: bench.work())
            if self.world.unanswered:
                continue
            if until is not None and not await self.do(lambda bench: _is_due_before(bench, until)):
                return
            if not await self.do(lambda bench: bench.wait_for_next()):
                return
        raise AssertionError("the world does not come to rest")


async def _is_due_before(bench: Bench, until: datetime) -> bool:
    [(due, _)] = await bench.read(_NEXT)
    return due is not None and from_micros(due) <= until
