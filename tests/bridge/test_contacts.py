"""Who a customer is, and which clock is theirs: set from Slack, shown on the card, and kept to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.bridge.harness import ANA, BEN, CHANNEL, Bench, find_button, open_bench, read_words

#: The bench begins at nine in the morning in Chicago: seven in San Francisco, eight in Denver, and midnight in Tokyo.
NIGHT = "21:00-08:00"


async def open_form(bench: Bench, *, user: str = "") -> dict[str, Any]:
    """Type `/sms contact`; returns the form."""
    user = user or bench.alice
    answer = await bench.slack.command(user, CHANNEL, "/sms", "contact (415) 555-0101")
    assert answer.status == 200
    return bench.slack.views(user)[-1]


async def offer(bench: Bench, view: dict[str, Any], typed: str) -> list[dict[str, Any]]:
    answer = await bench.slack.options(bench.alice, view["id"], "zone", typed)
    assert isinstance(answer.body, dict)
    return list(answer.body["options"])


async def save(bench: Bench, *, name: str = "", zone: str | None = None) -> Any:
    """Fill the form in; *zone* as it is searched for, None for what the number says."""
    view = await open_form(bench)
    chosen = (await offer(bench, view, zone or ""))[0]
    answer = await bench.slack.submit_view(bench.alice, view["id"], {"name": name, "zone": chosen})
    await bench.settle()
    await bench.slack.close_view(bench.alice, clear=True)
    return answer


async def test_the_card_and_the_thread_tell_who_somebody_is_and_which_clock_is_theirs(bench: Bench) -> None:
    root = await bench.open_thread("Hello there")
    answer = await save(bench, name=" Ana  Diaz ", zone="denver")
    assert "Ana Diaz" in str(answer.body)

    card = bench.slack.message(CHANNEL, root)
    assert card["text"] == "📱 Ana Diaz · (415) 555-0101 (+14155550101): Hello there"
    shown = read_words(card)
    assert "*Ana Diaz · (415) 555-0101 (+14155550101)*" in shown
    assert "Their time zone: America/Denver" in shown
    assert "Hello there" in shown
    assert "Reply in this thread" in shown
    (line,) = [text for text in bench.thread(root) if "noted who" in text]
    assert f"<@{bench.alice}>" in line
    assert "*Ana Diaz*, their clock is that of America/Denver" in line


async def test_the_card_of_a_later_thread_tells_it_too(bench: Bench) -> None:
    await save(bench, name="Ana <Diaz>", zone="denver")
    root = await bench.open_thread()

    shown = read_words(bench.slack.message(CHANNEL, root))
    assert "Ana &lt;Diaz&gt; · (415) 555-0101" in shown
    assert "Their time zone: America/Denver" in shown


async def test_the_button_on_the_card_opens_the_form_with_what_is_known(bench: Bench) -> None:
    await save(bench, name="Ana", zone="denver")
    root = await bench.open_thread()
    card = bench.slack.message(CHANNEL, root)
    button = find_button(card, "Contact")
    answer = await bench.slack.click(bench.alice, CHANNEL, root, button["action_id"])
    assert answer.status == 200

    (view,) = bench.slack.views(bench.alice)
    name, zone = [block["element"] for block in view["blocks"] if block["type"] == "input"]
    assert name["initial_value"] == "Ana"
    assert zone["initial_option"]["value"] == "America/Denver"


async def test_zones_are_found_by_city_and_their_clock_is_shown(bench: Bench) -> None:
    view = await open_form(bench)
    first = (await offer(bench, view, ""))[0]
    assert first["text"]["text"] == "By their number: America/Los Angeles, 7:00 AM now"

    assert [each["value"] for each in await offer(bench, view, "new york")] == ["America/New_York"]
    assert (await offer(bench, view, "kolk"))[0]["value"] == "Asia/Kolkata"
    assert await offer(bench, view, "Atlantis") == []


async def test_quiet_hours_go_by_the_clock_that_was_set() -> None:
    async with open_bench(quiet_hours=NIGHT) as bench:
        root = await bench.open_thread()
        await save(bench, zone="denver")
        await bench.reply("It is eight there", root)
        await bench.settle()
        assert bench.phone() == ["It is eight there"]

        await save(bench, zone="tokyo")
        ts = await bench.reply("It is midnight there", root)
        await bench.pass_time(timedelta(seconds=10))
        assert bench.phone() == ["It is eight there"]
        assert bench.marks(ts) == {"hourglass_flowing_sand"}
        (line,) = bench.whispers("waits until")
        assert "08:00 on Saturday their time (Asia/Tokyo)" in line["text"]


async def test_what_waits_gets_its_time_by_the_new_clock() -> None:
    async with open_bench(quiet_hours=NIGHT) as bench:
        root = await bench.open_thread()
        await bench.reply("Good morning", root)
        await bench.settle()
        assert bench.phone() == []

        await save(bench, zone="tokyo")
        await bench.pass_time(timedelta(hours=2))
        assert bench.phone() == []

        await save(bench, zone="new_york")
        assert bench.phone() == ["Good morning"]


async def test_a_group_waits_until_it_is_day_for_all_of_them() -> None:
    async with open_bench(quiet_hours=NIGHT) as bench:
        await save(bench, zone="new_york")
        answer = await bench.command("/sms", "+14155550101, +12125550199 Hello")  # both in New York
        assert "On its way" in answer
        answer = await bench.command("/sms", "+14155550101, +14155550102 Hello")  # the other in San Francisco
        assert "quiet hours" in answer
        await bench.settle()

        assert bench.phone(BEN) == []


async def test_a_number_of_many_zones_waits_for_the_strictest() -> None:
    async with open_bench(quiet_hours=NIGHT) as bench:
        root = await bench.open_thread(from_="+18005550101")
        await bench.reply("Hello", root)
        await bench.settle()

        (line,) = bench.whispers("waits until")
        assert "in some of the time zones where" in line["text"]


@pytest.mark.parametrize("kind", [{"restricted": True}, {"stranger": True}])
async def test_who_is_no_member_neither_sees_nor_sets_it(kind: dict[str, Any], bench: Bench) -> None:
    root = await bench.open_thread()
    guest = bench.slack.add_user("gus", **kind)
    assert "Only full members" in await bench.command("/sms", "contact (415) 555-0101", user=guest)
    await bench.click(bench.slack.message(CHANNEL, root), "Contact", user=guest)

    assert bench.slack.views(guest) == []
    assert bench.whispers("Only full members", user=guest)


async def test_saving_what_is_known_already_tells_nobody_and_all_changes_are_in_the_audit(bench: Bench) -> None:
    root = await bench.open_thread()
    await save(bench, name="Ana", zone="denver")
    await save(bench, name="Ana", zone="denver")
    await save(bench)

    assert len([text for text in bench.thread(root) if "noted who" in text]) == 2
    rows = await bench.query("SELECT detail FROM audit WHERE action = 'contact_changed' ORDER BY at")
    assert len(rows) == 2
    assert "Ana" not in str([tuple(row) for row in rows])
    assert "Ana" not in read_words(bench.slack.message(CHANNEL, root))


async def test_a_zone_that_there_is_not_is_not_taken(bench: Bench) -> None:
    view = await open_form(bench)
    made_up = {"text": {"type": "plain_text", "text": "x"}, "value": "America/Atlantis"}
    answer = await bench.slack.submit_view(bench.alice, view["id"], {"zone": made_up})

    assert "no such time zone" in str(answer.errors)


async def test_the_question_in_confirm_mode_names_them() -> None:
    async with open_bench(thread_mode="confirm") as bench:
        await save(bench, name="Ana Diaz")
        root = await bench.open_thread(from_=ANA)
        await bench.reply("Hello", root)
        await bench.settle()

        assert "Send this to *Ana Diaz, (415) 555-0101*?" in bench.whispers("Send this")[0]["text"]


async def test_a_schedules_answer_warns_of_quiet_hours_by_the_clock_that_was_set() -> None:
    async with open_bench(quiet_hours=NIGHT) as bench:
        by_number = await bench.command("/schedule", "4155550101 at 11am Hello")  # nine in San Francisco
        await save(bench, name="Ana", zone="tokyo")
        by_contact = await bench.command("/schedule", "4155550101 at 11am Hello")  # two at night in Tokyo

        assert "quiet hours" not in by_number
        assert "That is in the quiet hours: 2:00 AM where they are" in by_contact
        assert "Ana, (415) 555-0101" in by_contact
