"""
The command line: what is asked for, and with which exit status it ends.

One module for each command, imported only when it is asked for: `--help` needs no database and no HTTP client.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module, metadata
from typing import Protocol

from bot.errors import SettingsWrong, TextbridgeError

#: Each command, the module that knows it, and what it does in one line.
COMMANDS = {
    "serve": ("bot.cli.serving", "run the bridge; also what happens without any command"),
    "demo": ("bot.cli.demo", "try it: Slack and the phones simulated on one page, nothing to sign up for"),
}


class CommandModule(Protocol):
    """What the module of a command has."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say what the command takes."""
        ...

    def run(self, options: argparse.Namespace) -> int:
        """Do it and return the exit status: 0 done, 1 failed, 2 asked wrongly."""
        ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 1 failed, 2 asked wrongly."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = _build_parser(given).parse_args(given)
    name, _ = COMMANDS[options.command or "serve"]
    command: CommandModule = import_module(name)  # type: ignore[assignment]
    try:
        return command.run(options)
    except SettingsWrong as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return 2
    except TextbridgeError as error:
        print(error.log, file=sys.stderr)
        return 1


def _build_parser(given: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="Text with your customers from Slack.")
    parser.add_argument("--version", action="version", version=f"Textbridge {read_version()}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for command, (module, does) in COMMANDS.items():
        described = commands.add_parser(command, help=does, description=does)
        if command in given:
            import_module(module).add_arguments(described)
    return parser


def read_version() -> str:
    """Return the version of this program."""
    try:
        return metadata.version("textbridge")
    except metadata.PackageNotFoundError:
        return "from source"
