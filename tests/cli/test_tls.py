"""Whom the running bridge trusts: certificates are checked, against the system's roots, wherever it calls over TLS."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from yarl import URL

from tests.cli.rig import SAM, build_settings, eventually, main_channel, open_world, run_bridge, start_bot

#: A certificate of `localhost` for a hundred years, signed by itself, with its key: made for these tests.
PAPERS = Path(__file__).with_name("localhost.pem")
UNTRUSTED = "ClientConnectorCertificateError"


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while some := await reader.read(65_536):
            writer.write(some)
            await writer.drain()
    writer.close()


def find_asked(thread: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the message of the thread that holds a button."""
    return next((each for each in thread[1:] if "opt_out" in json.dumps(each.get("blocks", []))), None)


@asynccontextmanager
async def serve_over_tls(url: str) -> AsyncIterator[str]:
    """Lend the https address of what is at *url*."""
    behind = URL(url)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(behind.host, behind.port)
        await asyncio.gather(pass_on(reader, inner_writer), pass_on(inner_reader, writer))

    papers = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    papers.load_cert_chain(PAPERS)
    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=papers)
    try:
        yield str(behind.with_scheme("https").with_host("localhost").with_port(server.sockets[0].getsockname()[1]))
    finally:
        server.close()


async def test_over_tls_both_platforms_are_asked_texted_and_posted_to_where_the_system_trusts_them(
    tmp_path: Path,
) -> None:
    async with open_world() as world:
        plain = build_settings(world, tmp_path)
        async with serve_over_tls(plain["SLACK_API_URL"]) as slack, serve_over_tls(plain["TELNYX_API_URL"]) as telnyx:
            places = {"SLACK_API_URL": slack, "TELNYX_API_URL": telnyx, "SSL_CERT_FILE": str(PAPERS)}
            async with run_bridge(world, tmp_path, **places) as running:  # it is ready: both were asked
                assert not any("not able to work" in line for line in running.err)
                ours, channel, dana = world.cast.lines[0].number, main_channel(world), world.seats.users["dana"]
                await world.telnyx.text_in(from_=SAM, to=ours, text="Are you open?")
                root = (await eventually(lambda: world.slack.messages(channel), what="that the text is shown"))[0]

                await world.slack.post(dana, channel, "Until six.", thread_ts=root["ts"])

                await eventually(lambda: world.telnyx.sends, what="that the reply reaches the carrier")
                assert await running.stop() == 0


async def test_a_click_is_answered_over_tls_too(tmp_path: Path) -> None:
    """By slack-bolt, in a session of its own."""
    async with open_world() as world:
        plain = build_settings(world, tmp_path)
        async with serve_over_tls(plain["SLACK_API_URL"]) as slack:
            places = {"SLACK_API_URL": slack, "SSL_CERT_FILE": str(PAPERS)}
            async with run_bridge(world, tmp_path, **places) as running:
                world.slack.base_url = str(URL(slack).origin())  # of the addresses at which clicks are answered
                ours, channel, dana = world.cast.lines[0].number, main_channel(world), world.seats.users["dana"]
                await world.telnyx.text_in(from_=SAM, to=ours, text="Please stop texting me")
                root = (await eventually(lambda: world.slack.messages(channel), what="that the text is shown"))[0]
                asked = await eventually(
                    lambda: find_asked(world.slack.thread(channel, root["ts"])), what="that somebody is asked"
                )

                await world.slack.click(dana, channel, asked["ts"], "opt_out")

                await eventually(lambda: world.slack.ephemerals(dana), what="that who clicked is told")
                assert await running.stop() == 0


async def test_a_platform_whose_certificate_no_root_vouches_for_is_not_talked_to(tmp_path: Path) -> None:
    async with open_world() as world:
        plain = build_settings(world, tmp_path)
        async with serve_over_tls(plain["SLACK_API_URL"]) as slack, serve_over_tls(plain["TELNYX_API_URL"]) as telnyx:
            settings = plain | {"SLACK_API_URL": slack, "TELNYX_API_URL": telnyx}
            async with start_bot(folder=tmp_path, environment=settings) as running:
                refusals = {f"{part} cannot be reached: {UNTRUSTED}" for part in ("slack", "telnyx")}
                await eventually(
                    lambda: all(any(each in line for line in running.err) for each in refusals),
                    what="that both certificates are refused",
                )
                assert not world.slack.calls
