"""
The command line: what is asked for, and with which exit status it ends.

One module for each command, imported only when it is asked for: `--help` needs no database and no HTTP client.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import os
import re
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn, Protocol

from bot.errors import Broken, NotAllowed, SettingsWrong, TextbridgeError

#: Each command, the module that knows it, and what it does in one line.
COMMANDS = {
    "serve": ("bot.cli.serving", "run the bridge; also what happens without any command"),
    "demo": ("bot.cli.demo", "try it: Slack and phones simulated, nothing to sign up for"),
    "doctor": ("bot.cli.doctor", "check all credentials and settings, and say what to do"),
    "manifest": ("bot.cli.manifest", "print the Slack app to create, with your address in it"),
    "queue": ("bot.cli.jobs", "see what waits or failed; bring it back, or set it aside"),
    "export": ("bot.cli.export", "all that is kept of one number, or of all, as JSON or CSV"),
    "audit": ("bot.cli.audit", "who sent, overrode, opted out or set what, and when"),
    "erase": ("bot.cli.erase", "erase what one number wrote and was written; opt-outs stay"),
    "backup": ("bot.cli.backup", "copy the database while it is in use; how to restore it"),
    "carrier": ("bot.cli.carrier", "the Telnyx account: texts, profiles, numbers, opt-outs"),
}
#: Those that run until they are told to stop, for which being stopped is the ordinary end.
_SERVERS = ("serve", "demo")
#: What has fewer is taken for a day or a count, not for somebody's number.
_FEWEST_DIGITS = 10
_EPILOG = """\
Settings come from the environment and from .env; .env.example explains each. What a command takes: COMMAND --help

  python -m bot demo                                    try it, without any account
  python -m bot manifest --url https://sms.example.com  the Slack app to create
  python -m bot doctor                                  is everything right?
  python -m bot                                         run it
"""


class CommandModule(Protocol):
    """What the module of a command has; EPILOG, the end of its help, is optional."""

    def add_arguments(self, parser: argparse.ArgumentParser, /) -> None:
        """Say what the command takes."""
        ...

    def run(self, options: argparse.Namespace, /) -> int:
        """Do it and return the exit status: 0 done, 1 failed, 2 asked wrongly."""
        ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 1 failed, 2 asked wrongly."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if not given or given[0] == "serve":
        # What a start makes stays for good; looking for garbage among it takes a tenth of the start. `bot.serve` goes on.
        gc.disable()
    before = signal.getsignal(signal.SIGTERM)
    if not given or given[0] in _SERVERS:
        # Until the event loop takes over: a stop that comes while the program is being loaded is one all the same.
        signal.signal(signal.SIGTERM, _leave)
    _speak_any_letter()
    try:
        options = _read_arguments(given)
        module, _ = COMMANDS[options.command or "serve"]
        command: CommandModule = import_module(module)
        return command.run(options)
    except SettingsWrong as error:
        print(*error.problems, sep="\n", file=sys.stderr)
        return 2
    except TextbridgeError as error:
        print(_describe(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130  # as shells report what Ctrl-C has ended
    except BrokenPipeError:
        # Whoever read what we print has gone (`| head`): nothing more to say, not even when Python closes stdout.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    finally:
        gc.enable()
        signal.signal(signal.SIGTERM, before)


def _describe(error: TextbridgeError) -> str:
    """Return what to say of *error*: what a platform said is masked, for a command's errors may end in a log."""
    if isinstance(error, NotAllowed):
        return error.person
    return error.log if isinstance(error, Broken) else _mask(error.log)


def _mask(text: str) -> str:
    masked: str = import_module("bot.observe").mask_numbers(text)
    return masked


def _mask_long(digits: str) -> str:
    return _mask(digits) if sum(letter.isdigit() for letter in digits) >= _FEWEST_DIGITS else digits


class _Parser(argparse.ArgumentParser):
    """A parser whose mistakes repeat no number that was typed."""

    def error(self, message: str) -> NoReturn:
        # A day, in an example of how to write one, has eight digits.
        super().error(re.sub(r"\+?\d[\d(). -]{8,}\d", lambda found: _mask_long(found[0]), message))


def _speak_any_letter() -> None:
    """
    Have stdout take every letter, whatever the locale: what customers write is in it, and the signs of our own sentences.

    A file or another program gets UTF-8, which JSON is in; a terminal that knows fewer letters gets those it knows.
    """
    out = sys.stdout
    if isinstance(out, io.TextIOWrapper) and out.encoding.lower().replace("-", "") != "utf8":
        if out.isatty():
            out.reconfigure(errors="backslashreplace")
        else:
            out.reconfigure(encoding="utf-8")


def _leave(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(0)


def _read_arguments(given: Sequence[str]) -> argparse.Namespace:
    if list(given) in ([], ["serve"]):
        # The one command whose start people wait for takes nothing; the parsers of all the others take longer to make
        # than the database to open.
        return argparse.Namespace(command="serve")
    return _build_parser(given).parse_args(given)


def _build_parser(given: Sequence[str]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m bot",
        description="Textbridge: text with your customers from Slack.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_TellVersion, nargs=0, help="show program's version number and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for command, (module, does) in COMMANDS.items():
        described = commands.add_parser(
            command,
            help=does,
            description=f"{does[0].upper()}{does[1:]}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if command in given:
            known: CommandModule = import_module(module)
            known.add_arguments(described)
            described.epilog = getattr(known, "EPILOG", None)
    return parser


class _TellVersion(argparse.Action):
    """What argparse's own does, but finding the version out only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"Textbridge {import_module('bot.cli.version').read_version()}")
        parser.exit()
