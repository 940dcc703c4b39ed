"""Receipts that name nothing but the carrier's id, of a text whose answer, which would tell it, is lost."""

from __future__ import annotations

from bot.sandbox.faults import FaultKind
from bot.sandbox.telnyx_sim import Outcome, OutcomeKind
from tests.bridge.events import make_receipt
from tests.bridge.harness import ANA, open_bench


async def test_it_waits_for_the_answer_however_much_the_customer_writes_meanwhile() -> None:
    async with open_bench(rate=40) as bench:
        bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.SILENT))
        root = await bench.open_thread()
        fault = bench.fail(bench.telnyx, FaultKind.DROP_ANSWER, "POST /messages")
        ts = await bench.reply("Once", root)
        await bench.wait_until(lambda: bench.telnyx.sends)
        for number in range(25):
            await bench.text_in(f"Are you there? {number}")
        await bench.wait_until(lambda: bench.shown("Are you there? 24"))
        carrier_id = bench.telnyx.sends[0].message_id
        receipt = make_receipt("message.finalized", "delivered", carrier_id=carrier_id)
        assert await bench.post_signed_by_telnyx(receipt) == 200
        await bench.wait_until(lambda: len(bench.send_requests) > 1)
        bench.telnyx.faults.lift(fault)

        await bench.wait_mark(ts, "white_check_mark")
        assert bench.phone() == ["Once"]
