"""What can be sent from is what the account has: looked at from time to time, offered in the form, told in refusals."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from tests.bridge.harness import ANA, OURS, OURS_TOO, PROFILE, Bench, open_bench

LONDON = "+442071838750"
POOL = {"toll_free_weight": 0, "long_code_weight": 1, "skip_unhealthy": False, "sticky_sender": True}


@asynccontextmanager
async def open_rich_account(**settings: Any) -> AsyncIterator[Bench]:
    """Open the bridge on an account with a pool, a short code, a name, and a second number that no setting names."""
    async with open_bench(telnyx_messaging_profile_id=PROFILE, started=False, **settings) as bench:
        bench.telnyx.profile.number_pool_settings = POOL
        bench.telnyx.add_number("72975")
        bench.telnyx.add_sender_name("AcmeShop")
        await bench.start()
        await wait_for_look(bench)
        yield bench


async def wait_for_look(bench: Bench) -> None:
    """Return once the bridge has looked at the account."""
    await bench.wait_until(lambda: bench.query("SELECT 1 FROM facts WHERE name = 'account_senders'"))


async def test_a_number_of_the_account_can_be_sent_from_though_no_setting_names_it() -> None:
    async with open_rich_account() as bench:
        await bench.command("/sms", f"from:{OURS_TOO} {ANA} Hello")
        await bench.settle()

        assert bench.telnyx.sends[0].from_ == OURS_TOO


async def test_a_name_is_known_in_any_case_and_its_thread_says_that_nobody_can_answer() -> None:
    async with open_rich_account() as bench:
        await bench.command("/sms", f"from:acmeshop {LONDON} Hello")
        await bench.settle()

        assert json.loads(bench.send_requests[0].body)["from"] == "AcmeShop"
        (card,) = bench.slack.messages(bench.channel)
        assert "They cannot answer a name" in json.dumps(card["blocks"])


async def test_a_sender_that_the_account_does_not_have_is_refused_with_those_that_it_has() -> None:
    async with open_rich_account() as bench:
        assert "`AcmeShop`" in await bench.command("/sms", f"from:Nobody {LONDON} Hello")
        assert "`72975`" in await bench.command("/sms", f"from:44444 {ANA} Hello")
        assert "United States" in await bench.command("/sms", f"from:AcmeShop {ANA} Hello")
        await bench.settle()
        assert bench.send_requests == []


async def test_what_the_account_gains_and_loses_is_seen_at_the_next_look_and_kept_over_a_restart() -> None:
    async with open_rich_account() as bench:
        bench.telnyx.profile.number_pool_settings = None
        bench.telnyx.add_sender_name("AcmeNews")
        await bench.pass_time(timedelta(minutes=11))
        await bench.wait_until(lambda: bench.query("SELECT 1 FROM facts WHERE value LIKE '%AcmeNews%'"))
        assert "no number pool" in await bench.command("/sms", f"from:pool {ANA} Hello")

        await bench.crash()
        await bench.start()
        assert "`AcmeNews`" in await bench.command("/sms", f"from:Nobody {LONDON} Hello")


async def test_the_form_offers_all_that_the_account_has() -> None:
    async with open_rich_account(whatsapp_numbers=(OURS,)) as bench:
        await bench.command("/sms")
        (view,) = bench.slack.views(bench.alice)
        (block,) = [block for block in view["blocks"] if block.get("block_id") == "from"]
        labels = [option["text"]["text"] for option in block["element"]["options"]]
        assert labels == [
            "(312) 555-0100",
            "(312) 555-0111",
            "Short code 72975",
            "WhatsApp, (312) 555-0100",
            "The number pool",
            "AcmeShop (they cannot answer)",
        ]
