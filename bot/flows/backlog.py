"""
What a card says while texts wait for Slack's pace: how many, and that none is lost.

Desired state, as marks are: one job for each conversation counts anew each time it runs, and stays until nothing waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from bot.chance import Chance
from bot.domain.conversation import Conversation
from bot.domain.ids import ChannelId, ConversationId, SlackTs
from bot.domain.job import Job
from bot.errors import RetryLater, SlackRefused
from bot.flows.backlog_wording import BACKLOG_BLOCK, waiting_line
from bot.flows.jobs import enqueue_backlog, post_lane, read_body
from bot.observe import Log
from bot.ports import Block, Cards, Store

_log = Log("backlog")

#: Fewer are shown within seconds, or together at the next turn.
_FEWEST = 6
#: How often the count is brought up to date.
_LOOK_AGAIN = timedelta(seconds=5)


class Backlogs:
    """The use-cases about texts that wait."""

    def __init__(self, *, store: Store, cards: Cards, chance: Chance) -> None:
        self._store = store
        self._cards = cards
        self._chance = chance

    async def notice(self, conversation_id: ConversationId) -> None:
        """Have the card tell if many wait. Transaction: the job that does."""
        async with self._store.transaction("notice backlog") as tx:
            if await tx.queue.count_waiting(post_lane(conversation_id)) >= _FEWEST:
                await enqueue_backlog(tx, conversation_id, self._chance.token())

    async def show_backlog(self, job: Job) -> None:
        """Say on the card how many texts wait; once none do, take the line away. Transaction: what the card says."""
        conversation_id = ConversationId(read_body(job)["conversation"])
        fact = f"backlog:{conversation_id}"
        async with self._store.reading() as view:
            conversation = await view.conversations.get(conversation_id)
            lane = post_lane(conversation_id)
            waiting = await view.queue.count_waiting(lane) + await view.queue.is_busy(lane)
            before = await view.facts.find_fact(fact) or ""
        line = waiting_line(waiting) if waiting >= _FEWEST else None
        now = f"{conversation.thread_ts} {waiting if line else ''}"
        if before != now and (line or before):
            async with self._store.transaction("count backlog") as tx:
                await tx.facts.set_fact(fact, now)
            await self._change(conversation, line)
        if line is not None:
            raise RetryLater("texts wait for Slack's pace", after=_LOOK_AGAIN)
        async with self._store.transaction("forget backlog") as tx:
            await tx.facts.set_fact(fact, "")
            await tx.queue.finish(job)

    async def _change(self, conversation: Conversation, line: Block | None) -> None:
        if conversation.thread_ts is None:
            return  # there is no card yet, or no more
        try:
            await self._rewrite(conversation.channel_id, conversation.thread_ts, line)
        except SlackRefused as error:
            _log.info("A card cannot tell of texts that wait.", word=error.error)

    async def _rewrite(self, channel_id: ChannelId, ts: SlackTs, line: Block | None) -> None:
        card: Mapping[str, object] | None = await self._cards.find_card(channel_id, ts)
        blocks = card.get("blocks") if card is not None else None
        if card is None or not isinstance(blocks, list):
            return
        rest = [block for block in blocks if block.get("block_id") != BACKLOG_BLOCK]
        if line is None and len(rest) == len(blocks):
            return
        await self._cards.change_card(channel_id, ts, str(card["text"]), [*rest, line] if line else rest)
