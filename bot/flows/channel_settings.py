"""What people set for one channel, over what the environment says for all."""

from __future__ import annotations

from bot.domain.ids import ChannelId
from bot.domain.policy import Policy, ThreadMode
from bot.ports import Transaction


def _name_mode(channel_id: ChannelId) -> str:
    return f"thread_mode:{channel_id}"


async def find_own_mode(tx: Transaction, channel_id: ChannelId) -> ThreadMode | None:
    """Return what was set for the channel; None where nothing was."""
    value = await tx.facts.find_fact(_name_mode(channel_id))
    return ThreadMode(value) if value else None


async def choose_mode(tx: Transaction, channel_id: ChannelId | None, policy: Policy) -> ThreadMode:
    """Return what of a thread in the channel goes out: what was set for it, else `THREAD_MODE`."""
    own = None if channel_id is None else await find_own_mode(tx, channel_id)
    return own or policy.thread_mode
