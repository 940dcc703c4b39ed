"""`serve`: the real thing. What is wrong with the settings is told before anything big is loaded."""

from __future__ import annotations

import argparse
import asyncio

from bot.errors import Broken
from bot.late import import_aiohttp
from bot.listening import explain_refusal, listen
from bot.observe import configure_logging
from bot.settings import LogFormat, Settings, load_settings
from storage.place import check_place, check_version


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Take nothing: everything is in the settings."""


def run(_options: argparse.Namespace) -> int:
    """Serve until told to stop."""
    settings = load_settings()
    check_database(settings)
    import_aiohttp()
    from bot.serve import serve  # noqa: PLC0415 - not before aiohttp

    check_port(settings)
    configure_logging(level=settings.log_level, as_json=settings.log_format is LogFormat.JSON)
    asyncio.run(serve(settings))
    return 0


def check_database(settings: Settings) -> None:
    """Raise Broken, in words, when the database cannot be where DATABASE_URL says."""
    problem = check_place(settings.database_path)
    if problem is not None:
        raise Broken(f"The database cannot be kept there: {problem} Set DATABASE_URL to another place.")
    try:
        settings.database_path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # a place that looks writable, and is not: /proc, a full or read-only disk
        raise Broken(f"The database cannot be kept there: {error}. Set DATABASE_URL to another place.") from error
    if settings.database_path.exists():
        check_version(settings.database_path)  # raises when it is damaged, or not ours


def check_port(settings: Settings) -> None:
    """Raise Broken, in words, when nothing can listen at HOST and PORT, or at OPS_HOST and OPS_PORT."""
    places = [(settings.host, settings.port, "HOST or PORT")]
    if settings.ops_port is not None:
        places.append((settings.ops_host, settings.ops_port, "OPS_HOST or OPS_PORT"))
    for host, port, names in places:
        try:
            listen(host, port).close()
        except OSError as error:
            raise Broken(explain_refusal(host, port, error, names=names)) from error
