"""Listening sockets: taken before anything is served on them, and closed so that nobody is left half let in."""

from __future__ import annotations

import asyncio
import errno
import socket


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to *host* and *port* (0: any free one). Raises OSError if it is taken."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def explain_refusal(host: str, port: int, error: OSError, *, names: str = "HOST or PORT") -> str:
    """Return why nobody can listen there, and what to do, in words for whoever set it; *names*: of the settings."""
    stop = "Stop what listens there, or set" if error.errno == errno.EADDRINUSE else "Set"
    return f"Nothing can listen at {host}, port {port}: {error.strerror}. {stop} {names} to something else."


async def stop_accepting(bound: socket.socket) -> None:
    """
    Accept nobody more on *bound*, and let those who were accepted just now come in; its server can then be closed.

    asyncio makes a connection of an accepted socket a turn later. A server that was closed in between takes it no more,
    and leaves the socket to the garbage collector: its client waits for whenever that comes round. And aiohttp, told to
    stop, overlooks a connection whose handler has not begun, and waits for it as if it were at work.
    """
    asyncio.get_running_loop().remove_reader(bound)
    for _ in range(3):  # the connection is made, its handler is started, it waits for a request
        await asyncio.sleep(0)  # noqa: TID251 - no time passes
