"""Who may change how Textbridge behaves for others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.ids import UserId
from bot.errors import NotAllowed
from bot.flows.permissions import check_administrator, may_administer
from bot.ports import Person, Standing
from bot.settings import load_settings
from tests.doubles.bench import make_policy

ANN = UserId("U0ANN")
PLAIN = make_policy()
NAMED = replace(PLAIN, admins=frozenset({ANN}))


def make_person(*, standing: Standing = Standing.MEMBER, is_admin: bool = False) -> Person:
    return Person(id=ANN, name="Ann", zone=None, standing=standing, is_admin=is_admin)


@pytest.mark.parametrize(
    ("is_admin", "is_named", "may"),
    [(False, False, False), (True, False, True), (False, True, True), (True, True, True)],
)
def test_admins_of_the_workspace_and_those_named_may_administer(is_admin: bool, is_named: bool, may: bool) -> None:
    assert may_administer(make_person(is_admin=is_admin), NAMED if is_named else PLAIN) is may


@pytest.mark.parametrize("standing", [standing for standing in Standing if standing is not Standing.MEMBER])
def test_nobody_else_may_however_they_are_named(standing: Standing) -> None:
    assert not may_administer(make_person(standing=standing, is_admin=True), NAMED)


def test_who_may_not_is_told_whom_to_ask() -> None:
    with pytest.raises(NotAllowed) as refused:
        check_administrator(make_person(), replace(PLAIN, admins=frozenset({UserId("U0BEN")})), what="do this")
    assert refused.value.person.startswith("🚫 Only an admin of this workspace, or <@U0BEN>, may do this.")

    check_administrator(make_person(), NAMED, what="do this")


@pytest.mark.parametrize(
    ("value", "admins"),
    [("", ()), ("U0ANN", ("U0ANN",)), (" U0ANN , W0BEN,", ("U0ANN", "W0BEN")), ("U0ANN,U0ANN", ("U0ANN",))],
)
def test_the_setting_is_a_list_of_user_ids(value: str, admins: tuple[str, ...]) -> None:
    assert load_settings(env_file=None, **NEEDED, admins=value).admins == admins


@pytest.mark.parametrize("value", ["@ann", "Ann", "U0ANN W0BEN", "C0TEXTS", "U0ANN,ann"])
def test_what_is_no_list_of_user_ids_is_told(value: str) -> None:
    with pytest.raises(Exception, match="ADMINS is wrong"):
        load_settings(env_file=None, **NEEDED, admins=value)


NEEDED = {
    "slack_bot_token": "xoxb-made-up",
    "slack_signing_secret": "made-up",
    "slack_channel": "C0TEXTS",
    "telnyx_api_key": "KEYmade-up",
    "telnyx_public_key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "telnyx_phone_number": "+13125550100",
}
