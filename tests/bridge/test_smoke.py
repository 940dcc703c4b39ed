from __future__ import annotations
from tests.bridge.harness import ANA, Bench

async def test_a_text_and_its_reply(bench: Bench) -> None:
    root = await bench.open_thread("Hi")
    ts = await bench.reply("Hello", root)
    await bench.wait_mark(ts, "white_check_mark")
    assert bench.phone() == ["Hello"]

async def test_again_after_crash(bench: Bench) -> None:
    root = await bench.open_thread("Hi")
    await bench.restart()
    ts = await bench.reply("Hello", root)
    await bench.wait_mark(ts, "white_check_mark")
    assert bench.phone() == ["Hello"]
    print(await bench.command("/sms", "help"))
