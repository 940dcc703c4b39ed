"""The slash commands in their typed forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, assert_never

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain import commands
from bot.domain.command_grammar import parse_optouts, parse_schedule, parse_sms
from bot.domain.ids import UserId
from bot.domain.message import Origin
from bot.domain.phone import Address
from bot.errors import NotAllowed, RetryLater
from bot.settings import read_zone
from bot.text.escape import escape_sms
from bot.text.typed import render_typed
from handlers.desk import Desk
from handlers.listeners import Answer, reply_privately

#: Every slash command, as the manifest declares them.
COMMANDS = ("/sms", "/schedule", "/optouts")

#: Opens a form for what was typed (body, client). Raises NotAllowed.
OpenForm = Callable[[Mapping[str, Any], Any], Any]


def register_commands(
    bolt: AsyncApp,
    desk: Desk,
    *,
    open_text_form: OpenForm,
    open_schedule_form: OpenForm,
    open_channel_form: OpenForm,
    open_contact_form: Callable[[Address, Mapping[str, Any], Any], Any],
) -> None:
    """Register `/sms`, `/schedule` and `/optouts`."""

    async def on_sms(ack: AsyncAck, body: Mapping[str, Any], client: Any) -> None:
        wanted = parse_sms(render_typed(str(body.get("text") or "")), desk.policy.region)
        if isinstance(wanted, commands.OpenForm):
            await _open(ack, open_text_form, body, client)
            return
        if isinstance(wanted, commands.OpenContact):
            await _open(ack, partial(open_contact_form, wanted.number), body, client)
            return
        if isinstance(wanted, commands.OpenSettings):
            await _open(ack, open_channel_form, body, client)
            return
        await reply_privately(ack, await _answer(_answer_sms(desk, wanted, body)))

    async def on_schedule(ack: AsyncAck, body: Mapping[str, Any], client: Any) -> None:
        person = await desk.directory.get_person(UserId(body["user_id"]))
        zone = read_zone(person.zone)
        text = render_typed(str(body.get("text") or ""))
        wanted = parse_schedule(text, desk.policy.region, desk.clock.now(), zone)
        if isinstance(wanted, commands.OpenForm):
            await _open(ack, open_schedule_form, body, client)
            return
        await reply_privately(ack, await _answer(_answer_schedule(desk, wanted, body, zone)))

    async def on_optouts(ack: AsyncAck, body: Mapping[str, Any]) -> None:
        wanted = parse_optouts(render_typed(str(body.get("text") or "")), desk.policy.region)
        await reply_privately(ack, await _answer(_answer_optouts(desk, wanted, body)))

    for command, listener in zip(COMMANDS, (on_sms, on_schedule, on_optouts), strict=True):
        bolt.command(command)(listener)


async def _open(ack: AsyncAck, open_form: OpenForm, body: Mapping[str, Any], client: Any) -> None:
    try:
        await open_form(body, client)
    except NotAllowed as error:
        await reply_privately(ack, error.person)
        return
    await ack()


async def _answer(answering: Any) -> Answer:
    try:
        answer: Answer = await answering
    except NotAllowed as error:
        return error.person
    return answer


async def _answer_sms(desk: Desk, wanted: commands.SmsCommand, body: Mapping[str, Any]) -> Answer:
    match wanted:
        case commands.SendText():
            return await desk.texting.text_now(
                once=str(body["trigger_id"]),
                author=UserId(body["user_id"]),
                to=wanted.to,
                sender=wanted.sender,
                text=wanted.text,
                origin=Origin.COMMAND,
            )
        case commands.ShowHistory(number=number):
            return await desk.history.show_newest(number, UserId(body["user_id"]))
        case commands.Help(forms=forms):
            return show_forms(forms)
        case commands.WrongUse():
            return show_mistake(wanted)
        case commands.OpenForm() | commands.OpenSettings() | commands.OpenContact():
            raise RetryLater("a form is opened before this")
        case _:
            assert_never(wanted)


async def _answer_schedule(desk: Desk, wanted: commands.ScheduleCommand, body: Mapping[str, Any], zone: Any) -> Answer:
    author = UserId(body["user_id"])
    match wanted:
        case commands.ScheduleText():
            return await desk.schedules.schedule_text(
                once=str(body["trigger_id"]),
                author=author,
                to=(wanted.to,),
                sender=wanted.sender,
                text=wanted.text,
                due_at=wanted.when.at,
                zone=zone,
                note=wanted.when.note,
                rule=wanted.when.rule,
                unless_reply=wanted.when.unless_reply,
            )
        case commands.ListSchedules():
            return await desk.schedules.list_schedules(zone, author)
        case commands.CancelSchedule(schedule_id=schedule_id):
            return await desk.schedules.cancel_schedule(schedule_id, author)
        case commands.SkipSchedule(schedule_id=schedule_id):
            return await desk.schedules.skip_schedule(schedule_id, author, zone)
        case commands.Help(forms=forms):
            return show_forms(forms)
        case commands.WrongUse():
            return show_mistake(wanted)
        case commands.OpenForm():
            raise RetryLater("a form is opened before this")
        case _:
            assert_never(wanted)


async def _answer_optouts(desk: Desk, wanted: commands.OptoutsCommand, body: Mapping[str, Any]) -> Answer:
    author, once = UserId(body["user_id"]), str(body["trigger_id"])
    match wanted:
        case commands.ListOptouts():
            return await desk.optouts.list_optouts(0, author)
        case commands.ShowOptout(number=number):
            return await desk.optouts.show_optout(number, author)
        case commands.AddOptout(number=number, reason=reason):
            return await desk.optouts.add_optout(number, reason, author, once=once)
        case commands.RemoveOptout(number=number):
            return await desk.optouts.remove_optout(number, author, once=once)
        case commands.Help(forms=forms):
            return show_forms(forms)
        case commands.WrongUse():
            return show_mistake(wanted)
        case _:
            assert_never(wanted)


def show_forms(forms: tuple[commands.Form, ...]) -> str:
    """Return the forms of a command, with an example each."""
    return "\n".join(
        f"• `{escape_sms(form.usage)}` {escape_sms(form.does)}\n      _e.g._ `{escape_sms(form.example)}`"
        for form in forms
    )


def show_mistake(wrong: commands.WrongUse) -> str:
    """Return what is wrong with a command, and the right form."""
    return (
        f"🤔 {escape_sms(wrong.problem)} Nothing was done.\n"
        f"The form is `{escape_sms(wrong.form.usage)}`, for example `{escape_sms(wrong.form.example)}`"
    )
