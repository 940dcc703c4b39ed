"""`/sms`, typed and filled in."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot.domain.commands import SMS_FORMS
from bot.sandbox.faults import FaultKind
from tests.bridge.harness import ANA, BEN, CHANNEL, OURS, OURS_TOO, PROFILE, Bench, open_bench

#: Longer than Slack's word on somebody is remembered.
_FORGOTTEN = timedelta(minutes=6)

# ------------------------------------------------------------------------------------------------- to one number


@pytest.mark.parametrize(
    "typed",
    ["+14155550101", "(415) 555-0101", "415-555-0101", "4155550101", "415.555.0101", "1 415 555 0101",
     "<tel:+14155550101|415-555-0101>", "<tel:4155550101|4155550101>", "+1 (415) 555-0101"],
)  # fmt: skip
async def test_a_number_may_be_written_as_people_write_it(typed: str, bench: Bench) -> None:
    answer = await bench.command("/sms", f"{typed} Your order is ready")
    await bench.settle()

    assert bench.phone() == ["Your order is ready"]
    assert "(415) 555-0101" in answer
    assert "Your order is ready" in answer


async def test_it_opens_the_thread_with_the_text_and_its_author_and_the_answer_comes_there(bench: Bench) -> None:
    await bench.command("/sms", "4155550101 Your order is ready")
    await bench.settle()
    (card,) = bench.slack.messages(CHANNEL)
    assert "alice: Your order is ready" in card["text"]
    assert ANA in card["text"]
    assert bench.marks(card["ts"]) == {"white_check_mark"}

    await bench.text_in("Thanks")
    await bench.settle()
    assert bench.thread(card["ts"])[1:] == ["Thanks"]


async def test_it_writes_into_the_thread_that_there_is(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.command("/sms", "4155550101 Your order is ready")
    await bench.settle()

    reply = bench.slack.thread(CHANNEL, root)[-1]
    assert "Your order is ready" in reply["text"]
    assert bench.marks(reply["ts"]) == {"white_check_mark"}


async def test_the_text_goes_out_as_typed(bench: Bench) -> None:
    await bench.command("/sms", "4155550101 5 > 3 & 2 < 4, *see* <https://x.example|x.example> :)")
    await bench.settle()

    (text,) = bench.phone()
    assert text is not None
    assert text.startswith("5 > 3 & 2 < 4, *see* ")
    assert "x.example" in text


async def test_what_slack_made_a_link_of_goes_out_in_words(bench: Bench) -> None:
    await bench.command(
        "/sms",
        "<tel:+14155550101|415-555-0101> <https://x.example?a=1&amp;b=2> or call <tel:+14155550199|555-0199> &lt;3",
    )
    await bench.settle()

    assert bench.phone() == ["https://x.example?a=1&b=2 or call 555-0199 <3"]


async def test_the_answer_is_private(bench: Bench) -> None:
    await bench.command("/sms", "4155550101 Hi")
    await bench.settle()

    assert len(bench.slack.messages(CHANNEL)) == 1
    assert len(bench.whispers("On its way")) == 1


async def test_slack_being_down_does_not_keep_a_text_from_going_out() -> None:
    async with open_bench(rate=40) as bench:
        await bench.command("/sms", "4155550102 First")  # now it is known who alice is
        await bench.settle()
        fault = bench.fail(bench.slack, FaultKind.DROP_REQUEST, "*")
        await bench.command("/sms", "4155550101 Hi")
        await bench.wait_until(lambda: bench.phone() == ["Hi"])
        bench.slack.faults.lift(fault)

        await bench.wait_until(lambda: bench.shown("Hi"))


async def test_a_slow_slack_lets_nothing_out_after_the_person_was_told_that_it_failed(bench: Bench) -> None:
    bench.fail(bench.slack, FaultKind.SLOW, "users.info", seconds=3.2, times=1)

    answer = await bench.slack.command(bench.alice, CHANNEL, "/sms", "4155550101 Hi")
    await bench.wait_until(lambda: any(each.operation == "users.info" for each in bench.journal.exchanges))
    await bench.settle()

    assert (answer.status, answer.shown) == (200, None)
    assert "Nothing was done; please try again" in str(answer.body)
    assert bench.telnyx.sends == []


@pytest.mark.parametrize("command", ["/sms", "/sms contact 4155550101", "/schedule"])
async def test_a_form_whose_opening_breaks_off_is_told_in_words(command: str, bench: Bench) -> None:
    bench.fail(bench.slack, FaultKind.DROP_REQUEST, "views.open")

    assert "Slack did not open the form in time" in await bench.command(*command.split(maxsplit=1))


@pytest.mark.parametrize("operation", ["users.info", "views.open"])
async def test_a_form_that_slack_does_not_open_in_time_is_told_in_words(operation: str, bench: Bench) -> None:
    bench.fail(bench.slack, FaultKind.SLOW, operation, seconds=3.2, times=1)

    assert "Slack did not open the form in time" in await bench.command("/sms")
    await bench.wait_until(lambda: any(each.operation == operation for each in bench.journal.exchanges))
    await bench.settle()


_NOT_NOW = "Nothing was done; please try again"


@pytest.mark.parametrize("command", ["/sms", "/sms contact 4155550101", "/sms settings", "/schedule"])
async def test_a_form_stays_as_filled_in_while_slack_does_not_say_who_submits_it(command: str, bench: Bench) -> None:
    bench.slack.workspace.users[bench.alice].is_admin = True
    await bench.command(*command.split(maxsplit=1))
    (view,) = bench.slack.views(bench.alice)
    bench.clock.leap(_FORGOTTEN)
    bench.fail(bench.slack, FaultKind.DROP_REQUEST, "users.info")
    due = int((bench.clock.now() + timedelta(hours=2)).timestamp())
    filled = {"to": ANA, "text0": "Hello", "when": due, "name": "Ana", "mode": "prefix"}
    values = {block["block_id"]: filled[block["block_id"]] for block in view["blocks"] if block["block_id"] in filled}

    assert _NOT_NOW in str((await bench.slack.submit_view(bench.alice, view["id"], values)).errors)

    bench.slack.faults.clear()
    assert (await bench.slack.submit_view(bench.alice, view["id"], {})).errors == {}
    await bench.settle()
    assert len(bench.telnyx.sends) == (command in {"/sms", "/schedule"})


async def test_a_form_is_answered_in_words_where_slack_takes_too_long_to_say_who_submits_it(bench: Bench) -> None:
    await bench.command("/sms")
    (view,) = bench.slack.views(bench.alice)
    bench.clock.leap(_FORGOTTEN)
    bench.fail(bench.slack, FaultKind.SLOW, "users.info", seconds=3.2, times=1)

    answer = await bench.slack.submit_view(bench.alice, view["id"], {"to": ANA, "text0": "Hello"})
    assert _NOT_NOW in str(answer.errors)
    await bench.wait_until(lambda: [each.operation for each in bench.journal.exchanges].count("users.info") > 1)
    await bench.settle()
    assert bench.telnyx.sends == []


# -------------------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("hello", "number"),
        ("4155550101", "The text is missing"),
        ("415555 Hello", "415555"),
        ("+1415555010199999 Hello", "+1415555010199999"),
        ("+999123456789 Hello", "+999123456789"),
        ("from: 4155550101 Hello", ""),
        ("4155550101 from:+13125550111 Hello", "before the number"),
        ("from:+14155559999 4155550101 Hello", "not one of our numbers"),
        ("from:AVERYLONGSENDERNAME 4155550101 Hello", "at most 11"),
        ("from:pool 4155550101 Hello", "TELNYX_MESSAGING_PROFILE_ID"),
        ("from:ACME 4155550101 Hello", "TELNYX_MESSAGING_PROFILE_ID"),
        ("export 4155550101", "There is no `export`"),
        ("4155550101 " + "x" * 1600, "11 parts"),
        (", ".join(f"415555010{n}" for n in range(9)) + " Hello", "at most 8"),
    ],
)
async def test_a_mistake_is_told_privately_and_nothing_is_sent(typed: str, told: str, bench: Bench) -> None:
    answer = await bench.command("/sms", typed)
    await bench.settle()

    assert told in answer
    assert bench.send_requests == []
    assert bench.slack.messages(CHANNEL) == []


@pytest.mark.parametrize("typed", ["hello", "4155550101", "415555 Hello"])
async def test_a_mistake_is_told_with_the_right_form_and_an_example(typed: str, bench: Bench) -> None:
    answer = await bench.command("/sms", typed)

    assert "The form is `/sms &lt;number&gt; &lt;text&gt;`" in answer
    assert "for example `/sms (415) 555-0101" in answer


@pytest.mark.parametrize(
    ("command", "typed"),
    [("/sms", "from:+14155559999 4155550101 Hello"), ("/schedule", "from:+14155559999 4155550101 in 2 hours Hello")],
)
async def test_another_sender_that_is_not_ours_is_told_with_the_right_form(
    command: str, typed: str, bench: Bench
) -> None:
    answer = await bench.command(command, typed)
    await bench.settle()

    assert "not one of our numbers" in answer
    assert f"The form is `{command} from:&lt;number or name&gt; &lt;number&gt;" in answer
    assert f"for example `{command} from:+1" in answer
    assert bench.send_requests == []


async def test_whether_a_number_exists_is_the_carriers_to_say(bench: Bench) -> None:
    await bench.command("/sms", "+15005550006 Hello")  # no area code of anybody's
    await bench.settle()

    assert bench.phone("+15005550006") == ["Hello"]


@pytest.mark.parametrize("typed", ["help", "HELP", "?", "--help"])
async def test_help_shows_each_form_with_an_example(typed: str, bench: Bench) -> None:
    answer = await bench.command("/sms", typed)

    for form in ("/sms &lt;number&gt; &lt;text&gt;", "/sms &lt;number&gt;, &lt;number&gt; &lt;text&gt;",
                 "/sms from:&lt;number or name&gt; &lt;number&gt; &lt;text&gt;", "/sms",
                 "/sms history &lt;number&gt;"):  # fmt: skip
        assert f"`{form}`" in answer
    assert answer.count("_e.g._") == len(SMS_FORMS)
    assert bench.send_requests == []


# ---------------------------------------------------------------------------------------------------- other senders


async def test_from_another_of_our_numbers_goes_out_from_it_and_into_its_channel() -> None:
    async with open_bench(number_channels=f"{OURS_TOO}=C0SALES") as bench:
        bench.slack.add_channel("sales", id="C0SALES")
        await bench.command("/sms", "from:(312) 555-0111 4155550101 Hello")
        await bench.settle()

        assert bench.telnyx.sends[0].from_ == OURS_TOO
        (card,) = bench.slack.messages("C0SALES")
        assert "Hello" in card["text"]
        await bench.text_in("Hi back", to=OURS_TOO)
        await bench.settle()
        assert len(bench.slack.thread("C0SALES", card["ts"])) == 2


async def test_from_a_name_goes_out_under_it_with_the_profile() -> None:
    async with open_bench(telnyx_messaging_profile_id=PROFILE) as bench:
        bench.telnyx.add_sender_name("ACME")
        bench.telnyx.profile.alpha_sender = "ACME"
        await bench.command("/sms", "from:ACME +442071838750 Hello")
        await bench.settle()

        (request,) = bench.send_requests
        body = json.loads(request.body)
        assert (body["from"], body["messaging_profile_id"]) == ("ACME", PROFILE)
        assert request.status == 200


async def test_from_the_pool_leaves_the_choice_to_the_carrier_and_keeps_one_thread_afterwards() -> None:
    async with open_bench(telnyx_messaging_profile_id=PROFILE) as bench:
        bench.telnyx.profile.number_pool_settings = {
            "toll_free_weight": 0, "long_code_weight": 1, "skip_unhealthy": False, "sticky_sender": True,
        }  # fmt: skip
        await bench.command("/sms", "from:pool 4155550101 Hello")
        await bench.settle()

        (request,) = bench.send_requests
        body = json.loads(request.body)
        assert "from" not in body
        assert body["messaging_profile_id"] == PROFILE
        await bench.text_in("Hi back", to=bench.telnyx.sends[0].from_)
        await bench.settle()
        (card,) = bench.slack.messages(CHANNEL)
        assert len(bench.thread(card["ts"])) == 2


async def test_the_pools_choice_is_learned_from_a_receipt_where_no_answer_told_it() -> None:
    async with open_bench(telnyx_messaging_profile_id=PROFILE) as bench:
        bench.telnyx.profile.number_pool_settings = {
            "toll_free_weight": 0, "long_code_weight": 1, "skip_unhealthy": False, "sticky_sender": True,
        }  # fmt: skip
        bench.fail(bench.telnyx, FaultKind.DROP_ANSWER, "POST /messages")
        await bench.command("/sms", "from:pool 4155550101 Hello")
        await bench.wait_until(
            lambda: any("white_check_mark" in bench.marks(each["ts"]) for each in bench.shown("Hello"))
        )

        await bench.text_in("Hi back", to=bench.telnyx.sends[0].from_)
        await bench.settle()
        (card,) = bench.slack.messages(CHANNEL)
        assert len(bench.thread(card["ts"])) == 2


async def test_from_a_short_code_of_ours() -> None:
    async with open_bench() as bench:
        bench.telnyx.add_number("72975")
        await bench.command("/sms", "from:72975 4155550101 Hello")
        await bench.settle()

        assert bench.telnyx.sends[0].from_ == "72975"


# ---------------------------------------------------------------------------------------------------------- groups


async def test_several_numbers_get_one_group_message_in_one_thread(bench: Bench) -> None:
    await bench.command("/sms", "415-555-0101, (415) 555-0102 We meet at noon")
    await bench.settle()

    (request,) = bench.send_requests
    assert request.operation == "POST /messages/group_mms"
    assert json.loads(request.body)["to"] == [ANA, BEN]
    assert bench.phone(ANA) == bench.phone(BEN) == ["We meet at noon"]
    (card,) = bench.slack.messages(CHANNEL)
    assert bench.marks(card["ts"]) == {"white_check_mark"}
    await bench.text_in("I will be there", from_=BEN, cc=[ANA])
    await bench.settle()
    assert len(bench.thread(card["ts"])) == 2


async def test_the_same_number_twice_is_no_group(bench: Bench) -> None:
    await bench.command("/sms", "4155550101, +14155550101 Hello")
    await bench.settle()

    assert bench.telnyx.sends[0].operation == "POST /messages"


async def test_eight_are_a_group(bench: Bench) -> None:
    await bench.command("/sms", ", ".join(f"415555010{n}" for n in range(8)) + " Hello")
    await bench.settle()

    assert len(bench.telnyx.sends[0].to) == 8


# ---------------------------------------------------------------------------------------------------------- the form


async def fill(bench: Bench, **values: object) -> dict[str, str]:
    """Open the form, fill it in, submit it; returns what is said to be wrong."""
    await bench.command("/sms")
    view = bench.slack.views(bench.alice)[-1]
    answer = await bench.slack.submit_view(bench.alice, view["id"], values)
    assert answer.status == 200, answer
    await bench.settle()
    return answer.errors


async def test_the_form_sends_and_says_so(bench: Bench) -> None:
    assert await fill(bench, to="(415) 555-0101", text0="Hello") == {}

    assert bench.phone() == ["Hello"]
    assert "On its way" in str(bench.slack.views(bench.alice)[-1]["blocks"])


async def test_the_form_counts_parts_while_people_type(bench: Bench) -> None:
    await bench.command("/sms")
    view = bench.slack.views(bench.alice)[-1]
    await bench.slack.click_in_view(bench.alice, view["id"], "count_parts", value="x" * 161)
    await bench.settle()

    assert "2 parts" in json.dumps(bench.slack.views(bench.alice)[-1]["blocks"])


@pytest.mark.parametrize(
    ("values", "block"),
    [
        ({"to": "12", "text0": "Hello"}, "to"),
        ({"to": ", ".join(f"415555010{n}" for n in range(9)), "text0": "Hello"}, "to"),
        ({"to": ANA, "text0": "x" * 1600}, "text0"),
        ({"to": ANA, "text0": "   "}, "text0"),
    ],
)
async def test_the_form_says_at_the_field_what_is_wrong(values: dict[str, str], block: str, bench: Bench) -> None:
    assert list(await fill(bench, **values)) == [block]
    assert bench.send_requests == []


async def test_the_form_asks_from_which_number_where_there_are_several() -> None:
    async with open_bench(number_channels=f"{OURS_TOO}=C0TEXTS") as bench:
        await fill(bench, to=ANA, text0="Hello", **{"from": OURS_TOO})

        assert bench.telnyx.sends[0].from_ == OURS_TOO


async def test_the_form_schedules_when_a_time_is_given(bench: Bench) -> None:
    due = int((bench.clock.now() + timedelta(hours=2)).timestamp())
    assert await fill(bench, to=ANA, text0="Hello", when=due) == {}

    (send,) = bench.telnyx.sends
    assert send.send_at is not None
    assert int(send.send_at.timestamp()) == due


async def test_the_form_takes_no_time_that_has_passed(bench: Bench) -> None:
    past = int((bench.clock.now() - timedelta(hours=2)).timestamp())

    assert list(await fill(bench, to=ANA, text0="Hello", when=past)) == ["when"]
    assert bench.send_requests == []


async def test_the_form_that_schedules_never_sends_at_once(bench: Bench) -> None:
    await bench.command("/schedule")
    view = bench.slack.views(bench.alice)[-1]
    answer = await bench.slack.submit_view(bench.alice, view["id"], {"to": ANA, "text0": "Hello"})
    await bench.settle()

    assert list(answer.errors) == ["when"]
    assert bench.send_requests == []


async def test_the_form_says_at_the_number_that_a_group_cannot_wait(bench: Bench) -> None:
    due = int((bench.clock.now() + timedelta(hours=2)).timestamp())

    assert list(await fill(bench, to=f"{ANA}, {BEN}", text0="Hello", when=due)) == ["to"]
    assert bench.send_requests == []


async def test_a_shortcut_opens_the_form_from_anywhere(bench: Bench) -> None:
    assert (await bench.slack.global_shortcut(bench.alice, "new_text")).status == 200

    (view,) = bench.slack.views(bench.alice)
    assert view["callback_id"] == "text_form"
    assert OURS not in json.dumps(view)  # there is nothing to choose
