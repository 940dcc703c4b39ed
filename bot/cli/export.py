"""`export`: everything that is kept of one number."""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import json
import os
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.cli.numbers import read_address
from bot.cli.partial import load_only
from bot.clock import SystemClock
from bot.domain.consent import Evidence
from bot.domain.phone import Address, NotANumber
from bot.errors import Broken
from bot.ports.record import RecordedText
from storage.admin import open_existing
from storage.transcript import Transcript, read_transcript

EPILOG = """\
The conversations with one number: every text with its time, author, state and deliveries, and the evidence on
whether it may be texted. Works while the bridge runs. In CSV, a cell that a spreadsheet would take for a formula
gets a ' before it; JSON has everything exactly as it was.

  python -m bot export "(415) 555-0101" --format csv --output sam.csv
"""
_COLUMNS = (
    "at", "kind", "conversation", "ours", "theirs", "direction", "origin", "author", "state", "text",
    "recipient", "status", "code", "title", "detail", "source", "reason",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_OWNER_ONLY = 0o600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the number and where to put it."""
    parser.add_argument("number", metavar="NUMBER", help="as people write it")
    parser.add_argument("--format", choices=["json", "csv"], default="json", help="json (default) or csv")
    parser.add_argument("--output", type=Path, metavar="FILE", help="a new file, readable only by you (default: print)")


def run(options: argparse.Namespace) -> int:
    """Export it; 1 when nothing is kept of the number, 2 when it is none."""
    settings = load_only("database_url", "default_region")
    try:
        address = read_address(options.number, settings.default_region)
    except NotANumber as error:
        print(error, file=sys.stderr)
        return 2
    transcript = asyncio.run(_read(settings.database_path, address))
    if transcript.is_empty:
        print("Nothing is kept of this number.", file=sys.stderr)
        return 1
    text = render_csv(transcript) if options.format == "csv" else render_json(address, transcript, SystemClock().now())
    if options.output is None:
        sys.stdout.write(text)
        return 0
    _write(options.output, text)
    texts = sum(len(lines) for _, lines in transcript.conversations)
    print(f"{options.output}: {len(transcript.conversations)} conversation(s), {texts} text(s).")
    return 0


async def _read(path: Path, address: Address) -> Transcript:
    async with open_existing(path) as database:
        return await read_transcript(database, address)


def _write(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except FileExistsError:
        raise Broken(f"{path} is there already. Nothing is overwritten: give another name.") from None
    except OSError as error:
        raise Broken(f"{path} cannot be written: {error.strerror}.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def render_json(address: Address, transcript: Transcript, now: datetime) -> str:
    """Return *transcript* as JSON."""
    report = {
        "number": address,
        "exported_at": _tell(now),
        "conversations": [
            {
                "id": conversation.id,
                "ours": conversation.parties.ours,
                "theirs": list(conversation.parties.theirs),
                "channel": conversation.channel_id,
                "thread": conversation.thread_ts,
                "created_at": _tell(conversation.created_at),
                "texts": [_render_text(line) for line in lines],
            }
            for conversation, lines in transcript.conversations
        ],
        "consent": {
            "may_be_texted": not transcript.consent.blocked,
            "stopped_by_customer": _render_evidence(transcript.consent.stopped_by_customer),
            "stopped_by_hand": _render_evidence(transcript.consent.stopped_by_hand),
            "history": [
                {"change": entry.step.value, **(_render_evidence(entry.evidence) or {})} for entry in transcript.history
            ],
        },
    }
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def _render_text(line: RecordedText) -> dict[str, Any]:
    message = line.message
    return {
        "id": message.id,
        "at": _tell(message.created_at),
        "direction": message.direction.value,
        "origin": message.origin.value,
        "state": message.state.value,
        "author": message.author,
        "sender": message.sender,
        "text": message.text,
        "carrier_id": message.carrier_id,
        "slack": None if message.slack_ts is None else {"channel": message.channel_id, "ts": message.slack_ts},
        "files": [
            {"name": file.name, "content_type": file.content_type, "size": file.size, "state": file.state.value}
            for file in line.media
        ],
        "due_at": _tell(message.due_at),
        "scheduled": None
        if line.schedule is None
        else {
            "id": line.schedule.id,
            "state": line.schedule.state.value,
            "due_at": _tell(line.schedule.due_at),
            "zone": line.schedule.zone,
        },
        "deliveries": [
            {
                "recipient": recipient,
                "status": delivery.status.value,
                "at": _tell(delivery.occurred_at),
                "code": delivery.code,
                "title": delivery.title,
                "detail": delivery.detail,
            }
            for recipient, delivery in sorted(line.deliveries.items())
        ],
    }


def _render_evidence(evidence: Evidence | None) -> dict[str, Any] | None:
    if evidence is None:
        return None
    return {
        "source": evidence.source.value,
        "at": _tell(evidence.at),
        "actor": evidence.actor,
        "message_id": evidence.message_id,
        "words": evidence.words,
        "reason": evidence.reason,
    }


def render_csv(transcript: Transcript) -> str:
    """Return *transcript* as CSV: a line for each text, each delivery, and each piece of evidence."""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, _COLUMNS, restval="")
    writer.writeheader()
    for row in _list_rows(transcript):
        writer.writerow({name: _defuse(name, value) for name, value in row.items()})
    return buffer.getvalue()


def _list_rows(transcript: Transcript) -> Iterator[dict[str, str | None]]:
    for conversation, lines in transcript.conversations:
        parties: dict[str, str | None] = {
            "conversation": conversation.id,
            "ours": conversation.parties.ours,
            "theirs": conversation.parties.key,
        }
        for line in lines:
            message = line.message
            yield parties | {
                "at": _tell(message.created_at),
                "kind": "text",
                "direction": message.direction.value,
                "origin": message.origin.value,
                "author": message.author or message.sender,
                "state": message.state.value,
                "text": message.text,
            }
            for recipient, delivery in sorted(line.deliveries.items()):
                yield parties | {
                    "at": _tell(delivery.occurred_at),
                    "kind": "delivery",
                    "recipient": recipient,
                    "status": delivery.status.value,
                    "code": delivery.code,
                    "title": delivery.title,
                    "detail": delivery.detail,
                }
    for entry in reversed(transcript.history):
        yield {
            "at": _tell(entry.evidence.at),
            "kind": "consent",
            "author": entry.evidence.actor,
            "status": entry.step.value,
            "source": entry.evidence.source.value,
            "text": entry.evidence.words,
            "reason": entry.evidence.reason,
        }


def _defuse(name: str, value: str | None) -> str:
    """Keep a spreadsheet from running what somebody wrote (owasp.org, CSV injection); numbers stay as they are."""
    if not value:
        return ""
    written_by_people = name in ("text", "title", "detail", "reason", "author")
    return f"'{value}" if written_by_people and value.startswith(_FORMULA) else value


def _tell(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
