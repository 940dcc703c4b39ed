"""The two forms of an export, written as it is read: JSON, exactly as it is, and CSV, for spreadsheets."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from bot.domain.consent import Evidence
from bot.domain.contact import Contact
from bot.domain.conversation import Conversation
from bot.domain.media import Media
from bot.domain.phone import Address
from bot.domain.recurrence import Recurrence
from bot.ports.record import RecordedText
from storage.transcript import PersonRecord, RecordReader

#: Returns where the export has a copy of a file, None where it has none; None instead of it: files were not asked for.
FindCopy = Callable[[RecordedText, Media], Path | None]
#: Called after each text.
Tell = Callable[[], None]

_COLUMNS = (
    "at", "kind", "conversation", "ours", "theirs", "direction", "origin", "author", "state", "text",
    "recipient", "status", "code", "title", "detail", "source", "reason", "file",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def write_json(
    out: IO[str], reader: RecordReader, address: Address | None, now: datetime, *, copies: FindCopy | None, tell: Tell
) -> None:
    """Write all of *reader* as one JSON object: of *address*, or of everybody where that is None."""
    head = {"number": address or "all", "exported_at": _tell(now)}
    out.write(f'{json.dumps(head, indent=2)[:-2]},\n  "conversations": ')
    await _write_list(out, 2, _dump_conversations(out, reader, copies, tell))
    if address is None:
        out.write(',\n  "people": ')
        await _write_list(out, 2, _dump_people(reader))
    else:
        async for record in reader.people():
            out.write(f',\n  "contact": {_dump(_render_contact(record.contact), 2)}')
            out.write(f',\n  "consent": {_dump(_render_consent(record), 2)}')
    out.write("\n}\n")


async def _write_list(out: IO[str], depth: int, items: AsyncIterator[str]) -> None:
    """Write a list of *items*; an empty one means that the item is written already."""
    before = "["
    async for item in items:
        out.write(f"{before}\n{' ' * (depth + 2)}{item}")
        before = ","
    out.write("[]" if before == "[" else f"\n{' ' * depth}]")


async def _dump_conversations(
    out: IO[str], reader: RecordReader, copies: FindCopy | None, tell: Tell
) -> AsyncIterator[str]:
    async for conversation in reader.conversations():
        # The list writes what comes before an item together with it, so the head goes that way and the rest by hand.
        repeating = [_render_repeating(each) for each in await reader.list_repeating(conversation)]
        yield f'{_dump({**_render_conversation(conversation), "repeating": repeating}, 4)[:-6]},\n      "texts": '
        await _write_list(out, 6, _dump_texts(reader, conversation, copies, tell))
        out.write("\n    }")


async def _dump_texts(
    reader: RecordReader, conversation: Conversation, copies: FindCopy | None, tell: Tell
) -> AsyncIterator[str]:
    async for text in reader.texts(conversation):
        yield _dump(_render_text(text, copies), 8)
        tell()


async def _dump_people(reader: RecordReader) -> AsyncIterator[str]:
    async for record in reader.people():
        person = {"contact": _render_contact(record.contact), "consent": _render_consent(record)}
        yield _dump({"number": record.consent.address, **person}, 4)


def _dump(value: dict[str, Any] | None, depth: int) -> str:
    """Return *value* as it stands *depth* blanks from the left; within a string there is never a line's end."""
    return json.dumps(value, indent=2, ensure_ascii=False).replace("\n", f"\n{' ' * depth}")


def _render_conversation(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "ours": conversation.parties.ours,
        "theirs": list(conversation.parties.theirs),
        "channel": conversation.channel_id,
        "thread": conversation.thread_ts,
        "created_at": _tell(conversation.created_at),
    }


def _render_text(text: RecordedText, copies: FindCopy | None) -> dict[str, Any]:
    message = text.message
    return {
        "id": message.id,
        "at": _tell(message.created_at),
        "direction": message.direction.value,
        "origin": message.origin.value,
        "state": message.state.value,
        "author": message.author,
        "sender": message.sender,
        "text": message.text,
        "erased_at": _tell(message.erased_at),
        "carrier_id": message.carrier_id,
        "slack": None if message.slack_ts is None else {"channel": message.channel_id, "ts": message.slack_ts},
        "files": [_render_file(text, file, copies) for file in text.media],
        "due_at": _tell(message.due_at),
        "scheduled": None
        if text.schedule is None
        else {
            "id": text.schedule.id,
            "state": text.schedule.state.value,
            "due_at": _tell(text.schedule.due_at),
            "zone": text.schedule.zone,
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
            for recipient, delivery in sorted(text.deliveries.items())
        ],
    }


def _render_file(text: RecordedText, file: Media, copies: FindCopy | None) -> dict[str, Any]:
    known = {"name": file.name, "content_type": file.content_type, "size": file.size, "state": file.state.value}
    if copies is None:
        return known
    copy = copies(text, file)
    return {**known, "exported_as": None if copy is None else str(copy)}


def _render_repeating(repeating: Recurrence) -> dict[str, Any]:
    return {
        "id": repeating.id,
        "active": repeating.active,
        "rule": repeating.rule.rrule,
        "zone": repeating.zone,
        "author": repeating.author,
        "text": repeating.text,
        "created_at": _tell(repeating.created_at),
    }


def _render_contact(contact: Contact | None) -> dict[str, Any] | None:
    if contact is None:
        return None
    return {
        "name": contact.name,
        "zone": contact.zone,
        "set_by": contact.set_by,
        "set_at": _tell(contact.set_at),
    }


def _render_consent(record: PersonRecord) -> dict[str, Any]:
    return {
        "may_be_texted": not record.consent.blocked,
        "stopped_by_customer": _render_evidence(record.consent.stopped_by_customer),
        "stopped_by_hand": _render_evidence(record.consent.stopped_by_hand),
        "history": [
            {"change": entry.step.value, **(_render_evidence(entry.evidence) or {})} for entry in record.history
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


async def write_csv(out: IO[str], reader: RecordReader, *, copies: FindCopy | None, tell: Tell) -> None:
    """Write all of *reader* as CSV: a line for each text, each delivery, each file, and each piece of evidence."""
    writer = csv.DictWriter(out, _COLUMNS, restval="")
    writer.writeheader()
    async for conversation in reader.conversations():
        for row in _list_repeating(conversation, await reader.list_repeating(conversation)):
            writer.writerow({name: _defuse(name, value) for name, value in row.items()})
        async for text in reader.texts(conversation):
            for row in _list_rows(text, copies):
                writer.writerow({name: _defuse(name, value) for name, value in row.items()})
            tell()
    async for record in reader.people():
        if record.contact is not None:
            known = _render_contact_row(record.contact)
            writer.writerow({name: _defuse(name, value) for name, value in known.items()})
        for entry in reversed(record.history):
            row = {
                "at": _tell(entry.evidence.at),
                "kind": "consent",
                "theirs": record.consent.address,
                "author": entry.evidence.actor,
                "status": entry.step.value,
                "source": entry.evidence.source.value,
                "text": entry.evidence.words,
                "reason": entry.evidence.reason,
            }
            writer.writerow({name: _defuse(name, value) for name, value in row.items()})


def _list_rows(text: RecordedText, copies: FindCopy | None) -> Iterator[dict[str, str | None]]:
    message, conversation = text.message, text.conversation
    parties: dict[str, str | None] = {
        "conversation": conversation.id,
        "ours": conversation.parties.ours,
        "theirs": conversation.parties.key,
    }
    yield parties | {
        "at": _tell(message.created_at),
        "kind": "text",
        "direction": message.direction.value,
        "origin": message.origin.value,
        "author": message.author or message.sender,
        "state": message.state.value,
        "text": message.text,
    }
    for recipient, delivery in sorted(text.deliveries.items()):
        yield parties | {
            "at": _tell(delivery.occurred_at),
            "kind": "delivery",
            "recipient": recipient,
            "status": delivery.status.value,
            "code": delivery.code,
            "title": delivery.title,
            "detail": delivery.detail,
        }
    for file in text.media:
        copy = None if copies is None else copies(text, file)
        yield parties | {
            "at": _tell(message.created_at),
            "kind": "file",
            "direction": message.direction.value,
            "state": file.state.value,
            "title": file.name,
            "file": None if copy is None else str(copy),
        }


def _render_contact_row(contact: Contact) -> dict[str, str | None]:
    return {
        "at": _tell(contact.set_at),
        "kind": "contact",
        "theirs": contact.address,
        "author": contact.set_by,
        "title": contact.name,
        "detail": contact.zone,
    }


def _list_repeating(conversation: Conversation, repeating: Sequence[Recurrence]) -> Iterator[dict[str, str | None]]:
    for each in repeating:
        yield {
            "at": _tell(each.created_at),
            "kind": "repeating",
            "conversation": conversation.id,
            "ours": conversation.parties.ours,
            "theirs": conversation.parties.key,
            "author": each.author,
            "state": "active" if each.active else "ended",
            "text": each.text,
            "detail": f"{each.rule.rrule} {each.zone}",
        }


def _defuse(name: str, value: str | None) -> str:
    """Keep a spreadsheet from running what somebody wrote (owasp.org, CSV injection); numbers stay as they are."""
    if not value:
        return ""
    written_by_people = name in ("text", "title", "detail", "reason", "author")
    return f"'{value}" if written_by_people and value.startswith(_FORMULA) else value


def _tell(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
