"""Who is who in Slack, remembered for a while: names and standings change seldom, and are asked for at each reply."""

from __future__ import annotations

from datetime import timedelta

from bot.clock import Clock
from bot.domain.ids import ChannelId, UserId
from bot.gateways.slack import SlackGateway
from bot.ports import OurselvesInSlack, Person

#: How long an answer is good: a teammate who leaves, or becomes a guest, can text for no longer than this.
FRESH = timedelta(minutes=5)
_MOST_KEPT = 5_000


class RememberedDirectory:
    """`bot.ports.Directory` that asks Slack once in a while."""

    def __init__(self, slack: SlackGateway, clock: Clock) -> None:
        self._slack = slack
        self._clock = clock
        self._people: dict[UserId, tuple[float, Person]] = {}
        self._names: dict[str, tuple[float, str | None]] = {}

    async def get_person(self, user_id: UserId) -> Person:
        """Return the person; one whom Slack does not know stands as GONE."""
        known = self._people.get(user_id)
        if known is not None and self._is_fresh(known[0]):
            return known[1]
        person = await self._slack.get_person(user_id)
        self._make_room()
        self._people[user_id] = (self._clock.monotonic(), person)
        return person

    async def name_channel(self, channel_id: ChannelId) -> str | None:
        """Return the channel's name without `#`."""
        known = self._names.get(channel_id)
        if known is None or not self._is_fresh(known[0]):
            known = (self._clock.monotonic(), await self._slack.name_channel(channel_id))
            self._names[channel_id] = known
        return known[1]

    async def name_group(self, group_id: str) -> str | None:
        """Return the user group's handle without `@`."""
        known = self._names.get(group_id)
        if known is None or not self._is_fresh(known[0]):
            known = (self._clock.monotonic(), await self._slack.name_group(group_id))
            self._names[group_id] = known
        return known[1]

    async def get_ourselves(self) -> OurselvesInSlack:
        """Return who we are."""
        return await self._slack.get_ourselves()

    def _is_fresh(self, read_at: float) -> bool:
        return self._clock.monotonic() - read_at < FRESH.total_seconds()

    def _make_room(self) -> None:
        if len(self._people) >= _MOST_KEPT:
            self._people.clear()
        if len(self._names) >= _MOST_KEPT:
            self._names.clear()
