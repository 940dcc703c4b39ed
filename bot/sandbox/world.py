"""The whole demo but the bot: the simulated Slack and carrier, the people before them, and the page of it all."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.clock import Clock
from bot.sandbox.cast import Cast
from bot.sandbox.commands import Commands
from bot.sandbox.faults import FaultBoard
from bot.sandbox.journal import Journal
from bot.sandbox.page import Attachment, Page
from bot.sandbox.sections import (
    Json,
    Seats,
    render_channel,
    render_customers,
    render_person,
    render_phone,
    render_reactions,
    render_team,
)
from bot.sandbox.slack_sim import SlackSim
from bot.sandbox.stage import furnish_account
from bot.sandbox.stories import STORIES, Story
from bot.sandbox.telnyx_sim import TelnyxSim
from bot.sandbox.troubles import TROUBLES, Side, Switchboard

#: Where the bot takes what Slack and Telnyx send it.
_SLACK_PATH = "/slack/events"
_TELNYX_PATH = "/webhooks/telnyx"
#: Between the steps of a text's life on the simulated carrier: slow enough to be seen.
_PACE = timedelta(milliseconds=400)


class World:
    """
    Owns both simulators and the page.

    Use: construct, `await start(host)`, run the bot with `bot_environment()`, `await connect(its address)`, show
    `page_url` to a person, `await stop()`. The sign-in data are made up anew for each world.
    """

    def __init__(self, *, clock: Clock, cast: Cast | None = None, pace: timedelta = _PACE) -> None:
        self.clock = clock
        self.cast = cast or Cast()
        self.journal = Journal()
        self._bot_token = f"xoxb-{secrets.token_hex(16)}"
        self._signing_secret = secrets.token_hex(16)
        self._api_key = f"KEY{secrets.token_hex(16).upper()}"
        self._profile_id = str(uuid.uuid4())
        boards = {side: FaultBoard() for side in Side}
        self.slack = SlackSim(
            bot_token=self._bot_token,
            signing_secret=self._signing_secret,
            clock=clock,
            journal=self.journal,
            faults=boards[Side.SLACK],
        )
        self.telnyx = TelnyxSim(
            api_key=self._api_key,
            profile_id=self._profile_id,
            numbers=[line.number for line in self.cast.lines],
            clock=clock,
            journal=self.journal,
            faults=boards[Side.TELNYX],
            pace=pace,
        )
        furnish_account(self.telnyx, [line.number for line in self.cast.lines])
        self.seats = self._seat_cast()
        self.commands = Commands(
            clock=clock,
            cast=self.cast,
            customers=list(self.cast.customers),
            seats=self.seats,
            slack=self.slack,
            telnyx=self.telnyx,
            switches=Switchboard(boards=boards),
        )
        self._page = Page(self, journal=self.journal, clock=clock)
        self._page_url: str | None = None
        self.slack.listeners.append(lambda _kind, _data: self._page.touch())
        self.telnyx.listeners.append(lambda _number, _text: self._page.touch())

    def _seat_cast(self) -> Seats:
        workspace = self.slack.workspace
        workspace.team_name, workspace.team_domain = self.cast.team_name, self.cast.team_domain
        workspace.users[workspace.bot_user].real_name = self.cast.app_name
        users = {
            mate.key: self.slack.add_user(mate.key, mate.name, tz=mate.tz, restricted=mate.guest, is_admin=mate.admin)
            for mate in self.cast.team
        }
        channels = {line.number: self.slack.add_channel(line.channel) for line in self.cast.lines}
        for name, _topic in self.cast.other_channels:
            self.slack.add_channel(name, with_bot=False)
        return Seats(users=users, channels=channels)

    # ----------------------------------------------------------------------------------------------------- running

    async def start(self, host: str = "127.0.0.1", page_port: int = 0) -> None:
        """Start the simulators on free loopback ports, and the page at *host*; port 0 takes a free one."""
        await self.slack.start()
        try:
            await self.telnyx.start()
            self._page_url = await self._page.start(host, page_port)
        except BaseException:
            await self.stop()
            raise

    async def connect(self, bot_url: str) -> None:
        """Tell both platforms where the bot is: what its owner does in their settings."""
        base = bot_url.rstrip("/")
        self.slack.request_url = f"{base}{_SLACK_PATH}"
        self.telnyx.profile_webhook_url = f"{base}{_TELNYX_PATH}"

    async def stop(self) -> None:
        """Close the page and the simulators; again is no mistake."""
        await self._page.stop()
        await self.telnyx.stop()
        await self.slack.stop()

    @property
    def page_url(self) -> str:
        """The page's address; only while started."""
        if self._page_url is None:
            raise RuntimeError("the demo's page is not started")
        return self._page_url

    def bot_environment(self) -> dict[str, str]:
        """
        Return the settings with which the bot meets this world; only while started.

        `PUBLIC_URL`, `HOST`, `PORT` and `DATABASE_URL`, which say where the bot itself is, are not among them.
        """
        main, *others = self.cast.lines
        return {
            "SLACK_BOT_TOKEN": self._bot_token,
            "SLACK_SIGNING_SECRET": self._signing_secret,
            "SLACK_CHANNEL": self.seats.channels[main.number],
            "SLACK_API_URL": self.slack.api_url,
            "TELNYX_API_KEY": self._api_key,
            "TELNYX_PUBLIC_KEY": self.telnyx.public_key,
            "TELNYX_PHONE_NUMBER": main.number,
            "TELNYX_MESSAGING_PROFILE_ID": self._profile_id,
            "TELNYX_API_URL": self.telnyx.url,
            "NUMBER_CHANNELS": ",".join(f"{line.number}={self.seats.channels[line.number]}" for line in others),
            "WHATSAPP_NUMBERS": ",".join(line.number for line in self.cast.lines),
            "MEDIA_ALLOW_PRIVATE_HOSTS": "true",
        }

    # -------------------------------------------------------------------------------------------------- for the page

    def render_sections(self) -> Mapping[str, Json | list[Any]]:
        """Return everything that the page shows, by section."""
        customers = self.commands.customers
        team = render_team(self.cast, self.seats, self.slack)
        team["troubles"] = [
            {"name": each.name, "group": each.side.value, "label": each.label, "hint": each.hint} for each in TROUBLES
        ]
        team["tapbacks"] = render_reactions()
        team["stories"] = [self._render_story(story) for story in STORIES]
        sections: dict[str, Json | list[Any]] = {
            "team": team,
            "customers": render_customers(customers),
            "trouble": self.commands.list_troubles(),
        }
        for channel in self.slack.workspace.channels:
            sections[f"channel:{channel}"] = render_channel(self.slack, channel)
        for user in self.seats.users.values():
            sections[f"person:{user}"] = render_person(self.slack, user)
        for customer in customers:
            sections[f"phone:{customer.number}"] = render_phone(self.telnyx, customer.number, self.commands.tapbacks)
        return sections

    def _render_story(self, story: Story) -> Json:
        number = self.cast.customers[story.customer].number
        return {"name": story.name, "label": story.label, "hint": story.hint, "customer": number}

    async def do(self, command: Json) -> Json:
        """Do what the page asks; raises CommandError with words for the person."""
        return await self.commands.do(command)

    def find_attachment(self, kind: str, key: str) -> Attachment | None:
        """Return a file of Slack by its id, or a phone's picture by number, message and place."""
        if kind == "slack":
            file = self.slack.files.get(key)
            return Attachment(name=file.name, content_type=file.mimetype, content=file.content) if file else None
        number, _, rest = key.partition("/")
        message_id, _, place = rest.partition("/")
        for text in self.telnyx.screen(number):
            if kind == "phone" and text.message_id == message_id and place.isdigit() and int(place) < len(text.media):
                media = text.media[int(place)]
                return Attachment(name=media.filename, content_type=media.content_type, content=media.content)
        return None
