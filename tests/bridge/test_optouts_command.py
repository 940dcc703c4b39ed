"""`/optouts`: the carrier's list and our own as one, one person's state, and what a mistake is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.bridge.harness import ANA, OURS, Bench, list_buttons


async def test_nobody_opted_out_is_said_so(bench: Bench) -> None:
    assert "Nobody has opted out" in await bench.command("/optouts")


async def test_the_list_is_the_carriers_and_ours_as_one_newest_first_a_page_at_a_time(bench: Bench) -> None:
    for number in range(20):
        bench.telnyx.block(sender=OURS, person=f"+1415555{1000 + number}", keyword="STOP")
        bench.clock.leap(timedelta(minutes=1))
    await bench.command("/optouts", "add 2025550143 wrote us a letter")
    bench.clock.leap(timedelta(minutes=1))
    bench.telnyx.block(sender=OURS, person="+12025550143", keyword="STOP")

    first = await bench.command("/optouts")
    (shown,) = bench.whispers("opted out*, page")
    second = await bench.click(shown, "Older")
    (shown,) = bench.whispers("page 2")

    assert "*21 opted out*, page 1 of 2" in first
    assert first.index("+12025550143") < first.index("+14155551019") < first.index("+14155551018")
    assert "+14155551005" not in first
    assert "+14155551005" in second
    assert "+14155551000" in second
    assert list_buttons(shown) == ["Newer"]
    assert "page 1 of 2" in await bench.click(shown, "Newer")


async def test_a_page_that_is_no_more_is_the_last_one(bench: Bench) -> None:
    for number in range(16):
        await bench.command("/optouts", f"add +1415555{1000 + number} by phone")
    assert "page 1 of 2" in await bench.command("/optouts")
    (shown,) = bench.whispers("page 1 of 2")
    await bench.command("/optouts", "remove +14155551003")

    second = await bench.click(shown, "Older")

    assert "*15 opted out*" in second
    assert "page" not in second
    assert "+14155551000" in second


async def test_a_page_of_long_reasons_fits_into_what_slack_takes(bench: Bench) -> None:
    for number in range(15):
        await bench.command("/optouts", f"add +1415555{1000 + number} they wrote {'& ' * 100}")
    for _ in range(8):
        await bench.command("/optouts", "remove +14155551000")
        await bench.command("/optouts", f"add +14155551000 they wrote {'& ' * 100}")

    for typed in ("", "+14155551000"):
        await bench.command("/optouts", typed)
    page, one_person = bench.whispers("opted out*")
    for shown in (page, one_person):
        sections = [block["text"]["text"] for block in shown["blocks"] if block["type"] == "section"]
        assert len(sections) > 1
        assert all(len(section) <= 3000 for section in sections)
        assert "".join(sections) == shown["text"]


async def test_whom_only_the_carrier_knew_is_not_texted_after_the_list_was_read(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.telnyx.block(sender=OURS, person=ANA, keyword="STOP")
    await bench.command("/optouts")
    bench.telnyx.lift(sender=OURS, person=ANA)

    await bench.reply("Hello", root)
    await bench.settle()

    assert bench.send_requests == []


async def test_our_own_list_is_shown_while_the_carrier_does_not_answer(bench: Bench) -> None:
    await bench.text_in("STOP")
    await bench.settle()
    await bench.telnyx.stop()

    answer = await bench.command("/optouts")

    assert "*1 opted out*" in answer
    assert "could not be read" in answer


async def test_one_persons_state_is_shown_with_its_evidence(bench: Bench) -> None:
    await bench.open_thread()
    assert "can be texted" in await bench.command("/optouts", "(415) 555-0101")
    await bench.text_in("Stop.")
    await bench.settle()

    shown: Any = await bench.command("/optouts", "(415) 555-0101")

    assert "has *opted out*" in shown
    assert "20 Nov 2026" in shown
    assert "they texted “Stop.”" in shown


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("banana", "not"),
        ("add 4155550101", "The reason is missing"),
        ("remove", "The number is missing"),
        ("add", "The number is missing"),
        ("4155550101 because", "do not understand"),
        ("12", "12"),
    ],
)
async def test_a_mistake_is_told_with_the_right_form_and_changes_nothing(typed: str, told: str, bench: Bench) -> None:
    answer = await bench.command("/optouts", typed)

    assert told in answer
    assert "Nothing was done" in answer
    assert "/optouts" in answer
    assert "Nobody has opted out" in await bench.command("/optouts")


async def test_help_shows_each_form_with_an_example(bench: Bench) -> None:
    answer = await bench.command("/optouts", "help")

    for form in ("/optouts", "/optouts &lt;number&gt;", "/optouts add &lt;number&gt; &lt;reason&gt;",
                 "/optouts remove &lt;number&gt;"):  # fmt: skip
        assert f"`{form}`" in answer
    assert answer.count("_e.g._") == 4
