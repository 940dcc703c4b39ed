"""`erase`: what one number wrote and was written."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.chance import SystemChance
from bot.cli.numbers import describe_mistake, read_address
from bot.cli.operators import name_me
from bot.cli.partial import load_only
from bot.clock import SystemClock
from bot.domain.ids import ConversationId
from bot.domain.phone import Address, NotANumber
from bot.flows.erasing import record_erasure
from bot.ports import Transaction
from storage.admin import open_existing
from storage.erasure import Besides, Erasure, erase, plan_erasure, scrub
from storage.shelf import FileShelf

EPILOG = """\
Erases every text and picture exchanged with one number, what waits to be sent to it, and the words of its opt-outs;
then writes the database anew, so that no trace of them is left in it. What stays: that there was a conversation, when,
what became of each text, and the proof of each opt-out: without it we would text somebody who said STOP. The threads
are told, and the audit has an entry.

What Slack and Telnyx hold is theirs: delete the thread in Slack. Backups made before still have it all.
Works while the bridge runs; a large database is best left for a quiet hour.

  python -m bot erase "(415) 555-0101"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the number."""
    parser.add_argument("number", metavar="NUMBER", help="as people write it")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(options: argparse.Namespace) -> int:
    """Ask, then erase; 1 when it is not done, 2 when it is no number."""
    settings = load_only("database_url", "default_region")
    try:
        address = read_address(options.number, settings.default_region)
    except NotANumber as error:
        print(describe_mistake(error), file=sys.stderr)
        return 2
    return asyncio.run(_run(settings.database_path, address, settings.default_region, asks=not options.yes))


async def _run(path: Path, address: Address, region: str, *, asks: bool) -> int:
    async with open_existing(path) as database:
        plan = await plan_erasure(database, address)
        if plan.hindrances:
            print(*plan.hindrances, sep="\n", file=sys.stderr)
            return 1
        if plan.is_empty:
            print("Nothing that this number wrote or was written is kept.")
            if not plan.conversations:
                return 0
        else:
            print(_describe(plan))
            if asks and not _confirm():
                print("Nothing was erased.")
                return 1
            # The folder in which the bridge keeps its copies of pictures; see `bot.app`.
            shelf = FileShelf(path.parent / "media", SystemChance())
            await erase(database, address, shelf, SystemClock(), besides=_record(address, region))
        await scrub(database)  # also after nothing: an earlier try may have been kept from it
        if not plan.is_empty:
            print(
                "Erased. The proof of opt-outs is kept, and the threads are told. Slack's copy and older backups stay."
            )
        return 0


def _record(address: Address, region: str) -> Besides:
    """Return what else the erasure does: the threads are told by the bridge, once it runs, and the audit has an entry."""

    async def record(tx: Transaction, erasure: Erasure, conversations: Sequence[ConversationId]) -> None:
        await record_erasure(
            tx,
            address,
            conversations,
            key=SystemChance().token(),
            actor=name_me(),
            region=region,
            now=SystemClock().now(),
            taken={"texts": erasure.texts, "files": erasure.files, "jobs": erasure.jobs, "words": erasure.words},
        )

    return record


def _describe(plan: Erasure) -> str:
    parts = [f"{plan.texts} text(s) of {plan.conversations} conversation(s)"]
    if plan.files:
        parts.append(f"{plan.files} picture(s) or file(s)")
    if plan.groups:
        parts.append(f"{plan.groups} of them with other people too")
    if plan.unsent:
        parts.append(f"{plan.unsent} text(s) that wait and will not be sent")
    if plan.jobs:
        parts.append(f"{plan.jobs} unfinished job(s)")
    if plan.contacts:
        parts.append("their name and time zone")
    if plan.events:
        parts.append(f"{plan.events} event(s) as they came")
    if plan.words:
        parts.append(f"the words of {plan.words} opt-out(s) or opt-in(s)")
    return f"This erases {', '.join(parts)}. It cannot be undone."


def _confirm() -> bool:
    try:
        return input("Type yes to erase: ").strip().lower() == "yes"
    except EOFError:
        print()
        return False
