"""
Both ends of a storm, counted: what was answered 200 against what stands in Slack and what the carrier took.

Whatever end the carrier reported must be the message's mark, and be known so in the database.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.clock import Clock
from bot.sandbox.slack_sim import SlackSim
from bot.sandbox.telnyx_sim import TelnyxSim
from tests.chaos.tally import Tally

#: The mark of each end that a text can have.
_MARKS = {
    "delivered": "white_check_mark",
    "delivery_unconfirmed": "grey_question",
    "delivery_failed": "x",
    "expired": "x",
    "sending_failed": "x",
}
_KNOWN = """
SELECT m.carrier_id, m.state, group_concat(d.status) FROM messages m LEFT JOIN deliveries d ON d.message = m.number
WHERE m.direction = 'outbound' AND m.carrier_id IS NOT NULL GROUP BY m.number"""
#: How long a mark may take after its receipt, in seconds: reactions are removed by twenty a minute.
_ON_THE_WAY = 20.0
_PARKED = "SELECT kind, trouble FROM jobs WHERE status = 'parked'"


@dataclass(slots=True, kw_only=True)
class BothEnds:
    """Where what a storm sent must arrive."""

    slack: SlackSim
    telnyx: TelnyxSim
    channel: str
    database: Path
    clock: Clock
    tally: Tally
    places: dict[str, str] = field(default_factory=dict)  #: Where each reply stands in Slack, by its text.

    async def wait_for_calm(self, calm: float) -> None:
        """Return when all has arrived, or when nothing more did for *calm* seconds."""
        fewest, give_up = None, 0.0
        while fewest is None or self.clock.monotonic() < give_up:
            began = self.clock.monotonic()
            missing = await self._count_missing()
            if missing == 0:
                return
            if fewest is None or missing < fewest:
                fewest, give_up = missing, self.clock.monotonic() + calm
            # A look takes the longer, the more was said, and the simulators want their turn.
            await self.clock.sleep(timedelta(seconds=max(0.2, 2 * (self.clock.monotonic() - began))))

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
            for attempt in self.telnyx.webhooks
            if attempt.event_type == "message.finalized" and attempt.status == 200
        }
        known = {row[0]: row[1:] for row in self._query(_KNOWN)}
        wrong = []
        for send in self.telnyx.sends:
            place = self.places.get(send.text or "")
            if send.message_id not in reported or place is None:
                continue
            end = self.telnyx.account.messages[send.message_id].recipients[0].status.value
            reactions = self.slack.reactions(self.channel, place)
            marks = {name for name, users in reactions.items() if self.slack.bot_user in users}
            if marks != {_MARKS[end]}:
                wrong.append(f"{send.text!r} ended as {end} and is marked {', '.join(sorted(marks)) or 'by nothing'}")
            if known.get(send.message_id) != ("accepted", end):
                wrong.append(f"{send.text!r} ended as {end} and is known as {known.get(send.message_id)}")
        return wrong

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()

    def _shown(self, phone: str) -> list[str]:
        """Return the customer's texts as they stand in Slack, in order, wherever they stand."""
        return [text for message in self._list_thread(phone) for text in message if f"from {phone[-4:]}" in text]

    def _list_thread(self, phone: str) -> list[list[str]]:
        """Return for each message about the customer the texts that stand in it."""
        return [
            _read_texts(message)
            for root in self.slack.messages(self.channel)
            if phone in root["text"]
            for message in self.slack.thread(self.channel, root["ts"])
        ]

    def _received(self, phone: str) -> list[str]:
        """Return what the carrier took for *phone*, in that order, however it ended there."""
        return [send.text or "" for send in self.telnyx.sends if phone in send.to]

    async def _find_lasting_wrong_ends(self) -> list[str]:
        """Return what stays wrong: a receipt may have come a moment ago, and its mark be on its way."""
        give_up = self.clock.monotonic() + _ON_THE_WAY
        while (wrong := self._find_wrong_ends()) and self.clock.monotonic() < give_up:
            await self.clock.sleep(timedelta(seconds=0.5))
        return wrong

    async def count(self) -> None:
        """Tell the tally all that is wrong."""
        for phone, texts in self.tally.texts_owed.items():
            self.tally.compare(f"texts of {phone[-4:]} in Slack", texts, self._shown(phone))
            self.tally.together += sum(len(texts) > 1 for texts in self._list_thread(phone))
            # A reply of which nobody knew for half a minute, and people were told so, no longer holds those after it up.
            told = self._find_told(phone)
            self.tally.told += len(told)
            self.tally.compare(f"replies to {phone[-4:]}", self.tally.replies_owed[phone], self._received(phone), told)
        roots = Counter(
            phone
            for root in self.slack.messages(self.channel)
            for phone in self.tally.texts_owed
            if phone in root["text"]
        )
        self.tally.wrong.extend(f"{phone[-4:]} has {count} threads" for phone, count in roots.items() if count > 1)
        self.tally.wrong.extend(await self._find_lasting_wrong_ends())
        self.tally.wrong.extend(f"given up: {kind}, {trouble}" for kind, trouble in self._query(_PARKED))

    def _find_told(self, phone: str) -> set[str]:
        """Return the replies to *phone* of which the thread was told that nobody knows whether they went out."""
        lines = [
            line["text"]
            for root in self.slack.messages(self.channel)
            if phone in root["text"]
            for line in self.slack.thread(self.channel, root["ts"])
            if line["text"].startswith("⚠️")
        ]
        return {reply for reply in self.tally.replies_owed[phone] if any(f"“{reply}”" in line for line in lines)}


def _read_texts(message: Mapping[str, Any]) -> list[str]:
    """Return each text that stands in a message: one, or several that waited for Slack's pace together."""
    return [
        "".join(piece.get("text", "") for section in block["elements"] for piece in section["elements"])
        for block in message.get("blocks") or ()
        if block["type"] == "rich_text"
    ]
