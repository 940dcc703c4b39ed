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
from bot.domain.job import Pool
from bot.domain.message import Mark
from bot.errors import CarrierRefused
from tests.doubles.bench import ANA, BOB, CEM, Life, World, make_policy
from tests.doubles.border import Fault, Trouble
from tests.doubles.slack import ANN, BEN, BOT, SlackMessage

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


async def reply(life: Life, text: str, *pictures: str) -> SlackMessage:
    """Let Ann reply in the newest thread, with pictures of these names; nothing is done of it yet."""
    files = [life.world.files.attach(name) for name in pictures]
    message, event = life.world.slack.say(ANN, find_root(life.world), text, files=files)
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


def check_nothing_was_taken_back(world: World) -> None:
    """See that no post stood twice even for a while."""
    assert [message.words for message in world.slack.messages if message.deleted_by == BOT] == []


def check_mark(message: SlackMessage, *marks: Mark) -> None:
    assert message.our_marks == {mark.value for mark in marks}


# ------------------------------------------------------------------------------------------------------- phone to Slack


@story(points=5)
async def the_first_text_opens_a_thread(life: Life) -> None:
    await open_thread(life)
    life.world.border.begun_at = 0
    check_thread(life.world, "Hello")


@story(points=13)
async def texts_into_a_thread_keep_their_order_and_repeat_nothing(life: Life) -> None:
    root = await open_thread(life)
    first = life.world.text_in(ANA, "One")
    life.world.text_in(ANA, "Two")
    life.world.repeat(first)
    life.world.repeat(first, new_id=True)
    life.world.text_in(ANA, "Three")
    await life.settle()
    check_thread(life.world, "Hello", "One", "Two", "Three")
    check_nothing_was_taken_back(life.world)
    assert [message.thread_ts for message in life.world.slack.posted()] == [None, root.ts, root.ts, root.ts]


@story(points=18)
async def texts_of_several_people_that_are_read_together_are_each_shown_once(life: Life) -> None:
    people = (ANA, BOB, CEM)
    for number in range(2):
        for who in people:
            life.world.text_in(who, f"{who} {number}.")
    await life.settle()
    for who in people:
        root = find_root_of(life.world, f"{who} 0.")
        assert [message.words for message in life.world.slack.posted() if message.thread_ts == root.ts] == [f"{who} 1."]
    assert len(life.world.slack.words()) == 2 * len(people)
    check_nothing_was_taken_back(life.world)
    if life.world.lives == 1:
        names = [crossing.name for crossing in life.world.border.crossings]
        assert names.count("commit read carrier events") == 4, "two parts, and two sides of each commit"


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
    check_nothing_was_taken_back(life.world)


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


@story(points=14)
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


@story(points=16)
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


@story(points=15)
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


@story(points=35)
async def replies_keep_their_order(life: Life) -> None:
    await open_thread(life)
    life.world.border.faults.append(Fault(operation="carrier send", trouble=Trouble.UNREACHABLE, times=2))
    messages = [await reply(life, text) for text in ("One", "Two", "Three")]
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["One", "Two", "Three"]
    for message in messages:
        check_mark(message, Mark.DELIVERED)


@story(points=20)
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


@story(points=13)
async def a_text_that_is_not_delivered_says_why(life: Life) -> None:
    await open_thread(life)
    life.world.carrier.fates["Hi"] = DeliveryStatus.DELIVERY_FAILED
    message = await reply(life, "Hi")
    await life.settle()
    await receive_receipts(life)
    check_mark(message, Mark.FAILED)
    assert len(life.world.slack.lines("Not delivered")) == 1


@story(points=15)
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


@story(points=16)
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


@story(points=9)
async def a_tapback_to_a_tapback_stays_text(life: Life) -> None:
    root = await open_thread(life)
    life.world.text_in(ANA, "Liked “Hello”")
    await life.settle()
    life.world.text_in(ANA, "Liked “Liked “Hello””")
    await life.settle()
    assert root.our_marks == {"+1"}
    check_thread(life.world, "Hello", "Liked “Liked “Hello””")


@story(points=10)
async def a_mark_that_may_be_there_is_taken_off_with_the_next(life: Life) -> None:
    await open_thread(life)

    async def receive_receipt() -> None:
        assert life.bench is not None
        await life.bench.deliver(life.world.report(life.world.carrier.texts[-1]))
        await life.bench.work(Pool.CARRIER_IN)

    life.world.border.faults.append(Fault(operation="carrier send", trouble=Trouble.LOST_ANSWER))
    life.world.border.meanwhile.append(("slack add_reaction", receive_receipt))
    message = await reply(life, "On our way")
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["On our way"]
    check_mark(message, Mark.DELIVERED)
