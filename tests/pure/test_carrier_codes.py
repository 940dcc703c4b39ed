from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.carrier_codes import KNOWN_CODES, FailureKind, explain_code

STOP_TITLE = "Blocked due to STOP message"
#: Words for those who wrote the software, not for those who text with customers.
JARGON = re.compile(
    r"\b(api|http|https|json|e\.164|payload|parameter|endpoint|webhook|mms|sms|throughput|whitelist\w*|upstream|osr"
    r"|resource|authenti\w+|validat\w+|invalid|null|unprocessable|entity|latency|dlr|tcr|ucs-?2|gsm)\b",
    re.IGNORECASE,
)
#: What Telnyx lists for sends and deliveries; numbers, accounts and opt-outs of other products left aside.
SENDS_MEET = {
    *(str(code) for code in range(40001, 40021)),
    *(str(code) for code in range(40300, 40334) if code not in {40323, 40324, 40326, 40332}),
    *("10001", "10002", "10003", "10004", "10005", "10007", "10008", "10009", "10010", "10011", "10014", "10015"),
    *("10016", "10017", "10025", "10027", "10033", "10035", "10036", "10037", "10038", "10039", "40100"),
    *("20001", "20002", "20003", "20006", "20008", "20012", "20013", "20014", "20015", "20016", "20017", "20100"),
}


def test_every_code_that_a_send_can_meet_has_words() -> None:
    assert not SENDS_MEET - KNOWN_CODES


@pytest.mark.parametrize("code", sorted(KNOWN_CODES))
@pytest.mark.parametrize("title", [None, STOP_TITLE])
def test_each_code_has_a_plain_sentence_and_a_next_step(code: str, title: str | None) -> None:
    told = explain_code(code, title, None)
    for words in (told.sentence, told.next_step):
        assert words.endswith(".")
        assert words[0].isupper()
        assert not words.endswith("..")
        assert 12 <= len(words) <= 120
        assert code not in words, "the code is shown beside the sentence, once"
    # The names of settings and commands are not jargon: they are what to look for.
    assert not JARGON.search(re.sub(r"TELNYX_API_KEY|PUBLIC_URL", "", f"{told.sentence} {told.next_step}"))
    assert told.kind in FailureKind


@pytest.mark.parametrize("outcome", ["expired", "sending_failed", "delivery_failed"])
def test_an_outcome_without_a_code_has_words(outcome: str) -> None:
    told = explain_code(outcome, None, None)
    assert "code" not in told.sentence
    assert "Send it again" in told.next_step


def test_40300_is_an_opt_out_only_where_its_words_say_stop() -> None:
    detail = "Messages cannot be sent from +13125550100 to +14155550101 due to an existing block rule."
    assert explain_code("40300", STOP_TITLE, detail).kind is FailureKind.OPTED_OUT
    assert explain_code("40300", "blocked", "recipient sent stop").kind is FailureKind.OPTED_OUT
    assert explain_code("40300", "Destination unreachable", detail).kind is FailureKind.REFUSED
    assert explain_code("40300", "Number on a nonstop block list", None).kind is FailureKind.REFUSED
    assert explain_code("40300", None, None).kind is FailureKind.REFUSED


def test_no_other_code_is_ever_an_opt_out() -> None:
    for code in KNOWN_CODES - {"40300"}:
        assert explain_code(code, STOP_TITLE, STOP_TITLE).kind is not FailureKind.OPTED_OUT
    assert explain_code("99999", STOP_TITLE, None).kind is not FailureKind.OPTED_OUT


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        (FailureKind.RETRY_LATER, {"10007", "10008", "10011", "10036", "10037", "40318", "40320"}),
        (FailureKind.SPEND_LIMIT, {"40333"}),
    ],
)
def test_only_what_may_pass_by_itself_is_tried_again(kind: FailureKind, codes: set[str]) -> None:
    assert {code for code in KNOWN_CODES if explain_code(code, None, None).kind is kind} == codes


@pytest.mark.parametrize(
    "code", ["10009", "10010", "20001", "20002", "20012", "20100", "40010", "40312", "40314", "40329", "40331"]
)
def test_what_stops_everybodys_texts_is_told_apart(code: str) -> None:
    assert explain_code(code, None, None).kind is FailureKind.ACCOUNT


@pytest.mark.parametrize("code", ["40001", "40002", "40008", "40302", "40305", "40310", "40317", "40322"])
def test_what_is_wrong_with_one_text_stops_no_other(code: str) -> None:
    assert explain_code(code, None, None).kind is FailureKind.REFUSED


def test_a_landline_is_told_to_be_called() -> None:
    told = explain_code("40001", "Not routable", "The destination number is a landline.")
    assert "landline" in told.sentence
    assert "Call" in told.next_step


def test_an_unknown_code_is_told_in_the_carriers_words() -> None:
    told = explain_code("49999", "Brand new", "It broke in a new way")
    assert told.sentence == "The carrier says: Brand new. It broke in a new way. (code 49999)."
    assert told.kind is FailureKind.REFUSED
    assert explain_code("49999", "Same.", "Same").sentence == "The carrier says: Same. (code 49999)."
    assert explain_code("49999", None, None).sentence == "The carrier gave no reason (code 49999)."
    assert explain_code("", None, " ").sentence == "The carrier gave no reason (no code)."


def test_a_status_in_the_place_of_a_code_is_understood() -> None:
    assert explain_code("503", None, None).kind is FailureKind.RETRY_LATER
    assert explain_code("429", None, None).kind is FailureKind.RETRY_LATER
    assert explain_code("404", None, None).kind is FailureKind.REFUSED


@pytest.mark.parametrize("code", ["30003", "30007", "47000", "40400", "42201"])
def test_codes_of_other_lists_are_not_guessed_at(code: str) -> None:
    assert code not in KNOWN_CODES
    assert "Some title" in explain_code(code, "Some title", None).sentence


@given(st.text(max_size=12), st.none() | st.text(max_size=40), st.none() | st.text(max_size=40))
def test_anything_the_carrier_may_say_gets_a_sentence_and_a_step(
    code: str, title: str | None, detail: str | None
) -> None:
    told = explain_code(code, title, detail)
    assert told.sentence.endswith(".")
    assert told.next_step.endswith(".")
