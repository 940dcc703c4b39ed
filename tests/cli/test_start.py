"""What `serve` loads, and when: nothing that only some requests need before it takes any, and the rest at first need."""

from __future__ import annotations

from pathlib import Path

import aiohttp

from bot.sandbox.faults import Fault, FaultKind
from tests.cli.rig import (
    ROOT,
    SAM,
    Running,
    build_settings,
    eventually,
    main_channel,
    open_world,
    run_bridge,
    run_python,
    start_bot,
)

#: Python tells on stderr of every import, as it ends.
TELLING = {"PYTHONPROFILEIMPORTTIME": "1"}
LISTENS = "Textbridge listens."
#: Ours and others', for which a request that is stored and answered has no use.
LATE = {
    *("bot.works", "bot.flows", "bot.ports", "httpx", "slack_sdk", "slack_bolt", "PIL", "pillow_heif"),
    *("phonenumbers", "zoneinfo", "bot.domain.message", "bot.domain.carrier_events", "storage.rows", "storage.admin"),
}
COMMANDS = {"slack_bolt"}
PICTURES = {"PIL", "pillow_heif"}
FIGURES = {"prometheus_client"}
#: Tells the roots in each TLS context there is: when aiohttp is imported, and when the first of them is needed.
TELLING_ROOTS = """
import gc, ssl, bot.late

def tell():
    print(sorted(len(each.get_ca_certs()) for each in gc.get_objects() if isinstance(each, ssl.SSLContext)))

bot.late.import_aiohttp()
from bot.gateways.tls import get_tls, read_roots
get_tls(), tell(), read_roots(), tell(), read_roots(), tell()
fresh = ssl.create_default_context()
tell()
"""


def find_imported(lines: list[str]) -> set[str]:
    """Return the modules named in *lines*, and the packages that they are in."""
    told = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    parts = [name.split(".") for name in told]
    return {".".join(part[:length]) for part in parts for length in range(1, len(part) + 1)}


def listens(running: Running) -> bool:
    return any(LISTENS in line for line in running.err)


async def test_what_no_answer_waits_for_is_loaded_after_it_listens_and_the_rest_at_first_need(tmp_path: Path) -> None:
    async with open_world() as world, run_bridge(world, tmp_path, **TELLING) as running:
        ours, dana, channel = world.cast.lines[0].number, world.seats.users["dana"], main_channel(world)
        until = next(number for number, line in enumerate(running.err) if LISTENS in line)
        early = find_imported(running.err[:until])
        assert early >= {"aiohttp", "sqlite3", "nacl", "handlers.telnyx", "storage.inbox"}
        assert early & (LATE | FIGURES) == set()

        await world.telnyx.text_in(from_=SAM, to=ours, text="Are you open?")
        await eventually(lambda: world.slack.messages(channel), what="that the first text is shown")
        assert find_imported(running.err) & (COMMANDS | PICTURES | FIGURES) == set()

        answer = await world.slack.command(dana, channel, "/sms", f"{SAM} Until six.")
        assert answer.status == 200
        await eventually(lambda: world.telnyx.sends, what="that the first text out reaches the carrier")
        imported = find_imported(running.err)
        assert imported & (COMMANDS | PICTURES | FIGURES) == COMMANDS
        assert "httpx" in imported
        assert imported & {"click", "rich"} == set()  # httpx's own command line
        assert imported & {"httpcore", "h11", "anyio"} == set()  # its own way to the wire

        async with aiohttp.ClientSession() as session, session.get(f"{running.url}/metrics") as told:
            assert "textbridge_texts_total" in await told.text()
        assert find_imported(running.err) >= FIGURES


async def test_a_command_that_comes_before_the_works_are_loaded_loads_them_and_is_answered(tmp_path: Path) -> None:
    async with open_world() as world:
        dana, channel = world.seats.users["dana"], main_channel(world)
        # Only when Slack has said that it knows us, or after a second, are they loaded unasked.
        world.slack.faults.add(Fault(kind=FaultKind.SLOW, operation="auth.test", seconds=1.5, times=1))
        async with start_bot(folder=tmp_path, environment=build_settings(world, tmp_path, **TELLING)) as running:
            await eventually(lambda: listens(running), what="that it listens")
            port = next(line.partition('"port": "')[2].partition('"')[0] for line in running.err if LISTENS in line)
            await world.connect(f"http://127.0.0.1:{port}")
            assert "bot.works" not in find_imported(running.err)

            answer = await world.slack.command(dana, channel, "/schedule", "help")

            assert answer.status == 200
            assert "slack_bolt" in find_imported(running.err)
            assert not any("WARNING" in line for line in running.err)
            await eventually(lambda: any('"part": "slack"' in line for line in running.err), what="that it is ready")


async def test_the_roots_of_all_certificates_are_read_once_and_not_before_they_are_needed(tmp_path: Path) -> None:
    root = ROOT / "tests" / "cli" / "localhost.pem"

    done = await run_python(TELLING_ROOTS, folder=tmp_path, environment={"SSL_CERT_FILE": str(root)})

    # Two are aiohttp's own, for sessions without one, of which the bridge has none; the last is as any program makes it.
    assert done.out.split("\n")[:4] == ["[0, 0, 0]", "[0, 0, 1]", "[0, 0, 1]", "[0, 0, 1, 1]"], done.err
