"""`serve`: the real thing."""

from __future__ import annotations

import argparse
import asyncio

from bot.observe import configure_logging
from bot.serve import serve
from bot.settings import LogFormat, load_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take nothing: everything is in the settings."""


def run(options: argparse.Namespace) -> int:
    """Serve until told to stop."""
    settings = load_settings()
    configure_logging(level=settings.log_level, as_json=settings.log_format is LogFormat.JSON)
    asyncio.run(serve(settings))
    return 0
