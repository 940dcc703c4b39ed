"""
Posts of ours that should not stand: second copies, and those that went beside their thread.

For some seconds people see them like any other, and may answer under one. What they wrote there counts as written in the
conversation: the stray is remembered as one of its threads before it is deleted, and what stands under it is read.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from bot.domain.ids import ChannelId, ConversationId, SlackTs
from bot.domain.job import Kind, NewJob, Pool
from bot.domain.slack_events import ThreadReply, read_slack_event
from bot.domain.slack_lanes import choose_slack_lane
from bot.errors import NotUnderstood
from bot.ports import Posted, Store, Threads


class Strays:
    """Takes them away."""

    def __init__(self, *, store: Store, threads: Threads) -> None:
        self._store = store
        self._threads = threads

    async def discard(self, conversation_id: ConversationId | None, channel_id: ChannelId, posted: Posted) -> None:
        """Delete *posted*, and have read what was written under it. Transactions: that it is a thread; each reply."""
        if conversation_id is not None and posted.thread_ts is None:
            async with self._store.transaction("remember stray") as tx:
                await tx.conversations.remember_thread(conversation_id, channel_id, posted.ts)
            since = datetime.fromtimestamp(float(posted.ts), tz=UTC)
            await recover_replies(self._store, self._threads, channel_id, posted.ts, since=since, until=None)
        await self._threads.delete(channel_id, posted.ts)


async def recover_replies(
    store: Store,
    threads: Threads,
    channel_id: ChannelId,
    thread_ts: SlackTs,
    *,
    since: datetime,
    until: datetime | None,
) -> int:
    """Have the replies of a thread between the two moments read that we do not know; return how many that were."""
    found = 0
    for message in await threads.list_replies(channel_id, thread_ts, since=since):
        event: dict[str, Any] = {**message, "type": "message", "channel": channel_id}
        try:
            reply = read_slack_event(event)
        except NotUnderstood:
            continue
        if not isinstance(reply, ThreadReply) or float(reply.ts) < since.timestamp():
            continue
        if until is not None and float(reply.ts) > until.timestamp():
            continue
        async with store.transaction("recover reply") as tx:
            if await tx.messages.find_in_slack(reply.channel_id, reply.ts) is not None:
                continue
            found += await tx.queue.enqueue(
                NewJob(
                    kind=Kind.SLACK_EVENT,
                    pool=Pool.SLACK_IN,
                    key=f"slack:recovered:{reply.channel_id}:{reply.ts}",
                    lane=choose_slack_lane(event),
                    body=json.dumps({"event": event}),
                )
            )
    return found
