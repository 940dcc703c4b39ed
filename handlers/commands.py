"""The slash commands in their typed forms."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, assert_never

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain import commands
from bot.domain.command_grammar import parse_optouts, parse_schedule, parse_sms
from bot.domain.ids import UserId
from bot.domain.message import Origin
from bot.domain.phone import Address
from bot.domain.places import read_zone
from bot.errors import NotAllowed, RetryLater, WrongSender
from bot.text.escape import escape_sms
from bot.text.typed import render_typed, show_numbers
from handlers.desk import SLACKS_SECONDS, Desk
from handlers.form_parts import NOT_OPENED
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
        await reply_privately(ack, await _answer(_answer_sms(desk, wanted, body), commands.SMS_FROM))

    async def on_schedule(ack: AsyncAck, body: Mapping[str, Any], client: Any) -> None:
        person = await desk.meet(UserId(body["user_id"]))
        zone = read_zone(person.zone)
        text = render_typed(str(body.get("text") or ""))
        wanted = parse_schedule(text, desk.policy.region, desk.clock.now(), zone)
        if isinstance(wanted, commands.OpenForm):
            await _open(ack, open_schedule_form, body, client)
            return
        await reply_privately(ack, await _answer(_answer_schedule(desk, wanted, body, zone), commands.SCHEDULE_FROM))

    async def on_optouts(ack: AsyncAck, body: Mapping[str, Any]) -> None:
        wanted = parse_optouts(render_typed(str(body.get("text") or "")), desk.policy.region)
        await reply_privately(ack, await _answer(_answer_optouts(desk, wanted, body), commands.OPTOUTS_LIST))

    for command, listener in zip(COMMANDS, (on_sms, on_schedule, on_optouts), strict=True):
        bolt.command(command)(listener)


async def _open(ack: AsyncAck, open_form: OpenForm, body: Mapping[str, Any], client: Any) -> None:
    try:
        async with asyncio.timeout(SLACKS_SECONDS):
            await open_form(body, client)
    except NotAllowed as error:
        await reply_privately(ack, error.person)
        return
    except TimeoutError:
        await reply_privately(ack, NOT_OPENED)
        return
    await ack()


async def _answer(answering: Any, from_form: commands.Form) -> Answer:
    """Return the answer, or why there is none; *from_form* is how the command is told another sender."""
    try:
        answer: Answer = await answering
    except WrongSender as error:
        return f"{error.person}\n{_show_form(from_form)}"
    except NotAllowed as error:
        return error.person
    return answer


def name_request(body: Mapping[str, Any]) -> str:
    """
    Return what names a command among all: letter for letter the same, it is the same one, come again.

    Its trigger alone would do for Slack; but where two commands came under one, the second must not pass for done.
    """
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()


async def _answer_sms(desk: Desk, wanted: commands.SmsCommand, body: Mapping[str, Any]) -> Answer:
    author = UserId(body["user_id"])
    if not isinstance(wanted, commands.Help | commands.WrongUse):
        await desk.meet(author)
    match wanted:
        case commands.SendText():
            return await desk.texting.text_now(
                once=name_request(body),
                author=author,
                to=wanted.to,
                sender=wanted.sender,
                text=show_numbers(wanted.text),
                origin=Origin.COMMAND,
            )
        case commands.ShowHistory(number=number):
            return await desk.history.show_newest(number, author)
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
                once=name_request(body),
                author=author,
                to=(wanted.to,),
                sender=wanted.sender,
                text=show_numbers(wanted.text),
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
    author, once = UserId(body["user_id"]), name_request(body)
    if not isinstance(wanted, commands.Help | commands.WrongUse):
        await desk.meet(author)
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
    return f"🤔 {escape_sms(wrong.problem)} Nothing was done.\n{_show_form(wrong.form)}"


def _show_form(form: commands.Form) -> str:
    return f"The form is `{escape_sms(form.usage)}`, for example `{escape_sms(form.example)}`"
