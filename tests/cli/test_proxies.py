"""Where the environment names a proxy, all that goes to the platforms goes through it, and nothing past it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from yarl import URL

from bot.gateways.proxies import find_proxy
from bot.sandbox.stories import paint_picture
from bot.sandbox.telnyx_sim import Media
from tests.cli.rig import SAM, build_settings, eventually, list_posts, main_channel, open_world, run_bridge
from tests.cli.test_tls import PAPERS, pass_on, serve_over_tls

#: Where the platforms seem to be: nobody listens there, and whoever goes past the proxy finds that out.
_SLACK, _CARRIER = "https://localhost:1", "https://localhost:2"


@asynccontextmanager
async def open_proxy(ways: Mapping[str, str]) -> AsyncIterator[str]:
    """Lend the address of a proxy that connects to each place by *ways*, and to no other."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        behind = URL(ways[f"https://{head.split()[1].decode()}"])
        inner_reader, inner_writer = await asyncio.open_connection(behind.host, behind.port)
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        await asyncio.gather(pass_on(reader, inner_writer), pass_on(inner_reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_texts_pictures_replies_and_marks_go_through_the_proxy(tmp_path: Path) -> None:
    async with open_world() as world:
        plain = build_settings(world, tmp_path)
        async with (
            serve_over_tls(plain["SLACK_API_URL"]) as slack,
            serve_over_tls(plain["TELNYX_API_URL"]) as carrier,
            open_proxy({_SLACK: slack, _CARRIER: carrier}) as proxy,
        ):
            world.slack.base_url = _SLACK  # of the addresses where files are taken
            environment = {
                "SLACK_API_URL": f"{_SLACK}/api/",
                "TELNYX_API_URL": f"{_CARRIER}{URL(plain['TELNYX_API_URL']).path}",
                "HTTPS_PROXY": proxy,
                "SSL_CERT_FILE": str(PAPERS),
            }
            async with run_bridge(world, tmp_path, **environment) as running:  # it is ready: both were asked
                ours, channel, dana = world.cast.lines[0].number, main_channel(world), world.seats.users["dana"]
                picture = Media(filename="a.png", content_type="image/png", content=paint_picture())
                await world.telnyx.text_in(from_=SAM, to=ours, text="Look", media=[picture])
                await eventually(
                    lambda: any(post.get("files") for post in list_posts(world)), what="that the picture is shown"
                )
                root = world.slack.messages(channel)[0]["ts"]
                ts = await world.slack.post(dana, channel, "Nice", thread_ts=root)
                await eventually(lambda: world.slack.reactions(channel, ts), what="that the reply is marked")
                assert [send.text for send in world.telnyx.sends] == ["Nice"]
                assert await running.stop() == 0


@pytest.mark.parametrize(
    ("environment", "address", "proxy"),
    [
        ({}, "https://slack.com/api/", None),
        ({"HTTPS_PROXY": "http://p:3128"}, "https://slack.com/api/", "http://p:3128"),
        ({"https_proxy": "p:3128"}, "https://slack.com/api/", "http://p:3128"),
        ({"ALL_PROXY": "http://u:secret@p:3128"}, "https://api.telnyx.com/v2", "http://u:secret@p:3128"),
        ({"HTTPS_PROXY": "http://p:3128"}, "http://127.0.0.1:8080/v2", None),
        ({"HTTP_PROXY": "http://p:3128"}, "https://slack.com/api/", None),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "telnyx.com"}, "https://api.telnyx.com/v2", None),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "telnyx.com"}, "https://slack.com/api/", "http://p:3128"),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "*"}, "https://slack.com/api/", None),
        ({"HTTP_PROXY": "http://p:3128", "NO_PROXY": "texts.lan:80"}, "http://texts.lan:81/", "http://p:3128"),
        ({"HTTP_PROXY": "http://p:3128"}, "http://127.0.0.1:8080/v2", None),
        ({"ALL_PROXY": "http://p:3128"}, "http://[::1]:8080/api/", None),
        ({"HTTP_PROXY": "http://p:3128"}, "http://localhost:8080/api/", None),
        ({"ALL_PROXY": "socks5://p:1080"}, "https://slack.com/api/", None),
    ],
)
def test_the_proxy_for_an_address_is_the_one_that_the_environment_names(
    environment: Mapping[str, str], address: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert find_proxy(address) == proxy
