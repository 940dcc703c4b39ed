"""`/sms history`: all that was said with somebody, to whoever may text, a page at a time."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from bot.domain.contact import Contact
from bot.domain.ids import UserId
from bot.domain.phone import Address
from bot.sandbox.slack_sim import Answer
from tests.bridge.harness import ANA, BEN, CHANNEL, OURS_TOO, Bench, list_buttons, open_bench, read_words


async def test_both_directions_stand_there_in_order_with_times_authors_and_what_became_of_each(bench: Bench) -> None:
    root = await bench.open_thread("Is it ready?")
    ts = await bench.reply("It is.", root)
    await bench.wait_mark(ts, "white_check_mark")
    await bench.reply("note: be nice", root)
    await bench.settle()

    shown = await bench.command("/sms", "history (415) 555-0101")

    assert "*(415) 555-0101* `+14155550101`: 3 texts" in shown
    assert shown.index("Is it ready?") < shown.index("It is.") < shown.index("note: be nice")
    assert f"*<@{bench.alice}>* · <https://" in shown
    assert "✅ delivered" in shown
    assert "📝 note, not sent" in shown
    assert "by the clock of America/Chicago" in shown
    local = bench.clock.now().astimezone(ZoneInfo("America/Chicago"))
    assert f"{local.day} {local:%b %Y}, {local.hour % 12 or 12}:" in shown
    assert f"p{ts.replace('.', '')}|" in shown  # a link to where it stands


async def test_it_goes_back_page_by_page_and_forth_again_without_a_gap(bench: Bench) -> None:
    root = await bench.open_thread("text 00")
    for number in range(1, 25):
        bench.clock.leap(timedelta(minutes=1))
        await bench.text_in(f"text {number:02}")
    await bench.settle()
    assert root

    answer = await bench.command("/sms", f"history {ANA}")
    seen = [[f"{number:02}" for number in range(25) if f"text {number:02}" in answer]]
    for label in ("Older", "Older", "Newer", "Newer"):
        (page,) = bench.whispers("Only you see this")
        await bench.click(page, label)
        (page,) = bench.whispers("Only you see this")
        seen.append([f"{number:02}" for number in range(25) if f"text {number:02}" in read_words(page)])

    newest, middle, oldest = ([f"{n:02}" for n in each] for each in (range(15, 25), range(5, 15), range(5)))
    assert seen == [newest, middle, oldest, middle, newest]
    assert list_buttons(bench.whispers("Only you see this")[0]) == ["Older"]


async def test_it_is_whole_over_all_our_numbers_groups_and_threads_that_are_gone() -> None:
    async with open_bench(number_channels={OURS_TOO: CHANNEL}) as bench:
        root = await bench.open_thread("to the first")
        await bench.slack.delete(bench.slack.bot_user, CHANNEL, root)
        await bench.text_in("to the other", to=OURS_TOO)
        await bench.text_in("from Ben", from_=BEN)
        await bench.command("/sms", f"{ANA}, {BEN} to both")
        await bench.settle()

        shown = await bench.command("/sms", f"history {ANA}")

    assert "3 texts" in shown
    for words in ("to the first", "to the other", "to both"):
        assert words in shown
    assert "from Ben" not in shown
    assert "with our (312) 555-0111" in shown
    assert "in the group (415) 555-0101, (415) 555-0102" in shown


async def test_a_page_is_never_more_than_slack_takes_and_the_longest_text_says_what_is_missing(bench: Bench) -> None:
    for number in range(12):
        await bench.text_in(f"{number:02}" + "x" * 3_900)
    await bench.text_in("y" * 12_000)
    await bench.settle()

    longest = await bench.slack.command(bench.alice, CHANNEL, "/sms", f"history {ANA}")
    (page,) = bench.whispers("Only you see this")
    await bench.click(page, "Older")
    (page,) = bench.whispers("Only you see this")

    assert "and 2,000 more characters" in str(longest.body)
    assert isinstance(longest.body, dict)
    assert len(longest.body["blocks"]) <= 50
    assert "11xxx" in read_words(page)
    assert "10xxx" in read_words(page)
    assert "09xxx" not in read_words(page)
    assert len(page["blocks"]) <= 50


async def test_what_a_customer_wrote_brings_nothing_to_life_in_it(bench: Bench) -> None:
    await bench.text_in("<!channel> *bold* <https://evil.example|bank>")
    await bench.settle()

    answer = await bench.slack.command(bench.alice, CHANNEL, "/sms", f"history {ANA}")

    assert isinstance(answer.body, dict)
    assert "<!channel" not in answer.body["text"]
    rich = [block for block in answer.body["blocks"] if block["type"] == "rich_text"]
    assert [block["elements"][0]["elements"][0]["text"] for block in rich] == [
        "<!channel> *bold* <https://evil.example|bank>"
    ]


async def test_guests_do_not_see_it_nor_another_page_of_it(bench: Bench) -> None:
    for number in range(12):
        await bench.text_in(f"secret {number}")
    await bench.settle()
    guest = bench.slack.add_user("guest", restricted=True)
    (older,) = find_all_values(await bench.slack.command(bench.alice, CHANNEL, "/sms", f"history {ANA}"))
    payload = {
        "type": "block_actions",
        "team": {"id": "T0SANDBOX1"},
        "user": {"id": guest},
        "trigger_id": "9.9",
        "response_url": f"{bench.slack.base_url}/response/x",
        "actions": [{"type": "button", "action_id": "history_page:older", "block_id": "b", "value": older}],
    }
    form: dict[str, str | None] = {"Content-Type": "application/x-www-form-urlencoded"}
    calls = len(bench.journal.exchanges)

    shown = await bench.command("/sms", f"history {ANA}", user=guest)
    assert await bench.post_signed_by_slack(urlencode({"payload": json.dumps(payload)}).encode(), form) == 200
    await bench.settle()

    assert "Only full members" in shown
    assert "secret" not in shown
    assert "secret" not in str(list(bench.journal.exchanges)[calls:])


def find_all_values(answer: Answer) -> list[str]:
    """Return what the buttons of an answer carry."""
    assert isinstance(answer.body, dict)
    return [each["value"] for block in answer.body["blocks"] for each in block.get("elements", []) if "value" in each]


async def test_what_is_older_than_it_may_be_kept_is_shown_as_erased_and_its_words_are_gone() -> None:
    async with open_bench(retention_days=2) as bench:
        root = await bench.open_thread("long ago")
        ts = await bench.reply("answered long ago", root)
        await bench.wait_mark(ts, "white_check_mark")
        await bench.pass_time(timedelta(days=3))
        await bench.text_in("today")
        await bench.settle()
        await bench.pass_time(timedelta(hours=2))  # the sweep of an hour ago may have begun while the days passed
        await bench.wait_until(lambda: bench.query("SELECT 1 FROM messages WHERE text = '' LIMIT 1 OFFSET 1"))

        shown = await bench.command("/sms", f"history {ANA}")
        left = await bench.query("SELECT 1 FROM requests WHERE LENGTH(body) > 0")

    assert "long ago" not in shown
    assert shown.count("_erased_") == 2
    assert "✅ delivered" in shown
    assert "today" in shown
    assert left == []


async def test_it_is_headed_by_their_name_where_a_team_has_given_them_one(bench: Bench) -> None:
    await bench.open_thread("Hello there")
    works = await bench.bridge.open_works()
    async with works.store.transaction("name them") as tx:
        await tx.contacts.save_contact(
            Contact(
                address=Address(ANA), name="Ana <3", zone=None, set_by=UserId(bench.alice), set_at=bench.clock.now()
            )
        )

    assert "*Ana &lt;3, (415) 555-0101*" in await bench.command("/sms", f"history {ANA}")


async def test_nothing_said_and_mistakes_are_told(bench: Bench) -> None:
    assert "Nothing was said" in await bench.command("/sms", "history 2025550143")
    for typed in ("history", "history banana", "history 4155550101 now", "history 4155550101, 4155550102"):
        answer = await bench.command("/sms", typed)
        assert "/sms history &lt;number&gt;" in answer, typed
        assert "Nothing was done" in answer
    assert bench.telnyx.sends == []
