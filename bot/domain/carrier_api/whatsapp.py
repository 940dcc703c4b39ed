"""The content of a WhatsApp message: one of eleven kinds, named by its `type`."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.carrier_api.fields import Field, FieldProblem, Kind

_MEDIA_KINDS = ("audio", "document", "image", "sticker", "video")
_KINDS = (*_MEDIA_KINDS, "interactive", "location", "template", "reaction", "contacts", "text")
_MEDIA_PARTS = (
    Field(name="link", kind=Kind.URL, says="where it is fetched from"),
    Field(name="caption", says="the words beneath it"),
    Field(name="filename", says="its name, with the extension"),
    Field(name="voice", kind=Kind.FLAG, says="whether it is a voice message"),
)
_TEMPLATE_PARTS = (
    Field(name="template_id", says="the template's id, in place of name and language"),
    Field(name="name", says="its name, as registered with Meta"),
    Field(
        name="language",
        kind=Kind.OBJECT,
        says="its language",
        parts=(
            Field(name="code", required=True, says="such as en_US"),
            Field(name="policy", says="such as deterministic"),
        ),
    ),
    Field(name="components", kind=Kind.FREE, many=True, says="what fills its places"),
)

WHATSAPP_MESSAGE = Field(
    name="whatsapp_message",
    kind=Kind.OBJECT,
    required=True,
    private=True,
    says="what to say, by its type; a text only within 24 hours of their last message, else a template",
    parts=(
        Field(name="type", choices=_KINDS, says="which of the following it is"),
        Field(
            name="text",
            kind=Kind.OBJECT,
            says="words",
            parts=(
                Field(name="body", required=True, says="the words"),
                Field(name="preview_url", kind=Kind.FLAG, says="whether a link is shown with a preview"),
            ),
        ),
        *(Field(name=kind, kind=Kind.OBJECT, parts=_MEDIA_PARTS, says=f"a file: {kind}") for kind in _MEDIA_KINDS),
        Field(name="template", kind=Kind.OBJECT, parts=_TEMPLATE_PARTS, says="a message that Meta has approved"),
        Field(
            name="location",
            kind=Kind.OBJECT,
            says="a place",
            parts=(
                Field(name="latitude", says="degrees north"),
                Field(name="longitude", says="degrees east"),
                Field(name="name", says="what it is called"),
                Field(name="address", says="where it is"),
            ),
        ),
        Field(
            name="reaction",
            kind=Kind.OBJECT,
            says="an emoji on one of their messages",
            parts=(
                Field(name="message_id", says="which message"),
                Field(name="emoji", least=0, says="the emoji; empty takes it off"),
            ),
        ),
        Field(name="contacts", kind=Kind.FREE, many=True, says="cards of people"),
        Field(name="interactive", kind=Kind.FREE, says="buttons, lists and the like"),
        Field(name="biz_opaque_callback_data", says="comes back with each event of it"),
    ),
)


def check_whatsapp(ready: Mapping[str, object]) -> FieldProblem | None:
    """Return what is wrong where the content and its type do not go together."""
    content = ready.get(WHATSAPP_MESSAGE.name)
    if not isinstance(content, Mapping):
        return None
    kinds = [kind for kind in _KINDS if kind in content]
    said = content.get("type")
    if not kinds:
        return FieldProblem(name=WHATSAPP_MESSAGE.name, says=f"must hold one of {', '.join(_KINDS)}")
    if len(kinds) > 1:
        return FieldProblem(name=WHATSAPP_MESSAGE.name, says=f"holds {' and '.join(kinds)}; it can be only one")
    if said is not None and said != kinds[0]:
        return FieldProblem(name=f"{WHATSAPP_MESSAGE.name}.type", says=f"says {said}, but it holds {kinds[0]}")
    return None
