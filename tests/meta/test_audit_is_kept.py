"""The audit is whole: every kind of entry is written somewhere, and no change of consent goes past it."""

from __future__ import annotations

import re

import pytest

from bot.domain.audit import AuditAction
from tests.conftest import ROOT

SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for folder in ("bot", "handlers", "storage")
    for path in sorted((ROOT / folder).rglob("*.py"))
}


@pytest.mark.parametrize("action", AuditAction)
def test_every_kind_of_entry_has_somebody_who_writes_it(action: AuditAction) -> None:
    writers = [
        path
        for path, source in SOURCES.items()
        if path != "bot/domain/audit.py" and f"AuditAction.{action.name}" in source
    ]
    assert writers, f"nobody records {action}"


def test_consent_is_changed_in_one_place_which_also_keeps_the_audit() -> None:
    changers = [path for path, source in SOURCES.items() if re.search(r"\bconsents\.record\(", source)]
    assert changers == ["bot/flows/consenting.py"]
