"""A text that was answered 200 appears in Slack exactly once, in order, whatever crashes or repeats."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.slack_workspace import ApiError
from tests.bridge.harness import ANA, BEN, CHANNEL, OURS, OURS_TOO, Bench, open_bench

#: Seconds of the program in one of the test's, where it is left to wait by itself.
FAST = 40


def read_everything(bench: Bench) -> list[str]:
    """Return the text of every message in the channel and its threads."""
    return [message.text for message in bench.slack.workspace.channels[CHANNEL].messages.values()]


# ---------------------------------------------------------------------------------------------- what comes again


async def test_the_same_event_five_times_at_once_is_one_text(bench: Bench) -> None:
    message_id = await bench.text_in("Hi")
    for _ in range(4):
        await bench.telnyx.redeliver(message_id)
    await bench.settle()
    await bench.telnyx.redeliver(message_id)
    await bench.settle()

    assert len([each for each in bench.telnyx.webhooks if each.status == 200]) == 6
    assert len(bench.shown("Hi")) == 1


async def test_the_same_message_under_new_event_ids_is_one_text(bench: Bench) -> None:
    message_id = await bench.text_in("Hi")
    await bench.text_in("Hi", message_id=message_id)
    await bench.settle()
    await bench.text_in("Hi", message_id=message_id)
    await bench.settle()

    assert len({each.event_id for each in bench.telnyx.webhooks}) == 3
    assert len(bench.shown("Hi")) == 1


async def test_the_same_words_twice_are_two_texts(bench: Bench) -> None:
    await bench.text_in("Hi")
    await bench.text_in("Hi")
    await bench.settle()

    assert len(bench.shown("Hi")) == 2


async def test_an_event_whose_answer_was_lost_is_one_text(bench: Bench) -> None:
    bench.fail(bench.telnyx, FaultKind.DROP_ANSWER, "message.received", times=2)

    await bench.text_in("Hi")
    await bench.settle()

    assert len(bench.telnyx.webhooks) == 3
    assert len(bench.shown("Hi")) == 1


# ------------------------------------------------------------------------------------------------- Slack's trouble

_TROUBLES: dict[str, dict[str, Any]] = {
    "says 429 and when to come again": {"kind": FaultKind.RATE_LIMIT, "retry_after": 30},
    "fails before it has posted": {"kind": FaultKind.REFUSE, "status": 503},
    "says internal_error before it has posted": {"kind": FaultKind.REFUSE, "code": "internal_error"},
    "breaks the connection before it has posted": {"kind": FaultKind.DROP_REQUEST},
    "breaks the connection after it has posted": {"kind": FaultKind.DROP_ANSWER},
    "fails after it has posted": {"kind": FaultKind.FAIL_AFTER, "status": 500},
    "says fatal_error after it has posted": {"kind": FaultKind.FAIL_AFTER, "code": "fatal_error"},
    "is slow": {"kind": FaultKind.SLOW, "seconds": 0.3},
}


@pytest.mark.parametrize("trouble", _TROUBLES.values(), ids=_TROUBLES.keys())
async def test_when_slack(trouble: dict[str, Any]) -> None:
    """Root, reply and their order: each exactly once, even where the trouble strikes twice in a row."""
    async with open_bench(rate=FAST) as bench:
        bench.slack.faults.add(Fault(operation="chat.postMessage", times=2, **trouble))
        for number in range(5):
            await bench.text_in(f"Text {number}")
            await bench.settle()
            if number == 2:
                bench.slack.faults.add(Fault(operation="chat.postMessage", times=2, **trouble))
        await bench.wait_until(lambda: len(read_everything(bench)) >= 5)
        await bench.finish()

        (root,) = bench.slack.messages(CHANNEL)
        assert [text.rpartition(": ")[2] for text in bench.thread(root["ts"])] == [f"Text {n}" for n in range(5)]
        assert len(read_everything(bench)) == 5


async def test_a_post_whose_answer_was_lost_is_found_by_its_key_and_not_made_again(bench: Bench) -> None:
    bench.clock.set_rate(FAST)
    bench.fail(bench.slack, FaultKind.DROP_ANSWER, "chat.postMessage", times=1)

    await bench.text_in("Hi")
    await bench.finish()

    posts = [call for call in bench.slack.calls if call.method == "chat.postMessage"]
    looks = [call for call in bench.slack.calls if call.method in {"conversations.history", "conversations.replies"}]
    assert (len(posts), len(bench.shown("Hi"))) == (1, 1)
    assert looks
    assert all(str(call.params["include_all_metadata"]).lower() in {"1", "true"} for call in looks)


async def test_the_key_of_a_post_tells_nobody_anything(bench: Bench) -> None:
    await bench.text_in("Hi")
    await bench.settle()

    (post,) = [call for call in bench.slack.calls if call.method == "chat.postMessage"]
    assert ANA.removeprefix("+1") not in str(post.params["metadata"])
    assert "Hi" not in str(post.params["metadata"])


async def test_a_second_copy_that_slack_showed_too_late_is_deleted(bench: Bench) -> None:
    """The post was made, its answer lost, and the look-up saw nothing yet: then there are two for a while."""
    bench.clock.set_rate(FAST)
    await bench.open_thread("First")
    bench.fail(bench.slack, FaultKind.DROP_ANSWER, "chat.postMessage", times=1)
    place = bench.slack.workspace.channels[CHANNEL]
    hidden: dict[str, object] = {}

    def hide(kind: str, data: dict[str, object]) -> None:
        if kind == "message" and "Second" in str(data) and not hidden:
            ts = next(ts for ts, message in place.messages.items() if message.text == "Second")
            hidden[ts] = place.messages.pop(ts)

    bench.slack.listeners.append(hide)
    await bench.text_in("Second")
    await bench.wait_until(lambda: len(bench.shown("Second")) == 1)
    place.messages.update(hidden)  # type: ignore[arg-type]
    assert len(bench.shown("Second")) == 2

    await bench.finish()

    assert len(bench.shown("Second")) == 1


async def test_of_two_copies_whose_answers_were_lost_the_one_that_slack_showed_too_late_is_deleted(
    bench: Bench,
) -> None:
    """The first is adopted while the second is not to be seen yet: it is looked for again, later."""
    bench.clock.set_rate(FAST)
    await bench.open_thread("First")
    bench.fail(bench.slack, FaultKind.DROP_ANSWER, "chat.postMessage", times=2)
    place = bench.slack.workspace.channels[CHANNEL]
    hidden: dict[str, object] = {}

    def hide(kind: str, data: dict[str, object]) -> None:
        """Hide the first copy until the second is made, and then that one."""
        if kind == "message" and "Second" in str(data) and len(hidden) < 2:
            ts = next(ts for ts, message in place.messages.items() if message.text == "Second")
            place.messages.update(hidden)  # type: ignore[arg-type]
            hidden[ts] = place.messages.pop(ts)

    async def is_posted() -> bool:
        return not await bench.query("SELECT 1 FROM jobs WHERE pool = 'post' AND status <> 'done'")

    bench.slack.listeners.append(hide)
    await bench.text_in("Second")
    await bench.wait_until(lambda: len(hidden) == 2 and len(bench.shown("Second")) == 1)
    await bench.wait_until(is_posted)
    place.messages.update(hidden)  # type: ignore[arg-type]
    assert len(bench.shown("Second")) == 2

    await bench.finish()

    assert len(bench.shown("Second")) == 1


async def test_texts_wait_while_slack_is_down_for_a_day_and_come_in_order_when_it_is_back() -> None:
    async with open_bench() as bench:
        bench.fail(bench.slack, FaultKind.DROP_REQUEST, "*")
        for number in range(8):
            await bench.text_in(f"Text {number}")
            await bench.settle()
        for _ in range(6):
            await bench.pass_time(timedelta(hours=4))
        assert read_everything(bench) == []

        bench.slack.faults.clear()
        bench.clock.set_rate(FAST)
        await bench.finish()

        assert [text.rpartition(": ")[2] for text in read_everything(bench)] == [f"Text {n}" for n in range(8)]


async def test_nothing_is_lost_while_the_token_is_revoked() -> None:
    async with open_bench(rate=FAST) as bench:
        bench.slack.auth_error = "token_revoked"
        await bench.text_in("Hi")
        await bench.settle()
        bench.slack.auth_error = None

        await bench.wait_until(lambda: len(bench.shown("Hi")) == 1)


# ------------------------------------------------------------------------------------------------------- crashes


async def test_texts_survive_a_crash_at_any_moment_and_appear_once() -> None:
    async with open_bench(rate=FAST) as bench:
        bench.fail(bench.slack, FaultKind.SLOW, "chat.postMessage", seconds=0.02)
        for number in range(6):
            await bench.text_in(f"Text {number}")
            await bench.wait_until(
                lambda number=number: len([each for each in bench.telnyx.webhooks if each.status == 200]) == number + 1
            )
            if number % 2:
                await bench.restart()
        await bench.finish()

        assert [text.rpartition(": ")[2] for text in read_everything(bench)] == [f"Text {n}" for n in range(6)]


async def test_a_text_that_came_while_the_bridge_was_down_is_taken_when_the_carrier_tries_again(bench: Bench) -> None:
    bench.telnyx.switches.webhook_backoff = (timedelta(hours=1), timedelta(hours=1))
    await bench.crash()
    await bench.text_in("Hi")
    await bench.wait_until(lambda: bench.telnyx.webhooks)
    await bench.start()

    bench.clock.leap(timedelta(hours=2))
    await bench.wait_until(lambda: bench.shown("Hi"))


# --------------------------------------------------------------------------------------------------- one thread


async def test_twenty_first_texts_at_once_open_one_thread(bench: Bench) -> None:
    await asyncio.gather(*(bench.text_in(f"Text {number}") for number in range(20)))
    await bench.settle()

    (root,) = bench.slack.messages(CHANNEL)
    assert len(bench.thread(root["ts"])) == 20


async def test_a_text_and_a_command_at_once_open_one_thread(bench: Bench) -> None:
    await asyncio.gather(
        bench.text_in("From them"), *(bench.command("/sms", f"4155550101 From us {n}") for n in range(3))
    )
    await bench.wait_until(lambda: len(bench.phone()) == 3)  # a send that comes while theirs is read waits a little
    await bench.settle()

    assert len(bench.slack.messages(CHANNEL)) == 1
    assert len(bench.phone()) == 3


async def test_the_subject_of_a_picture_message_stands_above_its_text_and_hides_no_stop(bench: Bench) -> None:
    root = await bench.open_thread("Hello")
    await bench.text_in("See below", subject="Rent")
    await bench.text_in("STOP", subject="Enough")
    await bench.settle()

    assert bench.thread(root)[1:3] == ["Rent\nSee below", "Enough\nSTOP"]
    assert "opted out" in bench.thread(root)[3]


async def test_each_customer_has_a_thread_and_each_of_our_numbers_too(bench: Bench) -> None:
    await bench.open_thread(from_=ANA, to=OURS)
    await bench.open_thread(from_=BEN, to=OURS)
    await bench.open_thread(from_=ANA, to=OURS_TOO)

    assert len(bench.slack.messages(CHANNEL)) == 3


@pytest.mark.parametrize("replies", [0, 2])
@pytest.mark.parametrize("told", [True, False])
async def test_a_deleted_root_costs_nothing(replies: int, told: bool, bench: Bench) -> None:
    """Whether there were replies or none, and whether Slack's event of it came or was lost."""
    root = await bench.open_thread("First")
    for number in range(replies):
        await bench.text_in(f"Reply {number}")
        await bench.settle()
    if not told:
        bench.fail(bench.slack, FaultKind.LOSE, "event", times=1)
    boss = bench.slack.add_user("boss", is_admin=True)
    await bench.slack.delete(boss, CHANNEL, root)
    await bench.settle()

    await bench.text_in("After")
    await bench.settle()
    await bench.text_in("And more")
    await bench.settle()

    (card,) = [message for message in bench.slack.messages(CHANNEL) if "After" in message["text"]]
    assert [text.rpartition(": ")[2] for text in bench.thread(card["ts"])] == ["After", "And more"]
    assert len(bench.shown("After")) == 1
    assert f"/archives/{CHANNEL}/p{root.replace('.', '')}" in str(card["blocks"])
    ts = await bench.reply("Got it", card["ts"])
    await bench.wait_mark(ts, "white_check_mark")
    assert bench.phone() == ["Got it"]


async def test_an_archived_channel_loses_nothing_and_its_texts_go_to_the_other() -> None:
    async with open_bench(rate=FAST, number_channels=f"{OURS_TOO}=C0SALES") as bench:
        bench.slack.add_channel("sales", id="C0SALES")
        await bench.open_thread("First", to=OURS_TOO, channel="C0SALES")
        await bench.slack.archive(bench.alice, "C0SALES")
        await bench.text_in("After", to=OURS_TOO)
        await bench.wait_until(lambda: bench.shown("After"))
        await bench.settle()

        (card,) = bench.slack.messages(CHANNEL)
        assert "After" in card["text"]
        assert "/archives/C0SALES/p" in str(card["blocks"])


async def test_an_archived_only_channel_keeps_texts_waiting_until_it_is_back() -> None:
    async with open_bench(rate=FAST) as bench:
        root = await bench.open_thread("First")
        await bench.slack.archive(bench.alice, CHANNEL)
        await bench.text_in("Meanwhile")
        await bench.settle()
        assert not bench.shown("Meanwhile")
        await bench.slack.unarchive(bench.alice, CHANNEL)

        await bench.wait_until(lambda: bench.shown("Meanwhile"))
        assert len(bench.thread(root)) == 2


async def test_a_bot_that_was_removed_joins_a_public_channel_again_by_itself() -> None:
    async with open_bench(rate=FAST) as bench:
        await bench.open_thread("First")
        await bench.slack.leave(bench.slack.bot_user, CHANNEL)
        await bench.text_in("Second")

        await bench.wait_until(lambda: bench.shown("Second"))


async def test_a_bot_that_was_removed_from_a_private_channel_goes_on_once_it_is_invited_back() -> None:
    async with open_bench(rate=FAST, slack_channel="G0INNER") as bench:
        bench.slack.add_channel("inner", id="G0INNER", private=True)
        await bench.open_thread("First", channel="G0INNER")
        await bench.slack.leave(bench.slack.bot_user, "G0INNER")
        await bench.text_in("Second")
        await bench.settle()
        assert not bench.shown("Second", "G0INNER")
        await bench.slack.join(bench.slack.bot_user, "G0INNER")

        await bench.wait_until(lambda: bench.shown("Second", "G0INNER"))


# ------------------------------------------------------------------------------------- nobody holds others up


async def test_one_conversations_failing_post_holds_no_other_up(bench: Bench) -> None:
    """Slack refuses what this customer writes, again and again."""
    bench.slack.api.methods = {**bench.slack.api.methods}
    method = bench.slack.api.methods["chat.postMessage"]

    def fail_for_ana(workspace: object, call: object) -> object:
        if "(415) 555-0101" in str(call):
            raise ApiError("internal_error")
        return method.run(workspace, call)  # type: ignore[arg-type]

    bench.slack.api.methods["chat.postMessage"] = type(method)(run=fail_for_ana, scopes=method.scopes)  # type: ignore[arg-type]
    await bench.text_in("Poison", from_=ANA)
    await bench.settle()

    for number in range(5):
        await bench.text_in(f"Text {number}", from_=BEN)
    await bench.wait_until(lambda: len(bench.shown("Text")) == 5)
    assert not bench.shown("Poison")


async def test_one_conversations_slow_carrier_holds_no_other_up(bench: Bench) -> None:
    ana, ben = await bench.open_thread(from_=ANA), await bench.open_thread(from_=BEN)
    bench.fail(bench.telnyx, FaultKind.SLOW, "POST /messages", seconds=2.5, times=1)
    await bench.reply("Slow", ana)
    await bench.wait_until(lambda: bench.send_requests)

    ts = await bench.reply("Quick", ben)

    await bench.wait_mark(ts, "white_check_mark")
    assert bench.phone(ANA) == []
    await bench.wait_until(lambda: bench.phone(ANA) == ["Slow"])


async def test_an_unsettled_text_of_one_conversation_holds_no_other_up(bench: Bench) -> None:
    ana, ben = await bench.open_thread(from_=ANA), await bench.open_thread(from_=BEN)
    bench.fail(bench.telnyx, FaultKind.DROP_REQUEST, "POST /messages", times=1)
    await bench.reply("Lost", ana)
    await bench.settle()

    await bench.reply("Sent", ben)
    await bench.wait_until(lambda: bench.phone(BEN) == ["Sent"])
    assert bench.phone(ANA) == []
