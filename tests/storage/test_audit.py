"""The audit is added to and never changed, whatever a statement says; and is read in pages."""

from __future__ import annotations

import sqlite3
import tracemalloc
from datetime import timedelta

import pytest

from bot.domain.audit import CUSTOMER, Actor, AuditAction, AuditEntry
from bot.domain.consent import CustomerStopped, Evidence, EvidenceSource
from storage.audit import AuditFilter, AuditRow, read_audit
from tests.storage.rig import Rig
from tests.storage.samples import ANA, BOB, NOW

DANA = Actor("U0DANA")


def make_entry(number: int = 0, **changes: object) -> AuditEntry:
    fields: dict[str, object] = {
        "key": f"sent:m{number}",
        "at": NOW + timedelta(seconds=number, microseconds=3),
        "actor": DANA,
        "action": AuditAction.SENT,
        "numbers": (ANA,),
        "subject": f"m{number}",
        "detail": {"origin": "thread"},
    }
    return AuditEntry(**(fields | changes))  # type: ignore[arg-type]


async def record(rig: Rig, *entries: AuditEntry) -> list[bool]:
    async with rig.store.transaction("test") as tx:
        return [await tx.audit.record(entry) for entry in entries]


async def read(rig: Rig, wanted: AuditFilter | None = None) -> list[AuditRow]:
    return [row async for row in read_audit(rig.database, wanted or AuditFilter())]


async def test_an_entry_comes_back_as_it_was(rig: Rig) -> None:
    entry = make_entry(detail={"why": 'a "quoted" ü, and a comma'}, numbers=(ANA, BOB))
    assert await record(rig, entry) == [True]

    (row,) = await read(rig)

    assert (row.at, row.actor, row.action, row.numbers, row.subject, row.detail) == (
        entry.at,
        entry.actor,
        entry.action,
        entry.numbers,
        entry.subject,
        entry.detail,
    )


async def test_what_is_recorded_twice_under_one_key_is_one_entry_and_the_first_stands(rig: Rig) -> None:
    assert await record(rig, make_entry(), make_entry(actor=CUSTOMER)) == [True, False]
    assert await record(rig, make_entry(actor=CUSTOMER)) == [False]

    assert [row.actor for row in await read(rig)] == [DANA]


async def test_an_entry_goes_with_the_transaction_that_it_tells_of(rig: Rig) -> None:
    async def fail() -> None:
        async with rig.store.transaction("test") as tx:
            await tx.audit.record(make_entry())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()

    assert await read(rig) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'nobody'",
        "UPDATE audit SET at = at - 1 WHERE id = 1",
        "UPDATE OR REPLACE audit SET key = 'other'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE id = 1",
    ],
)
async def test_no_statement_changes_or_removes_an_entry(rig: Rig, statement: str) -> None:
    await record(rig, make_entry())
    before = rig.look("SELECT * FROM audit")

    with pytest.raises(sqlite3.IntegrityError, match="only ever added to"):
        await rig.tell_writer(statement)

    assert rig.look("SELECT * FROM audit") == before


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO audit (key, at, actor, action, numbers, detail) VALUES ('sent:m0', 1, 'x', 'y', '', '{}')",
        "REPLACE INTO audit (id, key, at, actor, action, numbers, detail) VALUES (1, 'z', 1, 'x', 'y', '', '{}')",
        (
            "INSERT INTO audit (key, at, actor, action, numbers, detail) SELECT 'sent:m0', 1, 'x', 'y', '', '{}' WHERE 1 "
            "ON CONFLICT (key) DO UPDATE SET actor = 'x'"
        ),
    ],
)
async def test_no_statement_puts_another_in_an_entrys_place(rig: Rig, statement: str) -> None:
    await record(rig, make_entry())
    before = rig.look("SELECT * FROM audit")

    await rig.tell_writer(statement)

    assert rig.look("SELECT * FROM audit") == before


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM consent_changes",
        "UPDATE consent_changes SET at = 0",
        "UPDATE consent_changes SET words = 'go on'",
        "REPLACE INTO consent_changes (id, address, change, source, at) VALUES (1, 'x', 'started', 'keyword', 1)",
    ],
)
async def test_the_evidence_on_an_opt_out_cannot_be_changed_either(rig: Rig, statement: str) -> None:
    evidence = Evidence(source=EvidenceSource.KEYWORD, at=NOW, words="stop")
    async with rig.store.transaction("test") as tx:
        await tx.consents.record(ANA, CustomerStopped(evidence=evidence), evidence)

    with pytest.raises(sqlite3.IntegrityError, match="evidence"):
        await rig.tell_writer(statement)

    async with rig.store.reading() as view:
        assert (await view.consents.get(ANA)).stopped_by_customer == evidence


async def test_the_words_of_evidence_can_be_erased(rig: Rig) -> None:
    evidence = Evidence(source=EvidenceSource.KEYWORD, at=NOW, words="stop")
    async with rig.store.transaction("test") as tx:
        await tx.consents.record(ANA, CustomerStopped(evidence=evidence), evidence)

    await rig.tell_writer("UPDATE consent_changes SET words = NULL")

    assert rig.look("SELECT words, change FROM consent_changes") == [(None, "stopped")]


FIVE = (
    make_entry(0),
    make_entry(1, actor=CUSTOMER, action=AuditAction.OPTED_OUT),
    make_entry(2, numbers=(ANA, BOB)),
    make_entry(3, numbers=(BOB,)),
    make_entry(4, numbers=(), action=AuditAction.SETTING_CHANGED),
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (AuditFilter(), [0, 1, 2, 3, 4]),
        (AuditFilter(since=FIVE[2].at), [2, 3, 4]),
        (AuditFilter(until=FIVE[2].at), [0, 1]),
        (AuditFilter(since=FIVE[1].at, until=FIVE[3].at), [1, 2]),
        (AuditFilter(since=NOW + timedelta(days=1)), []),
        (AuditFilter(actor=DANA), [0, 2, 3, 4]),
        (AuditFilter(actor=Actor("u0dana")), []),
        (AuditFilter(number=ANA), [0, 1, 2]),
        (AuditFilter(number=BOB), [2, 3]),
        (AuditFilter(number=type(ANA)(ANA[:-1])), []),
        (AuditFilter(actions=frozenset({AuditAction.OPTED_OUT})), [1]),
        (AuditFilter(actions=frozenset({AuditAction.OPTED_OUT, AuditAction.SETTING_CHANGED})), [1, 4]),
        (AuditFilter(number=BOB, actor=DANA, until=FIVE[3].at), [2]),
    ],
)
async def test_filters_let_through_what_they_say(rig: Rig, wanted: AuditFilter, found: list[int]) -> None:
    await record(rig, *FIVE)

    assert [row.subject for row in await read(rig, wanted)] == [f"m{number}" for number in found]


async def test_all_pages_are_read_in_order_and_no_more_than_one_is_in_memory(rig: Rig) -> None:
    many = 4_000
    await record(rig, *(make_entry(number, detail={"why": "x" * 1_000}) for number in range(many)))

    tracemalloc.start()
    try:
        expected = 0
        async for row in read_audit(rig.database, AuditFilter()):
            assert row.subject == f"m{expected}"
            expected += 1
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert expected == many
    assert peak < 2_000_000  # all of them would be above four
