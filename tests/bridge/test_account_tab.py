"""The Account section of the Home tab: administrators see the carrier account and change it, others do not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from bot.sandbox.faults import FaultKind
from bot.sandbox.telnyx_sim import Outcome, OutcomeKind
from tests.bridge.harness import ANA, BEN, CAT, OURS, PROFILE, Bench, find_button, open_bench

POOL = {"toll_free_weight": 0, "long_code_weight": 1, "skip_unhealthy": False, "sticky_sender": True}


@asynccontextmanager
async def open_office(**settings: Any) -> AsyncIterator[tuple[Bench, str]]:
    """Open the bridge on an account with something in it, with an administrator beside Alice."""
    async with open_bench(telnyx_messaging_profile_id=PROFILE, **settings) as bench:
        bench.telnyx.add_number("72975")
        bench.telnyx.add_sender_name("AcmeShop")
        yield bench, bench.slack.add_user("olga", "Olga Owner", is_admin=True)


async def open_home(bench: Bench, user: str) -> str:
    """Open the Home tab, wait until the account was looked at, and return all that stands there."""
    await bench.slack.open_home(user)
    await bench.settle()
    return read_home(bench, user)


def read_home(bench: Bench, user: str) -> str:
    """Return all that stands on somebody's Home tab."""
    return json.dumps(bench.slack.home(user), ensure_ascii=False)


async def press(bench: Bench, user: str, label: str) -> None:
    """Press a button on the Home tab, or in the form on top where one is open."""
    stack = bench.slack.views(user)
    view = stack[-1] if stack else bench.slack.home(user)
    assert view is not None
    button = find_button(view, label)
    answer = await bench.slack.click_in_view(user, view["id"], button["action_id"])
    assert answer.status == 200, answer
    await bench.settle()


async def submit(bench: Bench, user: str, values: dict[str, Any]) -> Any:
    """Submit the form on top and return Slack's answer to it."""
    answer = await bench.slack.submit_view(user, bench.slack.views(user)[-1]["id"], values)
    await bench.settle()
    return answer


async def test_an_administrator_sees_the_whole_account() -> None:
    async with open_office(whatsapp_numbers=(OURS,)) as (bench, olga):
        root = await bench.open_thread()
        await bench.reply("Hello", root)
        await bench.settle()
        bench.telnyx.set_outcome(BEN, Outcome(kind=OutcomeKind.DELIVERY_FAILED))
        await bench.command("/sms", f"{BEN} Hello")
        await bench.settle()
        bench.telnyx.set_outcome(CAT, Outcome(kind=OutcomeKind.REFUSED))
        await bench.command("/sms", f"{CAT} Hello")
        await bench.settle()
        home = await open_home(bench, olga)

        for part in (
            "(312) 555-0100: SMS, MMS, WhatsApp · arrives in <#C0TEXTS>",
            "*Sender names* AcmeShop",
            "*Short codes* 72975",
            "*Number pool* off",
            "*Opt-outs* 0",
            "✅ points here",
            "🟩🟥🟥 1 delivered, 2 failed",
            "0.01 USD for what was sent",
            "*Textbridge* well",
            "Waiting for an answer",
            "Your scheduled texts",
        ):
            assert part in home, part
        assert "Could not be had" not in home


async def test_others_see_their_own_section_only() -> None:
    async with open_office() as (bench, _):
        home = await open_home(bench, bench.alice)

        assert "Waiting for an answer" in home
        assert "Account" not in home
        assert "GET /phone_numbers" not in {call.operation for call in bench.telnyx.requests[-3:]}


async def test_whom_the_settings_name_is_an_administrator_too() -> None:
    async with open_office(admins=("U0BOSS",)) as (bench, _):
        assert "Account" not in await open_home(bench, bench.alice)
    async with open_bench(telnyx_messaging_profile_id=PROFILE, started=False) as bench:
        object.__setattr__(bench.settings, "admins", (bench.alice,))
        await bench.start()
        assert "*Numbers*" in await open_home(bench, bench.alice)


async def test_a_webhook_that_points_elsewhere_is_warned_of_and_mended_by_a_button() -> None:
    async with open_office() as (bench, olga):
        bench.telnyx.profile_webhook_url = "https://old.example.com/hook"
        home = await open_home(bench, olga)
        assert "points elsewhere" in home
        assert "https://old.example.com/hook" in home

        await press(bench, olga, "Point it here")
        assert bench.telnyx.profile_webhook_url == f"{bench.url}/webhooks/telnyx"
        assert "✅ points here" in read_home(bench, olga)


async def test_the_profile_is_changed_field_by_field_and_what_was_not_touched_stays() -> None:
    async with open_office() as (bench, olga):
        await open_home(bench, olga)
        await press(bench, olga, "Profile settings")
        before = bench.telnyx.profile.webhook_url
        await submit(
            bench,
            olga,
            {
                "switches": ["smart_encoding"],
                "limit": ["daily_spend_limit_enabled"],
                "daily_spend_limit": "25.50",
                "whitelisted_destinations": "us, ca",
                "number_pool_settings": ["on", "sticky_sender"],
            },
        )

        profile = bench.telnyx.profile
        assert (profile.smart_encoding, profile.mms_transcoding) == (True, False)
        assert (profile.daily_spend_limit, profile.daily_spend_limit_enabled) == ("25.50", True)
        assert profile.whitelisted_destinations == ["US", "CA"]
        assert profile.number_pool_settings is not None
        assert profile.number_pool_settings["sticky_sender"] is True
        assert profile.webhook_url == before
        home = read_home(bench, olga)
        assert "25.50 USD a day" in home
        assert "on, sticky sender" in home
        ((actor, subject),) = await bench.query("SELECT actor, subject FROM audit WHERE action = 'account_changed'")
        assert (actor, subject) == (olga, "profiles update")


async def test_a_mistake_stands_at_its_field_and_changes_nothing() -> None:
    async with open_office() as (bench, olga):
        await open_home(bench, olga)
        await press(bench, olga, "Profile settings")
        answer = await submit(bench, olga, {"whitelisted_destinations": "Germany", "daily_spend_limit": "a lot"})

        assert set(answer.errors) == {"whitelisted_destinations", "daily_spend_limit"}
        assert bench.telnyx.profile.daily_spend_limit == "100.00"


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("", "No text that customers send arrives any more"),
        ("https://elsewhere.example.com/hook", "no longer arrive here"),
    ],
)
async def test_what_stops_texts_is_asked_about_first(address: str, asked: str) -> None:
    async with open_office() as (bench, olga):
        await open_home(bench, olga)
        await press(bench, olga, "Profile settings")
        before = bench.telnyx.profile.webhook_url
        await submit(bench, olga, {"webhook_url": address, "daily_spend_limit": "50.00"})
        assert bench.telnyx.profile.webhook_url == before
        assert asked in json.dumps(bench.slack.views(olga)[-1])

        await submit(bench, olga, {})
        assert (bench.telnyx.profile.webhook_url or "") == address
        assert bench.telnyx.profile.daily_spend_limit == "50.00"


async def test_what_telnyx_refuses_is_told_in_its_words() -> None:
    async with open_office() as (bench, olga):
        await open_home(bench, olga)
        await press(bench, olga, "Profile settings")
        bench.fail(bench.telnyx, FaultKind.REFUSE, "*", times=1, status=422, code="10027")
        await submit(bench, olga, {"daily_spend_limit": "5.00"})

        (view,) = bench.slack.views(olga)
        assert "Telnyx refused, and nothing was changed. 10027" in json.dumps(view)


async def test_automatic_answers_are_added_changed_and_deleted() -> None:
    async with open_office() as (bench, olga):
        await open_home(bench, olga)
        await press(bench, olga, "Automatic answers")
        await press(bench, olga, "Add an answer")
        said = "We are here Monday to Friday, 9 to 5."
        answer = await submit(bench, olga, {"keywords": "HOURS, OPEN", "country_code": "us", "resp_text": "Short"})
        assert set(answer.errors) == {"resp_text"}
        await submit(bench, olga, {"keywords": "HOURS, OPEN", "country_code": "us", "resp_text": said})
        await bench.slack.close_view(olga, clear=True)
        assert "HOURS/OPEN (US)" in read_home(bench, olga)

        await press(bench, olga, "Automatic answers")
        await press(bench, olga, "Change")
        await submit(bench, olga, {"keywords": "HOURS"})
        await bench.slack.close_view(olga, clear=True)
        assert "HOURS (US)" in read_home(bench, olga)

        await press(bench, olga, "Automatic answers")
        await press(bench, olga, "Delete")
        await bench.slack.close_view(olga, clear=True)
        assert "*Automatic answers* none" in read_home(bench, olga)


async def test_sender_names_are_added_and_deleted() -> None:
    async with open_office() as (bench, olga):
        await open_home(bench, olga)
        await press(bench, olga, "Sender names")
        assert (await submit(bench, olga, {"alphanumeric_sender_id": "far too long a name"})).errors
        await submit(bench, olga, {"alphanumeric_sender_id": "AcmeNews"})
        await bench.slack.close_view(olga, clear=True)
        assert "*Sender names* AcmeShop, AcmeNews" in read_home(bench, olga)

        await press(bench, olga, "Sender names")
        await press(bench, olga, "Delete")
        await bench.slack.close_view(olga, clear=True)
        assert "*Sender names* AcmeNews" in read_home(bench, olga)
        assert "not one of our sender names" in await bench.command("/sms", "from:AcmeShop +442071838750 Hi")


async def test_a_short_code_is_unbound_and_bound_again() -> None:
    async with open_office() as (bench, olga):
        await open_home(bench, olga)
        await press(bench, olga, "Short codes")
        await press(bench, olga, "Unbind")
        assert bench.telnyx.account.numbers["72975"].profile_id is None
        await press(bench, olga, "Bind to the profile")
        assert bench.telnyx.account.numbers["72975"].profile_id == PROFILE


async def test_who_is_no_administrator_changes_nothing_whatever_they_press() -> None:
    async with open_office() as (bench, olga):
        await open_home(bench, olga)
        await press(bench, olga, "Profile settings")
        bench.slack.workspace.users[olga].is_admin = False
        await bench.pass_time(timedelta(minutes=30))  # what is known of people is remembered for a while
        await submit(bench, olga, {"daily_spend_limit": "5.00"})

        assert bench.telnyx.profile.daily_spend_limit == "100.00"
        (view,) = bench.slack.views(olga)
        assert "Ask one of them" in json.dumps(view)
        assert await bench.query("SELECT 1 FROM audit WHERE action = 'account_changed'") == []


@pytest.mark.parametrize("kind", [FaultKind.DROP_REQUEST, FaultKind.REFUSE])
async def test_a_carrier_that_does_not_answer_leaves_the_rest_of_the_tab_and_says_what_is_missing(
    kind: FaultKind,
) -> None:
    async with open_office() as (bench, olga):
        await bench.open_thread()
        bench.fail(bench.telnyx, kind, "*", times=None, status=403)
        home = await open_home(bench, olga)

        assert "(415) 555-0101" in home
        assert "Could not be had" in home
        assert "today's cost" in home


async def test_raising_the_limit_lets_texts_go_that_waited_for_it() -> None:
    async with open_office() as (bench, olga):
        root = await bench.open_thread()
        payload = {"configured_limit": "100.00", "current_cost": "100.01", "profile_id": PROFILE}
        event = {"event_type": "messaging-profile.spend-limit-reached", "id": "limit-1", "payload": payload}
        await bench.post_signed_by_telnyx({"data": event})
        await bench.settle()
        await bench.reply("Patience", root)
        await bench.settle()
        assert bench.phone(ANA) == []

        await open_home(bench, olga)
        await press(bench, olga, "Profile settings")
        await submit(bench, olga, {"daily_spend_limit": "200.00"})
        await bench.pass_time(timedelta(seconds=61))
        await bench.wait_until(lambda: bench.phone(ANA) == ["Patience"])
