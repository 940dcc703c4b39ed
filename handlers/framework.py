"""slack-bolt with every listener on it: commands, buttons, forms and `url_verification`. Loaded at the first of them."""

from __future__ import annotations

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from handlers.account_forms import AccountForms
from handlers.channel_form import ChannelForm
from handlers.commands import register_commands
from handlers.contact_form import ContactForm
from handlers.desk import Desk
from handlers.listeners import build_bolt, register_buttons, register_meeting, register_rest, register_shortcuts
from handlers.modals import Forms
from handlers.schedules import ScheduleButtons


class Framework:
    """The app, and the one way into it."""

    def __init__(self, desk: Desk, client: AsyncWebClient, *, signing_secret: str, bot_token: str) -> None:
        self.bolt = build_bolt(client, signing_secret=signing_secret, bot_token=bot_token)
        forms = Forms(desk)
        channel_form = ChannelForm(desk.channel_settings)
        contact_form = ContactForm(desk)
        register_meeting(self.bolt, desk)
        register_commands(
            self.bolt,
            desk,
            open_text_form=forms.open_text_form,
            open_schedule_form=forms.open_schedule_form,
            open_channel_form=channel_form.open_by_command,
            open_contact_form=contact_form.open_by_command,
        )
        forms.register(self.bolt)
        channel_form.register(self.bolt)
        AccountForms(desk).register(self.bolt)
        contact_form.register(self.bolt)
        register_buttons(self.bolt, desk)
        ScheduleButtons(desk).register(self.bolt)
        register_shortcuts(self.bolt, desk)
        register_rest(self.bolt)

    async def dispatch(self, request: web.Request, text: str) -> web.Response:
        """Return the answer to a request whose body is *text*: 404 where no listener wants it."""
        asked = AsyncBoltRequest(body=text, query=request.query_string, headers=dict(request.headers))
        response: web.Response = await to_aiohttp_response(await self.bolt.async_dispatch(asked))
        return response
