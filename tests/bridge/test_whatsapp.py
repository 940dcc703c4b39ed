"""WhatsApp: in threads of its own, beside the texts of the same two numbers, and under the same opt-outs."""

from __future__ import annotations

from typing import Any

from tests.bridge.harness import ANA, OURS, Bench


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
