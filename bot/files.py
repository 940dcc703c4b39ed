"""
How many files the process may have open, and who gets how many of them.

A connection is one. Where there is none left, a process can neither accept who knocks nor call a platform, and asyncio says
so thousands of times a second. So those outside and our own calls are given no more than there are.
"""

from __future__ import annotations

import resource
from contextlib import suppress
from dataclasses import dataclass

#: What we ask for where less is usual (macOS: 256) and more is allowed.
_WANTED = 4096
#: For the database, the log, the event loop, a picture that is read, and ten calls to the carrier.
_OWN = 32
#: Below this no division helps.
_FEWEST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How many files are whose."""

    connections: int = 512  #: From outside, open at once.
    knocking: int = 100  #: From outside, accepted in one go before any of them is counted.
    calls: int  #: To Slack, open at once.

    @property
    def total(self) -> int:
        """All of them."""
        return self.connections + self.knocking + self.calls


def raise_limit() -> int:
    """Have as many files allowed as we want, if we may; return how many are."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED if most == resource.RLIM_INFINITY else min(_WANTED, most)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
            return wanted
    return wanted if allowed == resource.RLIM_INFINITY else allowed


def share_files(allowed: int, *, calls: int) -> Shares:
    """Return what each gets of *allowed* files, at most what is usual; *calls*: how many to Slack are."""
    usual = Shares(calls=calls)
    spare = max(_FEWEST, allowed - _OWN)
    if spare >= usual.total:
        return usual
    knocking, calls = min(usual.knocking, spare // 6), min(usual.calls, spare // 3)
    return Shares(connections=min(usual.connections, spare - knocking - calls), knocking=knocking, calls=calls)
