"""What the simulated Slack sends by itself: shapes, signatures, retries, faults, and the order of events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.slack_sim import NotPossibleError, Upload
from tests.sandbox.slack_receiver import Bench, open_bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with open_bench() as opened:
        yield opened


# ------------------------------------------------------------------------------------------------------------ shapes

# The keys that Slack's own published samples of these payloads have (slackapi/java-slack-sdk, MIT), as far as a
# workspace without calls and canvases has them; `app_id` and `files` are told by the reference pages instead.
ENVELOPE = {
    "token", "team_id", "api_app_id", "type", "authorizations", "is_ext_shared_channel", "event_id", "event_time",
    "event_context", "event", "context_team_id", "context_enterprise_id",
}  # fmt: skip
SAID = {
    "client_msg_id", "type", "team", "channel", "user", "text", "blocks", "ts", "event_ts", "channel_type",
}  # fmt: skip
IN_THREAD = {"thread_ts", "parent_user_id"}
CHANGED = {
    "type", "subtype", "hidden", "channel", "message", "previous_message", "ts", "event_ts", "channel_type",
}  # fmt: skip
DELETED = {
    "type", "subtype", "hidden", "channel", "deleted_ts", "previous_message", "ts", "event_ts", "channel_type",
}  # fmt: skip


async def take_last(bench: Bench) -> dict[str, Any]:
    await bench.sim.settle()
    return bench.app.events()[-1]


async def test_a_message_comes_in_slacks_envelope(bench: Bench) -> None:
    ts = await bench.sim.post(bench.ana, bench.channel, "hello")
    event = await take_last(bench)
    assert set(event) == SAID
    assert (event["user"], event["channel"], event["ts"], event["channel_type"]) == (
        bench.ana,
        bench.channel,
        ts,
        "channel",
    )
    assert event["text"] == "hello"
    body = bench.app.requests[-1].body
    assert set(body) == ENVELOPE
    assert body["type"] == "event_callback"
    assert body["event_time"] == int(bench.clock.now().timestamp())
    assert body["authorizations"] == [
        {
            "enterprise_id": None,
            "team_id": bench.sim.workspace.team_id,
            "user_id": bench.sim.bot_user,
            "is_bot": True,
            "is_enterprise_install": False,
        }
    ]


async def test_a_reply_names_its_root_and_whose_that_is(bench: Bench) -> None:
    root = await bench.say()
    await bench.sim.post(bench.ana, bench.channel, "reply", thread_ts=root)
    event = await take_last(bench)
    assert set(event) == SAID | IN_THREAD
    assert (event["thread_ts"], event["parent_user_id"]) == (root, bench.sim.bot_user)


async def test_a_broadcast_reply_carries_its_root(bench: Bench) -> None:
    root = await bench.say("root")
    await bench.sim.post(bench.ana, bench.channel, "reply", thread_ts=root, broadcast=True)
    event = await take_last(bench)
    assert event["subtype"] == "thread_broadcast"
    assert (event["root"]["ts"], event["root"]["text"], event["root"]["reply_count"]) == (root, "root", 1)


async def test_an_edit_is_a_hidden_change_with_what_stood_there_before(bench: Bench) -> None:
    ts = await bench.sim.post(bench.ana, bench.channel, "before")
    await bench.sim.edit(bench.ana, bench.channel, ts, "after")
    event = await take_last(bench)
    assert set(event) == CHANGED
    assert (event["subtype"], event["hidden"]) == ("message_changed", True)
    assert (event["message"]["text"], event["previous_message"]["text"]) == ("after", "before")
    assert event["message"]["edited"]["user"] == bench.ana
    assert "edited" not in event["previous_message"]
    assert event["message"]["ts"] == ts != event["ts"]


async def test_an_unfurled_link_is_a_change_without_an_edit(bench: Bench) -> None:
    ts = await bench.sim.post(bench.ana, bench.channel, "see https://example.com/x")
    await bench.sim.unfurl(bench.channel, ts)
    event = await take_last(bench)
    assert event["subtype"] == "message_changed"
    assert event["message"]["text"] == event["previous_message"]["text"]
    assert "edited" not in event["message"]
    assert event["message"]["attachments"]


async def test_a_deletion_names_what_is_gone(bench: Bench) -> None:
    ts = await bench.sim.post(bench.ana, bench.channel, "oops")
    await bench.sim.delete(bench.ana, bench.channel, ts)
    event = await take_last(bench)
    assert set(event) == DELETED
    assert (event["subtype"], event["deleted_ts"], event["previous_message"]["text"]) == (
        "message_deleted",
        ts,
        "oops",
    )
    assert bench.sim.messages(bench.channel) == []


async def test_deleting_a_root_with_replies_comes_as_a_change_to_a_tombstone(bench: Bench) -> None:
    root = await bench.say("root")
    reply = await bench.sim.post(bench.ana, bench.channel, "reply", thread_ts=root)
    await bench.sim.delete(bench.ben, bench.channel, root)  # an admin may
    event = await take_last(bench)
    assert (event["subtype"], event["message"]["subtype"]) == ("message_changed", "tombstone")
    assert event["previous_message"]["text"] == "root"
    await bench.sim.delete(bench.ana, bench.channel, reply)
    event = await take_last(bench)
    assert (event["subtype"], event["previous_message"]["subtype"]) == ("message_deleted", "tombstone")


async def test_files_come_as_a_file_share(bench: Bench) -> None:
    files = [Upload(name="cat.jpg", content=b"jpg"), Upload(name="b.png", content=b"png", processed=False)]
    await bench.sim.post(bench.ana, bench.channel, "look", files=files)
    event = await take_last(bench)
    assert set(event) == SAID | {"subtype", "files", "upload", "display_as_bot"}
    assert event["subtype"] == "file_share"
    cat, other = event["files"]
    assert (cat["name"], cat["mimetype"], cat["filetype"], cat["size"], cat["mode"]) == (
        "cat.jpg",
        "image/jpeg",
        "jpg",
        3,
        "hosted",
    )
    assert other["mimetype"] == ""
    assert cat["shares"]["public"][bench.channel][0]["ts"] == event["ts"]
    shared = bench.app.events("file_shared")
    assert [each["file_id"] for each in shared] == [cat["id"], other["id"]]
    assert "subtype" not in bench.sim.message(bench.channel, event["ts"])


async def test_a_file_of_a_shared_channel_is_only_named(bench: Bench) -> None:
    await bench.sim.post(bench.ana, bench.channel, files=[Upload(name="cat.jpg", content=b"jpg", stub=True)])
    [file] = (await take_last(bench))["files"]
    assert file["file_access"] == "check_file_info"
    assert "url_private" not in file
    assert (await bench.client.files_info(file=file["id"]))["file"]["mimetype"] == "image/jpeg"


async def test_the_bots_own_posts_reactions_and_files_come_back_to_it(bench: Bench) -> None:
    metadata = {"event_type": "sms", "event_payload": {"key": "k1"}}
    ts = await bench.say("own", metadata=metadata)
    event = await take_last(bench)
    assert (event["bot_id"], event["app_id"], event["user"]) == (
        bench.sim.workspace.bot_id,
        bench.sim.workspace.app_id,
        bench.sim.bot_user,
    )
    assert event["metadata"] == metadata
    assert "subtype" not in event
    await bench.client.reactions_add(channel=bench.channel, timestamp=ts, name="x")
    await bench.client.reactions_remove(channel=bench.channel, timestamp=ts, name="x")
    await bench.sim.settle()
    [added] = bench.app.events("reaction_added")
    assert added["item"] == {"type": "message", "channel": bench.channel, "ts": ts}
    assert (added["user"], added["item_user"], added["reaction"]) == (bench.sim.bot_user, bench.sim.bot_user, "x")
    assert len(bench.app.events("reaction_removed")) == 1


async def test_other_apps_write_with_their_own_bot_id(bench: Bench) -> None:
    await bench.sim.post_as_app(bench.channel, "modern")
    modern = await take_last(bench)
    await bench.sim.post_as_app(bench.channel, "classic", classic=True)
    classic = await take_last(bench)
    assert (modern["bot_id"], modern["user"], "subtype" in modern) == ("B0OTHERAPP", "U0OTHERBOT", False)
    assert (classic["subtype"], "user" in classic, classic["username"]) == ("bot_message", False, "Other app")


async def test_people_come_and_go_and_channels_change_with_their_events(bench: Bench) -> None:
    cem = bench.sim.add_user("cem", channels=[])
    await bench.sim.join(cem, bench.channel)
    await bench.sim.rename(cem, bench.channel, "sms")
    await bench.sim.leave(cem, bench.channel)
    await bench.sim.archive(bench.ben, bench.channel)
    await bench.sim.unarchive(bench.ben, bench.channel)
    await bench.sim.open_home(bench.ana)
    await bench.sim.leave(bench.sim.bot_user, bench.channel)
    await bench.sim.settle()
    kinds = [".".join(filter(None, (e["type"], e.get("subtype")))) for e in (r.event for r in bench.app.requests)]
    assert sorted(kinds) == sorted([
        "member_joined_channel", "message.channel_join", "channel_rename", "message.channel_name",
        "message.channel_leave", "member_left_channel", "channel_archive", "channel_unarchive", "app_home_opened",
        "channel_left",
    ])  # fmt: skip
    [renamed] = bench.app.events("channel_rename")
    assert (renamed["channel"]["id"], renamed["channel"]["name"]) == (bench.channel, "sms")
    [home] = bench.app.events("app_home_opened")
    assert (home["user"], home["tab"], home["channel"]) == (bench.ana, "home", bench.sim.open_im(bench.ana))


async def test_where_the_bot_is_not_it_hears_nothing(bench: Bench) -> None:
    elsewhere = bench.sim.add_channel("elsewhere", with_bot=False)
    await bench.sim.post(bench.ana, elsewhere, "unheard")
    await bench.sim.settle()
    assert bench.app.requests == []


async def test_a_stranger_of_a_shared_channel_is_told_by_their_team(bench: Bench) -> None:
    shared = bench.sim.add_channel("shared", ext_shared=True)
    stranger = bench.sim.add_user("sue", stranger=True, channels=[shared])
    await bench.sim.post(stranger, shared, "hello")
    event = await take_last(bench)
    assert event["user_team"] == event["source_team"] == "T0STRANGER"
    assert bench.app.requests[-1].body["is_ext_shared_channel"] is True


async def test_only_what_the_app_subscribes_to_is_sent(bench: Bench) -> None:
    bench.sim.courier.subscriptions = frozenset({"message.groups", "reaction_added"})
    group = bench.sim.add_channel("group", private=True)
    ts = await bench.sim.post(bench.ana, bench.channel, "unheard")
    await bench.sim.react(bench.ana, bench.channel, ts, "x")
    await bench.sim.post(bench.ana, group, "heard")
    await bench.sim.settle()
    heard = {(each.event["type"], each.event.get("text")) for each in bench.app.requests}
    assert heard == {("reaction_added", None), ("message", "heard")}


async def test_uninstalling_is_told_twice(bench: Bench) -> None:
    await bench.sim.uninstall()
    await bench.sim.settle()
    assert {each.event["type"] for each in bench.app.requests} == {"tokens_revoked", "app_uninstalled"}


async def test_people_cannot_do_what_slacks_client_does_not_offer(bench: Bench) -> None:
    own = await bench.sim.post(bench.ben, bench.channel, "ben's")
    root = await bench.say("root")
    await bench.client.chat_delete(channel=bench.channel, ts=root)
    outsider = bench.sim.add_user("out", channels=[])
    with pytest.raises(NotPossibleError, match="not in"):
        await bench.sim.post(outsider, bench.channel, "x")
    with pytest.raises(NotPossibleError, match="gone"):
        await bench.sim.post(bench.ana, bench.channel, "x", thread_ts=root)
    with pytest.raises(NotPossibleError, match="their own"):
        await bench.sim.edit(bench.ana, bench.channel, own, "x")
    await bench.sim.archive(bench.ben, bench.channel)
    with pytest.raises(NotPossibleError, match="archived"):
        await bench.sim.post(bench.ana, bench.channel, "x")


# ----------------------------------------------------------------------------------------------------------- delivery


async def test_every_delivery_is_signed_as_slacks_own_verifier_wants_it(bench: Bench) -> None:
    await bench.sim.post(bench.ana, bench.channel, "grüße 👋")
    await bench.sim.command(bench.ana, bench.channel, "/sms", "+14155550101 grüße & <hi>")
    await bench.sim.settle()
    assert [each.genuine for each in bench.app.requests] == [True, True]
    bench.sim.courier.signing_secret = "another"
    await bench.sim.post(bench.ana, bench.channel, "forged")
    await bench.sim.settle()
    assert not bench.app.requests[-1].genuine


async def test_a_failed_event_is_tried_thrice_more_with_the_same_id_and_a_fresh_signature(bench: Bench) -> None:
    bench.app.answers.extend(web.Response(status=500) for _ in range(9))
    await bench.sim.post(bench.ana, bench.channel, "hello")
    await bench.sim.settle()
    assert len(bench.app.requests) == 2
    await bench.clock.advance(timedelta(minutes=1))
    await bench.sim.settle()
    assert len(bench.app.requests) == 3
    await bench.clock.advance(timedelta(minutes=5))
    await bench.sim.settle(waits=True)
    assert len(bench.app.requests) == 4
    headers = [each.headers for each in bench.app.requests]
    assert [each.get("x-slack-retry-num") for each in headers] == [None, "1", "2", "3"]
    assert [each.get("x-slack-retry-reason") for each in headers] == [None, *["http_error"] * 3]
    assert len({each.body["event_id"] for each in bench.app.requests}) == 1
    assert all(each.genuine for each in bench.app.requests)
    assert len({each["X-Slack-Request-Timestamp"] for each in headers}) == 3
    assert [each.attempt for each in bench.sim.deliveries] == [0, 1, 2, 3]


async def test_an_answer_of_2xx_ends_the_retries(bench: Bench) -> None:
    bench.app.answers.append(web.Response(status=503))
    await bench.sim.post(bench.ana, bench.channel, "hello")
    await bench.sim.settle(waits=True)
    assert [(each.attempt, each.status) for each in bench.sim.deliveries] == [(0, 503), (1, 200)]


async def test_no_retry_is_obeyed(bench: Bench) -> None:
    bench.app.answers.append(web.Response(status=500, headers={"x-slack-no-retry": "1"}))
    await bench.sim.post(bench.ana, bench.channel, "hello")
    await bench.sim.settle(waits=True)
    assert len(bench.app.requests) == 1


async def test_a_slow_app_and_one_that_is_down_are_told_apart(bench: Bench) -> None:
    bench.sim.courier.patience = timedelta(milliseconds=50)
    bench.sim.courier.retry_schedule = (timedelta(0),)
    bench.app.answers.append(bench.app.hold)
    await bench.sim.post(bench.ana, bench.channel, "slow")
    await bench.sim.settle()
    assert bench.app.requests[-1].headers["x-slack-retry-reason"] == "http_timeout"
    await bench.app.stop()
    await bench.sim.post(bench.ana, bench.channel, "down")
    await bench.sim.settle()
    assert [each.reason for each in bench.sim.deliveries][-2:] == ["connection_failed"] * 2


async def test_events_of_one_channel_come_in_the_order_in_which_they_happened(bench: Bench) -> None:
    for number in range(20):
        await bench.sim.post(bench.ana, bench.channel, str(number))
    await bench.sim.settle()
    assert [each["text"] for each in bench.app.events()] == [str(number) for number in range(20)]


async def test_an_event_waits_until_the_one_before_it_was_answered(bench: Bench) -> None:
    seen: list[str] = []

    async def look_about(_body: dict[str, Any]) -> web.Response:
        for _ in range(50):
            await asyncio.sleep(0)
        seen.extend(each["text"] for each in bench.app.events())
        return web.Response()

    bench.app.answers.append(look_about)
    await bench.sim.post(bench.ana, bench.channel, "1")
    await bench.sim.post(bench.ana, bench.channel, "2")
    await bench.sim.settle()
    assert seen == ["1"]


async def test_without_order_events_overtake_one_another(bench: Bench) -> None:
    bench.sim.courier.ordered = False
    overtaken = asyncio.Event()

    async def wait_for_other(_body: dict[str, Any]) -> web.Response:
        await overtaken.wait()
        return web.Response()

    async def overtake(_body: dict[str, Any]) -> web.Response:
        overtaken.set()
        return web.Response()

    bench.app.answers.extend([wait_for_other, overtake])
    await bench.sim.post(bench.ana, bench.channel, "1")
    await bench.sim.post(bench.ana, bench.channel, "2")
    await bench.sim.settle()
    assert [each.status for each in bench.sim.deliveries] == [200, 200]


async def test_a_lost_event_never_comes(bench: Bench) -> None:
    bench.sim.faults.add(Fault(kind=FaultKind.LOSE, operation="event", times=1))
    await bench.sim.post(bench.ana, bench.channel, "lost")
    await bench.sim.post(bench.ana, bench.channel, "kept")
    await bench.sim.settle()
    assert [each["text"] for each in bench.app.events()] == ["kept"]
    assert bench.sim.deliveries[0].reason == "lost"


async def test_a_repeated_event_comes_twice_under_one_id(bench: Bench) -> None:
    bench.sim.faults.add(Fault(kind=FaultKind.REPEAT, operation="event", times=1))
    await bench.sim.post(bench.ana, bench.channel, "twice")
    await bench.sim.settle()
    first, second = bench.app.requests
    assert first.body == second.body


async def test_events_out_of_order_change_places(bench: Bench) -> None:
    bench.sim.faults.add(Fault(kind=FaultKind.REORDER, operation="event", times=1))
    await bench.sim.post(bench.ana, bench.channel, "first")
    await bench.sim.post(bench.ana, bench.channel, "second")
    await bench.sim.settle()
    assert [each["text"] for each in bench.app.events()] == ["second", "first"]


async def test_an_event_held_back_comes_by_itself_when_no_other_follows(bench: Bench) -> None:
    bench.sim.faults.add(Fault(kind=FaultKind.REORDER, operation="event", times=1))
    await bench.sim.post(bench.ana, bench.channel, "only")
    await asyncio.sleep(0)  # it begins to wait
    assert bench.app.requests == []
    await bench.clock.advance(timedelta(seconds=5))
    await bench.sim.settle(waits=True)
    assert [each["text"] for each in bench.app.events()] == ["only"]


async def test_saving_the_request_address_asks_for_its_challenge(bench: Bench) -> None:
    async def say_it_back(body: dict[str, Any]) -> web.Response:
        return web.json_response({"challenge": body["challenge"]})

    bench.app.answers.append(say_it_back)
    assert (await bench.sim.verify_url()).reason == ""
    assert (await bench.sim.verify_url()).reason == "challenge_failed"


async def test_the_journal_has_every_exchange_from_whom_to_whom(bench: Bench) -> None:
    ts = await bench.say("own")
    await bench.sim.react(bench.ana, bench.channel, ts, "x")
    await bench.sim.command(bench.ana, bench.channel, "/sms", "help")
    await bench.sim.settle()
    written = {(each.source, each.target, each.operation, each.status) for each in bench.sim.journal.exchanges}
    assert written == {
        ("bot", "slack", "chat.postMessage", 200),
        ("slack", "bot", "message", 200),
        ("slack", "bot", "reaction_added", 200),
        ("person", "bot", "/sms", 200),
    }


async def test_stopping_ends_deliveries_that_still_wait(bench: Bench) -> None:
    bench.app.answers.extend([web.Response(status=500)] * 1)
    bench.sim.courier.retry_schedule = (timedelta(hours=1),)
    await bench.sim.post(bench.ana, bench.channel, "hello")
    await bench.sim.settle()
    await bench.sim.stop()
    assert [each.attempt for each in bench.sim.deliveries] == [0]
