"""Every way in which a person can have something sent: what has to be there first, and then the attempt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from bot.sandbox.faults import FaultKind
from tests.bridge.events import make_reply
from tests.bridge.harness import ANA, BEN, Bench, list_buttons
from tests.bridge.unsettled import make_unsettled

#: Tries to send, once the person is what they are; returns everything that they were told by it.
Attempt = Callable[[], Awaitable[str]]


async def told(bench: Bench, user: str) -> str:
    await bench.settle()
    return " ".join(str(each) for each in bench.slack.ephemerals(user))


async def by_reply(bench: Bench, user: str) -> Attempt:
    root = await bench.open_thread()

    async def attempt() -> str:
        event = make_reply(user, "Hello", root)  # as Slack would send it: even from one who has just left
        await bench.post_signed_by_slack({"type": "event_callback", "event_id": "Ev1", "event": event})
        return await told(bench, user)

    return attempt


async def by_reply_shown_in_the_channel(bench: Bench, user: str) -> Attempt:
    root = await bench.open_thread()

    async def attempt() -> str:
        event = make_reply(user, "Hello", root) | {"subtype": "thread_broadcast"}
        await bench.post_signed_by_slack({"type": "event_callback", "event_id": "Ev1", "event": event})
        return await told(bench, user)

    return attempt


def by_command(command: str, text: str) -> Callable[[Bench, str], Awaitable[Attempt]]:
    async def prepare(bench: Bench, user: str) -> Attempt:
        async def attempt() -> str:
            return await bench.command(command, text, user=user)

        return attempt

    return prepare


async def by_form_that_was_open(bench: Bench, user: str) -> Attempt:
    await bench.command("/sms", user=user)
    (view,) = bench.slack.views(user)

    async def attempt() -> str:
        answer = await bench.slack.submit_view(user, view["id"], {"to": ANA, "text0": "Hello"})
        return str(answer.errors)

    return attempt


async def by_schedule_form_that_was_open(bench: Bench, user: str) -> Attempt:
    await bench.command("/schedule", user=user)
    (view,) = bench.slack.views(user)
    due_at = int((bench.clock.now() + timedelta(hours=2)).timestamp())

    async def attempt() -> str:
        answer = await bench.slack.submit_view(user, view["id"], {"to": ANA, "text0": "Hello", "when": due_at})
        return str(answer.errors)

    return attempt


async def by_shortcut_to_the_form(bench: Bench, user: str) -> Attempt:
    async def attempt() -> str:
        await bench.slack.global_shortcut(user, "new_text")
        return str(bench.slack.views(user))

    return attempt


async def by_send_as_text(bench: Bench, user: str) -> Attempt:
    root = await bench.open_thread()
    ts = await bench.reply("note: Hello", root, user=user)
    await bench.settle()

    async def attempt() -> str:
        await bench.slack.shortcut(user, bench.channel, ts, "send_as_text")
        return await told(bench, user)

    return attempt


async def by_editing_a_note(bench: Bench, user: str) -> Attempt:
    root = await bench.open_thread()
    ts = await bench.reply("note: Hello", root, user=user)
    await bench.settle()

    async def attempt() -> str:
        await bench.slack.edit(user, bench.channel, ts, "Hello")
        return await told(bench, user)

    return attempt


async def by_send_beneath_an_edited_note(bench: Bench, user: str) -> Attempt:
    edit = await by_editing_a_note(bench, user)
    await edit()
    (line,) = [shown for shown in bench.slack.ephemerals(user) if "Send" in list_buttons(shown)]

    async def attempt() -> str:
        return await bench.click(line, "Send", user=user)

    return attempt


async def by_send_now(bench: Bench, user: str) -> Attempt:
    root = await bench.open_thread()
    await bench.reply("Hello", root, user=user)
    await bench.settle()
    (line,) = bench.whispers("Send now", user=user)

    async def attempt() -> str:
        return await bench.click(line, "Send now", user=user)

    return attempt


async def by_send(bench: Bench, user: str) -> Attempt:
    root = await bench.open_thread()
    await bench.reply("Hello", root, user=user)
    await bench.settle()
    (line,) = bench.whispers("Send this", user=user)

    async def attempt() -> str:
        return await bench.click(line, "Send", user=user)

    return attempt


async def by_send_correction(bench: Bench, user: str) -> Attempt:
    root = await bench.open_thread()
    ts = await bench.reply("Helo", root, user=user)
    await bench.settle()
    await bench.slack.edit(user, bench.channel, ts, "Hello")
    await bench.settle()
    (line,) = bench.whispers("still has the original", user=user)

    async def attempt() -> str:
        return await bench.click(line, "Send correction", user=user)

    return attempt


def by_unsettled(label: str) -> Callable[[Bench, str], Awaitable[Attempt]]:
    async def prepare(bench: Bench, user: str) -> Attempt:
        _, line = await make_unsettled(bench)
        bench.fail(bench.telnyx, FaultKind.DROP_REQUEST, "POST /messages")

        async def attempt() -> str:
            return await bench.click(line, label, user=user)

        return attempt

    return prepare


#: Each way to send, and the settings that it needs.
WAYS: dict[str, tuple[Callable[[Bench, str], Awaitable[Attempt]], dict[str, Any]]] = {
    "a reply": (by_reply, {}),
    "a reply shown in the channel": (by_reply_shown_in_the_channel, {}),
    "/sms": (by_command("/sms", f"{ANA} Hello"), {}),
    "/sms to a group": (by_command("/sms", f"{ANA}, {BEN} Hello"), {}),
    "/sms, which opens a form": (by_command("/sms", ""), {}),
    "/schedule": (by_command("/schedule", f"{ANA} in 2 hours Hello"), {}),
    "/schedule for a text that repeats": (by_command("/schedule", f"{ANA} every monday 9am Hello"), {}),
    "/schedule, which opens a form": (by_command("/schedule", ""), {}),
    "a form that was open": (by_form_that_was_open, {}),
    "a form with a time that was open": (by_schedule_form_that_was_open, {}),
    "the shortcut to the form": (by_shortcut_to_the_form, {}),
    "Send as text": (by_send_as_text, {}),
    "editing a note into a reply": (by_editing_a_note, {}),
    "Send, after editing a note into a reply": (by_send_beneath_an_edited_note, {}),
    "Send now": (by_send_now, {"quiet_hours": "00:00-23:59"}),
    "Send": (by_send, {"thread_mode": "confirm"}),
    "Send correction": (by_send_correction, {}),
    "Send again": (by_unsettled("Send again"), {}),
    "Check": (by_unsettled("Check"), {}),
}
