"""The form behind [Contact] on a card, and behind `/sms contact`: who a customer is, and which clock is theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain.actions import Action
from bot.domain.contact import Contact, choose_zones, describe_zone, search_zones
from bot.domain.ids import UserId
from bot.domain.phone import Address
from bot.errors import NotAllowed, RetryLater
from bot.flows import wording
from bot.flows.contacts import MOST_CHARACTERS
from handlers.desk import Desk
from handlers.form_parts import build_outcome, build_trouble, make_plain, open_view

CONTACT_FORM = "contact_form"
_NAME, _ZONE = "name", "zone"
#: Stands for "as their number says".
_BY_NUMBER = "by_number"
#: Slack shows no more options than this.
_MOST_OPTIONS = 100
_LONGEST_LABEL = 75


class ContactForm:
    """Opens the form, offers zones, and takes what is submitted."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, bolt: AsyncApp) -> None:
        """Register the listeners of the form."""
        bolt.view(CONTACT_FORM)(self._submit)
        bolt.options(_ZONE)(self._offer_zones)
        bolt.action(Action.CONTACT.value)(self._open_by_button)

    async def open_by_command(self, address: Address, body: Mapping[str, Any], client: Any) -> None:
        """Open the form for *address*. Raises NotAllowed."""
        await self._open(address, UserId(body["user_id"]), body, client)

    async def _open_by_button(self, ack: AsyncAck, body: Mapping[str, Any], client: Any, respond: Any) -> None:
        await ack()
        address = Address(str(body["actions"][0].get("value", "")))
        try:
            await self._open(address, UserId(body["user"]["id"]), body, client)
        except NotAllowed as error:
            await respond(text=error.person, response_type="ephemeral", replace_original=False)

    async def _open(self, address: Address, user_id: UserId, body: Mapping[str, Any], client: Any) -> None:
        contact = await self._desk.contacts.find_contact(address, user_id)
        await open_view(client.views_open, body, self._build(address, contact))

    def _build(self, address: Address, contact: Contact | None) -> dict[str, Any]:
        name_input: dict[str, Any] = {
            "type": "plain_text_input",
            "action_id": _NAME,
            "max_length": MOST_CHARACTERS,
            "placeholder": make_plain("Ana Diaz"),
        }
        if contact is not None and contact.name:
            name_input["initial_value"] = contact.name
        zone = None if contact is None else contact.zone
        return {
            "type": "modal",
            "callback_id": CONTACT_FORM,
            "title": make_plain("Contact"),
            "submit": make_plain("Save"),
            "close": make_plain("Cancel"),
            "private_metadata": address,
            "blocks": [
                {
                    "type": "section",
                    "text": make_plain(f"📇 {wording.name_address(address, self._desk.policy.region)} ({address})"),
                },
                {
                    "type": "input",
                    "block_id": _NAME,
                    "optional": True,
                    "label": make_plain("Name"),
                    "hint": make_plain("Shown on their card, to the team alone."),
                    "element": name_input,
                },
                {
                    "type": "input",
                    "block_id": _ZONE,
                    "label": make_plain("Time zone"),
                    "hint": make_plain("For quiet hours. Type a city to search."),
                    "element": {
                        "type": "external_select",
                        "action_id": _ZONE,
                        "min_query_length": 0,
                        "initial_option": self._by_number(address) if zone is None else self._option(zone),
                    },
                },
            ],
        }

    def _by_number(self, address: Address) -> dict[str, Any]:
        zones = sorted(choose_zones(address, None))
        if not zones:
            label = "By their number: nobody knows"
        elif len(zones) == 1:
            label = f"By their number: {describe_zone(zones[0], self._desk.clock.now())}"
        else:
            label = f"By their number: one of {len(zones)}, the strictest counts"
        return {"text": make_plain(label[:_LONGEST_LABEL]), "value": _BY_NUMBER}

    def _option(self, zone: str) -> dict[str, Any]:
        return {"text": make_plain(describe_zone(zone, self._desk.clock.now())[:_LONGEST_LABEL]), "value": zone}

    async def _offer_zones(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        typed = str(body.get("value") or "")
        address = Address(str((body.get("view") or {}).get("private_metadata") or ""))
        found = [self._option(zone) for zone in search_zones(typed, _MOST_OPTIONS - 1)]
        await ack(options=[*([] if typed.strip() else [self._by_number(address)]), *found])

    async def _submit(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        view = body["view"]
        values = view["state"]["values"]
        chosen = (values[_ZONE][_ZONE].get("selected_option") or {}).get("value", _BY_NUMBER)
        try:
            answer = await self._desk.contacts.save_contact(
                Address(str(view["private_metadata"])),
                name=values[_NAME][_NAME].get("value"),
                zone=None if chosen == _BY_NUMBER else str(chosen),
                actor=UserId(body["user"]["id"]),
                once=view["id"],
            )
        except (NotAllowed, RetryLater) as error:
            await ack(**build_trouble(view, error.person, _ZONE))
            return
        await ack(response_action="update", view=build_outcome(answer))
