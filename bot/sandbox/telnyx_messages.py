"""The operations on messages: send in all its forms, look up, cancel."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from bot.clock import Clock
from bot.sandbox.telnyx_errors import RequestDeniedError
from bot.sandbox.telnyx_fields import SendForm
from bot.sandbox.telnyx_http import ApiRequest, Route, answer_data
from bot.sandbox.telnyx_idempotency import IdempotencyKeys
from bot.sandbox.telnyx_inbound import describe
from bot.sandbox.telnyx_lifecycle import LifeCycle
from bot.sandbox.telnyx_payloads import render_acceptance, render_message, render_outbound
from bot.sandbox.telnyx_send import MessageDesk
from bot.sandbox.telnyx_state import Account, Direction, Json, Message, Send, Status
from bot.sandbox.telnyx_whatsapp import WhatsAppDesk

_FINDABLE_FOR = timedelta(days=10)


@dataclass(slots=True, kw_only=True)
class MessageOperations:
    """Answers everything under `/messages`."""

    account: Account
    clock: Clock
    desk: MessageDesk
    whatsapp: WhatsAppDesk
    keys: IdempotencyKeys
    lifecycle: LifeCycle

    def list_routes(self) -> Iterable[Route]:
        """Return the operations."""
        for form in SendForm:
            yield Route(method="POST", path=form.value, handler=functools.partial(self._send, form))
        yield Route(method="POST", path="/messages/whatsapp", handler=self._send_whatsapp)
        yield Route(method="GET", path="/messages/group/{message_id}", handler=self._read_group)
        yield Route(method="GET", path="/messages/{id}", handler=self._read)
        yield Route(method="DELETE", path="/messages/{id}", handler=self._cancel, bare_errors=True)

    async def _send(self, form: SendForm, call: ApiRequest) -> web.Response:
        accept = functools.partial(self.desk.accept, form)
        if form is SendForm.SCHEDULE or not self.account.switches.honour_idempotency:
            return await self._accept(accept, call)
        return await self.keys.answer_once(call, functools.partial(self._accept, accept, call))

    async def _send_whatsapp(self, call: ApiRequest) -> web.Response:
        if not self.account.switches.honour_idempotency:
            return await self._accept(self.whatsapp.accept, call)
        return await self.keys.answer_once(call, functools.partial(self._accept, self.whatsapp.accept, call))

    async def _accept(self, accept: Callable[[Json], Message], call: ApiRequest) -> web.Response:
        await self.account.switches.processing.wait()
        message = accept(call.read_object())
        self.account.sends.append(
            Send(
                message_id=message.id,
                operation=call.operation,
                key=call.headers.get("Idempotency-Key"),
                body=call.body,
                accepted_at=call.at,
                from_=message.from_,
                to=tuple(recipient.number for recipient in message.recipients),
                text=message.text,
                media_urls=message.media_urls,
                send_at=message.send_at,
            )
        )
        call.detail = f"{', '.join(recipient.number for recipient in message.recipients)}: {describe(message)}"
        answer = answer_data(render_acceptance(self.account, message))
        if self.account.switches.receipts_before_answer and message.send_at is None:
            await self.lifecycle.run_now(message)
        else:
            self.lifecycle.begin(message)
        return answer

    async def _read(self, call: ApiRequest) -> web.Response:
        message = self.account.messages.get(call.match["id"])
        if message is None or self.clock.now() - message.received_at > _FINDABLE_FOR:
            raise RequestDeniedError("10005")
        return answer_data(render_message(self.account, message))

    async def _read_group(self, call: ApiRequest) -> web.Response:
        message = self.account.messages.get(call.match["message_id"])
        if message is None or not message.group:
            raise RequestDeniedError("10005")
        return answer_data([render_outbound(self.account, message, only=recipient) for recipient in message.recipients])

    async def _cancel(self, call: ApiRequest) -> web.Response:
        message = self._get_scheduled(call.match["id"])
        for recipient in message.recipients:
            recipient.status = Status.CANCELLED
            recipient.completed_at = self.clock.now()
        return web.json_response(render_outbound(self.account, message))

    def _get_scheduled(self, message_id: str) -> Message:
        message = self.account.messages.get(message_id)
        if message is None or message.direction is not Direction.OUTBOUND:
            raise RequestDeniedError("40303", detail=f"The message with ID {message_id} was not found.")
        scheduled = message.send_at is not None and message.recipients[0].status is Status.SCHEDULED
        if (
            not scheduled
            or message.send_at is None
            or message.send_at - self.clock.now() <= self.account.switches.cancel_margin
        ):
            raise RequestDeniedError(
                "10010", detail="Only a message scheduled for more than a minute from now can be cancelled."
            )
        return message
