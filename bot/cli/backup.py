"""`backup`: a copy of the database while it is in use."""

from __future__ import annotations

import argparse
from pathlib import Path

from bot.cli.partial import load_only
from storage.backup import back_up

EPILOG = """\
Copies the whole database, as it is at one moment, into a new file, and checks the copy. Works while the bridge runs.
The copy holds numbers and texts: keep it where only you can read it. Pictures are not in it: Slack has those that
came in, and the copies beside the database are only for the way there.

  python -m bot backup textbridge-2026-12-01.db

To restore: stop the bridge, put the copy in the database's place, remove its log, and start the bridge.

  cp textbridge-2026-12-01.db data/textbridge.db
  rm -f data/textbridge.db-wal data/textbridge.db-shm
  python -m bot

What was waiting to be sent when the copy was made is sent then, also if it went out after the copy was made: look at
`python -m bot queue` first, and `queue park` what must not go out again.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the new file."""
    parser.add_argument("file", metavar="FILE", type=Path, help="the copy; nothing is overwritten")


def run(options: argparse.Namespace) -> int:
    """Make the copy."""
    settings = load_only("database_url")
    size = back_up(settings.database_path, options.file)
    print(f"{options.file}: {size / 1_000_000:.1f} MB, checked and sound.")
    return 0
