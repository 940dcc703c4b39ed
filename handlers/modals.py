"""The forms behind `/sms` and `/schedule` typed alone, and behind the shortcut "New text message"."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain.commands import MOST_RECIPIENTS
from bot.domain.ids import UserId
from bot.domain.media import MOST_FILES, FileRef
from bot.domain.message import Origin
from bot.domain.phone import NotANumber, PhoneNumber, parse_number, split_numbers
from bot.domain.places import read_zone
from bot.errors import NotAllowed, RetryLater
from bot.flows import wording
from bot.flows.accepting import check_author
from bot.flows.preparing import check_files, read_attachments
from bot.flows.wording import Words
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
    read_state,
    read_value,
    text_block,
    update_view,
)
from handlers.schedule_options import option_blocks, read_options, read_repetition, reads_unless_reply
from handlers.sender_options import BLOCK, build_sender_block, read_sender

TEXT_FORM = "text_form"
SCHEDULE_FORM = "schedule_form"
#: The shortcut in the manifest that opens the form from anywhere.
NEW_TEXT_SHORTCUT = "new_text"

_TO, _TEXT, _FILES, _WHEN = "to", "text", "files", "when"
_COUNT = "count_parts"
_REPLACE = "replace_lookalikes"


class Forms:
    """Opens the forms, counts while people type, and takes what they submit."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, bolt: AsyncApp) -> None:
        """Register the listeners of the forms."""
        bolt.action(_COUNT)(self._recount)
        bolt.action(_WHEN)(self._recount)
        bolt.action(_REPLACE)(self._replace)
        bolt.view(TEXT_FORM)(self._submit)
        bolt.view(SCHEDULE_FORM)(self._submit)
        bolt.shortcut(NEW_TEXT_SHORTCUT)(self._open_by_shortcut)

    async def open_text_form(self, body: Mapping[str, Any], client: Any) -> None:
        """Open the form of `/sms`. Raises NotAllowed when Slack does not open it."""
        await self._open(TEXT_FORM, body, client)

    async def open_schedule_form(self, body: Mapping[str, Any], client: Any) -> None:
        """Open the form of `/schedule`, which asks for the time. Raises NotAllowed when Slack does not open it."""
        await self._open(SCHEDULE_FORM, body, client)

    async def _open_by_shortcut(self, ack: AsyncAck, body: Mapping[str, Any], client: Any) -> None:
        try:
            check_author(await self._desk.meet(UserId(body["user"]["id"])))
            view = self._build(TEXT_FORM, text="", revision=0)
        except (NotAllowed, RetryLater) as error:
            view = build_outcome(wording.line(error.person))  # there is no channel in which the answer could stand
        await ack()
        with suppress(NotAllowed):  # logged, and nobody to tell
            await open_view(client.views_open, body, view)

    async def _open(self, form: str, body: Mapping[str, Any], client: Any) -> None:
        check_author(await self._desk.directory.get_person(UserId(body["user_id"])))
        await open_view(client.views_open, body, self._build(form, text="", revision=0))

    def _build(
        self, form: str, *, text: str, revision: int, given: str | None = None, clock: str | None = None
    ) -> dict[str, Any]:
        """
        Return the form. *revision* renames the text's block, so that *given* replaces what stands in it.

        *clock*: what is to be said about the time that was chosen.
        """
        scheduling = form == SCHEDULE_FORM
        blocks: list[Block] = [
            {
                "type": "input",
                "block_id": _TO,
                "label": make_plain("To"),
                "hint": make_plain(
                    "A phone number. A group message cannot wait for a time."
                    if scheduling
                    else f"A phone number; several with commas make one group message, at most {MOST_RECIPIENTS}."
                ),
                "element": {
                    "type": "plain_text_input",
                    "action_id": _TO,
                    "placeholder": make_plain("(415) 555-0101"),
                    "focus_on_load": True,
                },
            },
            *build_sender_block(self._desk.policy, self._desk.senders.known),
            text_block(f"{_TEXT}{revision}", _COUNT, given=given),
            *count_blocks(text, _REPLACE),
            {
                "type": "input",
                "block_id": _FILES,
                "optional": True,
                "label": make_plain("Pictures and files"),
                "hint": make_plain(
                    f"At most {MOST_FILES}. Large ones are made smaller; where they were taken is removed."
                ),
                "element": {"type": "file_input", "action_id": _FILES, "max_files": MOST_FILES},
            },
            {
                "type": "input",
                "block_id": _WHEN,
                "dispatch_action": True,
                "optional": not scheduling,
                "label": make_plain("When"),
                "hint": make_plain("By your own clock." if scheduling else "Leave it empty to send now."),
                "element": {"type": "datetimepicker", "action_id": _WHEN},
            },
            *([] if clock is None else [wording.context(clock)]),
            *(option_blocks() if scheduling else []),
        ]
        return {
            "type": "modal",
            "callback_id": form,
            "title": make_plain("Schedule a text" if scheduling else "Send a text"),
            "submit": make_plain("Schedule" if scheduling else "Send"),
            "close": make_plain("Cancel"),
            "private_metadata": str(revision),
            "blocks": blocks,
        }

    async def _recount(self, ack: AsyncAck, body: Mapping[str, Any], client: Any) -> None:
        await ack()
        view = body["view"]
        new = self._build(
            view["callback_id"],
            text=_read_text(view),
            revision=_revision(view),
            clock=await self._describe_clock(body),
        )
        await update_view(client, view, new, only=view.get("hash"))

    async def _replace(self, ack: AsyncAck, body: Mapping[str, Any], client: Any) -> None:
        await ack()
        view = body["view"]
        replaced = replace_lookalikes(_read_text(view))
        new = self._build(
            view["callback_id"],
            text=replaced,
            revision=_revision(view) + 1,
            given=replaced,
            clock=await self._describe_clock(body),
        )
        await update_view(client, view, new, only=view.get("hash"))

    async def _describe_clock(self, body: Mapping[str, Any]) -> str | None:
        """Say what the customer's clock shows at the chosen time, and whether it is quiet there; None if not known yet."""
        view = body["view"]
        due_at = read_moment(view, _WHEN, _WHEN)
        to, _ = self._read_recipients(read_value(view, _TO, _TO))
        if due_at is None or not to:
            return None
        person = await self._desk.directory.get_person(UserId(body["user"]["id"]))
        return await self._desk.schedules.describe_clock(due_at, read_zone(person.zone), to)

    async def _submit(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        view = body["view"]
        block = f"{_TEXT}{_revision(view)}"
        author = UserId(body["user"]["id"])
        to, problem = self._read_recipients(read_value(view, _TO, _TO))
        errors = {} if problem is None else {_TO: problem}
        text = render_typed(_read_text(view))
        files: tuple[FileRef, ...] = ()
        try:
            files = read_attachments(_read_files(view))
            check_files(files, self._desk.policy)
        except NotAllowed as error:
            errors[_FILES] = error.person.removeprefix("🚫 ")
        if not text.strip() and not files and _FILES not in errors:
            errors[block] = "Write a text, or add a picture."
        due_at = read_moment(view, _WHEN, _WHEN)
        if due_at is not None and due_at <= self._desk.clock.now():
            errors[_WHEN] = "This moment has passed."
        if due_at is None and view["callback_id"] == SCHEDULE_FORM:
            errors[_WHEN] = "When is it to go? Choose a day and a time."
        if due_at is not None and len(to) > 1:
            errors[_TO] = "Only a text to one number can wait for a time; a group message goes out at once."
        if errors:
            await ack(response_action="errors", errors=errors)
            return
        try:
            answer = await self._send(view, author, to, text, files, due_at)
        except (NotAllowed, RetryLater) as error:
            await ack(**build_trouble(view, error.person, block))
            return
        await ack(response_action="update", view=build_outcome(answer))

    async def _send(
        self,
        view: Mapping[str, Any],
        author: UserId,
        to: tuple[PhoneNumber, ...],
        text: str,
        files: tuple[FileRef, ...],
        due_at: datetime | None,
    ) -> Words:
        sender = read_sender(read_state(view, BLOCK, BLOCK).get("selected_option"))
        once = name_submission(view, to, sender, text, [file.file_id for file in files], due_at, read_options(view))
        if due_at is None:
            answer = await self._desk.texting.text_now(
                once=once, author=author, to=to, sender=sender, text=text, files=files, origin=Origin.FORM
            )
            return wording.line(answer)
        person = await self._desk.directory.get_person(author)
        zone = read_zone(person.zone)
        due_at, rule = read_repetition(view, due_at, zone, self._desk.clock.now())
        return await self._desk.schedules.schedule_text(
            once=once,
            author=author,
            to=to,
            sender=sender,
            text=text,
            files=files,
            due_at=due_at,
            zone=zone,
            rule=rule,
            unless_reply=reads_unless_reply(view),
        )

    def _read_recipients(self, typed: str) -> tuple[tuple[PhoneNumber, ...], str | None]:
        try:
            numbers = tuple(
                dict.fromkeys(parse_number(piece, self._desk.policy.region) for piece in split_numbers(typed))
            )
        except NotANumber as error:
            return (), str(error)
        if not numbers:
            return (), "Whom is it for? Type a phone number."
        if len(numbers) > MOST_RECIPIENTS:
            return (), f"A group message can go to at most {MOST_RECIPIENTS} numbers; these are {len(numbers)}."
        return numbers, None


def _read_text(view: Mapping[str, Any]) -> str:
    return read_value(view, f"{_TEXT}{_revision(view)}", _COUNT)


def _read_files(view: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    files = read_state(view, _FILES, _FILES).get("files")
    return [file for file in files if isinstance(file, Mapping)] if isinstance(files, list) else []


def _revision(view: Mapping[str, Any]) -> int:
    metadata = str(view.get("private_metadata") or "0")
    return int(metadata) if metadata.isdecimal() else 0
