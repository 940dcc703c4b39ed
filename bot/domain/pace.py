"""
Pace: how often a platform may be called, and whose turn it is.

A limit is a token bucket, kept as one number: the moment at which it would be full again. Turns are given out in the
order of asking, each a little later than the one before, so that whoever has to wait knows until when, and comes back
just then. Whoever shares a limit asks for one turn at a time, so one with five hundred things to say holds nobody up.

The figures are data, with their sources. Where a platform publishes none, there is no limit here, and it says 429.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from bot.domain.conversation import POOL
from bot.domain.ids import ChannelId
from bot.domain.phone import is_phone, is_short_code
from bot.domain.policy import ACCOUNT, MMS

_MINUTE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many a second, and after a rest so many at once."""

    per_second: float
    burst: int = 1

    @property
    def interval(self) -> float:
        """Seconds between two turns when there is no rest."""
        return 1.0 / self.per_second

    @property
    def tolerance(self) -> float:
        """Seconds by which a turn may come early because of the burst."""
        return (self.burst - 1) * self.interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One limit that a call is under. *name* is who shares it; without *limit* the platform alone says when to wait."""

    name: str
    limit: Limit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """The turns of one limit that were given out so far."""

    limit: Limit
    full_at: float  #: Monotonic seconds: when all of the burst would be there again.


def open_turns(limit: Limit, now: float) -> Turns:
    """Return the turns of a limit after a start: half of the burst, for what an earlier process used up is not known."""
    there = (limit.burst + 1) // 2
    return Turns(limit=limit, full_at=now + (limit.burst - there) * limit.interval)


def take_turn(turns: Turns, now: float) -> tuple[Turns, float]:
    """Return what is left, and when the turn is that was taken: *now* at the earliest."""
    turn_at = max(now, turns.full_at - turns.limit.tolerance)
    return replace(turns, full_at=max(turns.full_at, now) + turns.limit.interval), turn_at


def close_turns(limit: Limit, until: float) -> Turns:
    """Return the turns after the platform asked for patience *until* then: one by one, with no burst."""
    return Turns(limit=replace(limit, burst=1), full_at=until)


def relax_turns(turns: Turns, limit: Limit) -> Turns:
    """Return *turns* with the burst of *limit* again."""
    return replace(turns, limit=limit)


def find_wait(turns: Turns, now: float) -> float:
    """Return how many seconds whoever asks now would wait."""
    return max(0.0, turns.full_at - turns.limit.tolerance - now)


def _per_minute(calls: int) -> Limit:
    """Return a limit that lets less than *calls* pass in any minute: a fifth at once, the rest over the minute."""
    burst = max(1, calls // 5)
    return Limit(per_second=(calls - burst - 1) / _MINUTE, burst=burst)


#: One message a second into one channel, its threads included; "short bursts" are let through, and Slack does not say
#: how short (docs.slack.dev, rate limits). Two requests a second apart do not arrive just a second apart, hence the rest.
POSTS_INTO_A_CHANNEL = Limit(per_second=0.95, burst=4)
#: Calls a minute in a workspace, by method. Tiers 1 to 4 are 1, 20, 50 and 100 (docs.slack.dev, rate limits), a method's
#: tier stands on its reference page and in `rate_limit_tiers.json` of slackapi/java-slack-sdk. `chat.postMessage`:
#: "several hundred a minute"; `auth.test`: hundreds.
_CALLS_A_MINUTE = {
    "auth.test": 300,
    "chat.delete": 50,
    "chat.postEphemeral": 100,
    "chat.postMessage": 300,
    "chat.update": 50,
    "conversations.history": 50,
    "conversations.info": 50,
    "conversations.join": 50,
    "conversations.members": 100,
    "conversations.replies": 50,
    "files.completeUploadExternal": 100,
    "files.delete": 50,
    "files.getUploadURLExternal": 100,
    "files.info": 100,
    "reactions.add": 50,
    "reactions.remove": 20,
    "usergroups.list": 20,
    "users.info": 100,
    "views.publish": 100,
}
_SLACK_LIMITS = {method: _per_minute(calls) for method, calls in _CALLS_A_MINUTE.items()}


@lru_cache(maxsize=256)
def choose_slack_rules(method: str, channel_id: ChannelId | None = None) -> tuple[Rule, ...]:
    """Return the limits that a call of *method* is under; *channel_id*: where it posts to."""
    workspace = Rule(name=method, limit=_SLACK_LIMITS.get(method))
    if method != "chat.postMessage" or channel_id is None:
        return (workspace,)
    return Rule(name=f"{method} {channel_id}", limit=POSTS_INTO_A_CHANNEL), workspace


#: What the carrier takes from one account and from one sender (Telnyx, "Messaging rate limiting"). It queues what is more
#: for up to four hours, then refuses it with 40318; but a text lives there for an hour only (40014), and STOP does not
#: reach it: so it waits here. A US long code is bound to what its 10DLC campaign was granted, which nobody tells us.
_ACCOUNT_LIMITS = {ACCOUNT: Limit(per_second=50, burst=50), MMS: Limit(per_second=15, burst=15)}
_LONG_CODE_ABROAD = Limit(per_second=0.1, burst=1)
_TOLL_FREE = Limit(per_second=20, burst=20)
_SHORT_CODE = Limit(per_second=1000, burst=1000)
_NAME = Limit(per_second=0.1, burst=1)


def choose_carrier_rules(sender: str, *, is_mms: bool, bought: Mapping[str, float]) -> tuple[Rule, ...]:
    """
    Return the limits that a text from *sender* is under: its own, if there is any, and last the account's.

    *bought*, texts a second by sender, ACCOUNT or MMS, is what people have agreed upon with the carrier.
    """
    account = MMS if is_mms else ACCOUNT
    of_account = Rule(name=f"send {account}", limit=_bought(bought.get(account)) or _ACCOUNT_LIMITS[account])
    if sender == POOL:
        return (of_account,)
    return Rule(name=f"send {sender}", limit=_bought(bought.get(sender)) or _choose_limit(sender)), of_account


def _bought(per_second: float | None) -> Limit | None:
    return None if per_second is None else Limit(per_second=per_second, burst=max(1, int(per_second)))


@lru_cache(maxsize=256)
def _choose_limit(sender: str) -> Limit | None:
    if is_short_code(sender):
        return _SHORT_CODE
    if not is_phone(sender):
        return _NAME
    import phonenumbers  # noqa: PLC0415 - see `bot.domain.phone`

    try:
        number = phonenumbers.parse(sender)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.number_type(number) is phonenumbers.PhoneNumberType.TOLL_FREE:
        return _TOLL_FREE
    # By its country's code alone a number of no known pattern, such as a made-up one, passes for a US one.
    region = phonenumbers.region_code_for_number(number)
    is_american = number.country_code == 1 and region in (None, "US")
    return None if is_american else _LONG_CODE_ABROAD
