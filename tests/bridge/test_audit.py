"""Whatever is sent, overridden, opted out or taken back is on record, once, with who did it and when."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.domain.audit import AuditAction
from bot.sandbox.faults import FaultKind
from bot.settings import Secret
from tests.bridge.harness import ANA, API_KEY, BEN, BOT_TOKEN, OURS, SIGNING_SECRET, Bench, open_bench
from tests.bridge.unsettled import make_unsettled

_ENTRIES = "SELECT * FROM audit WHERE action = ? ORDER BY id"


async def read_audit(bench: Bench, action: AuditAction) -> list[dict[str, Any]]:
    """Return the entries of *action*, their time as a moment's distance from now in seconds."""
    now = bench.clock.now().timestamp()
    return [
        {
            "actor": row["actor"],
            "numbers": row["numbers"].strip(","),
            "age": round(now - row["at"] / 1_000_000),
            **json.loads(row["detail"]),
        }
        for row in await bench.query(_ENTRIES, action.value)
    ]


async def test_a_reply_is_on_record_with_its_author_and_not_what_it_says(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.reply("xylophone", root)
    await bench.settle()

    (entry,) = await read_audit(bench, AuditAction.SENT)
    assert entry == {"actor": bench.alice, "numbers": ANA, "age": 0, "from": OURS, "origin": "thread"}
    (kept,) = await bench.query("SELECT GROUP_CONCAT(detail) AS all_of_it FROM audit")
    assert "xylophone" not in kept["all_of_it"]


async def test_a_send_that_is_repeated_through_lost_answers_and_a_crash_is_one_entry(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.lose_receipts()
    bench.fail(bench.telnyx, FaultKind.DROP_ANSWER, "POST /messages", times=2)
    await bench.reply("Hello", root)
    await bench.settle()
    await bench.restart()
    await bench.pass_time(timedelta(minutes=1))
    await bench.pass_time(timedelta(minutes=5))

    assert len(bench.send_requests) > 1
    assert bench.phone() == ["Hello"]
    assert len(await read_audit(bench, AuditAction.SENT)) == 1


async def test_a_note_leaves_nothing_on_record_until_somebody_sends_it(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("note: they like blue", root)
    await bench.settle()
    assert await bench.query("SELECT 1 FROM audit WHERE action <> 'setting_changed'") == []

    await bench.slack.shortcut(bench.alice, bench.channel, ts, "send_as_text")
    await bench.settle()

    assert [entry["actor"] for entry in await read_audit(bench, AuditAction.NOTE_SENT)] == [bench.alice]
    assert len(await read_audit(bench, AuditAction.SENT)) == 1


async def test_stop_and_start_are_on_record_as_the_customers_doing(bench: Bench) -> None:
    await bench.open_thread()
    await bench.text_in("STOP")
    await bench.settle()
    await bench.text_in("START")
    await bench.settle()

    for action in (AuditAction.OPTED_OUT, AuditAction.OPTED_IN):
        (entry,) = await read_audit(bench, action)
        assert (entry["actor"], entry["numbers"]) == ("customer", ANA)


async def test_a_reply_to_somebody_who_said_stop_is_on_record_as_not_sent(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.text_in("STOP")
    await bench.settle()
    await bench.reply("Hello", root)
    await bench.settle()

    (entry,) = await read_audit(bench, AuditAction.NOT_SENT)
    assert (entry["actor"], entry["numbers"]) == (bench.alice, ANA)
    assert "opted out" in entry["why"]
    assert await read_audit(bench, AuditAction.SENT) == []


async def test_an_opt_out_by_hand_and_its_lifting_are_on_record_with_who_and_why(bench: Bench) -> None:
    await bench.command("/optouts", "add 4155550101 asked on the phone")
    await bench.pass_time(timedelta(hours=1))
    await bench.command("/optouts", "remove 4155550101")

    (added,) = await read_audit(bench, AuditAction.OPTED_OUT_BY_HAND)
    (lifted,) = await read_audit(bench, AuditAction.OPT_OUT_LIFTED)
    assert (added["actor"], added["numbers"], added["reason"], added["age"]) == (
        bench.alice,
        ANA,
        "asked on the phone",
        3600,
    )
    assert (lifted["actor"], lifted["numbers"], lifted["age"]) == (bench.alice, ANA, 0)


async def test_an_opt_out_with_the_button_is_on_record_with_who_pressed_it(bench: Bench) -> None:
    await bench.open_thread()
    await bench.text_in("please stop texting me")
    await bench.settle()
    (card,) = bench.shown("does not want to be texted")
    await bench.click(card, "Opt them out")

    (entry,) = await read_audit(bench, AuditAction.OPTED_OUT_BY_HAND)
    assert (entry["actor"], entry["source"]) == (bench.alice, "card")


async def test_what_the_carriers_list_tells_is_on_record_as_the_carriers(bench: Bench) -> None:
    bench.telnyx.block(sender=OURS, person=BEN)
    for _ in range(2):
        await bench.command("/optouts")

    (entry,) = await read_audit(bench, AuditAction.OPTED_OUT)
    assert (entry["actor"], entry["numbers"], entry["source"]) == ("carrier", BEN, "carrier_list")


async def test_sending_in_quiet_hours_after_all_is_on_record_with_who_pressed_it() -> None:
    async with open_bench(quiet_hours="00:00-23:59") as bench:
        root = await bench.open_thread()
        await bench.reply("Hello", root)
        await bench.settle()
        (line,) = bench.whispers("quiet hours")
        await bench.click(line, "Send now")

        (entry,) = await read_audit(bench, AuditAction.SENT_NOW)
        assert (entry["actor"], entry["numbers"]) == (bench.alice, ANA)
        assert entry["waited_until"]
        assert len(await read_audit(bench, AuditAction.SENT)) == 1


async def test_a_second_send_of_what_may_have_gone_out_is_on_record_with_who_wanted_it(bench: Bench) -> None:
    await make_unsettled(bench)
    (line,) = bench.shown("not known whether")
    await bench.click(line, "Send again")

    (entry,) = await read_audit(bench, AuditAction.SENT_AGAIN)
    assert entry["actor"] == bench.alice
    assert len(await read_audit(bench, AuditAction.SENT)) == 2


async def test_a_correction_is_on_record(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("at five", root)
    await bench.settle()
    await bench.slack.edit(bench.alice, bench.channel, ts, "at six")
    await bench.settle()
    (line,) = bench.whispers("original")
    await bench.click(line, "Send correction")

    assert [entry["actor"] for entry in await read_audit(bench, AuditAction.CORRECTED)] == [bench.alice]


async def test_a_schedule_and_its_taking_back_are_on_record_and_no_send_is(bench: Bench) -> None:
    await bench.command("/schedule", "4155550101 in 20 days Hello")
    (row,) = await bench.query("SELECT id FROM schedules")
    await bench.command("/schedule", f"cancel {row['id']}")

    (scheduled,) = await read_audit(bench, AuditAction.SCHEDULED)
    (taken_back,) = await read_audit(bench, AuditAction.TAKEN_BACK)
    assert (scheduled["actor"], scheduled["schedule"]) == (bench.alice, row["id"])
    assert taken_back["actor"] == bench.alice
    assert await read_audit(bench, AuditAction.SENT) == []


async def test_a_reply_that_its_author_takes_back_in_the_hold_is_on_record_as_that() -> None:
    async with open_bench(send_hold_seconds=60) as bench:
        root = await bench.open_thread()
        ts = await bench.reply("Hello", root)
        await bench.settle()
        await bench.slack.react(bench.alice, bench.channel, ts, "x")
        await bench.settle()

        assert [entry["actor"] for entry in await read_audit(bench, AuditAction.TAKEN_BACK)] == [bench.alice]
        assert await read_audit(bench, AuditAction.SENT) == []


async def test_the_settings_of_the_first_start_are_on_record_and_what_a_later_start_finds_changed(bench: Bench) -> None:
    async def read() -> list[tuple[str, str | None, str | None]]:
        rows = await bench.query("SELECT subject, detail FROM audit WHERE action = 'setting_changed' ORDER BY id")
        return [
            (row["subject"], (detail := json.loads(row["detail"])).get("before"), detail.get("after")) for row in rows
        ]

    await bench.wait_until(lambda: _count(bench, 1))
    (first,) = await bench.query("SELECT * FROM audit")
    assert first["actor"] == "textbridge"
    shown = json.loads(first["detail"])
    assert (shown["TELNYX_PHONE_NUMBER"], shown["TELNYX_API_KEY"]) == (OURS, "(a secret)")
    for secret in (API_KEY, BOT_TOKEN, SIGNING_SECRET):
        assert secret not in first["detail"]

    await bench.restart()
    await bench.settle()
    assert len(await read()) == 1

    bench.settings = replace(bench.settings, quiet_hours="21:00-08:00", telnyx_api_key=Secret("KEYother"))
    await bench.restart()
    await bench.wait_until(lambda: _count(bench, 3))
    assert (await read())[1:] == [("TELNYX_API_KEY", None, "(a secret)"), ("QUIET_HOURS", "", "21:00-08:00")]


async def _count(bench: Bench, entries: int) -> bool:
    return len(await bench.query("SELECT 1 FROM audit")) == entries
