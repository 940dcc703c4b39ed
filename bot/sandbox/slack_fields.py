"""What a person chose or wrote in one element of Block Kit, in the shape in which Slack reports it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from bot.sandbox.slack_blocks import iterate_elements
from bot.sandbox.slack_text import Json

#: Under which key an element's state stands, and under which its block says how it begins.
_KEYS = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "file_input": ("files", ""),
    "checkboxes": ("selected_options", "initial_options"),
    "radio_buttons": ("selected_option", "initial_option"),
    "overflow": ("selected_option", ""),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
}


def build_field(element: Json, value: Any) -> Json:
    """
    Return the state of *element* when a person set it to *value*.

    Options are named by their `value`; for an element whose options the app loads, the option itself is given.
    Raises ValueError for an option that is not there.
    """
    kind = element["type"]
    if kind not in _KEYS:
        return {"type": kind}
    key = _KEYS[kind][0]
    if key == "selected_option" and isinstance(value, str):
        value = _find_option(element, value)
    elif key == "selected_options" and value is not None:
        value = [_find_option(element, each) if isinstance(each, str) else each for each in value]
    return {"type": kind, key: value}


def _find_option(element: Json, value: str) -> Json:
    groups = [group["options"] for group in element.get("option_groups") or []]
    for options in [element.get("options") or [], *groups]:
        for option in options:
            if option.get("value") == value:
                return copy.deepcopy(dict(option))
    raise ValueError(f"{element.get('action_id')} has no option {value!r}")


def build_action(block: Json, element: Json, value: Any, action_ts: str) -> Json:
    """Return the action that a payload reports when somebody used *element*."""
    action: Json = {"action_id": element["action_id"], "block_id": block["block_id"], "action_ts": action_ts}
    if element["type"] != "button":
        return action | build_field(element, value)
    kept = {key: copy.deepcopy(element[key]) for key in ("text", "value", "style", "url") if key in element}
    return action | {"type": "button"} | kept


def read_values(blocks: list[Json], before: Json, given: Mapping[str, Any]) -> Json:
    """
    Return `state.values` of a form: how it began, what was set *before*, what is *given* now.

    *given* is by block_id: the value itself, or {action_id: value}; a value that already is a state is taken as it is.
    Raises ValueError for a block that is not there.
    """
    values: Json = {}
    unknown = set(given)
    for block in blocks:
        fields = [element for element in iterate_elements(block) if element.get("type") in _KEYS]
        for element in fields:
            block_id, action_id = block["block_id"], element["action_id"]
            state = before.get(block_id, {}).get(action_id) or _build_start(element)
            if block_id in given:
                unknown.discard(block_id)
                chosen = given[block_id]
                if isinstance(chosen, Mapping) and action_id in chosen:
                    chosen = chosen[action_id]
                is_state = isinstance(chosen, Mapping) and chosen.get("type") == element["type"]
                state = dict(chosen) if is_state else build_field(element, chosen)
            values.setdefault(block_id, {})[action_id] = state
    if unknown:
        raise ValueError(f"the form has no block {', '.join(sorted(unknown))}")
    return values


def _build_start(element: Json) -> Json:
    key, first = _KEYS[element["type"]]
    empty: Any = [] if key.endswith("s") else None
    return {"type": element["type"], key: copy.deepcopy(element.get(first, empty))}


def find_missing(blocks: list[Json], values: Json) -> dict[str, str]:
    """Return the input blocks that Slack's client would not let a person leave as they are."""
    missing: dict[str, str] = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        state = values.get(block["block_id"], {}).get(element["action_id"], {})
        content = state.get(_KEYS[element["type"]][0])
        if not content and not block.get("optional"):
            missing[block["block_id"]] = "Please complete this required field."
        elif isinstance(content, str) and len(content) > element.get("max_length", 3000):
            missing[block["block_id"]] = f"Must be at most {element.get('max_length', 3000)} characters."
    return missing
