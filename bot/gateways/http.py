"""
Fetching what strangers name an address of, without being led inside our own network.

The names in a webhook are the carrier's, and what stands behind them is anybody's. So redirects are followed by hand,
at every step the addresses that a name resolves to are looked at before one of them is connected to, and it is those
very addresses that are connected to: a name that answers otherwise the second time is never asked a second time. The
API key goes out only when a plain request was refused, only to the carrier's own hosts over https, and never after a
redirect.
"""

from __future__ import annotations

import hashlib
import socket
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot.domain.media import Loss, NotHad
from bot.errors import RetryLater
from bot.gateways.tls import get_tls
from bot.observe import Metrics
from bot.ports.media import Fetched, Sink

#: For one file, redirects included: less than a job's lease.
_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=5, sock_read=20)
_CHUNK = 256 * 1024
MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NEEDS_KEY = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
#: Answers that a later request may not get.
_FOR_NOW = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_CARRIER_DOMAIN = "telnyx.com"
_LONGEST_ADDRESS = 4096
#: RFC 6052: the last 32 bits of these are an IPv4 address, which a gateway on the way would reach.
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """
    Tell whether *address*, an IP address in its usual form, is one of the internet at large.

    Loopback, private, link-local, shared, reserved, unspecified and multicast ones are not, nor are IPv6 forms of them.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        inner = _unwrap(found)
        if inner is not None:
            return is_public(str(inner))
        if found.is_site_local:
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def _unwrap(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 one stands for: mapped, compatible, 6to4, Teredo, NAT64."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or int(address) >> 32 == 0:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def parse_url(address: str) -> URL:
    """Return *address* as a URL whose parts can be looked at. Raises ValueError for what is none."""
    try:
        url = URL(address)
        _ = url.raw_host, url.explicit_port
    except (IndexError, UnicodeError) as error:  # yarl's own, at `http://[::1]@@`, and at half a surrogate pair
        raise ValueError("an address that is none") from error
    return url


class GuardedResolver(AbstractResolver):
    """Resolves names as *inner* does, and refuses a name when any of its addresses is not public."""

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of *host*, which the caller connects to. Raises NotHad for one inside our network."""
        found = await self._inner.resolve(host, port, family)
        if not all(is_public(each["host"]) for each in found):
            raise NotHad(Loss.FORBIDDEN, "a name that resolves to an address that is not public")
        return found

    async def close(self) -> None:
        """Close the resolver behind it."""
        await self._inner.close()


@dataclass(frozen=True, slots=True)
class _Step:
    """What one request led to: the next address, or None when the file was taken."""

    following: URL | None
    fetched: Fetched | None = None
    status: int = 0


class CarrierMediaGateway:
    """`bot.ports.media.CarrierMedia` over aiohttp, in a session of its own. To be made inside a running event loop."""

    def __init__(
        self,
        *,
        api_key: str,
        api_url: str,
        allow_private: bool,
        metrics: Metrics,
        resolver: AbstractResolver | None = None,
        timeout: timedelta | None = None,
    ) -> None:
        self._api_key = api_key
        self._api_origin = URL(api_url).origin()
        self._allow_private = allow_private
        self._metrics = metrics
        inner = resolver or aiohttp.ThreadedResolver()
        timeouts = _TIMEOUT if timeout is None else aiohttp.ClientTimeout(total=timeout.total_seconds())
        # No cache of names, and no connection kept: what was looked at is what is connected to.
        guarded = inner if allow_private else GuardedResolver(inner)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=guarded, ssl=get_tls(), use_dns_cache=False, force_close=True, limit=32
            ),
            timeout=timeouts,
            headers={"Accept-Encoding": "identity"},
            trust_env=False,
        )
        self._inner = inner

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()
        await self._inner.close()

    async def fetch(self, address: str, sink: Sink, *, most: int) -> Fetched:
        """Fetch what is at *address*, at most *most* bytes. Raises NotHad, RetryLater."""
        outcome = "error"
        try:
            fetched = await self._follow(self._read_address(address), sink, most)
            outcome = "ok"
        except (NotHad, RetryLater) as error:
            outcome = error.loss if isinstance(error, NotHad) else "RetryLater"
            raise
        finally:
            self._metrics.calls.labels("telnyx", "GET media", outcome).inc()
        return fetched

    async def _follow(self, url: URL, sink: Sink, most: int) -> Fetched:
        keyed = False
        for hop in range(MOST_REDIRECTS + 1):
            step = await self._take(url, sink, most, key=False)
            if step.status in _NEEDS_KEY and hop == 0 and self._may_see_key(url):
                keyed = True
                step = await self._take(url, sink, most, key=True)
            if step.fetched is not None:
                return step.fetched
            if step.following is None:
                after = " with the key" if keyed else ""
                raise NotHad(Loss.GONE, f"its holder answered HTTP {step.status}{after}")
            url = step.following
        raise NotHad(Loss.ASTRAY, f"more than {MOST_REDIRECTS} redirects")

    async def _take(self, url: URL, sink: Sink, most: int, *, key: bool) -> _Step:
        """Make one request. What it brings goes to *sink*; a refusal or a redirect brings nothing."""
        headers = {"Authorization": f"Bearer {self._api_key}"} if key else {}
        try:
            async with self._session.get(url, headers=headers, allow_redirects=False) as response:
                if response.status in _REDIRECTS:
                    return _Step(self._read_redirect(url, response.headers.get("Location")))
                if response.status == HTTPStatus.OK:
                    return _Step(None, await pour(response, sink, most), response.status)
                if response.status in _FOR_NOW or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    raise RetryLater(f"a picture's holder answered HTTP {response.status}")
                return _Step(None, status=response.status)
        except aiohttp.InvalidURL as error:
            raise NotHad(Loss.ASTRAY, "an address that is none") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise RetryLater(f"a picture's holder cannot be reached: {type(error).__name__}") from error

    def _read_redirect(self, url: URL, location: str | None) -> URL:
        if not location or len(location) > _LONGEST_ADDRESS:
            raise NotHad(Loss.ASTRAY, "a redirect to nowhere")
        try:
            return self._read_address(str(url.join(parse_url(location))))
        except ValueError as error:
            raise NotHad(Loss.ASTRAY, "a redirect to what is no address") from error

    def _read_address(self, address: str) -> URL:
        try:
            url = parse_url(address)
            host = url.raw_host
        except ValueError as error:
            raise NotHad(Loss.ASTRAY, "an address that is none") from error
        if (
            len(address) > _LONGEST_ADDRESS
            or url.scheme not in ("http", "https")
            or not host
            or url.raw_user is not None
        ):
            raise NotHad(Loss.ASTRAY, "an address that is not of the web")
        # aiohttp takes whatever has a colon, or digits and dots only, for an IP address that needs no resolving, and
        # the system then reads `2130706433` and `127.1` as 127.0.0.1: so what looks like one must be one, and public.
        looks_numeric = ":" in host or host.replace(".", "").isdigit()
        # A zone, after a percent sign, names a network of this machine's: none of the internet has one.
        if looks_numeric and not self._allow_private and ("%" in host or not is_public(host)):
            raise NotHad(Loss.FORBIDDEN, "an address that is not public")
        return url.with_fragment(None)

    def _may_see_key(self, url: URL) -> bool:
        """Tell whether the API key may go to *url*: to the carrier's own hosts, and to where all our calls take it."""
        host = (url.raw_host or "").lower()
        is_carrier = url.scheme == "https" and (host == _CARRIER_DOMAIN or host.endswith("." + _CARRIER_DOMAIN))
        return is_carrier or url.origin() == self._api_origin


async def pour(response: aiohttp.ClientResponse, sink: Sink, most: int) -> Fetched:
    """Write a response's body to *sink* as it comes. Raises NotHad as soon as it is more than *most* bytes."""
    announced = response.content_length
    if announced is not None and announced > most:
        raise NotHad(Loss.TOO_LARGE, f"it is announced with {announced} bytes", size=announced)
    digest = hashlib.sha256()
    size = 0
    async for chunk in response.content.iter_chunked(_CHUNK):
        size += len(chunk)
        if size > most:
            raise NotHad(Loss.TOO_LARGE, f"it has more than {most} bytes")
        digest.update(chunk)
        await sink.write(chunk)
    if size == 0:
        raise NotHad(Loss.EMPTY, "it has no bytes")
    return Fetched(content_type=response.headers.get("Content-Type"), size=size, sha256=digest.hexdigest())
