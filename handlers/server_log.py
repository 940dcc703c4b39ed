"""
What aiohttp's server has to say, in our sentences.

It would log each request that it cannot read, and each that breaks off, as an error with its trace, and repeat the line
that it stumbled over: a piece of a body, where something on the way gave a wrong length. Neither is a defect of ours, any
stranger can bring them about, and what they sent is nobody's to read in a log.
"""

from __future__ import annotations

import logging
from typing import Any

from aiohttp.http_exceptions import HttpProcessingError

from bot.observe import Log

_log = Log("server")


class ServerLog(logging.Logger):
    """The logger for aiohttp's server; nothing below an error of its is told."""

    def __init__(self) -> None:
        super().__init__("aiohttp.server", logging.ERROR)

    def exception(self, msg: object, *_: object, exc_info: Any = True, **__: Any) -> None:
        """Tell of a request that could not be read, of one that broke off, or of a defect, which alone has its trace."""
        match exc_info:
            case HttpProcessingError():
                _log.info("Something that is no request was refused.", trouble=type(exc_info).__name__)
            case ConnectionError():
                _log.info("A client went away in the middle of its request.")
            case BaseException():
                _log.error("A request could not be answered.", error=exc_info)
            case _:
                _log.error("A request could not be answered.", trouble=msg)
