"""The simulated chat.*, reactions.*, conversations.* and directory methods, called by Slack's own client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.sandbox.slack_receiver import TOKEN, Bench, open_bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with open_bench() as opened:
        yield opened


BUTTONS = {
    "type": "actions",
    "elements": [{"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}],
}


# ------------------------------------------------------------------------------------------------------- posting


async def test_a_post_stands_in_the_channel_exactly_as_it_was_sent(bench: Bench) -> None:
    metadata = {"event_type": "sms", "event_payload": {"key": "k1"}}
    answer = await bench.client.chat_postMessage(
        channel=bench.channel, text="a &lt;b&gt; &amp; *c*", metadata=metadata, blocks=[BUTTONS], unfurl_links=False
    )
    assert answer["ok"]
    assert answer["channel"] == bench.channel
    assert answer["message"]["text"] == "a &lt;b&gt; &amp; *c*"
    assert answer["message"]["metadata"] == metadata
    [shown] = bench.sim.messages(bench.channel)
    assert shown == answer["message"]
    assert shown["bot_id"] == bench.sim.workspace.bot_id
    assert shown["user"] == bench.sim.bot_user
    assert shown["blocks"][0]["block_id"]


async def test_timestamps_grow_even_while_the_clock_stands(bench: Bench) -> None:
    stamps = [await bench.say(str(number)) for number in range(5)]
    assert stamps == sorted(set(stamps))


async def test_a_reply_goes_into_its_thread_and_not_into_the_channel(bench: Bench) -> None:
    root = await bench.say("root")
    answer = await bench.client.chat_postMessage(channel=bench.channel, text="reply", thread_ts=root)
    assert answer["message"]["thread_ts"] == root
    assert answer["message"]["parent_user_id"] == bench.sim.bot_user
    assert [each["text"] for each in bench.sim.messages(bench.channel)] == ["root"]
    assert [each["text"] for each in bench.sim.thread(bench.channel, root)] == ["root", "reply"]
    assert bench.sim.message(bench.channel, root)["reply_count"] == 1
    assert bench.sim.message(bench.channel, root)["thread_ts"] == root


async def test_a_broadcast_reply_stands_in_both_places(bench: Bench) -> None:
    root = await bench.say("root")
    await bench.say("heard by all", thread_ts=root, reply_broadcast=True)
    assert [each["text"] for each in bench.sim.messages(bench.channel)] == ["root", "heard by all"]
    assert bench.sim.thread(bench.channel, root)[1]["subtype"] == "thread_broadcast"


async def test_a_reply_to_a_deleted_root_is_said_to_be_ok_and_stands_at_top_level(bench: Bench) -> None:
    root = await bench.say("root")
    await bench.client.chat_delete(channel=bench.channel, ts=root)
    answer = await bench.client.chat_postMessage(channel=bench.channel, text="lost", thread_ts=root)
    assert answer["ok"]
    assert "thread_ts" not in answer["message"]
    assert [each["text"] for each in bench.sim.messages(bench.channel)] == ["lost"]
    assert await bench.get_error(bench.client.conversations_replies(channel=bench.channel, ts=root)) == (
        "thread_not_found"
    )


async def test_a_deleted_root_with_replies_leaves_a_stone_that_goes_with_the_last_reply(bench: Bench) -> None:
    root = await bench.say("root")
    reply = await bench.say("reply", thread_ts=root)
    await bench.client.chat_delete(channel=bench.channel, ts=root)
    stone, left = bench.sim.thread(bench.channel, root)
    assert (stone["subtype"], stone["user"], left["text"]) == ("tombstone", "USLACKBOT", "reply")
    answer = await bench.client.chat_postMessage(channel=bench.channel, text="lost", thread_ts=root)
    assert "thread_ts" not in answer["message"]
    await bench.client.chat_delete(channel=bench.channel, ts=reply)
    assert bench.sim.thread(bench.channel, root) == []


async def test_a_stone_takes_replies_when_told_to(bench: Bench) -> None:
    bench.sim.workspace.tombstones_take_replies = True
    root = await bench.say("root")
    await bench.say("reply", thread_ts=root)
    await bench.client.chat_delete(channel=bench.channel, ts=root)
    answer = await bench.client.chat_postMessage(channel=bench.channel, text="kept", thread_ts=root)
    assert answer["message"]["thread_ts"] == root


async def test_a_reply_to_a_reply_goes_under_the_root_and_says_so(bench: Bench) -> None:
    root = await bench.say("root")
    reply = await bench.say("reply", thread_ts=root)
    answer = await bench.client.chat_postMessage(channel=bench.channel, text="deeper", thread_ts=reply)
    assert answer["message"]["thread_ts"] == root


async def test_a_post_under_another_name_is_a_bot_message_without_a_user(bench: Bench) -> None:
    answer = await bench.client.chat_postMessage(
        channel=bench.channel, text="hi", username="Maria", icon_emoji=":wave:"
    )
    message = answer["message"]
    assert (message["subtype"], message["username"], message["icons"]) == ("bot_message", "Maria", {"emoji": ":wave:"})
    assert "user" not in message


async def test_a_text_longer_than_forty_thousand_characters_is_cut_with_a_warning(bench: Bench) -> None:
    answer = await bench.client.chat_postMessage(channel=bench.channel, text="x" * 40_001)
    assert len(answer["message"]["text"]) == 40_000
    assert answer["warning"] == "message_truncated"


async def test_a_post_to_a_person_opens_their_direct_messages(bench: Bench) -> None:
    answer = await bench.client.chat_postMessage(channel=bench.ana, text="hi")
    assert answer["channel"] == bench.sim.open_im(bench.ana)
    assert [each["text"] for each in bench.sim.messages(answer["channel"])] == ["hi"]


async def test_posts_are_refused_where_slack_refuses_them(bench: Bench) -> None:
    elsewhere = bench.sim.add_channel("elsewhere", with_bot=False)
    secret = bench.sim.add_channel("secret", private=True, with_bot=False)
    archived = bench.sim.add_channel("archived")
    await bench.sim.archive(bench.ben, archived)

    async def get_error(**arguments: Any) -> str:
        return await bench.get_error(bench.client.api_call("chat.postMessage", json=arguments))

    assert await get_error(channel="C404", text="x") == "channel_not_found"
    assert await get_error(channel=secret, text="x") == "channel_not_found"
    assert await get_error(channel=elsewhere, text="x") == "not_in_channel"
    assert await get_error(channel=archived, text="x") == "is_archived"
    assert await get_error(channel=bench.channel) == "no_text"
    assert await get_error(channel=bench.channel, text="x", thread_ts="yesterday") == "invalid_thread_ts"
    assert await get_error(channel=bench.channel, text="x", metadata="nonsense") == "invalid_metadata_format"
    assert await get_error(channel=bench.channel, text="x", blocks="[") == "invalid_blocks_format"
    assert await get_error(channel=bench.channel, text="x", blocks=[{"type": "nonsense"}]) == "invalid_blocks"
    assert await get_error(text="x") == "invalid_arguments"
    assert bench.sim.messages(bench.channel) == []


# --------------------------------------------------------------------------------------------- update, delete, private


async def test_a_text_without_blocks_takes_the_blocks_away_and_keeps_the_metadata(bench: Bench) -> None:
    metadata = {"event_type": "sms", "event_payload": {}}
    ts = await bench.say("before", blocks=[BUTTONS], metadata=metadata)
    answer = await bench.client.chat_update(channel=bench.channel, ts=ts, text="after")
    assert (answer["text"], answer["message"]["text"]) == ("after", "after")
    shown = bench.sim.message(bench.channel, ts)
    assert "blocks" not in shown
    assert shown["edited"]["user"] == bench.sim.bot_user
    assert shown["metadata"] == metadata


async def test_blocks_without_a_text_leave_the_text(bench: Bench) -> None:
    ts = await bench.say("stays", blocks=[BUTTONS])
    change = {"channel": bench.channel, "ts": ts, "blocks": [{"type": "divider"}]}
    await bench.client.api_call("chat.update", json=change)
    shown = bench.sim.message(bench.channel, ts)
    assert (shown["text"], [block["type"] for block in shown["blocks"]]) == ("stays", ["divider"])


async def test_only_the_bots_own_messages_can_be_changed(bench: Bench) -> None:
    theirs = await bench.sim.post(bench.ana, bench.channel, "mine")
    client, channel = bench.client, bench.channel
    assert await bench.get_error(client.chat_update(channel=channel, ts=theirs, text="x")) == "cant_update_message"
    assert await bench.get_error(client.chat_delete(channel=channel, ts=theirs)) == "cant_delete_message"
    assert await bench.get_error(client.chat_update(channel=channel, ts="1.000000", text="x")) == "message_not_found"
    assert await bench.get_error(client.chat_delete(channel=channel, ts="1.000000")) == "message_not_found"
    own = await bench.say()
    assert await bench.get_error(client.chat_update(channel=channel, ts=own, text="x" * 4001)) == "msg_too_long"


async def test_an_ephemeral_is_seen_by_its_one_reader(bench: Bench) -> None:
    answer = await bench.client.chat_postEphemeral(channel=bench.channel, user=bench.ana, text="psst", blocks=[BUTTONS])
    [seen] = bench.sim.ephemerals(bench.ana)
    assert (seen["text"], seen["ts"], seen["channel"]) == ("psst", answer["message_ts"], bench.channel)
    assert bench.sim.ephemerals(bench.ben) == []
    assert bench.sim.messages(bench.channel) == []
    outsider = bench.sim.add_user("cem", channels=[])
    call = bench.client.chat_postEphemeral(channel=bench.channel, user=outsider, text="psst")
    assert await bench.get_error(call) == "user_not_in_channel"


async def test_a_permalink_of_a_reply_names_its_thread(bench: Bench) -> None:
    root = await bench.say("root")
    reply = await bench.say("reply", thread_ts=root)
    answer = await bench.client.chat_getPermalink(channel=bench.channel, message_ts=reply)
    link = f"https://sandbox.slack.com/archives/{bench.channel}/p{reply.replace('.', '')}"
    assert answer["permalink"] == f"{link}?thread_ts={root}&cid={bench.channel}"


# --------------------------------------------------------------------------------------------------------- reactions


async def test_a_reaction_is_added_once_and_removed_once(bench: Bench) -> None:
    ts = await bench.say()
    one = {"channel": bench.channel, "timestamp": ts, "name": "white_check_mark"}
    await bench.client.reactions_add(**one)
    assert await bench.get_error(bench.client.reactions_add(**one)) == "already_reacted"
    await bench.sim.react(bench.ana, bench.channel, ts, ":white_check_mark:")
    assert bench.sim.reactions(bench.channel, ts) == {"white_check_mark": [bench.sim.bot_user, bench.ana]}
    answer = await bench.client.reactions_get(channel=bench.channel, timestamp=ts)
    assert answer["message"]["reactions"][0]["count"] == 2
    await bench.client.reactions_remove(**one)
    assert await bench.get_error(bench.client.reactions_remove(**one)) == "no_reaction"
    assert bench.sim.reactions(bench.channel, ts) == {"white_check_mark": [bench.ana]}


async def test_reactions_have_the_names_of_emoji_that_exist() -> None:
    async with open_bench(reaction_names={"x", "wave"}) as bench:
        bench.sim.add_emoji("house_cat", "https://emoji.example/cat.png")
        ts = await bench.say()

        async def add(name: str) -> Any:
            return await bench.client.reactions_add(channel=bench.channel, timestamp=ts, name=name)

        for name in ("x", "wave::skin-tone-3", "house_cat"):
            await add(name)
        assert await bench.get_error(add("nonsense")) == "invalid_name"
        assert await bench.get_error(add("NO GOOD")) == "invalid_name"
        assert await bench.get_error(
            bench.client.reactions_add(channel=bench.channel, timestamp="1.000000", name="x")
        ) == ("message_not_found")


# ----------------------------------------------------------------------------------------------------- conversations


async def test_history_is_newest_first_without_replies_in_pages(bench: Bench) -> None:
    stamps = [await bench.say(f"m{number}") for number in range(5)]
    await bench.say("reply", thread_ts=stamps[0])
    await bench.say("m5", thread_ts=stamps[0], reply_broadcast=True)
    texts: list[str] = []
    cursor = ""
    for _ in range(3):
        page = await bench.client.conversations_history(channel=bench.channel, limit=2, cursor=cursor)
        texts += [each["text"] for each in page["messages"]]
        assert page["has_more"] is (len(texts) < 6)
        cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
    assert texts == ["m5", "m4", "m3", "m2", "m1", "m0"]
    assert cursor == ""


async def test_oldest_and_latest_exclude_their_own_message_unless_inclusive(bench: Bench) -> None:
    stamps = [await bench.say(f"m{number}") for number in range(4)]
    window: dict[str, Any] = {"channel": bench.channel, "oldest": stamps[0], "latest": stamps[3]}
    inner = await bench.client.conversations_history(**window)
    outer = await bench.client.conversations_history(**window, inclusive=True)
    assert [each["text"] for each in inner["messages"]] == ["m2", "m1"]
    assert [each["text"] for each in outer["messages"]] == ["m3", "m2", "m1", "m0"]


@pytest.mark.parametrize("spelled", [True, "true", "1", 1])
async def test_metadata_is_read_back_whole_only_on_request(bench: Bench, spelled: Any) -> None:
    metadata = {"event_type": "sms", "event_payload": {"key": "k1"}}
    root = await bench.say("root", metadata=metadata)
    await bench.say("reply", thread_ts=root, metadata=metadata)
    bare = await bench.client.conversations_replies(channel=bench.channel, ts=root)
    assert [each["metadata"] for each in bare["messages"]] == [{"event_type": "sms"}] * 2
    whole = await bench.client.conversations_replies(channel=bench.channel, ts=root, include_all_metadata=spelled)
    assert [each["metadata"] for each in whole["messages"]] == [metadata] * 2
    history = await bench.client.conversations_history(channel=bench.channel, include_all_metadata=spelled)
    assert history["messages"][0]["metadata"] == metadata


async def test_replies_give_the_root_first_then_the_thread_in_pages_and_windows(bench: Bench) -> None:
    root = await bench.say("root")
    stamps = [await bench.say(f"r{number}", thread_ts=root) for number in range(3)]
    first = await bench.client.conversations_replies(channel=bench.channel, ts=root, limit=2)
    assert [each["text"] for each in first["messages"]] == ["root", "r0"]
    cursor = first["response_metadata"]["next_cursor"]
    rest = await bench.client.conversations_replies(channel=bench.channel, ts=root, limit=2, cursor=cursor)
    assert [each["text"] for each in rest["messages"]] == ["r1", "r2"]
    late = await bench.client.conversations_replies(channel=bench.channel, ts=root, oldest=stamps[1], inclusive=True)
    assert [each["text"] for each in late["messages"]] == ["root", "r1", "r2"]


async def test_channels_are_told_joined_and_listed(bench: Bench) -> None:
    public = bench.sim.add_channel("public", with_bot=False)
    private = bench.sim.add_channel("private", private=True, with_bot=False)
    info = await bench.client.conversations_info(channel=public, include_num_members=True)
    assert (info["channel"]["name"], info["channel"]["is_member"]) == ("public", False)
    assert info["channel"]["num_members"] == 2
    assert await bench.get_error(bench.client.conversations_history(channel=public)) == "not_in_channel"
    await bench.client.conversations_join(channel=public)
    assert (await bench.client.conversations_join(channel=public))["warning"] == "already_in_channel"
    members = await bench.client.conversations_members(channel=public)
    assert set(members["members"]) == {bench.ana, bench.ben, bench.sim.bot_user}
    assert await bench.get_error(bench.client.conversations_join(channel=private)) == "channel_not_found"
    assert await bench.get_error(bench.client.conversations_info(channel=private)) == "channel_not_found"
    listed = await bench.client.conversations_list(types="public_channel,private_channel")
    assert {each["id"] for each in listed["channels"]} == {bench.channel, public}
    own = await bench.client.users_conversations()
    assert {each["name"] for each in own["channels"]} == {"texts", "public"}
    first = await bench.client.conversations_open(users=bench.ana)
    again = await bench.client.conversations_open(users=[bench.ana])
    assert first["channel"]["id"] == again["channel"]["id"]
    assert "no_op" not in first
    assert again["no_op"]


# ---------------------------------------------------------------------------------------------------------- directory


async def test_people_are_told_with_what_decides_whether_they_may_text(bench: Bench) -> None:
    guest = bench.sim.add_user("gil", restricted=True)
    single = bench.sim.add_user("sol", ultra_restricted=True)
    stranger = bench.sim.add_user("sue", stranger=True)
    gone = bench.sim.add_user("gon", deleted=True)

    async def look(user: str) -> dict[str, Any]:
        shown: dict[str, Any] = (await bench.client.users_info(user=user))["user"]
        return shown

    ben = await look(bench.ben)
    assert (ben["tz"], ben["tz_offset"], ben["is_admin"], ben["is_bot"]) == ("Europe/Berlin", 3600, True, False)
    assert (await look(bench.ana))["tz_offset"] == -6 * 3600
    assert ((await look(guest))["is_restricted"], (await look(guest))["is_ultra_restricted"]) == (True, False)
    assert (await look(single))["is_ultra_restricted"]
    assert (await look(stranger))["is_stranger"]
    assert (await look(stranger))["team_id"] != bench.sim.workspace.team_id
    assert (await look(gone))["deleted"]
    assert (await look(bench.sim.bot_user))["is_bot"]
    assert await bench.get_error(bench.client.users_info(user="U404")) == "user_not_found"
    everyone = {each["id"] for each in (await bench.client.users_list())["members"]}
    assert everyone == {bench.sim.bot_user, bench.ana, bench.ben, guest, single, gone}


async def test_groups_team_bot_and_emoji_are_told(bench: Bench) -> None:
    group = bench.sim.add_usergroup("support", [bench.ana])
    bench.sim.add_emoji("cat", "https://emoji.example/cat.png")
    listed = await bench.client.usergroups_list(include_users=True)
    assert [(each["id"], each["handle"], each["users"]) for each in listed["usergroups"]] == [
        (group, "support", [bench.ana])
    ]
    assert (await bench.client.usergroups_users_list(usergroup=group))["users"] == [bench.ana]
    assert await bench.get_error(bench.client.usergroups_users_list(usergroup="S404")) == "no_such_subteam"
    assert (await bench.client.team_info())["team"]["id"] == bench.sim.workspace.team_id
    assert (await bench.client.bots_info(bot=bench.sim.workspace.bot_id))["bot"]["user_id"] == bench.sim.bot_user
    assert await bench.get_error(bench.client.bots_info(bot="B404")) == "bot_not_found"
    assert (await bench.client.emoji_list())["emoji"] == {"cat": "https://emoji.example/cat.png"}
    who = await bench.client.auth_test()
    assert (who["user_id"], who["bot_id"]) == (bench.sim.bot_user, bench.sim.workspace.bot_id)
    assert "chat:write" in who.headers["X-OAuth-Scopes"]
    assert (await bench.client.api_test(foo="bar"))["args"]["foo"] == "bar"
    assert await bench.get_error(bench.client.api_test(error="my_error")) == "my_error"


# --------------------------------------------------------------------------------------------------------- the door


@pytest.mark.parametrize("way", ["query", "form", "json", "token in form", "get"])
async def test_parameters_are_taken_however_an_sdk_encodes_them(bench: Bench, way: str) -> None:
    url = f"{bench.sim.api_url}chat.postMessage"
    params = {"channel": bench.channel, "text": "hi", "blocks": json.dumps([{"type": "divider"}])}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    requests: dict[str, Any] = {
        "query": bench.session.post(url, params=params, headers=headers),
        "form": bench.session.post(url, data=params, headers=headers),
        "json": bench.session.post(url, json=params, headers=headers),
        "token in form": bench.session.post(url, data=params | {"token": TOKEN}),
        "get": bench.session.get(url, params=params, headers=headers),
    }
    for name, request in requests.items():
        if name != way:
            request.close()
    async with requests[way] as response:
        assert (await response.json())["ok"]
    [shown] = bench.sim.messages(bench.channel)
    assert (shown["text"], shown["blocks"][0]["type"]) == ("hi", "divider")


async def test_a_wrong_missing_or_revoked_token_is_refused_with_status_200(bench: Bench) -> None:
    url = f"{bench.sim.api_url}auth.test"

    async def get_error(headers: dict[str, str]) -> str:
        async with bench.session.post(url, headers=headers) as response:
            assert response.status == 200
            return str((await response.json())["error"])

    assert await get_error({}) == "not_authed"
    assert await get_error({"Authorization": "Bearer xoxb-other"}) == "invalid_auth"
    bench.sim.auth_error = "token_revoked"
    assert await bench.get_error(bench.client.auth_test()) == "token_revoked"
    bench.sim.auth_error = None
    assert (await bench.client.auth_test())["ok"]


async def test_an_unknown_method_and_a_missing_scope_are_told(bench: Bench) -> None:
    assert await bench.get_error(bench.client.api_call("chat.nonsense")) == "unknown_method"
    bench.sim.workspace.scopes.discard("reactions:write")
    ts = await bench.say()
    call = bench.client.reactions_add(channel=bench.channel, timestamp=ts, name="x")
    assert await bench.get_error(call) == "missing_scope"


async def test_every_call_is_kept_with_its_parameters_and_outcome(bench: Bench) -> None:
    ts = await bench.say("one")
    await bench.get_error(bench.client.chat_delete(channel=bench.channel, ts="1.000000"))
    post, delete = bench.sim.calls
    assert (post.method, post.params["text"], post.error, post.done) == ("chat.postMessage", "one", None, True)
    assert (delete.method, delete.error, delete.at) == ("chat.delete", "message_not_found", bench.clock.now())
    assert bench.sim.count_calls() == {"chat.postMessage": 1, "chat.delete": 1}
    assert TOKEN not in str(bench.sim.calls)
    assert ts


async def test_listeners_and_the_snapshot_tell_what_stands_there_now(bench: Bench) -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    bench.sim.listeners.append(lambda kind, data: told.append((kind, data)))
    ts = await bench.say("one")
    await bench.client.reactions_add(channel=bench.channel, timestamp=ts, name="x")
    await bench.client.chat_update(channel=bench.channel, ts=ts, text="two")
    await bench.client.chat_delete(channel=bench.channel, ts=ts)
    assert [kind for kind, _ in told] == ["message", "reactions", "message_changed", "message_deleted"]
    assert told[2][1]["message"]["text"] == "two"
    snapshot = json.loads(json.dumps(bench.sim.snapshot()))
    assert snapshot["channels"][0]["messages"] == []
