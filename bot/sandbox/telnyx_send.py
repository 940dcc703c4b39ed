"""What the carrier demands of a message before it accepts it, for each of its send operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.sandbox.telnyx_encoding import Encoding, is_gsm7, measure_text, simplify_text
from bot.sandbox.telnyx_errors import RequestDeniedError
from bot.sandbox.telnyx_fields import Fields, SendForm
from bot.sandbox.telnyx_http import read_moment
from bot.sandbox.telnyx_senders import Senders, find_region, is_number
from bot.sandbox.telnyx_spending import Spending
from bot.sandbox.telnyx_state import (
    Account,
    Direction,
    Json,
    Message,
    MessageType,
    OutcomeKind,
    Profile,
    Recipient,
    Status,
    make_message_id,
)

_VALID_FOR = timedelta(hours=1)
_MMS_REGIONS = ("US", "CA")
_GROUP_AT_MOST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    text: str | None
    subject: str | None
    urls: tuple[str, ...]
    is_mms: bool


@dataclass(slots=True)
class MessageDesk:
    """Turns requests into accepted messages, or denies them."""

    account: Account
    clock: Clock
    senders: Senders
    spending: Spending

    def accept(self, form: SendForm, given: Json) -> Message:
        """Return the message that *given* asks for, kept in the account; raises RequestDeniedError."""
        fields = Fields(given)
        people = self._read_people(form, fields)
        profile, sender = self.senders.choose_sender(form, fields, people)
        if not profile.enabled:
            raise RequestDeniedError("40312", detail=f"The specified messaging profile {profile.id} is disabled.")
        message = self._compose(form, fields, profile, sender, people)
        self._check_route(message, profile)
        self.spending.check(message, profile)
        self._check_people(message)
        self.account.messages[message.id] = message
        return message

    def _read_people(self, form: SendForm, fields: Fields) -> list[str]:
        to = fields.given.get("to")
        if to is None:
            raise RequestDeniedError("10004", pointer="/to", detail="A required parameter was missing: to")
        if form is SendForm.GROUP:
            if not isinstance(to, list) or not to:
                raise RequestDeniedError("10026", pointer="/to", detail="to must be a non-empty array.")
            if len(to) > _GROUP_AT_MOST:
                raise RequestDeniedError(
                    "10033", pointer="/to", detail=f"A group has at most {_GROUP_AT_MOST} recipients."
                )
            people = list(dict.fromkeys(to))
        else:
            people = [to]
        for person in people:
            if not isinstance(person, str) or not is_number(person):
                raise RequestDeniedError("40310", pointer="/to")
        return people

    def _compose(self, form: SendForm, fields: Fields, profile: Profile, sender: str, people: Sequence[str]) -> Message:
        content = self._read_content(form, fields)
        if content.is_mms:
            content = self._route_mms(content, profile, sender, people)
        text = content.text
        simplified = simplify_text(text) if text and profile.smart_encoding and not content.is_mms else text
        if text and not simplified:
            raise RequestDeniedError("40316", pointer="/text")
        encoding, parts = self._count(fields, simplified or "", is_mms=content.is_mms)
        now = self.clock.now()
        send_at = self._read_send_at(form, fields, now)
        status = Status.QUEUED if send_at is None else Status.SCHEDULED
        return Message(
            id=make_message_id(),
            direction=Direction.OUTBOUND,
            type=MessageType.MMS if content.is_mms else MessageType.SMS,
            from_=sender,
            recipients=[Recipient(number=person, status=status) for person in people],
            profile_id=profile.id,
            text=text,
            subject=content.subject,
            received_at=now,
            encoding=encoding,
            parts=parts,
            media_urls=content.urls,
            webhook_url=fields.url("webhook_url"),
            webhook_failover_url=fields.url("webhook_failover_url"),
            use_profile_webhooks=fields.flag("use_profile_webhooks", usual=True),
            send_at=send_at,
            valid_until=now + _VALID_FOR if send_at is None else None,
            group=form is SendForm.GROUP,
            smart_encoding_applied=simplified != text,
        )

    def _read_content(self, form: SendForm, fields: Fields) -> _Content:
        text = fields.text("text") or None
        subject = fields.text("subject") or None
        urls = fields.urls("media_urls")
        kind = fields.choice("type", ("SMS", "MMS"))
        if not text and not urls:
            raise RequestDeniedError("40316", pointer="/text")
        if urls and len(urls) > self.account.switches.maximum_media:
            raise RequestDeniedError("40317", pointer="/media_urls")
        only_text = kind == MessageType.SMS or form is SendForm.ALPHANUMERIC
        if only_text and (urls is not None or subject):
            raise RequestDeniedError("40304")
        # the key `media_urls` alone makes an MMS, even with an empty list behind it
        is_mms = form is SendForm.GROUP or urls is not None or kind == MessageType.MMS
        return _Content(text=text, subject=subject if is_mms else None, urls=urls or (), is_mms=is_mms)

    def _route_mms(self, content: _Content, profile: Profile, sender: str, people: Sequence[str]) -> _Content:
        """Return *content* as it can travel: abroad there is no MMS, only what the profile may put in its place."""
        own = self.account.numbers.get(sender)
        if own is None or not own.mms or own.country_code not in _MMS_REGIONS:
            raise RequestDeniedError("40308", pointer="/from")
        abroad = [person for person in people if find_region(person) not in _MMS_REGIONS]
        if not abroad:
            return content
        if not profile.mms_fall_back_to_sms:
            detail = f"Sending messages from {sender} to {abroad[0]} is currently unsupported."
            raise RequestDeniedError("40301", pointer="/to", detail=detail)
        text = "\n".join(part for part in (content.text, *content.urls) if part)
        return _Content(text=text, subject=None, urls=(), is_mms=False)

    def _count(self, fields: Fields, text: str, *, is_mms: bool) -> tuple[Encoding, int]:
        wish = fields.choice("encoding", ("auto", "gsm7", "ucs2"))
        if wish == "gsm7" and not is_gsm7(text):
            raise RequestDeniedError("40009", pointer="/text", detail="The text cannot be encoded in GSM-7.")
        force = {"gsm7": Encoding.GSM7, "ucs2": Encoding.UCS2}.get(wish or "auto")
        measure = measure_text(text, force=force)
        if is_mms:
            return measure.encoding, 1
        most = self.account.switches.maximum_parts
        if measure.parts > most:
            detail = f"The SMS message would be divided into {measure.parts} parts. The maximum is {most}."
            raise RequestDeniedError("40302", pointer="/text", detail=detail)
        recommended = self.account.switches.recommended_parts
        if fields.flag("auto_detect", usual=False) and measure.parts > recommended:
            detail = (
                f"The SMS message would be divided into {measure.parts} parts. Messages over {recommended} "
                "should be sent by MMS or by adding auto_detect=False."
            )
            raise RequestDeniedError("40328", pointer="/text", detail=detail)
        return measure.encoding, measure.parts

    def _read_send_at(self, form: SendForm, fields: Fields, now: datetime) -> datetime | None:
        written = fields.given.get("send_at")
        if written is None or form not in (SendForm.ANY, SendForm.SCHEDULE):
            return None
        moment = read_moment(written)
        if moment is None:
            raise RequestDeniedError("10015", pointer="/send_at", detail="send_at must be an ISO 8601 date-time.")
        switches = self.account.switches
        if not now + switches.minimum_schedule <= moment <= now + switches.maximum_schedule:
            raise RequestDeniedError(
                "10033", pointer="/send_at", detail="send_at must be at least 5 minutes and at most 5 days from now."
            )
        return moment

    def _check_route(self, message: Message, profile: Profile) -> None:
        allowed = profile.whitelisted_destinations
        for recipient in message.recipients:
            region = find_region(recipient.number)
            if region is not None and "*" not in allowed and region not in allowed:
                detail = (
                    f"The region {region} for the destination {recipient.number} is not included in the messaging "
                    "profile's whitelisted destinations."
                )
                raise RequestDeniedError("40309", pointer="/to", detail=detail)

    def _check_people(self, message: Message) -> None:
        for recipient in message.recipients:
            if self.account.is_blocked(message.profile_id, recipient.number):
                pair = f"from {message.from_} to {recipient.number}"
                detail = f"Messages cannot be sent {pair} due to an existing block rule."
                status = self.account.switches.optout_status
                raise RequestDeniedError("40300", status=status, pointer="/to", detail=detail)
        for recipient in message.recipients:
            recipient.outcome = self.account.take_outcome(recipient.number)
            outcome = recipient.outcome
            if outcome.kind is OutcomeKind.REFUSED:
                raise RequestDeniedError(
                    outcome.code or "40001", detail=outcome.detail, status=outcome.http_status, pointer="/to"
                )
