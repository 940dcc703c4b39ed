"""`doctor`: every mistake that it promises to find, each made at the simulated platforms, and how it tells them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from bot.cli.doctor import examine
from bot.cli.examine_here import examine_address
from bot.cli.findings import Finding, Grade
from bot.clock import Clock, ManualClock, SystemClock
from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.telnyx_sim import Outcome, OutcomeKind
from bot.sandbox.world import World
from bot.settings import Settings, read_settings
from tests.cli.rig import build_settings, main_channel, open_world, run_bot, run_bridge


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as world:
        world.telnyx.profile_webhook_url = "http://127.0.0.1:1/webhooks/telnyx"
        yield world


def load(world: World, folder: Path, **more: object) -> Settings:
    given = {name.lower(): value for name, value in build_settings(world, folder).items()}
    return read_settings(given | {"public_url": "http://127.0.0.1:1"} | more)


async def find_troubles(settings: Settings, clock: Clock | None = None) -> list[Finding]:
    """Return what is not well, but that nothing answers at our own address, which no test of these has."""
    found = [finding async for finding in examine(settings, clock or SystemClock())]
    return [each for each in found if each.grade is not Grade.OK and each.about != "PUBLIC_URL"]


async def test_all_is_well_beside_a_running_bridge(tmp_path: Path) -> None:
    async with open_world() as world, run_bridge(world, tmp_path) as bridge:
        settings = build_settings(world, tmp_path, PUBLIC_URL=bridge.url)
        done = await run_bot("doctor", folder=tmp_path, environment=settings)

    assert done.status == 0, done.out + done.err
    assert done.out.rstrip().endswith("All is well.")
    lines = [line.strip() for line in done.out.splitlines() if line.startswith("  ")]
    assert len(lines) >= 10
    assert all(line.startswith("ok ") for line in lines)
    for secret in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "TELNYX_API_KEY"):
        assert settings[secret] not in done.out + done.err


async def test_machines_get_json_and_one_mistake_is_exit_1_with_what_to_do(world: World, tmp_path: Path) -> None:
    world.slack.workspace.scopes.discard("files:read")
    settings = build_settings(world, tmp_path, PUBLIC_URL="http://127.0.0.1:1")

    done = await run_bot("doctor", "--json", folder=tmp_path, environment=settings)

    report = json.loads(done.out)
    wrong = [check for check in report["checks"] if check["status"] == "wrong"]
    assert done.status == 1
    assert report["ok"] is False
    assert [check["about"] for check in wrong] == ["Slack scopes"]
    assert "files:read" in wrong[0]["finding"]
    assert "Reinstall" in wrong[0]["next_step"]
    assert not (tmp_path / "bridge.db").exists(), "looking makes nothing"


def archive(world: World) -> None:
    world.slack.workspace.channels[main_channel(world)].archived = True


def leave_channel(world: World) -> None:
    world.slack.workspace.channels[main_channel(world)].members.remove(world.slack.bot_user)


def share_channel(world: World) -> None:
    world.slack.workspace.channels[main_channel(world)].ext_shared = True


def lose_channel(world: World) -> None:
    # As a private channel is to a bot that is not in it.
    channel = world.slack.workspace.channels[main_channel(world)]
    channel.private = True
    channel.members.remove(world.slack.bot_user)


def revoke_token(world: World) -> None:
    world.slack.auth_error = "token_revoked"


def set_profile(**fields: object) -> Callable[[World], None]:
    def change(world: World) -> None:
        for name, value in fields.items():
            setattr(world.telnyx.profile, name, value)

    return change


def sell_number(world: World) -> None:
    del world.telnyx.account.numbers[world.cast.lines[1].number]


def unassign_number(world: World) -> None:
    world.telnyx.account.numbers[world.cast.lines[0].number].profile_id = None


def move_number(world: World) -> None:
    other = "4001a9d2-0000-4b7e-9f55-0d2b7a6e1c44"
    profile = world.telnyx.profile
    world.telnyx.account.profiles[other] = type(profile)(
        id=other, name="Other", created_at=profile.created_at, updated_at=profile.updated_at, v1_secret="x",
        webhook_url=profile.webhook_url,
    )  # fmt: skip
    world.telnyx.account.numbers[world.cast.lines[1].number].profile_id = other


def take_mms(world: World) -> None:
    world.telnyx.account.numbers[world.cast.lines[1].number].mms = False


@pytest.mark.parametrize(
    ("make", "grade", "told"),
    [
        (archive, "wrong", ["SLACK_CHANNEL", "archived", "Unarchive"]),
        (leave_channel, "warning", ["SLACK_CHANNEL", "not in it", "/invite"]),
        (share_channel, "warning", ["SLACK_CHANNEL", "another organisation"]),
        (lose_channel, "wrong", ["SLACK_CHANNEL", "no such channel", "/invite"]),
        (revoke_token, "wrong", ["SLACK_BOT_TOKEN", "token_revoked", "OAuth & Permissions"]),
        (set_profile(enabled=False), "wrong", ["profile Textbridge", "disabled", "enable it"]),
        (set_profile(webhook_url=None), "wrong", ["no webhook address", "http://127.0.0.1:1/webhooks/telnyx"]),
        (set_profile(webhook_url="https://old.example/webhooks/telnyx"), "wrong", ["https://old.example", "and set "]),
        (set_profile(webhook_api_version="1"), "wrong", ["version 1", "Version 2"]),
        (set_profile(redaction_enabled=True), "wrong", ["redaction", "switch redaction off"]),
        (set_profile(ai_assistant_id="assistant-1"), "wrong", ["AI assistant", "remove"]),
        (set_profile(whitelisted_destinations=[]), "wrong", ["no country", "add some"]),
        (set_profile(whitelisted_destinations=["DE"]), "warning", ["texts to US", "add US"]),
        (sell_number, "wrong", ["NUMBER_CHANNELS +13125550188", "not on this account"]),
        (unassign_number, "wrong", ["TELNYX_PHONE_NUMBER", "no messaging profile", "Assign one"]),
        (move_number, "wrong", ["NUMBER_CHANNELS", "another profile", "TELNYX_MESSAGING_PROFILE_ID="]),
        (take_mms, "warning", ["NUMBER_CHANNELS", "no pictures"]),
    ],
)
async def test_a_mistake_at_a_platform_is_the_one_thing_told(
    world: World, tmp_path: Path, make: Callable[[World], None], grade: str, told: list[str]
) -> None:
    make(world)

    (finding,) = await find_troubles(load(world, tmp_path))

    line = finding.render_line()
    assert line.startswith(grade)
    assert [words for words in told if words not in line] == [], line


@pytest.mark.parametrize(
    ("changes", "grade", "told"),
    [
        ({"slack_bot_token": "xoxb-wrong"}, "wrong", ["SLACK_BOT_TOKEN", "invalid_auth"]),
        ({"slack_signing_secret": "not-one"}, "warning", ["SLACK_SIGNING_SECRET", "Basic Information"]),
        ({"slack_channel": "C0NOWHERE"}, "wrong", ["SLACK_CHANNEL C0NOWHERE", "no such channel"]),
        ({"telnyx_api_key": "KEYwrong"}, "wrong", ["TELNYX_API_KEY", "API Keys"]),
        ({"telnyx_public_key": f"{'A' * 43}="}, "wrong", ["TELNYX_PUBLIC_KEY", "every webhook would be refused"]),
        ({"slack_api_url": "http://127.0.0.1:1/api/"}, "wrong", ["Slack", "cannot be reached"]),
        ({"telnyx_api_url": "http://127.0.0.1:1/v2"}, "wrong", ["Telnyx", "cannot be reached"]),
    ],
)
async def test_a_wrong_setting_is_told_and_the_other_platform_is_examined_all_the_same(
    world: World, tmp_path: Path, changes: dict[str, str], grade: str, told: list[str]
) -> None:
    settings = load(world, tmp_path, **changes)
    found = [finding async for finding in examine(settings, SystemClock())]
    (finding,) = [each for each in found if each.grade is not Grade.OK and each.about != "PUBLIC_URL"]

    line = finding.render_line()
    assert line.startswith(grade)
    assert [words for words in told if words not in line] == [], line
    well = {each.about for each in found if each.grade is Grade.OK}
    assert "TELNYX_API_KEY" in well if "slack" in next(iter(changes)) else "SLACK_BOT_TOKEN" in well
    assert "DATABASE_URL" in well


@pytest.mark.parametrize(
    ("members", "scoped", "grade", "told"),
    [
        (["dana"], True, "ok", "1 person in @sms-team may text."),
        ([], True, "wrong", "nobody is in @sms-team, so nobody may text. Put people in it."),
        (None, True, "wrong", "has no such user group"),
        (["dana"], False, "wrong", "may not read user groups, so nobody may text. Reinstall the app"),
    ],
)
async def test_the_group_whose_members_alone_may_text_is_examined(
    world: World, tmp_path: Path, members: list[str] | None, scoped: bool, grade: str, told: str
) -> None:
    if members is not None:
        world.slack.add_usergroup("sms-team", [world.seats.users[name] for name in members])
    if not scoped:
        world.slack.workspace.scopes.discard("usergroups:read")

    found = [finding async for finding in examine(load(world, tmp_path, senders="@sms-team"), SystemClock())]

    (finding,) = [each for each in found if each.about == "SENDERS sms-team"]
    assert finding.render_line().startswith(grade)
    assert told in finding.render_line()


async def test_a_wrong_profile_id_is_told(world: World, tmp_path: Path) -> None:
    troubles = await find_troubles(load(world, tmp_path, telnyx_messaging_profile_id="nowhere"))

    assert [each.about for each in troubles if "no such profile" in each.says] == [
        "TELNYX_MESSAGING_PROFILE_ID nowhere"
    ]


@pytest.mark.parametrize(("minutes", "grade"), [(2, Grade.WARNING), (-6, Grade.WRONG)])
async def test_a_clock_that_is_off_is_told_with_how_to_set_it(
    world: World, tmp_path: Path, minutes: int, grade: Grade
) -> None:
    settings, ahead = load(world, tmp_path), SystemClock().now() + timedelta(minutes=minutes)

    troubles = await find_troubles(settings, ManualClock(ahead))

    assert {(each.about, each.grade) for each in troubles} == {("this machine's clock", grade)}
    assert all("NTP" in each.do for each in troubles)


@pytest.mark.parametrize("kind", [FaultKind.REFUSE, FaultKind.DROP_REQUEST])
async def test_a_platform_in_trouble_hides_nothing_else(world: World, tmp_path: Path, kind: FaultKind) -> None:
    for board in (world.slack.faults, world.telnyx.faults):
        board.add(Fault(kind=kind, status=503))

    found = [finding async for finding in examine(load(world, tmp_path), SystemClock())]

    assert len([each for each in found if each.grade is Grade.WRONG]) == 2
    assert {each.about for each in found} >= {"DATABASE_URL", "PUBLIC_URL"}


@pytest.mark.parametrize(
    ("changes", "grade", "told"),
    [
        ({"public_url": None, "telnyx_api_url": "https://127.0.0.1:1"}, Grade.WARNING, "pictures cannot be sent"),
        ({"public_url": "http://127.0.0.1:1"}, Grade.WARNING, "cannot be reached"),
    ],
)
async def test_our_own_address_is_examined(
    world: World, tmp_path: Path, changes: dict[str, str | None], grade: Grade, told: str
) -> None:
    found = [finding async for finding in examine(load(world, tmp_path, **changes), SystemClock())]

    (finding,) = [each for each in found if each.about == "PUBLIC_URL"]
    assert finding.grade is grade
    assert told in finding.says


async def test_an_address_for_this_machine_only_is_wrong_for_the_real_carrier(world: World, tmp_path: Path) -> None:
    settings = replace(load(world, tmp_path), telnyx_api_url="https://carrier.invalid")

    found = [finding async for finding in examine_address(settings)]

    assert [(each.grade, each.about) for each in found] == [(Grade.WRONG, "PUBLIC_URL")]


async def test_a_database_that_cannot_be_written_is_wrong(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    (finding,) = await find_troubles(load(world, tmp_path, database_url=f"sqlite:///{tmp_path / 'file' / 'bridge.db'}"))

    assert (finding.grade, finding.about) == (Grade.WRONG, "DATABASE_URL")
    assert finding.do


async def test_a_host_inside_a_private_network_is_wrong_for_the_real_carrier(world: World, tmp_path: Path) -> None:
    settings = replace(load(world, tmp_path), public_url="https://10.1.2.3", telnyx_api_url="https://api.telnyx.com/v2")

    (found,) = [finding async for finding in examine_address(settings)]

    assert (found.grade, found.about) == (Grade.WRONG, "PUBLIC_URL")
    assert "private network" in found.says


async def send_badly(world: World, code: str) -> None:
    """Let a text fail with *code* at the carrier, as the bridge would see it later."""
    world.telnyx.switches.webhook_backoff = ()
    line, customer = world.cast.lines[0].number, world.cast.customers[0].number
    world.telnyx.set_outcome(customer, Outcome(kind=OutcomeKind.SENDING_FAILED, code=code))
    headers = {"Authorization": f"Bearer {world.bot_environment()['TELNYX_API_KEY']}"}
    async with httpx.AsyncClient(base_url=world.telnyx.url, headers=headers) as telnyx:
        (await telnyx.post("/messages", json={"from": line, "to": customer, "text": "Hello"})).raise_for_status()
    await world.telnyx.settle()


@pytest.mark.parametrize(
    ("code", "told"),
    [("40010", "10DLC"), ("40329", "toll-free number is not verified"), ("20100", "add funds")],
)
async def test_what_recent_texts_failed_with_hints_at_what_the_account_lacks(
    world: World, tmp_path: Path, code: str, told: str
) -> None:
    await send_badly(world, code)

    (found,) = await find_troubles(load(world, tmp_path))

    assert (found.grade, found.about) == (Grade.WARNING, f"recent texts ({code})")
    assert told in f"{found.says} {found.do}"


async def test_one_persons_unreachable_phone_is_no_trouble_of_the_account(world: World, tmp_path: Path) -> None:
    await send_badly(world, "40008")

    assert await find_troubles(load(world, tmp_path)) == []


async def test_texts_that_telnyx_could_not_bring_are_told(world: World, tmp_path: Path) -> None:
    world.telnyx.switches.webhook_backoff = ()
    await world.telnyx.text_in(from_=world.cast.customers[0].number, to=world.cast.lines[0].number, text="Hello?")
    await world.telnyx.settle()

    (found,) = await find_troubles(load(world, tmp_path))

    assert (found.grade, found.about) == (Grade.WARNING, "our address, from outside")


async def test_a_whatsapp_number_that_arrives_nowhere_of_its_own_is_told(world: World, tmp_path: Path) -> None:
    (found,) = await find_troubles(load(world, tmp_path, whatsapp_numbers="+13125550999"))

    assert (found.grade, found.about) == (Grade.WARNING, "WHATSAPP_NUMBERS +13125550999")
