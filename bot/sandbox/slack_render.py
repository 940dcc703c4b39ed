"""How the simulated Slack shows what it holds: messages, files, ephemerals and people, as its Web API has them."""

from __future__ import annotations

import copy
from datetime import timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.sandbox.slack_text import Json
from bot.sandbox.slack_workspace import Channel, Ephemeral, Message, StoredFile, User, Workspace

#: Under which name Slack signs the placeholder of a deleted root.
SLACKBOT = "USLACKBOT"
TOMBSTONE = "tombstone"


class Metadata(StrEnum):
    """How much of an app's metadata a reader is shown."""

    FULL = "full"  #: All of it: events, and history with include_all_metadata.
    TYPE = "type"  #: The event_type alone.


def render_message(
    workspace: Workspace, channel: Channel, message: Message, *, metadata: Metadata = Metadata.FULL
) -> Json:
    """Return *message* as `conversations.history` has it."""
    shown: Json = {"type": "message", "ts": message.ts, "text": message.text}
    optional = {
        "subtype": message.subtype,
        "user": message.user,
        "client_msg_id": message.client_msg_id,
        "bot_id": message.bot_id,
        "app_id": message.app_id,
        "username": message.username,
        "icons": message.icons,
        "edited": message.edited,
        "hidden": message.hidden or None,
    }
    shown |= {key: copy.deepcopy(value) for key, value in optional.items() if value is not None}
    shown |= copy.deepcopy(message.more)
    if message.user in workspace.users:
        author = workspace.users[message.user]
        shown["team"] = author.team_id
        if author.stranger:
            shown |= {"user_team": author.team_id, "source_team": author.team_id}
    if message.bot_id == workspace.bot_id and message.user:
        shown["bot_profile"] = _render_bot_profile(workspace)
    if message.blocks:
        shown["blocks"] = copy.deepcopy(message.blocks)
    if message.attachments:
        shown["attachments"] = copy.deepcopy(message.attachments)
    if message.metadata is not None:
        full = metadata is Metadata.FULL
        shown["metadata"] = copy.deepcopy(message.metadata if full else {"event_type": message.metadata["event_type"]})
    if message.files:
        shown["files"] = [render_file(workspace, workspace.files[file_id]) for file_id in message.files]
        shown |= {"upload": True, "display_as_bot": False}
    shown |= _render_thread(channel, message)
    if message.reactions:
        shown["reactions"] = [
            {"name": name, "users": list(users), "count": len(users)} for name, users in message.reactions.items()
        ]
    return shown


def _render_thread(channel: Channel, message: Message) -> Json:
    if message.thread_ts is not None:
        root = channel.messages.get(message.thread_ts)
        shown: Json = {"thread_ts": message.thread_ts}
        if root is not None and root.user is not None:
            shown["parent_user_id"] = root.user
        return shown
    replies = channel.replies(message.ts)
    if not replies:
        return {}
    users = list(dict.fromkeys(reply.user or reply.bot_id or "" for reply in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users_count": len(users),
        "latest_reply": replies[-1].ts,
        "reply_users": users,
        "is_locked": False,
        "subscribed": message.user == SLACKBOT,
    }


def _render_bot_profile(workspace: Workspace) -> Json:
    return {
        "id": workspace.bot_id,
        "deleted": False,
        "name": workspace.users[workspace.bot_user].real_name,
        "updated": 0,
        "app_id": workspace.app_id,
        "icons": {},
        "team_id": workspace.team_id,
    }


def render_file(workspace: Workspace, file: StoredFile) -> Json:
    """Return *file* as `files.info` and messages have it."""
    if file.mode != "hosted":
        return {"id": file.id, "mode": file.mode}
    if file.stub:
        return {"id": file.id, "created": file.created, "timestamp": file.created, "mode": "file_access",
                "file_access": "check_file_info"}  # fmt: skip
    return render_whole_file(workspace, file)


def render_whole_file(workspace: Workspace, file: StoredFile) -> Json:
    """Return all that `files.info` tells of *file*."""
    address = f"{workspace.base_url}/files-pri/{workspace.team_id}-{file.id}"
    mimetype = file.mimetype if file.processed else ""
    shown: Json = {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": mimetype,
        "filetype": file.name.rpartition(".")[2].lower() if file.processed and "." in file.name else "",
        "pretty_type": mimetype.partition("/")[2].upper(),
        "user": file.user,
        "user_team": workspace.team_id,
        "editable": False,
        "size": len(file.content),
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": any(not workspace.channels[channel].private for channel in file.shares),
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": f"{address}/{file.name}",
        "url_private_download": f"{address}/download/{file.name}",
        "permalink": f"https://{workspace.team_domain}.slack.com/files/{file.user}/{file.id}/{file.name}",
        "has_rich_preview": False,
        "file_access": "visible",
    }
    if file.alt_txt:
        shown["alt_txt"] = file.alt_txt
    # All of these are there, empty, for a file that is shown nowhere as well (slackapi/python-slack-sdk#1575).
    shown |= {"channels": [], "groups": [], "ims": [], "shares": {}}
    for channel_id, shares in file.shares.items():
        side = "private" if workspace.channels[channel_id].private else "public"
        shown["groups" if side == "private" else "channels"].append(channel_id)
        shown["shares"].setdefault(side, {})[channel_id] = copy.deepcopy(shares)
    return shown


def render_ephemeral(ephemeral: Ephemeral) -> Json:
    """Return an ephemeral as plain data."""
    shown: Json = {
        "user": ephemeral.user,
        "channel": ephemeral.channel,
        "ts": ephemeral.ts,
        "text": ephemeral.text,
        "blocks": copy.deepcopy(ephemeral.blocks),
    }
    if ephemeral.thread_ts:
        shown["thread_ts"] = ephemeral.thread_ts
    return shown


def render_user(workspace: Workspace, user: User) -> Json:
    """Return *user* as `users.info` has them."""
    local = workspace.clock.now().astimezone(ZoneInfo(user.tz))
    shown: Json = {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": user.deleted,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 0,
        "profile": {
            "real_name": user.real_name,
            "display_name": user.name,
            "real_name_normalized": user.real_name,
            "display_name_normalized": user.name,
            "team": user.team_id,
            "image_48": "",
        },
    }
    if user.deleted:
        return shown
    shown |= {
        "tz": user.tz,
        "tz_label": local.tzname(),
        "tz_offset": int((local.utcoffset() or timedelta(0)).total_seconds()),
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": user.restricted or user.ultra_restricted,
        "is_ultra_restricted": user.ultra_restricted,
        "is_email_confirmed": True,
    }
    if user.stranger:
        shown["is_stranger"] = True
    return shown
