"""
What is imported late, and when: nothing that an answer to a platform waits for.

A start is mostly imports, and so is what an idle process holds in memory. Each of these is loaded on a thread, so that
the event loop turns meanwhile, and once: Python keeps what it has loaded.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.gateways.pictures import PillowPictures
    from bot.ports.media import Fitted, Look
    from bot.works import Works
    from handlers.framework import Framework


def import_aiohttp() -> None:
    """
    Import aiohttp without the roots that it reads on that occasion, twice: a fifth of its time.

    What it makes of them are the contexts for sessions that are given none, which then trust nobody. Every session of
    the bridge is given `bot.gateways.tls`, whose roots are read when the first certificate is to be checked.
    """
    ssl.SSLContext.set_default_verify_paths = _read_no_roots  # type: ignore[method-assign, assignment] # one argument, as it is called
    try:
        import aiohttp  # noqa: F401
    finally:
        del ssl.SSLContext.set_default_verify_paths  # it was inherited, and is again


def _read_no_roots(_context: ssl.SSLContext) -> None:
    pass


async def load_works() -> type[Works]:
    """Load the flows, and what they need (httpx, slack_sdk, phonenumbers): as soon as the program is ready."""

    def load() -> type[Works]:
        _import_httpx()
        import phonenumbers  # noqa: F401 - by most of what is to come, see `bot.domain.phone`

        from bot.gateways.tls import read_roots
        from bot.works import Works

        read_roots()
        return Works

    return await asyncio.to_thread(load)


def _import_httpx() -> None:
    """
    Import httpx without its command line.

    It takes that along wherever click and rich happen to be installed, as development's tools have them: five megabytes
    and half of its time. None in `sys.modules` is Python's own way to say that a module cannot be had; httpx then does
    without, as it does in the image.
    """
    if "httpx" in sys.modules:
        return
    sys.modules["httpx._main"] = None  # type: ignore[assignment] # typeshed does not know of None
    try:
        import httpx  # noqa: F401
    finally:
        del sys.modules["httpx._main"]


async def load_exposition() -> None:
    """Load Prometheus' library: when `/metrics` is asked for."""
    await asyncio.to_thread(import_module, "bot.exposition")


async def load_framework() -> type[Framework]:
    """Load slack-bolt, two hundred modules: at the first command, button or form. Slack waits three seconds for it."""

    def load() -> type[Framework]:
        from handlers.framework import Framework

        return Framework

    return await asyncio.to_thread(load)


class LatePictures:
    """`bot.ports.media.Pictures`: loads Pillow and libheif, six megabytes, when the first file is to be sent."""

    def __init__(self) -> None:
        self._pictures: PillowPictures | None = None

    async def look(self, path: Path) -> Look:
        """Return what the picture in *path* is."""
        return await (await self._load()).look(path)

    async def fit(self, path: Path, most: int) -> Fitted:
        """Return the picture in at most *most* bytes."""
        return await (await self._load()).fit(path, most)

    async def strip_animation(self, path: Path) -> Fitted:
        """Return an animated GIF with nothing but its frames."""
        return await (await self._load()).strip_animation(path)

    async def _load(self) -> PillowPictures:
        def load() -> type[PillowPictures]:
            from bot.gateways.pictures import PillowPictures

            return PillowPictures

        found = await asyncio.to_thread(load)
        if self._pictures is None:
            self._pictures = found()
        return self._pictures
