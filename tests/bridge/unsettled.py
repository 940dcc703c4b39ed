"""How a test brings about that nobody knows what became of a text."""

from __future__ import annotations

from typing import Any

from bot.sandbox.faults import FaultKind
from tests.bridge.harness import Bench


async def make_unsettled(bench: Bench) -> tuple[str, dict[str, Any]]:
    """Let a reply vanish at the carrier until people are told; returns its ts and the line with the buttons."""
    bench.clock.set_rate(200)
    root = await bench.open_thread()
    fault = bench.fail(bench.telnyx, FaultKind.DROP_REQUEST, "POST /messages")
    ts = await bench.reply("Lost?", root)
    await bench.wait_mark(ts, "warning")
    await bench.wait_until(lambda: bench.shown("not known whether"))
    bench.clock.set_rate(1)
    bench.telnyx.faults.lift(fault)
    (line,) = bench.shown("not known whether")
    return ts, line
