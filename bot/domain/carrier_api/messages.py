"""Operations on messages: nine ways to send, three to look up or take back."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.carrier_api.fields import Field, FieldProblem, Kind
from bot.domain.carrier_api.operation import Answer, Operation, Resource, path_id
from bot.domain.carrier_api.whatsapp import WHATSAPP_MESSAGE, check_whatsapp

#: Telnyx error 40317 and its group messaging guide.
_MOST_MEDIA = 10
_MOST_IN_GROUP = 8

_OURS = "+13125550100"
_THEIRS = "+14155550101"
_PROFILE = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
_SCHEDULED = "40385f64-5717-4562-b3fc-2c963f66afa6"
_GROUP = "40315f64-5717-4562-b3fc-2c963f66afa6"
_WEBHOOKS = (
    Field(name="webhook_url", kind=Kind.URL, says="where this message's events go, before the profile's address"),
    Field(name="webhook_failover_url", kind=Kind.URL, says="where they go when that address fails"),
    Field(name="use_profile_webhooks", kind=Kind.FLAG, says="whether the profile's addresses are tried as well"),
)
_TO = Field(name="to", kind=Kind.RECIPIENT, required=True, says="whom to text")
_TEXT = Field(name="text", private=True, says="what to say; needed unless there are media")
_PROFILE_ID = Field(
    name="messaging_profile_id",
    kind=Kind.UUID,
    says="the profile that sends; needed for the number pool and for a name",
)
_MEDIA = Field(
    name="media_urls",
    kind=Kind.URL,
    many=True,
    least=1,
    most=_MOST_MEDIA,
    private=True,
    says="pictures or files, below 1 MB in all",
)
_SUBJECT = Field(name="subject", private=True, says="subject of an MMS")
_TYPE = Field(name="type", choices=("SMS", "MMS"), says="how it travels; MMS makes one of a long text, too")
_AUTO_DETECT = Field(name="auto_detect", kind=Kind.FLAG, says="refuse a text of unusually many parts")
_ENCODING = Field(
    name="encoding", choices=("auto", "gsm7", "ucs2"), says="how the text is coded; gsm7 refuses what it cannot hold"
)
_SEND_AT = Field(name="send_at", kind=Kind.MOMENT, says="when to send it, 5 minutes to 5 days from now")
_CONTENT = ("text", "media_urls")


def _number(says: str) -> Field:
    return Field(name="from", kind=Kind.SENDER, required=True, says=says)


def _check_type(ready: Mapping[str, object]) -> FieldProblem | None:
    if ready.get("type") == "SMS" and ("media_urls" in ready or "subject" in ready):
        return FieldProblem(name="type", says="cannot be SMS with media or a subject")
    return None


def _check_name(ready: Mapping[str, object]) -> FieldProblem | None:
    sender = str(ready.get("from", ""))
    if any(character.isalpha() for character in sender) and "messaging_profile_id" not in ready:
        return FieldProblem(name="messaging_profile_id", says="is needed to send under a name")
    return None


SEND = Operation(
    resource=Resource.MESSAGES,
    verb="send",
    method="POST",
    path="/messages",
    says="Send a text from a number, a short code, a name or the number pool, now or later",
    fields=(
        Field(name="from", kind=Kind.SENDER, says="our number, short code or name; none: the profile's number pool"),
        _TO,
        _TEXT,
        _MEDIA,
        _SUBJECT,
        _PROFILE_ID,
        _TYPE,
        _AUTO_DETECT,
        _ENCODING,
        _SEND_AT,
        *_WEBHOOKS,
    ),
    one_of=(("from", "messaging_profile_id"), _CONTENT),
    rules=(_check_type, _check_name),
    example={"from": _OURS, "to": _THEIRS, "text": "Your order is ready."},
    sends=True,
    keyed=True,
    in_slack="`/sms`, or a reply in a thread",
)
SEND_LONG_CODE = Operation(
    resource=Resource.MESSAGES,
    verb="send-long-code",
    method="POST",
    path="/messages/long_code",
    says="Send from an ordinary number",
    fields=(
        _number("our number in E.164"),
        _TO,
        _TEXT,
        _MEDIA,
        _SUBJECT,
        _TYPE,
        _AUTO_DETECT,
        _ENCODING,
        *_WEBHOOKS,
    ),
    one_of=(_CONTENT,),
    rules=(_check_type,),
    example={"from": _OURS, "to": _THEIRS, "text": "Your order is ready.", "auto_detect": True},
    sends=True,
    keyed=True,
    in_slack="`/sms from:<number>`",
)
SEND_SHORT_CODE = Operation(
    resource=Resource.MESSAGES,
    verb="send-short-code",
    method="POST",
    path="/messages/short_code",
    says="Send from a short code",
    fields=(_number("our short code"), _TO, _TEXT, _MEDIA, _SUBJECT, _TYPE, _AUTO_DETECT, _ENCODING, *_WEBHOOKS),
    one_of=(_CONTENT,),
    rules=(_check_type,),
    example={"from": "24365", "to": _THEIRS, "text": "Your code is 123456.", "encoding": "gsm7"},
    sends=True,
    keyed=True,
    in_slack="`/sms from:<short code>`",
)
SEND_POOL = Operation(
    resource=Resource.MESSAGES,
    verb="send-pool",
    method="POST",
    path="/messages/number_pool",
    says="Send from whichever number the profile's pool chooses",
    fields=(
        Field(name="messaging_profile_id", kind=Kind.UUID, required=True, says="the profile whose pool chooses"),
        _TO,
        _TEXT,
        _MEDIA,
        _SUBJECT,
        _TYPE,
        _AUTO_DETECT,
        _ENCODING,
        *_WEBHOOKS,
    ),
    one_of=(_CONTENT,),
    rules=(_check_type,),
    example={"messaging_profile_id": _PROFILE, "to": _THEIRS, "text": "Your order is ready."},
    sends=True,
    keyed=True,
    in_slack="`/sms from:pool`",
)
SEND_NAME = Operation(
    resource=Resource.MESSAGES,
    verb="send-name",
    method="POST",
    path="/messages/alphanumeric_sender_id",
    says="Send under a name (alphanumeric sender id): text only, and nobody can answer it",
    fields=(
        Field(name="from", kind=Kind.SENDER_NAME, required=True, says="the name"),
        _TO,
        Field(name="text", private=True, required=True, says="what to say"),
        Field(name="messaging_profile_id", kind=Kind.UUID, required=True, says="the profile that has the name"),
        *_WEBHOOKS,
    ),
    example={"from": "Acme", "to": "+4915112345678", "text": "Hello from Acme.", "messaging_profile_id": _PROFILE},
    sends=True,
    keyed=True,
    in_slack="`/sms from:<name>`",
)
SEND_GROUP = Operation(
    resource=Resource.MESSAGES,
    verb="send-group",
    method="POST",
    path="/messages/group_mms",
    says="Send one MMS to several people, who see each other's answers",
    fields=(
        _number("our US or Canadian number"),
        Field(
            name="to",
            kind=Kind.RECIPIENT,
            many=True,
            least=1,
            most=_MOST_IN_GROUP,
            required=True,
            says="whom to text",
        ),
        _TEXT,
        _MEDIA,
        _SUBJECT,
        *_WEBHOOKS,
    ),
    one_of=(_CONTENT,),
    example={"from": _OURS, "to": [_THEIRS, "+12125550123"], "text": "We meet at noon."},
    sends=True,
    keyed=True,
    in_slack="`/sms <number>, <number> <text>`",
)
SCHEDULE = Operation(
    resource=Resource.MESSAGES,
    verb="schedule",
    method="POST",
    path="/messages/schedule",
    says="Hand over a text for later",
    fields=(
        Field(name="from", kind=Kind.SENDER, says="our number, short code or name; none: the profile's number pool"),
        _TO,
        _TEXT,
        _MEDIA,
        _SUBJECT,
        _SEND_AT,
        _PROFILE_ID,
        _TYPE,
        _AUTO_DETECT,
        *_WEBHOOKS,
    ),
    one_of=(("from", "messaging_profile_id"), _CONTENT),
    rules=(_check_type, _check_name),
    example={"from": _OURS, "to": _THEIRS, "text": "See you at ten.", "send_at": "2026-12-01T09:00:00Z"},
    sends=True,
    in_slack="`/schedule`",
)
SEND_WHATSAPP = Operation(
    resource=Resource.MESSAGES,
    verb="send-whatsapp",
    method="POST",
    path="/messages/whatsapp",
    says="Send by WhatsApp, from a number that has it",
    fields=(
        Field(name="from", kind=Kind.PHONE, required=True, says="our number with a WhatsApp account"),
        Field(name="to", kind=Kind.WHATSAPP_PERSON, required=True, says="whom to write to"),
        WHATSAPP_MESSAGE,
        Field(name="type", choices=("WHATSAPP",), says="always WHATSAPP"),
        Field(
            name="messaging_profile_id",
            kind=Kind.UUID,
            says="the profile that sends; needed if the number has no SMS",
        ),
        Field(name="webhook_url", kind=Kind.URL, says="where this message's events go"),
    ),
    rules=(check_whatsapp,),
    example={
        "from": _OURS,
        "to": _THEIRS,
        "type": "WHATSAPP",
        "whatsapp_message": {"type": "text", "text": {"body": "Hello from Acme."}},
    },
    sends=True,
    keyed=True,
    in_slack="`/sms from:whatsapp`, or a reply in a WhatsApp thread",
)
GET_MESSAGE = Operation(
    resource=Resource.MESSAGES,
    verb="get",
    method="GET",
    path="/messages/{id}",
    says="Look up one message of the last ten days, sent or received",
    fields=(path_id(says="the message's id"),),
    example={"id": _SCHEDULED},
    in_slack="[Check] beneath a text whose outcome is unknown",
)
GET_GROUP = Operation(
    resource=Resource.MESSAGES,
    verb="group",
    method="GET",
    path="/messages/group/{message_id}",
    says="Look up what became of a group message, recipient by recipient",
    fields=(path_id("message_id", says="the group message's id"),),
    example={"message_id": _GROUP},
    answer=Answer.LIST,
    columns=("to.phone_number", "to.status", "from.phone_number", "type", "parts", "received_at", "completed_at"),
)
CANCEL = Operation(
    resource=Resource.MESSAGES,
    verb="cancel",
    method="DELETE",
    path="/messages/{id}",
    says="Take back a scheduled message, up to a minute before its time",
    fields=(path_id(says="the message's id"),),
    example={"id": _SCHEDULED},
    destroys="The scheduled text will not be sent.",
    in_slack="`/schedule cancel <id>`",
)

MESSAGE_OPERATIONS = (
    SEND,
    SEND_LONG_CODE,
    SEND_SHORT_CODE,
    SEND_POOL,
    SEND_NAME,
    SEND_GROUP,
    SCHEDULE,
    SEND_WHATSAPP,
    GET_MESSAGE,
    GET_GROUP,
    CANCEL,
)
