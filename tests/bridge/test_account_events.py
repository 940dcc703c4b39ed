"""The carrier's events about links and the account: told where it matters, once, and heeded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.domain.audit import AuditAction
from bot.sandbox.faults import FaultKind
from tests.bridge.harness import ANA, BEN, PROFILE, Bench, open_bench
from tests.bridge.test_audit import read_audit

CLICKED_AT = "2026-11-20T15:45:45.450Z"


def make_click(carrier_id: str, **changes: Any) -> dict[str, Any]:
    """Return a click on a link, without the envelope that other events have and with a number without its plus."""
    click = {
        "record_type": "link_clicked",
        "url": "https://shop.example.com/offer?a=1&b=2",
        "to": ANA[1:],
        "message_id": carrier_id,
        "time_clicked": CLICKED_AT,
    }
    return {"data": click | changes}


def make_event(event_type: str, payload: dict[str, Any], event_id: str = "account-1") -> dict[str, Any]:
    """Return an event of the account in the carrier's envelope."""
    return {
        "data": {"event_type": event_type, "id": event_id, "record_type": "event", "payload": payload},
        "meta": {"attempt": 1},
    }


def make_spend_limit(profile: str = PROFILE, event_id: str = "limit-1") -> dict[str, Any]:
    """Return the news that the day's limit of *profile* is used up."""
    payload = {"configured_limit": "10.00", "current_cost": "10.02", "profile_id": profile}
    return make_event("messaging-profile.spend-limit-reached", payload, event_id)


async def send_and_find_id(bench: Bench) -> tuple[str, str]:
    """Send a reply and return its thread and the id under which the carrier knows it."""
    root = await bench.open_thread()
    await bench.reply("Look: https://sho.rt/x", root)
    await bench.settle()
    ((carrier_id,),) = await bench.query("SELECT carrier_id FROM messages WHERE direction = 'outbound'")
    return root, carrier_id


async def test_an_opened_link_is_told_under_its_text_once_for_each_person_and_link(bench: Bench) -> None:
    root, carrier_id = await send_and_find_id(bench)

    for click in (
        make_click(carrier_id),
        make_click(carrier_id),
        make_click(carrier_id, time_clicked="2026-11-20T16:00:00Z"),
        make_click(carrier_id, url="https://shop.example.com/other"),
    ):
        assert await bench.post_signed_by_telnyx(click) == 200
        await bench.settle()

    lines = [line for line in bench.thread(root) if line.startswith("🔗")]
    assert len(lines) == 2
    assert "(415) 555-0101" in lines[0]
    assert "`https://shop.example.com/offer?a=1&amp;b=2`" in lines[0]
    assert "<!date^1795189545^" in lines[0]  # when, by each reader's own clock
    assert "Look: https://sho.rt/x" in lines[0]


async def test_a_click_on_a_text_that_is_not_ours_is_counted_and_told_nobody(bench: Bench) -> None:
    root = await bench.open_thread()
    assert await bench.post_signed_by_telnyx(make_click("never-heard-of")) == 200
    await bench.settle()

    assert not [line for line in bench.thread(root) if line.startswith("🔗")]


async def test_after_the_spend_limit_texts_wait_and_go_out_when_the_carriers_day_begins(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.post_signed_by_telnyx(make_spend_limit())
    await bench.post_signed_by_telnyx(make_spend_limit())  # brought twice
    await bench.settle()
    assert len(bench.shown("spend limit of $10.00 is reached")) == 1

    ts = await bench.reply("Patience", root)
    await bench.settle()
    assert bench.phone() == []
    await bench.pass_time(timedelta(seconds=10))
    await bench.wait_mark(ts, "hourglass_flowing_sand")

    await bench.pass_time(timedelta(hours=24))
    await bench.wait_until(lambda: bench.phone() == ["Patience"])


async def test_the_button_under_the_notice_lets_texts_go_within_a_minute(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.post_signed_by_telnyx(make_spend_limit())
    await bench.settle()
    await bench.reply("Patience", root)
    await bench.settle()

    (notice,) = bench.shown("spend limit")
    guest = bench.slack.add_user("guest", restricted=True)
    assert "Only full members" in await bench.click(notice, "Send now", user=guest)
    await bench.click(notice, "Send now")
    await bench.settle()
    assert bench.shown("let texts go again")
    assert [entry["actor"] for entry in await read_audit(bench, AuditAction.HOLD_LIFTED)] == [bench.alice]
    await bench.pass_time(timedelta(seconds=61))
    await bench.wait_until(lambda: bench.phone() == ["Patience"])


async def test_the_hold_of_a_spend_limit_survives_a_restart(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.post_signed_by_telnyx(make_spend_limit())
    await bench.settle()
    await bench.restart()
    await bench.reply("Patience", root)
    await bench.settle()

    assert bench.phone() == []


async def test_the_limit_of_a_profile_that_we_do_not_send_by_holds_nothing_back() -> None:
    async with open_bench(telnyx_messaging_profile_id=PROFILE) as bench:
        root = await bench.open_thread()
        await bench.post_signed_by_telnyx(make_spend_limit(profile="someone-elses"))
        await bench.settle()
        await bench.reply("At once", root)
        await bench.settle()

        assert bench.phone() == ["At once"]
        assert not bench.shown("spend limit")


async def test_what_becomes_of_a_hosted_number_is_told_in_the_channel(bench: Bench) -> None:
    payload = {
        "order_id": "order-1",
        "order_status": "carrier_rejected",
        "numbers": [{"value": BEN, "status": "failed_carrier_rejected"}],
    }
    await bench.post_signed_by_telnyx(make_event("messaging_hosted_numbers_orders.updated", payload))
    await bench.settle()

    (notice,) = bench.shown("Hosted number order")
    assert "carrier rejected" in notice["text"]
    assert "(415) 555-0102: failed carrier rejected" in notice["text"]


async def test_a_notice_waits_for_a_channel_that_the_app_is_not_in_and_cannot_join(bench: Bench) -> None:
    channel = bench.slack.workspace.channels[bench.channel]
    channel.members.remove(bench.slack.bot_user)
    bench.fail(bench.slack, FaultKind.REFUSE, "conversations.join", code="method_not_supported_for_channel_type")
    await bench.post_signed_by_telnyx(make_spend_limit())
    await bench.settle()
    assert not bench.shown("spend limit")

    channel.members.append(bench.slack.bot_user)  # somebody invited it
    await bench.pass_time(timedelta(seconds=30))
    await bench.settle()
    assert len(bench.shown("spend limit of $10.00 is reached")) == 1
