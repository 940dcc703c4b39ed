"""The chat.* and reactions.* methods of the simulated Web API."""

from __future__ import annotations

import re
from typing import Any

from bot.sandbox.slack_api import Call, Method, Methods
from bot.sandbox.slack_blocks import Surface, fill_ids, find_mistakes
from bot.sandbox.slack_messages import (
    add_reaction,
    change_message,
    delete_message,
    find_root,
    place_ephemeral,
    place_message,
    remove_reaction,
)
from bot.sandbox.slack_render import TOMBSTONE, render_message
from bot.sandbox.slack_text import Json
from bot.sandbox.slack_workspace import ApiError, Channel, Ephemeral, FileState, Message, Workspace

#: Longer texts are cut by chat.postMessage and refused by chat.update (docs.slack.dev/reference/methods).
MOST_CHARACTERS = 40_000
MOST_CHARACTERS_UPDATED = 4_000
_TS = re.compile(r"^\d+\.\d{6}$")
_REACTION_NAME = re.compile(r"^[a-z0-9_+'-]+(?:::skin-tone-[2-6])?$")


def get_postable_channel(workspace: Workspace, name: str) -> Channel:
    """Return a channel in which the bot may write; raises ApiError."""
    channel = workspace.get_channel(name)
    if channel.archived:
        raise ApiError("is_archived")
    if workspace.bot_user not in channel.members and "chat:write.public" not in workspace.scopes:
        raise ApiError("not_in_channel")
    return channel


def read_blocks(workspace: Workspace, call: Call) -> list[Json] | None:
    """Return the blocks of *call* with their ids; None when it names none; raises ApiError invalid_blocks."""
    blocks = call.find_json("blocks", "invalid_blocks_format")
    if blocks is None:
        return None
    mistakes = find_mistakes(blocks, Surface(allows_file=lambda file: _is_showable(workspace, file)))
    if mistakes:
        raise ApiError(
            "invalid_blocks",
            errors=mistakes,
            response_metadata={"messages": [f"[ERROR] {mistake}" for mistake in mistakes]},
        )
    return fill_ids(blocks, workspace.make_id)


def _is_showable(workspace: Workspace, file: Json) -> bool:
    if ("id" in file) == ("url" in file):
        return False
    for stored in workspace.files.values():
        address = f"{workspace.base_url}/files-pri/{workspace.team_id}-{stored.id}/"
        if stored.id == file.get("id") or str(file.get("url", "")).startswith(address):
            ready = stored.state is FileState.COMPLETE and stored.processed
            return ready and stored.mimetype in {"image/png", "image/jpeg", "image/gif"}
    return False


def _read_metadata(call: Call) -> Json | None:
    metadata = call.find_json("metadata", "invalid_metadata_format")
    if not metadata:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise ApiError("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload", {}), dict):
        raise ApiError("invalid_metadata_schema")
    return {"event_type": metadata["event_type"], "event_payload": metadata.get("event_payload", {})}


def _read_attachments(call: Call) -> list[Json] | None:
    attachments = call.find_json("attachments", "invalid_attachments")
    if attachments is not None and not isinstance(attachments, list):
        raise ApiError("invalid_attachments")
    return attachments


def _read_thread_ts(call: Call) -> str | None:
    thread_ts = call.find_text("thread_ts")
    if thread_ts and not _TS.match(thread_ts):
        raise ApiError("invalid_thread_ts")
    return thread_ts or None


def post_message(workspace: Workspace, call: Call) -> Json:
    """Answer chat.postMessage."""
    channel = get_postable_channel(workspace, call.get_text("channel"))
    text = call.find_text("text") or call.find_text("markdown_text") or ""
    blocks = read_blocks(workspace, call) or []
    attachments = _read_attachments(call) or []
    if not text and not blocks and not attachments:
        raise ApiError("no_text")
    thread_ts = _read_thread_ts(call)
    root = find_root(workspace, channel, thread_ts, by_app=True) if thread_ts else None
    username = call.find_text("username")
    icons = _read_icons(call)
    custom = bool(username or icons)
    if custom and "chat:write.customize" not in workspace.scopes:
        raise ApiError("missing_scope", needed="chat:write.customize", provided=",".join(sorted(workspace.scopes)))
    broadcast = root is not None and call.is_set("reply_broadcast")
    message = Message(
        ts=workspace.make_ts(),
        text=text[:MOST_CHARACTERS],
        user=None if custom else workspace.bot_user,
        subtype="bot_message" if custom else "thread_broadcast" if broadcast else None,
        thread_ts=root.ts if root else None,
        blocks=blocks,
        attachments=attachments,
        bot_id=workspace.bot_id,
        app_id=workspace.app_id,
        username=username,
        icons=icons,
        metadata=_read_metadata(call),
    )
    place_message(workspace, channel, message)
    body: Json = {"channel": channel.id, "ts": message.ts, "message": render_message(workspace, channel, message)}
    if len(text) > MOST_CHARACTERS:
        body |= {"warning": "message_truncated", "response_metadata": {"warnings": ["message_truncated"]}}
    return body


def _read_icons(call: Call) -> Json | None:
    icons: Json = {}
    if emoji := call.find_text("icon_emoji"):
        icons["emoji"] = emoji
    if url := call.find_text("icon_url"):
        icons["image_48"] = url
    return icons or None


def _get_own_message(workspace: Workspace, call: Call, refusal: str) -> tuple[Channel, Message]:
    channel = workspace.get_channel(call.get_text("channel"))
    message = channel.messages.get(call.get_text("ts"))
    if message is None or message.subtype == TOMBSTONE:
        raise ApiError("message_not_found")
    if message.bot_id != workspace.bot_id:
        raise ApiError(refusal)
    return channel, message


def update_message(workspace: Workspace, call: Call) -> Json:
    """Answer chat.update: a text without blocks takes the blocks away, blocks without a text leave the text."""
    channel, message = _get_own_message(workspace, call, "cant_update_message")
    if channel.archived:
        raise ApiError("is_archived")
    text = call.find_text("text")
    blocks = read_blocks(workspace, call)
    attachments = _read_attachments(call)
    if text is None and blocks is None and attachments is None:
        raise ApiError("no_text")
    if text is not None and len(text) > MOST_CHARACTERS_UPDATED:
        raise ApiError("msg_too_long")
    change: Json = {}
    if text is not None:
        change |= {"text": text, "blocks": []}
    if blocks is not None:
        change["blocks"] = blocks
    if attachments is not None:
        change["attachments"] = attachments
    if "metadata" in call.params:
        change["metadata"] = _read_metadata(call)
    if call.is_set("reply_broadcast") and message.thread_ts is not None and message.subtype is None:
        change["subtype"] = "thread_broadcast"
    change_message(workspace, channel, message, change, by=workspace.bot_user)
    shown = render_message(workspace, channel, message)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


def remove_message(workspace: Workspace, call: Call) -> Json:
    """Answer chat.delete."""
    channel, message = _get_own_message(workspace, call, "cant_delete_message")
    delete_message(workspace, channel, message)
    return {"channel": channel.id, "ts": message.ts}


def post_ephemeral(workspace: Workspace, call: Call) -> Json:
    """Answer chat.postEphemeral."""
    channel = get_postable_channel(workspace, call.get_text("channel"))
    user = call.get_text("user")
    if user not in channel.members:
        raise ApiError("user_not_in_channel")
    text = call.find_text("text") or ""
    blocks = read_blocks(workspace, call) or []
    if not text and not blocks and not _read_attachments(call):
        raise ApiError("no_text")
    ephemeral = Ephemeral(
        user=user,
        channel=channel.id,
        ts=workspace.make_ts(),
        text=text,
        blocks=blocks,
        thread_ts=_read_thread_ts(call),
    )
    place_ephemeral(workspace, ephemeral)
    return {"message_ts": ephemeral.ts}


def get_permalink(workspace: Workspace, call: Call) -> Json:
    """Answer chat.getPermalink."""
    channel = workspace.get_channel(call.get_text("channel"))
    message = channel.messages.get(call.get_text("message_ts"))
    if message is None:
        raise ApiError("message_not_found")
    address = f"https://{workspace.team_domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts is not None:
        address += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": address}


def check_reaction_name(workspace: Workspace, name: str) -> str:
    """Return the bare name of an emoji that exists; raises ApiError invalid_name."""
    name = name.strip(":")
    bare = name.partition("::")[0]
    known = workspace.reaction_names is None or bare in workspace.reaction_names or bare in workspace.custom_emoji
    if not _REACTION_NAME.match(name) or not known:
        raise ApiError("invalid_name")
    return name


def _get_reacted(workspace: Workspace, call: Call) -> tuple[Channel, Message]:
    channel = workspace.get_channel(call.get_text("channel"))
    message = channel.messages.get(call.get_text("timestamp"))
    if message is None or message.subtype == TOMBSTONE:
        raise ApiError("message_not_found")
    return channel, message


def _change_reaction(workspace: Workspace, call: Call, change: Any) -> Json:
    name = check_reaction_name(workspace, call.get_text("name"))
    channel, message = _get_reacted(workspace, call)
    if channel.archived:
        raise ApiError("is_archived")
    if workspace.bot_user not in channel.members:
        raise ApiError("not_in_channel")
    change(workspace, channel, message, workspace.bot_user, name)
    return {}


def get_reactions(workspace: Workspace, call: Call) -> Json:
    """Answer reactions.get."""
    channel, message = _get_reacted(workspace, call)
    return {"type": "message", "channel": channel.id, "message": render_message(workspace, channel, message)}


METHODS: Methods = {
    "chat.postMessage": Method(run=post_message, scopes=("chat:write",)),
    "chat.update": Method(run=update_message, scopes=("chat:write",)),
    "chat.delete": Method(run=remove_message, scopes=("chat:write",)),
    "chat.postEphemeral": Method(run=post_ephemeral, scopes=("chat:write",)),
    "chat.getPermalink": Method(run=get_permalink),
    "reactions.add": Method(run=lambda w, c: _change_reaction(w, c, add_reaction), scopes=("reactions:write",)),
    "reactions.remove": Method(run=lambda w, c: _change_reaction(w, c, remove_reaction), scopes=("reactions:write",)),
    "reactions.get": Method(run=get_reactions, scopes=("reactions:read",)),
}
