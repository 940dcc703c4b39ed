"""Who is who in Slack, remembered for a while: names and standings change seldom, and are asked for at each reply."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from bot.clock import Clock
from bot.domain.ids import ChannelId, UserId
from bot.errors import RetryLater
from bot.gateways.slack import SlackGateway
from bot.observe import Log
from bot.ports import OurselvesInSlack, Person, SenderGroup, Standing

_log = Log("slack.people")

#: How long an answer is good: a teammate who leaves, or becomes a guest, can text for no longer than this.
FRESH = timedelta(minutes=5)
_MOST_KEPT = 5_000
#: How long the members of the senders' group are still good while Slack does not answer.
_BEARABLE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Senders:
    """Who may text, as read at a moment."""

    read_at: float
    group: SenderGroup
    members: frozenset[UserId]


class RememberedDirectory:
    """
    `bot.ports.Directory` that asks Slack once in a while.

    *senders*: the id or handle of the user group whose members alone may text; None: every full member may.
    """

    def __init__(self, slack: SlackGateway, clock: Clock, *, senders: str | None = None) -> None:
        self._slack = slack
        self._clock = clock
        self._named = senders
        self._senders: _Senders | None = None
        self._people: dict[UserId, tuple[float, Person]] = {}
        self._names: dict[str, tuple[float, str | None]] = {}

    async def get_person(self, user_id: UserId) -> Person:
        """Return the person; one whom Slack does not know stands as GONE, one whom it does not show us as UNSEEN."""
        known = self._people.get(user_id)
        if known is None or not self._is_fresh(known[0]):
            person = await self._slack.get_person(user_id)
            if person.standing is Standing.UNSEEN:  # until somebody grants the scope, and no longer
                return person
            self._make_room()
            known = self._people[user_id] = (self._clock.monotonic(), person)
        return await self._add_group(known[1])

    async def _add_group(self, person: Person) -> Person:
        """Return *person*, and what keeps them from texting where `SENDERS` does."""
        if not self._named or person.standing is not Standing.MEMBER:
            return person
        senders = await self._get_senders(self._named)
        return person if person.id in senders.members else replace(person, kept_out_by=senders.group)

    async def _get_senders(self, named: str) -> _Senders:
        """Return who may text; RetryLater when Slack cannot tell now and did not tell lately."""
        known = self._senders
        if known is not None and self._is_fresh(known.read_at):
            return known
        try:
            found = await self._slack.find_members(named)
        except RetryLater as error:
            if known is None or self._clock.monotonic() - known.read_at > _BEARABLE.total_seconds():
                raise
            _log.warning("Who may text could not be read anew; what was read last still counts.", trouble=error.log)
            return known
        if found is None:
            _log.error("SENDERS names a user group that is not there, so nobody may text: `doctor` says more.")
            group, members = SenderGroup(name=named, exists=False), frozenset[UserId]()
        else:
            group, members = SenderGroup(name=found[0]), found[1]
        self._senders = _Senders(read_at=self._clock.monotonic(), group=group, members=members)
        return self._senders

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
