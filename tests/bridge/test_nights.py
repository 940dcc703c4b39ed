"""
Nobody is texted in the quiet hours of where they are, nor because something held a text up by day; and [Send now] is one
person's word for one text.
"""

from __future__ import annotations

from datetime import timedelta

from bot.sandbox.faults import FaultKind
from tests.bridge.harness import ANA, CHANNEL, list_buttons, open_bench

#: The bench begins at seven in the morning where Ana is.
NIGHT, EVENING = "21:00-08:00", "07:30-09:00"
SENDING = "POST /messages"


async def test_in_quiet_hours_a_reply_waits_for_the_recipients_morning() -> None:
    """It is seven in the morning where they are, and nine where the teammate is."""
    async with open_bench(quiet_hours=NIGHT) as bench:
        root = await bench.open_thread()
        ts = await bench.reply("Good morning", root)
        await bench.pass_time(timedelta(seconds=10))

        assert bench.marks(ts) == {"hourglass_flowing_sand"}
        (line,) = bench.whispers("waits until")
        assert "08:00 on Friday" in line["text"]
        await bench.pass_time(timedelta(minutes=58))
        assert bench.phone() == []
        await bench.pass_time(timedelta(minutes=3))
        assert bench.phone() == ["Good morning"]
        assert bench.marks(ts) == {"white_check_mark"}


async def test_send_now_lifts_the_quiet_hours_for_one_text() -> None:
    async with open_bench(quiet_hours=NIGHT) as bench:
        root = await bench.open_thread()
        await bench.reply("Urgent", root)
        await bench.settle()
        await bench.click(bench.whispers("waits until")[0], "Send now")

        assert bench.phone() == ["Urgent"]


async def test_commands_wait_for_the_morning_too() -> None:
    async with open_bench(quiet_hours=NIGHT) as bench:
        answer = await bench.command("/sms", "4155550101 Good morning")
        await bench.settle()
        assert "Waiting for the end of the quiet hours of (415) 555-0101" in answer
        assert "On its way" not in answer
        assert bench.phone() == []
        assert bench.whispers("waits until")

        await bench.pass_time(timedelta(hours=2))
        assert bench.phone() == ["Good morning"]


async def test_nobody_waits_by_day() -> None:
    async with open_bench(quiet_hours=NIGHT) as bench:
        root = await bench.open_thread(from_="+12125550101")  # ten in the morning in New York
        await bench.reply("Hello", root)
        await bench.settle()

        assert bench.phone("+12125550101") == ["Hello"]


async def test_what_the_carrier_does_not_take_before_the_night_waits_for_the_morning() -> None:
    async with open_bench(quiet_hours=EVENING) as bench:
        root = await bench.open_thread()
        bench.fail(bench.telnyx, FaultKind.RATE_LIMIT, SENDING, retry_after=600)
        ts = await bench.reply("Hello", root)
        await bench.settle()
        assert bench.whispers("waits until") == []
        bench.clock.leap(timedelta(minutes=40))
        bench.telnyx.faults.clear()
        await bench.pass_time(timedelta(minutes=1))
        assert bench.phone() == []
        assert bench.marks(ts) == {"hourglass_flowing_sand"}
        (line,) = bench.whispers("waits until")
        assert "09:00 on Friday" in line["text"]

        await bench.pass_time(timedelta(hours=1, minutes=20))
        assert bench.phone() == ["Hello"]
        assert bench.marks(ts) == {"white_check_mark"}


async def test_what_was_held_while_the_bridge_was_down_waits_for_the_morning() -> None:
    async with open_bench(quiet_hours=EVENING, send_hold_seconds=60) as bench:
        root = await bench.open_thread()
        await bench.reply("Hello", root)
        await bench.settle()
        await bench.crash()
        bench.clock.leap(timedelta(hours=1))
        await bench.start()
        await bench.settle()
        assert bench.phone() == []

        await bench.pass_time(timedelta(hours=1, minutes=1))
        assert bench.phone() == ["Hello"]


async def test_send_now_sends_one_text_and_those_before_it_go_on_waiting() -> None:
    async with open_bench(quiet_hours=NIGHT) as bench:
        root = await bench.open_thread()
        first, second = await bench.reply("First", root), await bench.reply("Second", root)
        await bench.settle()
        lines = bench.whispers("waits until")
        assert [list_buttons(line) for line in lines] == [["Send now", "Mark as note"]] * 2

        assert "On its way" in await bench.click(lines[1], "Send now")
        assert bench.phone() == ["Second"]
        assert bench.marks(second) == {"white_check_mark"}
        await bench.pass_time(timedelta(hours=2))
        assert bench.phone() == ["Second", "First"]
        assert bench.marks(first) == {"white_check_mark"}


async def test_send_now_is_in_the_audit_with_what_it_overrode() -> None:
    async with open_bench(quiet_hours=NIGHT) as bench:
        root = await bench.open_thread()
        await bench.reply("Urgent", root)
        await bench.settle()
        line = bench.whispers("waits until")[0]
        await bench.click(line, "Send now")
        (row,) = await bench.query("SELECT actor, numbers, detail FROM audit WHERE action = 'sent_now'")

        assert row["actor"] == bench.alice
        assert ANA in row["numbers"]
        assert "2026-11-20T16:00:00+00:00" in row["detail"]


async def test_send_now_outlives_a_restart_and_a_carrier_in_trouble() -> None:
    async with open_bench(quiet_hours=NIGHT) as bench:
        root = await bench.open_thread()
        await bench.reply("Urgent", root)
        await bench.settle()
        bench.fail(bench.telnyx, FaultKind.RATE_LIMIT, SENDING, retry_after=20, times=1)
        await bench.click(bench.whispers("waits until")[0], "Send now")
        assert bench.phone() == []
        await bench.restart()
        await bench.pass_time(timedelta(seconds=30))

        assert bench.phone() == ["Urgent"]


async def test_an_edit_a_cross_and_a_deletion_count_while_a_text_waits_for_the_morning() -> None:
    async with open_bench(quiet_hours=NIGHT) as bench:
        root = await bench.open_thread()
        edited, crossed, deleted, note = [await bench.reply(f"Text {n}", root) for n in range(4)]
        await bench.settle()
        await bench.slack.edit(bench.alice, CHANNEL, edited, "Text 0, edited")
        await bench.slack.react(bench.alice, CHANNEL, crossed, "x")
        await bench.slack.delete(bench.alice, CHANNEL, deleted)
        await bench.slack.edit(bench.alice, CHANNEL, note, "// Text 3")
        await bench.pass_time(timedelta(hours=2))

        assert bench.phone() == ["Text 0, edited"]
        assert bench.marks(note) == {"memo"}


async def test_both_clocks_are_told() -> None:
    async with open_bench(quiet_hours=NIGHT) as bench:
        root = await bench.open_thread()
        await bench.reply("Hello", root)
        await bench.settle()
        (line,) = bench.whispers("waits until")

        assert "08:00 on Friday their time (America/Los Angeles)" in line["text"]
        assert "<!date^1795190400^" in line["text"]  # Slack shows it by each reader's own clock
