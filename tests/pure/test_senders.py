"""Which of our senders goes with which recipients, and what people are told when one does not."""

from __future__ import annotations

import dataclasses

import pytest

from bot.domain.command_grammar import parse_sms
from bot.domain.commands import FromName, FromNumber, FromPool, FromWhatsapp, Sender, SendText
from bot.domain.conversation import POOL, Medium, is_one_way, make_parties
from bot.domain.phone import Address, find_region, parse_number
from bot.domain.policy import Policy
from bot.domain.senders import AccountSenders, OurSide, choose_side, read_pool
from bot.errors import NotAllowed
from tests.doubles.bench import make_policy

OURS, OURS_TOO, ANA, LONDON = (Address(a) for a in ("+13125550100", "+13125550111", "+14155550101", "+442071838750"))
ACCOUNT = AccountSenders(numbers=(OURS, OURS_TOO), short_codes=(Address("22395"),), names=("AcmeShop",), has_pool=True)
POLICY = dataclasses.replace(
    make_policy(), our_number=OURS, profile_id="profile", whatsapp_numbers=frozenset({OURS_TOO})
)


@pytest.mark.parametrize(
    ("sender", "to", "side"),
    [
        (None, ANA, OurSide(address=OURS)),
        (FromNumber(address=OURS_TOO), ANA, OurSide(address=OURS_TOO)),  # the account's, though no setting names it
        (FromNumber(address=Address("22395")), ANA, OurSide(address=Address("22395"))),
        (FromPool(), ANA, OurSide(address=POOL)),
        (FromName(name="acmeshop"), LONDON, OurSide(address=Address("AcmeShop"))),
        (FromWhatsapp(address=None), LONDON, OurSide(address=OURS_TOO, medium=Medium.WHATSAPP)),
        (FromWhatsapp(address=OURS_TOO), LONDON, OurSide(address=OURS_TOO, medium=Medium.WHATSAPP)),
    ],
)
def test_a_sender_of_ours_becomes_our_side(sender: Sender | None, to: Address, side: OurSide) -> None:
    assert choose_side(sender, [to], POLICY, ACCOUNT) == side


@pytest.mark.parametrize(
    ("sender", "to", "said"),
    [
        (FromNumber(address=Address("+13125550999")), [ANA], "`+13125550100`, `+13125550111`"),
        (FromNumber(address=Address("44444")), [ANA], "Ours are `22395`"),
        (FromName(name="Other"), [LONDON], "Ours are `AcmeShop`"),
        (FromName(name="AcmeShop"), [ANA], "United States, Canada"),
        (FromName(name="AcmeShop"), [LONDON, LONDON], "group message"),
        (FromPool(), [ANA, LONDON], "group message"),
        (FromNumber(address=Address("22395")), [ANA, LONDON], "group message"),
        (FromWhatsapp(address=OURS), [ANA], "Those are `+13125550111`"),
        (FromWhatsapp(address=None), [ANA, LONDON], "one number at a time"),
    ],
)
def test_what_cannot_go_is_refused_with_what_there_is(sender: Sender, to: list[Address], said: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        choose_side(sender, to, POLICY, ACCOUNT)
    assert said in refused.value.person


def test_an_account_that_nobody_has_looked_at_is_no_reason_to_refuse() -> None:
    for sender in (FromNumber(address=Address("44444")), FromName(name="Other"), FromPool()):
        choose_side(sender, [LONDON], POLICY, None)


def test_a_pool_that_the_profile_does_not_have_is_refused() -> None:
    with pytest.raises(NotAllowed):
        choose_side(FromPool(), [ANA], POLICY, AccountSenders())


@pytest.mark.parametrize("sender", [FromPool(), FromName(name="AcmeShop")])
def test_without_a_profile_neither_pool_nor_name_can_be_used(sender: Sender) -> None:
    bare: Policy = dataclasses.replace(POLICY, profile_id=None)
    with pytest.raises(NotAllowed) as refused:
        choose_side(sender, [LONDON], bare, None)
    assert "TELNYX_MESSAGING_PROFILE_ID" in refused.value.person


@pytest.mark.parametrize(
    ("typed", "sender"),
    [
        ("from:whatsapp +14155550101 Hola", FromWhatsapp(address=None)),
        ("from:WhatsApp (415) 555-0101 Hola", FromWhatsapp(address=None)),
        ("from:whatsapp:+13125550111 +14155550101 Hola", FromWhatsapp(address=OURS_TOO)),
        ("from:whatsapp: 312-555-0111 +14155550101 Hola", FromWhatsapp(address=OURS_TOO)),
        ("from:pool +14155550101 Hola", FromPool()),
        ("from:Whatever +14155550101 Hola", FromName(name="Whatever")),
    ],
)
def test_whatsapp_is_typed_as_a_sender(typed: str, sender: Sender) -> None:
    assert parse_sms(typed, "US") == SendText(to=(parse_number(ANA, "US"),), sender=sender, text="Hola")


def test_only_a_name_is_one_way() -> None:
    assert is_one_way(make_parties(Address("AcmeShop"), [LONDON]))
    assert not any(is_one_way(make_parties(ours, [LONDON])) for ours in (OURS, POOL, Address("22395")))


@pytest.mark.parametrize(
    ("number", "region"),
    [(ANA, "US"), ("+16045550101", "CA"), ("+17875550101", "PR"), (LONDON, "GB"), ("+80012345678", None)],
)
def test_a_numbers_country_is_known(number: str, region: str | None) -> None:
    assert find_region(parse_number(number, "US")) == region


@pytest.mark.parametrize(
    ("profile", "has_pool"),
    [
        ({"number_pool_settings": {"long_code_weight": 1}}, True),
        ({"number_pool_settings": None}, False),
        ({"name": "A profile that says nothing of a pool"}, True),
    ],
)
def test_a_pool_is_denied_only_where_the_profile_says_that_there_is_none(
    profile: dict[str, object], has_pool: bool
) -> None:
    assert read_pool(profile) is has_pool
