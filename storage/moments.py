"""Moments as the database keeps them: whole microseconds since 1970 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Return the aware *moment* as the database keeps it; exact, without a float in between."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the aware UTC moment that the database keeps as *micros*."""
    return _EPOCH + timedelta(0, 0, micros)  # by place: by name takes three times as long


def to_micros_or_none(moment: datetime | None) -> int | None:
    """Return `to_micros` of *moment*, None for None."""
    return None if moment is None else to_micros(moment)


def from_micros_or_none(micros: int | None) -> datetime | None:
    """Return `from_micros` of *micros*, None for None."""
    return None if micros is None else from_micros(micros)
