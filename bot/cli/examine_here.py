"""What `doctor` looks at on this machine: the database, the clock, and our own address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from bot.cli.findings import Finding, ok, warn, wrong
from bot.clock import Clock
from bot.domain.job import Status
from bot.errors import Broken, RetryLater
from bot.gateways.checks import Answer, Probe, ask_ourselves
from bot.settings import Settings
from storage.admin import list_jobs, open_existing
from storage.migrate import SCHEMA
from storage.place import check_place, check_version

_DATABASE = "DATABASE_URL"
_PUBLIC_URL = "PUBLIC_URL"
#: Slack and Telnyx sign with their time, and what is more than five minutes off is refused.
_WORST_SKEW = timedelta(minutes=5)
_DOUBTFUL_SKEW = timedelta(seconds=60)


async def examine_database(settings: Settings, clock: Clock) -> AsyncIterator[Finding]:
    """Yield what is found."""
    path = settings.database_path
    problem = check_place(path)
    if problem is not None:
        yield wrong(_DATABASE, problem, "Make it writable for this user, or set another place.")
        return
    try:
        version = check_version(path) if settings.database_path.exists() else None
    except Broken as error:
        yield wrong(_DATABASE, error.log, "Restore a backup, or set another place.")
        return
    if version is None:
        yield ok(_DATABASE, f"{path} will be made when the bridge starts.")
        return
    schema, compat = version
    if compat > SCHEMA:
        yield wrong(
            _DATABASE,
            f"{path} was made by a newer Textbridge (schema {schema}; this one knows {SCHEMA}).",
            "Run the newer one, or restore a backup made by this one.",
        )
        return
    if schema < SCHEMA:
        yield ok(_DATABASE, f"{path} will be brought up to date when the bridge starts.")
        return
    yield ok(_DATABASE, f"{path} is writable and up to date.")
    async with open_existing(path) as database:
        parked, _ = await list_jobs(database, clock.now(), statuses=[Status.PARKED], limit=1)
    if parked:
        yield warn("queue", f"{parked} parked: work that could not be done.", "Look at it: python -m bot queue")


def judge_clock(platform: str, answer: Answer, clock: Clock) -> Iterator[Finding]:
    """Yield a finding when *platform*'s clock and ours are so far apart that signatures fail, or soon will."""
    if answer.dated_at is None:
        return
    skew = abs(clock.now() - answer.dated_at)
    if skew < _DOUBTFUL_SKEW:
        return
    says = f"it is {int(skew.total_seconds())} seconds off {platform}'s."
    do = "Set it by NTP (timedatectl set-ntp true)."
    if skew < _WORST_SKEW:
        yield warn("this machine's clock", says, do)
    else:
        yield wrong("this machine's clock", f"{says} Everything {platform} sends is refused as stale.", do)


async def examine_address(settings: Settings) -> AsyncIterator[Finding]:
    """Yield what is found; that it is not reached from here is a warning, since this may be inside and it outside."""
    url = settings.public_url
    if url is None:
        yield warn(
            _PUBLIC_URL,
            "it is not set: pictures cannot be sent, and each send relies on the profile's webhook address.",
            "Set it to the https address at which the internet reaches this bridge.",
        )
        return
    parts = urlsplit(url)
    if parts.scheme != "https" and not settings.carrier_is_local:
        yield wrong(
            _PUBLIC_URL,
            "it is only for this machine: Slack and Telnyx cannot reach it.",
            "Set it to the https address at which the internet reaches this bridge.",
        )
        return
    if not settings.carrier_is_local and await _is_inside(parts.hostname or ""):
        yield wrong(
            _PUBLIC_URL,
            f"{parts.hostname} is an address inside a private network: Slack and Telnyx cannot reach it.",
            "Have its name point at the machine's public address, or at the proxy or tunnel in front of it.",
        )
        return
    try:
        async with Probe(url) as public:
            answer = await ask_ourselves(public)
    except RetryLater as error:
        yield warn(
            _PUBLIC_URL,
            f"{url} {error.log} from here.",
            "Start the bridge, and check the DNS name and the proxy or tunnel in front of it.",
        )
        return
    if answer.body.get("status") == "alive":
        yield ok(_PUBLIC_URL, f"{url} reaches a bridge that is alive.")
    else:
        yield warn(
            _PUBLIC_URL,
            f"{url}/healthz is not answered by a bridge (HTTP {answer.status}).",
            f"Start the bridge, and have the proxy or tunnel pass everything on to port {settings.port}.",
        )


async def _is_inside(host: str) -> bool:
    """Tell whether every address of *host*, as this machine resolves it, is a private one."""
    with suppress(ValueError):
        return not ip_address(host).is_global
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None)
    except OSError:
        return False  # that it has no address is told by what comes next
    return all(not ip_address(str(entry[4][0]).partition("%")[0]).is_global for entry in found)
