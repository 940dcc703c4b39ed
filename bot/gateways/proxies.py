"""Which proxy leads to a platform, where the environment names one: the same for every call, whatever library makes it."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass  # noqa: TID251 - they only read the environment

from bot.settings import is_loopback

_SPOKEN = ("http://", "https://")


def find_proxy(address: str) -> str | None:
    """
    Return the proxy of HTTPS_PROXY, HTTP_PROXY or ALL_PROXY for *address*; None where NO_PROXY excepts its host.

    Only one that speaks HTTP: the libraries here know no other. None leads to what speaks plainly on this machine, as a
    simulator does: a proxy elsewhere would look for it on its own. Raises ValueError where *address* is none.
    """
    url = urlsplit(address)
    if url.scheme == "http" and is_loopback(url.hostname):
        return None
    named = getproxies()
    found = named.get(url.scheme) or named.get("all")
    if not found or proxy_bypass(url.netloc.rpartition("@")[2]):
        return None
    proxy = found if "://" in found else f"http://{found}"
    return proxy if proxy.startswith(_SPOKEN) else None
