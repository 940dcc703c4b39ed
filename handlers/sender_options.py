"""What a form offers to send from: the settings' numbers, what the account has beside them, the pool, WhatsApp."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.domain.commands import FromName, FromNumber, FromPool, FromWhatsapp, Sender
from bot.domain.phone import Address
from bot.domain.policy import Policy
from bot.domain.senders import AccountSenders
from bot.flows import wording

BLOCK: Final = "from"
_POOL, _NAME, _WHATSAPP = "pool", "name:", "whatsapp:"
#: Slack's limits for a list of options, and for the label of one.
_MOST_OPTIONS: Final = 100
_LONGEST_LABEL: Final = 75


def build_sender_block(policy: Policy, account: AccountSenders | None) -> list[dict[str, Any]]:
    """Return the block that asks what to send from; none where there is only one answer."""
    options = [
        {"text": {"type": "plain_text", "text": label[:_LONGEST_LABEL]}, "value": value}
        for label, value in _list_choices(policy, account)
    ]
    if len(options) == 1:
        return []
    element = {
        "type": "static_select",
        "action_id": BLOCK,
        "options": options[:_MOST_OPTIONS],
        "initial_option": options[0],
    }
    return [{"type": "input", "block_id": BLOCK, "label": {"type": "plain_text", "text": "From"}, "element": element}]


def _list_choices(policy: Policy, account: AccountSenders | None) -> list[tuple[str, str]]:
    account = account or AccountSenders()
    ours = [policy.our_number, *sorted(policy.our_numbers - {policy.our_number})]
    numbers = dict.fromkeys((*ours, *account.numbers))
    choices = [(wording.name_address(number, policy.region), str(number)) for number in numbers]
    choices += [(f"Short code {code}", str(code)) for code in account.short_codes]
    choices += [
        (f"WhatsApp, {wording.name_address(number, policy.region)}", f"{_WHATSAPP}{number}")
        for number in sorted(policy.whatsapp_numbers)
    ]
    if policy.profile_id:
        if account.has_pool:
            choices.append(("The number pool", _POOL))
        choices += [(f"{name} (they cannot answer)", f"{_NAME}{name}") for name in account.names]
    return choices


def read_sender(chosen: object) -> Sender | None:
    """Return what the chosen option of the block means; None where nothing was asked."""
    if not isinstance(chosen, Mapping):
        return None
    value = str(chosen.get("value", ""))
    if value == _POOL:
        return FromPool()
    if value.startswith(_NAME):
        return FromName(name=value.removeprefix(_NAME))
    if value.startswith(_WHATSAPP):
        return FromWhatsapp(address=Address(value.removeprefix(_WHATSAPP)))
    return FromNumber(address=Address(value)) if value else None
