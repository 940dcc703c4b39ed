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
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any

import aiohttp

from bot.clock import SystemClock
from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.journal import Journal
from bot.sandbox.slack_sim import SlackSim
from bot.sandbox.telnyx_sim import Outcome, OutcomeKind, TelnyxSim

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
#: How texts end that do not simply arrive, and the mark that each end has.
_ENDS = (OutcomeKind.DELIVERY_FAILED, OutcomeKind.EXPIRED, OutcomeKind.SENDING_FAILED, OutcomeKind.DELIVERY_UNCONFIRMED)
_MARKS = {
    "delivered": "white_check_mark",
    "delivery_unconfirmed": "grey_question",
    "delivery_failed": "x",
    "expired": "x",
    "sending_failed": "x",
}
_KNOWN = """
SELECT m.carrier_id, m.state, group_concat(d.status) FROM messages m LEFT JOIN deliveries d ON d.message_id = m.id
WHERE m.direction = 'outbound' AND m.carrier_id IS NOT NULL GROUP BY m.id"""
_PARKED = "SELECT kind, trouble FROM jobs WHERE status = 'parked'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How rough it gets."""

    seed: int
    seconds: float  #: How long the storm lasts, before the calm in which all must arrive.
    customers: int = 12
    kills_every: tuple[float, float] = (1.0, 4.0)  #: Seconds between two SIGKILLs, from and to.
    calm: float = 90.0  #: Seconds that may pass once the storm is over without anything more arriving.


@dataclass(slots=True)
class Tally:
    """What was done and what was owed."""

    texts: int = 0
    replies: int = 0
    kills: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    texts_owed: dict[str, list[str]] = field(default_factory=dict)  #: By customer, in the order of their 200.
    replies_owed: dict[str, list[str]] = field(default_factory=dict)
    together: int = 0  #: Messages in which several texts stand.
    told: int = 0  #: Replies of which nobody knew for half a minute: people were told, and others went before them.
    wrong: list[str] = field(default_factory=list)

    def describe_briefly(self) -> str:
        """Return how much was done so far."""
        return f"{self.texts} texts, {self.replies} replies, {self.kills} times killed"

    def describe(self) -> str:
        """Return the whole storm in a few lines."""
        owed = sum(map(len, self.texts_owed.values())), sum(map(len, self.replies_owed.values()))
        lines = [
            f"{self.texts} texts ({owed[0]} answered 200), {self.replies} replies ({owed[1]} answered 200)",
            f"{self.together} messages of several texts that were held up",
            f"{self.kills} times killed; {self.told} replies not known for so long that people were told",
            "faults: " + (", ".join(f"{name} {count}" for name, count in sorted(self.faults.items())) or "none"),
        ]
        lines.extend(self.wrong or ["nothing lost, nothing twice, nothing out of order"])
        return "\n".join(lines)


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
        self._places: dict[str, str] = {}  #: Where each reply stands, by its text.
        #: How many texts the carrier took for each customer, of the first so many.
        self._sent: Counter[str] = Counter()
        self._spared_until = 0.0  #: Until when the process may live, for what is worth watching to happen.
        self.tally = Tally()

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
            await self._wait_for_calm()
            self._count()
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
            self._places[reply] = await self._slack.post(self._teammate, self._channel, reply, thread_ts=root)
            if await self._until(lambda: self._event_fate(reply, since)) == "taken":  # noqa: B023
                replies.append(reply)

    def _count_sent(self, phone: str) -> int:
        for send in self._telnyx.sends[self._sent.total() :]:
            self._sent[send.to[0]] += 1
        return self._sent[phone]

    def _find_root(self, phone: str) -> str | None:
        for message in self._slack.messages(self._channel):
            if phone in message["text"]:
                return str(message["ts"])
        return None

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

    # --- The count

    async def _wait_for_calm(self) -> None:
        fewest, give_up = None, 0.0
        while fewest is None or _CLOCK.monotonic() < give_up:
            began = _CLOCK.monotonic()
            missing = await self._count_missing()
            if missing == 0:
                return
            if fewest is None or missing < fewest:
                fewest, give_up = missing, _CLOCK.monotonic() + self._weather.calm
            # A look takes the longer, the more was said, and the simulators want their turn.
            await _CLOCK.sleep(timedelta(seconds=max(0.2, 2 * (_CLOCK.monotonic() - began))))

    async def _count_missing(self) -> int:
        """Return how many texts and replies have not arrived or are not marked as they ended."""
        missing = len(self._find_wrong_ends())
        for phone, texts in self.tally.texts_owed.items():
            await asyncio.sleep(0)
            missing += len(set(texts) - set(self._shown(phone)))
            missing += len(set(self.tally.replies_owed[phone]) - set(self._received(phone)))
        return missing

    def _find_wrong_ends(self) -> list[str]:
        """Return what is wrong with replies whose end was reported and taken: their mark in Slack, or what is known."""
        reported = {
            attempt.message_id
            for attempt in self._telnyx.webhooks
            if attempt.event_type == "message.finalized" and attempt.status == 200
        }
        known = {row[0]: row[1:] for row in self._query(_KNOWN)}
        wrong = []
        for send in self._telnyx.sends:
            place = self._places.get(send.text or "")
            if send.message_id not in reported or place is None:
                continue
            end = self._telnyx.account.messages[send.message_id].recipients[0].status.value
            reactions = self._slack.reactions(self._channel, place)
            marks = {name for name, users in reactions.items() if self._slack.bot_user in users}
            if marks != {_MARKS[end]}:
                wrong.append(f"{send.text!r} ended as {end} and is marked {', '.join(sorted(marks)) or 'by nothing'}")
            if known.get(send.message_id) != ("accepted", end):
                wrong.append(f"{send.text!r} ended as {end} and is known as {known.get(send.message_id)}")
        return wrong

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self._folder}/chaos.db?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()

    def _shown(self, phone: str) -> list[str]:
        """Return the customer's texts as they stand in Slack, in order, wherever they stand."""
        return [text for message in self._list_thread(phone) for text in message if f"from {phone[-4:]}" in text]

    def _list_thread(self, phone: str) -> list[list[str]]:
        """Return for each message about the customer the texts that stand in it."""
        return [
            _read_texts(message)
            for root in self._slack.messages(self._channel)
            if phone in root["text"]
            for message in self._slack.thread(self._channel, root["ts"])
        ]

    def _received(self, phone: str) -> list[str]:
        """Return what the carrier took for *phone*, in that order, however it ended there."""
        return [send.text or "" for send in self._telnyx.sends if phone in send.to]

    def _count(self) -> None:
        for phone, texts in self.tally.texts_owed.items():
            self._compare(f"texts of {phone[-4:]} in Slack", texts, self._shown(phone))
            self.tally.together += sum(len(texts) > 1 for texts in self._list_thread(phone))
            # A reply of which nobody knew for half a minute, and people were told so, no longer holds those after it up.
            told = self._find_told(phone)
            self.tally.told += len(told)
            self._compare(f"replies to {phone[-4:]}", self.tally.replies_owed[phone], self._received(phone), told)
        roots = Counter(
            phone
            for root in self._slack.messages(self._channel)
            for phone in self.tally.texts_owed
            if phone in root["text"]
        )
        self.tally.wrong.extend(f"{phone[-4:]} has {count} threads" for phone, count in roots.items() if count > 1)
        self.tally.wrong.extend(self._find_wrong_ends())
        self.tally.wrong.extend(f"given up: {kind}, {trouble}" for kind, trouble in self._query(_PARKED))

    def _find_told(self, phone: str) -> set[str]:
        """Return the replies to *phone* of which the thread was told that nobody knows whether they went out."""
        lines = [
            line["text"]
            for root in self._slack.messages(self._channel)
            if phone in root["text"]
            for line in self._slack.thread(self._channel, root["ts"])
            if line["text"].startswith("⚠️")
        ]
        return {reply for reply in self.tally.replies_owed[phone] if any(f"“{reply}”" in line for line in lines)}

    def _compare(self, what: str, owed: list[str], found: list[str], told: Collection[str] = ()) -> None:
        counts = Counter(found)
        for text in owed:
            if not counts[text]:
                self.tally.wrong.append(f"{what}: lost {text!r}")
        for text, count in counts.items():
            if count > 1:
                self.tally.wrong.append(f"{what}: {count} times {text!r}")
        kept = [text for text in dict.fromkeys(found) if text in set(owed) - set(told)]
        expected = [text for text in owed if counts[text] and text not in told]
        if kept != expected:
            first = next(pair for pair in zip(expected, kept, strict=False) if pair[0] != pair[1])
            self.tally.wrong.append(f"{what}: out of order, {first[1]!r} stands before {first[0]!r}")


def _read_texts(message: Mapping[str, Any]) -> list[str]:
    """Return each text that stands in a message: one, or several that waited for Slack's pace together."""
    return [
        "".join(piece.get("text", "") for section in block["elements"] for piece in section["elements"])
        for block in message.get("blocks") or ()
        if block["type"] == "rich_text"
    ]


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
