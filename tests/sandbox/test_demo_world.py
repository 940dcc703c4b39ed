"""The world behind the demo's page, without a browser and without a bot."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from bot.clock import SystemClock
from bot.sandbox.cast import Cast
from bot.sandbox.page import CommandError, is_own_name
from bot.sandbox.sections import write_mentions
from bot.sandbox.server import Server
from bot.sandbox.stories import STORIES, CustomerTexts, Story, paint_picture
from bot.sandbox.troubles import TROUBLES
from bot.sandbox.world import World

SAM, ALEX = "+14155550101", "+12125550123"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World(clock=SystemClock())
    await world.start()
    yield world
    await world.stop()


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def read_event(response: aiohttp.ClientResponse) -> tuple[str, Any]:
    name = (await response.content.readline()).decode().strip().removeprefix("event: ")
    data = (await response.content.readline()).decode().strip().removeprefix("data: ")
    await response.content.readline()
    return name, json.loads(data)


async def give(browser: aiohttp.ClientSession, world: World, command: dict[str, Any]) -> dict[str, Any]:
    async with browser.post(f"{world.page_url}do", json=command) as response:
        answer: dict[str, Any] = await response.json()
        return answer


def read_texts(world: World, number: str) -> list[Any]:
    """Return what the page shows of a phone's only conversation."""
    section: Any = world.render_sections()[f"phone:{number}"]
    (talk,) = section["conversations"]
    texts: list[Any] = talk["texts"]
    return texts


async def test_the_page_is_served_with_a_policy_that_lets_in_no_foreign_code(
    world: World, browser: aiohttp.ClientSession
) -> None:
    async with browser.get(world.page_url) as response:
        assert response.status == 200
        assert "script-src 'self';" in response.headers["Content-Security-Policy"]
        page = await response.text()
    assert "<script>" not in page
    assert "http" not in page
    async with browser.get(f"{world.page_url}main.js") as response:
        assert response.content_type == "text/javascript"
    async with browser.get(f"{world.page_url}nothing.js") as response:
        assert response.status == 404


@pytest.mark.parametrize("path", ["..%2fworld.py", "static%2fmain.js", "%2e%2e/world.py"])
async def test_nothing_but_the_pages_own_files_is_served(
    world: World, browser: aiohttp.ClientSession, path: str
) -> None:
    async with browser.get(URL(world.page_url + path, encoded=True)) as response:
        assert response.status == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "rebound.example:80"},
    ],
)
async def test_another_sites_page_can_do_nothing_here(
    world: World, browser: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    command = {"do": "text", "from": SAM, "to": world.cast.lines[0].number, "text": "x"}
    async with browser.post(f"{world.page_url}do", json=command, headers=headers) as response:
        assert response.status == 403
    assert world.telnyx.screen(SAM) == []


async def test_commands_must_be_json_which_a_foreign_form_cannot_send(
    world: World, browser: aiohttp.ClientSession
) -> None:
    async with browser.post(f"{world.page_url}do", data='{"do": "clear_trouble"}') as response:
        assert response.status == 415


@pytest.mark.parametrize(
    ("host", "own"),
    [("localhost:80", True), ("127.0.0.1:8", True), ("[::1]:8", True), ("demo.example", False), ("", False)],
)
def test_only_addresses_and_localhost_are_its_own_name(host: str, own: bool) -> None:
    assert is_own_name(host) is own


async def test_the_stream_tells_everything_first_and_then_what_changed(
    world: World, browser: aiohttp.ClientSession
) -> None:
    async with browser.get(f"{world.page_url}live") as stream:
        name, sections = await read_event(stream)
        assert name == "state"
        assert sections["team"]["name"] == world.cast.team_name
        assert sections["customers"][0]["number"] == SAM
        assert (await read_event(stream)) == ("exchanges", [])
        await world.do({"do": "text", "from": SAM, "to": world.cast.lines[0].number, "text": "Hello"})
        name, changed = await read_event(stream)
        assert name == "state"
        assert f"phone:{SAM}" in changed
        texts = changed[f"phone:{SAM}"]["conversations"][0]["texts"]
        assert [(text["mine"], text["text"]) for text in texts] == [(True, "Hello")]
        name, exchanges = await read_event(stream)
        assert name == "exchanges"
        assert exchanges[0]["source"] == "phone"


async def test_a_picture_comes_back_to_the_page_as_it_was_sent(world: World, browser: aiohttp.ClientSession) -> None:
    picture = paint_picture()
    packed = {"name": "a.png", "type": "image/png", "data": base64.b64encode(picture).decode()}
    text = {"do": "text", "from": SAM, "to": world.cast.lines[0].number, "text": "", "media": [packed]}
    assert (await give(browser, world, text))["ok"]
    section: Any = world.render_sections()[f"phone:{SAM}"]
    media = section["conversations"][0]["texts"][0]["media"][0]
    async with browser.get(world.page_url.rstrip("/") + media["url"]) as response:
        assert await response.read() == picture
        assert response.headers["Content-Disposition"] == "inline"


async def test_a_file_that_may_hold_scripts_is_only_offered_for_download(
    world: World, browser: aiohttp.ClientSession
) -> None:
    dana, channel = world.seats.users["dana"], next(iter(world.seats.channels.values()))
    packed = {"name": "a.svg", "type": "image/svg+xml", "data": base64.b64encode(b"<svg/>").decode()}
    post = {"do": "post", "user": dana, "channel": channel, "text": "", "files": [packed]}
    assert (await give(browser, world, post))["ok"]
    section: Any = world.render_sections()[f"channel:{channel}"]
    address = section["messages"][0]["files"][0]["page_url"]
    async with browser.get(world.page_url.rstrip("/") + address) as response:
        assert response.content_type == "application/octet-stream"
        assert response.headers["Content-Disposition"] == "attachment"


@pytest.mark.parametrize(
    "command",
    [
        {},
        {"do": "fly"},
        {"do": "text", "from": SAM, "to": "+19995550000", "text": "not ours"},
        {"do": "text", "from": SAM, "to": "+13125550100", "media": [{"name": "x", "data": "%%%"}]},
        {"do": "edit", "user": "U404", "channel": "C404", "ts": "1.0", "text": "x"},
        {"do": "submit", "user": "U404", "view_id": "V404"},
        {"do": "story", "name": "none"},
        {"do": "trouble", "name": "none", "on": True},
    ],
)
async def test_a_command_that_cannot_be_done_is_answered_in_words(
    world: World, browser: aiohttp.ClientSession, command: dict[str, Any]
) -> None:
    answer = await give(browser, world, command)
    assert answer["ok"] is False
    assert answer["error"].endswith(".")


async def test_a_customer_is_added_once_and_with_a_real_number(world: World) -> None:
    assert await world.do({"do": "add_customer", "name": "Kim", "number": "+1 (415) 555-0142"}) == {
        "customer": {"name": "Kim", "number": "+14155550142"}
    }
    for number in ("+14155550142", "415-555-0142", world.cast.lines[0].number):
        with pytest.raises(CommandError):
            await world.do({"do": "add_customer", "name": "Kim", "number": number})


@pytest.mark.parametrize("trouble", [trouble.name for trouble in TROUBLES])
async def test_every_switch_goes_on_and_off(world: World, trouble: str) -> None:
    await world.do({"do": "trouble", "name": trouble, "on": True})
    await world.do({"do": "trouble", "name": trouble, "on": True})
    assert world.render_sections()["trouble"] == [trouble]
    await world.do({"do": "trouble", "name": trouble, "on": False})
    assert world.render_sections()["trouble"] == []
    await world.do({"do": "trouble", "name": trouble, "on": True})
    await world.do({"do": "clear_trouble"})
    assert world.render_sections()["trouble"] == []
    assert not world.slack.faults.active()
    assert not world.telnyx.faults.active()


async def test_a_stories_reply_waits_for_a_thread_and_says_so_when_none_comes(world: World) -> None:
    class Hasty(SystemClock):
        """Every look at it, an hour has passed."""

        def __init__(self) -> None:
            self.hours = 0

        def now(self) -> datetime:
            self.hours += 1
            return super().now() + timedelta(hours=self.hours)

    world.commands.clock = Hasty()
    reply = next(step for step in STORIES[1].steps if not isinstance(step, CustomerTexts))
    with pytest.raises(CommandError, match="no thread"):
        await world.commands.play_step(reply)


async def test_both_platforms_call_the_bot_where_they_were_told(world: World) -> None:
    called: list[str] = []

    async def note(request: web.Request) -> web.Response:
        called.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_post("/{path:.*}", note)
    server = Server(patience=timedelta(seconds=1))
    try:
        await world.connect(f"{await server.start(app)}/")
        line = world.cast.lines[0]
        await world.do({"do": "text", "from": SAM, "to": line.number, "text": "Hello"})
        dana = world.seats.users["dana"]
        await world.do({"do": "post", "user": dana, "channel": world.seats.channels[line.number], "text": "Hello"})
        await world.slack.settle()
        await world.telnyx.settle()
    finally:
        await server.stop()
    assert sorted(called) == ["/slack/events", "/webhooks/telnyx"]


def test_the_painted_picture_is_a_sound_png() -> None:
    picture = paint_picture()
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, rest = {}, picture[8:]
    while rest:
        (length,) = struct.unpack(">I", rest[:4])
        kind, data, check = rest[4:8], rest[8 : 8 + length], rest[8 + length : 12 + length]
        assert struct.unpack(">I", check) == (zlib.crc32(kind + data),)
        chunks[kind], rest = data, rest[12 + length :]
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    pixels = zlib.decompress(chunks[b"IDAT"])
    assert len(pixels) == height * (1 + 3 * width)
    assert len(set(pixels)) > 20


def test_mentions_become_slacks_tokens_and_the_longest_name_wins() -> None:
    names = {"Dana": "U1", "Dana Whitfield": "U2"}
    assert write_mentions("@dana whitfield, ask @Dana (not @Danaë, me@Dana.com)", names) == (
        "<@U2>, ask <@U1> (not @Danaë, me@Dana.com)"
    )


async def test_a_reaction_goes_out_as_the_words_of_an_iphone_and_stands_on_the_text_it_is_about(world: World) -> None:
    ours = world.cast.lines[0].number
    asked = await world.telnyx.text_in(from_=ALEX, to=ours, text="Saturday?", cc=[SAM])

    await world.do({"do": "tapback", "from": SAM, "message_id": asked, "reaction": "laugh"})

    told = world.telnyx.account.messages[world.telnyx.screen(ALEX)[-1].message_id]
    assert (told.text, told.from_, told.cc) == ("Laughed at “Saturday?”", SAM, (ALEX,))
    assert [(text["text"], text["reaction"]) for text in read_texts(world, SAM)] == [("Saturday?", "laugh")]
    assert [text["text"] for text in read_texts(world, ALEX)] == ["Saturday?", "Laughed at “Saturday?”"]

    await world.do({"do": "tapback", "from": SAM, "message_id": asked, "reaction": "laugh", "on": False})

    assert world.telnyx.screen(ALEX)[-1].text == "Removed a laugh from “Saturday?”"
    assert [(text["text"], text["reaction"]) for text in read_texts(world, SAM)] == [("Saturday?", None)]


@pytest.mark.parametrize("change", [{"message_id": "m404"}, {"reaction": "applause"}, {"from": ALEX}])
async def test_only_what_is_on_the_phone_is_reacted_to_and_only_as_phones_can(
    world: World, change: dict[str, str]
) -> None:
    asked = await world.telnyx.text_in(from_=SAM, to=world.cast.lines[0].number, text="Saturday?")
    with pytest.raises(CommandError, match="cannot be reacted to"):
        await world.do({"do": "tapback", "from": SAM, "message_id": asked, "reaction": "like"} | change)
    assert len(world.telnyx.screen(SAM)) == 1


async def test_a_text_to_a_group_stands_under_one_name_on_the_phones_of_all_its_members(world: World) -> None:
    ours, noor = world.cast.lines[0].number, world.cast.customers[3].number
    await world.do({"do": "text", "from": SAM, "to": ours, "cc": [noor, ALEX], "text": "All three of us"})
    sections: Any = world.render_sections()
    peers = {number: sections[f"phone:{number}"]["conversations"][0]["peer"] for number in (SAM, ALEX, noor)}
    assert peers == {
        SAM: f"{ours},{ALEX},{noor}",
        ALEX: f"{ours},{SAM},{noor}",
        noor: f"{ours},{ALEX},{SAM}",
    }


async def test_a_storys_reply_finds_the_thread_of_exactly_its_people(
    world: World, browser: aiohttp.ClientSession
) -> None:
    channel = world.seats.channels[world.cast.lines[0].number]
    for words in (f"Sam {SAM}", f"both {SAM}, {ALEX}", f"Alex {ALEX}"):
        token = world.bot_environment()["SLACK_BOT_TOKEN"]
        await browser.post(
            f"{world.slack.api_url}chat.postMessage",
            json={"channel": channel, "text": words},
            headers={"Authorization": f"Bearer {token}"},
        )
    alone, both, _ = [message["ts"] for message in world.slack.messages(channel)]
    assert world.commands.find_thread(channel, {SAM}) == alone
    assert world.commands.find_thread(channel, {ALEX, SAM}) == both
    assert world.commands.find_thread(channel, {world.cast.customers[3].number}) is None


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_story_names_only_who_is_in_the_cast(story: Story) -> None:
    cast = Cast()
    keys = {mate.key for mate in cast.team}
    for step in story.steps:
        assert max((step.customer, *step.others)) < len(cast.customers)
        assert isinstance(step, CustomerTexts) or step.teammate in keys
