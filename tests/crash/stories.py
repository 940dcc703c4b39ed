"""
What may happen to the bridge, one story each: what people and platforms do, and what must be true in the end.

A story knows nothing of crashes: it speaks to a `Life`, which starts the program again whenever it dies.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.delivery import DeliveryStatus
from bot.domain.ids import ScheduleId
from bot.domain.job import Pool
from bot.domain.message import Mark, Origin
from bot.errors import CarrierRefused, NotAllowed
from tests.doubles.bench import ANA, BOB, Bench, Life, World, make_policy
from tests.doubles.border import Fault, Trouble
from tests.doubles.slack import ANN, BEN, SlackMessage

ZONE = ZoneInfo("America/Chicago")


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """*act* runs it and looks at its end; *points* is the least number of crossings that it is known to have."""

    name: str
    act: Callable[[Life], Awaitable[None]]
    points: int
    rules: dict[str, Any] = field(default_factory=dict)  #: What of the policy differs.

    def apply_rules(self, world: World) -> World:
        world.policy = replace(make_policy(), **self.rules)
        return world


STORIES: list[Story] = []


def story(
    points: int, **rules: Any
) -> Callable[[Callable[[Life], Awaitable[None]]], Callable[[Life], Awaitable[None]]]:
    """Add a story to the list."""

    def add(act: Callable[[Life], Awaitable[None]]) -> Callable[[Life], Awaitable[None]]:
        STORIES.append(Story(name=act.__name__, act=act, points=points, rules=rules))
        return act

    return add


# ------------------------------------------------------------------------------------------------- what stories share


def find_root(world: World) -> SlackMessage:
    """Return the newest card."""
    return [message for message in world.slack.posted() if message.thread_ts is None][-1]


def find_root_of(world: World, words: str) -> SlackMessage:
    """Return the card on which *words* stand."""
    return next(message for message in world.slack.posted() if message.thread_ts is None and message.words == words)


async def open_thread(life: Life) -> SlackMessage:
    """Let Ana text, and return the card of her thread. No story but the first looks at the crashes of this."""
    life.world.text_in(ANA, "Hello")
    await life.settle()
    life.world.border.begun_at = len(life.world.border.crossings)
    return find_root(life.world)


async def reply(life: Life, text: str) -> SlackMessage:
    """Let Ann reply in the newest thread; nothing is done of it yet."""
    message, event = life.world.slack.say(ANN, find_root(life.world), text)
    life.world.tell(event)
    return message


async def tell_now(life: Life, event: dict[str, Any]) -> None:
    """Let Slack tell us something, and read it, while something else is under way."""
    request = life.world.tell(event)
    assert life.bench is not None
    await life.bench.deliver(request)
    await life.bench.work(Pool.SLACK_IN)


async def receive_receipts(life: Life, *, in_full: bool = False) -> None:
    """Let the carrier report what became of every text, *in_full* on the way as well, and do what comes of it."""
    for text in life.world.carrier.texts:
        if text.sent_at is not None:
            life.world.report(text)
            if in_full:
                life.world.report(text, DeliveryStatus.SENT)  # late
    await life.settle()


def check_thread(world: World, *texts: str) -> None:
    """See that the thread shows exactly *texts*, in order, in one thread."""
    assert world.slack.words() == list(texts)
    roots = [message for message in world.slack.posted() if message.thread_ts is None]
    assert len(roots) == 1
    assert {message.thread_ts for message in world.slack.posted()} <= {None, roots[0].ts}


def check_mark(message: SlackMessage, *marks: Mark) -> None:
    assert message.our_marks == {mark.value for mark in marks}


# ------------------------------------------------------------------------------------------------------- phone to Slack


@story(points=5)
async def the_first_text_opens_a_thread(life: Life) -> None:
    await open_thread(life)
    life.world.border.begun_at = 0
    check_thread(life.world, "Hello")


@story(points=17)
async def texts_into_a_thread_keep_their_order_and_repeat_nothing(life: Life) -> None:
    root = await open_thread(life)
    first = life.world.text_in(ANA, "One")
    life.world.text_in(ANA, "Two")
    life.world.repeat(first)
    life.world.repeat(first, new_id=True)
    life.world.text_in(ANA, "Three")
    await life.settle()
    check_thread(life.world, "Hello", "One", "Two", "Three")
    assert [message.thread_ts for message in life.world.slack.posted()] == [None, root.ts, root.ts, root.ts]


@story(points=15)
async def a_long_text_takes_three_posts(life: Life) -> None:
    text = "".join(f"{number:05} " for number in range(1200))
    life.world.text_in(ANA, text)
    life.world.text_in(ANA, "and that is all")
    await life.settle()
    words = life.world.slack.words()
    assert len(words) == 4
    assert "".join(words[:3]) == text
    assert words[3] == "and that is all"
    check_thread(life.world, *words)


@story(points=13)
async def a_post_without_an_answer_is_looked_up(life: Life) -> None:
    life.world.border.faults.append(Fault(operation="slack post", trouble=Trouble.LOST_ANSWER, times=2))
    life.world.text_in(ANA, "Hello")
    life.world.text_in(ANA, "Again")
    await life.settle()
    check_thread(life.world, "Hello", "Again")


@story(points=10)
async def a_post_that_slack_finds_only_later_stands_once_in_the_end(life: Life) -> None:
    await open_thread(life)
    life.world.slack.search_lag = timedelta(seconds=10)
    life.world.border.faults.append(Fault(operation="slack post", trouble=Trouble.LOST_ANSWER))
    life.world.text_in(ANA, "Again")
    await life.settle()
    check_thread(life.world, "Hello", "Again")


@story(points=12)
async def a_deleted_root_costs_nothing(life: Life) -> None:
    root = await open_thread(life)
    life.world.tell(life.world.slack.remove(BEN, root))
    life.world.text_in(ANA, "Again")
    life.world.text_in(ANA, "And again")
    await life.settle()
    assert life.world.slack.words() == ["Hello", "Again", "And again"]
    assert [m.thread_ts for m in life.world.slack.posted()] == [None, None, find_root(life.world).ts]


@story(points=15)
async def a_root_deleted_while_a_text_is_under_way_costs_nothing(life: Life) -> None:
    root = await open_thread(life)
    life.world.text_in(ANA, "Again")
    deletion = life.world.slack.remove(BEN, root)
    await life.deliver_all()
    await life.do(lambda bench: bench.work(Pool.CARRIER_IN, Pool.POST))
    life.world.tell(deletion)
    life.world.text_in(ANA, "And again")
    await life.settle()
    assert life.world.slack.words() == ["Hello", "Again", "And again"]


@story(points=10)
async def a_stray_beside_a_lost_thread_is_no_second_copy(life: Life) -> None:
    root = await open_thread(life)
    deletion = life.world.slack.remove(BEN, root)

    async def hear_of_it() -> None:
        await tell_now(life, deletion)

    life.world.border.meanwhile.append(("slack post", hear_of_it))
    life.world.text_in(ANA, "Again")
    await life.settle()
    assert life.world.slack.words() == ["Hello", "Again"]
    assert [m.thread_ts for m in life.world.slack.posted()] == [None, None]


@story(points=14)
async def a_post_in_a_thread_that_is_lost_then_is_no_second_copy(life: Life) -> None:
    root = await open_thread(life)

    async def delete_root() -> None:
        await tell_now(life, life.world.slack.remove(BEN, root))

    life.world.border.meanwhile.append(("slack post", delete_root))
    life.world.border.faults.append(Fault(operation="slack post", trouble=Trouble.LOST_ANSWER))
    life.world.text_in(ANA, "Again")
    await life.settle()
    life.world.text_in(ANA, "And again")
    await life.settle()
    assert life.world.slack.words() == ["Hello", "Again", "And again"]
    assert [m.thread_ts for m in life.world.slack.posted()] == [None, root.ts, None]


@story(points=21)
async def a_tapback_becomes_a_reaction(life: Life) -> None:
    root = await open_thread(life)
    quoted = await reply(life, "See you at 5")
    await life.settle()
    await receive_receipts(life)
    life.world.text_in(ANA, "Loved “See you at 5”")
    await life.settle()
    assert quoted.our_marks == {"heart", Mark.DELIVERED.value}
    check_thread(life.world, "Hello")
    assert root.our_marks == set()


# ------------------------------------------------------------------------------------------------------- Slack to phone


@story(points=23)
async def a_reply_reaches_the_phone(life: Life) -> None:
    await open_thread(life)
    message = await reply(life, "On our way")
    life.world.repeat(life.world.requests[-1])
    life.world.repeat(life.world.requests[-1], new_id=True)
    await life.settle()
    await receive_receipts(life, in_full=True)
    assert life.world.carrier.on_phone(ANA) == ["On our way"]
    check_mark(message, Mark.DELIVERED)
    check_thread(life.world, "Hello")


@story(points=47)
async def replies_keep_their_order(life: Life) -> None:
    await open_thread(life)
    life.world.border.faults.append(Fault(operation="carrier send", trouble=Trouble.UNREACHABLE, times=2))
    messages = [await reply(life, text) for text in ("One", "Two", "Three")]
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["One", "Two", "Three"]
    for message in messages:
        check_mark(message, Mark.DELIVERED)


@story(points=27)
async def a_refused_reply_says_why(life: Life) -> None:
    await open_thread(life)
    life.world.carrier.refusals["Boo"] = CarrierRefused(
        code="40302", title="Message too large", detail=None, status=400
    )
    message = await reply(life, "Boo")
    after = await reply(life, "Hi")
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["Hi"]
    check_mark(message, Mark.FAILED)
    check_mark(after, Mark.DELIVERED)
    assert len(life.world.slack.lines("Not delivered")) == 1


@story(points=18)
async def a_text_that_is_not_delivered_says_why(life: Life) -> None:
    await open_thread(life)
    life.world.carrier.fates["Hi"] = DeliveryStatus.DELIVERY_FAILED
    message = await reply(life, "Hi")
    await life.settle()
    await receive_receipts(life)
    check_mark(message, Mark.FAILED)
    assert len(life.world.slack.lines("Not delivered")) == 1


@story(points=20)
async def a_receipt_comes_before_the_answer(life: Life) -> None:
    await open_thread(life)

    async def receive_early() -> None:
        bench = life.bench
        assert bench is not None
        request = life.world.report(life.world.carrier.texts[-1])
        await bench.deliver(request)
        await bench.work(Pool.CARRIER_IN)

    life.world.border.meanwhile.append(("carrier send", receive_early))
    message = await reply(life, "On our way")
    await life.settle()
    life.world.report(life.world.carrier.texts[-1], DeliveryStatus.SENT)
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == ["On our way"]
    check_mark(message, Mark.DELIVERED)


@story(points=20)
async def a_send_without_an_answer_is_settled_by_its_receipt(life: Life) -> None:
    await open_thread(life)
    life.world.border.faults.append(Fault(operation="carrier send", trouble=Trouble.LOST_ANSWER, times=3))
    message = await reply(life, "On our way")
    await life.settle(spare=timedelta(seconds=1))
    await receive_receipts(life)
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["On our way"]
    check_mark(message, Mark.DELIVERED)


@story(points=50)
async def a_send_without_answer_or_receipt_is_repeated_under_its_key(life: Life) -> None:
    await open_thread(life)
    faults = [(Trouble.LOST_ANSWER, 2), (Trouble.LOST_REQUEST, 2), (Trouble.UNREACHABLE, 1), (Trouble.LOST_ANSWER, 1)]
    life.world.border.faults += [Fault(operation="carrier send", trouble=trouble, times=n) for trouble, n in faults]
    message = await reply(life, "One")
    after = await reply(life, "Two")
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["One", "Two"]
    for each in (message, after):
        check_mark(each, Mark.DELIVERED)


@story(points=48)
async def a_send_that_stays_unknown_is_told_and_settled_in_the_end(life: Life) -> None:
    await open_thread(life)
    life.world.border.faults.append(Fault(operation="carrier send", trouble=Trouble.LOST_REQUEST, times=10))
    message = await reply(life, "One")
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["One"]
    check_mark(message, Mark.DELIVERED)
    assert len(life.world.slack.lines("It is not known whether")) <= 1


@story(points=35)
async def an_hourglass_gives_way_to_a_tick(life: Life) -> None:
    await open_thread(life)
    life.world.border.faults.append(Fault(operation="carrier send", trouble=Trouble.UNREACHABLE, times=5))
    message = await reply(life, "On our way")
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["On our way"]
    check_mark(message, Mark.DELIVERED)


@story(points=23, hold=timedelta(seconds=30))
async def an_edit_within_the_hold_changes_what_goes_out(life: Life) -> None:
    await open_thread(life)
    message = await reply(life, "At 5")
    await life.settle(spare=timedelta(seconds=5))
    life.world.tell(life.world.slack.edit(message, "At 6"))
    await life.deliver_all()
    await life.do(lambda bench: bench.work(Pool.SLACK_IN))
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["At 6"]
    check_mark(message, Mark.DELIVERED)


@story(points=22, hold=timedelta(seconds=30))
async def a_deletion_within_the_hold_stops_what_goes_out(life: Life) -> None:
    await open_thread(life)
    message = await reply(life, "At 5")
    await life.settle(spare=timedelta(seconds=5))
    life.world.tell(life.world.slack.remove(ANN, message))
    await life.deliver_all()
    await life.do(lambda bench: bench.work(Pool.SLACK_IN))
    await reply(life, "At 6")
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == ["At 6"]


# ------------------------------------------------------------------------------------------------ commands and schedules


async def type_sms(life: Life, text: str, *to: Any) -> None:
    await life.do(
        lambda bench: bench.texting.text_now(
            once="trigger", author=ANN, to=to, sender=None, text=text, origin=Origin.COMMAND
        )
    )


@story(points=19)
async def a_command_texts_and_opens_the_thread(life: Life) -> None:
    await type_sms(life, "Hi Bob", BOB)
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(BOB) == ["Hi Bob"]
    check_thread(life.world, "Hi Bob")
    check_mark(find_root(life.world), Mark.DELIVERED)


@story(points=37)
async def a_group_is_one_conversation(life: Life) -> None:
    await type_sms(life, "Hi both", BOB, ANA)
    life.world.text_in(BOB, "Hi", others=[ANA])
    await life.settle()
    await reply(life, "Fine")
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == life.world.carrier.on_phone(BOB) == ["Hi both", "Fine"]
    assert sorted(life.world.slack.words()) == ["Hi", "Hi both"]
    assert len([m for m in life.world.slack.posted() if m.thread_ts is None]) == 1
    check_mark(next(m for m in life.world.slack.messages if m.text == "Fine"), Mark.DELIVERED)


async def schedule(life: Life, text: str, wait: timedelta) -> None:
    due_at = life.world.clock.now() + wait

    async def ask(bench: Bench) -> None:
        await bench.schedules.schedule_text(
            once="trigger", author=ANN, to=(ANA,), sender=None, text=text, due_at=due_at, zone=ZONE
        )

    await life.do(ask)


async def cancel_schedule(life: Life) -> None:
    async def ask(bench: Bench) -> None:
        [(schedule_id,)] = await bench.read("SELECT id FROM schedules")
        await bench.schedules.cancel_schedule(ScheduleId(schedule_id), ANN)

    await life.do(ask)


async def read_schedule(life: Life) -> str:
    [(state,)] = await life.do(lambda bench: bench.read("SELECT state FROM schedules"))
    return str(state)


@story(points=17)
async def a_text_scheduled_here_falls_due_once(life: Life) -> None:
    due_at = life.world.clock.now() + timedelta(minutes=3)
    await schedule(life, "It is time", timedelta(minutes=3))
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["It is time"]
    assert life.world.carrier.texts[0].accepted_at >= due_at
    check_thread(life.world, "It is time")
    check_mark(find_root(life.world), Mark.DELIVERED)
    assert await read_schedule(life) == "sent"


@story(points=17)
async def a_text_scheduled_at_the_carrier_falls_due_once(life: Life) -> None:
    due_at = life.world.clock.now() + timedelta(hours=1)
    await schedule(life, "It is time", timedelta(hours=1))
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["It is time"]
    assert life.world.carrier.texts[0].send_at == due_at
    check_thread(life.world, "It is time")
    check_mark(find_root(life.world), Mark.DELIVERED)
    assert await read_schedule(life) == "sent"


@story(points=12)
async def a_text_scheduled_at_the_carrier_is_cancelled(life: Life) -> None:
    await schedule(life, "It is time", timedelta(hours=1))
    await life.settle(spare=timedelta(seconds=10))
    await cancel_schedule(life)
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == []
    assert [text.cancelled for text in life.world.carrier.texts] == [True]
    assert life.world.slack.words() == []
    assert await read_schedule(life) == "cancelled"
    assert any("taken back" in whisper.text for whisper in life.world.slack.whispers)


@story(points=11)
async def a_schedule_is_cancelled_while_it_is_handed_over(life: Life) -> None:
    async def cancel() -> None:
        bench = life.bench
        assert bench is not None
        [(schedule_id,)] = await bench.read("SELECT id FROM schedules")
        await bench.schedules.cancel_schedule(ScheduleId(schedule_id), ANN)

    life.world.border.meanwhile.append(("carrier send", cancel))
    await schedule(life, "It is time", timedelta(hours=1))
    await life.settle(spare=timedelta(seconds=10))
    await cancel_schedule(life)  # where the process died in between, the person asks again
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == []
    assert await read_schedule(life) == "cancelled"


# ------------------------------------------------------------------------------------------------------------- opt-outs


@story(points=13)
async def nothing_goes_out_after_stop(life: Life) -> None:
    await open_thread(life)
    life.world.text_in(ANA, "STOP")
    message = await reply(life, "Please stay")
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == []
    check_mark(message, Mark.BLOCKED)
    assert len(life.world.slack.lines("opted out")) == 1
    assert any(whisper.user == ANN and "opted out" in whisper.text for whisper in life.world.slack.whispers)


@story(points=23)
async def stop_reaches_a_reply_that_waits_for_the_carrier(life: Life) -> None:
    await open_thread(life)
    life.world.border.faults.append(Fault(operation="carrier send", trouble=Trouble.UNREACHABLE, times=3))
    message = await reply(life, "Please stay")
    await life.settle(spare=timedelta(0))
    life.world.text_in(ANA, "STOP")
    await life.deliver_all()
    await life.settle()
    if life.world.carrier.on_phone(ANA):  # where the process died, more time went by than the carrier was away
        assert len(life.world.carrier.texts) == 1
        await receive_receipts(life)
        check_mark(message, Mark.DELIVERED)
    else:
        check_mark(message, Mark.BLOCKED)


@story(points=16)
async def stop_cancels_what_is_scheduled_wherever_it_waits(life: Life) -> None:
    await schedule(life, "Later", timedelta(hours=2))
    await life.settle(spare=timedelta(seconds=10))
    life.world.text_in(ANA, "STOP")
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == []
    assert await read_schedule(life) == "cancelled"
    assert life.world.slack.words() == ["STOP"]


@story(points=10)
async def stop_takes_back_what_the_carrier_may_hold_without_our_knowing(life: Life) -> None:
    life.world.border.faults.append(Fault(operation="carrier send", trouble=Trouble.LOST_ANSWER))
    await schedule(life, "Later", timedelta(hours=2))
    await life.settle(spare=timedelta(seconds=1))
    life.world.text_in(ANA, "STOP")
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == []
    assert await read_schedule(life) == "cancelled"


@story(points=10)
async def one_of_a_group_says_stop_while_nobody_knows_whether_a_text_went(life: Life) -> None:
    life.world.border.faults.append(Fault(operation="carrier send", trouble=Trouble.LOST_ANSWER))
    await type_sms(life, "Hi both", BOB, ANA)
    await life.settle(spare=timedelta(seconds=1))
    life.world.text_in(ANA, "STOP")
    await life.settle()
    await receive_receipts(life)
    # Where the process died before the send, STOP came in time for Ana, or for both: those bytes are for both or nobody.
    gone = life.world.carrier.on_phone(BOB)
    assert gone in ([], ["Hi both"])
    assert life.world.carrier.on_phone(ANA) in ([], gone)
    assert life.world.slack.lines("Not delivered") == []
    check_mark(find_root_of(life.world, "Hi both"), Mark.DELIVERED if gone else Mark.BLOCKED)
    assert len({(each.key, each.to) for each in life.world.carrier.attempts}) <= 1


@story(points=10)
async def a_text_that_goes_although_it_was_taken_back_is_shown(life: Life) -> None:
    due = timedelta(hours=1)
    await schedule(life, "It is time", due)
    await life.settle(spare=timedelta(seconds=10))
    life.world.border.faults.append(Fault(operation="carrier cancel", trouble=Trouble.LOST_REQUEST))
    await cancel_schedule(life)
    await life.do(lambda bench: bench.work())
    await life.world.clock.advance(due)
    life.world.carrier.pass_time()
    await life.settle()
    await receive_receipts(life)
    gone = life.world.carrier.on_phone(ANA)
    assert life.world.slack.words() == gone
    assert await read_schedule(life) == ("sent" if gone else "cancelled")


@story(points=29)
async def start_after_stop_lets_texts_through_again(life: Life) -> None:
    await open_thread(life)
    life.world.text_in(ANA, "STOP")
    await life.settle()
    life.world.text_in(ANA, "START")
    message = await reply(life, "Welcome back")
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["Welcome back"]
    check_mark(message, Mark.DELIVERED)
    check_thread(life.world, "Hello", "STOP", "START")


@story(points=10)
async def nobody_is_texted_whom_a_teammate_opted_out(life: Life) -> None:
    await open_thread(life)
    await life.do(lambda bench: bench.optouts.add_optout(ANA, "asked by phone", BEN, once="trigger"))
    try:
        await type_sms(life, "Hi", ANA)
    except NotAllowed:
        pass
    else:
        raise AssertionError("the command was taken")
    message = await reply(life, "Hi")
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == []
    check_mark(message, Mark.BLOCKED)
