"""
The requests that send a text: which operation of the carrier, and its fields.

Sources: Telnyx's OpenAPI description of `POST /messages`, `/messages/group_mms` and `/messages/whatsapp`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from bot.domain.conversation import POOL, Conversation, Medium
from bot.domain.message import Message
from bot.domain.phone import Address, is_phone
from bot.domain.policy import Policy
from bot.domain.whatsapp import build_whatsapp_message
from bot.ports import CarrierRequest


def build_body(
    message: Message,
    conversation: Conversation,
    recipients: list[Address],
    policy: Policy,
    send_at: datetime | None,
    files: Sequence[tuple[str, str]] = (),
) -> tuple[str, dict[str, object]]:
    """
    Return the path and the JSON of the request that sends *message* to *recipients*.

    *files*: the address of each and its media type.
    """
    parties = conversation.parties
    if parties.medium is Medium.WHATSAPP:
        return _build_whatsapp_body(message, conversation, recipients[0], policy, files)
    body: dict[str, object] = {}
    if parties.ours != POOL:
        body["from"] = parties.ours
    group = len(recipients) > 1  # one who is left of a group, the others having opted out, is texted alone
    body["to"] = list(recipients) if group else recipients[0]
    if message.text or not files:
        body["text"] = message.text
    if policy.profile_id and not group and not is_phone(parties.ours):
        body["messaging_profile_id"] = policy.profile_id
    webhook_url = policy.webhook_url(message.id)
    if webhook_url is not None:
        body["webhook_url"] = webhook_url
    if send_at is not None:
        body["send_at"] = send_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    # `media_urls` must not be there for a plain text: even an empty list makes it an MMS.
    if files:
        body["media_urls"] = [url for url, _ in files]
    return ("/messages/group_mms" if group else "/messages"), body


def _build_whatsapp_body(
    message: Message,
    conversation: Conversation,
    recipient: Address,
    policy: Policy,
    files: Sequence[tuple[str, str]],
) -> tuple[str, dict[str, object]]:
    body: dict[str, object] = {
        "from": conversation.parties.ours,
        "to": recipient,
        "type": "WHATSAPP",
        "whatsapp_message": build_whatsapp_message(message.text, files),
    }
    if policy.profile_id:
        body["messaging_profile_id"] = policy.profile_id
    webhook_url = policy.webhook_url(message.id)
    if webhook_url is not None:
        body["webhook_url"] = webhook_url
    return "/messages/whatsapp", body


def list_addressees(request: CarrierRequest) -> set[str]:
    """Return to whom a stored request goes."""
    to = json.loads(request.body)["to"]
    return set(to) if isinstance(to, list) else {to}
