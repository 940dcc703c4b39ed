"""What the page shows of the simulators, as plain data, section by section."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from bot.sandbox.cast import Cast, Customer
from bot.sandbox.slack_sim import SlackSim
from bot.sandbox.tapbacks import REACTIONS, Reaction, Tapbacks
from bot.sandbox.telnyx_sim import PhoneText, TelnyxSim

Json = dict[str, Any]

#: How many messages of a channel, and texts of a phone, the page is sent at most.
_SHOWN = 400
#: Of a view, what the page draws; the rest, such as what was typed into it so far, would only make it draw anew.
_DRAWN = ("id", "type", "callback_id", "title", "submit", "close", "blocks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seats:
    """Which Slack ids the cast has been given."""

    users: dict[str, str]  #: Teammate's key -> user id.
    channels: dict[str, str]  #: Our number -> channel id.


def render_team(cast: Cast, seats: Seats, slack: SlackSim) -> Json:
    """Return what hardly ever changes: people, channels, commands, numbers."""
    return {
        "name": cast.team_name,
        "bot": {"user_id": slack.bot_user, "name": cast.app_name},
        "users": [
            {"id": seats.users[mate.key], "name": mate.name, "title": mate.title, "guest": mate.guest}
            for mate in cast.team
        ],
        "channels": _render_channels(cast, seats, slack),
        "numbers": [line.number for line in cast.lines],
        "commands": [
            {"command": hint.command, "usage_hint": hint.usage_hint, "description": hint.description}
            for hint in cast.commands
        ],
        "shortcuts": [
            {"type": "message", "name": shortcut.name, "callback_id": shortcut.callback_id}
            for shortcut in cast.shortcuts
        ],
    }


def _render_channels(cast: Cast, seats: Seats, slack: SlackSim) -> list[Json]:
    topics = {seats.channels[line.number]: line.topic for line in cast.lines}
    others = dict(cast.other_channels)
    return [
        {
            "id": channel.id,
            "name": cast.app_name if channel.im_user else channel.name,
            "topic": topics.get(channel.id, others.get(channel.name, "")),
            "archived": channel.archived,
            "im_user": channel.im_user,
        }
        for channel in slack.workspace.channels.values()
    ]


def render_channel(slack: SlackSim, channel_id: str) -> Json:
    """Return the newest messages of a channel, replies included, in the API's own shape."""
    messages = {message["ts"]: message for message in slack.messages(channel_id)}
    for root in list(messages.values()):
        if root.get("reply_count"):
            messages |= {reply["ts"]: reply for reply in slack.thread(channel_id, root["ts"])}
    newest = sorted(messages.values(), key=lambda message: str(message["ts"]))[-_SHOWN:]
    return {"messages": [_render_message(message) for message in newest]}


def _render_message(message: Json) -> Json:
    if "files" in message:
        message["files"] = [{**file, "page_url": f"/attachment/slack/{file['id']}"} for file in message["files"]]
    return message


def render_person(slack: SlackSim, user: str) -> Json:
    """Return what one teammate alone sees: private answers, open forms, the app's home tab."""
    workspace = slack.workspace
    home = workspace.homes.get(user)
    return {
        "ephemerals": [
            {**message, "user": slack.bot_user, "bot_id": workspace.bot_id} for message in slack.ephemerals(user)
        ],
        "views": [_draw_view(view) for view in workspace.views.get(user, [])],
        "home": _draw_view(home) if home else None,
    }


def _draw_view(view: Json) -> Json:
    return {key: view.get(key) for key in _DRAWN}


def render_customers(customers: Iterable[Customer]) -> list[Json]:
    """Return the customers in the order of their phones."""
    return [{"name": customer.name, "number": customer.number} for customer in customers]


def render_phone(telnyx: TelnyxSim, number: str, tapbacks: Tapbacks) -> Json:
    """Return one phone's conversations, the one written to last at the end."""
    conversations: dict[str, list[Json]] = {}
    for place, text in enumerate(telnyx.screen(number)[-_SHOWN:]):
        if tapbacks.is_hidden(number, text.message_id):
            continue
        peer = ",".join(list_members(number, text))
        texts = conversations.pop(peer, [])
        reaction = tapbacks.find(number, text.message_id)
        conversations[peer] = [*texts, _render_text(number, place, text, reaction)]
    return {"conversations": [{"peer": peer, "texts": texts} for peer, texts in conversations.items()]}


def render_reactions() -> list[Json]:
    """Return what a phone offers to react with."""
    return [asdict(reaction) for reaction in REACTIONS]


def list_members(number: str, text: PhoneText) -> list[str]:
    """Return with whom the phone *number* exchanged *text*: our number first, then the other members of a group."""
    ours = text.to if text.to != number else text.from_
    return [ours, *sorted({other for other in text.others if other not in (number, ours)})]


def _render_text(number: str, place: int, text: PhoneText, reaction: Reaction | None) -> Json:
    return {
        "id": f"{text.message_id}-{place}",
        "message_id": text.message_id,
        "at": text.at.isoformat(),
        "mine": text.mine,
        "from": text.from_,
        "text": text.text,
        "subject": text.subject,
        "automatic": text.automatic,
        "reaction": reaction.name if reaction else None,
        "media": [
            {
                "type": media.content_type,
                "name": media.filename,
                "size": len(media.content),
                "url": f"/attachment/phone/{quote(number)}/{text.message_id}/{index}",
            }
            for index, media in enumerate(text.media)
        ],
    }


def write_mentions(text: str, names: dict[str, str]) -> str:
    """Return *text* with `@Name` turned into Slack's token; *names* are user ids by full name, in any case."""
    by_name = {name.lower(): user for name, user in names.items()}
    if not by_name:
        return text
    longest_first = sorted(by_name, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)@({'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
    return pattern.sub(lambda match: f"<@{by_name[match[1].lower()]}>", text)
