"""The settings of the environment, on record: what they were at the first start, and what differs at a later one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.audit import BRIDGE, AuditAction, AuditEntry
from bot.ports import Store, Transaction

#: By which name the settings of the last start are kept.
_FACT = "settings"
#: Who sets them is whoever starts the program, of whom it knows nothing: it tells what it found.
_FOUND = "at start"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingValue:
    """A setting as it is now."""

    fingerprint: str  #: Differs where the value does.
    shown: str  #: What may be told of it: of a secret, that it is one.


async def record_settings(store: Store, settings: Mapping[str, SettingValue], now: datetime) -> int:
    """
    Record which of *settings*, by their names, are not as they were at the last start, and return how many.

    Of the first start there is one entry with all of them. Transaction: the entries, and what they are compared with.
    """
    fingerprints = json.dumps({name: value.fingerprint for name, value in settings.items()}, sort_keys=True)
    async with store.reading() as view:
        if await view.facts.find_fact(_FACT) == fingerprints:
            return 0
    async with store.transaction("record settings") as tx:
        known = await tx.facts.find_fact(_FACT)
        await tx.facts.set_fact(_FACT, fingerprints)
        if known is None:
            shown = {name: value.shown for name, value in settings.items() if value.shown}
            await _record(tx, "all", now, {"found": "at the first start", **shown})
            return len(settings)
        before: Mapping[str, str] = json.loads(known)
        changed = [name for name, value in settings.items() if before.get(name) != value.fingerprint]
        for name in changed:
            value = settings[name]
            is_plain = value.shown == value.fingerprint
            was = {"before": before[name]} if is_plain and name in before else {}
            await _record(tx, name, now, {"found": _FOUND, **was, "after": value.shown})
        return len(changed)


async def _record(tx: Transaction, name: str, now: datetime, detail: Mapping[str, str]) -> None:
    await tx.audit.record(
        AuditEntry(
            key=f"{AuditAction.SETTING_CHANGED}:{name}:{now.isoformat()}",
            at=now,
            actor=BRIDGE,
            action=AuditAction.SETTING_CHANGED,
            subject=name,
            detail=detail,
        )
    )
