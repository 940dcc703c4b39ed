"""Where the carrier fetches a file: that file, to whoever has the address, for a time, and nothing else."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from bot.domain.media import SERVED_FOR
from tests.bridge.harness import Bench, open_bench
from tests.media.kinds import make_pdf
from tests.media.test_pictures_out import attach, get_mms, send

PDF = make_pdf()


async def serve(bench: Bench) -> str:
    """Send a file and return its address."""
    await send(bench, "x", attach(PDF, "Q3 plän (final).pdf"))
    await get_mms(bench)
    (address,) = json.loads(bench.send_requests[0].body)["media_urls"]
    return str(address)


async def test_the_address_cannot_be_guessed_and_names_the_file_harmlessly(bench: Bench) -> None:
    address = await serve(bench)
    assert re.fullmatch(rf"{re.escape(bench.url)}/media/[0-9a-f]{{32}}/Q3_pl_n_final.pdf", address)


async def test_it_is_served_with_its_kind_and_length_and_may_not_be_taken_for_another(bench: Bench) -> None:
    async with bench.http.get(await serve(bench)) as response:
        assert (response.status, await response.read()) == (200, PDF)
        assert response.headers["Content-Type"] == "application/pdf"
        assert response.headers["Content-Length"] == str(len(PDF))
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Disposition"] == 'inline; filename="Q3_pl_n_final.pdf"'
        assert "sandbox" in response.headers["Content-Security-Policy"]
        assert response.headers["Accept-Ranges"] == "bytes"


async def test_head_says_the_same_without_the_bytes(bench: Bench) -> None:
    async with bench.http.head(await serve(bench)) as response:
        assert (response.status, response.headers["Content-Length"]) == (200, str(len(PDF)))
        assert response.headers["Content-Type"] == "application/pdf"
        assert await response.read() == b""


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [("bytes=0-9", 0, 10), ("bytes=10-", 10, None), ("bytes=-5", -5, None), ("bytes=3-3", 3, 4)],
)
async def test_a_part_is_served_as_asked(bench: Bench, asked: str, begin: int, end: int | None) -> None:
    async with bench.http.get(await serve(bench), headers={"Range": asked}) as response:
        assert (response.status, await response.read()) == (206, PDF[begin:end])
        first = begin % len(PDF)
        last = (len(PDF) if end is None else end) - 1
        assert response.headers["Content-Range"] == f"bytes {first}-{last}/{len(PDF)}"
        assert response.headers["Content-Type"] == "application/pdf"


async def test_a_part_beyond_the_end_is_refused(bench: Bench) -> None:
    async with bench.http.get(await serve(bench), headers={"Range": f"bytes={len(PDF)}-"}) as response:
        assert response.status == 416


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_nothing_but_reading_is_allowed(bench: Bench, method: str) -> None:
    async with bench.http.request(method, await serve(bench)) as response:
        assert response.status == 405


async def test_nothing_else_can_be_had_there(bench: Bench) -> None:
    address = await serve(bench)
    token = urlsplit(address).path.split("/")[2]
    (media,) = await bench.query("SELECT id FROM media")
    folder = bench.settings.database_path
    for path in (
        f"/media/{token}/other.pdf",
        f"/media/{token}/",
        f"/media/{token}",
        "/media/",
        "/media",
        f"/media/{token.upper()}/Q3_pl_n_final.pdf",
        f"/media/{'0' * 32}/Q3_pl_n_final.pdf",
        f"/media/{media['id']}/Q3_pl_n_final.pdf",
        f"/media/{token}/..%2f..%2f{folder.name}",
        f"/media/..%2f{folder.name}/Q3_pl_n_final.pdf",
        f"/media/{token}%00/Q3_pl_n_final.pdf",
        f"/media/{'0' * 3000}/x",
    ):
        async with bench.http.get(f"{bench.url}{path}") as response:
            assert response.status == 404, path
            assert PDF not in await response.read()


async def test_an_inbound_picture_is_not_to_be_had_there(bench: Bench) -> None:
    from tests.media.test_pictures_in import find_root, picture, wait_for_files

    await bench.text_in("x", media=[picture()])
    await wait_for_files(bench, await find_root(bench), "beach.jpg")
    (media,) = await bench.query("SELECT id, filename FROM media")
    async with bench.http.get(f"{bench.url}/media/{media['id']}/{media['filename']}") as response:
        assert response.status == 404


async def test_the_address_expires_and_the_copy_goes_after_it(bench: Bench) -> None:
    address = await serve(bench)
    await bench.settle()
    bench.clock.leap(SERVED_FOR - timedelta(minutes=1))
    async with bench.http.get(address) as response:
        assert response.status == 200
    bench.clock.leap(timedelta(minutes=2))
    async with bench.http.get(address) as response:
        assert response.status == 404
    bench.clock.leap(timedelta(days=8))
    await bench.works.shelf_upkeep.sweep()
    assert list(bench.settings.database_path.parent.joinpath("media").iterdir()) == []


async def test_the_address_begins_with_the_public_one_where_that_is_set() -> None:
    async with open_bench(public_url="https://127.0.0.1:9", media_allow_private_hosts=True) as bench:
        await send(bench, "x", attach(PDF, "a.pdf"))
        await bench.wait_until(lambda: bench.send_requests)
        (address,) = json.loads(bench.send_requests[0].body)["media_urls"]
        assert address.startswith("https://127.0.0.1:9/media/")
        await bench.settle()


async def test_a_restart_in_between_serves_it_all_the_same(bench: Bench) -> None:
    address = await serve(bench)
    await bench.restart()
    async with bench.http.get(address) as response:
        assert await response.read() == PDF
