"""
A simulated Telnyx: the messaging API over HTTP, the customers' phones behind it, and the webhooks that it sends.

It keeps to Telnyx's published API description and guides and shares no code with the product. The demo, the tests and
the benchmark use it. What differs from the real platform is listed in `tests/deviations.md`.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from http import HTTPStatus

import aiohttp
from aiohttp import web

from bot.clock import Clock
from bot.sandbox.faults import FaultBoard
from bot.sandbox.journal import Journal
from bot.sandbox.server import Server
from bot.sandbox.telnyx_account import AccountOperations
from bot.sandbox.telnyx_autoresponses import AutoResponseOperations
from bot.sandbox.telnyx_chores import Chores
from bot.sandbox.telnyx_detail_records import DetailRecordOperations
from bot.sandbox.telnyx_errors import RequestDeniedError
from bot.sandbox.telnyx_http import PREFIX, ApiRequest, FrontDoor, Route
from bot.sandbox.telnyx_idempotency import IdempotencyKeys
from bot.sandbox.telnyx_inbound import InboundTexts
from bot.sandbox.telnyx_lifecycle import LifeCycle
from bot.sandbox.telnyx_messages import MessageOperations
from bot.sandbox.telnyx_metrics import MetricOperations
from bot.sandbox.telnyx_own import OwnSenderOperations
from bot.sandbox.telnyx_phones import PhoneListener, Phones, PhoneText
from bot.sandbox.telnyx_profiles import ProfileOperations
from bot.sandbox.telnyx_send import MessageDesk
from bot.sandbox.telnyx_senders import Senders, find_region
from bot.sandbox.telnyx_spending import Spending
from bot.sandbox.telnyx_state import (
    Account,
    AutoResponse,
    Media,
    NumberKind,
    Outcome,
    OutcomeKind,
    OwnNumber,
    Profile,
    Send,
    SenderName,
)
from bot.sandbox.telnyx_switches import CcStyle, Switches
from bot.sandbox.telnyx_webhooks import Delivery, WebhookAttempt, Webhooks
from bot.sandbox.telnyx_whatsapp import WhatsAppDesk

__all__ = ["CcStyle", "Media", "Outcome", "OutcomeKind", "PhoneText", "Switches", "TelnyxSim"]

_TOLL_FREE = ("+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888")


class TelnyxSim:
    """
    One account at a simulated carrier.

    Use: construct, `await start()`, point the product at `url`, set `profile_webhook_url`; then `text_in` as a
    customer and read `phone`.
    """

    def __init__(
        self,
        *,
        api_key: str,
        profile_id: str,
        numbers: Sequence[str],
        clock: Clock,
        journal: Journal,
        faults: FaultBoard | None = None,
        pace: timedelta = timedelta(milliseconds=150),
    ) -> None:
        self.clock = clock
        self.journal = journal
        self.faults = faults or FaultBoard()
        self.account = Account(api_key=api_key, organization_id=str(uuid.uuid4()), default_profile_id=profile_id)
        now = clock.now()
        self.account.profiles[profile_id] = Profile(
            id=profile_id, name="Textbridge", created_at=now, updated_at=now, v1_secret=uuid.uuid4().hex
        )
        for number in numbers:
            self.add_number(number)
        self._chores = Chores(clock)
        self._phones = Phones()
        self._webhooks = Webhooks(
            account=self.account, clock=clock, journal=journal, faults=self.faults, chores=self._chores
        )
        self._inbound = InboundTexts(
            account=self.account, clock=clock, journal=journal, phones=self._phones, webhooks=self._webhooks
        )
        self._lifecycle = LifeCycle(
            account=self.account,
            clock=clock,
            journal=journal,
            faults=self.faults,
            chores=self._chores,
            webhooks=self._webhooks,
            phones=self._phones,
            inbound=self._inbound,
            pace=pace,
        )
        self._door = FrontDoor(account=self.account, clock=clock, journal=journal, faults=self.faults)
        self._spending = Spending(self.account, clock, self._webhooks)
        desk = MessageDesk(self.account, clock, Senders(self.account), self._spending)
        keys = IdempotencyKeys(clock)
        self._operations = (
            MessageOperations(
                account=self.account,
                clock=clock,
                desk=desk,
                whatsapp=WhatsAppDesk(self.account, clock, self._spending),
                keys=keys,
                lifecycle=self._lifecycle,
            ),
            ProfileOperations(account=self.account, clock=clock),
            AutoResponseOperations(account=self.account, clock=clock),
            MetricOperations(account=self.account, clock=clock),
            OwnSenderOperations(account=self.account, clock=clock),
            AccountOperations(account=self.account, webhooks=self._webhooks),
            DetailRecordOperations(account=self.account, clock=clock),
        )
        self._server = Server(patience=timedelta(seconds=0.2))
        self._deliveries: dict[str, Delivery] = {}

    # --- running

    def app(self) -> web.Application:
        """Return a new application: the API under `/v2`, inbound media under `/media`."""
        routes = [route for operations in self._operations for route in operations.list_routes()]
        media = Route(method="GET", path="/media/{token}/{filename}", handler=self._serve_media, prefix="", open=True)
        app = self._door.build_app([*routes, media])
        app.cleanup_ctx.append(self._run_background)
        return app

    async def _run_background(self, _app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as session:
            self._webhooks.session = session
            self._lifecycle.resume()
            yield
            await self._chores.stop()
            self._webhooks.session = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; with port 0 on a free one. A stopped simulator can be started again and still knows everything."""
        self._inbound.origin = await self._server.start(self.app(), host, port)

    async def stop(self) -> None:
        """Close the server and end everything under way; raises what went wrong in the simulator itself."""
        await self._server.stop()

    async def settle(self) -> None:
        """
        Return once nothing is under way: no webhook, no retry, no step of a message's life.

        What sleeps on a manual clock counts as settled, since only its owner can move it; so does a scheduled message.
        """
        await self._chores.settle()

    @property
    def url(self) -> str:
        """The API's base address; only while started."""
        if not self._inbound.origin:
            message = "the simulated carrier is not started"
            raise RuntimeError(message)
        return f"{self._inbound.origin}{PREFIX}"

    @property
    def public_key(self) -> str:
        """The base64 Ed25519 public key of the webhooks' signatures."""
        return self._webhooks.public_key

    def sign(self, body: bytes) -> dict[str, str]:
        """Return the headers with which the carrier would sign *body* now."""
        return self._webhooks.sign(body)

    # --- the account

    @property
    def profile(self) -> Profile:
        """The messaging profile that the simulator was made with."""
        return self.account.recall_profile(self.account.default_profile_id)

    @property
    def profile_webhook_url(self) -> str | None:
        """Where the profile's webhooks go."""
        return self.profile.webhook_url

    @profile_webhook_url.setter
    def profile_webhook_url(self, url: str | None) -> None:
        self.profile.webhook_url = url

    @property
    def switches(self) -> Switches:
        """What can be set differently about the platform as a whole."""
        return self.account.switches

    def add_number(
        self, number: str, *, profile_id: str | None = None, mms: bool = True, hosted: bool = False
    ) -> OwnNumber:
        """Give the account a number, by default on its first profile; digits alone make a short code."""
        kind = NumberKind.TOLL_FREE if number.startswith(_TOLL_FREE) else NumberKind.LONG_CODE
        number_id = str(1_293_384_261_075_731_400 + len(self.account.numbers))
        if not number.startswith("+"):
            kind, number_id = NumberKind.SHORT_CODE, str(uuid.uuid4())
        now = self.clock.now()
        own = OwnNumber(
            id=number_id,
            number=number,
            kind=kind,
            country_code=find_region(number) or "US",
            created_at=now,
            updated_at=now,
            profile_id=profile_id or self.account.default_profile_id,
            mms=mms,
            hosted=hosted,
        )
        self.account.numbers[number] = own
        return own

    def host_number(self, number: str, *, status: str = "successful") -> OwnNumber:
        """Host another provider's number, and tell its profile that its order has got so far."""
        own = self.account.numbers.get(number) or self.add_number(number, hosted=True)
        order = {
            "record_type": "messaging_hosted_number_order",
            "id": str(uuid.uuid4()),
            "messaging_profile_id": own.profile_id,
            "status": status,
            "phone_numbers": [
                {
                    "record_type": "messaging_hosted_number",
                    "id": own.id,
                    "phone_number": own.number,
                    "status": status,
                }
            ],
        }
        profile = self.account.get_profile(own.profile_id or self.account.default_profile_id)
        self._webhooks.emit_notice("messaging_hosted_numbers_orders.updated", profile, order)
        return own

    def reach_spend_limit(self) -> None:
        """Use the first profile's money of today up: sends are refused from now on, and the event says so."""
        self.switches.spend_limit_reached = True
        self._spending.tell(self.profile)

    def add_sender_name(self, name: str, *, profile_id: str | None = None) -> SenderName:
        """Give the account a name that texts may come from, by default on its first profile."""
        added = SenderName(id=str(uuid.uuid4()), name=name, profile_id=profile_id or self.account.default_profile_id)
        self.account.sender_names[added.id] = added
        return added

    def add_autoresponse(self, *, op: str, keywords: Sequence[str], text: str, country: str = "*") -> AutoResponse:
        """Give the first profile an automatic answer."""
        now = self.clock.now()
        answer = AutoResponse(
            id=str(uuid.uuid4()),
            profile_id=self.account.default_profile_id,
            created_at=now,
            updated_at=now,
            op=op,
            keywords=list(keywords),
            country_code=country,
            resp_text=text,
        )
        self.account.autoresponses[answer.id] = answer
        return answer

    def set_outcome(self, number: str, outcome: Outcome | None) -> None:
        """Decide how messages to *number* end from now on; None: delivered."""
        if outcome is None:
            self.account.outcomes.pop(number, None)
        else:
            self.account.outcomes[number] = outcome

    def block(self, *, sender: str, person: str, keyword: str | None = None) -> None:
        """Opt *person* out of *sender*'s profile without a text: by the carrier's AI, or before this account's time."""
        self._inbound.block(sender=sender, person=person, keyword=keyword)

    def lift(self, *, sender: str, person: str) -> None:
        """Take a block back without a text."""
        self._inbound.lift(sender=sender, person=person)

    # --- the phones

    async def text_in(
        self,
        *,
        from_: str,
        to: str,
        text: str | None,
        media: Sequence[Media] = (),
        cc: Sequence[str] = (),
        subject: str | None = None,
        message_id: str | None = None,
        whatsapp: bool = False,
    ) -> str:
        """
        Text one of our numbers as the customer *from_* does; returns the message's id, the webhook follows by itself.

        *whatsapp*: by WhatsApp, which the number must have.

        Giving the *message_id* of an earlier text sends that message again under a new event.
        """
        message, delivery = self._inbound.receive(
            from_=from_,
            to=to,
            text=text,
            media=media,
            cc=cc,
            subject=subject,
            message_id=message_id,
            whatsapp=whatsapp,
        )
        self._deliveries[message.id] = delivery
        return message.id

    async def redeliver(self, message_id: str) -> None:
        """Send the event of an inbound text once more, as it was, in the background; raises KeyError if unknown."""
        self._webhooks.send_data(self._deliveries[message_id].data, self.account.messages[message_id])

    def tell_again(self, attempt: WebhookAttempt) -> None:
        """Send an old event of a message as a new one, in the background: late, and out of all order."""
        self._webhooks.tell_again(attempt, self.account.messages[attempt.message_id])

    def click(self, message_id: str, url: str, *, person: str | None = None) -> None:
        """Open a link of our message as its recipient; raises KeyError if unknown."""
        message = self.account.messages[message_id]
        self._webhooks.emit_click(message, person=person or message.recipients[0].number, url=url)

    def phone(self, number: str) -> list[PhoneText]:
        """Return what the phone *number* has received, the carrier's own answers included, oldest first."""
        return self._phones.read_received(number)

    def screen(self, number: str) -> list[PhoneText]:
        """Return everything on the phone *number*, sent and received, oldest first."""
        return self._phones.read_screen(number)

    def list_phones(self) -> list[str]:
        """Return the numbers of the phones that have sent or received anything."""
        return self._phones.list_numbers()

    @property
    def listeners(self) -> list[PhoneListener]:
        """Who is called with (number, text) for each new text on any phone; append to it."""
        return self._phones.listeners

    # --- what a test looks at

    @property
    def sends(self) -> list[Send]:
        """Every message that the API accepted, oldest first; replays under one key are none."""
        return self.account.sends

    @property
    def requests(self) -> list[ApiRequest]:
        """Every request that came, oldest first, whatever became of it."""
        return self._door.requests

    @property
    def webhooks(self) -> list[WebhookAttempt]:
        """Every attempt to deliver an event, oldest first."""
        return self._webhooks.attempts

    async def _serve_media(self, call: ApiRequest) -> web.Response:
        if self.switches.media_needs_key and call.headers.get("Authorization") != f"Bearer {self.account.api_key}":
            raise RequestDeniedError("10009", status=HTTPStatus.UNAUTHORIZED)
        media = self._inbound.find_served(call.match["token"], call.match["filename"])
        if media is None:
            raise RequestDeniedError("10005")
        return web.Response(body=media.content, content_type=media.content_type)
