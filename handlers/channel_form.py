"""The form behind `/sms settings`, and behind [Change] on the Home tab: what is sent from the threads of one channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain.actions import Action
from bot.domain.ids import ChannelId, UserId
from bot.domain.policy import ThreadMode
from bot.errors import NotAllowed, RetryLater
from bot.flows.channel_settings import MEANINGS, ChannelMode, ChannelSettings
from bot.observe import Log
from handlers.form_parts import build_outcome, build_trouble, make_plain, open_view

_log = Log("slack.channel_form")

CHANNEL_FORM = "channel_form"
_MODE = "mode"
#: Stands for "as the environment says".
_LIKE_ALL = "like_all"


class ChannelForm:
    """Opens the form, and takes what is submitted."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._settings = settings

    def register(self, bolt: AsyncApp) -> None:
        """Register the listeners of the form."""
        bolt.view(CHANNEL_FORM)(self._submit)
        bolt.action(Action.CHANNEL_SETTINGS.value)(self._open_by_button)

    async def open_by_command(self, body: Mapping[str, Any], client: Any) -> None:
        """Open the form for the channel in which a command was typed. Raises NotAllowed, with how the channel is set."""
        await self._open(ChannelId(body["channel_id"]), UserId(body["user_id"]), body, client)

    async def _open_by_button(self, ack: AsyncAck, body: Mapping[str, Any], client: Any) -> None:
        await ack()
        channel_id = ChannelId(str(body["actions"][0].get("value", "")))
        try:
            await self._open(channel_id, UserId(body["user"]["id"]), body, client)
        except NotAllowed as error:
            _log.info("A form was not opened.", trouble=error.log)

    async def _open(self, channel_id: ChannelId, user_id: UserId, body: Mapping[str, Any], client: Any) -> None:
        found = await self._settings.get_changeable(channel_id, user_id)
        await open_view(client.views_open, body, build_form(found, self._settings.mode_for_all))

    async def _submit(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        view = body["view"]
        chosen = view["state"]["values"][_MODE][_MODE]["selected_option"]["value"]
        mode = None if chosen == _LIKE_ALL else ThreadMode(chosen)
        channel_id = ChannelId(str(view["private_metadata"]))
        try:
            answer = await self._settings.set_mode(channel_id, mode, UserId(body["user"]["id"]), once=view["id"])
        except (NotAllowed, RetryLater) as error:
            await ack(**build_trouble(view, error.person, _MODE))
            return
        await ack(response_action="update", view=build_outcome(answer))


def build_form(found: ChannelMode, for_all: ThreadMode) -> dict[str, Any]:
    """Return the form for a channel that is set as *found*; *for_all* is what the environment says."""
    options = [
        _option(_LIKE_ALL, f"As everywhere ({for_all.value})", "Follow the setting THREAD_MODE"),
        *(_option(mode.value, mode.value, _explain(mode)) for mode in ThreadMode),
    ]
    initial = next(option for option in options if option["value"] == (found.own or _LIKE_ALL))
    return {
        "type": "modal",
        "callback_id": CHANNEL_FORM,
        "title": make_plain("Channel settings"),
        "submit": make_plain("Save"),
        "close": make_plain("Cancel"),
        "private_metadata": found.channel_id,
        "blocks": [
            {
                "type": "section",
                "text": {
                    "type": "mrkdwn",
                    "text": f"Settings of <#{found.channel_id}>, for everybody in it. The channel is told when they change.",
                },
            },
            {
                "type": "input",
                "block_id": _MODE,
                "label": make_plain("What is sent from a customer's thread"),
                "hint": make_plain("A note is never sent, however this is set."),
                "element": {
                    "type": "radio_buttons",
                    "action_id": _MODE,
                    "options": options,
                    "initial_option": initial,
                },
            },
        ],
    }


def _explain(mode: ThreadMode) -> str:
    meaning = MEANINGS[mode].replace("`", "")
    return meaning[0].upper() + meaning[1:]


def _option(value: str, label: str, description: str) -> dict[str, Any]:
    return {"value": value, "text": make_plain(label), "description": make_plain(description)}
