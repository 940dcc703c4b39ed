"""What of a thread is sent is set by channel, by those who may, in the sight of all."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bridge.harness import CHANNEL, OURS_TOO, Bench, find_button, open_bench, read_answer

SALES = "C0SALES"


def add_boss(bench: Bench) -> str:
    return bench.slack.add_user("boss", is_admin=True)


async def open_form(bench: Bench, user: str, channel: str = CHANNEL) -> dict[str, Any]:
    """Type `/sms settings`; returns the form."""
    answer = await bench.slack.command(user, channel, "/sms", "settings")
    assert answer.status == 200
    (view,) = bench.slack.views(user)
    return view


async def set_mode(bench: Bench, user: str, mode: str, channel: str = CHANNEL) -> Any:
    view = await open_form(bench, user, channel)
    answer = await bench.slack.submit_view(user, view["id"], {"mode": mode})
    await bench.settle()
    await bench.slack.close_view(user, clear=True)
    return answer


async def test_an_admin_sets_a_channels_mode_and_the_next_reply_follows_it(bench: Bench) -> None:
    boss = add_boss(bench)
    root = await bench.open_thread()
    await bench.reply("Goes out", root)
    await bench.settle()

    answer = await set_mode(bench, boss, "prefix")
    assert "The channel has been told" in str(answer.body)
    note = await bench.reply("Stays here", root)
    await bench.reply("sms: Goes out too", root)
    await bench.settle()

    assert bench.phone() == ["Goes out", "Goes out too"]
    assert bench.marks(note) == {"memo"}
    (told,) = bench.shown("changed what is sent from here")
    assert f"<@{boss}>" in told["text"]
    assert "only what begins with `sms:`" in told["text"]
    assert "thread_ts" not in told


async def test_the_setting_outlives_a_restart_and_can_be_taken_back(bench: Bench) -> None:
    boss = add_boss(bench)
    root = await bench.open_thread()
    await set_mode(bench, boss, "confirm")
    await bench.restart()
    await bench.reply("Asked about", root)
    await bench.settle()
    assert bench.phone() == []

    view = await open_form(bench, boss)
    (element,) = [block["element"] for block in view["blocks"] if block["type"] == "input"]
    assert element["initial_option"]["value"] == "confirm"
    await bench.slack.close_view(boss, clear=True)
    await set_mode(bench, boss, "like_all")
    await bench.reply("Sent", root)
    await bench.settle()
    assert bench.phone() == ["Sent"]


async def test_each_channel_has_its_own() -> None:
    async with open_bench(number_channels=f"{OURS_TOO}={SALES}") as bench:
        bench.slack.add_channel("sales", id=SALES)
        boss = add_boss(bench)
        await bench.slack.join(boss, SALES)
        await bench.slack.join(bench.alice, SALES)
        await set_mode(bench, boss, "prefix", SALES)
        here, there = await bench.open_thread(), await bench.open_thread(to=OURS_TOO, channel=SALES)
        await bench.reply("From texts", here)
        await bench.slack.post(bench.alice, SALES, "From sales", thread_ts=there)
        await bench.settle()

        assert bench.phone() == ["From texts"]
        assert bench.shown("changed what is sent", SALES)
        assert bench.shown("changed what is sent", CHANNEL) == []


async def test_an_edit_is_read_by_the_channels_mode(bench: Bench) -> None:
    boss = add_boss(bench)
    await set_mode(bench, boss, "prefix")
    root = await bench.open_thread()
    ts = await bench.reply("note: x", root)
    await bench.settle()
    await bench.slack.edit(bench.alice, CHANNEL, ts, "x")
    await bench.settle()

    assert bench.whispers("Send this") == []
    assert bench.phone() == []


async def test_who_is_no_admin_is_told_how_it_is_set_and_whom_to_ask(bench: Bench) -> None:
    said = await bench.command("/sms", "settings")

    assert "what is written in a thread is sent, except notes" in said
    assert "Only an admin of this workspace may change that" in said
    assert bench.slack.views(bench.alice) == []


async def test_who_is_named_by_admins_may_change_it() -> None:
    async with open_bench(admins="U000000001") as bench:
        assert bench.alice == "U000000001"
        await set_mode(bench, bench.alice, "prefix")

        assert bench.shown("changed what is sent from here")


async def test_a_form_that_was_open_when_its_reader_lost_the_right_changes_nothing(bench: Bench) -> None:
    boss = add_boss(bench)
    view = await open_form(bench, boss)
    bench.slack.workspace.users[boss].is_admin = False
    await bench.restart()  # what was known of people is forgotten
    answer = await bench.slack.submit_view(boss, view["id"], {"mode": "prefix"})

    assert "Only an admin" in str(answer.errors)
    assert bench.shown("changed what is sent") == []


async def test_in_a_channel_where_no_texts_arrive_there_is_nothing_to_set(bench: Bench) -> None:
    boss = add_boss(bench)
    bench.slack.add_channel("random", id="C0RANDOM")
    await bench.slack.join(boss, "C0RANDOM")
    answer = await bench.slack.command(boss, "C0RANDOM", "/sms", "settings")

    assert f"<#{CHANNEL}>" in read_answer(answer)
    assert bench.slack.views(boss) == []


async def test_the_change_is_in_the_audit_once_and_saving_what_holds_already_tells_nobody(bench: Bench) -> None:
    boss = add_boss(bench)
    await set_mode(bench, boss, "prefix")
    await set_mode(bench, boss, "prefix")

    rows = await bench.query("SELECT actor, subject FROM audit WHERE action = 'setting_changed' AND subject <> 'all'")
    assert [tuple(row) for row in rows] == [(boss, f"THREAD_MODE of {CHANNEL}")]
    assert len(bench.shown("changed what is sent")) == 1


@pytest.mark.parametrize("is_admin", [True, False])
async def test_the_home_tab_shows_each_channels_mode_and_admins_a_button(is_admin: bool, bench: Bench) -> None:
    user = bench.slack.add_user("somebody", is_admin=is_admin)
    await bench.slack.open_home(user)
    await bench.settle()
    home = bench.slack.home(user)
    assert home is not None
    assert f"<#{CHANNEL}>: what is written in a thread is sent" in str(home["blocks"])
    if not is_admin:
        assert "channel_settings" not in str(home["blocks"])
        return

    button = find_button(home, "Change")
    answer = await bench.slack.click_in_view(user, home["id"], button["action_id"])
    assert answer.status == 200
    (view,) = bench.slack.views(user)
    assert CHANNEL in str(view["blocks"])
