"""WhatsApp: in threads of its own, beside the texts of the same two numbers, and under the same opt-outs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from bot.sandbox.faults import FaultKind
from bot.sandbox.telnyx_state import Media
from tests.bridge.harness import ANA, OURS, Bench, open_bench
from tests.media.kinds import encode, make_picture


def make_whatsapp(body: object, message_id: str = "wa-1") -> dict[str, Any]:
    """Return a WhatsApp message as the carrier brings it."""
    return {
        "data": {
            "event_type": "message.received",
            "id": f"event-{message_id}",
            "record_type": "event",
            "payload": {"id": message_id, "type": "WHATSAPP", "from": {"phone_number": ANA}, "to": OURS, "body": body},
        },
        "meta": {"attempt": 1},
    }


def say(text: str, message_id: str = "wa-1") -> dict[str, Any]:
    """Return a WhatsApp message of words."""
    return make_whatsapp({"type": "text", "text": {"body": text}}, message_id)


async def test_whatsapp_has_a_thread_of_its_own_beside_the_texts_of_the_same_number(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.post_signed_by_telnyx(say("Hola", "wa-1"))
    await bench.post_signed_by_telnyx(say("¿Estás?", "wa-2"))
    await bench.settle()

    (card,) = bench.shown("🟢")
    assert "(415) 555-0101" in card["text"]
    assert card["ts"] != root
    assert [line for line in bench.thread(card["ts"]) if "¿Estás?" in line]
    assert not [line for line in bench.thread(root) if "Hola" in line or "¿Estás?" in line]


async def test_a_reaction_by_whatsapp_stands_on_its_message_and_follows_a_change_of_mind(bench: Bench) -> None:
    await bench.post_signed_by_telnyx(say("Hola", "wa-1"))
    await bench.settle()
    (card,) = bench.shown("🟢")
    for number, emoji, shown in ((2, "👍", {"+1"}), (3, "❤️", {"heart"}), (4, "", set())):
        reaction = {"type": "reaction", "reaction": {"emoji": emoji, "message_id": "wa-1"}}
        await bench.post_signed_by_telnyx(make_whatsapp(reaction, f"wa-{number}"))
        await bench.settle()
        assert bench.marks(card["ts"]) == shown


async def test_a_stop_by_whatsapp_stops_texts_to_the_number_too(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.post_signed_by_telnyx(say("STOP"))
    await bench.settle()
    ts = await bench.reply("Still there?", root)
    await bench.settle()

    assert bench.send_requests == []
    await bench.wait_mark(ts, "no_entry")


# ------------------------------------------------------------------------------------------------------------ and back


@asynccontextmanager
async def open_whatsapp() -> AsyncIterator[Bench]:
    """Open the bridge with a number that has WhatsApp."""
    async with open_bench(whatsapp_numbers=(OURS,), media_allow_private_hosts=True) as bench:
        bench.telnyx.account.numbers[OURS].whatsapp = True
        yield bench


async def open_chat(bench: Bench, **said: Any) -> str:
    """Let Ana write by WhatsApp, and return the thread that it opens."""
    await bench.telnyx.text_in(**{"from_": ANA, "to": OURS, "text": "Hola", "whatsapp": True, **said})
    await bench.settle()
    (card,) = bench.shown("🟢")
    return str(card["ts"])


async def test_a_reply_goes_back_by_whatsapp_and_is_marked_once_it_was_read() -> None:
    async with open_whatsapp() as bench:
        root = await open_chat(bench)
        ts = await bench.reply("¡Buenas!", root)
        await bench.wait_mark(ts, "eyes")

        (request,) = bench.send_requests
        body = json.loads(request.body)
        assert request.path.endswith("/messages/whatsapp")
        assert body["whatsapp_message"] == {"type": "text", "text": {"body": "¡Buenas!"}}
        assert body["webhook_url"].startswith(f"{bench.url}/webhooks/telnyx?")
        assert request.headers["Idempotency-Key"]
        assert bench.phone() == ["¡Buenas!"]


async def test_a_lost_answer_by_whatsapp_is_settled_and_nobody_is_written_to_twice() -> None:
    async with open_whatsapp() as bench:
        root = await open_chat(bench)
        bench.fail(bench.telnyx, FaultKind.DROP_ANSWER, "POST /messages/whatsapp", times=1)
        ts = await bench.reply("Once", root)
        await bench.wait_mark(ts, "eyes")

        assert bench.phone() == ["Once"]


async def test_after_a_day_the_refusal_says_why_and_what_to_do() -> None:
    async with open_whatsapp() as bench:
        root = await open_chat(bench)
        await bench.pass_time(timedelta(hours=25))
        ts = await bench.reply("Still there?", root)
        await bench.wait_mark(ts, "x")

        (line,) = [line for line in bench.thread(root) if line.startswith("❌")]
        assert "within 24 hours of their last one" in line
        assert "41000" in line


async def test_a_picture_by_whatsapp_comes_as_a_file_with_its_words_first() -> None:
    async with open_whatsapp() as bench:
        picture = Media(filename="a.png", content_type="image/png", content=encode(make_picture(), "PNG"))
        root = await open_chat(bench, text="Look", media=[picture])
        await bench.wait_until(lambda: any(file.name.endswith(".png") for file in bench.slack.files.values()))

        assert [line for line in bench.thread(root) if "Look" in line]


async def test_a_command_begins_a_chat_in_a_thread_of_its_own() -> None:
    async with open_whatsapp() as bench:
        await open_chat(bench)
        await bench.command("/sms", f"from:whatsapp {ANA} Hello again")
        await bench.settle()

        assert bench.phone() == ["Hello again"]
        assert len(bench.shown("🟢")) == 1  # the same thread


async def test_a_long_text_goes_whole_by_whatsapp_and_too_long_a_one_is_refused() -> None:
    async with open_whatsapp() as bench:
        root = await open_chat(bench)
        await bench.reply("ñ" * 3000, root)
        await bench.settle()
        assert bench.phone() == ["ñ" * 3000]

        answer = await bench.command("/sms", f"from:whatsapp {ANA} {'x' * 4097}")
        assert "at most 4,096" in answer
