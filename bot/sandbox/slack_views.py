"""Modals and the Home tab of the simulated Slack: the views.* methods, and what a submission's answer does."""

from __future__ import annotations

import copy
import json
from typing import Any

from bot.sandbox.slack_api import Call, Method, Methods
from bot.sandbox.slack_blocks import VIEW_BLOCKS, Surface, fill_ids, find_view_mistakes
from bot.sandbox.slack_text import Json
from bot.sandbox.slack_workspace import ApiError, Workspace, find_view

_STACK = 3  #: Modals over one another at most.
_BYTES = 250_000  #: Of one view at most.


def _read_view(call: Call) -> Json:
    view = call.find_json("view", "invalid_arguments")
    return check_view(view)


def check_view(view: Any) -> Json:
    """Return *view* if Slack would take it; raises ApiError invalid_arguments, view_too_large."""
    mistakes = find_view_mistakes(view, Surface(most=VIEW_BLOCKS, is_view=True))
    if mistakes:
        messages = [f"[ERROR] {mistake}" for mistake in mistakes]
        raise ApiError("invalid_arguments", response_metadata={"messages": messages})
    if len(json.dumps(view)) > _BYTES:
        raise ApiError("view_too_large")
    checked: Json = view
    return checked


def _render_view(workspace: Workspace, view: Json, **ids: Any) -> Json:
    shown: Json = {
        "id": workspace.make_id("V"),
        "team_id": workspace.team_id,
        "type": view["type"],
        "blocks": fill_ids(view["blocks"], workspace.make_id),
        "private_metadata": view.get("private_metadata", ""),
        "callback_id": view.get("callback_id", ""),
        "external_id": view.get("external_id", ""),
        "state": {"values": {}},
        "hash": f"{workspace.epoch()}.{workspace.make_id('')}",
        "title": copy.deepcopy(view.get("title", {"type": "plain_text", "text": "View Title", "emoji": True})),
        "clear_on_close": bool(view.get("clear_on_close")),
        "notify_on_close": bool(view.get("notify_on_close")),
        "close": copy.deepcopy(view.get("close")),
        "submit": copy.deepcopy(view.get("submit")),
        "submit_disabled": bool(view.get("submit_disabled")),
        "previous_view_id": None,
        "app_id": workspace.app_id,
        "app_installed_team_id": workspace.team_id,
        "bot_id": workspace.bot_id,
    }
    shown["root_view_id"] = shown["id"]
    return shown | ids


def _take_trigger(workspace: Workspace, call: Call) -> str:
    """Use up a trigger and return whose it is; raises ApiError."""
    trigger = workspace.triggers.get(call.get_text("trigger_id"))
    if trigger is None:
        raise ApiError("invalid_trigger_id")
    if trigger.used:
        raise ApiError("exchanged_trigger_id")
    if workspace.clock.now() > trigger.expires_at:
        raise ApiError("expired_trigger_id")
    trigger.used = True
    return trigger.user


def _refuse_known_external_id(workspace: Workspace, view: Json) -> None:
    wanted = view.get("external_id")
    if wanted and any(open_["external_id"] == wanted for stack in workspace.views.values() for open_ in stack):
        raise ApiError("duplicate_external_id")


def open_view(workspace: Workspace, call: Call) -> Json:
    """Answer views.open."""
    view = _read_view(call)
    _refuse_known_external_id(workspace, view)
    user = _take_trigger(workspace, call)
    shown = _render_view(workspace, view)
    workspace.views[user] = [shown]
    _tell_page(workspace, user)
    return {"view": copy.deepcopy(shown)}


def push_view(workspace: Workspace, call: Call) -> Json:
    """Answer views.push."""
    view = _read_view(call)
    _refuse_known_external_id(workspace, view)
    user = _take_trigger(workspace, call)
    return {"view": copy.deepcopy(_push(workspace, user, view))}


def _push(workspace: Workspace, user: str, view: Json) -> Json:
    stack = workspace.views.get(user) or []
    if not stack:
        raise ApiError("not_found")
    if len(stack) >= _STACK:
        raise ApiError("push_limit_reached")
    shown = _render_view(workspace, view, previous_view_id=stack[-1]["id"], root_view_id=stack[0]["root_view_id"])
    stack.append(shown)
    _tell_page(workspace, user)
    return shown


def update_view(workspace: Workspace, call: Call) -> Json:
    """Answer views.update."""
    view = _read_view(call)
    old = find_view(workspace.views.values(), call.find_text("view_id") or "")
    if old is None and (external := call.find_text("external_id")):
        old = next(
            (each for stack in workspace.views.values() for each in stack if each["external_id"] == external), None
        )
    if old is None:
        raise ApiError("not_found")
    return {"view": copy.deepcopy(_replace(workspace, old, view, call.find_text("hash")))}


def _replace(workspace: Workspace, old: Json, view: Json, wanted_hash: str | None = None) -> Json:
    if wanted_hash and wanted_hash != old["hash"]:
        raise ApiError("hash_conflict")
    kept = {key: old[key] for key in ("id", "root_view_id", "previous_view_id")}
    new = _render_view(workspace, view, **kept)
    blocks = {block["block_id"] for block in new["blocks"]}
    new["state"]["values"] = {key: value for key, value in old["state"]["values"].items() if key in blocks}
    old.clear()
    old.update(new)
    user = next(user for user, stack in workspace.views.items() if any(each is old for each in stack))
    _tell_page(workspace, user)
    return old


def publish_view(workspace: Workspace, call: Call) -> Json:
    """Answer views.publish."""
    view = _read_view(call)
    if view["type"] != "home":
        raise ApiError("invalid_arguments")
    user = workspace.get_user(call.get_text("user_id")).id
    old = workspace.homes.get(user)
    wanted_hash = call.find_text("hash")
    if wanted_hash and old is not None and wanted_hash != old["hash"]:
        raise ApiError("hash_conflict")
    kept = {"id": old["id"], "root_view_id": old["id"]} if old is not None else {}
    shown = _render_view(workspace, view, **kept)
    workspace.homes[user] = shown
    workspace.notify("home", {"user": user, "view": copy.deepcopy(shown)})
    return {"view": copy.deepcopy(shown)}


def apply_submission(workspace: Workspace, user: str, view: Json, body: Any) -> dict[str, str]:
    """
    Do to *user*'s stack what the answer to a submission says; returns the errors that the form then shows.

    An empty answer closes the view on top; `response_action` may be errors, update, push or clear. Raises ApiError
    when what the app sent is no view.
    """
    stack = workspace.views.get(user, [])
    action = body.get("response_action") if isinstance(body, dict) else None
    if action == "errors":
        known = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
        errors = {str(key): str(why) for key, why in body.get("errors", {}).items()}
        if not errors or set(errors) - known:
            raise ApiError("invalid_errors")
        return errors
    if action == "update":
        _replace(workspace, view, check_view(body.get("view")))
    elif action == "push":
        _push(workspace, user, check_view(body.get("view")))
    elif action == "clear":
        close_stack(workspace, user)
    elif stack and stack[-1] is view:
        stack.pop()
        _tell_page(workspace, user)
    return {}


def close_stack(workspace: Workspace, user: str) -> None:
    """Close every modal that *user* has open."""
    workspace.views[user] = []
    _tell_page(workspace, user)


def close_top(workspace: Workspace, user: str) -> None:
    """Close the topmost modal of *user*."""
    if workspace.views.get(user):
        workspace.views[user].pop()
    _tell_page(workspace, user)


def _tell_page(workspace: Workspace, user: str) -> None:
    workspace.notify("views", {"user": user, "views": copy.deepcopy(workspace.views.get(user, []))})


METHODS: Methods = {
    "views.open": Method(run=open_view),
    "views.push": Method(run=push_view),
    "views.update": Method(run=update_view),
    "views.publish": Method(run=publish_view),
}
