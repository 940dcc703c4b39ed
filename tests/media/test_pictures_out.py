"""Files on a Slack reply and in the form go out as MMS: fetched, fitted, served to the carrier, and to nobody else."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from bot.domain.media import MOST_BYTES
from bot.sandbox.faults import FaultKind
from bot.sandbox.slack_sim import Upload
from bot.sandbox.slack_workspace import FileState, StoredFile
from tests.bridge.harness import ANA, BEN, CHANNEL, Bench, open_bench
from tests.media.kinds import (
    AMR,
    CALENDAR,
    MAKER,
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
from tests.media.test_fitting import at, make_noise, says_nothing

JPEG = make_jpeg(320, 240)


def attach(content: bytes = JPEG, name: str = "beach.jpg", **more: Any) -> Upload:
    """Return a file that a teammate attaches."""
    return Upload(name=name, content=content, **more)


async def send(bench: Bench, text: str, *files: Upload) -> tuple[str, str]:
    """Write a reply with *files* to Ana's first text; returns the root's and the reply's ts."""
    root = await bench.open_thread()
    return root, await bench.reply(text, root, files=list(files))


async def get_mms(bench: Bench, number: str = ANA) -> Any:
    """Return the first text with a file that *number* gets."""
    return await bench.wait_until(lambda: next((text for text in bench.telnyx.phone(number) if text.media), None))


async def get_refusal(bench: Bench, ts: str) -> str:
    """Return the private line that says why the reply *ts* was not sent; nothing may have been."""
    (line,) = await bench.wait_until(lambda: bench.whispers("Not sent"))
    await bench.wait_mark(ts, "no_entry")
    await bench.settle()
    assert bench.send_requests == []
    return str(line["text"])


# ------------------------------------------------------------------------------------------------------- the way out


async def test_a_photograph_goes_out_with_its_pixels_and_without_its_place(bench: Bench) -> None:
    assert MAKER.encode() in JPEG
    _, ts = await send(bench, "Here you are :tada:", attach())
    mms = await get_mms(bench)
    assert mms.text == "Here you are 🎉"
    (media,) = mms.media
    assert (media.content_type, media.filename) == ("image/jpeg", "beach.jpg")
    assert says_nothing(media.content)
    image = Image.open(io.BytesIO(media.content))
    assert (image.size, at(image, 0.25, 0.25), at(image, 0.75, 0.75)) == ((320, 240), "red", "white")
    await bench.wait_mark(ts, "white_check_mark")


async def test_a_plain_text_has_no_media_urls_and_a_file_alone_has_no_text(bench: Bench) -> None:
    root, _ = await send(bench, "", attach())
    await get_mms(bench)
    await bench.reply("only words", root)
    await bench.wait_until(lambda: len(bench.phone()) == 2)
    with_file, plain = (json.loads(request.body) for request in bench.send_requests)
    assert "text" not in with_file
    assert len(with_file["media_urls"]) == 1
    assert "media_urls" not in plain


OUT = [
    ("a.png", encode(make_picture(), "PNG"), "image/png", True),
    ("b.heic", make_heic(), "image/jpeg", False),
    ("c.webp", encode(make_picture(), "WEBP"), "image/jpeg", False),
    ("d.gif", make_animation(), "image/gif", False),
    ("e.pdf", make_pdf(), "application/pdf", True),
    ("f.vcf", VCARD, "text/vcard", True),
    ("g.ics", CALENDAR, "text/calendar", True),
    ("h.mp4", make_video(), "video/mp4", True),
    ("i.wav", make_wave(), "audio/wav", True),
    ("j.amr", AMR, "audio/amr", True),
]


async def test_ten_files_of_ten_kinds_arrive_in_their_order_as_phones_take_them(bench: Bench) -> None:
    await send(bench, "all", *(attach(content, name) for name, content, _, _ in OUT))
    mms = await get_mms(bench)
    assert [media.content_type for media in mms.media] == [kind for _, _, kind, _ in OUT]
    for media, (name, content, _, as_it_is) in zip(mms.media, OUT, strict=True):
        assert media.filename.partition(".")[0] == name.partition(".")[0]
        if as_it_is and not name.endswith("png"):
            assert media.content == content


async def test_large_photographs_are_made_to_fit_together(bench: Bench) -> None:
    large = encode(make_noise(1500, 1000, 3), "JPEG", quality=92)
    assert len(large) * 3 > 4_000_000
    await send(bench, "three", *(attach(large, f"{number}.jpg") for number in range(3)))
    mms = await get_mms(bench)
    sizes = [len(media.content) for media in mms.media]
    assert len(sizes) == 3
    assert 200_000 < sum(sizes) < 600_000


async def test_texts_keep_their_order_around_a_picture(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.fail(bench.slack, FaultKind.SLOW, "download", seconds=0.3, times=1)
    await bench.reply("one", root)
    await bench.reply("two", root, files=[attach()])
    await bench.reply("three", root)
    await bench.wait_until(lambda: len(bench.telnyx.sends) == 3)
    # Not that of the phone: the carrier fetches a picture first, while the next text goes on.
    assert [send.text for send in bench.telnyx.sends] == ["one", "two", "three"]


async def test_a_group_gets_the_picture_too(bench: Bench) -> None:
    await bench.text_in("we are two", cc=[BEN])
    root = str((await bench.wait_until(lambda: bench.slack.messages(CHANNEL)))[0]["ts"])
    await bench.settle()
    await bench.reply("both of you", root, files=[attach()])
    for number in (ANA, BEN):
        assert len((await get_mms(bench, number)).media) == 1
    assert [request.path for request in bench.send_requests] == ["/v2/messages/group_mms"]


async def test_a_note_with_a_file_is_never_sent_nor_fetched(bench: Bench) -> None:
    _, ts = await send(bench, "note: look at this", attach())
    await bench.wait_mark(ts, "memo")
    await bench.settle()
    assert bench.send_requests == []
    assert bench.slack.count_calls()["files.info"] == 0


@pytest.mark.parametrize(("text", "sent"), [("sms: look", "look"), ("sms:", None), ("look", "never")])
async def test_in_prefix_mode_a_file_goes_out_only_with_the_sign(text: str, sent: str | None) -> None:
    async with open_bench(thread_mode="prefix", media_allow_private_hosts=True) as bench:
        _, ts = await send(bench, text, attach())
        if sent == "never":
            await bench.wait_mark(ts, "memo")
            await bench.settle()
            assert bench.send_requests == []
        else:
            assert (await get_mms(bench)).text in (sent, "" if sent is None else sent)


async def test_in_confirm_mode_a_file_is_fetched_and_sent_once_its_author_says_so() -> None:
    async with open_bench(thread_mode="confirm", media_allow_private_hosts=True) as bench:
        await send(bench, "", attach())
        (question,) = await bench.wait_until(lambda: bench.whispers("with 1 file"))
        await bench.settle()
        assert bench.slack.count_calls()["files.info"] == 0
        await bench.click(question, "Send")
        assert len((await get_mms(bench)).media) == 1


# ---------------------------------------------------------------------------------------------------------- refusals


async def test_more_than_ten_files_are_refused_with_the_number(bench: Bench) -> None:
    _, ts = await send(bench, "many", *(attach(name=f"{number}.jpg") for number in range(11)))
    assert "11 files" in await get_refusal(bench, ts)


async def test_a_file_that_cannot_be_fitted_is_refused_with_its_size_and_the_limit(bench: Bench) -> None:
    _, ts = await send(bench, "clip", attach(make_video() + bytes(2_400_000), "clip.mp4"))
    told = await get_refusal(bench, ts)
    assert "“clip.mp4” has 2.4 MB" in told
    assert f"{MOST_BYTES // 1000} KB" in told


async def test_files_too_large_together_are_refused_with_their_sum(bench: Bench) -> None:
    files = [attach(make_video() + bytes(400_000), f"{number}.mp4") for number in range(3)]
    _, ts = await send(bench, "clips", *files)
    assert "1.2 MB together" in await get_refusal(bench, ts)


@pytest.mark.parametrize(
    ("upload", "said"),
    [
        (attach(b"PK\x03\x04" + bytes(50), "plan.docx"), "phones do not take files like “plan.docx”"),
        (attach(b"<!doctype html><p>hi", "page.html", mimetype="text/html"), "phones do not take"),
        (attach(JPEG[:200], "cut.jpg"), "“cut.jpg” cannot be read as a picture"),
        (attach(b"MZ" + bytes(100), "fun.jpg"), "phones do not take"),
        (attach(make_animation() + bytes(5_000_000), "cat.gif"), "“cat.gif” has 5 MB"),
    ],
)
async def test_what_phones_do_not_take_is_refused_by_its_name(bench: Bench, upload: Upload, said: str) -> None:
    _, ts = await send(bench, "x", upload)
    assert said in await get_refusal(bench, ts)


async def test_one_bad_file_among_good_ones_keeps_all_from_going_out(bench: Bench) -> None:
    _, ts = await send(bench, "x", attach(), attach(b"\x00" * 40, "what.xyz"), attach())
    assert "“what.xyz”" in await get_refusal(bench, ts)


async def test_a_login_page_instead_of_the_file_names_the_missing_scope(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.slack.workspace.scopes.discard("files:read")
    ts = await bench.reply("x", root, files=[attach()])
    assert "files:read" in await get_refusal(bench, ts)


async def test_a_login_page_is_known_even_where_files_info_still_works(bench: Bench) -> None:
    from bot.sandbox import slack_files

    root = await bench.open_thread()
    ts = await bench.reply("x", root, files=[attach(slack_files.LOGIN_PAGE.encode(), "beach.jpg")])
    assert "files:read" in await get_refusal(bench, ts)


async def test_without_an_address_for_the_carrier_it_is_said_what_to_set() -> None:
    async with open_bench(telnyx_api_url="https://carrier.invalid/v2", started=False) as bench:
        from bot.app import read_policy
        from bot.domain.ids import FileId
        from bot.domain.media import FileRef
        from bot.errors import NotAllowed
        from bot.flows.preparing import check_files

        policy = read_policy(bench.settings, None)
        with pytest.raises(NotAllowed) as told:
            check_files([FileRef(file_id=FileId("F1"), name=None)], policy)
        assert "PUBLIC_URL" in told.value.person
        check_files([], policy)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mode": "tombstone"}, "deleted"),
        ({"mode": "hidden_by_limit"}, "does not lie in Slack itself"),
        ({"mode": "external"}, "does not lie in Slack itself"),
    ],
)
async def test_a_file_that_slack_does_not_hold_is_refused(bench: Bench, change: dict[str, str], said: str) -> None:
    root = await bench.open_thread()
    kept = bench.slack._keep_upload

    def keep(user: str, upload: Upload) -> StoredFile:
        file = kept(user, upload)
        file.mode = change["mode"]
        return file

    bench.slack._keep_upload = keep  # type: ignore[method-assign]
    ts = await bench.reply("x", root, files=[attach()])
    assert said in await get_refusal(bench, ts)


# ------------------------------------------------------------------------------------------- Slack's ways with files


async def test_a_file_that_slack_still_looks_at_is_waited_for(bench: Bench) -> None:
    bench.slack.share_delay = timedelta(milliseconds=300)
    await send(bench, "new", attach(processed=False))
    assert len((await get_mms(bench)).media) == 1


async def test_a_file_named_by_its_id_only_is_asked_for(bench: Bench) -> None:
    await send(bench, "stub", attach(stub=True))
    assert len((await get_mms(bench)).media) == 1


async def test_a_redirect_between_slacks_addresses_is_followed_with_the_token(bench: Bench) -> None:
    bench.slack.workspace.redirect_downloads = True
    await send(bench, "far", attach())
    assert len((await get_mms(bench)).media) == 1


@pytest.mark.parametrize("kind", [FaultKind.DROP_REQUEST, FaultKind.REFUSE, FaultKind.RATE_LIMIT])
@pytest.mark.parametrize("operation", ["files.info", "download"])
async def test_slacks_trouble_is_waited_out(bench: Bench, kind: FaultKind, operation: str) -> None:
    root = await bench.open_thread()
    bench.fail(bench.slack, kind, operation, times=1, status=503)
    await bench.reply("patience", root, files=[attach()])
    assert len((await get_mms(bench)).media) == 1


async def test_an_empty_file_is_told_of_soon_after_slack_was_waited_for() -> None:
    async with open_bench(rate=10, media_allow_private_hosts=True) as bench:
        root = await bench.open_thread()
        began = bench.clock.now()
        ts = await bench.reply("nothing", root, files=[attach(b"")])
        assert "did not give out “beach.jpg”" in await get_refusal(bench, ts)
        assert bench.clock.now() - began < timedelta(seconds=35)


@pytest.mark.parametrize("code", ["unknown_method", "internal_error"])
async def test_where_slack_does_not_tell_of_a_file_what_came_with_the_message_counts(code: str) -> None:
    async with open_bench(rate=10, media_allow_private_hosts=True) as bench:
        root = await bench.open_thread()
        bench.fail(bench.slack, FaultKind.REFUSE, "files.info", status=200, code=code)
        await bench.reply("patience", root, files=[attach()])
        assert len((await get_mms(bench)).media) == 1


@pytest.mark.parametrize("status", [403, 404])
async def test_a_file_refused_twice_may_be_had_a_moment_later(bench: Bench, status: int) -> None:
    root = await bench.open_thread()
    bench.fail(bench.slack, FaultKind.REFUSE, "download", status=status, times=2)
    await bench.reply("patience", root, files=[attach()])
    assert len((await get_mms(bench)).media) == 1


async def test_a_file_that_slack_does_not_give_out_is_given_up_with_a_word_to_its_author() -> None:
    async with open_bench(rate=10, media_allow_private_hosts=True) as bench:
        root = await bench.open_thread()
        bench.fail(bench.slack, FaultKind.REFUSE, "download", status=503)
        ts = await bench.reply("patience", root, files=[attach()])
        await bench.wait_until(lambda: bench.slack.count_calls()["files.info"] > 1)
        bench.clock.leap(timedelta(minutes=10))
        assert "did not give out “beach.jpg”" in await get_refusal(bench, ts)


async def test_a_reply_deleted_in_its_hold_is_not_sent_whatever_became_of_its_file() -> None:
    async with open_bench(send_hold_seconds=30, media_allow_private_hosts=True) as bench:
        _, ts = await send(bench, "oh no", attach())
        await bench.settle()
        await bench.slack.delete(bench.alice, CHANNEL, ts)
        await bench.pass_time(timedelta(seconds=40))
        assert bench.send_requests == []


# ------------------------------------------------------------------------------------------------- crashes and repeats


async def test_a_crash_while_the_file_is_made_ready_sends_it_once(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.fail(bench.slack, FaultKind.SLOW, "download", seconds=0.5, times=1)
    await bench.reply("once", root, files=[attach()])
    await bench.wait_until(lambda: bench.slack.count_calls()["files.info"])
    await bench.restart()
    await get_mms(bench)
    await bench.settle()
    assert len(bench.telnyx.sends) == 1


async def test_a_lost_answer_repeats_the_same_addresses_under_the_same_key() -> None:
    async with open_bench(rate=10, media_allow_private_hosts=True) as bench:
        root = await bench.open_thread()
        bench.fail(bench.telnyx, FaultKind.DROP_REQUEST, "POST /messages", times=1)
        await bench.reply("again", root, files=[attach()])
        await get_mms(bench)
        first, second = bench.send_requests[0], bench.send_requests[-1]
        assert first.body == second.body
        assert len(bench.telnyx.sends) == 1


# ----------------------------------------------------------------------------------------------------------- the form


def keep_file(bench: Bench, content: bytes = JPEG, name: str = "beach.jpg") -> dict[str, str]:
    """Return a file as the form has it: uploaded, and shared nowhere."""
    workspace = bench.slack.workspace
    file = StoredFile(
        id=workspace.make_id("F"),
        name=name,
        user=bench.alice,
        created=workspace.epoch(),
        mimetype="image/jpeg",
        content=content,
        state=FileState.COMPLETE,
        processed=True,
        shares={CHANNEL: []},
    )
    workspace.files[file.id] = file
    return {"id": file.id, "name": name}


async def fill_form(bench: Bench, text: str, **more: Any) -> Any:
    """Open `/sms`' form, fill it in, and submit it."""
    await bench.command("/sms")
    view = bench.slack.views(bench.alice)[-1]
    values: dict[str, Any] = {"to": {"to": {"type": "plain_text_input", "value": ANA}}}
    values["text0"] = {"count_parts": {"type": "plain_text_input", "value": text or None}}
    for block, state in more.items():
        values[block] = {block: state}
    return await bench.slack.submit_view(bench.alice, view["id"], values)


async def test_pictures_of_the_form_go_out_and_stand_in_the_thread(bench: Bench) -> None:
    files = {"type": "file_input", "files": [keep_file(bench), keep_file(bench, make_pdf(), "plan.pdf")]}
    answer = await fill_form(bench, "From the form", files=files)
    assert answer.status == 200, answer
    mms = await get_mms(bench)
    assert (mms.text, len(mms.media)) == ("From the form", 2)
    root = bench.slack.messages(CHANNEL)[0]["ts"]
    shared = await bench.wait_until(
        lambda: [file["name"] for message in bench.slack.thread(CHANNEL, root) for file in message.get("files", ())]
    )
    assert shared == ["beach.jpg", "plan.pdf"]


async def test_the_form_takes_a_picture_without_words_and_refuses_neither(bench: Bench) -> None:
    files = {"type": "file_input", "files": [keep_file(bench)]}
    await fill_form(bench, "", files=files)
    assert not (await get_mms(bench)).text
    answer = await fill_form(bench, "")
    assert "add a picture" in json.dumps(answer.body)


async def test_a_scheduled_picture_is_fetched_at_once_and_shown_when_it_goes_out(bench: Bench) -> None:
    due = bench.clock.now() + timedelta(hours=1)
    when = {"type": "datetimepicker", "selected_date_time": int(due.timestamp())}
    file = keep_file(bench)
    await fill_form(bench, "Later", files={"type": "file_input", "files": [file]}, when=when)
    await bench.wait_until(lambda: bench.send_requests)
    await bench.settle()
    del bench.slack.files[file["id"]]  # thrown away meanwhile
    assert bench.phone() == []
    await bench.pass_time(timedelta(hours=1, seconds=5))
    assert len((await get_mms(bench)).media) == 1
    await bench.wait_until(lambda: [each for each in bench.slack.files.values() if each.shares.get(CHANNEL)])
    (shown,) = [message for message in bench.slack.workspace.channels[CHANNEL].messages.values() if message.files]
    assert shown.thread_ts is not None
