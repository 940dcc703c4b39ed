"""Every picture and file of an inbound MMS becomes a real Slack file in the thread, after its text, in order, once."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.media import MOST_INBOUND_BYTES
from bot.sandbox.faults import FaultKind
from bot.sandbox.slack_workspace import FileState, StoredFile
from bot.sandbox.telnyx_sim import Media
from tests.bridge.harness import ANA, BEN, CHANNEL, OURS, Bench, open_bench, read_words
from tests.media.kinds import (
    AMR,
    CALENDAR,
    VCARD,
    encode,
    make_animation,
    make_heic,
    make_jpeg,
    make_pdf,
    make_picture,
    make_video,
    make_wave,
)

JPEG = make_jpeg()


def picture(content: bytes = JPEG, name: str = "beach.jpg", content_type: str = "image/jpeg") -> Media:
    """Return a picture that a customer sends."""
    return Media(filename=name, content_type=content_type, content=content)


def list_shown(bench: Bench, root: str) -> list[str]:
    """Return what a thread shows, in order: each text, and each file as `<its name>`."""
    shown = []
    for message in bench.slack.thread(CHANNEL, root):
        shown.append(message["text"])
        shown += [f"<{file.get('name', 'gone')}>" for file in message.get("files", ())]
    return [each for each in shown if each]


def find_file(bench: Bench, name: str) -> Any:
    """Return the one shared file of that name."""
    (file,) = [file for file in bench.slack.files.values() if file.name == name and file.shares]
    return file


async def find_root(bench: Bench) -> str:
    """Return the first thread's root once there is one."""
    return str((await bench.wait_until(lambda: bench.slack.messages(CHANNEL)))[0]["ts"])


async def test_a_picture_stands_in_the_thread_as_a_real_file_after_its_text(bench: Bench) -> None:
    await bench.text_in("Look", media=[picture()])
    root = await find_root(bench)
    await bench.wait_until(lambda: list_shown(bench, root)[1:] == ["<beach.jpg>"])
    file = find_file(bench, "beach.jpg")
    assert file.content == JPEG
    assert file.shares[CHANNEL][0]["thread_ts"] == root
    assert "Look" in list_shown(bench, root)[0]
    await bench.finish()


KINDS = [
    ("a.jpg", "image/jpeg", JPEG),
    ("b.png", "image/png", encode(make_picture(), "PNG")),
    ("c.gif", "image/gif", make_animation()),
    ("d.webp", "image/webp", encode(make_picture(), "WEBP")),
    ("e.heic", "image/heic", make_heic()),
    ("f.mp4", "video/mp4", make_video()),
    ("g.wav", "audio/wav", make_wave()),
    ("h.amr", "audio/amr", AMR),
    ("i.pdf", "application/pdf", make_pdf()),
    ("j.vcf", "text/x-vcard", VCARD),
]


async def test_ten_files_of_ten_kinds_are_ten_slack_files_in_their_order(bench: Bench) -> None:
    media = [picture(content, name, kind) for name, kind, content in KINDS]
    await bench.text_in("all of them", media=media)
    root = await find_root(bench)
    expected = [f"<{name}>" for name, _, _ in KINDS]
    await bench.wait_until(lambda: list_shown(bench, root)[1:] == expected)
    for name, _, content in KINDS:
        assert find_file(bench, name).content == content
    await bench.finish()
    assert len([file for file in bench.slack.files.values() if file.shares]) == 10


@pytest.mark.parametrize(
    ("content", "declared", "extension"),
    [
        (JPEG, "application/octet-stream", "jpg"),
        (make_heic(), "image/jpeg", "heic"),
        (make_pdf(), "text/plain", "pdf"),
        (VCARD, "application/octet-stream", "vcf"),
        (CALENDAR, "application/octet-stream", "ics"),
        (b"nothing that anybody knows", "application/octet-stream", "bin"),
    ],
)
async def test_the_bytes_decide_what_a_file_is_called(
    bench: Bench, content: bytes, declared: str, extension: str
) -> None:
    await bench.text_in("x", media=[picture(content, "0a1b2c3d4e5f60718293", declared)])
    await bench.wait_until(lambda: [file for file in bench.slack.files.values() if file.shares])
    (file,) = bench.slack.files.values()
    assert file.name == f"mms-1.{extension}"


def list_files(bench: Bench, root: str) -> list[str]:
    """Return the names of the files that a thread shows, in order."""
    return [each[1:-1] for each in list_shown(bench, root) if each[0] == "<"]


async def wait_for_files(bench: Bench, root: str, *names: str) -> None:
    """Wait until the thread shows exactly these files, in this order."""
    await bench.wait_until(lambda: list_files(bench, root) == [*names])


# ------------------------------------------------------------------------------------- nobody waits for a picture


async def test_the_text_never_waits_for_its_picture_and_what_follows_waits_a_bounded_time() -> None:
    async with open_bench(rate=20, media_allow_private_hosts=True) as bench:
        hold = bench.fail(bench.telnyx, FaultKind.REFUSE, "GET /media/{token}/{filename}", status=503)
        began = bench.clock.now()
        await bench.text_in("first", media=[picture()])
        await bench.text_in("second")
        root = await find_root(bench)
        await bench.wait_until(lambda: "second" in list_shown(bench, root))
        assert bench.clock.now() - began < timedelta(seconds=25)
        bench.telnyx.faults.lift(hold)
        await wait_for_files(bench, root, "beach.jpg")
        assert list_shown(bench, root)[1:] == ["second", "<beach.jpg>"]
        await bench.finish()


async def test_pictures_that_come_in_time_stand_before_the_next_text(bench: Bench) -> None:
    await bench.text_in("first", media=[picture(), picture(make_pdf(), "plan.pdf", "application/pdf")])
    await bench.text_in("second")
    root = await find_root(bench)
    await bench.wait_until(lambda: "second" in list_shown(bench, root))
    assert list_shown(bench, root)[1:] == ["<beach.jpg>", "<plan.pdf>", "second"]


async def test_one_slow_picture_of_several_does_not_keep_the_others() -> None:
    async with open_bench(rate=20, media_allow_private_hosts=True) as bench:
        hold = bench.fail(bench.telnyx, FaultKind.REFUSE, "GET /media/{token}/{filename}", status=503)
        await bench.text_in("both", media=[picture(name="slow.jpg")])
        await bench.wait_until(lambda: [each for each in bench.telnyx.requests if "/media/" in each.path])
        bench.telnyx.faults.lift(hold)
        await bench.text_in("other", media=[picture(name="fast.jpg")])
        root = await find_root(bench)
        await bench.wait_until(lambda: {"<slow.jpg>", "<fast.jpg>"} <= set(list_shown(bench, root)))
        await bench.finish()


async def test_one_conversations_slow_picture_holds_nobody_else_up(bench: Bench) -> None:
    bench.fail(bench.telnyx, FaultKind.SLOW, "GET /media/{token}/{filename}", seconds=1.0)
    await bench.text_in("mine", media=[picture() for _ in range(6)])
    await bench.text_in("yours", from_=BEN)
    await bench.wait_until(lambda: bench.shown("yours"))
    assert not [file for file in bench.slack.files.values() if file.shares]
    await bench.finish()


# ------------------------------------------------------------------------------------------- what could not be had


async def get_loss(bench: Bench) -> str:
    """Return the line in the thread that tells of a file that could not be had."""
    (line,) = await bench.wait_until(lambda: bench.shown("They also sent"))
    return str(line["text"])


async def test_an_expired_picture_is_told_with_what_to_do(bench: Bench) -> None:
    bench.fail(bench.telnyx, FaultKind.REFUSE, "GET /media/{token}/{filename}", status=403)
    await bench.text_in("gone", media=[picture()])
    assert "(image/jpeg)" in await get_loss(bench)
    assert "the carrier no longer gives it out. Ask them to send it again." in await get_loss(bench)
    assert "gone" in list_shown(bench, await find_root(bench))[0]


async def test_what_is_refused_once_may_be_had_a_moment_later(bench: Bench) -> None:
    bench.fail(bench.telnyx, FaultKind.REFUSE, "GET /media/{token}/{filename}", status=404, times=1)
    await bench.text_in("early", media=[picture()])
    await wait_for_files(bench, await find_root(bench), "beach.jpg")


async def test_answers_that_never_came_do_not_count_where_another_may_be_right_a_moment_later() -> None:
    async with open_bench(rate=10, media_allow_private_hosts=True) as bench:
        bench.fail(bench.telnyx, FaultKind.REFUSE, "GET /media/{token}/{filename}", status=503, times=4)
        await bench.text_in("after an outage", media=[picture()])
        await bench.wait_until(lambda: not bench.telnyx.faults.active())
        bench.fail(bench.telnyx, FaultKind.REFUSE, "GET /media/{token}/{filename}", status=404, times=2)
        await wait_for_files(bench, await find_root(bench), "beach.jpg")
        assert not bench.telnyx.faults.active()
        assert not bench.shown("They also sent")


async def test_the_key_goes_along_only_once_a_plain_request_was_refused(bench: Bench) -> None:
    bench.telnyx.switches.media_needs_key = True
    await bench.text_in("locked", media=[picture()])
    await wait_for_files(bench, await find_root(bench), "beach.jpg")
    fetches = [request for request in bench.telnyx.requests if "/media/" in request.path]
    assert ["Authorization" in request.headers for request in fetches] == [False, True]


async def test_bytes_of_another_hash_are_fetched_again_and_then_shown_as_they_came() -> None:
    async with open_bench(rate=10, media_allow_private_hosts=True) as bench:
        assert await send_event(bench, {"sha256": "0" * 64}) == 200
        await wait_for_files(bench, await find_root(bench), "beach.jpg")
        fetches = [request for request in bench.telnyx.requests if "/media/" in request.path]
        assert len(fetches) == 3


async def test_a_page_in_the_place_of_a_picture_is_never_shown(bench: Bench) -> None:
    page = picture(b"<!doctype html><html>Try again later</html>")
    await bench.text_in("signed", media=[page])
    assert "no longer gives it out" in await get_loss(bench)
    fetches = [request for request in bench.telnyx.requests if "/media/" in request.path]
    assert len(fetches) == 3
    assert bench.slack.files == {}


async def test_more_than_is_taken_is_told_with_its_size_and_the_limit(bench: Bench) -> None:
    await bench.text_in("huge", media=[picture(bytes(MOST_INBOUND_BYTES + 1))])
    told = await get_loss(bench)
    assert "it has 25 MB, and at most 25 MB are taken" in told
    assert not list(bench.settings.database_path.parent.joinpath("media").iterdir())


async def test_an_empty_picture_is_told(bench: Bench) -> None:
    await bench.text_in("nothing", media=[picture(b"")])
    assert "it is empty" in await get_loss(bench)


async def test_a_place_inside_our_network_is_not_reached_and_that_is_told() -> None:
    async with open_bench() as bench:
        await bench.text_in("inside", media=[picture()])
        told = await get_loss(bench)
        assert "private network" in told
        assert "MEDIA_ALLOW_PRIVATE_HOSTS" in told
        assert not [request for request in bench.telnyx.requests if "/media/" in request.path]


async def test_a_lost_picture_does_not_keep_those_beside_it(bench: Bench) -> None:
    await bench.text_in("three", media=[picture(name="a.jpg"), picture(b"", "b.jpg"), picture(name="c.jpg")])
    await wait_for_files(bench, await find_root(bench), "a.jpg", "c.jpg")
    assert "file 2 of 3" in await get_loss(bench)


async def test_a_holder_that_never_answers_is_given_up_after_a_day() -> None:
    async with open_bench(rate=10, media_allow_private_hosts=True) as bench:
        bench.fail(bench.telnyx, FaultKind.DROP_REQUEST, "GET /media/{token}/{filename}")
        await bench.text_in("never", media=[picture()])
        await bench.wait_until(lambda: len([each for each in bench.telnyx.requests if "/media/" in each.path]) > 2)
        bench.clock.leap(timedelta(hours=25))
        assert "did not answer for a day" in await get_loss(bench)
        await bench.finish()


async def send_event(bench: Bench, change: dict[str, Any]) -> int:
    """Send a webhook of a picture, with *change* made to what it says of the file."""
    served = bench.telnyx._inbound._serve(picture())
    payload = {
        "id": "made-up-1",
        "type": "MMS",
        "direction": "inbound",
        "from": {"phone_number": ANA},
        "to": [{"phone_number": OURS}],
        "text": "signed",
        "media": [{"url": served.url, "content_type": "image/jpeg", "size": len(JPEG), **change}],
    }
    body = {"data": {"event_type": "message.received", "id": "event-1", "record_type": "event", "payload": payload}}
    return await bench.post_signed_by_telnyx(body)


async def test_the_right_hash_is_taken_under_either_of_its_names(bench: Bench) -> None:
    assert await send_event(bench, {"hash_sha256": hashlib.sha256(JPEG).hexdigest().upper()}) == 200
    await wait_for_files(bench, await find_root(bench), "beach.jpg")


# --------------------------------------------------------------------------------------- exactly once, whatever breaks

STEPS = ["files.getUploadURLExternal", "upload", "files.completeUploadExternal", "files.info"]
TROUBLES = [FaultKind.DROP_REQUEST, FaultKind.DROP_ANSWER, FaultKind.REFUSE, FaultKind.FAIL_AFTER, FaultKind.RATE_LIMIT]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", TROUBLES)
async def test_one_trouble_at_any_step_ends_in_one_file(step: str, kind: FaultKind) -> None:
    async with open_bench(rate=10, media_allow_private_hosts=True) as bench:
        bench.fail(bench.slack, kind, step, times=1, status=503)
        await bench.text_in("x", media=[picture()])
        await wait_for_files(bench, await find_root(bench), "beach.jpg")
        await bench.finish()
        assert len([file for file in bench.slack.files.values() if file.shares]) == 1


@pytest.mark.parametrize("step", [*STEPS, "chat.postMessage"])
async def test_a_crash_at_any_step_ends_in_one_file(step: str) -> None:
    async with open_bench(rate=10, media_allow_private_hosts=True) as bench:
        bench.fail(bench.slack, FaultKind.SLOW, step, seconds=0.4, times=1)
        await bench.text_in("x", media=[picture()])
        await bench.wait_until(lambda: not bench.slack.faults.active())
        await bench.restart()
        # What Slack was slow with may come to stand beside what was posted again, and be the one that is taken away.
        await bench.wait_until(lambda: any(list_files(bench, each["ts"]) for each in bench.slack.messages(CHANNEL)))
        await bench.finish()
        assert list_files(bench, await find_root(bench)) == ["beach.jpg"]
        assert len([file for file in bench.slack.files.values() if file.shares]) == 1
        assert len(bench.shown("x")) == 1


async def test_a_share_that_never_comes_is_done_again_and_stands_once() -> None:
    async with open_bench(rate=40, media_allow_private_hosts=True) as bench:
        bench.slack.share_never = True
        await bench.text_in("x", media=[picture()])
        await bench.text_in("y")
        root = await find_root(bench)
        await bench.wait_until(lambda: "y" in list_shown(bench, root))
        await bench.wait_until(lambda: bench.slack.count_calls()["files.delete"])
        bench.slack.share_never = False
        await wait_for_files(bench, root, "beach.jpg")
        await bench.finish()
        first, *_, last = bench.slack.files.values()
        assert (first.state, last.state) == (FileState.DELETED, FileState.COMPLETE)


async def test_a_share_that_comes_late_is_waited_for() -> None:
    async with open_bench(rate=10, media_allow_private_hosts=True) as bench:
        bench.slack.share_delay = timedelta(seconds=20)
        await bench.text_in("x", media=[picture(), picture(name="b.jpg")])
        await wait_for_files(bench, await find_root(bench), "beach.jpg", "b.jpg")
        await bench.finish()
        assert bench.slack.count_calls()["files.completeUploadExternal"] == 1


async def test_slack_that_never_shows_a_file_is_told_of_in_the_end() -> None:
    async with open_bench(rate=200, media_allow_private_hosts=True) as bench:
        bench.slack.share_never = True
        await bench.text_in("x", media=[picture()])
        assert "never showed it" in await get_loss(bench)
        await bench.finish()


async def test_the_same_event_five_times_is_one_file(bench: Bench) -> None:
    message_id = await bench.text_in("x", media=[picture()])
    for _ in range(4):
        await bench.telnyx.redeliver(message_id)
    await wait_for_files(bench, await find_root(bench), "beach.jpg")
    await bench.finish()
    assert len(bench.slack.files) == 1


async def test_a_deleted_thread_gets_its_picture_in_the_new_one() -> None:
    async with open_bench(rate=10, media_allow_private_hosts=True) as bench:
        bench.fail(bench.slack, FaultKind.SLOW, "upload", seconds=0.4, times=1)
        await bench.text_in("x", media=[picture()])
        root = await find_root(bench)
        await bench.wait_until(lambda: not bench.slack.faults.active())
        bench.slack.courier.request_url = ""  # nobody tells us
        admin = bench.slack.add_user("root", is_admin=True)
        await bench.slack.delete(admin, CHANNEL, root)
        shown = await bench.wait_until(lambda: [file for file in bench.slack.files.values() if list_places(file)])
        await bench.finish()
        new_root = next(iter(bench.slack.messages(CHANNEL)))["ts"]
        assert [list_places(file) for file in shown] == [[new_root]]


async def test_a_picture_whose_thread_slack_says_is_gone_stands_in_the_new_one() -> None:
    async with open_bench(rate=10, media_allow_private_hosts=True) as bench:
        root = await bench.open_thread("Hello")
        bench.fail(bench.slack, FaultKind.REFUSE, "files.completeUploadExternal", code="thread_not_found", times=1)
        await bench.text_in("x", media=[picture()])
        shown = await bench.wait_until(lambda: [file for file in bench.slack.files.values() if list_places(file)])
        await bench.finish()
        (place,) = list_places(shown[0])
        assert place != root
        assert root.replace(".", "") in read_words(bench.slack.message(CHANNEL, place))


@pytest.mark.parametrize("word", ["missing_scope", "unknown_method"])
async def test_where_slack_does_not_tell_of_a_file_its_yes_counts(bench: Bench, word: str) -> None:
    bench.fail(bench.slack, FaultKind.REFUSE, "files.info", code=word)
    await bench.text_in("x", media=[picture()])
    await bench.text_in("y")
    root = await find_root(bench)
    await bench.finish()
    await wait_for_files(bench, root, "beach.jpg")
    assert bench.slack.count_calls()["files.completeUploadExternal"] == 1
    assert await bench.query("SELECT key FROM jobs WHERE status = 'parked'") == []


def list_places(file: StoredFile) -> list[str]:
    """Return the threads in which a file that is not deleted stands."""
    if file.state is not FileState.COMPLETE:
        return []
    return [share["thread_ts"] for shares in file.shares.values() for share in shares if share.get("thread_ts")]


async def test_slack_down_for_an_hour_loses_nothing() -> None:
    async with open_bench(rate=300, media_allow_private_hosts=True) as bench:
        down = bench.fail(bench.slack, FaultKind.REFUSE, "*", status=503)
        await bench.text_in("x", media=[picture(), picture(name="b.jpg")])
        await bench.wait_until(lambda: len(bench.slack.calls) > 8)
        bench.clock.leap(timedelta(hours=1))
        bench.slack.faults.lift(down)
        await wait_for_files(bench, await find_root(bench), "beach.jpg", "b.jpg")
        await bench.finish()


async def test_without_the_scope_it_is_told_what_is_missing(bench: Bench) -> None:
    bench.slack.workspace.scopes.discard("files:write")
    await bench.text_in("x", media=[picture()])
    assert "files:write" in await get_loss(bench)


# -------------------------------------------------------------------------------------------------------- our own copy


async def test_our_own_copy_is_kept_until_slack_shows_it_and_a_day_longer(bench: Bench) -> None:
    folder = bench.settings.database_path.parent / "media"
    await bench.text_in("x", media=[picture()])
    await wait_for_files(bench, await find_root(bench), "beach.jpg")
    await bench.finish()
    (copy,) = folder.iterdir()
    assert (copy.read_bytes(), copy.stat().st_mode & 0o077) == (JPEG, 0)
    assert await bench.works.shelf_upkeep.sweep() == 0
    bench.clock.leap(timedelta(hours=25))
    assert await bench.works.shelf_upkeep.sweep() == 1
    assert list(folder.iterdir()) == []


async def test_what_a_crash_left_on_the_shelf_is_swept_once_it_is_old(bench: Bench) -> None:
    folder = bench.settings.database_path.parent / "media"
    folder.mkdir(exist_ok=True)
    stray = folder / "0123.4567.part"
    stray.write_bytes(b"half")
    now = bench.clock.now().timestamp()
    os.utime(stray, (now - 3600, now - 3600))
    assert await bench.works.shelf_upkeep.sweep() == 0
    os.utime(stray, (now - 7 * 3600, now - 7 * 3600))
    assert await bench.works.shelf_upkeep.sweep() == 1
