"""What a customer texts: from the phone, past the carrier's own keywords, to the webhook."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from bot.clock import Clock
from bot.sandbox.journal import Journal
from bot.sandbox.telnyx_encoding import measure_text
from bot.sandbox.telnyx_keywords import Keyword, KeywordOp, find_configured, find_keyword, word_reply
from bot.sandbox.telnyx_payloads import render_inbound
from bot.sandbox.telnyx_phones import Phones, PhoneText
from bot.sandbox.telnyx_state import (
    Account,
    Direction,
    Media,
    Message,
    MessageType,
    NumberKind,
    OptOut,
    OwnNumber,
    Recipient,
    Status,
    make_message_id,
)
from bot.sandbox.telnyx_webhooks import Delivery, Webhooks


@dataclass(slots=True, kw_only=True)
class InboundTexts:
    """Takes texts from phones."""

    account: Account
    clock: Clock
    journal: Journal
    phones: Phones
    webhooks: Webhooks
    origin: str = ""  #: Where the media are served; set once the simulator listens.
    _served: dict[str, Media] = field(default_factory=dict)

    def receive(
        self,
        *,
        from_: str,
        to: str,
        text: str | None,
        media: Sequence[Media],
        cc: Sequence[str],
        subject: str | None,
        message_id: str | None,
        whatsapp: bool = False,
    ) -> tuple[Message, Delivery]:
        """
        Take one text to a number of ours; raises LookupError for a number that is not.

        *whatsapp*: it comes by WhatsApp, which knows neither groups nor the carrier's keywords.
        """
        own = self.account.numbers.get(to)
        if own is None or own.profile_id is None or (whatsapp and not own.whatsapp):
            message_ = f"{to} is not a number of the simulated account"
            raise LookupError(message_)
        served = [self._serve(item) for item in media]
        is_mms = bool(served) or bool(cc) or subject is not None
        measure = measure_text(text or "")
        now = self.clock.now()
        keyword = None if is_mms or whatsapp else self._find_keyword(text, own)
        kind = MessageType.WHATSAPP if whatsapp else MessageType.MMS if is_mms else MessageType.SMS
        if whatsapp:
            self.account.whatsapp_heard_at[to, from_] = now
        message = Message(
            id=message_id or make_message_id(),
            direction=Direction.INBOUND,
            type=kind,
            from_=from_,
            recipients=[Recipient(number=to, status=Status.WEBHOOK_DELIVERED, completed_at=now)],
            profile_id=own.profile_id,
            text=text,
            subject=subject,
            media=served,
            received_at=now,
            encoding=measure.encoding,
            parts=1 if is_mms else min(measure.parts, 10),
            cc=tuple(number for number in cc if number not in (from_, to)),
            autoresponse_type=keyword.op.value if keyword else None,
        )
        self.account.messages[message.id] = message
        self._show(message, to)
        self.journal.record(
            at=now,
            source="phone",
            target="telnyx",
            operation="text",
            status=200,
            milliseconds=0.0,
            detail=f"{from_}: {describe(message)}",
        )
        if keyword is not None:
            self._obey(keyword, own, from_, own.profile_id)
        return message, self.webhooks.emit("message.received", message, render_inbound(self.account, message))

    def _find_keyword(self, text: str | None, own: OwnNumber) -> Keyword | None:
        """Return the keyword that *text* is: by the profile's own answers first, but on toll-free numbers the network's."""
        answers = [
            answer
            for answer in self.account.autoresponses.values()
            if answer.profile_id == own.profile_id and answer.country_code in ("*", own.country_code)
        ]
        usual = find_keyword(text, own.kind)
        if usual is not None and own.kind is NumberKind.TOLL_FREE:
            return usual
        return find_configured(text, answers) or usual

    def find_served(self, token: str, filename: str) -> Media | None:
        """Return what is served at `/media/{token}/{filename}`."""
        media = self._served.get(token)
        return media if media is not None and media.filename == filename else None

    def _serve(self, media: Media) -> Media:
        token = str(uuid.uuid4())
        self._served[token] = replace(media, url=f"{self.origin}/media/{token}/{quote(media.filename)}")
        return self._served[token]

    def block(self, *, sender: str, person: str, keyword: str | None) -> None:
        """Put a block rule on the list of *sender*'s profile."""
        profile = self.account.find_profile_of(sender)
        if profile is None:
            message = f"{sender} is not a number of the simulated account"
            raise LookupError(message)
        optout = OptOut(
            profile_id=profile.id, sender=sender, person=person, keyword=keyword, created_at=self.clock.now()
        )
        self.account.optouts.setdefault((profile.id, sender, person), optout)

    def lift(self, *, sender: str, person: str) -> None:
        """Take the block rule between *sender* and *person* off the list, if there is one."""
        profile = self.account.find_profile_of(sender)
        if profile is not None:
            self.account.optouts.pop((profile.id, sender, person), None)

    def _obey(self, keyword: Keyword, own: OwnNumber, person: str, profile_id: str) -> None:
        if keyword.op is KeywordOp.STOP:
            self.block(sender=own.number, person=person, keyword=keyword.word)
        elif keyword.op is KeywordOp.START:
            self.account.optouts.pop((profile_id, own.number, person), None)
        reply = keyword.reply or word_reply(keyword.op, own.kind, help_text=self.account.switches.help_text)
        now = self.clock.now()
        self.phones.show(
            person,
            PhoneText(
                message_id=make_message_id(),
                at=now,
                mine=False,
                from_=own.number,
                to=person,
                text=reply,
                automatic=True,
            ),
        )
        self.journal.record(
            at=now,
            source="telnyx",
            target="phone",
            operation="autoresponse",
            status=200,
            milliseconds=0.0,
            detail=f"{person}: {reply}",
        )

    def _show(self, message: Message, to: str) -> None:
        for phone in (message.from_, *message.cc):
            mine = phone == message.from_
            others = tuple(number for number in (message.from_, *message.cc) if number != phone)
            self.phones.show(
                phone,
                PhoneText(
                    message_id=message.id,
                    at=message.received_at,
                    mine=mine,
                    from_=message.from_,
                    to=to,
                    text=message.text,
                    subject=message.subject,
                    media=tuple(message.media),
                    others=others,
                ),
            )


def describe(message: Message) -> str:
    """Return a message in a few words for a person."""
    longest = 80
    text = message.text or ""
    short = text if len(text) <= longest else f"{text[: longest - 1]}…"
    count = len(message.media) or len(message.media_urls)
    return f"{short} [{count} media]".strip() if count else short
