"""The buttons under scheduled texts, and the form that changes one."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain.actions import Action
from bot.domain.ids import UserId
from bot.domain.places import read_zone
from bot.domain.recurrence import Rule, describe_rule
from bot.domain.when import NotATime, TimeInPast
from bot.domain.when_recurring import EXAMPLES, parse_rule
from bot.errors import NotAllowed, RetryLater
from bot.flows import wording
from bot.flows.schedule_wording import FROM_LIST, Row
from bot.ports import Block
from bot.text.segments import replace_lookalikes
from bot.text.typed import render_typed
from handlers.desk import Desk
from handlers.form_parts import (
    build_outcome,
    build_trouble,
    count_blocks,
    make_plain,
    name_submission,
    open_view,
    read_moment,
    read_value,
    text_block,
    update_view,
)
from handlers.listeners import Answer, is_ephemeral, respond_to_click
from handlers.schedule_options import reads_unless_reply, unless_reply_block

EDIT_FORM = "edit_schedule_form"

_TEXT, _WHEN, _RULE = "text", "edit_when", "edit_rule"
_COUNT, _REPLACE = "edit_text", "edit_replace"


class ScheduleButtons:
    """Listens to what people do with scheduled texts."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, bolt: AsyncApp) -> None:
        """Register the listeners."""
        flows = self._desk.schedules

        async def skip(value: str, user: UserId, zone: ZoneInfo) -> Answer:
            return await flows.skip_schedule(value, user, zone)

        async def cancel(value: str, user: UserId, _zone: ZoneInfo) -> Answer:
            return await flows.cancel_schedule(value, user)

        async def retry(value: str, user: UserId, _zone: ZoneInfo) -> Answer:
            return await flows.retry_schedule(value, user)

        async def turn(value: str, user: UserId, zone: ZoneInfo) -> Answer:
            return await flows.list_schedules(zone, user, int(value))

        for action, decide in (
            (Action.CANCEL_SCHEDULE, cancel),
            (Action.SKIP_SCHEDULE, skip),
            (Action.RETRY_SCHEDULE, retry),
            (Action.SCHEDULES_PAGE, turn),
        ):
            self._on(bolt, action, decide)
        bolt.action(re.compile(rf"^{Action.EDIT_SCHEDULE}(:.*)?$"))(self._open)
        bolt.action(_COUNT)(self._recount)
        bolt.action(_WHEN)(self._recount)
        bolt.action(_REPLACE)(self._replace)
        bolt.view(EDIT_FORM)(self._submit)

    def _on(self, bolt: AsyncApp, action: Action, decide: Callable[[str, UserId, ZoneInfo], Awaitable[Answer]]) -> None:
        async def listen(ack: AsyncAck, body: Mapping[str, Any], respond: Any, client: Any) -> None:
            clicked = body["actions"][0]
            named, _, page = str(clicked.get("value", "")).partition("|")
            user = UserId(body["user"]["id"])
            zone = await self._find_zone(user)
            try:
                answer = await decide(named, user, zone)
            except NotAllowed as error:
                answer = error.person
            if str(clicked.get("action_id", "")).endswith(f":{FROM_LIST}") and isinstance(answer, str):
                # The list itself is brought up to date, with what was done above it.
                with suppress(NotAllowed):  # who may not see the list is told only what was said to the click
                    answer = await self._desk.schedules.list_schedules(zone, user, int(page or 0), said=answer)
            await ack()
            view = body.get("view")
            if isinstance(view, Mapping):
                await update_view(
                    client, view, build_outcome(wording.line(answer) if isinstance(answer, str) else answer)
                )
            else:
                await respond_to_click(respond, answer, replaces=is_ephemeral(body))

        bolt.action(re.compile(rf"^{re.escape(action.value)}(:.*)?$"))(listen)

    async def _find_zone(self, user: UserId) -> ZoneInfo:
        return read_zone((await self._desk.directory.get_person(user)).zone)

    # --- The form

    async def _open(self, ack: AsyncAck, body: Mapping[str, Any], respond: Any, client: Any) -> None:
        user = UserId(body["user"]["id"])
        named = str(body["actions"][0].get("value", ""))
        opening = client.views_push if isinstance(body.get("view"), Mapping) else client.views_open
        try:
            row = await self._desk.schedules.get_editable(named, user)
            zone = await self._find_zone(user)
            view = await self._build(row, zone, text=row.text, revision=0, given=row.text, due_at=row.due_at)
            await open_view(opening, body, view)
        except NotAllowed as error:
            await ack()
            await respond_to_click(respond, error.person, replaces=False)
            return
        await ack()

    async def _build(
        self, row: Row, zone: ZoneInfo, *, text: str, revision: int, given: str, due_at: datetime | None
    ) -> dict[str, Any]:
        """Return the form. *revision* renames the text's block, so that *given* replaces what stands in it."""
        parties = row.conversation.parties
        unless = row.recurrence.unless_reply if row.recurrence else bool(row.schedule and row.schedule.unless_reply)
        when: list[Block] = []
        if row.recurrence is not None:
            when.append(
                {
                    "type": "input",
                    "block_id": _RULE,
                    "label": make_plain("When"),
                    "hint": make_plain(f"In words, by the clock of {row.recurrence.zone}: {EXAMPLES.replace('`', '')}"),
                    "element": {
                        "type": "plain_text_input",
                        "action_id": _RULE,
                        "initial_value": describe_rule(row.recurrence.rule),
                    },
                }
            )
        else:
            picker: dict[str, Any] = {"type": "datetimepicker", "action_id": _WHEN}
            if row.due_at > self._desk.clock.now():
                picker["initial_date_time"] = int(row.due_at.timestamp())
            when.append(
                {
                    "type": "input",
                    "block_id": _WHEN,
                    "dispatch_action": True,
                    "label": make_plain("When"),
                    "hint": make_plain("By your own clock."),
                    "element": picker,
                }
            )
            if due_at is not None:
                when.append(wording.context(await self._desk.schedules.describe_clock(due_at, zone, parties.theirs)))
        return {
            "type": "modal",
            "callback_id": EDIT_FORM,
            "title": make_plain("Change a text"),
            "submit": make_plain("Save"),
            "close": make_plain("Leave it"),
            "private_metadata": f"{row.id}|{revision}",
            "blocks": [
                wording.context(f"`{row.id}` to *{row.them.name}*, by <@{row.author}>"),
                text_block(f"{_TEXT}{revision}", _COUNT, given=given),
                *count_blocks(text, _REPLACE),
                *when,
                unless_reply_block(checked=unless),
            ],
        }

    async def _recount(self, ack: AsyncAck, body: Mapping[str, Any], client: Any) -> None:
        await ack()
        await self._rebuild(body, client, replaced=None)

    async def _replace(self, ack: AsyncAck, body: Mapping[str, Any], client: Any) -> None:
        await ack()
        await self._rebuild(body, client, replaced=replace_lookalikes(_read_text(body["view"])))

    async def _rebuild(self, body: Mapping[str, Any], client: Any, *, replaced: str | None) -> None:
        view, user = body["view"], UserId(body["user"]["id"])
        named, revision = _read_metadata(view)
        try:
            row = await self._desk.schedules.get_editable(named, user)
        except NotAllowed:
            return  # told when it is submitted
        text = _read_text(view) if replaced is None else replaced
        new = await self._build(
            row,
            await self._find_zone(user),
            text=text,
            revision=revision if replaced is None else revision + 1,
            given=text,
            due_at=read_moment(view, _WHEN, _WHEN),
        )
        await update_view(client, view, new, only=view.get("hash"))

    async def _submit(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        view, user = body["view"], UserId(body["user"]["id"])
        named, revision = _read_metadata(view)
        block = f"{_TEXT}{revision}"
        zone = await self._find_zone(user)
        try:
            row = await self._desk.schedules.get_editable(named, user)
            field, due_at, rule, note = self._read_time(view, row)
        except NotAllowed as error:
            await ack(**build_trouble(view, error.person, block))
            return
        except (NotATime, TimeInPast) as error:
            await ack(**build_trouble(view, str(error), _RULE))
            return
        if due_at is None and row.recurrence is None:
            await ack(**build_trouble(view, "When is it to go? Choose a day and a time.", field))
            return
        if due_at is not None and due_at <= self._desk.clock.now():
            await ack(**build_trouble(view, "This moment has passed.", field))
            return
        text, unless = render_typed(_read_text(view)), reads_unless_reply(view)
        try:
            answer = await self._desk.schedules.edit_schedule(
                named,
                user,
                once=name_submission(view, named, text, due_at, read_value(view, _RULE, _RULE), unless),
                text=text,
                due_at=due_at,
                zone=zone,
                rule=rule,
                unless_reply=unless,
                note=note,
            )
        except (NotAllowed, RetryLater) as error:
            await ack(**build_trouble(view, error.person, block))
            return
        await ack(response_action="update", view=build_outcome(answer))

    def _read_time(self, view: Mapping[str, Any], row: Row) -> tuple[str, datetime | None, Rule | None, str | None]:
        """Return the field of the time, and what stands in it: a moment, or a rule where that was changed."""
        if row.recurrence is None:
            return _WHEN, read_moment(view, _WHEN, _WHEN), None, None
        typed = read_value(view, _RULE, _RULE)
        if typed.strip() == describe_rule(row.recurrence.rule):
            return _RULE, None, None, None
        plan = parse_rule(typed, self._desk.clock.now(), ZoneInfo(row.recurrence.zone))
        return _RULE, None, plan.rule, plan.note


def _read_metadata(view: Mapping[str, Any]) -> tuple[str, int]:
    named, _, revision = str(view.get("private_metadata") or "").partition("|")
    return named, int(revision) if revision.isdecimal() else 0


def _read_text(view: Mapping[str, Any]) -> str:
    return read_value(view, f"{_TEXT}{_read_metadata(view)[1]}", _COUNT)
