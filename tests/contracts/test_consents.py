"""What every implementation of `bot.ports.Consents` promises."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.consent import (
    Consent,
    ConsentChange,
    CustomerStarted,
    CustomerStopped,
    Evidence,
    EvidenceSource,
    HandAdded,
    HandRemoved,
    apply,
)
from bot.domain.ids import MessageId, UserId
from bot.domain.phone import Address
from bot.ports import ConsentEntry, ConsentStep, Store
from tests.contracts.conftest import Kept
from tests.storage.samples import ANA, BOB, NOW


def _evidence(minutes: int = 0, source: EvidenceSource = EvidenceSource.KEYWORD) -> Evidence:
    return Evidence(
        source=source,
        at=NOW + timedelta(minutes=minutes, microseconds=7),
        actor=UserId("U1"),
        message_id=MessageId("m"),
        words="stop",
        reason="asked",
    )


def _change(step: ConsentStep, evidence: Evidence) -> ConsentChange:
    match step:
        case ConsentStep.STOPPED:
            return CustomerStopped(evidence=evidence)
        case ConsentStep.STARTED:
            return CustomerStarted(at=evidence.at)
        case ConsentStep.ADDED:
            return HandAdded(evidence=evidence)
        case ConsentStep.REMOVED:
            return HandRemoved()


async def _record(store: Store, address: Address, step: ConsentStep, evidence: Evidence) -> Consent:
    async with store.transaction("test") as kept:
        return await kept.consents.record(address, _change(step, evidence), evidence)


async def test_who_never_said_anything_may_be_texted(store: Store) -> None:
    async with store.reading() as kept:
        assert await kept.consents.get(ANA) == Consent(address=ANA)
        assert list(await kept.consents.history(ANA)) == []
        assert await kept.consents.list_blocked(offset=0, limit=10) == (0, [])


async def test_a_stop_is_kept_with_all_of_its_evidence_and_for_that_address_only(store: Store) -> None:
    after = await _record(store, ANA, ConsentStep.STOPPED, _evidence())
    assert after == Consent(address=ANA, stopped_by_customer=_evidence())
    async with store.reading() as kept:
        assert await kept.consents.get(ANA) == after
        assert not (await kept.consents.get(BOB)).blocked
        assert list(await kept.consents.history(ANA)) == [ConsentEntry(step=ConsentStep.STOPPED, evidence=_evidence())]


async def test_what_was_said_first_and_told_last_stands_last_among_the_evidence(store: Store) -> None:
    await _record(store, ANA, ConsentStep.STOPPED, _evidence(2))
    await _record(store, ANA, ConsentStep.STARTED, _evidence(1))
    async with store.reading() as kept:
        steps = [entry.step for entry in await kept.consents.history(ANA)]
    assert steps == [ConsentStep.STOPPED, ConsentStep.STARTED]


async def test_each_side_opens_only_its_own_door(store: Store) -> None:
    await _record(store, ANA, ConsentStep.STOPPED, _evidence(1))
    await _record(store, ANA, ConsentStep.ADDED, _evidence(2))
    after = await _record(store, ANA, ConsentStep.REMOVED, _evidence(3))
    assert after == Consent(address=ANA, stopped_by_customer=_evidence(1))
    await _record(store, ANA, ConsentStep.ADDED, _evidence(4))
    after = await _record(store, ANA, ConsentStep.STARTED, _evidence(5))
    assert after == Consent(address=ANA, stopped_by_hand=_evidence(4))


async def test_evidence_is_only_ever_added_to_newest_first(store: Store) -> None:
    steps = [ConsentStep.STOPPED, ConsentStep.STARTED, ConsentStep.STARTED, ConsentStep.ADDED, ConsentStep.REMOVED]
    for number, step in enumerate(steps):
        await _record(store, ANA, step, _evidence(number))
    async with store.reading() as kept:
        history = await kept.consents.history(ANA)
    assert [entry.step for entry in history] == steps[::-1]
    assert [entry.evidence for entry in history] == [_evidence(number) for number in reversed(range(len(steps)))]


async def test_the_blocked_are_listed_newest_first_a_page_at_a_time(store: Store) -> None:
    names = [Address(f"+1773555{number:04}") for number in range(7)]
    for name in names:
        await _record(store, name, ConsentStep.STOPPED, _evidence())
    await _record(store, names[3], ConsentStep.STARTED, _evidence(1))
    await _record(store, names[0], ConsentStep.ADDED, _evidence(2))
    expected = [names[number] for number in (0, 6, 5, 4, 2, 1)]
    async with store.reading() as kept:
        pages = [await kept.consents.list_blocked(offset=offset, limit=4) for offset in (0, 4, 8)]
    assert [total for total, _ in pages] == [6, 6, 6]
    assert [consent.address for _, page in pages for consent in page] == expected
    assert all(consent.blocked for _, page in pages for consent in page)


moments = st.integers(min_value=0, max_value=5).map(lambda minutes: NOW + timedelta(minutes=minutes))


@given(
    story=st.lists(
        st.tuples(
            st.sampled_from([ANA, BOB]),
            st.sampled_from(list(ConsentStep)),
            st.sampled_from(list(EvidenceSource)),
            moments,
        ),
        max_size=12,
    )
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_is_kept_is_what_the_rules_say_after_any_story(
    kept: Kept, story: list[tuple[Address, ConsentStep, EvidenceSource, datetime]]
) -> None:
    prefix = f"{kept.clock.monotonic()} "  # a story of its own for each example, in one store
    await kept.clock.advance(timedelta(seconds=1))
    rules: dict[Address, Consent] = {}
    for name, step, source, at in story:
        address = Address(prefix + name)
        evidence = Evidence(source=source, at=at)
        rules[address] = apply(rules.get(address, Consent(address=address)), _change(step, evidence))
        assert await _record(kept.store, address, step, evidence) == rules[address]
    async with kept.store.reading() as seen:
        for address, consent in rules.items():
            assert await seen.consents.get(address) == consent
            assert len(await seen.consents.history(address)) == sum(prefix + name == address for name, *_ in story)
        total, _ = await seen.consents.list_blocked(offset=0, limit=1)
        _, everybody = await seen.consents.list_blocked(offset=0, limit=total)
        listed = {consent.address for consent in everybody if consent.address.startswith(prefix)}
        assert listed == {address for address, consent in rules.items() if consent.blocked}
