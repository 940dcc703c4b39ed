"""How an error looks in the log: its place and its kind, and no word that somebody wrote."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.errors import NotStored
from bot.observe import configure_logging
from bot.trace import tell_trace

WORDS = "the blue bicycle"


def catch(error: Exception, cause: Exception | None = None) -> Exception:
    """Return *error* as it is once it was raised."""
    try:
        raise error from cause  # noqa: TRY301 - to be caught is what it is for
    except Exception as caught:  # noqa: BLE001 - whatever is given
        return caught


@pytest.mark.parametrize(
    "error",
    [KeyError(WORDS), ValueError(f"invalid literal for int(): {WORDS!r}"), AssertionError(WORDS), Exception(WORDS)],
)
def test_what_an_error_quotes_is_not_told_and_its_kind_and_place_are(error: Exception) -> None:
    told = tell_trace(catch(error))

    assert WORDS not in told
    assert told.startswith("Traceback (most recent call last):\n")
    assert "test_trace.py" in told
    assert told.endswith(f"\n{type(error).__name__}")


def test_what_led_to_it_is_told_first_and_without_its_words_either() -> None:
    before = catch(KeyError(WORDS))
    told = tell_trace(catch(NotStored("the database refuses"), cause=before))

    assert WORDS not in told
    assert told.index("\nKeyError\n") < told.index("which led to:")
    assert told.endswith("\nbot.errors.NotStored: the database refuses")


def test_several_at_once_are_each_told() -> None:
    group = ExceptionGroup(WORDS, [catch(KeyError(WORDS)), catch(TypeError("unhashable type: 'dict'"))])
    told = tell_trace(catch(group))

    assert WORDS not in told
    assert "  KeyError" in told
    assert told.endswith("  TypeError: unhashable type: 'dict'")


def test_an_error_that_came_of_itself_is_told_once() -> None:
    first, second = KeyError("a"), KeyError("b")
    first.__context__, second.__context__ = second, first

    assert tell_trace(first) == "KeyError\n\nwhich led to:\n\nKeyError"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device", WORDS), "OSError: No space left on device"),
        (TypeError("unhashable type: 'dict'"), "TypeError: unhashable type: 'dict'"),
        (sqlite3.IntegrityError("UNIQUE constraint failed: jobs.key"), "UNIQUE constraint failed: jobs.key"),
    ],
)
def test_what_cannot_be_anybodys_words_is_told(error: Exception, words: str) -> None:
    told = tell_trace(catch(error))

    assert told.endswith(words)
    assert WORDS not in told


@pytest.mark.parametrize(("level", "is_told"), [("INFO", False), ("ERROR", False), ("DEBUG", True)])
@pytest.mark.parametrize("as_json", [False, True])
def test_only_debug_shows_what_people_write_in_errors_too(level: str, *, is_told: bool, as_json: bool) -> None:
    error = catch(KeyError(WORDS))
    trace = (type(error), error, error.__traceback__)
    with logging_as(level=level, as_json=as_json) as handler:
        line = handler.format(logging.LogRecord("a.library", logging.ERROR, "", 0, "It broke.", (), trace))

    assert "KeyError" in line
    assert (WORDS in line) is is_told


@pytest.mark.parametrize("as_json", [False, True])
def test_what_others_sent_stays_on_its_line_and_moves_no_cursor(*, as_json: bool) -> None:
    with logging_as(level="INFO", as_json=as_json) as handler:
        sent = "a\n12:00:00.000 ERROR textbridge.worker: invented\r\x1b[2K\u2028b"
        line = handler.format(logging.LogRecord("textbridge.x", logging.INFO, "", 0, "Odd: %s", (sent,), None))

    assert line.isprintable()
    assert "invented" in line


@contextmanager
def logging_as(*, level: str, as_json: bool) -> Iterator[logging.Handler]:
    root = logging.getLogger()
    before, loggers = (root.handlers[:], root.level), {}
    for name in ("textbridge", "slack_sdk", "httpx", "httpcore", "aiosqlite", "aiohttp.access", "slack_bolt"):
        loggers[name] = logging.getLogger(name).level
    try:
        configure_logging(level=level, as_json=as_json)
        yield root.handlers[0]
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])
        for name, set_before in loggers.items():
            logging.getLogger(name).setLevel(set_before)
