"""
What the carrier tells of the account and of links: a line where it matters, and nothing sent past a limit in vain.

A spend limit that is reached holds all sends back, told once in the channel. It lifts by itself when the carrier's day
ends, or at once by the button under the notice; the carrier has the last word either way.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from bot.clock import Clock
from bot.domain.account_events import HostedOrderChange, LinkClick, SpendLimitReached, find_reset
from bot.domain.audit import Actor, AuditAction, AuditEntry
from bot.domain.ids import JobId, UserId
from bot.domain.message import Direction
from bot.domain.policy import Policy
from bot.flows import account_wording
from bot.flows.accepting import check_author
from bot.flows.jobs import enqueue_line, enqueue_notice
from bot.observe import Log
from bot.ports import Directory, Store, Transaction

_log = Log("account_events")

#: The fact that holds sends back: until when, in ISO 8601.
_HELD_UNTIL = "spend_limit_until"


class AccountEvents:
    """Takes in the carrier's events that are not about a text's way."""

    def __init__(self, *, store: Store, directory: Directory, policy: Policy, clock: Clock) -> None:
        self._store = store
        self._directory = directory
        self._policy = policy
        self._clock = clock

    async def take_click(self, tx: Transaction, click: LinkClick) -> str:
        """Tell the thread that a link was opened, once for each person and link, in the caller's transaction."""
        message = await tx.messages.find_by_carrier_id(click.carrier_id)
        if message is None or message.direction is not Direction.OUTBOUND:
            return "foreign"
        who = "" if click.clicker is None else str(click.clicker)
        digest = hashlib.sha256(json.dumps([who, click.url]).encode()).hexdigest()[:32]
        text, blocks = account_wording.link_opened(
            click, message.text, self._policy.region, click.clicked_at or self._clock.now()
        )
        await enqueue_line(tx, message.conversation_id, f"click:{message.id}:{digest}", text, blocks)
        return "told"

    async def take_spend_limit(self, tx: Transaction, event: SpendLimitReached, job_id: JobId) -> str:
        """
        Hold all sends back until the carrier's day ends, and say so in the channel, in the caller's transaction.

        A limit on a profile that we do not send by holds nothing back.
        """
        ours = self._policy.profile_id
        if ours is not None and event.profile_id not in ("", ours):
            return "foreign"
        until = find_reset(self._clock.now())
        await tx.facts.set_fact(_HELD_UNTIL, until.isoformat())
        text, blocks = account_wording.spend_limit_reached(event, until)
        await enqueue_notice(tx, f"spend-limit:{job_id}", self._policy.default_channel, text, blocks)
        _log.warning("The spend limit is reached; sends wait.", until=until.isoformat())
        return "held"

    async def take_hosted_order(self, tx: Transaction, event: HostedOrderChange, job_id: JobId) -> str:
        """Tell the administrators what became of an order for a hosted number, in the caller's transaction."""
        text, blocks = account_wording.hosted_order(event, sorted(self._policy.admins), self._policy.region)
        await enqueue_notice(tx, f"hosted-order:{job_id}", self._policy.default_channel, text, blocks)
        return "told"

    async def lift_spend_limit(self, actor: UserId) -> str:
        """Let sends go again, by the button. Transaction: that nothing holds them, and that somebody said so."""
        check_author(await self._directory.get_person(actor))
        now = self._clock.now()
        async with self._store.transaction("lift spend limit") as tx:
            until = await find_hold(tx, now)
            if until is None:
                return "Texts are not held back any more."
            await release_hold(tx)
            await tx.audit.record(
                AuditEntry(
                    key=f"{AuditAction.HOLD_LIFTED}:{until.isoformat()}:{now.isoformat()}",
                    at=now,
                    actor=Actor(actor),
                    action=AuditAction.HOLD_LIFTED,
                    detail={"would_have_ended": until.isoformat()},
                )
            )
            text, blocks = account_wording.spend_limit_lifted(actor)
            await enqueue_notice(
                tx,
                f"spend-limit-lifted:{until.isoformat()}:{now.isoformat()}",
                self._policy.default_channel,
                text,
                blocks,
            )
        return "▶️ What waits goes out within a minute. The carrier still refuses it if the limit is not raised."


async def find_hold(tx: Transaction, now: datetime) -> datetime | None:
    """Return until when a spend limit holds sends back; None if none does."""
    fact = await tx.facts.find_fact(_HELD_UNTIL)
    if not fact:
        return None
    until = datetime.fromisoformat(fact)
    return until if until > now else None


async def release_hold(tx: Transaction) -> None:
    """Let sends go again: somebody said so, or raised the limit."""
    await tx.facts.set_fact(_HELD_UNTIL, "")
