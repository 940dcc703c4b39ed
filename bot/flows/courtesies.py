"""What Slack may refuse without harm: a customer's tapback, which is text then, and what is told one person privately."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.domain.ids import ChannelId, MessageId, SlackTs, UserId
from bot.domain.job import Job
from bot.errors import SlackRefused
from bot.flows import wording
from bot.flows.jobs import enqueue_text, read_body
from bot.observe import Log
from bot.ports import Store, Threads

_log = Log("courtesies")


class Courtesies:
    """Reactions that are not marks, and private lines."""

    def __init__(self, *, store: Store, threads: Threads) -> None:
        self._store = store
        self._threads = threads

    async def react(self, job: Job) -> None:
        """
        Show a customer's tapback, or take it off. Where Slack refuses that, it stays the text that it came as.

        Transaction: that it is done; or that the text is shown.
        """
        body = read_body(job)
        async with self._store.reading() as view:
            message = await view.messages.get(MessageId(body["message"]))
        is_shown = False
        if message.channel_id is not None and message.slack_ts is not None:
            call = self._threads.remove_reaction if body["removed"] else self._threads.add_reaction
            channel_id, ts = message.channel_id, message.slack_ts
            is_shown = await _unless_refused(lambda: call(channel_id, ts, str(body["name"])))
        async with self._store.transaction("react") as tx:
            instead_of = body.get("instead_of")
            if not is_shown and instead_of is not None:
                text = await tx.messages.get(MessageId(instead_of))
                await enqueue_text(tx, text.conversation_id, text.id, text.text)
            await tx.queue.finish(job)

    async def whisper(self, job: Job) -> None:
        """Tell one person something privately. Somebody who is no longer in the channel cannot be told."""
        body = read_body(job)
        thread = body["thread"]
        text = str(body["text"])
        blocks = list(body["blocks"]) or wording.line(text)[1]
        await _unless_refused(
            lambda: self._threads.whisper(
                ChannelId(body["channel"]),
                UserId(body["user"]),
                text,
                blocks,
                None if thread is None else SlackTs(thread),
            )
        )
        async with self._store.transaction("whisper") as tx:
            await tx.queue.finish(job)


async def _unless_refused(call: Callable[[], Awaitable[None]]) -> bool:
    """Make a call whose refusal is no trouble: what it was about is gone. Returns False if it was refused."""
    try:
        await call()
    except SlackRefused as error:
        _log.info("Slack refused a courtesy.", method=error.method, word=error.error)
        return False
    return True
