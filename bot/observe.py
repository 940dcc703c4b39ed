"""
What the operator sees: log lines and metrics.

A log line is a constant sentence and fields. Fields named like numbers are masked, and nothing that a customer or a
teammate wrote is logged above DEBUG: the text of a message is never a field at all, and what an error says is told only
where it cannot be such a text (`bot.trace`).
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bot.figures import Family, Figure, Spread, Value
from bot.outlet import Outlet
from bot.trace import tell_trace

#: Anything that looks like a phone number, wherever it comes from: exception texts of libraries, addresses in URLs.
_NUMBER = re.compile(r"(?<![\w.-])(?:\+|%2[Bb])?\d(?:[\d().]|[ -](?=\d)){6,18}\d(?![\w-])")
#: What would end a line, or move a terminal's cursor: what others sent is one line, too.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_FIELDS = "textbridge_fields"
_LEFT_OUT = "Lines are left out here: nobody took them in time."


_HOST = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")


def mask_numbers(text: str) -> str:
    """Return *text* with the middle of everything that may be a phone number replaced; hosts' addresses stay."""
    return _NUMBER.sub(_mask_number, text)


def _mask_number(found: re.Match[str]) -> str:
    if _HOST.fullmatch(found[0]):
        return found[0]
    return f"{found[0][:4]}…{found[0][-2:]}"


def _escape(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


class Log:
    """A logger that takes a constant sentence and fields: `log.info("Text received.", conversation=...)`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(f"textbridge.{name}")

    def debug(self, sentence: str, **fields: object) -> None:
        """Log what only somebody looking for a fault wants to know."""
        self._write(logging.DEBUG, sentence, fields)

    def info(self, sentence: str, **fields: object) -> None:
        """Log what happens in the ordinary course."""
        self._write(logging.INFO, sentence, fields)

    def warning(self, sentence: str, **fields: object) -> None:
        """Log what mends itself but should be seen."""
        self._write(logging.WARNING, sentence, fields)

    def error(self, sentence: str, *, error: BaseException | None = None, **fields: object) -> None:
        """Log what needs somebody; *error* adds the place where it happened."""
        self._write(logging.ERROR, sentence, fields, error)

    def _write(self, level: int, sentence: str, fields: dict[str, object], error: BaseException | None = None) -> None:
        if self._logger.isEnabledFor(level):
            # Made here: `Logger.log` would look through the stack for a place that no line of ours shows.
            trace = None if error is None else (type(error), error, error.__traceback__)
            record = logging.LogRecord(self._logger.name, level, "", 0, sentence, (), trace)
            setattr(record, _FIELDS, fields)
            self._logger.handle(record)


class _Formatter(logging.Formatter):
    def __init__(self, *, with_words: bool = False) -> None:
        super().__init__()
        self._with_words = with_words

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is logging's
        return super().formatException(ei) if self._with_words or ei[1] is None else tell_trace(ei[1])


class _TextFormatter(_Formatter):
    def __init__(self, *, with_words: bool = False) -> None:
        super().__init__(with_words=with_words)
        self._second = -1
        self._shown = ""

    def format(self, record: logging.LogRecord) -> str:
        second = int(record.created)
        if second != self._second:  # most lines come within the second of the one before
            self._second, self._shown = second, datetime.fromtimestamp(second, UTC).strftime("%H:%M:%S")
        moment = f"{self._shown}.{int((record.created - second) * 1000):03}"
        fields = "".join(f" {name}={value}" for name, value in getattr(record, _FIELDS, {}).items())
        line = _CONTROL.sub(_escape, f"{moment} {record.levelname:<7} {record.name}: {record.getMessage()}{fields}")
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return mask_numbers(line)


class _JsonFormatter(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": mask_numbers(record.getMessage()),
        }
        entry |= {name: mask_numbers(str(value)) for name, value in getattr(record, _FIELDS, {}).items()}
        if record.exc_info:
            entry["error"] = mask_numbers(self.formatException(record.exc_info))
        return _CONTROL.sub(_escape, json.dumps(entry, ensure_ascii=False))


def configure_logging(*, level: str, as_json: bool) -> None:
    """Send the whole process's log lines to stderr in our form; libraries speak from WARNING up."""
    with_words = level == "DEBUG"
    formatter = _JsonFormatter(with_words=with_words) if as_json else _TextFormatter(with_words=with_words)
    handler = _build_handler(formatter)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("textbridge").setLevel(level)
    # What no line shows need not be found out for each.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # Both log whole request bodies: rejected ones at INFO and below (slack_bolt), every call at DEBUG (slack_sdk).
    for name in ("slack_sdk", "httpx", "httpcore", "aiosqlite", "aiohttp.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Warns at each start that it found our own SLACK_BOT_TOKEN in the environment and does not use it.
    logging.getLogger("slack_bolt").setLevel(logging.ERROR)


def _build_handler(formatter: logging.Formatter) -> logging.Handler:
    """Return what writes to stderr, and waits for nobody to read it."""

    def tell_left_out(lines: int) -> str:
        record = logging.LogRecord("textbridge.log", logging.WARNING, "", 0, _LEFT_OUT, (), None)
        setattr(record, _FIELDS, {"lines": lines})
        return f"{formatter.format(record)}\n"

    try:
        descriptor = sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):  # it was closed before we came, or is no file of the system's
        return logging.StreamHandler(sys.stderr)
    return logging.StreamHandler(Outlet(descriptor, tell_left_out, encoding=sys.stderr.encoding))


class Metrics:
    """Every figure of `/metrics`. One instance a process; tests make their own."""

    def __init__(self) -> None:
        self.families: list[Family[Value] | Family[Spread]] = []
        self.received = self._count(
            "textbridge_received", "Requests from outside, by how they were answered.", "source", "status"
        )
        self.events = self._count(
            "textbridge_events", "Stored events, by type and what became of them.", "source", "type", "outcome"
        )
        self.jobs = self._count("textbridge_jobs", "Attempts at jobs, by kind and outcome.", "kind", "outcome")
        self.job_seconds = Family(
            Figure.HISTOGRAM,
            "textbridge_job_seconds",
            "How long an attempt took.",
            ("kind",),
            partial(Spread, (0.005, 0.02, 0.1, 0.5, 2, 10, 60)),
        )
        self.families.append(self.job_seconds)
        self.texts = self._count("textbridge_texts", "Texts, by direction.", "direction")
        self.deliveries = self._count("textbridge_deliveries", "Final deliveries, by status.", "status")
        self.calls = self._count(
            "textbridge_calls", "Calls to the platforms, by outcome.", "platform", "operation", "outcome"
        )
        self.backlog = self._gauge("textbridge_backlog", "Unfinished jobs.", "pool", "status")
        self.backlog_age = self._gauge("textbridge_backlog_age_seconds", "Age of the oldest job that is due.").labels()
        self.paced = self._gauge("textbridge_paced", "Calls that wait for their turn, by the limit.", "limit")
        self.ready = self._gauge("textbridge_ready", "Whether a part is able to work.", "part")

    def _count(self, name: str, tells: str, *labels: str) -> Family[Value]:
        return self._add(Family(Figure.COUNTER, name, tells, labels, Value))

    def _gauge(self, name: str, tells: str, *labels: str) -> Family[Value]:
        return self._add(Family(Figure.GAUGE, name, tells, labels, Value))

    def _add(self, family: Family[Value]) -> Family[Value]:
        self.families.append(family)
        return family

    def render(self) -> bytes:
        """Return all figures in Prometheus' text format; the first time, what knows it is loaded."""
        from bot.exposition import render  # noqa: PLC0415 - a start is mostly imports; see `bot.late`

        return render(self.families)
