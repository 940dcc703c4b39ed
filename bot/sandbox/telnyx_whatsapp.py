"""WhatsApp messages: what a request says, who may send one, and within which window words of one's own may go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.clock import Clock
from bot.sandbox.telnyx_encoding import measure_text
from bot.sandbox.telnyx_errors import RequestDeniedError
from bot.sandbox.telnyx_fields import Fields
from bot.sandbox.telnyx_senders import is_number
from bot.sandbox.telnyx_spending import Spending
from bot.sandbox.telnyx_state import (
    Account,
    Direction,
    Json,
    Message,
    MessageType,
    OutcomeKind,
    Recipient,
    Status,
    make_message_id,
)

_MEDIA = ("audio", "document", "image", "sticker", "video")
_KINDS = (*_MEDIA, "interactive", "location", "template", "reaction", "contacts", "text")

#: Meta's customer service window: after it only templates that it has approved may be sent.
_WINDOW = timedelta(hours=24)


@dataclass(slots=True)
class WhatsAppDesk:
    """Turns requests into accepted messages, or denies them."""

    account: Account
    clock: Clock
    spending: Spending

    def accept(self, given: Json) -> Message:
        """Return the message that *given* asks for, kept in the account; raises RequestDeniedError."""
        fields = Fields(given)
        sender, person = (self._read_number(fields, name) for name in ("from", "to"))
        own = self.account.numbers.get(sender)
        if own is None or not own.whatsapp or own.profile_id is None:
            raise RequestDeniedError("40305", pointer="/from")
        profile_id = fields.text("messaging_profile_id") or own.profile_id
        profile = self.account.profiles.get(profile_id)
        if profile is None:
            raise RequestDeniedError("10017", pointer="/messaging_profile_id")
        if not profile.enabled:
            raise RequestDeniedError("40312")
        fields.choice("type", ("WHATSAPP",))
        kind, body = self._read_body(fields)
        self._check_person(sender, person, profile_id, kind)
        now = self.clock.now()
        text = find_words(body)
        link = body[kind].get("link") if kind in _MEDIA and isinstance(body[kind], dict) else None
        message = Message(
            id=make_message_id(),
            direction=Direction.OUTBOUND,
            type=MessageType.WHATSAPP,
            from_=sender,
            recipients=[Recipient(number=person, status=Status.QUEUED, outcome=self.account.take_outcome(person))],
            profile_id=profile_id,
            text=text,
            received_at=now,
            encoding=measure_text(text or "").encoding,
            parts=1,
            media_urls=(link,) if link else (),
            webhook_url=fields.url("webhook_url"),
            body=body,
        )
        self.spending.check(message, profile)
        outcome = message.recipients[0].outcome
        if outcome.kind is OutcomeKind.REFUSED:
            raise RequestDeniedError(
                outcome.code or "41000", detail=outcome.detail, status=outcome.http_status, pointer="/to"
            )
        self.account.messages[message.id] = message
        return message

    def _read_number(self, fields: Fields, name: str) -> str:
        number = fields.text(name)
        if not number:
            raise RequestDeniedError("10004", pointer=f"/{name}", detail=f"A required parameter was missing: {name}")
        if not number.startswith("+") or not is_number(number):
            raise RequestDeniedError("10016", pointer=f"/{name}")
        return number

    def _read_body(self, fields: Fields) -> tuple[str, Json]:
        body = fields.given.get("whatsapp_message")
        if not isinstance(body, dict):
            raise RequestDeniedError("10004", pointer="/whatsapp_message")
        kinds = [kind for kind in _KINDS if kind in body]
        if len(kinds) != 1 or body.get("type", kinds[0]) != kinds[0]:
            raise RequestDeniedError(
                "10015", pointer="/whatsapp_message", detail="The content must be one, of the kind that its type says."
            )
        text = body.get("text")
        if kinds[0] == "text" and not (isinstance(text, dict) and text.get("body")):
            raise RequestDeniedError("10004", pointer="/whatsapp_message/text/body")
        return kinds[0], body

    def _check_person(self, sender: str, person: str, profile_id: str, kind: str) -> None:
        if self.account.is_blocked(profile_id, person):
            raise RequestDeniedError("40300", status=self.account.switches.optout_status, pointer="/to")
        heard_at = self.account.whatsapp_heard_at.get((sender, person))
        if kind != "template" and (heard_at is None or self.clock.now() - heard_at > _WINDOW):
            raise RequestDeniedError(
                "41000",
                pointer="/to",
                detail="Re-engagement message (131047): more than 24 hours have passed since the recipient last "
                "wrote to this number. Send a template.",
            )


def find_words(body: Json) -> str | None:
    """Return what a phone shows of a WhatsApp message in words."""
    for kind in _KINDS:
        part = body.get(kind)
        if isinstance(part, dict):
            words = part.get("body") or part.get("caption") or part.get("emoji") or part.get("name")
            return str(words) if words else None
    return None
