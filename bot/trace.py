"""
How an error looks in the log: where it came about and of what kind it is, without a word that somebody wrote.

What an error says of itself often quotes what it stumbled over: `KeyError` the key, `ValueError` the text that is no
number. That may be a customer's text. So the words of an error are told only where they are ours, SQLite's or the
system's, or can but name types and attributes.
"""

from __future__ import annotations

import traceback
from textwrap import indent

from bot.errors import TextbridgeError

#: These name types, attributes and modules, never what a variable holds.
_HARMLESS = (TypeError, AttributeError, NameError, ImportError, RecursionError)
#: Its errors name tables, columns and constraints; the values are bound, and in no sentence of its.
_DATABASE = "sqlite3"


def tell_trace(error: BaseException) -> str:
    """Return where *error* was raised, and what led to it, the newest last."""
    return "\n".join(_tell(error, frozenset()))


def _tell(error: BaseException, told: frozenset[int]) -> list[str]:
    told |= {id(error)}
    lines = []
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in told:
        lines += [*_tell(before, told), "", "which led to:", ""]
    if error.__traceback__ is not None:
        lines.append("Traceback (most recent call last):")
        lines += [frame.rstrip("\n") for frame in traceback.format_tb(error.__traceback__)]
    lines.append(_describe(error))
    if isinstance(error, BaseExceptionGroup):
        lines += [indent("\n".join(_tell(each, told)), "  ") for each in error.exceptions if id(each) not in told]
    return lines


def _describe(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    words: object = None
    if isinstance(error, TextbridgeError):
        words = error.log
    elif isinstance(error, OSError):
        words = error.strerror
    elif isinstance(error, _HARMLESS) or any(each.__module__ == _DATABASE for each in kind.__mro__):
        words = error
    return f"{name}: {words}" if words is not None else name
