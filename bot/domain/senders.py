"""
Our side of a text: which of the account's senders goes with which recipients.

A *sender* is what people type or choose (`from:…`); `OurSide` is what the conversation is known by. Sources: Telnyx,
alphanumeric sender ids (not to the United States, Canada and Puerto Rico, one-way, SMS only) and number pools.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from bot.domain.commands import FromName, FromNumber, FromPool, FromWhatsapp, Sender
from bot.domain.conversation import POOL, Medium
from bot.domain.phone import Address, find_region, is_phone
from bot.domain.policy import Policy
from bot.errors import WrongSender

#: Where networks take no texts from a name, and Telnyx sends none.
_NO_NAMES: Final = frozenset({"US", "CA", "PR"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSenders:
    """What the carrier account can send from, as last seen."""

    numbers: tuple[Address, ...] = ()
    short_codes: tuple[Address, ...] = ()
    names: tuple[str, ...] = ()
    has_pool: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OurSide:
    """Our side of a conversation."""

    address: Address
    medium: Medium = Medium.SMS


def read_pool(profile: Mapping[str, object]) -> bool:
    """Tell whether a messaging profile has a number pool; where it says nothing of one, the carrier has the last word."""
    return "number_pool_settings" not in profile or bool(profile["number_pool_settings"])


def choose_side(
    sender: Sender | None, to: Sequence[Address], policy: Policy, account: AccountSenders | None
) -> OurSide:
    """
    Return the side that *sender* means for a text to *to*; *account*: None while nobody has looked yet.

    Raises WrongSender, with what is there to choose from. What the account is not known to have is refused only where
    the account was looked at; else the carrier has the last word.
    """
    match sender:
        case None:
            return OurSide(address=policy.our_number)
        case FromPool():
            _need_profile(policy, "the number pool")
            _refuse_group(to, "from the number pool")
            if account is not None and not account.has_pool:
                raise WrongSender(
                    "🚫 Not sent: the messaging profile has no number pool. Ask whoever looks after the Telnyx account to "
                    "switch it on, or send from one of our numbers."
                )
            return OurSide(address=POOL)
        case FromName(name=name):
            _need_profile(policy, "a sender name")
            return OurSide(address=Address(_check_name(name, to, account)))
        case FromNumber(address=address):
            known = policy.our_numbers | set(account.numbers if account else ())
            if is_phone(address) and address not in known:
                raise WrongSender(f"🚫 Not sent: {address} is not one of our numbers. Ours are {_list(known)}.")
            if not is_phone(address):
                _refuse_group(to, "from a short code")
            codes = () if account is None else account.short_codes
            if not is_phone(address) and codes and address not in codes:
                raise WrongSender(f"🚫 Not sent: {address} is not one of our short codes. Ours are {_list(codes)}.")
            return OurSide(address=address)
        case FromWhatsapp(address=wanted):
            return OurSide(address=_choose_whatsapp(wanted, to, policy), medium=Medium.WHATSAPP)
        case _:
            assert_never(sender)


def _check_name(name: str, to: Sequence[Address], account: AccountSenders | None) -> str:
    """Return the name as the account writes it. Raises WrongSender where no text goes from a name, or from this one."""
    _refuse_group(to, "from a name")
    if any(is_phone(address) and find_region(address) in _NO_NAMES for address in to):
        raise WrongSender(
            "🚫 Not sent: phones in the United States, Canada and Puerto Rico get no texts from a name. Send it from one of "
            "our numbers."
        )
    names = () if account is None else account.names
    found = next((known for known in names if known.casefold() == name.casefold()), None)
    if names and found is None:
        raise WrongSender(f"🚫 Not sent: “{name}” is not one of our sender names. Ours are {_list(names)}.")
    return found or name


def _choose_whatsapp(wanted: Address | None, to: Sequence[Address], policy: Policy) -> Address:
    if not policy.whatsapp_numbers:
        raise WrongSender(
            "🚫 Not sent: none of our numbers is set up for WhatsApp here. Ask whoever runs Textbridge to set WHATSAPP_NUMBERS."
        )
    if len(to) > 1:
        raise WrongSender("🚫 Not sent: a WhatsApp message goes to one number at a time.")
    if wanted is None:
        return policy.our_number if policy.our_number in policy.whatsapp_numbers else min(policy.whatsapp_numbers)
    if wanted not in policy.whatsapp_numbers:
        raise WrongSender(
            f"🚫 Not sent: {wanted} is not one of our numbers with WhatsApp. Those are {_list(policy.whatsapp_numbers)}."
        )
    return wanted


def _refuse_group(to: Sequence[Address], other: str) -> None:
    """Raise WrongSender for a group: Telnyx sends group MMS from long codes only, and its request has to name one."""
    if len(to) > 1:
        raise WrongSender(f"🚫 Not sent: a group message goes from one of our numbers only, not {other}.")


def _need_profile(policy: Policy, what: str) -> None:
    if not policy.profile_id:
        raise WrongSender(
            f"🚫 Not sent: {what} needs a messaging profile. Ask whoever runs Textbridge to set TELNYX_MESSAGING_PROFILE_ID."
        )


def _list(senders: Collection[str]) -> str:
    return ", ".join(f"`{sender}`" for sender in sorted(senders))
