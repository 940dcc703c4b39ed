"""What people set for one channel, over what the environment says for all: which of a thread's messages are sent."""

from __future__ import annotations

from dataclasses import dataclass

from bot.clock import Clock
from bot.domain.audit import Actor, AuditAction, AuditEntry
from bot.domain.ids import ChannelId, UserId
from bot.domain.policy import Policy, ThreadMode
from bot.errors import NotAllowed
from bot.flows import wording
from bot.flows.jobs import enqueue_notice
from bot.flows.permissions import check_administrator, may_administer, name_administrators
from bot.flows.wording import Words
from bot.ports import Directory, Store, Transaction

#: What each mode means, after "here".
MEANINGS = {
    ThreadMode.REPLY: "what is written in a thread is sent, except notes",
    ThreadMode.PREFIX: "only what begins with `sms:` is sent",
    ThreadMode.CONFIRM: "the author is asked each time, with Send and Keep as note",
}


def _name_mode(channel_id: ChannelId) -> str:
    return f"thread_mode:{channel_id}"


async def find_own_mode(tx: Transaction, channel_id: ChannelId) -> ThreadMode | None:
    """Return what was set for the channel; None where nothing was, or where it was taken back."""
    value = await tx.facts.find_fact(_name_mode(channel_id))
    return ThreadMode(value) if value else None


async def choose_mode(tx: Transaction, channel_id: ChannelId | None, policy: Policy) -> ThreadMode:
    """Return what of a thread in the channel goes out: what was set for it, else `THREAD_MODE`."""
    own = None if channel_id is None else await find_own_mode(tx, channel_id)
    return own or policy.thread_mode


def list_channels(policy: Policy) -> tuple[ChannelId, ...]:
    """Return the channels where texts arrive, the default one first."""
    return tuple(dict.fromkeys((policy.default_channel, *policy.channels.values())))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelMode:
    """How one channel is set."""

    channel_id: ChannelId
    own: ThreadMode | None  #: Set for this channel; None: it follows the setting for all.
    mode: ThreadMode  #: What holds.


class ChannelSettings:
    """Shows and changes what is set for a channel."""

    def __init__(self, *, store: Store, directory: Directory, policy: Policy, clock: Clock) -> None:
        self._store = store
        self._directory = directory
        self._policy = policy
        self._clock = clock

    @property
    def mode_for_all(self) -> ThreadMode:
        """What holds where nothing was set."""
        return self._policy.thread_mode

    async def read_modes(self) -> tuple[ChannelMode, ...]:
        """Return how each channel is set where texts arrive."""
        async with self._store.reading() as view:
            return tuple([await self._read_mode(view, channel_id) for channel_id in list_channels(self._policy)])

    async def _read_mode(self, tx: Transaction, channel_id: ChannelId) -> ChannelMode:
        own = await find_own_mode(tx, channel_id)
        return ChannelMode(channel_id=channel_id, own=own, mode=own or self._policy.thread_mode)

    async def get_changeable(self, channel_id: ChannelId, actor: UserId) -> ChannelMode:
        """Return how the channel is set. Raises NotAllowed, which says how it is set, unless *actor* may change it."""
        if channel_id not in list_channels(self._policy):
            modes = [f"<#{each.channel_id}>: {MEANINGS[each.mode]}" for each in await self.read_modes()]
            raise NotAllowed(
                "No texts arrive in this channel. Type `/sms settings` in one where they do:\n" + "\n".join(modes)
            )
        async with self._store.reading() as view:
            found = await self._read_mode(view, channel_id)
        if not may_administer(await self._directory.get_person(actor), self._policy):
            raise NotAllowed(
                f"⚙️ In <#{channel_id}> {MEANINGS[found.mode]}. "
                f"Only {name_administrators(self._policy)} may change that; ask one of them."
            )
        return found

    async def set_mode(self, channel_id: ChannelId, mode: ThreadMode | None, actor: UserId, *, once: str) -> Words:
        """
        Set what of the threads in the channel is sent, None for what holds for all, and return the private answer.

        *once* names the request. Raises NotAllowed. Transaction: the setting, its audit, and the line in the channel.
        """
        check_administrator(
            await self._directory.get_person(actor), self._policy, what="change the settings of a channel"
        )
        if channel_id not in list_channels(self._policy):
            raise NotAllowed("No texts arrive in this channel, so there is nothing to set.")
        async with self._store.transaction("set thread mode") as tx:
            before = await self._read_mode(tx, channel_id)
            after = mode or self._policy.thread_mode
            if mode is not before.own:
                await tx.facts.set_fact(_name_mode(channel_id), "" if mode is None else mode.value)
                await tx.audit.record(
                    AuditEntry(
                        key=f"setting:{once}",
                        at=self._clock.now(),
                        actor=Actor(actor),
                        action=AuditAction.SETTING_CHANGED,
                        subject=f"THREAD_MODE of {channel_id}",
                        detail={"from": before.own or "", "to": mode or "", "holds": after.value},
                    )
                )
            if after is not before.mode:
                sentence = f"⚙️ <@{actor}> changed what is sent from here: from now on {MEANINGS[after]}."
                await enqueue_notice(tx, f"setting:{once}", channel_id, *wording.line(sentence))
        if after is before.mode:
            return wording.line(f"⚙️ In <#{channel_id}> {MEANINGS[after]}, as before.")
        return wording.line(f"⚙️ In <#{channel_id}> {MEANINGS[after]} from now on. The channel has been told.")
