"""The forms behind `/sms` and `/schedule` typed alone, and behind the shortcut "New text message"."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError

from bot.domain.commands import MOST_RECIPIENTS
from bot.domain.ids import UserId
from bot.domain.media import MOST_FILES, FileRef
from bot.domain.message import Origin
from bot.domain.phone import NotANumber, PhoneNumber, parse_number, split_numbers
from bot.errors import NotAllowed, RetryLater
from bot.flows import wording
from bot.flows.accepting import check_author
from bot.flows.preparing import check_files, read_attachments
from bot.flows.wording import Words
from bot.observe import Log
from bot.settings import read_zone
from bot.text.segments import MAX_PARTS, Encoding, Segments, count_segments, replace_lookalikes
from bot.text.typed import render_typed
from handlers.desk import Desk
from handlers.sender_options import BLOCK, build_sender_block, read_sender

_log = Log("slack.form")

TEXT_FORM = "text_form"
SCHEDULE_FORM = "schedule_form"
#: The shortcut in the manifest that opens the form from anywhere.
NEW_TEXT_SHORTCUT = "new_text"

_TO, _TEXT, _FILES, _WHEN = "to", "text", "files", "when"
_COUNT = "count_parts"
_REPLACE = "replace_lookalikes"
_MOST_CHARACTERS = 3000
#: How many of the characters that make a text long are shown.
_MOST_CULPRITS = 5


class Forms:
    """Opens the forms, counts while people type, and takes what they submit."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, bolt: AsyncApp) -> None:
        """Register the listeners of the forms."""
        bolt.action(_COUNT)(self._recount)
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
        person = await self._desk.directory.get_person(UserId(body["user"]["id"]))
        await ack()
        try:
            check_author(person)
            view = self._build(TEXT_FORM, text="", revision=0)
        except NotAllowed as error:
            view = _build_outcome(wording.line(error.person))  # there is no channel in which the answer could stand
        with suppress(NotAllowed):  # logged, and nobody to tell
            await self._show(body, client, view)

    async def _open(self, form: str, body: Mapping[str, Any], client: Any) -> None:
        check_author(await self._desk.directory.get_person(UserId(body["user_id"])))
        await self._show(body, client, self._build(form, text="", revision=0))

    async def _show(self, body: Mapping[str, Any], client: Any, view: dict[str, Any]) -> None:
        try:
            await client.views_open(trigger_id=body["trigger_id"], view=view)
        except (SlackApiError, OSError, TimeoutError) as error:
            _log.warning("A form could not be opened.", trouble=type(error).__name__)
            raise NotAllowed("Slack did not open the form in time. Please try again.") from error

    def _build(self, form: str, *, text: str, revision: int, given: str | None = None) -> dict[str, Any]:
        """Return the form. *revision* renames the text's block, so that *given* replaces what stands in it."""
        scheduling = form == SCHEDULE_FORM
        text_input: dict[str, Any] = {
            "type": "plain_text_input",
            "action_id": _COUNT,
            "multiline": True,
            "max_length": _MOST_CHARACTERS,
            "dispatch_action_config": {"trigger_actions_on": ["on_character_entered"]},
        }
        if given is not None:
            text_input["initial_value"] = given
        blocks: list[dict[str, Any]] = [
            {
                "type": "input",
                "block_id": _TO,
                "label": _plain("To"),
                "hint": _plain(
                    f"A phone number; several with commas make one group message, at most {MOST_RECIPIENTS}."
                ),
                "element": {
                    "type": "plain_text_input",
                    "action_id": _TO,
                    "placeholder": _plain("(415) 555-0101"),
                    "focus_on_load": True,
                },
            },
            *build_sender_block(self._desk.policy, self._desk.senders.known),
            {
                "type": "input",
                "block_id": f"{_TEXT}{revision}",
                "dispatch_action": True,
                "optional": True,  # a picture may go without words; what has neither is refused when it is submitted
                "label": _plain("Text"),
                "element": text_input,
            },
            *_count_blocks(text),
            {
                "type": "input",
                "block_id": _FILES,
                "optional": True,
                "label": _plain("Pictures and files"),
                "hint": _plain(f"At most {MOST_FILES}. Large ones are made smaller; where they were taken is removed."),
                "element": {"type": "file_input", "action_id": _FILES, "max_files": MOST_FILES},
            },
            {
                "type": "input",
                "block_id": _WHEN,
                "optional": not scheduling,
                "label": _plain("When"),
                "hint": _plain("By your own clock." if scheduling else "Leave it empty to send now."),
                "element": {"type": "datetimepicker", "action_id": _WHEN},
            },
        ]
        return {
            "type": "modal",
            "callback_id": form,
            "title": _plain("Schedule a text" if scheduling else "Send a text"),
            "submit": _plain("Schedule" if scheduling else "Send"),
            "close": _plain("Cancel"),
            "private_metadata": str(revision),
            "blocks": blocks,
        }

    async def _recount(self, ack: AsyncAck, body: Mapping[str, Any], client: Any) -> None:
        await ack()
        view = body["view"]
        await self._update(
            client, view, self._build(view["callback_id"], text=_read_text(view), revision=_revision(view))
        )

    async def _replace(self, ack: AsyncAck, body: Mapping[str, Any], client: Any) -> None:
        await ack()
        view = body["view"]
        replaced = replace_lookalikes(_read_text(view))
        await self._update(
            client,
            view,
            self._build(view["callback_id"], text=replaced, revision=_revision(view) + 1, given=replaced),
        )

    async def _update(self, client: Any, view: Mapping[str, Any], new: dict[str, Any]) -> None:
        try:
            # The hash keeps a slow update from replacing a newer one while somebody types on.
            await client.views_update(view_id=view["id"], hash=view.get("hash"), view=new)
        except (SlackApiError, OSError, TimeoutError) as error:
            _log.info("A form was not updated.", trouble=type(error).__name__)

    async def _submit(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        view = body["view"]
        block = f"{_TEXT}{_revision(view)}"
        author = UserId(body["user"]["id"])
        to, problem = self._read_recipients(_value(view, _TO, _TO))
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
        due_at = _read_when(view)
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
        except NotAllowed as error:
            await ack(response_action="errors", errors={block: error.person.removeprefix("🚫 ")})
            return
        except RetryLater as error:
            await ack(response_action="errors", errors={block: error.person})
            return
        await ack(response_action="update", view=_build_outcome(answer))

    async def _send(
        self,
        view: Mapping[str, Any],
        author: UserId,
        to: tuple[PhoneNumber, ...],
        text: str,
        files: tuple[FileRef, ...],
        due_at: datetime | None,
    ) -> Words:
        sender = read_sender(_state(view, BLOCK, BLOCK).get("selected_option"))
        if due_at is None:
            answer = await self._desk.texting.text_now(
                once=view["id"], author=author, to=to, sender=sender, text=text, files=files, origin=Origin.FORM
            )
            return wording.line(answer)
        person = await self._desk.directory.get_person(author)
        return await self._desk.schedules.schedule_text(
            once=view["id"],
            author=author,
            to=to,
            sender=sender,
            text=text,
            files=files,
            due_at=due_at,
            zone=read_zone(person.zone),
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


def _count_blocks(text: str) -> list[dict[str, Any]]:
    """Return what is said about the length of *text*, and the button that makes it shorter where one can."""
    segments = count_segments(text)
    if segments.parts == 0:
        return [_context("Nothing typed yet.")]
    parts = "1 part" if segments.parts == 1 else f"{segments.parts} parts"
    sentence = f"*{parts}* · {segments.units} characters, {segments.remaining} more fit"
    if segments.is_too_long:
        sentence = f"🚫 *{parts}*: the carrier sends at most {MAX_PARTS}. Please shorten it."
    blocks = [_context(sentence)]
    if segments.encoding is Encoding.UCS2:
        blocks.append(_context(_describe_culprits(segments)))
        shorter = count_segments(replace_lookalikes(text))
        if shorter.parts < segments.parts or shorter.encoding is not Encoding.UCS2:
            after = "1 part" if shorter.parts == 1 else f"{shorter.parts} parts"
            blocks.append(
                {
                    "type": "actions",
                    "elements": [
                        {
                            "type": "button",
                            "action_id": _REPLACE,
                            "text": _plain(f"Replace them: {after}"),
                        }
                    ],
                }
            )
    return blocks


def _describe_culprits(segments: Segments) -> str:
    shown = " ".join(dict.fromkeys(culprit.character for culprit in segments.culprits[: _MOST_CULPRITS * 4]))
    return f"{wording.shorten(shown, _MOST_CULPRITS * 4)} make a part hold 70 characters instead of 160."


def _build_outcome(answer: Words) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "outcome",
        "title": _plain("Textbridge"),
        "close": _plain("Done"),
        "blocks": [dict(block) for block in answer[1]],
    }


def _read_text(view: Mapping[str, Any]) -> str:
    return _value(view, f"{_TEXT}{_revision(view)}", _COUNT)


def _read_files(view: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    files = _state(view, _FILES, _FILES).get("files")
    return [file for file in files if isinstance(file, Mapping)] if isinstance(files, list) else []


def _read_when(view: Mapping[str, Any]) -> datetime | None:
    chosen = _state(view, _WHEN, _WHEN).get("selected_date_time")
    return None if chosen is None else datetime.fromtimestamp(int(chosen), UTC)


def _value(view: Mapping[str, Any], block: str, action: str) -> str:
    return str(_state(view, block, action).get("value") or "")


def _state(view: Mapping[str, Any], block: str, action: str) -> Mapping[str, Any]:
    found = view.get("state", {}).get("values", {}).get(block, {}).get(action)
    return found if isinstance(found, Mapping) else {}


def _revision(view: Mapping[str, Any]) -> int:
    metadata = str(view.get("private_metadata") or "0")
    return int(metadata) if metadata.isdecimal() else 0


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def _option(label: str, value: str) -> dict[str, Any]:
    return {"text": _plain(label), "value": value}
