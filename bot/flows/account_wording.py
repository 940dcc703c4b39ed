"""What people read in Slack of the carrier account's own events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.domain.account_events import HostedOrderChange, LinkClick, SpendLimitReached
from bot.domain.actions import Action
from bot.domain.ids import UserId
from bot.flows.wording import Words, button, line, name_address, shorten
from bot.text.escape import escape_sms


def _time(moment: datetime, form: str) -> str:
    """Return *moment* for each reader's own clock; in UTC where Slack cannot tell it."""
    return f"<!date^{int(moment.timestamp())}^{form}|{moment.astimezone(UTC):%H:%M UTC on %d %b}>"


def link_opened(click: LinkClick, text: str, region: str, at: datetime) -> Words:
    """Return the line that says who opened which link of ours, and when."""
    who = "Somebody" if click.clicker is None else escape_sms(name_address(click.clicker, region))
    quoted = f" in “{escape_sms(shorten(text))}”" if text.strip() else ""
    # In code: an address that came back from outside is shown, and not made a link of.
    url = escape_sms(shorten(click.url.replace("`", "'"), 300))
    return line(f"🔗 *{who}* opened `{url}`{quoted}, {_time(at, '{date_short_pretty} at {time}')}.")


def spend_limit_reached(event: SpendLimitReached, until: datetime) -> Words:
    """Return the notice that texts wait because the day's spend limit is used up."""
    limit = f" of ${escape_sms(event.limit)}" if event.limit else ""
    cost = f" (spent: ${escape_sms(event.cost)})" if event.cost else ""
    return line(
        f"💸 *The day's spend limit{limit} is reached*{cost}, so the carrier takes no more texts from us. What is written "
        f"now waits with ⏳ and goes out by itself when the limit begins anew, {_time(until, '{date_short_pretty} at {time}')}. "
        "To send sooner, raise the limit of the messaging profile, then press the button.",
        [button("Send now", Action.LIFT_SPEND_LIMIT, "account")],
    )


def spend_limit_lifted(actor: UserId) -> Words:
    """Return the notice that somebody let texts go again."""
    return line(f"▶️ <@{actor}> let texts go again after the spend limit. What waited goes out now.")


def hosted_order(event: HostedOrderChange, admins: Sequence[str], region: str) -> Words:
    """Return the notice for the administrators of what became of an order for a hosted number."""
    whom = f"{' '.join(f'<@{admin}>' for admin in admins)} " if admins else ""
    status = f", now *{escape_sms(event.status)}*" if event.status else ""
    numbers = "".join(
        f"\n• {escape_sms(name_address(number, region))}{f': {escape_sms(state)}' if state else ''}"
        for number, state in event.numbers
    )
    order = f" `{escape_sms(event.order_id)}`" if event.order_id else ""
    return line(f"📦 {whom}Hosted number order{order}: {escape_sms(event.change)}{status}.{numbers}")
