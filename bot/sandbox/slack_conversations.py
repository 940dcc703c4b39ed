"""The conversations.* methods of the simulated Web API."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from bot.sandbox.slack_api import Call, Method, Methods, cut_page
from bot.sandbox.slack_messages import place_message
from bot.sandbox.slack_render import Metadata, render_message
from bot.sandbox.slack_text import Json
from bot.sandbox.slack_workspace import ApiError, Channel, Message, User, Workspace, read_ts

_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")


def render_channel(workspace: Workspace, channel: Channel) -> Json:
    """Return *channel* as `conversations.info` has it."""
    if channel.im_user is not None:
        return {"id": channel.id, "created": channel.created, "is_im": True, "is_org_shared": False,
                "user": channel.im_user, "is_archived": False, "is_user_deleted": False}  # fmt: skip
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "created": channel.created,
        "creator": "U000000000",
        "updated": channel.created * 1000,
        "context_team_id": workspace.team_id,
        "is_channel": not channel.private,
        "is_group": channel.private,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.private,
        "is_archived": channel.archived,
        "is_general": False,
        "is_shared": channel.ext_shared,
        "is_org_shared": False,
        "is_ext_shared": channel.ext_shared,
        "is_pending_ext_shared": False,
        "is_member": workspace.bot_user in channel.members,
        "num_members": len(channel.members),
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "previous_names": [],
    }


def get_info(workspace: Workspace, call: Call) -> Json:
    """Answer conversations.info."""
    shown = render_channel(workspace, workspace.get_channel(call.get_text("channel")))
    if not call.is_set("include_num_members"):
        shown.pop("num_members", None)
    return {"channel": shown}


def list_channels(workspace: Workspace, call: Call) -> Json:
    """Answer conversations.list."""
    return _list_channels(workspace, call, lambda _channel: True)


def list_own_channels(workspace: Workspace, call: Call) -> Json:
    """Answer users.conversations."""
    user = call.find_text("user") or workspace.bot_user
    return _list_channels(workspace, call, lambda channel: user in channel.members)


def _list_channels(workspace: Workspace, call: Call, wanted: Callable[[Channel], bool]) -> Json:
    types = (call.find_text("types") or "public_channel").split(",")
    names = {"channel": "public_channel", "group": "private_channel", "im": "im"}
    channels = [
        render_channel(workspace, channel)
        for channel in workspace.channels.values()
        if names[channel.kind] in types
        and not (channel.archived and call.is_set("exclude_archived"))
        and (not channel.private or workspace.bot_user in channel.members)
        and wanted(channel)
    ]
    page, metadata = cut_page(channels, call, default=100, most=1000)
    return {"channels": page, "response_metadata": metadata}


def _get_read_channel(workspace: Workspace, call: Call) -> Channel:
    channel = workspace.get_channel(call.get_text("channel"))
    if workspace.bot_user not in channel.members:
        raise ApiError("not_in_channel")
    return channel


def _build_window(workspace: Workspace, call: Call) -> Callable[[Message], bool]:
    """Return whether a message lies between `oldest` and `latest`, and can be seen yet."""
    try:
        oldest = read_ts(call.find_text("oldest") or "0")
        latest = read_ts(call.find_text("latest") or "Infinity")
    except InvalidOperation:
        raise ApiError("invalid_ts_oldest") from None
    inclusive = call.is_set("inclusive")
    seen = Decimal((workspace.clock.now() - workspace.history_lag).timestamp())
    newest = seen if workspace.history_lag else Decimal("Infinity")

    def is_within(message: Message) -> bool:
        at: Decimal = read_ts(message.ts)
        return at <= newest and (oldest <= at <= latest if inclusive else oldest < at < latest)

    return is_within


def _how_much(call: Call) -> Metadata:
    return Metadata.FULL if call.is_set("include_all_metadata") else Metadata.TYPE


def get_history(workspace: Workspace, call: Call) -> Json:
    """Answer conversations.history: newest first, replies only where they were broadcast."""
    channel = _get_read_channel(workspace, call)
    is_within = _build_window(workspace, call)
    shown = [
        render_message(workspace, channel, message, metadata=_how_much(call))
        for message in reversed(channel.messages.values())
        if (message.thread_ts is None or message.subtype == "thread_broadcast") and is_within(message)
    ]
    page, metadata = cut_page(shown, call, default=100, most=999)
    body: Json = {"messages": page, "has_more": bool(metadata["next_cursor"]), "pin_count": 0}
    return body | ({"response_metadata": metadata} if metadata["next_cursor"] else {})


def get_replies(workspace: Workspace, call: Call) -> Json:
    """Answer conversations.replies: the root first, then oldest first; a reply's own ts gives that reply alone."""
    channel = _get_read_channel(workspace, call)
    named = channel.messages.get(call.get_text("ts"))
    if named is None:
        raise ApiError("thread_not_found")
    is_within = _build_window(workspace, call)
    replies = [message for message in channel.replies(named.ts) if is_within(message)]
    shown = [render_message(workspace, channel, message, metadata=_how_much(call)) for message in (named, *replies)]
    page, metadata = cut_page(shown, call, default=1000, most=1000)
    body: Json = {"messages": page, "has_more": bool(metadata["next_cursor"])}
    return body | ({"response_metadata": metadata} if metadata["next_cursor"] else {})


def join_channel(workspace: Workspace, call: Call) -> Json:
    """Answer conversations.join."""
    channel = workspace.get_channel(call.get_text("channel"))
    if channel.private:
        raise ApiError("method_not_supported_for_channel_type")
    if channel.archived:
        raise ApiError("is_archived")
    if workspace.bot_user in channel.members:
        shown = render_channel(workspace, channel)
        return {"channel": shown, "warning": "already_in_channel",
                "response_metadata": {"warnings": ["already_in_channel"]}}  # fmt: skip
    add_member(workspace, channel, workspace.users[workspace.bot_user])
    return {"channel": render_channel(workspace, channel)}


def list_members(workspace: Workspace, call: Call) -> Json:
    """Answer conversations.members."""
    channel = workspace.get_channel(call.get_text("channel"))
    page, metadata = cut_page([{"id": member} for member in channel.members], call, default=100, most=1000)
    return {"members": [member["id"] for member in page], "response_metadata": metadata}


def open_conversation(workspace: Workspace, call: Call) -> Json:
    """Answer conversations.open, for one person."""
    users = (call.find_text("users") or "").split(",")
    if len(users) != 1 or not users[0]:
        raise ApiError("not_enough_users" if not users[0] else "too_many_users")
    known = {channel.im_user for channel in workspace.channels.values()}
    channel = workspace.open_im(workspace.get_user(users[0]).id)
    already = {"no_op": True, "already_open": True} if users[0] in known else {}
    shown = render_channel(workspace, channel) if call.is_set("return_im") else {"id": channel.id}
    return {"channel": shown, **already}


def add_member(workspace: Workspace, channel: Channel, user: User) -> None:
    """Let *user* into *channel*, with the message and the event that Slack makes of it."""
    channel.members.append(user.id)
    workspace.publish(
        {"type": "member_joined_channel", "user": user.id, "channel": channel.id,
         "channel_type": "G" if channel.private else "C", "team": user.team_id, "event_ts": workspace.make_ts()},
        channel,
    )  # fmt: skip
    text = f"<@{user.id}> has joined the channel"
    subtype = "group_join" if channel.private else "channel_join"
    place_message(workspace, channel, Message(ts=workspace.make_ts(), text=text, user=user.id, subtype=subtype))


METHODS: Methods = {
    "conversations.info": Method(run=get_info, scopes=_READ),
    "conversations.list": Method(run=list_channels, scopes=_READ),
    "users.conversations": Method(run=list_own_channels, scopes=_READ),
    "conversations.history": Method(run=get_history, scopes=_HISTORY),
    "conversations.replies": Method(run=get_replies, scopes=_HISTORY),
    "conversations.join": Method(run=join_channel, scopes=("channels:join",)),
    "conversations.members": Method(run=list_members, scopes=_READ),
    "conversations.open": Method(run=open_conversation, scopes=("im:write", "mpim:write")),
}
