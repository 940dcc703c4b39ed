"""
The whole bridge, over real HTTP, between a simulated Slack and a simulated carrier, with a clock that the test holds.

Nothing here sleeps in order to wait: whatever happens at the simulators or is committed by the bridge wakes the test,
which then looks again.
"""

from __future__ import annotations

import asyncio
import inspect
import io
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from bot.app import Bridge, open_bridge
from bot.listening import listen
from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.journal import Journal
from bot.sandbox.slack_sim import Answer, SlackSim
from bot.sandbox.telnyx_sim import TelnyxSim
from bot.serve import open_door
from bot.settings import Settings, load_settings
from bot.works import Works
from handlers.gate import GATE
from tests import overheard
from tests.bridge.moving_clock import MovingClock

OURS = "+13125550100"
OURS_TOO = "+13125550111"
ANA = "+14155550101"
BEN = "+14155550102"
CAT = "+14155550103"
PROFILE = "40000000-0000-4000-8000-000000000001"
CHANNEL = "C0TEXTS"
BOT_TOKEN = "xoxb-made-up-bot-token"
SIGNING_SECRET = "made-up-signing-secret"
API_KEY = "KEYmade-up-api-key"

#: How long a test waits, in real seconds, for what must come.
DEADLINE = 12.0

#: Where there is a file system in memory, the database stands there: a hundred tests need no disk to survive them.
_FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a fresh folder is made in it

_UNFINISHED = """
SELECT kind, key, status, attempts, trouble FROM jobs WHERE status IN ('waiting', 'ready', 'running', 'parked')"""
_AT_WORK = "SELECT 1 FROM jobs WHERE status = 'running' OR (status = 'ready' AND due_at <= ?) LIMIT 1"

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Bench:
    """Everything that a test needs to act as customers, teammates and platforms, and to look at what came of it."""

    slack: SlackSim
    telnyx: TelnyxSim
    journal: Journal
    clock: MovingClock
    settings: Settings
    alice: str
    channel: str = CHANNEL
    http: aiohttp.ClientSession
    port: int = 0
    bridge: Bridge = field(init=False)
    works: Works = field(init=False)
    happened: asyncio.Event = field(default_factory=asyncio.Event)
    _running: AsyncExitStack | None = None

    # ------------------------------------------------------------------------------------------ the bridge

    @property
    def url(self) -> str:
        """Where the bridge listens."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Open the bridge, on the port that it had before, and tell the platforms where it is."""
        async with AsyncExitStack() as stack:
            bound = listen("127.0.0.1", self.port)
            stack.callback(bound.close)
            self.port = bound.getsockname()[1]
            self.bridge = await stack.enter_async_context(open_bridge(self.settings, clock=self.clock, port=self.port))
            self._hear_commits()
            await self.bridge.start()
            self.works = await self.bridge.open_works()
            stack.callback(self._cut_connections)
            await stack.enter_async_context(open_door(self.bridge.web, bound, patience=timedelta(seconds=0.05)))
            stack.push_async_callback(self._break_off)
            self._running = stack.pop_all()
        self.slack.request_url = f"{self.url}/slack/events"
        self.telnyx.profile_webhook_url = f"{self.url}/webhooks/telnyx"

    def _hear_commits(self) -> None:
        bell = self.bridge.ground.bell
        ring = bell.ring

        def ring_and_tell(pools: Iterable[str]) -> None:
            ring(pools)
            self.happened.set()

        bell.ring = ring_and_tell  # type: ignore[method-assign]

    async def _break_off(self) -> None:
        """End every task at once, wherever it is, as a crash would: no patience, no last word to the database."""
        for worker in self.works.workers.values():
            for task in worker._running:
                task.cancel()
        await self.bridge.supervisor.stop()

    def _cut_connections(self) -> None:
        """Close whatever is open still, an answer that nobody reads too, as the kernel does for a process that died."""
        for connection in list(self.bridge.web[GATE]._open.values()):
            connection.cut()

    async def crash(self) -> None:
        """Let the bridge die."""
        if self._running is not None:
            await self._listen_back()
            running, self._running = self._running, None
            await running.aclose()

    async def _listen_back(self) -> None:
        """Tell what was written so far, which no log may tell, and look at the labels of all figures."""
        overheard.hear(row["text"] for row in await self.query("SELECT text FROM messages"))
        leak = overheard.find_leak_in_labels(self.bridge.ground.metrics.render().decode())
        assert leak is None, f"a metric's label tells what is nobody's to know: {leak}"

    async def restart(self) -> None:
        """Let the bridge die, and start another on the same database and port."""
        await self.crash()
        await self.start()

    # ------------------------------------------------------------------------------------------ waiting

    async def wait_until(
        self, predicate: Callable[[], Any] | Callable[[], Awaitable[Any]], seconds: float = DEADLINE
    ) -> Any:
        """Return the first true value of *predicate*, which is asked again whenever anything has happened."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    self.happened.clear()
                    found = predicate()
                    if inspect.isawaitable(found):
                        found = await found
                    if found:
                        return found
                    await self.happened.wait()
        raise AssertionError(f"not within {seconds} s\n{await self.describe()}")

    async def settle(self) -> None:
        """Return once nothing is under way anywhere; what waits for a later moment does not count."""
        await self.wait_until(self._is_quiet)

    async def _is_quiet(self) -> bool:
        for _ in range(2):  # what the one simulator does may set the other going
            await self.slack.settle()
            await self.telnyx.settle()
            if self._running is not None and await self.query(_AT_WORK, int(self.clock.now().timestamp() * 1_000_000)):
                return False
        return True

    async def finish(self) -> None:
        """Return once nothing is left to be done at any later moment either. The clock must be a fast one."""
        await self.settle()
        await self.wait_until(self._is_done)

    async def _is_done(self) -> bool:
        return await self._is_quiet() and not await self.query(_UNFINISHED)  # a receipt may still be on its way

    async def pass_time(self, span: timedelta) -> None:
        """Let *span* pass once all is quiet, and wait until all is quiet again."""
        await self.settle()
        self.clock.leap(span)
        await self.settle()

    async def query(self, sql: str, *parameters: object) -> list[Any]:
        """Return rows of the bridge's database."""
        return list(await self.bridge.ground.database.read(sql, parameters))

    async def describe(self) -> str:
        """Return what happened last, and what is still to be done."""
        lines = [
            f"{each.source}>{each.target} {each.operation} {each.status} {each.detail}"
            for each in list(self.journal.exchanges)[-25:]
        ]
        if self._running is not None:
            lines += [str(tuple(row)) for row in await self.query(_UNFINISHED)]
        return "\n".join(lines)

    # ------------------------------------------------------------------------------------------ customers

    async def text_in(self, text: str | None, *, from_: str = ANA, to: str = OURS, **more: Any) -> str:
        """Text one of our numbers; returns the carrier's id of it."""
        return await self.telnyx.text_in(from_=from_, to=to, text=text, **more)

    def phone(self, number: str = ANA) -> list[str | None]:
        """Return what *number* got from us, without the carrier's own answers and what others of a group wrote."""
        ours = {send.message_id for send in self.telnyx.sends}
        return [text.text for text in self.telnyx.phone(number) if text.message_id in ours]

    # ------------------------------------------------------------------------------------------ teammates

    async def open_thread(
        self, text: str = "Hello", *, from_: str = ANA, to: str = OURS, channel: str = CHANNEL
    ) -> str:
        """Have a customer text for the first time; returns the root's ts."""
        before = {message["ts"] for message in self.slack.messages(channel)}
        await self.text_in(text, from_=from_, to=to)
        await self.settle()
        (root,) = [message for message in self.slack.messages(channel) if message["ts"] not in before]
        return str(root["ts"])

    async def reply(self, text: str, root: str, *, user: str = "", **more: Any) -> str:
        """Write *text* into the thread *root*; returns its ts."""
        return await self.slack.post(user or self.alice, self.channel, text, thread_ts=root, **more)

    async def edit(self, ts: str, words: str, **more: Any) -> None:
        """Make *words* of a message of Alice's, and wait until all is quiet."""
        await self.slack.edit(self.alice, self.channel, ts, words, **more)
        await self.settle()

    async def use_shortcut(self, ts: str, name: str, *, user: str = "") -> str:
        """Choose a message's shortcut *name*; returns what was then said privately."""
        answer = await self.slack.shortcut(user or self.alice, self.channel, ts, name)
        assert answer.status == 200, answer
        await self.settle()
        return str(self.slack.ephemerals(user or self.alice)[-1]["text"])

    async def command(self, command: str, text: str = "", *, user: str = "") -> str:
        """Type a slash command; returns the private answer, blocks and all. It must be answered 200."""
        overheard.hear([text, *(text.split(maxsplit=1)[1:] if command == "/sms" else ())])
        answer = await self.slack.command(user or self.alice, self.channel, command, text)
        assert answer.status == 200, answer
        return read_answer(answer)

    async def click(self, shown: Mapping[str, Any], label: str, *, user: str = "") -> str:
        """Press the button *label* on a message or a private line as *shown*; returns what was then said privately."""
        user = user or self.alice
        before = len(self.slack.ephemerals(user))
        old = [each["text"] for each in self.slack.ephemerals(user)]
        button = find_button(shown, label)
        answer = await self.slack.click(user, self.channel, shown["ts"], button["action_id"])
        assert answer.status == 200, answer
        await self.settle()
        now = [each["text"] for each in self.slack.ephemerals(user)]
        if len(now) > before:
            return str(now[-1])
        return next((text for text, earlier in zip(now, old, strict=False) if text != earlier), "")

    def thread(self, root: str, channel: str = "") -> list[str]:
        """Return the texts of a thread, the root's first."""
        return [message["text"] for message in self.slack.thread(channel or self.channel, root)]

    def shown(self, part: str, channel: str = "") -> list[Json]:
        """Return every message of the channel and its threads whose text holds *part*, oldest first."""
        place = self.slack.workspace.channels[channel or self.channel]
        return [self.slack.message(place.id, ts) for ts, message in place.messages.items() if part in message.text]

    def whispers(self, part: str = "", *, user: str = "") -> list[Json]:
        """Return the private lines that *user* sees and that hold *part*."""
        return [each for each in self.slack.ephemerals(user or self.alice) if part in read_words(each)]

    def marks(self, ts: str, channel: str = "") -> set[str]:
        """Return our own reactions on a message."""
        found = self.slack.reactions(channel or self.channel, ts)
        return {name for name, users in found.items() if self.slack.bot_user in users}

    async def wait_mark(self, ts: str, mark: str | None) -> None:
        """Wait until *mark* is the only one on a message."""
        await self.wait_until(lambda: self.marks(ts) == ({mark} if mark else set()))

    # ------------------------------------------------------------------------------------------ platforms

    def fail(self, platform: SlackSim | TelnyxSim, kind: FaultKind, operation: str, **more: Any) -> int:
        """Put a fault in force on one of the platforms."""
        return platform.faults.add(Fault(kind=kind, operation=operation, **more))

    def lose_receipts(self) -> None:
        """Have no receipt come, at whatever address."""
        for event in ("message.sent", "message.finalized"):
            self.fail(self.telnyx, FaultKind.LOSE, event)

    @property
    def send_requests(self) -> list[Any]:
        """Every request to send that reached the carrier, whatever became of it."""
        return [request for request in self.telnyx.requests if request.method == "POST" and "/messages" in request.path]

    async def post_signed_by_telnyx(
        self, body: Any, changes: Mapping[str, str | None] | None = None, *, query: str = ""
    ) -> int:
        """POST *body* (bytes, or what JSON is made of) as the carrier would; *changes* replace or drop headers."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **self.telnyx.sign(raw)}
        return await self._post(f"/webhooks/telnyx{query}", raw, headers, changes)

    async def post_signed_by_slack(self, body: Any, changes: Mapping[str, str | None] | None = None) -> int:
        """POST *body* (bytes, or what JSON is made of) as Slack would; *changes* replace or drop headers."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        timestamp = str(int(self.clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": self.slack.courier.sign(raw, timestamp),
        }
        return await self._post("/slack/events", raw, headers, changes)

    async def _post(
        self, path: str, raw: bytes, headers: dict[str, str], changes: Mapping[str, str | None] | None
    ) -> int:
        for name, value in (changes or {}).items():
            headers.pop(name, None)
            if value is not None:
                headers[name] = value
        async with self.http.post(f"{self.url}{path}", data=io.BytesIO(raw), headers=headers) as response:
            await response.read()
            return response.status


def read_words(shown: Mapping[str, Any]) -> str:
    """Return all that a message says: its text and whatever stands in its blocks."""
    return f"{shown.get('text', '')}\n{json.dumps(shown.get('blocks') or [], ensure_ascii=False)}"


def read_answer(answer: Answer) -> str:
    """Return all that the app said to a command."""
    return read_words(answer.body) if isinstance(answer.body, dict) else str(answer.body or "")


def find_button(shown: Mapping[str, Any], label: str) -> Json:
    """Return the button *label* of a message."""
    elements = [
        element
        for block in shown.get("blocks") or []
        for element in [*block.get("elements", []), block.get("accessory") or {}]
    ]
    labels = [element["text"]["text"] for element in elements if element.get("type") == "button"]
    assert label in labels, f"{label!r} is not among {labels}"
    return next(element for element in elements if element.get("type") == "button" and element["text"]["text"] == label)


def list_buttons(shown: Mapping[str, Any]) -> list[str]:
    """Return the labels of a message's buttons."""
    elements = [
        element
        for block in shown.get("blocks") or []
        for element in [*block.get("elements", []), block.get("accessory") or {}]
    ]
    return [element["text"]["text"] for element in elements if element.get("type") == "button"]


class HeardList(list[Any]):
    """A list that tells when something is put into it: the simulator's journal only tells of what it has answered."""

    def __init__(self, happened: asyncio.Event) -> None:
        super().__init__()
        self._happened = happened

    def append(self, item: Any) -> None:
        super().append(item)
        self._happened.set()


@asynccontextmanager
async def open_bench(*, rate: float = 1.0, started: bool = True, **settings: Any) -> AsyncIterator[Bench]:
    """Open both platforms and, if *started*, the bridge between them; *settings* by their field names."""
    clock, journal = MovingClock(rate=rate), Journal()
    slack = SlackSim(bot_token=BOT_TOKEN, signing_secret=SIGNING_SECRET, clock=clock, journal=journal)
    slack.add_channel("texts", id=CHANNEL)
    alice = slack.add_user("alice", "Alice Lee", tz="America/Chicago")
    telnyx = TelnyxSim(
        api_key=API_KEY, profile_id=PROFILE, numbers=[OURS, OURS_TOO], clock=clock, journal=journal, pace=timedelta(0)
    )
    telnyx.switches.webhook_backoff = (timedelta(milliseconds=50), timedelta(milliseconds=50))
    async with AsyncExitStack() as stack:
        stack.callback(clock.close)
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=_FOLDER))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        await slack.start()
        stack.push_async_callback(slack.stop)
        await telnyx.start()
        stack.push_async_callback(telnyx.stop)
        bench = Bench(
            slack=slack,
            telnyx=telnyx,
            journal=journal,
            clock=clock,
            alice=alice,
            http=http,
            settings=load_settings(
                env_file=None,
                **{
                    "slack_bot_token": BOT_TOKEN,
                    "slack_signing_secret": SIGNING_SECRET,
                    "slack_channel": CHANNEL,
                    "telnyx_api_key": API_KEY,
                    "telnyx_public_key": telnyx.public_key,
                    "telnyx_phone_number": OURS,
                    "database_url": f"sqlite:///{Path(folder) / 'textbridge.db'}",
                    "slack_api_url": slack.api_url,
                    "telnyx_api_url": telnyx.url,
                    **settings,
                },
            ),
        )
        slack.listeners.append(lambda _kind, _data: bench.happened.set())
        telnyx.listeners.append(lambda _number, _text: bench.happened.set())
        telnyx._door.requests = HeardList(bench.happened)
        journal.listeners.append(lambda _exchange: bench.happened.set())
        stack.push_async_callback(bench.crash)
        if started:
            await bench.start()
        yield bench
