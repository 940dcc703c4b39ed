"""Checks Block Kit against the limits that Slack refuses to go beyond, and fills in the ids that Slack gives itself."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack_text import Json

#: Limits in characters or pieces: the reference of Block Kit at docs.slack.dev, as slack_sdk's models repeat them.
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
_ID = 255
_FIELDS = 10
_MOST_OPTIONS = {
    "overflow": 5,
    "checkboxes": 10,
    "radio_buttons": 10,
    "static_select": 100,
    "multi_static_select": 100,
}
_SELECTS = frozenset(
    f"{many}{kind}_select"
    for many in ("", "multi_")
    for kind in ("static", "external", "users", "conversations", "channels")
)
_INPUTS = frozenset({
    "plain_text_input", "email_text_input", "url_text_input", "number_input", "datepicker", "timepicker",
    "datetimepicker", "rich_text_input", "file_input", "checkboxes", "radio_buttons",
}) | _SELECTS  # fmt: skip
_ELEMENTS = _INPUTS | {"button", "overflow", "image", "workflow_button"}
_OPAQUE_BLOCKS = frozenset({"divider", "rich_text", "file", "video", "table"})
_BLOCKS = _OPAQUE_BLOCKS | {"header", "section", "context", "actions", "image", "input", "markdown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """Where blocks are to stand."""

    most: int = MESSAGE_BLOCKS
    is_view: bool = False
    #: Whether a `slack_file` may be shown by whoever posts.
    allows_file: Callable[[Json], bool] = lambda _file: True


def find_mistakes(blocks: Any, surface: Surface) -> list[str]:
    """Return what Slack would say is wrong with *blocks*, in its own form `why [json-pointer:/blocks/0]`."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        return ["must be an array of objects [json-pointer:/blocks]"]
    mistakes: list[str] = []
    if len(blocks) > surface.most:
        mistakes.append(f"no more than {surface.most} items allowed [json-pointer:/blocks]")
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        where = f"/blocks/{index}"
        block_id = block.get("block_id")
        if block_id and block_id in seen:
            mistakes.append(f"block_id already exists [json-pointer:{where}/block_id]")
        seen.add(block_id or "")
        mistakes += [f"{why} [json-pointer:{where}{path}]" for path, why in _check_block(block, surface)]
    return mistakes


_Mistakes = Iterator[tuple[str, str]]


def _check_block(block: Json, surface: Surface) -> _Mistakes:
    kind = block.get("type")
    if kind not in _BLOCKS:
        yield "/type", f"unsupported type: {kind}"
        return
    yield from _check_length(block.get("block_id"), "/block_id", _ID)
    if kind in _BLOCK_CHECKS:
        yield from _BLOCK_CHECKS[kind](block, surface)


def _check_header(block: Json, _surface: Surface) -> _Mistakes:
    yield from _check_text(block.get("text"), "/text", 150, plain=True)


def _check_context(block: Json, surface: Surface) -> _Mistakes:
    yield from _check_elements(block, surface, 10)


def _check_actions(block: Json, surface: Surface) -> _Mistakes:
    yield from _check_elements(block, surface, 25)


def _check_markdown(block: Json, _surface: Surface) -> _Mistakes:
    yield from _check_length(block.get("text"), "/text", 12_000, needed=True)


def _check_input(block: Json, surface: Surface) -> _Mistakes:
    yield from _check_text(block.get("label"), "/label", 2000, plain=True)
    if block.get("hint"):
        yield from _check_text(block["hint"], "/hint", 2000, plain=True)
    element = block.get("element") or {}
    if element.get("type") not in _INPUTS:
        yield "/element", f"unsupported type: {element.get('type')}"
        return
    if element["type"] == "file_input" and not surface.is_view:
        yield "/element", "file_input is only available in modals"
    yield from _nest("/element", _check_element(element, surface))


def _check_section(block: Json, surface: Surface) -> _Mistakes:
    if "text" not in block and not block.get("fields"):
        yield "", "missing required field: text"
    if "text" in block:
        yield from _check_text(block["text"], "/text", 3000)
    fields = block.get("fields") or []
    if len(fields) > _FIELDS:
        yield "/fields", f"no more than {_FIELDS} items allowed"
    for index, text in enumerate(fields):
        yield from _check_text(text, f"/fields/{index}", 2000)
    if block.get("accessory"):
        yield from _nest("/accessory", _check_element(block["accessory"], surface))


def _check_elements(block: Json, surface: Surface, most: int) -> _Mistakes:
    elements = block.get("elements")
    if not isinstance(elements, list) or not elements:
        yield "/elements", "must have at least 1 item"
        return
    if len(elements) > most:
        yield "/elements", f"no more than {most} items allowed"
    action_ids = [element["action_id"] for element in elements if element.get("action_id")]
    if len(action_ids) != len(set(action_ids)):
        yield "/elements", "action_id already exists"
    for index, element in enumerate(elements):
        where = f"/elements/{index}"
        if block["type"] == "context" and element.get("type") in {"plain_text", "mrkdwn"}:
            yield from _check_text(element, where, 3000)
        elif block["type"] == "context" and element.get("type") != "image":
            yield where, f"unsupported type: {element.get('type')}"
        else:
            yield from _nest(where, _check_element(element, surface))


def _check_element(element: Json, surface: Surface) -> _Mistakes:
    kind = element.get("type")
    if kind not in _ELEMENTS:
        yield "/type", f"unsupported type: {kind}"
        return
    yield from _check_length(element.get("action_id"), "/action_id", _ID)
    if kind == "button":
        yield from _check_button(element)
    elif kind == "image":
        yield from _check_image(element, surface)
    elif kind in _MOST_OPTIONS:
        yield from _check_choices(element, _MOST_OPTIONS[kind])
    if element.get("placeholder"):
        yield from _check_text(element["placeholder"], "/placeholder", 150, plain=True)
    if element.get("confirm"):
        yield from _check_confirm(element["confirm"])


def _check_button(button: Json) -> _Mistakes:
    yield from _check_text(button.get("text"), "/text", 75, plain=True)
    yield from _check_length(button.get("value"), "/value", 2000)
    yield from _check_length(button.get("url"), "/url", 3000)
    if button.get("style") not in {None, "primary", "danger"}:
        yield "/style", "must be one of: primary, danger"


def _check_choices(element: Json, most: int) -> _Mistakes:
    groups = element.get("option_groups")
    if groups is None:
        yield from _check_options(element.get("options"), "/options", most)
    for index, group in enumerate(groups or []):
        yield from _check_options(group.get("options"), f"/option_groups/{index}/options", most)


def _check_confirm(confirm: Json) -> _Mistakes:
    for key, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
        if key in confirm or key in {"title", "text"}:
            yield from _check_text(confirm.get(key), f"/confirm/{key}", most)


def _check_image(image: Json, surface: Surface) -> _Mistakes:
    yield from _check_length(image.get("alt_text"), "/alt_text", 2000, needed=True)
    file = image.get("slack_file")
    if (file is None) == ("image_url" not in image):
        yield "", "must have exactly one of: image_url, slack_file"
    yield from _check_length(image.get("image_url"), "/image_url", 3000)
    if file is not None and not surface.allows_file(file):
        yield "/slack_file", "invalid slack file"


def _check_options(options: Any, where: str, most: int) -> _Mistakes:
    if not isinstance(options, list) or not options:
        yield where, "must have at least 1 item"
        return
    if len(options) > most:
        yield where, f"no more than {most} items allowed"
    for index, option in enumerate(options):
        yield from _check_text(option.get("text"), f"{where}/{index}/text", 75)
        yield from _check_length(option.get("value"), f"{where}/{index}/value", 150)


def _check_text(text: Any, where: str, most: int, *, plain: bool = False) -> _Mistakes:
    if not isinstance(text, dict):
        yield where, "missing required field: text"
        return
    if text.get("type") not in ({"plain_text"} if plain else {"plain_text", "mrkdwn"}):
        yield f"{where}/type", f"unsupported type: {text.get('type')}"
    yield from _check_length(text.get("text"), f"{where}/text", most, needed=True)


def _check_length(value: Any, where: str, most: int, *, needed: bool = False) -> _Mistakes:
    if value is None and not needed:
        return
    if not isinstance(value, str):
        yield where, "must be a string"
    elif needed and not value:
        yield where, "must be more than 0 characters"
    elif len(value) > most:
        yield where, f"must be less than {most + 1} characters"


#: The blocks of which more is checked than their type.
_BLOCK_CHECKS: dict[str, Callable[[Json, Surface], _Mistakes]] = {
    "header": _check_header,
    "section": _check_section,
    "context": _check_context,
    "actions": _check_actions,
    "image": _check_image,
    "input": _check_input,
    "markdown": _check_markdown,
}


def _nest(where: str, mistakes: _Mistakes) -> _Mistakes:
    for path, why in mistakes:
        yield f"{where}{path}", why


def find_view_mistakes(view: Any, surface: Surface) -> list[str]:
    """Return what Slack would say is wrong with a modal or Home view."""
    if not isinstance(view, dict) or view.get("type") not in {"modal", "home"}:
        return ["unsupported type [json-pointer:/view/type]"]
    mistakes = [
        message.replace("pointer:/", "pointer:/view/") for message in find_mistakes(view.get("blocks"), surface)
    ]
    if view["type"] == "modal":
        pieces = [
            *_check_text(view.get("title"), "/title", 24, plain=True),
            *(each for key in ("submit", "close") if key in view for each in _check_text(view[key], f"/{key}", 24)),
        ]
        mistakes += [f"{why} [json-pointer:/view{path}]" for path, why in pieces]
        if "submit" not in view and any(block.get("type") == "input" for block in view.get("blocks") or []):
            mistakes.append("missing required field: submit [json-pointer:/view]")
    for key, most in (("private_metadata", 3000), ("callback_id", _ID), ("external_id", _ID)):
        mistakes += [f"{why} [json-pointer:/view{path}]" for path, why in _check_length(view.get(key), f"/{key}", most)]
    return mistakes


def fill_ids(blocks: list[Json], make_id: Callable[[str], str]) -> list[Json]:
    """Return a copy of *blocks* in which every block has its block_id and every element its action_id."""
    filled = copy.deepcopy(blocks)
    for block in filled:
        if not block.get("block_id"):
            block["block_id"] = make_id("b")
        for element in iterate_elements(block):
            if element.get("type") in _ELEMENTS - {"image"} and not element.get("action_id"):
                element["action_id"] = make_id("a")
    return filled


def iterate_elements(block: Json) -> Iterator[Json]:
    """Yield the elements of *block* that a person can use."""
    if block.get("type") == "rich_text":
        return
    yield from (element for element in block.get("elements") or [] if isinstance(element, dict))
    for key in ("accessory", "element"):
        if isinstance(block.get(key), dict):
            yield block[key]


def find_element(blocks: list[Json], action_id: str, block_id: str | None = None) -> tuple[Json, Json] | None:
    """Return the block and the element with this action_id."""
    for block in blocks:
        if block_id is not None and block.get("block_id") != block_id:
            continue
        for element in iterate_elements(block):
            if element.get("action_id") == action_id:
                return block, element
    return None
