from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import consent_words
from bot.domain.consent import (
    Consent,
    ConsentChange,
    ConsentSignal,
    CustomerStarted,
    CustomerStopped,
    Evidence,
    EvidenceSource,
    HandAdded,
    HandRemoved,
    apply,
    read_consent,
)
from bot.domain.ids import MessageId, UserId
from bot.domain.phone import Address
from tests.pure import consent_corpus

KATE = Address("+14155550101")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def corpus() -> list[tuple[str, ConsentSignal]]:
    return [
        (sentence, signal)
        for signal, sentences in (
            (ConsentSignal.STOP, consent_corpus.STOP),
            (ConsentSignal.START, consent_corpus.START),
            (ConsentSignal.HELP, consent_corpus.HELP),
            (ConsentSignal.ASKS_TO_STOP, consent_corpus.ASKS_TO_STOP),
            (ConsentSignal.NONE, consent_corpus.NONE),
        )
        for sentence in sentences
    ]


@pytest.mark.parametrize(("sentence", "signal"), corpus())
def test_each_sentence_of_the_corpus_does_what_its_table_says(sentence: str, signal: ConsentSignal) -> None:
    assert read_consent(sentence, None) is signal


def test_the_corpus_is_large_and_no_sentence_stands_in_it_twice() -> None:
    sentences = [sentence for sentence, _ in corpus()]
    assert len(sentences) >= 300
    assert len(set(sentences)) == len(sentences)


@pytest.mark.parametrize(
    "text",
    [
        "\u0405\u0422\u041e\u0420",  # Cyrillic to the last letter
        "ST\u041eP.",
        "\u0455t\u03bf\u0440 \U0001f6d1",
        "\U0001f182\U0001f183\U0001f17e\U0001f17f",  # in boxes
        "\U0001f1f8\U0001f1f9\U0001f1f4\U0001f1f5",  # in the letters that flags are made of
        "\ua731\u1d1b\u1d0f\u1d18",  # small capitals
        "C\u0410NC\u0415L",
    ],
)
def test_what_is_stop_to_the_eye_is_stop(text: str) -> None:
    assert read_consent(text, None) is ConsentSignal.STOP


@pytest.mark.parametrize(
    "text", ["\u0421\u0442\u043e\u043b", "\u0455t\u0430rt", "\U0001f1fa\U0001f1f8", "\u0440\u0430\u0440\u0435"]
)
def test_what_only_resembles_a_keyword_is_none(text: str) -> None:
    assert read_consent(text, None) is ConsentSignal.NONE


DRESSING = st.text(alphabet=" .,!?…-_*~\"'()🛑😡👍🏽❤️\u200b\u200e\ufeff\n\t", max_size=6)


@given(st.sampled_from(sorted(consent_words.STOP_WORDS)), DRESSING, DRESSING, st.booleans(), st.integers(0, 11))
def test_no_dressing_hides_a_stop_word(word: str, before: str, after: str, upper: bool, styled: int) -> None:
    shown = word.upper() if upper else word
    at = styled % len(shown)
    # One letter in full width, as some keyboards give it.
    full = chr(ord(shown[at]) + 0xFEE0)
    assert read_consent(f"{before}{shown}{after}", None) is ConsentSignal.STOP
    assert read_consent(f"{before}{shown[:at]}{full}{shown[at + 1 :]}{after}", None) is ConsentSignal.STOP


@given(st.text(max_size=80))
def test_no_text_is_beyond_reading(text: str) -> None:
    assert read_consent(text, None) in ConsentSignal


@given(st.text(alphabet=st.characters(categories=["Nd", "So", "Po", "Zs"]), max_size=30))
def test_what_has_no_letters_says_nothing(text: str) -> None:
    assert read_consent(text, None) is ConsentSignal.NONE


@pytest.mark.parametrize("carrier", ["STOP", "stop", "Stop", " stop "])
def test_what_the_carrier_reads_as_stop_is_stop_whatever_the_words(carrier: str) -> None:
    for text in ("please no more of this", "START", "", None, "hola"):
        assert read_consent(text, carrier) is ConsentSignal.STOP


def test_yes_lifts_a_stop_only_where_the_carrier_says_so() -> None:
    assert read_consent("YES", None) is ConsentSignal.NONE
    assert read_consent("YES", "START") is ConsentSignal.START
    assert read_consent("yes", "start") is ConsentSignal.START


def test_where_words_and_carrier_differ_the_one_that_texts_less_wins() -> None:
    assert read_consent("STOP", "START") is ConsentSignal.STOP
    assert read_consent("stop", "HELP") is ConsentSignal.STOP
    assert read_consent("please stop texting me", "START") is ConsentSignal.ASKS_TO_STOP
    assert read_consent("leave me alone", "HELP") is ConsentSignal.ASKS_TO_STOP
    assert read_consent("START", "HELP") is ConsentSignal.START


@pytest.mark.parametrize("carrier", [None, "", "  ", "INFO2", "CUSTOM", "STOPPED"])
def test_a_reading_of_the_carrier_that_nobody_knows_counts_for_nothing(carrier: str | None) -> None:
    assert read_consent("hello", carrier) is ConsentSignal.NONE
    assert read_consent("stop", carrier) is ConsentSignal.STOP


def test_the_carriers_help_is_help() -> None:
    assert read_consent("ayuda", "HELP") is ConsentSignal.HELP


def test_a_long_text_is_read_in_no_time() -> None:
    # Only the sentence in its midst counts; a pattern that backtracks would hang here.
    filler = "stop sending all the these any of my dont i do not want to be get " * 1500
    assert read_consent(filler, None) in ConsentSignal
    assert read_consent(f"the weather is fine. {'la ' * 5000}. please stop texting me. bye now", None) is (
        ConsentSignal.ASKS_TO_STOP
    )


# ------------------------------------------------------------------------------------------------------- the two flags


def keyword(at: datetime = NOON, words: str = "stop") -> Evidence:
    return Evidence(source=EvidenceSource.KEYWORD, at=at, message_id=MessageId("m1"), words=words)


def by_hand(at: datetime = NOON, reason: str = "asked on the phone") -> Evidence:
    return Evidence(source=EvidenceSource.COMMAND, at=at, actor=UserId("U1"), reason=reason)


CHANGES = st.one_of(
    st.builds(
        CustomerStopped,
        evidence=st.builds(
            Evidence,
            source=st.sampled_from(
                [
                    EvidenceSource.KEYWORD,
                    EvidenceSource.CARRIER_WORD,
                    EvidenceSource.CARRIER_REFUSAL,
                    EvidenceSource.CARRIER_LIST,
                ]
            ),
            at=st.integers(0, 20).map(lambda hours: NOON + hours * HOUR),
        ),
    ),
    st.builds(CustomerStarted, at=st.integers(0, 20).map(lambda hours: NOON + hours * HOUR)),
    st.builds(HandAdded, evidence=st.just(by_hand())),
    st.just(HandRemoved()),
)


def after(*changes: ConsentChange) -> Consent:
    consent = Consent(address=KATE)
    for change in changes:
        consent = apply(consent, change)
    return consent


def test_nobody_is_blocked_to_begin_with() -> None:
    assert not Consent(address=KATE).blocked


@pytest.mark.parametrize("source", EvidenceSource)
def test_a_stop_blocks_whatever_told_us(source: EvidenceSource) -> None:
    assert after(CustomerStopped(evidence=Evidence(source=source, at=NOON))).blocked


def test_start_lifts_the_customers_stop() -> None:
    assert not after(CustomerStopped(evidence=keyword()), CustomerStarted(at=NOON + HOUR)).blocked


def test_start_does_not_lift_what_a_teammate_set() -> None:
    consent = after(HandAdded(evidence=by_hand()), CustomerStopped(evidence=keyword()), CustomerStarted(at=NOON + HOUR))
    assert consent.blocked
    assert consent.stopped_by_customer is None
    assert consent.stopped_by_hand == by_hand()


def test_a_removal_by_hand_does_not_lift_what_the_customer_said() -> None:
    consent = after(CustomerStopped(evidence=keyword()), HandAdded(evidence=by_hand()), HandRemoved())
    assert consent.blocked
    assert consent.stopped_by_customer == keyword()
    assert consent.stopped_by_hand is None


def test_a_start_that_is_older_than_the_stop_lifts_nothing() -> None:
    assert after(CustomerStopped(evidence=keyword(NOON + HOUR)), CustomerStarted(at=NOON)).blocked


@pytest.mark.parametrize("source", [EvidenceSource.CARRIER_REFUSAL, EvidenceSource.CARRIER_LIST])
def test_what_the_carrier_alone_tells_is_lifted_by_any_start(source: EvidenceSource) -> None:
    """Its moment is by another clock than the text's; and were it wrong, the carrier still refuses."""
    assert not after(
        CustomerStopped(evidence=Evidence(source=source, at=NOON + HOUR)), CustomerStarted(at=NOON)
    ).blocked


def test_a_start_between_two_stops_lifts_nothing() -> None:
    first, second = keyword(NOON), keyword(NOON + 2 * HOUR, "cancel")
    assert after(
        CustomerStopped(evidence=first), CustomerStopped(evidence=second), CustomerStarted(at=NOON + HOUR)
    ).blocked


def test_a_refusal_of_the_carrier_does_not_replace_the_customers_words() -> None:
    refusal = Evidence(source=EvidenceSource.CARRIER_REFUSAL, at=NOON + HOUR)
    assert (
        after(CustomerStopped(evidence=keyword()), CustomerStopped(evidence=refusal)).stopped_by_customer == keyword()
    )
    assert (
        after(CustomerStopped(evidence=refusal), CustomerStopped(evidence=keyword())).stopped_by_customer == keyword()
    )


@given(st.lists(CHANGES, max_size=12))
def test_no_removal_by_hand_ever_unblocks_whom_the_customer_stopped(changes: list[ConsentChange]) -> None:
    consent = after(*changes)
    assert apply(consent, HandRemoved()).stopped_by_customer == consent.stopped_by_customer
    if consent.stopped_by_customer is not None:
        assert apply(consent, HandRemoved()).blocked


@given(st.lists(CHANGES, max_size=12), CHANGES)
def test_each_change_touches_its_own_flag_and_a_repeat_changes_nothing(
    changes: list[ConsentChange], change: ConsentChange
) -> None:
    before = after(*changes)
    now = apply(before, change)
    assert apply(now, change) == now
    assert now.address == before.address
    if isinstance(change, CustomerStopped | CustomerStarted):
        assert now.stopped_by_hand == before.stopped_by_hand
    else:
        assert now.stopped_by_customer == before.stopped_by_customer


@given(st.lists(CHANGES, max_size=12))
def test_after_the_last_stop_only_a_start_unblocks(changes: list[ConsentChange]) -> None:
    stopped = after(*changes, CustomerStopped(evidence=keyword(NOON + 30 * HOUR)))
    for change in changes:
        stopped = apply(stopped, change)
    assert stopped.blocked
    freed = apply(apply(stopped, CustomerStarted(at=NOON + 31 * HOUR)), HandRemoved())
    assert not freed.blocked
