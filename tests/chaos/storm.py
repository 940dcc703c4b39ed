"""
A storm: the real process between the simulated platforms, killed at random instants while texts and replies flow.

What was answered 200 is owed: each such text must stand in Slack exactly once, each such reply must reach the phone
exactly once, in the order in which they were answered; and a reply whose end was reported and taken must be marked so,
and be known so in the database, whatever else is reported of it before, at the same time, or long after. What was never
answered 200 the platforms know to be lost, and it must not appear twice either. The seed makes the storm: the same
faults at the same moments, as far as the machine's own scheduling allows.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import socket
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path

import aiohttp

from bot.clock import SystemClock
from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.journal import Journal
from bot.sandbox.slack_sim import SlackSim
from bot.sandbox.telnyx_sim import Outcome, OutcomeKind, TelnyxSim
from tests.chaos.both_ends import BothEnds
from tests.chaos.tally import Tally

OURS = "+13125550100"
ROOT = Path(__file__).resolve().parents[2]
_CLOCK = SystemClock()
#: In seconds.
_TELL_EVERY = 30.0
#: Faults after which the carrier has done what was asked without our knowing, and how often no receipt comes, either.
_WORK_DONE = (FaultKind.DROP_ANSWER, FaultKind.FAIL_AFTER)
_NO_WORD = 0.6
#: Among how many of the newest webhooks one is chosen to be told again, and how often a text is to end badly meanwhile.
_REMEMBERED = 400
_BAD_END = 0.05
#: So many replies to one customer may wait; then no more are written, or the calm would last as long as the storm.
_MOST_OWED = 50
_SOON = 4  #: How often posts are held up soon, before they are held up now and then.
#: How texts end that do not simply arrive.
_ENDS = (OutcomeKind.DELIVERY_FAILED, OutcomeKind.EXPIRED, OutcomeKind.SENDING_FAILED, OutcomeKind.DELIVERY_UNCONFIRMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How rough it gets."""

    seed: int
    seconds: float  #: How long the storm lasts, before the calm in which all must arrive.
    customers: int = 12
    kills_every: tuple[float, float] = (1.0, 4.0)  #: Seconds between two SIGKILLs, from and to.
    calm: float = 90.0  #: Seconds that may pass once the storm is over without anything more arriving.


class Storm:
    """One storm; `rage` is the whole of it."""

    def __init__(self, weather: Weather, folder: Path) -> None:
        self._weather = weather
        self._folder = folder
        self._random = random.Random(weather.seed)
        self._port = _find_free_port()
        self._process: asyncio.subprocess.Process | None = None
        self._slack = SlackSim(
            bot_token="xoxb-chaos",
            signing_secret="chaos",
            clock=_CLOCK,
            journal=Journal(kept=50_000),
        )
        self._slack.courier.retry_schedule = tuple(timedelta(seconds=s) for s in (0.2, 1, 3))
        self._telnyx = TelnyxSim(
            api_key="KEYCHAOS",
            profile_id="chaos",
            numbers=[OURS],
            clock=_CLOCK,
            journal=Journal(),
            pace=timedelta(milliseconds=30),
        )
        self._channel = self._slack.add_channel("texts", id="C0CHAOS")
        self._teammate = self._slack.add_user("dana", "Dana", tz="America/Chicago", channels=[self._channel])
        #: How many texts the carrier took for each customer, of the first so many.
        self._sent: Counter[str] = Counter()
        self._roots: dict[str, str] = {}  #: The card of each customer who has one.
        self._spared_until = 0.0  #: Until when the process may live, for what is worth watching to happen.
        self.tally = Tally()
        self._ends = BothEnds(
            slack=self._slack,
            telnyx=self._telnyx,
            channel=self._channel,
            database=folder / "chaos.db",
            clock=_CLOCK,
            tally=self.tally,
        )

    async def rage(self, tell: Callable[[str], None] | None = None) -> Tally:
        """Let it rage, then wait for the calm, and count both ends. *tell* is told now and then how far it is."""
        await self._slack.start()
        await self._telnyx.start()
        self._slack.request_url = f"http://127.0.0.1:{self._port}/slack/events"
        self._telnyx.profile_webhook_url = f"http://127.0.0.1:{self._port}/webhooks/telnyx"
        try:
            await self._launch()
            over = _CLOCK.monotonic() + self._weather.seconds
            async with asyncio.TaskGroup() as group:
                for number in range(self._weather.customers):
                    group.create_task(self._converse(f"+1415555{number:04d}", over))
                group.create_task(self._kill_now_and_then(over))
                group.create_task(self._make_trouble(over))
                group.create_task(self._hold_posts_up(over))
                group.create_task(self._tell_old_news(over))
                if tell is not None:
                    group.create_task(self._tell_how_far(over, tell))
            if tell is not None:
                tell("The storm is over; what is owed is waited for and counted …")
            self._slack.faults.clear()
            self._telnyx.faults.clear()
            await self._ends.wait_for_calm(self._weather.calm)
            await self._ends.count()
        finally:
            await self._end()
            await self._slack.stop()
            await self._telnyx.stop()
        return self.tally

    async def _tell_how_far(self, over: float, tell: Callable[[str], None]) -> None:
        while (left := over - _CLOCK.monotonic()) > _TELL_EVERY:
            await _CLOCK.sleep(timedelta(seconds=_TELL_EVERY))
            tell(f"{left - _TELL_EVERY:5.0f} s to go: {self.tally.describe_briefly()}")

    # --- The process

    async def _launch(self) -> None:
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(ROOT),
            "SLACK_BOT_TOKEN": "xoxb-chaos",
            "SLACK_SIGNING_SECRET": "chaos",
            "SLACK_CHANNEL": self._channel,
            "SLACK_API_URL": self._slack.api_url,
            "TELNYX_API_KEY": "KEYCHAOS",
            "TELNYX_PUBLIC_KEY": self._telnyx.public_key,
            "TELNYX_PHONE_NUMBER": OURS,
            "TELNYX_API_URL": self._telnyx.url,
            "DATABASE_URL": f"sqlite:///{self._folder}/chaos.db",
            "PUBLIC_URL": f"http://127.0.0.1:{self._port}",
            "PORT": str(self._port),
            "LOG_LEVEL": "WARNING",
        }
        with (self._folder / "bot.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", cwd=self._folder, env=environment, stdout=log, stderr=log
            )
        async with aiohttp.ClientSession() as session, asyncio.timeout(30):
            while True:
                try:
                    async with session.get(f"http://127.0.0.1:{self._port}/healthz") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                if self._process.returncode is not None:
                    raise RuntimeError(f"the program ended by itself: {(self._folder / 'bot.log').read_text()[-2000:]}")
                await _CLOCK.sleep(timedelta(milliseconds=50))

    async def _kill(self, number: signal.Signals) -> int:
        process = self._process
        assert process is not None, "launched before it is killed"
        process.send_signal(number)
        return await process.wait()

    async def _end(self) -> None:
        if self._process is not None and self._process.returncode is None:
            status = await self._kill(signal.SIGTERM)
            if status != 0:
                self.tally.wrong.append(f"SIGTERM ended it with status {status}")

    async def _kill_now_and_then(self, over: float) -> None:
        while True:
            wait = self._random.uniform(*self._weather.kills_every)
            if _CLOCK.monotonic() + wait >= over:
                return
            await _CLOCK.sleep(timedelta(seconds=wait))
            spared = self._spared_until - _CLOCK.monotonic()
            if spared > 0:
                await _CLOCK.sleep(timedelta(seconds=spared))
            await self._kill(signal.SIGKILL)
            self.tally.kills += 1
            await self._launch()

    # --- The people

    async def _converse(self, phone: str, over: float) -> None:
        texts = self.tally.texts_owed.setdefault(phone, [])
        replies = self.tally.replies_owed.setdefault(phone, [])
        count = 0
        while _CLOCK.monotonic() < over:
            await _CLOCK.sleep(timedelta(seconds=self._random.uniform(0.02, 0.4)))
            if len(replies) - self._count_sent(phone) > _MOST_OWED:
                continue
            count += 1
            text = f"text {count} from {phone[-4:]}"
            self.tally.texts += 1
            begin, since = len(self._telnyx.webhooks), _CLOCK.now()
            message_id = await self._telnyx.text_in(from_=phone, to=OURS, text=text)
            if await self._until(lambda: self._webhook_fate(message_id, begin)) == "taken":  # noqa: B023 - awaited here
                texts.append(text)
            root = self._find_root(phone)
            if root is None:
                continue
            reply = f"reply {count} to {phone[-4:]}"
            self.tally.replies += 1
            self._ends.places[reply] = await self._slack.post(self._teammate, self._channel, reply, thread_ts=root)
            if await self._until(lambda: self._event_fate(reply, since)) == "taken":  # noqa: B023
                replies.append(reply)

    def _count_sent(self, phone: str) -> int:
        for send in self._telnyx.sends[self._sent.total() :]:
            self._sent[send.to[0]] += 1
        return self._sent[phone]

    def _find_root(self, phone: str) -> str | None:
        if phone not in self._roots:
            for message in self._slack.messages(self._channel):
                if phone in message["text"]:
                    self._roots[phone] = str(message["ts"])
                    break
        return self._roots.get(phone)

    def _webhook_fate(self, message_id: str, begin: int) -> str | None:
        """Tell what became of a text; its first attempt was made after the first *begin* of all."""
        attempts = [
            attempt
            for attempt in self._telnyx.webhooks[begin:]
            if attempt.message_id == message_id and attempt.event_type == "message.received"
        ]
        if any(attempt.status == 200 for attempt in attempts):
            return "taken"
        return "lost" if attempts and attempts[-1].attempt >= 3 else None

    def _event_fate(self, text: str, since: datetime) -> str | None:
        """Tell what became of the event of a reply that was written later than *since*."""
        tries = [
            exchange
            for exchange in takewhile(lambda each: each.at >= since, reversed(self._slack.journal.exchanges))
            if exchange.target == "bot" and (exchange.detail == text or exchange.detail.startswith(f"{text} "))
        ]
        if any(exchange.status == 200 for exchange in tries):
            return "taken"
        return "lost" if len(tries) > len(self._slack.courier.retry_schedule) else None

    async def _until(self, look: Callable[[], str | None]) -> str:
        give_up = _CLOCK.monotonic() + 30
        while _CLOCK.monotonic() < give_up:
            found = look()
            if found is not None:
                return found
            await _CLOCK.sleep(timedelta(milliseconds=20))
        return "lost"

    # --- The trouble

    async def _make_trouble(self, over: float) -> None:
        """Put faults in force, one after another, each for a while or for some requests."""
        kinds: list[tuple[SlackSim | TelnyxSim, FaultKind, str]] = [
            (self._slack, FaultKind.DROP_ANSWER, "chat.postMessage"),
            (self._slack, FaultKind.DROP_REQUEST, "chat.postMessage"),
            (self._slack, FaultKind.FAIL_AFTER, "chat.postMessage"),
            (self._slack, FaultKind.RATE_LIMIT, "chat.postMessage"),
            (self._slack, FaultKind.RATE_LIMIT, "reactions.add"),
            (self._slack, FaultKind.REFUSE, "*"),
            (self._slack, FaultKind.SLOW, "*"),
            (self._slack, FaultKind.REPEAT, "event"),
            (self._telnyx, FaultKind.DROP_ANSWER, "POST /messages"),
            (self._telnyx, FaultKind.DROP_REQUEST, "POST /messages"),
            (self._telnyx, FaultKind.FAIL_AFTER, "POST /messages"),
            (self._telnyx, FaultKind.RATE_LIMIT, "POST /messages"),
            (self._telnyx, FaultKind.REFUSE, "POST /messages"),
            (self._telnyx, FaultKind.SLOW, "*"),
            (self._telnyx, FaultKind.REPEAT, "message.received"),
            (self._telnyx, FaultKind.REPEAT, "message.finalized"),
            (self._telnyx, FaultKind.REORDER, "message.finalized"),
            (self._telnyx, FaultKind.REPEAT, "message.sent"),
            (self._telnyx, FaultKind.REORDER, "message.sent"),
            (self._telnyx, FaultKind.SLOW, "message.sent"),
            (self._telnyx, FaultKind.LOSE, "message.sent"),
        ]
        while _CLOCK.monotonic() < over:
            platform, kind, operation = self._random.choice(kinds)
            fault = Fault(
                kind=kind,
                operation=operation,
                times=self._random.randint(1, 6),
                seconds=self._random.uniform(0.1, 0.6),
                status=self._random.choice((500, 502, 503)),
            )
            platform.faults.add(fault)
            if operation == "POST /messages" and kind in _WORK_DONE and self._random.random() < _NO_WORD:
                # Neither answer nor receipt: only the key keeps the repeat from being a second text.
                for phone in self.tally.replies_owed:
                    self._telnyx.set_outcome(phone, Outcome(kind=OutcomeKind.SILENT, times=1))
                self.tally.faults["no word of the next"] += 1
            self.tally.faults[f"{operation} {kind.value}"] += 1
            await _CLOCK.sleep(timedelta(seconds=self._random.uniform(0.1, 0.8)))

    async def _hold_posts_up(self, over: float) -> None:
        """Have Slack take no post for a while, now and then: what piles up is shown together, if the process lives on."""
        for number in itertools.count():
            # Often at first, so that a short storm has seen it; but most posts are to be under way when the process dies.
            wait = self._random.uniform(*((0.5, 2) if number < _SOON else (15, 30)))
            if _CLOCK.monotonic() + wait >= over:
                return
            await _CLOCK.sleep(timedelta(seconds=wait))
            fault = Fault(kind=FaultKind.RATE_LIMIT, operation="chat.postMessage")
            in_force = self._slack.faults.add(fault)
            await _CLOCK.sleep(timedelta(seconds=self._random.uniform(1, 2)))
            self._slack.faults.lift(in_force)
            self._spared_until = _CLOCK.monotonic() + self._random.uniform(0.8, 3)
            self.tally.faults["posts held up"] += 1

    async def _tell_old_news(self, over: float) -> None:
        """Have the carrier report again what it reported earlier, and let some texts end badly."""
        while _CLOCK.monotonic() < over:
            await _CLOCK.sleep(timedelta(seconds=self._random.uniform(0.02, 0.2)))
            event = self._random.choice(("message.sent", "message.sent", "message.finalized"))
            told = [attempt for attempt in self._telnyx.webhooks[-_REMEMBERED:] if attempt.event_type == event]
            if told:
                self._telnyx.tell_again(self._random.choice(told))
                self.tally.faults[f"{event} told again"] += 1
            if self._random.random() < _BAD_END:
                outcome = Outcome(kind=self._random.choice(_ENDS), times=1)
                self._telnyx.set_outcome(self._random.choice(list(self.tally.replies_owed)), outcome)
                self.tally.faults[f"ends as {outcome.kind.value}"] += 1


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
