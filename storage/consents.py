"""Who may be texted. The evidence is only ever added to; the state points into it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import assert_never

import aiosqlite

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
from bot.ports import ConsentEntry, ConsentStep
from storage.moments import from_micros, to_micros

_STATE = "SELECT * FROM consents WHERE address = ?"
_EVIDENCE = "SELECT * FROM consent_changes WHERE id IN (?, ?)"
_ADD_EVIDENCE = """
INSERT INTO consent_changes (address, change, source, at, actor, message_id, words, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
RETURNING id"""
_SET_STATE = """
INSERT INTO consents (address, stopped_by_customer, stopped_by_hand) VALUES (?, ?, ?)
ON CONFLICT (address) DO UPDATE SET
    stopped_by_customer = excluded.stopped_by_customer, stopped_by_hand = excluded.stopped_by_hand"""
#: By when it happened too: what was said first may be told last.
_HISTORY = "SELECT * FROM consent_changes WHERE address = ? ORDER BY at DESC, id DESC"
_COUNT = "SELECT COUNT(*) AS blocked FROM consents WHERE stopped_by_customer IS NOT NULL OR stopped_by_hand IS NOT NULL"
#: By when it happened, not by when we heard of it: the carrier's list may tell of old ones.
_BLOCKED = """
SELECT c.address FROM consents c JOIN consent_changes e ON e.id IN (c.stopped_by_customer, c.stopped_by_hand)
GROUP BY c.address ORDER BY MAX(e.at) DESC, MAX(e.id) DESC LIMIT ? OFFSET ?"""


class ConsentRows:
    """`bot.ports.Consents` on SQLite."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def get(self, address: Address) -> Consent:
        """Return the state of *address*; an unknown one is free to be texted."""
        return (await self._load(address))[0]

    async def record(self, address: Address, change: ConsentChange, evidence: Evidence) -> Consent:
        """Append *change* with its *evidence*, which is kept for ever, and return the state after it."""
        before, by_customer, by_hand = await self._load(address)
        after = apply(before, change)
        rows = list(
            await self._connection.execute_fetchall(
                _ADD_EVIDENCE,
                (
                    address,
                    _name_step(change),
                    evidence.source,
                    to_micros(evidence.at),
                    evidence.actor,
                    evidence.message_id,
                    evidence.words,
                    evidence.reason,
                ),
            )
        )
        added = int(rows[0]["id"])
        await self._connection.execute_fetchall(
            _SET_STATE,
            (
                address,
                _point(before.stopped_by_customer, after.stopped_by_customer, by_customer, added),
                _point(before.stopped_by_hand, after.stopped_by_hand, by_hand, added),
            ),
        )
        return after

    async def list_blocked(self, *, offset: int, limit: int) -> tuple[int, Sequence[Consent]]:
        """Return how many are blocked, and *limit* of them from *offset*, newest first."""
        counted = next(iter(await self._connection.execute_fetchall(_COUNT)))
        rows = list(await self._connection.execute_fetchall(_BLOCKED, (limit, offset)))
        return int(counted["blocked"]), [await self.get(Address(row["address"])) for row in rows]

    async def history(self, address: Address) -> Sequence[ConsentEntry]:
        """Return all evidence on *address*, what was said last first."""
        return [
            ConsentEntry(step=ConsentStep(row["change"]), evidence=_read_evidence(row))
            for row in await self._connection.execute_fetchall(_HISTORY, (address,))
        ]

    async def _load(self, address: Address) -> tuple[Consent, int | None, int | None]:
        """Return the state, and the evidence numbers of its two flags."""
        rows = list(await self._connection.execute_fetchall(_STATE, (address,)))
        if not rows:
            return Consent(address=address), None, None
        by_customer, by_hand = rows[0]["stopped_by_customer"], rows[0]["stopped_by_hand"]
        evidence = {
            row["id"]: _read_evidence(row)
            for row in await self._connection.execute_fetchall(_EVIDENCE, (by_customer, by_hand))
        }
        consent = Consent(
            address=address, stopped_by_customer=evidence.get(by_customer), stopped_by_hand=evidence.get(by_hand)
        )
        return consent, by_customer, by_hand


def _point(before: Evidence | None, after: Evidence | None, known: int | None, added: int) -> int | None:
    if after is None:
        return None
    return known if after == before else added


def _name_step(change: ConsentChange) -> ConsentStep:
    match change:
        case CustomerStopped():
            return ConsentStep.STOPPED
        case CustomerStarted():
            return ConsentStep.STARTED
        case HandAdded():
            return ConsentStep.ADDED
        case HandRemoved():
            return ConsentStep.REMOVED
        case _:
            assert_never(change)


def _read_evidence(row: sqlite3.Row) -> Evidence:
    return Evidence(
        source=EvidenceSource(row["source"]),
        at=from_micros(row["at"]),
        actor=None if row["actor"] is None else UserId(row["actor"]),
        message_id=None if row["message_id"] is None else MessageId(row["message_id"]),
        words=row["words"],
        reason=row["reason"],
    )
