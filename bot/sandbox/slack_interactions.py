"""What people set off in the simulated Slack: commands, presses, forms, shortcuts; and the app's later answers."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.slack_api import read_params
from bot.sandbox.slack_blocks import Surface, fill_ids, find_element, find_mistakes
from bot.sandbox.slack_events import Answer, Courier
from bot.sandbox.slack_fields import build_action, build_field, find_missing, read_values
from bot.sandbox.slack_messages import (
    change_message,
    delete_message,
    place_ephemeral,
    place_message,
    remove_ephemeral,
    replace_ephemeral,
)
from bot.sandbox.slack_render import render_message
from bot.sandbox.slack_text import Json
from bot.sandbox.slack_views import apply_submission, close_stack, close_top
from bot.sandbox.slack_workspace import (
    ApiError,
    Channel,
    Ephemeral,
    Message,
    NotPossibleError,
    ResponseUrl,
    Workspace,
    find_view,
)

_TOKEN = "sandbox-verification-token"  # noqa: S105 - Slack's obsolete field; nothing may rely on it


class Interactions:
    """The part of the simulator that sends what people set off, each once and with three seconds to answer."""

    workspace: Workspace
    courier: Courier

    # ------------------------------------------------------------------------------------------------- the payloads

    def _describe_user(self, user: str) -> Json:
        known = self.workspace.users[user]
        return {"id": user, "username": known.name, "name": known.name, "team_id": known.team_id}

    def _start_payload(self, kind: str, user: str) -> Json:
        workspace = self.workspace
        return {
            "type": kind,
            "team": {"id": workspace.team_id, "domain": workspace.team_domain},
            "enterprise": None,
            "is_enterprise_install": False,
            "user": self._describe_user(user),
            "api_app_id": workspace.app_id,
            "token": _TOKEN,
        }

    async def _send_payload(self, payload: Json, *, user: str, what: str, apology: str) -> Answer:
        answer = await self.courier.send_form({"payload": json.dumps(payload)}, operation=what)
        return self._show_failure(answer, user, apology)

    def _show_failure(self, answer: Answer, user: str, apology: str) -> Answer:
        if answer.ok:
            return answer
        self.workspace.shown_errors.setdefault(user, []).append(apology)
        self.workspace.notify("error", {"user": user, "text": apology})
        return Answer(status=answer.status, body=answer.body, reason=answer.reason, shown=apology)

    def _get_visible_channel(self, user: str, channel: str) -> Channel:
        found = self.workspace.channels[channel]
        if user not in found.members:
            raise NotPossibleError(f"{user} is not in {channel}; let them join first")
        return found

    # ----------------------------------------------------------------------------------------------------- commands

    async def command(self, user: str, channel: str, command: str, text: str = "") -> Answer:
        """
        Type a slash command in the message field of *channel* and return what the app said.

        Slack takes none in a thread. What the app answers is shown; an answer other than 2xx, or none in three
        seconds, shows the person Slack's own error.
        """
        workspace = self.workspace
        place = self._get_visible_channel(user, channel)
        fields = {
            "token": _TOKEN,
            "team_id": workspace.team_id,
            "team_domain": workspace.team_domain,
            "channel_id": channel,
            "channel_name": "directmessage" if place.im_user else "privategroup" if place.private else place.name,
            "user_id": user,
            "user_name": workspace.users[user].name,
            "command": command,
            "text": text,
            "api_app_id": workspace.app_id,
            "is_enterprise_install": "false",
            "response_url": workspace.make_response_url(user, channel),
            "trigger_id": workspace.make_trigger(user),
        }
        answer = await self.courier.send_form(fields, operation=command, detail=text[:80])
        why = "operation_timeout" if answer.reason == "http_timeout" else "dispatch_failed"
        answer = self._show_failure(answer, user, f'{command} failed with the error "{why}"')
        if answer.ok and answer.body:
            said = answer.body if isinstance(answer.body, dict) else {"text": str(answer.body)}
            if said.get("text") or said.get("blocks"):
                self._show_response(user, place, said, thread_ts=None)
        return answer

    # ---------------------------------------------------------------------------------------------- buttons, selects

    async def click(
        self, user: str, channel: str, ts: str, action_id: str, *, block_id: str | None = None, value: Any = None
    ) -> Answer:
        """
        Use one element of a message, or of an ephemeral that *user* sees, and return what the app said.

        *value* is for selects: an option's value, a user id, a date; see `slack_fields.build_field`.
        """
        place = self._get_visible_channel(user, channel)
        ephemeral = self._find_ephemeral(user, ts)
        message = place.messages.get(ts)
        if ephemeral is None and message is None:
            raise NotPossibleError(f"{user} sees no message {ts} in {channel}")
        blocks = ephemeral.blocks if ephemeral else message.blocks if message else []
        thread_ts = ephemeral.thread_ts if ephemeral else message.thread_ts if message else None
        block, element = self._get_element(blocks, action_id, block_id)
        container: Json = {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": bool(ephemeral)}
        if thread_ts:
            container["thread_ts"] = thread_ts
        payload = self._start_payload("block_actions", user) | {
            "container": container,
            "trigger_id": self.workspace.make_trigger(user),
            "channel": {"id": channel, "name": place.name},
            "state": {"values": {}},
            "response_url": self.workspace.make_response_url(user, channel, message_ts=ts, thread_ts=thread_ts),
            "actions": [build_action(block, element, value, self.workspace.make_ts())],
        }
        if message is not None:  # what only one person sees is not in the payload
            payload["message"] = render_message(self.workspace, place, message)
        return await self._send_payload(
            payload, user=user, what=f"block_actions {action_id}", apology="This app didn't respond."
        )

    async def click_in_view(
        self, user: str, view_id: str, action_id: str, *, block_id: str | None = None, value: Any = None
    ) -> Answer:
        """Use one element of a modal or of the Home tab and return what the app said."""
        view = self._get_view(user, view_id)
        block, element = self._get_element(view["blocks"], action_id, block_id)
        if element["type"] != "button":
            states = view["state"]["values"].setdefault(block["block_id"], {})
            states[action_id] = build_field(element, value)
        payload = self._start_payload("block_actions", user) | {
            "container": {"type": "view", "view_id": view_id},
            "trigger_id": self.workspace.make_trigger(user),
            "view": copy.deepcopy(view),
            "actions": [build_action(block, element, value, self.workspace.make_ts())],
        }
        return await self._send_payload(
            payload, user=user, what=f"block_actions {action_id}", apology="We had some trouble connecting. Try again?"
        )

    def _find_ephemeral(self, user: str, ts: str) -> Ephemeral | None:
        return next((each for each in self.workspace.ephemerals if each.user == user and each.ts == ts), None)

    @staticmethod
    def _get_element(blocks: list[Json], action_id: str, block_id: str | None) -> tuple[Json, Json]:
        found = find_element(blocks, action_id, block_id)
        if found is None:
            raise NotPossibleError(f"there is no element {action_id!r} to use")
        return found

    def _get_view(self, user: str, view_id: str) -> Json:
        home = self.workspace.homes.get(user)
        if home is not None and home["id"] == view_id:
            return home
        view = find_view([self.workspace.views.get(user, [])], view_id)
        if view is None:
            raise NotPossibleError(f"{user} has no view {view_id} open")
        return view

    # ------------------------------------------------------------------------------------------------------- modals

    async def submit_view(self, user: str, view_id: str, values: Mapping[str, Any] | None = None) -> Answer:
        """
        Fill in and submit the modal *view_id*; `errors` of what is returned says which blocks are wrong.

        *values* is by block_id; see `slack_fields.read_values`. What Slack's client itself would not let pass (a
        required field left empty) is not sent: then `status` is None.
        """
        view = self._get_view(user, view_id)
        state = read_values(view["blocks"], view["state"]["values"], values or {})
        view["state"]["values"] = state
        missing = find_missing(view["blocks"], state)
        if missing:
            return Answer(status=None, reason="incomplete", errors=missing)
        payload = self._start_payload("view_submission", user) | {
            "trigger_id": self.workspace.make_trigger(user),
            "view": copy.deepcopy(view),
            "response_urls": [],
        }
        apology = "We had some trouble connecting. Try again?"
        answer = await self._send_payload(payload, user=user, what="view_submission", apology=apology)
        if not answer.ok:
            return answer
        try:
            errors = apply_submission(self.workspace, user, view, answer.body)
        except ApiError as error:
            self.workspace.shown_errors.setdefault(user, []).append(apology)
            return Answer(status=answer.status, body=answer.body, reason=error.code, shown=apology)
        return Answer(status=answer.status, body=answer.body, errors=errors)

    async def close_view(self, user: str, *, clear: bool = False) -> Answer | None:
        """Close *user*'s topmost modal, or with *clear* all; returns the app's answer where it asked to be told."""
        stack = self.workspace.views.get(user) or []
        if not stack:
            raise NotPossibleError(f"{user} has no modal open")
        view = stack[-1]
        everything = clear or bool(view["clear_on_close"])
        if everything:
            close_stack(self.workspace, user)
        else:
            close_top(self.workspace, user)
        if not view["notify_on_close"]:
            return None
        payload = self._start_payload("view_closed", user) | {"view": copy.deepcopy(view), "is_cleared": everything}
        return await self.courier.send_form({"payload": json.dumps(payload)}, operation="view_closed")

    # ---------------------------------------------------------------------------------------------------- shortcuts

    async def shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> Answer:
        """Choose a message shortcut from the menu of the message *ts*."""
        place = self._get_visible_channel(user, channel)
        thread_ts = place.messages[ts].thread_ts
        payload = self._start_payload("message_action", user) | {
            "callback_id": callback_id,
            "action_ts": self.workspace.make_ts(),
            "trigger_id": self.workspace.make_trigger(user),
            "response_url": self.workspace.make_response_url(user, channel, message_ts=ts, thread_ts=thread_ts),
            "message_ts": ts,
            "channel": {"id": channel, "name": place.name},
            "message": render_message(self.workspace, place, place.messages[ts]),
        }
        return await self._send_payload(
            payload, user=user, what=f"message_action {callback_id}", apology="This app didn't respond."
        )

    async def global_shortcut(self, user: str, callback_id: str) -> Answer:
        """Choose a shortcut from the lightning menu or the search field."""
        payload = self._start_payload("shortcut", user) | {
            "callback_id": callback_id,
            "action_ts": self.workspace.make_ts(),
            "trigger_id": self.workspace.make_trigger(user),
        }
        return await self._send_payload(
            payload, user=user, what=f"shortcut {callback_id}", apology="This app didn't respond."
        )

    async def options(self, user: str, view_id: str, action_id: str, value: str) -> Answer:
        """Type *value* into an external_select of a view; the body returned has the app's `options`."""
        view = self._get_view(user, view_id)
        block, element = self._get_element(view["blocks"], action_id, None)
        if len(value) < element.get("min_query_length", 3):
            return Answer(status=None, reason="too_short")
        payload = self._start_payload("block_suggestion", user) | {
            "container": {"type": "view", "view_id": view_id},
            "action_id": action_id,
            "block_id": block["block_id"],
            "value": value,
            "view": copy.deepcopy(view),
        }
        return await self._send_payload(payload, user=user, what=f"block_suggestion {action_id}", apology="No result")

    # ------------------------------------------------------------------------------------------------- response_url

    async def answer_response_url(self, request: web.Request) -> web.Response:
        """Take what the app sends to a response_url: at most five times within thirty minutes."""
        grant = self.workspace.response_urls.get(request.match_info["token"])
        if grant is None or request.method != "POST":
            return web.json_response({"ok": False, "error": "invalid_url"}, status=404)
        if self.workspace.clock.now() > grant.expires_at:
            return web.json_response({"ok": False, "error": "expired_url"}, status=404)
        if grant.uses_left <= 0:
            return web.json_response({"ok": False, "error": "used_url"}, status=404)
        try:
            said = await read_params(request)
            self._check_response(said)
        except ApiError as error:
            return web.Response(status=400, text=error.code)
        grant.uses_left -= 1
        self._follow_response(grant, said)
        return web.Response(text="ok")

    @staticmethod
    def _check_response(said: Json) -> None:
        if said.get("delete_original"):
            return
        if not said.get("text") and not said.get("blocks"):
            raise ApiError("no_text")
        if said.get("blocks") and find_mistakes(said["blocks"], Surface()):
            raise ApiError("invalid_blocks")

    def _follow_response(self, grant: ResponseUrl, said: Json) -> None:
        workspace = self.workspace
        channel = workspace.channels[grant.channel]
        ephemeral = self._find_ephemeral(grant.user, grant.message_ts or "")
        message = channel.messages.get(grant.message_ts or "")
        own = message is not None and message.bot_id == workspace.bot_id
        text, blocks = str(said.get("text") or ""), fill_ids(said.get("blocks") or [], workspace.make_id)
        if _is_true(said.get("delete_original")):
            if ephemeral is not None:
                remove_ephemeral(workspace, ephemeral)
            elif message is not None and own:
                delete_message(workspace, channel, message)
        elif _is_true(said.get("replace_original")) and ephemeral is not None:
            replace_ephemeral(workspace, ephemeral, text=text, blocks=blocks)
        elif _is_true(said.get("replace_original")) and message is not None and own:
            change_message(workspace, channel, message, {"text": text, "blocks": blocks}, by=workspace.bot_user)
        else:
            self._show_response(grant.user, channel, said, thread_ts=said.get("thread_ts"))

    def _show_response(self, user: str, channel: Channel, said: Json, *, thread_ts: str | None) -> None:
        workspace = self.workspace
        text, blocks = str(said.get("text") or ""), fill_ids(said.get("blocks") or [], workspace.make_id)
        if said.get("response_type") == "in_channel":
            root = channel.messages.get(thread_ts or "")
            message = Message(
                ts=workspace.make_ts(), text=text, blocks=blocks, user=workspace.bot_user, bot_id=workspace.bot_id,
                app_id=workspace.app_id, thread_ts=root.ts if root else None,
            )  # fmt: skip
            place_message(workspace, channel, message)
            return
        place_ephemeral(
            workspace,
            Ephemeral(
                user=user, channel=channel.id, ts=workspace.make_ts(), text=text, blocks=blocks, thread_ts=thread_ts
            ),
        )


def _is_true(value: Any) -> bool:
    return str(value).lower() in {"1", "true"}
