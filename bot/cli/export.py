"""`export`: everything that is kept of one number, or of all."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bot.chance import SystemChance
from bot.cli.export_files import ExportedFiles
from bot.cli.export_forms import FindCopy, write_csv, write_json
from bot.cli.numbers import describe_mistake, read_address
from bot.cli.operators import name_me
from bot.cli.partial import load_only
from bot.clock import Clock, SystemClock
from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.phone import Address, NotANumber
from bot.errors import Broken
from bot.settings import Settings
from bot.works import open_slack_files
from storage.admin import open_existing
from storage.audit import AuditRows
from storage.database import Database
from storage.shelf import FileShelf
from storage.transcript import RecordReader, read_record

EPILOG = """\
The conversations with one number, or all: every text with its time, author, state and deliveries, and the evidence on
whether it may be texted. Works while the bridge runs, however much there is; how far it got is told on stderr. In CSV,
a cell that a spreadsheet would take for a formula gets a ' before it; JSON has everything exactly as it was.

With --media the pictures and files lie in a folder beside FILE, called FILE.media. What is no longer beside the
database is fetched from Slack, which needs SLACK_BOT_TOKEN; what Slack no longer has is told.

Each export is on record: python -m bot audit --action exported

  python -m bot export "(415) 555-0101" --format csv --output sam.csv
  python -m bot export --all --output everything.json --media
"""
_OWNER_ONLY = 0o600
_FOLDER_OWNER_ONLY = 0o700
#: How often it is told how far it got, in seconds.
_TELL_EVERY = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the number and where to put it."""
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("number", metavar="NUMBER", nargs="?", help="as people write it")
    whose.add_argument("--all", action="store_true", help="everybody")
    parser.add_argument("--format", choices=["json", "csv"], default="json", help="json (default) or csv")
    parser.add_argument("--output", type=Path, metavar="FILE", help="a new file, readable only by you (default: print)")
    parser.add_argument("--media", action="store_true", help="pictures and files too, beside --output")


def run(options: argparse.Namespace) -> int:
    """Export it; 1 when nothing is kept of the number, 2 when it is none."""
    if options.media and options.output is None:
        print("--media needs --output: the files lie beside it.", file=sys.stderr)
        return 2
    needed = ("slack_bot_token", "slack_api_url") if options.media else ()
    settings = load_only("database_url", "default_region", *needed)
    address = None
    if options.number is not None:
        try:
            address = read_address(options.number, settings.default_region)
        except NotANumber as error:
            print(describe_mistake(error), file=sys.stderr)
            return 2
    return asyncio.run(_run(settings, address, options.format, options.output, wants_files=options.media))


async def _run(
    settings: Settings, address: Address | None, form: str, output: Path | None, *, wants_files: bool
) -> int:
    clock = SystemClock()
    progress = _Progress(clock)
    async with open_existing(settings.database_path) as database:
        if address is not None and await _is_empty(database, address):
            print("Nothing is kept of this number.", file=sys.stderr)
            return 1
        with _open(output) as out:
            await _note(database, address, form, clock, wants_files=wants_files)
            copies: FindCopy | None = None
            if wants_files and output is not None:
                copies = (await _fetch_files(settings, database, address, output, progress)).find
            async with read_record(database, address) as reader:
                if form == "csv":
                    await write_csv(out, reader, copies=copies, tell=progress.count)
                else:
                    await write_json(out, reader, address, clock.now(), copies=copies, tell=progress.count)
    if output is not None:
        print(f"{output}: {progress.texts:,} text(s).")
    return 0


async def _is_empty(database: Database, address: Address) -> bool:
    async with read_record(database, address) as reader:
        async for _ in reader.conversations():
            return False
        return not [record async for record in reader.people() if record.history or record.contact is not None]


async def _note(database: Database, address: Address | None, form: str, clock: Clock, *, wants_files: bool) -> None:
    """Record who takes it out, before it is."""
    async with database.write() as connection:
        await AuditRows(connection).record(
            AuditEntry(
                key=f"{AuditAction.EXPORTED}:{SystemChance().token()}",
                at=clock.now(),
                actor=name_me(),
                action=AuditAction.EXPORTED,
                numbers=() if address is None else (address,),
                subject="all" if address is None else None,
                detail={"format": form, "media": "yes" if wants_files else "no"},
            )
        )


async def _fetch_files(
    settings: Settings, database: Database, address: Address | None, output: Path, progress: _Progress
) -> ExportedFiles:
    """Fill the folder beside *output*, before the texts: nothing is held open in the database for as long as it takes."""
    folder = output.with_name(f"{output.name}.media")
    folder.mkdir(mode=_FOLDER_OWNER_ONLY)
    clock = SystemClock()
    # The folder in which the bridge keeps its copies of pictures; see `bot.app`.
    shelf = FileShelf(settings.database_path.parent / "media", SystemChance())
    async with open_slack_files(settings, clock) as slack:
        files = ExportedFiles(folder, shelf, slack, clock, tell=progress.say)
        async with database.reading() as connection:
            reader = RecordReader(connection, address)
            async for conversation in reader.conversations():
                async for text in reader.texts(conversation):
                    await files.fetch(text)
                    progress.count_files(files.copied)
    progress.say(f"{folder}: {files.copied:,} file(s), {files.missing:,} missing.")
    return files


@contextmanager
def _open(output: Path | None) -> Iterator[IO[str]]:
    """Lend stdout, or a new file that gets its name only when it is whole."""
    if output is None:
        yield sys.stdout
        return
    if output.exists() or output.with_name(f"{output.name}.media").exists():
        raise Broken(f"{output} is there already, or its folder. Nothing is overwritten: give another name.")
    partial = output.with_name(f"{output.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
        partial.rename(output)
    except OSError as error:
        raise Broken(f"{output} cannot be written: {error.strerror}.") from None
    finally:
        partial.unlink(missing_ok=True)


class _Progress:
    """Tells on stderr how far it got: not at all where it takes no time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told_at = clock.monotonic()
        self.texts = 0

    def count(self) -> None:
        """Count one text."""
        self.texts += 1
        self._tell(f"{self.texts:,} texts …")

    def count_files(self, files: int) -> None:
        """Tell of so many files."""
        self._tell(f"{files:,} files …")

    def say(self, sentence: str) -> None:
        """Tell something at once."""
        print(sentence, file=sys.stderr)

    def _tell(self, sentence: str) -> None:
        if self._clock.monotonic() - self._told_at >= _TELL_EVERY:
            self._told_at = self._clock.monotonic()
            self.say(sentence)
