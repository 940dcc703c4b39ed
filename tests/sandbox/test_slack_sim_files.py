"""Files of the simulated Slack: the three-step upload, sharing that comes later, downloads that need the token."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.slack_sim import Upload
from tests.sandbox.slack_receiver import TOKEN, Bench, open_bench

PICTURE = bytes(range(256))
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with open_bench() as opened:
        yield opened


async def begin_upload(bench: Bench, *, name: str = "cat.jpg", **more: Any) -> str:
    """Do the first two of the three steps and return the file's id."""
    answer = await bench.client.files_getUploadURLExternal(filename=name, length=len(PICTURE), **more)
    async with bench.session.post(answer["upload_url"], data=PICTURE) as response:
        assert await response.text() == "OK - 256"
    return str(answer["file_id"])


async def complete(bench: Bench, *file_ids: str, **more: Any) -> Any:
    """Do the third step as a form, the way Slack's own sample does."""
    files = json.dumps([{"id": file_id, "title": f"MMS {file_id}"} for file_id in file_ids])
    return await bench.client.api_call(
        "files.completeUploadExternal", data={"files": files, "channel_id": bench.channel, **more}
    )


async def share(bench: Bench) -> None:
    """Let the time pass after which a completed upload is shared."""
    await bench.clock.advance(timedelta(seconds=1))
    await bench.sim.settle()


async def test_an_upload_is_shared_into_its_thread_some_time_after_slack_said_ok(bench: Bench) -> None:
    root = await bench.say("root")
    file_id = await begin_upload(bench)
    answer = await complete(bench, file_id, thread_ts=root)
    assert [each["id"] for each in answer["files"]] == [file_id]
    assert "shares" not in answer["files"][0]
    early = (await bench.client.files_info(file=file_id))["file"]
    assert (early["shares"], early["channels"], early["mimetype"]) == ({}, [], "")
    await share(bench)
    info = (await bench.client.files_info(file=file_id))["file"]
    [told] = info["shares"]["public"][bench.channel]
    assert told["thread_ts"] == root
    assert (info["mimetype"], info["title"], info["size"]) == ("image/jpeg", f"MMS {file_id}", 256)
    reply = bench.sim.thread(bench.channel, root)[1]
    assert (reply["ts"], reply["user"], reply["files"][0]["id"]) == (told["ts"], bench.sim.bot_user, file_id)
    event = bench.app.events()[-1]
    assert (event["subtype"], event["ts"], event["bot_id"]) == ("file_share", told["ts"], bench.sim.workspace.bot_id)
    assert bench.sim.files[file_id].content == PICTURE


async def test_several_files_share_one_message_with_its_comment(bench: Bench) -> None:
    one, two = await begin_upload(bench), await begin_upload(bench, name="clip.mp4")
    await complete(bench, one, two, initial_comment="two &amp; more")
    await share(bench)
    [message] = bench.sim.messages(bench.channel)
    assert message["text"] == "two &amp; more"
    assert [each["mimetype"] for each in message["files"]] == ["image/jpeg", "video/mp4"]


async def test_slacks_own_client_uploads_in_one_go(bench: Bench) -> None:
    answer = await bench.client.files_upload_v2(channel=bench.channel, filename="a.png", content=PICTURE, title="A")
    await share(bench)
    [message] = bench.sim.messages(bench.channel)
    assert message["files"][0]["id"] == answer["files"][0]["id"]


async def test_a_multipart_upload_is_taken_too(bench: Bench) -> None:
    answer = await bench.client.files_getUploadURLExternal(filename="a.png", length=256)
    form = aiohttp.FormData()
    form.add_field("file", PICTURE, filename="a.png")
    async with bench.session.post(answer["upload_url"], data=form) as response:
        assert await response.text() == "OK - 256"
    assert bench.sim.files[answer["file_id"]].content == PICTURE


async def test_an_upload_is_completed_once_and_only_after_its_bytes(bench: Bench) -> None:
    answer = await bench.client.files_getUploadURLExternal(filename="a.png", length=256)
    assert await bench.get_error(complete(bench, answer["file_id"])) == "file_not_found"
    file_id = await begin_upload(bench)
    assert await bench.get_error(bench.client.files_info(file=file_id)) == "file_not_found"
    await complete(bench, file_id)
    assert await bench.get_error(complete(bench, file_id)) == "file_not_found"
    assert await bench.get_error(complete(bench, await begin_upload(bench), channel_id="C404")) == "channel_not_found"
    bad = bench.client.files_getUploadURLExternal(filename="a.png", length=0)
    assert await bench.get_error(bad) == "invalid_arguments"


async def test_sharing_may_never_happen_though_slack_said_ok(bench: Bench) -> None:
    bench.sim.share_never = True
    file_id = await begin_upload(bench)
    await complete(bench, file_id)
    await share(bench)
    assert (await bench.client.files_info(file=file_id))["file"]["shares"] == {}
    assert bench.sim.messages(bench.channel) == []


async def test_an_alternative_text_keeps_the_file_from_being_shared_as_it_does_on_the_platform(bench: Bench) -> None:
    file_id = await begin_upload(bench, alt_txt="a cat")
    await complete(bench, file_id)
    await share(bench)
    assert bench.sim.messages(bench.channel) == []
    bench.sim.workspace.alt_txt_prevents_sharing = False
    await complete(bench, await begin_upload(bench, alt_txt="a cat"))
    await share(bench)
    assert len(bench.sim.messages(bench.channel)) == 1


async def test_a_file_for_a_deleted_thread_stands_at_top_level(bench: Bench) -> None:
    root = await bench.say("root")
    file_id = await begin_upload(bench)
    await complete(bench, file_id, thread_ts=root)
    await bench.client.chat_delete(channel=bench.channel, ts=root)
    await share(bench)
    [told] = (await bench.client.files_info(file=file_id))["file"]["shares"]["public"][bench.channel]
    assert "thread_ts" not in told
    assert len(bench.sim.messages(bench.channel)) == 1


async def test_a_deleted_file_leaves_a_stone_in_its_message(bench: Bench) -> None:
    file_id = await begin_upload(bench)
    await complete(bench, file_id)
    await share(bench)
    await bench.client.files_delete(file=file_id)
    [message] = bench.sim.messages(bench.channel)
    assert message["files"] == [{"id": file_id, "mode": "tombstone"}]
    url = f"{bench.sim.base_url}/files-pri/{bench.sim.workspace.team_id}-{file_id}/cat.jpg"
    async with bench.session.get(url, headers=BEARER) as response:
        assert response.status == 404
    assert await bench.get_error(bench.client.files_info(file=file_id)) == "file_deleted"
    assert await bench.get_error(bench.client.files_delete(file=file_id)) == "file_deleted"


# ---------------------------------------------------------------------------------------------------------- downloads


async def post_file(bench: Bench) -> str:
    """Let Ana post a file and return its address."""
    await bench.sim.post(bench.ana, bench.channel, files=[Upload(name="cat.jpg", content=PICTURE)])
    await bench.sim.settle()
    return str(bench.app.events()[-1]["files"][0]["url_private"])


async def test_a_file_is_given_to_the_bots_token(bench: Bench) -> None:
    url = await post_file(bench)
    async with bench.session.get(url, headers=BEARER) as response:
        assert (response.status, response.content_type) == (200, "image/jpeg")
        assert await response.read() == PICTURE


@pytest.mark.parametrize("why", ["no token", "another token", "no scope", "not in the channel"])
async def test_anyone_else_gets_a_login_page_with_status_200(bench: Bench, why: str) -> None:
    url = await post_file(bench)
    headers = {"no token": {}, "another token": {"Authorization": "Bearer xoxb-other"}}.get(why, BEARER)
    if why == "no scope":
        bench.sim.workspace.scopes.discard("files:read")
    if why == "not in the channel":
        await bench.sim.leave(bench.sim.bot_user, bench.channel)
    async with bench.session.get(url, headers=headers) as response:
        assert (response.status, response.content_type) == (200, "text/html")
        assert PICTURE not in await response.read()


async def test_a_redirect_wants_the_token_again(bench: Bench) -> None:
    bench.sim.workspace.redirect_downloads = True
    url = await post_file(bench)
    async with bench.session.get(url, headers=BEARER, allow_redirects=False) as response:
        assert response.status == 302
        further = response.headers["Location"]
    async with bench.session.get(bench.sim.base_url + further) as response:
        assert response.content_type == "text/html"
    async with bench.session.get(bench.sim.base_url + further, headers=BEARER) as response:
        assert await response.read() == PICTURE


async def test_faults_strike_uploads_and_downloads_too(bench: Bench) -> None:
    url = await post_file(bench)
    bench.sim.faults.add(Fault(kind=FaultKind.REFUSE, operation="download", status=503, times=1))
    async with bench.session.get(url, headers=BEARER) as response:
        assert response.status == 503
    answer = await bench.client.files_getUploadURLExternal(filename="a.png", length=256)
    bench.sim.faults.add(Fault(kind=FaultKind.DROP_REQUEST, operation="upload", times=1))
    with pytest.raises(aiohttp.ClientError):
        await bench.session.post(answer["upload_url"], data=PICTURE)
    assert bench.sim.files[answer["file_id"]].content == b""


async def test_a_picture_block_may_show_a_file_once_slack_has_looked_at_it(bench: Bench) -> None:
    file_id = await begin_upload(bench, name="a.png")
    await complete(bench, file_id)
    block = {"type": "image", "alt_text": "a picture", "slack_file": {"id": file_id}}
    call = bench.client.chat_postMessage(channel=bench.channel, text="x", blocks=[block])
    assert await bench.get_error(call) == "invalid_blocks"
    await share(bench)
    assert (await bench.client.chat_postMessage(channel=bench.channel, text="x", blocks=[block]))["ok"]
