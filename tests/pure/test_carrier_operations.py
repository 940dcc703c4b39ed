"""The table of the carrier's operations: what it says, and what it lets out."""

from __future__ import annotations

import re
import string
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given as any_of
from hypothesis import strategies as st

from bot.cli.carrier_fields import name_option
from bot.domain.carrier_api.fields import Field, Kind, Place, check_fields
from bot.domain.carrier_api.messages import SCHEDULE, SEND, SEND_GROUP, SEND_NAME, SEND_POOL, SEND_WHATSAPP
from bot.domain.carrier_api.operation import Answer, Operation, list_recipients, plan_call, tell_harm
from bot.domain.carrier_api.profiles import (
    CREATE_AUTORESPONSE,
    CREATE_PROFILE,
    DELETE_PROFILE,
    GET_PROFILE,
    REGENERATE_SECRET,
    UPDATE_PROFILE,
)
from bot.domain.carrier_api.senders import GET_HOSTED, LIST_OPTOUTS, UNBIND_SHORT_CODE, UPDATE_NUMBER
from bot.domain.carrier_api.table import OPERATIONS
from bot.errors import FieldsWrong

by_name = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
OURS, THEIRS = "+13125550100", "+14155550101"
PROFILE = str(GET_PROFILE.example["id"])


def refuse(operation: Operation, **given: Any) -> dict[str, str]:
    """Fill *operation* in wrongly; `from_` stands for `from`. Return what is said of each field."""
    with pytest.raises(FieldsWrong) as wrong:
        plan_call(operation, {name.rstrip("_"): value for name, value in given.items()})
    return dict(wrong.value.problems)


# ------------------------------------------------------------------------------------------------------------ the table


@by_name
def test_its_path_names_its_fields_and_its_options_are_its_own(operation: Operation) -> None:
    in_path = [name for _, name, _, _ in string.Formatter().parse(operation.path) if name]
    options = [name_option(field) for field in operation.fields if field.place is not Place.PATH]

    assert in_path == [field.name for field in operation.list_fields(Place.PATH)]
    assert all(field.required for field in operation.list_fields(Place.PATH))
    assert len(set(options)) == len(options)
    assert {"--json", "--yes", "--limit", "--key", "--help"} & set(options) == set()
    assert all(re.fullmatch(r"--[a-z0-9]+(-[a-z0-9]+)*", option) for option in options)


@by_name
def test_it_says_what_it_does_and_what_each_field_is(operation: Operation) -> None:
    assert re.fullmatch(r"[A-Z][^.]{5,}", operation.says)
    assert all(len(field.says) > 4 and not field.says.endswith(".") for field in operation.fields)
    assert operation.destroys == "" or operation.destroys.endswith(".")
    assert (operation.answer is Answer.ONE) or not operation.changes
    assert operation.method in ("GET", "POST", "PATCH", "PUT", "DELETE")


@by_name
def test_whatever_deletes_or_takes_away_is_asked_about_first(operation: Operation) -> None:
    takes_away = operation.method == "DELETE" or bool(operation.fixed) or operation is REGENERATE_SECRET

    assert (tell_harm(operation, operation.example) is not None) == takes_away


def test_no_two_are_called_alike_in_the_shell() -> None:
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)


@by_name
def test_without_its_needed_fields_it_goes_nowhere_and_says_all_that_is_missing(operation: Operation) -> None:
    needed = {field.name for field in operation.fields if field.required}
    if needed:
        assert set(refuse(operation)) == needed


@by_name
def test_no_field_takes_null_that_cannot_be_emptied(operation: Operation) -> None:
    for field in operation.fields:
        given = {**operation.example, field.name: None}
        if field.nullable:
            plan_call(operation, given)
        else:
            with pytest.raises(FieldsWrong) as wrong:
                plan_call(operation, given)
            assert wrong.value.problems == ((field.name, "cannot be null"),)


def test_only_sends_have_recipients() -> None:
    assert list_recipients(SEND, SEND.example) == (THEIRS,)
    assert list_recipients(SEND_GROUP, SEND_GROUP.example) == (THEIRS, "+12125550123")
    assert list_recipients(UPDATE_NUMBER, {"to": THEIRS}) == ()
    assert {each.name for each in OPERATIONS if each.sends} == {
        each.name for each in OPERATIONS if each.path.startswith("/messages") and each.method == "POST"
    }


def test_every_send_but_the_one_for_later_takes_a_key() -> None:
    assert {each.name for each in OPERATIONS if each.sends and not each.keyed} == {SCHEDULE.name}
    assert {each.name for each in OPERATIONS if each.keyed and not each.sends} == set()


# ----------------------------------------------------------------------------------------------------- what goes nowhere


@pytest.mark.parametrize(
    ("operation", "given", "said"),
    [
        (SEND, {"from_": OURS, "to": "415", "text": "x"}, {}),  # a short code
        (SEND, {"from_": OURS, "to": "4155550101", "text": "x"}, {"to": "E.164"}),
        (SEND, {"from_": OURS, "to": THEIRS}, {"text": "media_urls"}),
        (SEND, {"to": THEIRS, "text": "x"}, {"from": "messaging_profile_id"}),
        (SEND, {"from_": "Acme", "to": THEIRS, "text": "x"}, {"messaging_profile_id": "name"}),
        (SEND, {"from_": "A" * 12, "to": THEIRS, "text": "x"}, {"from": "11 letters"}),
        (SEND, {"from_": OURS, "to": THEIRS, "text": "   "}, {"text": "empty"}),
        (SEND, {"from_": OURS, "to": THEIRS, "text": "x", "encoding": "utf8"}, {"encoding": "gsm7"}),
        (SEND, {"from_": OURS, "to": THEIRS, "text": "x", "auto_detect": "yes"}, {"auto_detect": "true or false"}),
        (SEND, {"from_": OURS, "to": THEIRS, "media_urls": []}, {"media_urls": "1 to 10"}),
        (SEND, {"from_": OURS, "to": THEIRS, "media_urls": ["ftp://a.b/c"]}, {"media_urls[0]": "https"}),
        (SEND, {"from_": OURS, "to": THEIRS, "media_urls": ["https://a.b/"] * 11}, {"media_urls": "1 to 10"}),
        (SEND, {"from_": OURS, "to": THEIRS, "media_urls": ["https://a.b/c"], "type": "SMS"}, {"type": "media"}),
        (SEND, {"from_": OURS, "to": THEIRS, "text": "x", "send_at": "tomorrow"}, {"send_at": "date and time"}),
        (SEND, {"from_": OURS, "to": THEIRS, "text": "x", "send_at": "2026-12-01T09:00"}, {"send_at": "zone"}),
        (
            SEND,
            {"from_": OURS, "to": THEIRS, "text": "x", "webhook_url": "https://" + "a" * 2000},
            {"webhook_url": "2000"},
        ),
        (
            SEND_POOL,
            {"messaging_profile_id": "mine", "to": THEIRS, "text": "x"},
            {"messaging_profile_id": "id such as"},
        ),
        (
            SEND_NAME,
            {"from_": "12345", "to": THEIRS, "text": "x", "messaging_profile_id": PROFILE},
            {"from": "a letter"},
        ),
        (SEND_GROUP, {"from_": OURS, "to": THEIRS, "text": "x"}, {"to": "a list"}),
        (SEND_GROUP, {"from_": OURS, "to": [THEIRS] * 9, "text": "x"}, {"to": "1 to 8"}),
        (SEND_WHATSAPP, {"from_": OURS, "to": THEIRS, "whatsapp_message": {}}, {"whatsapp_message": "one of"}),
        (
            SEND_WHATSAPP,
            {"from_": OURS, "to": THEIRS, "whatsapp_message": {"text": {"body": "x"}, "image": {}}},
            {"whatsapp_message": "only one"},
        ),
        (
            SEND_WHATSAPP,
            {"from_": OURS, "to": THEIRS, "whatsapp_message": {"type": "image", "text": {"body": "x"}}},
            {"whatsapp_message.type": "holds text"},
        ),
        (
            SEND_WHATSAPP,
            {"from_": OURS, "to": THEIRS, "whatsapp_message": {"text": {}}},
            {"whatsapp_message.text.body": "needed"},
        ),
        (
            CREATE_PROFILE,
            {"name": "x", "whitelisted_destinations": ["USA"]},
            {"whitelisted_destinations[0]": "capitals"},
        ),
        (CREATE_PROFILE, {"name": "x", "whitelisted_destinations": ["*", "US"]}, {"whitelisted_destinations": "alone"}),
        (UPDATE_PROFILE, {"id": PROFILE}, {"name": "nothing to change"}),
        (UPDATE_PROFILE, {"id": "../../x", "name": "x"}, {"id": "id such as"}),
        (UPDATE_PROFILE, {"id": PROFILE, "daily_spend_limit": "-1"}, {"daily_spend_limit": "dollars"}),
        (UPDATE_PROFILE, {"id": PROFILE, "daily_spend_limit": 12.5}, {"daily_spend_limit": "a text"}),
        (UPDATE_PROFILE, {"id": PROFILE, "redaction_level": 3}, {"redaction_level": "1 to 2"}),
        (UPDATE_PROFILE, {"id": PROFILE, "redaction_level": True}, {"redaction_level": "whole number"}),
        (
            UPDATE_PROFILE,
            {"id": PROFILE, "number_pool_settings": {"toll_free_weight": -1, "skip_unhealthy": 1, "color": "red"}},
            {
                "number_pool_settings.toll_free_weight": "at least 0",
                "number_pool_settings.long_code_weight": "needed",
                "number_pool_settings.skip_unhealthy": "true or false",
                "number_pool_settings.color": "not a field",
            },
        ),
        (UPDATE_NUMBER, {"id": "1/../2", "tags": ["x"]}, {"id": "an id"}),
        (UPDATE_NUMBER, {"id": OURS, "tags": ["x"]}, {"id": "as its list shows it"}),
        (GET_HOSTED, {"id": OURS}, {}),
        (LIST_OPTOUTS, {"created_at[gte]": "last week"}, {"created_at[gte]": "date and time"}),
        (
            CREATE_AUTORESPONSE,
            {"profile_id": PROFILE, "op": "help", "keywords": [], "country_code": "us", "resp_text": "short"},
            {"op": "info", "keywords": "1 to 20", "country_code": "capitals", "resp_text": "at least 20 characters"},
        ),
        (
            CREATE_AUTORESPONSE,
            {"profile_id": PROFILE, "op": "info", "keywords": ["Stop"], "country_code": "*"},
            {"keywords": "another meaning than stop"},
        ),
    ],
)
def test_what_cannot_be_is_told_by_field_in_words(
    operation: Operation, given: dict[str, Any], said: dict[str, str]
) -> None:
    if not said:
        plan_call(operation, {name.rstrip("_"): value for name, value in given.items()})
        return
    told = refuse(operation, **given)
    assert told.keys() == said.keys()
    for name, words in said.items():
        assert words in told[name]


def test_what_is_told_to_the_log_has_no_value_in_it() -> None:
    with pytest.raises(FieldsWrong) as wrong:
        plan_call(SEND, {"from": OURS, "to": "my secret", "text": "hello"})
    assert "my secret" in wrong.value.person
    assert "my secret" not in wrong.value.log


# ---------------------------------------------------------------------------------------------------------- what goes out


def test_a_moment_goes_out_in_utc() -> None:
    moment = datetime(2026, 12, 1, 3, 0, tzinfo=timezone(timedelta(hours=-6)))
    for given in (moment, "2026-12-01T03:00:00-06:00", datetime(2026, 12, 1, 9, 0, tzinfo=UTC)):
        body = plan_call(SCHEDULE, {**SCHEDULE.example, "send_at": given}).body
        assert body is not None
        assert body["send_at"] == "2026-12-01T09:00:00Z"


def test_an_id_in_the_address_cannot_lead_elsewhere() -> None:
    assert plan_call(GET_HOSTED, {"id": "+13125550100"}).path == "/messaging_hosted_numbers/+13125550100"
    for name in ("..", "a/b", "a?b=c", "a#b", "", "a b", "%2e"):
        assert "id" in refuse(GET_HOSTED, id=name)


def test_what_is_always_so_is_in_the_body() -> None:
    assert plan_call(UNBIND_SHORT_CODE, UNBIND_SHORT_CODE.example).body == {"messaging_profile_id": ""}


def test_emptying_is_null_and_leaving_out_is_nothing() -> None:
    body = plan_call(UPDATE_PROFILE, {"id": PROFILE, "webhook_url": None}).body
    assert body == {"webhook_url": None}


@pytest.mark.parametrize(
    ("operation", "given", "harm"),
    [
        (UPDATE_PROFILE, {"enabled": False}, "No text leaves"),
        (UPDATE_PROFILE, {"enabled": True}, None),
        (UPDATE_PROFILE, {"webhook_url": None}, "arrives any more"),
        (UPDATE_PROFILE, {"webhook_url": "https://a.b/"}, None),
        (UPDATE_PROFILE, {}, None),
        (UPDATE_PROFILE, {"number_pool_settings": None}, "pool"),
        (UPDATE_PROFILE, {"number_pool_settings": {"skip_unhealthy": True}}, None),
        (UPDATE_PROFILE, {"webhook_api_version": "1"}, "version 2 only"),
        (UPDATE_PROFILE, {"redaction_enabled": True, "enabled": False}, "No text leaves this profile any more. Texts"),
        (DELETE_PROFILE, {}, "are gone"),
    ],
)
def test_harm_is_told_where_there_is_any(operation: Operation, given: dict[str, Any], harm: str | None) -> None:
    told = tell_harm(operation, given)
    assert (told is None) if harm is None else (told is not None and harm in told)


anything: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@any_of(field=st.sampled_from([field for each in OPERATIONS for field in each.fields]), value=anything)
def test_no_value_breaks_the_check(field: Field, value: object) -> None:
    ready, problems = check_fields([field], {field.name: value})
    assert (field.name in ready) == (not problems)
    assert all(problem.name.startswith(field.name) and problem.says for problem in problems)


@any_of(value=st.text(max_size=40))
def test_what_is_let_into_an_address_is_one_plain_word(value: str) -> None:
    for kind in (Kind.UUID, Kind.KEY, Kind.KEY_OR_PHONE):
        ready, _ = check_fields([Field(name="id", says="an id", kind=kind, required=True)], {"id": value})
        assert not ready or re.fullmatch(r"[A-Za-z0-9_+-]+", value)
