"""Who may text, by every path that there is; who may see, set and lift opt-outs; and how the others are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.audit import AuditAction
from bot.sandbox.faults import FaultKind
from tests.bridge.harness import ANA, BEN, CHANNEL, Bench, open_bench
from tests.bridge.test_audit import read_audit
from tests.bridge.ways_to_send import WAYS, Attempt

#: Longer than Slack's word on somebody is remembered.
_FORGOTTEN = timedelta(minutes=6)

# ------------------------------------------------------------------------------------ what somebody becomes, and is told


def become_guest(bench: Bench, user: str) -> None:
    bench.slack.workspace.users[user].restricted = True


def become_guest_of_one_channel(bench: Bench, user: str) -> None:
    bench.slack.workspace.users[user].ultra_restricted = True


def become_outsider(bench: Bench, user: str) -> None:
    bench.slack.workspace.users[user].stranger = True
    bench.slack.workspace.users[user].team_id = "T0STRANGER"


def become_bot(bench: Bench, user: str) -> None:
    bench.slack.workspace.users[user].is_bot = True


def leave_company(bench: Bench, user: str) -> None:
    bench.slack.workspace.users[user].deleted = True


def leave_group(bench: Bench, user: str) -> None:
    (group,) = bench.slack.workspace.usergroups.values()
    group.users.remove(user)


_MEMBERS_ONLY = "Only full members of this workspace"
_KINDS: dict[str, tuple[Callable[[Bench, str], None], str]] = {
    "guest": (become_guest, _MEMBERS_ONLY),
    "guest of one channel": (become_guest_of_one_channel, _MEMBERS_ONLY),
    "person of another organisation": (become_outsider, _MEMBERS_ONLY),
    "app": (become_bot, _MEMBERS_ONLY),
    "person who left": (leave_company, _MEMBERS_ONLY),
    "member outside of the senders' group": (leave_group, "only members of the user group @sms-team"),
}


@pytest.mark.parametrize(("become", "refusal"), _KINDS.values(), ids=_KINDS.keys())
@pytest.mark.parametrize(("prepare", "settings"), WAYS.values(), ids=WAYS.keys())
async def test_nothing_goes_out_by(
    prepare: Callable[[Bench, str], Awaitable[Attempt]],
    settings: dict[str, Any],
    become: Callable[[Bench, str], None],
    refusal: str,
) -> None:
    async with open_bench(senders="@sms-team", **settings) as bench:
        mallory = bench.slack.add_user("mallory", "Mallory May")
        bench.slack.add_usergroup("sms-team", [bench.alice, mallory])
        attempt = await prepare(bench, mallory)
        become(bench, mallory)
        bench.clock.leap(_FORGOTTEN)
        await bench.settle()
        before = len(bench.telnyx.sends)

        said = await attempt()
        assert refusal.lower() in said.lower()
        assert "ask one of them" in said.lower()
        await bench.settle()

        assert len(bench.telnyx.sends) == before
        for action in (AuditAction.SENT_NOW, AuditAction.SENT_AGAIN, AuditAction.CORRECTED, AuditAction.NOTE_SENT):
            assert await read_audit(bench, action) == []
        assert not await bench.query("SELECT 1 FROM schedules")


@pytest.mark.parametrize("senders", ["by handle", "by id"])
async def test_whoever_is_in_the_senders_group_texts(senders: str) -> None:
    async with open_bench(started=False) as bench:
        group = bench.slack.add_usergroup("sms-team", [bench.alice])
        bench.settings = replace(bench.settings, senders=group if senders == "by id" else "sms-team")
        await bench.start()
        root = await bench.open_thread()
        ts = await bench.reply("Hello", root)
        await bench.settle()

        assert bench.phone() == ["Hello"]
        assert bench.marks(ts) == {"white_check_mark"}


async def test_somebody_put_into_the_group_or_taken_out_of_it_counts_as_that_within_minutes() -> None:
    async with open_bench(senders="sms-team") as bench:
        group = bench.slack.add_usergroup("sms-team", [])
        assert "only members of the user group @sms-team" in await bench.command("/sms", f"{ANA} One")

        bench.slack.workspace.usergroups[group].users.append(bench.alice)
        bench.clock.leap(_FORGOTTEN)
        assert "On its way" in await bench.command("/sms", f"{ANA} Two")

        bench.slack.workspace.usergroups[group].users.clear()
        bench.clock.leap(_FORGOTTEN)
        assert "only members of" in await bench.command("/sms", f"{ANA} Three")
        await bench.settle()
        assert bench.phone() == ["Two"]


async def test_slack_is_asked_for_the_group_once_in_a_while_and_not_at_each_reply() -> None:
    async with open_bench(senders="sms-team") as bench:
        bench.slack.add_usergroup("sms-team", [bench.alice])
        root = await bench.open_thread()
        for number in range(5):
            await bench.reply(f"Text {number}", root)
        await bench.settle()

        assert bench.slack.count_calls()["usergroups.users.list"] == 1


async def test_while_slack_does_not_tell_who_is_in_the_group_its_last_word_counts_for_an_hour() -> None:
    async with open_bench(senders="sms-team") as bench:
        bench.slack.add_usergroup("sms-team", [bench.alice])
        await bench.command("/sms", f"{ANA} One")
        bench.fail(bench.slack, FaultKind.REFUSE, "usergroups.list", status=503)
        bench.clock.leap(_FORGOTTEN)
        assert "On its way" in await bench.command("/sms", f"{ANA} Two")

        bench.clock.leap(timedelta(hours=1))
        answer = await bench.command("/sms", f"{ANA} Three")
        await bench.settle()

        assert "try again" in answer
        assert bench.phone() == ["One", "Two"]


async def test_a_reply_waits_while_slack_cannot_tell_whether_its_author_may() -> None:
    async with open_bench(senders="sms-team") as bench:
        bench.slack.add_usergroup("sms-team", [bench.alice])
        root = await bench.open_thread()
        fault = bench.fail(bench.slack, FaultKind.REFUSE, "usergroups.list", status=503)
        await bench.reply("Hello", root)
        await bench.settle()
        assert bench.phone() == []

        bench.slack.faults.lift(fault)
        await bench.pass_time(timedelta(minutes=1))
        assert bench.phone() == ["Hello"]


async def test_where_there_is_no_such_group_nobody_texts_and_each_is_told_what_is_to_be_mended() -> None:
    async with open_bench(senders="sms-tema") as bench:
        bench.slack.add_usergroup("sms-team", [bench.alice])
        root = await bench.open_thread()
        ts = await bench.reply("Hello", root)
        await bench.settle()

        assert bench.telnyx.sends == []
        assert bench.marks(ts) == {"no_entry"}
        (line,) = bench.whispers("sms-tema")
        assert "mend `SENDERS`" in line["text"]


async def test_a_refusal_is_seen_by_nobody_else(bench: Bench) -> None:
    root = await bench.open_thread()
    guest = bench.slack.add_user("guest", restricted=True)
    before = bench.thread(root)
    await bench.reply("Hello", root, user=guest)
    await bench.command("/sms", f"{ANA} Hello", user=guest)
    await bench.command("/optouts", f"add {ANA} rude", user=guest)
    await bench.settle()

    assert bench.thread(root) == [*before, "Hello"]  # what they wrote, and not a word about it
    assert bench.whispers("full members") == []
    assert len(bench.slack.messages(bench.channel)) == 1


# ------------------------------------------------------------------------------------------------------------ opt-outs


@pytest.mark.parametrize(
    "become", [become_guest, become_guest_of_one_channel, become_outsider, become_bot, leave_company]
)
@pytest.mark.parametrize(
    ("typed", "what"),
    [
        ("", "see who has opted out"),
        (ANA, "see who has opted out"),
        (f"add {ANA} rude", "opt somebody out"),
        (f"remove {BEN}", "lift an opt-out"),
    ],
)
async def test_whoever_is_no_full_member_neither_sees_nor_changes_an_opt_out(
    typed: str, what: str, become: Callable[[Bench, str], None], bench: Bench
) -> None:
    await bench.command("/optouts", f"add {BEN} asked on the phone")
    mallory = bench.slack.add_user("mallory")
    become(bench, mallory)

    said = await bench.command("/optouts", typed, user=mallory)

    assert f"Not possible: {'your' if become is leave_company else 'you'} " in said
    assert f"Only full members of this workspace may {what}; ask one of them." in said
    assert "Not sent" not in said
    assert "phone" not in said
    assert "*1 opted out*" in await bench.command("/optouts")


async def test_the_next_page_is_not_for_guests_either(bench: Bench) -> None:
    for number in range(20):
        await bench.command("/optouts", f"add +1415555{1000 + number} asked")
    mallory = bench.slack.add_user("mallory")
    await bench.command("/optouts", user=mallory)
    (shown,) = bench.whispers("page 1 of 2", user=mallory)
    become_guest(bench, mallory)
    bench.clock.leap(_FORGOTTEN)

    assert "Only full members" in await bench.click(shown, "Older", user=mallory)


async def test_a_member_who_may_not_text_may_still_opt_somebody_out_who_asked_them_to() -> None:
    async with open_bench(senders="sms-team") as bench:
        bench.slack.add_usergroup("sms-team", [])
        root = await bench.open_thread("please stop texting me")
        (card,) = [shown for shown in bench.slack.thread(bench.channel, root) if "Opt them out" in str(shown)]

        assert "is opted out" in await bench.command("/optouts", f"add {BEN} asked on the phone")
        assert "is opted out" in await bench.click(card, "Opt them out")
        assert "*2 opted out*" in await bench.command("/optouts")


_WHO_LIFTS: dict[str, tuple[dict[str, Any], bool]] = {
    "another member": ({}, False),
    "an admin of the workspace": ({"is_admin": True}, True),
    "a guest who is called an admin": ({"is_admin": True, "restricted": True}, False),
}


@pytest.mark.parametrize(("kind", "may"), _WHO_LIFTS.values(), ids=_WHO_LIFTS.keys())
async def test_what_one_member_set_is_lifted_by_an_administrator_or_by_themselves_and_not_by(
    kind: dict[str, Any], may: bool, bench: Bench
) -> None:
    other = bench.slack.add_user("other", **kind)
    await bench.command("/optouts", f"add {ANA} asked on the phone")

    said = await bench.command("/optouts", f"remove {ANA}", user=other)

    assert ("can be texted again" in said) is may
    lifted = await read_audit(bench, AuditAction.OPT_OUT_LIFTED)
    assert [entry["actor"] for entry in lifted] == ([other] if may else [])
    if not may and "restricted" not in kind:
        assert f"only <@{bench.alice}>, who set it, or an admin of this workspace may lift an opt-out" in said
    if not may:
        assert "can be texted again" in await bench.command("/optouts", f"remove {ANA}")


async def test_whoever_admins_names_lifts_what_others_set() -> None:
    async with open_bench(started=False) as bench:
        other = bench.slack.add_user("other")
        bench.settings = replace(bench.settings, admins=(other,))
        await bench.start()
        await bench.command("/optouts", f"add {ANA} asked on the phone")

        assert "can be texted again" in await bench.command("/optouts", f"remove {ANA}", user=other)


# ---------------------------------------------------------------------------------------- what there is to see and cancel


@pytest.mark.parametrize(
    "become", [become_guest, become_guest_of_one_channel, become_outsider, become_bot, leave_company]
)
@pytest.mark.parametrize(
    ("command", "typed", "what"),
    [
        ("/schedule", "list", "see what is scheduled"),
        ("/schedule", "cancel {id}", "take a scheduled text back"),
        ("/sms", f"history {ANA}", "see what was said with customers"),
    ],
)
async def test_whoever_is_no_full_member_sees_and_cancels_nothing(
    command: str, typed: str, what: str, become: Callable[[Bench, str], None], bench: Bench
) -> None:
    await bench.command("/schedule", f"{ANA} in 20 days xylophone")
    (row,) = await bench.query("SELECT id FROM schedules")
    mallory = bench.slack.add_user("mallory")
    become(bench, mallory)

    said = await bench.command(command, typed.format(id=row["id"]), user=mallory)

    assert f"Only full members of this workspace may {what}; ask one of them." in said
    assert "Not sent" not in said
    assert "xylophone" not in said
    assert "xylophone" in await bench.command("/schedule", "list")


async def test_a_click_in_a_list_that_was_shown_before_shows_no_more_of_it(bench: Bench) -> None:
    mallory = bench.slack.add_user("mallory")
    await bench.command("/schedule", f"{ANA} in 20 days xylophone")
    await bench.command("/schedule", "list", user=mallory)
    shown = bench.slack.ephemerals(mallory)[-1]
    become_guest(bench, mallory)
    bench.clock.leap(_FORGOTTEN)
    await bench.command("/schedule", f"{BEN} in 20 days zither")

    said = await bench.click(shown, "Cancel", user=mallory)

    assert "Only full members" in said
    assert "zither" not in str(bench.slack.ephemerals(mallory))
    assert "xylophone" in await bench.command("/schedule", "list")


async def test_whoever_may_not_text_may_still_take_back_what_others_scheduled() -> None:
    async with open_bench(senders="sms-team") as bench:
        bench.slack.add_usergroup("sms-team", [bench.alice])
        other = bench.slack.add_user("other")
        await bench.command("/schedule", f"{ANA} in 20 days Hello")
        (row,) = await bench.query("SELECT id FROM schedules")

        assert "is taken back" in await bench.command("/schedule", f"cancel {row['id']}", user=other)


async def test_the_home_tab_shows_customers_to_full_members_alone(bench: Bench) -> None:
    await bench.open_thread("xylophone")
    guest = bench.slack.add_user("guest", restricted=True)
    for user in (bench.alice, guest):
        await bench.slack.open_home(user)
    await bench.settle()

    assert "555-0101" in str(bench.slack.home(bench.alice))
    assert "555-0101" not in str(bench.slack.home(guest))
    assert "Only full members" in str(bench.slack.home(guest))


@pytest.mark.parametrize("code", ["missing_scope", "access_to_people_denied"])
async def test_where_slack_lets_the_app_see_nobody_a_reply_is_not_sent_and_its_author_is_told(code: str) -> None:
    async with open_bench() as bench:
        root = await bench.open_thread()
        bench.fail(bench.slack, FaultKind.REFUSE, "users.info", status=200, code=code)
        ts, note = await bench.reply("Hello", root), await bench.reply("note: <@U000000002> hello", root)
        await bench.settle()

        assert bench.marks(ts) == {"no_entry"}
        assert bench.marks(note) == {"memo"}
        assert bench.whispers("does not let the app see who you are")
        assert bench.send_requests == []

        bench.slack.faults.clear()
        await bench.reply("Hello again", root)
        await bench.settle()
        assert bench.phone() == ["Hello again"]


@pytest.mark.parametrize("code", ["missing_scope", "access_to_people_denied"])
async def test_where_slack_lets_the_app_see_nobody_whoever_asks_for_something_is_told_so(code: str) -> None:
    async with open_bench() as bench:
        root = await bench.open_thread("please stop texting me")
        card = bench.slack.thread(CHANNEL, root)[-1]
        await bench.command("/sms")
        (view,) = bench.slack.views(bench.alice)
        bench.clock.leap(_FORGOTTEN)
        bench.fail(bench.slack, FaultKind.REFUSE, "users.info", status=200, code=code)

        told = [
            await bench.command("/sms", f"{ANA} Hello"),
            await bench.command("/sms"),
            await bench.command("/schedule", f"{ANA} in 2 hours Hello"),
            await bench.command("/optouts"),
            await bench.click(card, "Opt them out"),
            str((await bench.slack.submit_view(bench.alice, view["id"], {"to": ANA, "text0": "Hello"})).errors),
        ]
        assert [answer for answer in told if "Slack does not let the app see who you are" not in answer] == []
        await bench.slack.open_home(bench.alice)
        await bench.settle()
        assert "Slack does not let the app see who you are" in str(bench.slack.home(bench.alice))
        assert bench.telnyx.sends == []
