"""
TLS towards the platforms: one context for every client, and the system's roots in it, read when first they are needed.

Reading the roots takes twenty milliseconds of processor and most of a megabyte each time. aiohttp does it twice as it is
imported, httpx once more, and an answer to a platform needs none of it; see `bot.late`.
"""

from __future__ import annotations

import functools
import ssl
import threading

_ONE_AT_A_TIME = threading.Lock()


@functools.cache
def get_tls() -> ssl.SSLContext:
    """Return the context that all share. It trusts nobody until `read_roots` has been called."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificates, and names
    context.set_alpn_protocols(("http/1.1",))
    return context


def read_roots() -> None:
    """Have the context trust what the system trusts, SSL_CERT_FILE included; it is done once, and best on a thread."""
    with _ONE_AT_A_TIME:
        _read_roots()


@functools.cache
def _read_roots() -> None:
    get_tls().load_default_certs()
