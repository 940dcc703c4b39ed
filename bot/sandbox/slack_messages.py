"""What happens to messages in the simulated workspace, whoever does it: posted, edited, deleted, reacted to."""

from __future__ import annotations

import uuid
from dataclasses import replace

from bot.sandbox.slack_render import SLACKBOT, TOMBSTONE, render_ephemeral, render_message
from bot.sandbox.slack_text import Json
from bot.sandbox.slack_workspace import ApiError, Channel, Ephemeral, Message, Workspace


def find_root(workspace: Workspace, channel: Channel, thread_ts: str, *, by_app: bool) -> Message | None:
    """
    Return the root under which a reply to *thread_ts* goes, or None when there is none any more.

    An app's reply to a deleted root is not refused: Slack posts it at top level (slack-go issue 1571).
    """
    named = channel.messages.get(thread_ts)
    if named is None:
        return None
    root = channel.messages.get(named.thread_ts) if named.thread_ts else named
    if root is not None and root.subtype == TOMBSTONE and by_app and not workspace.tombstones_take_replies:
        return None
    return root


def place_message(
    workspace: Workspace, channel: Channel, message: Message, *, event_subtype: str | None = None
) -> None:
    """Put *message* into *channel* and tell the app and the page; *event_subtype* is what only the event calls it."""
    channel.messages[message.ts] = message
    if message.files:
        for file_id in message.files:
            share = {"ts": message.ts, "channel_name": channel.name, "team_id": workspace.team_id,
                     "share_user_id": message.user, "source": "UNKNOWN", "reply_count": 0}  # fmt: skip
            if message.thread_ts:
                share["thread_ts"] = message.thread_ts
            workspace.files[file_id].shares.setdefault(channel.id, []).append(share)
    event = _build_event(workspace, channel, message)
    if event_subtype is not None:
        event["subtype"] = event_subtype
    if message.subtype == "thread_broadcast" and message.thread_ts in channel.messages:
        event["root"] = render_message(workspace, channel, channel.messages[message.thread_ts])
    workspace.publish(event, channel)
    for file_id in message.files:
        workspace.publish(
            {"type": "file_shared", "channel_id": channel.id, "file_id": file_id, "user_id": message.user,
             "file": {"id": file_id}, "event_ts": message.ts},
            channel,
        )  # fmt: skip
    tell_page(workspace, "message", channel, message)


def tell_page(workspace: Workspace, kind: str, channel: Channel, message: Message) -> None:
    """Tell the listeners how *message* now stands."""
    workspace.notify(kind, {"channel": channel.id, "message": render_message(workspace, channel, message)})


def _build_event(workspace: Workspace, channel: Channel, message: Message) -> Json:
    event = render_message(workspace, channel, message)
    for key in ("reactions", "reply_count", "reply_users_count", "latest_reply", "reply_users", "is_locked",
                "subscribed"):  # fmt: skip
        event.pop(key, None)
    return {**event, "channel": channel.id, "event_ts": message.ts, "channel_type": channel.kind}


def build_client_msg_id(ts: str) -> str:
    """Return the id that a person's client gives to a message."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, ts))


def change_message(workspace: Workspace, channel: Channel, message: Message, change: Json, *, by: str | None) -> None:
    """
    Set the fields of *change* on *message* and tell the app.

    *by* is who edited it; None for what Slack changes by itself (unfurls, metadata), which carries no `edited`.
    """
    before = render_message(workspace, channel, message)
    for key, value in change.items():
        setattr(message, key, value)
    if by is not None:
        message.edited = {"user": by, "ts": f"{workspace.epoch()}.000000"}
    _publish_change(workspace, channel, message, before)
    tell_page(workspace, "message_changed", channel, message)


def _publish_change(workspace: Workspace, channel: Channel, message: Message, before: Json) -> None:
    now = workspace.make_ts()
    workspace.publish(
        {
            "type": "message",
            "subtype": "message_changed",
            "hidden": True,
            "channel": channel.id,
            "message": render_message(workspace, channel, message),
            "previous_message": before,
            "ts": now,
            "event_ts": now,
            "channel_type": channel.kind,
        },
        channel,
    )


def delete_message(workspace: Workspace, channel: Channel, message: Message) -> None:
    """Delete *message*; a root with replies leaves a tombstone, which goes with the last of them."""
    if message.thread_ts is None and channel.replies(message.ts):
        before = render_message(workspace, channel, message)
        stone = Message(ts=message.ts, text="This message was deleted.", user=SLACKBOT, subtype=TOMBSTONE, hidden=True)
        channel.messages[message.ts] = stone  # same key: its place in the channel stays
        _publish_change(workspace, channel, stone, before)
        tell_page(workspace, "message_changed", channel, stone)
        return
    before = render_message(workspace, channel, message)
    del channel.messages[message.ts]
    now = workspace.make_ts()
    workspace.publish(
        {
            "type": "message",
            "subtype": "message_deleted",
            "hidden": True,
            "channel": channel.id,
            "deleted_ts": message.ts,
            "previous_message": before,
            "ts": now,
            "event_ts": now,
            "channel_type": channel.kind,
        },
        channel,
    )
    workspace.notify("message_deleted", {"channel": channel.id, "ts": message.ts})
    root = channel.messages.get(message.thread_ts or "")
    if root is not None and root.subtype == TOMBSTONE and not channel.replies(root.ts):
        delete_message(workspace, channel, root)


def add_reaction(workspace: Workspace, channel: Channel, message: Message, user: str, name: str) -> None:
    """Add *user*'s reaction; raises ApiError already_reacted."""
    users = message.reactions.setdefault(name, [])
    if user in users:
        raise ApiError("already_reacted")
    users.append(user)
    _publish_reaction(workspace, channel, message, ("reaction_added", user, name))


def remove_reaction(workspace: Workspace, channel: Channel, message: Message, user: str, name: str) -> None:
    """Take *user*'s reaction away; raises ApiError no_reaction."""
    if user not in message.reactions.get(name, []):
        raise ApiError("no_reaction")
    message.reactions[name].remove(user)
    if not message.reactions[name]:
        del message.reactions[name]
    _publish_reaction(workspace, channel, message, ("reaction_removed", user, name))


def _publish_reaction(workspace: Workspace, channel: Channel, message: Message, what: tuple[str, str, str]) -> None:
    kind, user, name = what
    event: Json = {
        "type": kind,
        "user": user,
        "reaction": name,
        "item": {"type": "message", "channel": channel.id, "ts": message.ts},
        "event_ts": workspace.make_ts(),
    }
    if message.user is not None:
        event["item_user"] = message.user
    workspace.publish(event, channel)
    tell_page(workspace, "reactions", channel, message)


def place_ephemeral(workspace: Workspace, ephemeral: Ephemeral) -> None:
    """Show *ephemeral* to its one reader."""
    workspace.ephemerals.append(ephemeral)
    workspace.notify("ephemeral", render_ephemeral(ephemeral))


def replace_ephemeral(workspace: Workspace, old: Ephemeral, *, text: str, blocks: list[Json]) -> None:
    """Put other words in the place of an ephemeral, as a response_url can."""
    new = replace(old, text=text, blocks=blocks)
    workspace.ephemerals[workspace.ephemerals.index(old)] = new
    workspace.notify("ephemeral", render_ephemeral(new))


def remove_ephemeral(workspace: Workspace, ephemeral: Ephemeral) -> None:
    """Take an ephemeral away from its reader."""
    workspace.ephemerals.remove(ephemeral)
    workspace.notify("ephemeral_deleted", {"user": ephemeral.user, "ts": ephemeral.ts})
