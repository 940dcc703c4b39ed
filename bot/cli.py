"""The command line: what is asked for, and with which exit status it ends."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from bot.errors import SettingsWrong, TextbridgeError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 1 failed, 2 asked wrongly."""
    parser = argparse.ArgumentParser(prog="python -m bot", description="Text with your customers from Slack.")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="run the bridge (the default)")
    options = parser.parse_args(arguments)
    try:
        return _serve()
    except SettingsWrong as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return 2
    except TextbridgeError as error:
        print(error.person, file=sys.stderr)
        return 1


def _serve() -> int:
    from bot.observe import configure_logging
    from bot.serve import serve
    from bot.settings import LogFormat, load_settings

    settings = load_settings()
    configure_logging(level=settings.log_level, as_json=settings.log_format is LogFormat.JSON)
    asyncio.run(serve(settings))
    return 0
