"""What people do in the simulated Slack with their hands: write, edit, delete, react, come and go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.sandbox.slack_chat import check_reaction_name
from bot.sandbox.slack_conversations import add_member
from bot.sandbox.slack_events import Answer, Courier
from bot.sandbox.slack_files import guess_mimetype
from bot.sandbox.slack_messages import (
    add_reaction,
    build_client_msg_id,
    change_message,
    delete_message,
    find_root,
    place_message,
    remove_reaction,
)
from bot.sandbox.slack_render import TOMBSTONE
from bot.sandbox.slack_text import Json, read_typed
from bot.sandbox.slack_workspace import Channel, FileState, Message, NotPossibleError, StoredFile, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that a person attaches to a message."""

    name: str
    content: bytes
    mimetype: str = ""  #: What the name suggests, unless told.
    processed: bool = True  #: False: Slack has not looked at it yet when the event goes out.
    stub: bool = False  #: The event names it only as `check_file_info`, as in shared channels.


class People:
    """The part of the simulator in which people act; each act ends in the events that Slack sends for it."""

    workspace: Workspace
    courier: Courier

    def _enter(self, user: str, channel: str) -> Channel:
        place = self.workspace.channels[channel]
        if user not in place.members:
            raise NotPossibleError(f"{user} is not in {channel}; let them join first")
        if place.archived:
            raise NotPossibleError(f"{channel} is archived; nobody can act in it")
        return place

    async def post(
        self,
        user: str,
        channel: str,
        text: str = "",
        *,
        thread_ts: str | None = None,
        blocks: list[Json] | None = None,
        files: Sequence[Upload] = (),
        broadcast: bool = False,
    ) -> str:
        """
        Write *text* as typed and return the message's ts; `settle` waits for its event.

        With *blocks* nothing is made of *text*: both go out as they are. *broadcast* also sends a reply to the channel.
        """
        workspace = self.workspace
        place = self._enter(user, channel)
        root = find_root(workspace, place, thread_ts, by_app=False) if thread_ts else None
        if thread_ts and root is None:
            raise NotPossibleError(f"the thread {thread_ts} is gone; a person cannot write into it")
        stored, made = self._compose(text, blocks)
        ts = workspace.make_ts()
        message = Message(
            ts=ts,
            text=stored,
            user=user,
            subtype="thread_broadcast" if root and broadcast else None,
            thread_ts=root.ts if root else None,
            blocks=made,
            client_msg_id=build_client_msg_id(ts),
            files=[self._keep_upload(user, upload).id for upload in files],
        )
        place_message(workspace, place, message, event_subtype="file_share" if files else None)
        return ts

    def _compose(self, text: str, blocks: list[Json] | None) -> tuple[str, list[Json]]:
        if blocks is not None:
            return text, blocks
        if not text:
            return "", []
        typed = read_typed(text, self.workspace.known_emoji())
        return typed.text, [{**typed.block, "block_id": self.workspace.make_id("b")}]

    def _keep_upload(self, user: str, upload: Upload) -> StoredFile:
        workspace = self.workspace
        file = StoredFile(
            id=workspace.make_id("F"),
            name=upload.name,
            user=user,
            created=workspace.epoch(),
            title=upload.name,
            mimetype=upload.mimetype or guess_mimetype(upload.name),
            content=upload.content,
            state=FileState.COMPLETE,
            processed=upload.processed,
            stub=upload.stub,
        )
        workspace.files[file.id] = file
        if not upload.processed:
            workspace.later(workspace.share_delay, lambda: setattr(file, "processed", True))
        return file

    def _get_own(self, user: str, channel: str, ts: str) -> tuple[Channel, Message]:
        place = self._enter(user, channel)
        message = place.messages.get(ts)
        if message is None or message.subtype == TOMBSTONE:
            raise NotPossibleError(f"there is no message {ts} in {channel}")
        if message.user != user and not self.workspace.users[user].is_admin:
            raise NotPossibleError(f"{user} may only change their own messages")
        return place, message

    async def edit(self, user: str, channel: str, ts: str, text: str, *, blocks: list[Json] | None = None) -> None:
        """Edit one's own message."""
        place, message = self._get_own(user, channel, ts)
        if message.user != user:
            raise NotPossibleError("nobody edits another's message")
        stored, made = self._compose(text, blocks)
        change_message(self.workspace, place, message, {"text": stored, "blocks": made}, by=user)

    async def delete(self, user: str, channel: str, ts: str) -> None:
        """Delete one's own message; an admin deletes anyone's, the bot's included."""
        place, message = self._get_own(user, channel, ts)
        delete_message(self.workspace, place, message)

    async def react(self, user: str, channel: str, ts: str, name: str) -> None:
        """Add a reaction."""
        place = self._enter(user, channel)
        name = check_reaction_name(self.workspace, name)
        add_reaction(self.workspace, place, place.messages[ts], user, name)

    async def unreact(self, user: str, channel: str, ts: str, name: str) -> None:
        """Take one's reaction away."""
        place = self._enter(user, channel)
        remove_reaction(self.workspace, place, place.messages[ts], user, name.strip(":"))

    async def open_home(self, user: str, *, tab: str = "home") -> None:
        """Open the app: its Home tab, or its *tab* `messages`."""
        workspace = self.workspace
        event: Json = {
            "type": "app_home_opened",
            "user": user,
            "channel": workspace.open_im(user).id,
            "tab": tab,
            "event_ts": workspace.make_ts(),
        }
        if user in workspace.homes and tab == "home":
            event["view"] = workspace.homes[user]
        workspace.publish(event, None)

    # ----------------------------------------------------------------------------------------------------- channels

    async def join(self, user: str, channel: str) -> None:
        """Let a person, or the bot by its user id, into a channel."""
        place = self.workspace.channels[channel]
        if user not in place.members:
            add_member(self.workspace, place, self.workspace.users[user])

    async def leave(self, user: str, channel: str) -> None:
        """Take a person, or the bot, out of a channel; the bot hears of its own leaving only that it did."""
        workspace = self.workspace
        place = workspace.channels[channel]
        if user == workspace.bot_user:
            place.members.remove(user)
            kind = "group_left" if place.private else "channel_left"
            workspace.publish({"type": kind, "channel": channel, "event_ts": workspace.make_ts()}, None)
            return
        text = f"<@{user}> has left the channel"
        subtype = "group_leave" if place.private else "channel_leave"
        place.members.remove(user)
        place_message(workspace, place, Message(ts=workspace.make_ts(), text=text, user=user, subtype=subtype))
        workspace.publish(
            {"type": "member_left_channel", "user": user, "channel": channel,
             "channel_type": "G" if place.private else "C", "team": workspace.users[user].team_id,
             "event_ts": workspace.make_ts()},
            place,
        )  # fmt: skip

    async def archive(self, user: str, channel: str) -> None:
        """Archive a channel."""
        self._set_archived(user, channel, archived=True)

    async def unarchive(self, user: str, channel: str) -> None:
        """Bring an archived channel back."""
        self._set_archived(user, channel, archived=False)

    def _set_archived(self, user: str, channel: str, *, archived: bool) -> None:
        place = self.workspace.channels[channel]
        place.archived = archived
        kind = f"{'group' if place.private else 'channel'}_{'archive' if archived else 'unarchive'}"
        event = {"type": kind, "channel": channel, "user": user, "event_ts": self.workspace.make_ts()}
        self.workspace.publish(event, place)
        self.workspace.notify("channel", {"channel": channel})

    async def rename(self, user: str, channel: str, name: str) -> None:
        """Give a channel another name."""
        workspace = self.workspace
        place = self._enter(user, channel)
        old, place.name = place.name, name
        side = "group" if place.private else "channel"
        workspace.publish(
            {"type": f"{side}_rename", "channel": {"id": channel, "name": name, "created": place.created},
             "event_ts": workspace.make_ts()},
            place,
        )  # fmt: skip
        text = f'has renamed the channel from "{old}" to "{name}"'
        message = Message(
            ts=workspace.make_ts(), text=text, user=user, subtype=f"{side}_name", more={"old_name": old, "name": name}
        )
        place_message(workspace, place, message)

    # ------------------------------------------------------------------------------------------------ what just happens

    async def unfurl(self, channel: str, ts: str, *, title: str = "A page", url: str = "https://example.com/") -> None:
        """Let Slack attach a link's preview to a message, which is a change but no edit."""
        place = self.workspace.channels[channel]
        preview = {"id": 1, "title": title, "title_link": url, "from_url": url, "fallback": title}
        message = place.messages[ts]
        change = {"attachments": [*message.attachments, preview]}
        change_message(self.workspace, place, message, change, by=None)

    async def post_as_app(
        self, channel: str, text: str, *, thread_ts: str | None = None, classic: bool = False, name: str = "Other app"
    ) -> str:
        """Let another app write, a *classic* one with subtype bot_message and no user; returns the ts."""
        workspace = self.workspace
        place = workspace.channels[channel]
        root = find_root(workspace, place, thread_ts, by_app=True) if thread_ts else None
        message = Message(
            ts=workspace.make_ts(),
            text=text,
            user=None if classic else "U0OTHERBOT",
            subtype="bot_message" if classic else None,
            username=name if classic else None,
            bot_id="B0OTHERAPP",
            app_id=None if classic else "A0OTHERAPP",
            thread_ts=root.ts if root else None,
        )
        place_message(workspace, place, message)
        return message.ts

    async def uninstall(self) -> None:
        """Take the app out of the workspace: two events, and its token is worth nothing."""
        workspace = self.workspace
        tokens = {"oauth": [], "bot": [workspace.bot_user]}
        workspace.publish({"type": "tokens_revoked", "tokens": tokens, "event_ts": workspace.make_ts()}, None)
        workspace.publish({"type": "app_uninstalled", "event_ts": workspace.make_ts()}, None)

    async def verify_url(self) -> Answer:
        """Do the handshake that saving the request address in the app's settings causes."""
        return await self.courier.verify_url()
