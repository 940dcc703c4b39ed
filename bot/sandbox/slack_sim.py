"""
A Slack workspace on a local port, for tests, the demo and benchmarks.

It answers the Web API as the platform's documentation and known behaviour say, sends signed events, commands and
interactions to the app under test, lets a program act as the people in it, and shows everything it holds. What differs
from the platform, and why, is listed in `tests/deviations.md`.
"""

from __future__ import annotations

import copy
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from datetime import timedelta

from aiohttp import web

from bot.clock import Clock
from bot.sandbox.faults import FaultBoard, play
from bot.sandbox.journal import Journal
from bot.sandbox.server import Server
from bot.sandbox.slack_api import ApiCall, Methods, WebApi, build_refusal
from bot.sandbox.slack_chat import METHODS as CHAT
from bot.sandbox.slack_conversations import METHODS as CONVERSATIONS
from bot.sandbox.slack_directory import METHODS as DIRECTORY
from bot.sandbox.slack_events import Answer, Courier, Delivery
from bot.sandbox.slack_files import METHODS as FILES
from bot.sandbox.slack_files import accept_upload, serve_file
from bot.sandbox.slack_interactions import Interactions
from bot.sandbox.slack_people import People, Upload
from bot.sandbox.slack_rates import RateLimits
from bot.sandbox.slack_render import render_ephemeral, render_message, render_whole_file
from bot.sandbox.slack_text import Json
from bot.sandbox.slack_views import METHODS as VIEWS
from bot.sandbox.slack_workspace import (
    ApiError,
    Channel,
    Listener,
    NotPossibleError,
    StoredFile,
    User,
    UserGroup,
    Workspace,
)

__all__ = ["Answer", "ApiCall", "ApiError", "Delivery", "NotPossibleError", "SlackSim", "Upload"]

_MOST_BYTES = 256 * 1024 * 1024
_METHODS: Methods = {**CHAT, **CONVERSATIONS, **DIRECTORY, **FILES, **VIEWS}


class SlackSim(People, Interactions):
    """The simulated Slack."""

    def __init__(
        self,
        *,
        bot_token: str,
        signing_secret: str,
        clock: Clock,
        journal: Journal,
        faults: FaultBoard | None = None,
        team_id: str = "T0SANDBOX1",
        emoji: Mapping[str, str] | None = None,
        reaction_names: Container[str] | None = None,
    ) -> None:
        """
        Make an empty workspace with our bot in it.

        *emoji* (short name -> code points in hex) is what the composer turns into pictures, a few common ones unless
        told; *reaction_names* are the names that reactions may have, any well-formed one unless told.
        """
        self.workspace = Workspace(clock=clock, team_id=team_id, bot_token=bot_token, reaction_names=reaction_names)
        if emoji is not None:
            self.workspace.emoji = dict(emoji)
        bot = self.workspace.bot_user
        self.workspace.users[bot] = User(
            id=bot, name="textbridge", real_name="Textbridge", team_id=team_id, is_bot=True
        )
        self.faults = faults or FaultBoard()
        self.journal = journal
        self.courier = Courier(self.workspace, signing_secret=signing_secret, journal=journal, faults=self.faults)
        self.limits = RateLimits(clock=clock)
        self.api = WebApi(
            workspace=self.workspace, methods=_METHODS, faults=self.faults, journal=journal, limits=self.limits
        )
        self._server = Server(patience=timedelta(seconds=1))

    # ----------------------------------------------------------------------------------------------------- the server

    def app(self) -> web.Application:
        """Return the aiohttp application, for those who run it themselves; they also set `base_url`."""
        app = web.Application(client_max_size=_MOST_BYTES)
        app.router.add_route("*", "/api/{method}", self.api.handle_call)
        app.router.add_post("/upload/v1/{file_id}", self._under("upload", self._accept_upload))
        app.router.add_get("/files-pri/{address}/{rest:.*}", self._under("download", self._serve_file))
        app.router.add_route("*", "/response/{token}", self._under("response_url", self.answer_response_url))
        return app

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Serve on *host*; port 0 takes a free one, which `api_url` then tells."""
        self.base_url = await self._server.start(self.app(), host, port)

    async def stop(self) -> None:
        """End all deliveries and close the server."""
        await self.courier.close()
        await self._server.stop()

    async def settle(self, *, waits: bool = False) -> None:
        """Return once no delivery is under way; see `Courier.settle` for what *waits* adds."""
        await self.courier.settle(waits=waits)

    @property
    def base_url(self) -> str:
        """The server's address without a slash at the end."""
        return self.workspace.base_url

    @base_url.setter
    def base_url(self, address: str) -> None:
        self.workspace.base_url = address.rstrip("/")

    @property
    def api_url(self) -> str:
        """What the client takes for `https://slack.com/api/`."""
        return f"{self.workspace.base_url}/api/"

    @property
    def request_url(self) -> str:
        """Where the app takes events, commands and interactions; empty: nothing is sent."""
        return self.courier.request_url

    @request_url.setter
    def request_url(self, address: str) -> None:
        self.courier.request_url = address

    def _under(
        self, operation: str, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return *handler* under the fault board's and the journal's eyes."""

        async def handle(request: web.Request) -> web.StreamResponse:
            clock = self.workspace.clock
            started = clock.monotonic()
            response = await play(self.faults, operation, request, lambda: handler(request), build_refusal)
            gone = request.transport is None or request.transport.is_closing()
            self.journal.record(
                at=clock.now(),
                source="bot",
                target="slack",
                operation=operation,
                status=None if gone else response.status,
                milliseconds=(clock.monotonic() - started) * 1000,
            )
            return response

        return handle

    async def _accept_upload(self, request: web.Request) -> web.StreamResponse:
        return await accept_upload(self.workspace, request)

    async def _serve_file(self, request: web.Request) -> web.StreamResponse:
        return await serve_file(self.workspace, request)

    # ---------------------------------------------------------------------------------------- who and what is there

    def add_channel(
        self,
        name: str,
        *,
        id: str | None = None,  # noqa: A002 - Slack's own word
        private: bool = False,
        with_bot: bool = True,
        ext_shared: bool = False,
    ) -> str:
        """Make a channel with everyone in it, and the bot unless told otherwise; returns its id."""
        workspace = self.workspace
        channel = Channel(
            id=id or workspace.make_id("C"),
            name=name,
            created=workspace.epoch(),
            private=private,
            ext_shared=ext_shared,
            members=[user.id for user in workspace.users.values() if not user.is_bot and not user.deleted],
        )
        if with_bot:
            channel.members.insert(0, workspace.bot_user)
        workspace.channels[channel.id] = channel
        workspace.notify("channel", {"channel": channel.id})
        return channel.id

    def add_user(  # noqa: PLR0913 - a person has this many sides
        self,
        name: str,
        real_name: str = "",
        *,
        tz: str = "America/Chicago",
        restricted: bool = False,
        ultra_restricted: bool = False,
        stranger: bool = False,
        deleted: bool = False,
        is_admin: bool = False,
        channels: Sequence[str] | None = None,
    ) -> str:
        """Add a person, a member of *channels* or of every one there is; returns their id."""
        workspace = self.workspace
        user = User(
            id=workspace.make_id("U"),
            name=name,
            real_name=real_name or name.title(),
            team_id="T0STRANGER" if stranger else workspace.team_id,
            tz=tz,
            restricted=restricted,
            ultra_restricted=ultra_restricted,
            stranger=stranger,
            deleted=deleted,
            is_admin=is_admin,
        )
        workspace.users[user.id] = user
        for channel in workspace.channels.values():
            wanted = channels is None or channel.id in channels
            if wanted and channel.im_user is None and not deleted:
                channel.members.append(user.id)
        return user.id

    def open_im(self, user: str) -> str:
        """Return the id of the bot's direct messages with *user*."""
        return self.workspace.open_im(user).id

    def add_usergroup(self, handle: str, users: Sequence[str], *, name: str = "") -> str:
        """Add a group that can be mentioned; returns its id."""
        group = UserGroup(id=self.workspace.make_id("S"), handle=handle, name=name or handle, users=list(users))
        self.workspace.usergroups[group.id] = group
        return group.id

    def add_emoji(self, name: str, url: str) -> None:
        """Add one of the workspace's own emoji: an address, or `alias:other`."""
        self.workspace.custom_emoji[name] = url

    # ----------------------------------------------------------------------------------------------------- switches

    @property
    def bot_user(self) -> str:
        """The bot's user id."""
        return self.workspace.bot_user

    @property
    def auth_error(self) -> str | None:
        """The code with which every call is refused: `token_revoked`, `account_inactive`; None: none is."""
        return self.api.auth_error

    @auth_error.setter
    def auth_error(self, code: str | None) -> None:
        self.api.auth_error = code

    @property
    def share_delay(self) -> timedelta:
        """How long after a completed upload its files appear, by the clock."""
        return self.workspace.share_delay

    @share_delay.setter
    def share_delay(self, span: timedelta) -> None:
        self.workspace.share_delay = span

    @property
    def share_never(self) -> bool:
        """Whether completed uploads are never shared, though Slack says ok."""
        return self.workspace.share_never

    @share_never.setter
    def share_never(self, never: bool) -> None:
        self.workspace.share_never = never

    # --------------------------------------------------------------------------------------------------------- looking

    @property
    def calls(self) -> deque[ApiCall]:
        """Every call of the Web API, oldest first."""
        return self.api.calls

    def count_calls(self) -> Counter[str]:
        """Return how often each method was called."""
        return Counter(call.method for call in self.api.calls)

    @property
    def deliveries(self) -> deque[Delivery]:
        """Every try to bring an event to the app, oldest first."""
        return self.courier.deliveries

    @property
    def listeners(self) -> list[Listener]:
        """Who is told of every change: (kind, plain data)."""
        return self.workspace.listeners

    def messages(self, channel: str) -> list[Json]:
        """Return what the channel itself shows, oldest first: no replies unless also sent to the channel."""
        place = self.workspace.channels[channel]
        return [
            render_message(self.workspace, place, message)
            for message in place.messages.values()
            if message.thread_ts is None or message.subtype == "thread_broadcast"
        ]

    def thread(self, channel: str, ts: str) -> list[Json]:
        """Return the root *ts* and its replies, oldest first; empty when the root is gone."""
        place = self.workspace.channels[channel]
        if ts not in place.messages:
            return []
        return [render_message(self.workspace, place, each) for each in (place.messages[ts], *place.replies(ts))]

    def message(self, channel: str, ts: str) -> Json:
        """Return one message; raises KeyError."""
        place = self.workspace.channels[channel]
        return render_message(self.workspace, place, place.messages[ts])

    def reactions(self, channel: str, ts: str) -> dict[str, list[str]]:
        """Return who reacted how to a message: name -> users."""
        return copy.deepcopy(self.workspace.channels[channel].messages[ts].reactions)

    def ephemerals(self, user: str) -> list[Json]:
        """Return what only *user* sees, oldest first."""
        return [render_ephemeral(each) for each in self.workspace.ephemerals if each.user == user]

    def errors(self, user: str) -> list[str]:
        """Return what Slack told *user* went wrong."""
        return list(self.workspace.shown_errors.get(user, []))

    def views(self, user: str) -> list[Json]:
        """Return the modals that *user* has open, the topmost last."""
        return copy.deepcopy(self.workspace.views.get(user, []))

    def home(self, user: str) -> Json | None:
        """Return *user*'s Home tab, if one was published."""
        return copy.deepcopy(self.workspace.homes.get(user))

    @property
    def files(self) -> dict[str, StoredFile]:
        """Every file with its bytes, by id."""
        return self.workspace.files

    def snapshot(self) -> Json:
        """Return the whole workspace as plain data, bytes left out."""
        workspace = self.workspace
        return {
            "team": {"id": workspace.team_id, "name": workspace.team_name},
            "bot_user": workspace.bot_user,
            "users": [{"id": user.id, "name": user.name, "real_name": user.real_name, "is_bot": user.is_bot}
                      for user in workspace.users.values()],
            "channels": [
                {"id": channel.id, "name": channel.name, "archived": channel.archived, "private": channel.private,
                 "im_user": channel.im_user, "members": list(channel.members),
                 "messages": [render_message(workspace, channel, each) for each in channel.messages.values()]}
                for channel in workspace.channels.values()
            ],
            "ephemerals": [render_ephemeral(each) for each in workspace.ephemerals],
            "errors": copy.deepcopy(workspace.shown_errors),
            "views": copy.deepcopy(workspace.views),
            "homes": copy.deepcopy(workspace.homes),
            "files": [render_whole_file(workspace, file) for file in workspace.files.values()],
        }  # fmt: skip
