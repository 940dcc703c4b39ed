"""What the forms share: how one is opened and changed, what is said of a text's length, how fields are read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError

from bot.errors import NotAllowed
from bot.flows import wording
from bot.flows.wording import Words
from bot.observe import Log
from bot.ports import Block
from bot.text.segments import MAX_PARTS, Encoding, Segments, count_segments, replace_lookalikes

_log = Log("slack.form")

#: Slack gives a form three seconds, and the one who wanted it may have another.
NOT_OPENED = "Slack did not open the form in time. Please try again."
#: How a form fails to be opened or changed: Slack's no, its silence, and a connection that broke before it spoke.
_SLACK_FAILURES = (SlackApiError, ClientError, OSError, TimeoutError)
MOST_CHARACTERS = 3000
#: How many of the characters that make a text long are shown.
_MOST_CULPRITS = 5


async def open_view(opening: Any, body: Mapping[str, Any], view: Mapping[str, Any]) -> None:
    """
    Show *view* to whoever made the request *body*. Raises NotAllowed where Slack does not, with what to tell them.

    *opening* is the client's `views_open`, or its `views_push` for a form above another.
    """
    try:
        await opening(trigger_id=body["trigger_id"], view=view)
    except _SLACK_FAILURES as error:
        _log.warning("A form could not be opened.", trouble=type(error).__name__)
        raise NotAllowed(NOT_OPENED) from error


async def update_view(client: Any, view: Mapping[str, Any], new: Mapping[str, Any], *, only: str | None = None) -> None:
    """Show *new* in the place of *view*. *only*: while *view* has this hash, so that a slow one replaces nothing newer."""
    try:
        await client.views_update(view_id=view["id"], hash=only, view=new)
    except _SLACK_FAILURES as error:
        _log.info("A form was not updated.", trouble=type(error).__name__)


def text_block(block: str, action: str, *, given: str | None) -> dict[str, Any]:
    """Return the field for a text, which tells of every letter typed; *given* stands in it."""
    text_input: dict[str, Any] = {
        "type": "plain_text_input",
        "action_id": action,
        "multiline": True,
        "max_length": MOST_CHARACTERS,
        "dispatch_action_config": {"trigger_actions_on": ["on_character_entered"]},
    }
    if given:
        text_input["initial_value"] = given
    return {
        "type": "input",
        "block_id": block,
        "dispatch_action": True,
        "optional": True,  # a picture may go without words; what has neither is refused when it is submitted
        "label": make_plain("Text"),
        "element": text_input,
    }


def count_blocks(text: str, replace: str) -> list[Block]:
    """Return what is said about the length of *text*, and the button *replace* that makes it shorter where one can."""
    segments = count_segments(text)
    if segments.parts == 0:
        return [wording.context("Nothing typed yet.")]
    parts = "1 part" if segments.parts == 1 else f"{segments.parts} parts"
    sentence = f"*{parts}* · {segments.units} characters, {segments.remaining} more fit"
    if segments.is_too_long:
        sentence = f"🚫 *{parts}*: the carrier sends at most {MAX_PARTS}. Please shorten it."
    blocks: list[Block] = [wording.context(sentence)]
    if segments.encoding is Encoding.UCS2:
        blocks.append(wording.context(_describe_culprits(segments)))
        shorter = count_segments(replace_lookalikes(text))
        if shorter.parts < segments.parts or shorter.encoding is not Encoding.UCS2:
            after = "1 part" if shorter.parts == 1 else f"{shorter.parts} parts"
            blocks.append(
                {
                    "type": "actions",
                    "elements": [
                        {
                            "type": "button",
                            "action_id": replace,
                            "text": make_plain(f"Replace them: {after}"),
                        }
                    ],
                }
            )
    return blocks


def _describe_culprits(segments: Segments) -> str:
    shown = " ".join(dict.fromkeys(culprit.character for culprit in segments.culprits[: _MOST_CULPRITS * 4]))
    return f"{wording.shorten(shown, _MOST_CULPRITS * 4)} make a part hold 70 characters instead of 160."


def build_outcome(answer: Words) -> dict[str, Any]:
    """Return what a form shows once it has done its work."""
    return {
        "type": "modal",
        "callback_id": "outcome",
        "title": make_plain("Textbridge"),
        "close": make_plain("Done"),
        "blocks": [dict(block) for block in answer[1]],
    }


def build_trouble(view: Mapping[str, Any], words: str, field: str | None = None) -> dict[str, Any]:
    """
    Return the answer to the submission of *view* that says why nothing came of it.

    *words* stand at *field*, or its first, and it stays as it was filled in; a question, which has none, gives way to them.
    """
    field = field or next((block["block_id"] for block in view["blocks"] if block["type"] == "input"), None)
    if field is None:
        return {"response_action": "update", "view": build_outcome(wording.line(words))}
    return {"response_action": "errors", "errors": {field: words.removeprefix("🚫 ")}}


def name_submission(view: Mapping[str, Any], *said: object) -> str:
    """
    Return what names one form with one content among all: submitted again unchanged, it is the same.

    Who was told that it failed, and changes a word before pressing the button again, wants that word sent.
    """
    return f"{view['id']}:{hashlib.sha256(repr(said).encode('utf-8', 'surrogatepass')).hexdigest()}"


def read_value(view: Mapping[str, Any], block: str, action: str) -> str:
    """Return what was typed into a field; empty where it is not there."""
    return str(read_state(view, block, action).get("value") or "")


def read_state(view: Mapping[str, Any], block: str, action: str) -> Mapping[str, Any]:
    """Return what was chosen in a field; empty where it is not there."""
    found = view.get("state", {}).get("values", {}).get(block, {}).get(action)
    return found if isinstance(found, Mapping) else {}


def read_moment(view: Mapping[str, Any], block: str, action: str) -> datetime | None:
    """Return the moment that was chosen in a field; None where none was."""
    chosen = read_state(view, block, action).get("selected_date_time")
    return None if chosen is None else datetime.fromtimestamp(int(chosen), UTC)


def make_plain(text: str) -> dict[str, Any]:
    """Return *text* as Slack wants it where it formats nothing."""
    return {"type": "plain_text", "text": text}


def make_option(label: str, value: str) -> dict[str, Any]:
    """Return one choice of a list."""
    return {"text": make_plain(label), "value": value}
