"""The image: installed by hash, without root, keeping its data on a volume, and well when `/healthz` says so."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def read_instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile as (instruction, arguments), lines joined and comments left out."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    joined = "\n".join(line for line in lines if not line.startswith("#")).replace("\\\n", " ")
    pairs = (line.split(maxsplit=1) for line in joined.splitlines() if line.strip())
    return [(word.upper(), rest.strip()) for word, rest in pairs]


INSTRUCTIONS = read_instructions()
LAST_FROM = max(at for at, (word, _) in enumerate(INSTRUCTIONS) if word == "FROM")
BUILD, FINAL = INSTRUCTIONS[:LAST_FROM], INSTRUCTIONS[LAST_FROM:]


def find_all(stage: list[tuple[str, str]], word: str) -> list[str]:
    return [rest for name, rest in stage if name == word]


def read_environment() -> dict[str, str]:
    return dict(part.split("=", 1) for rest in find_all(FINAL, "ENV") for part in shlex.split(rest))


def test_it_is_built_in_one_stage_and_runs_in_another_on_the_same_python() -> None:
    (build, final) = find_all(INSTRUCTIONS, "FROM")

    assert build == f"{final} AS build"
    assert re.fullmatch(r"python:3\.1[1-3]-slim", final)
    assert find_all(FINAL, "COPY") == ["--from=build /opt/textbridge /opt/textbridge"]
    assert not any("pip" in rest for rest in find_all(FINAL, "RUN"))


def test_nothing_is_installed_but_by_hash_or_from_the_wheel_that_was_just_built() -> None:
    installs = [line for rest in find_all(BUILD, "RUN") for line in rest.split("&&") if "pip install" in line]

    assert len(installs) == 3
    for line in installs:
        by_hash = "--require-hashes" in line and re.search(r"-r requirements(-build)?\.lock", line)
        assert by_hash or "--no-deps --no-index /wheels/*.whl" in line, line
    assert "pip wheel --no-deps --no-build-isolation" in "".join(find_all(BUILD, "RUN"))


def test_it_does_not_run_as_root_and_may_write_where_its_data_are() -> None:
    words = [word for word, _ in FINAL]

    assert find_all(FINAL, "USER") == ["textbridge"]
    assert find_all(FINAL, "VOLUME") == ["/data"]
    assert "install --directory --owner textbridge --group textbridge --mode 0700 /data" in find_all(FINAL, "RUN")[0]
    assert words.index("RUN") < words.index("VOLUME")  # what is done to a volume after it was declared is lost
    assert read_environment()["DATABASE_URL"] == "sqlite:////data/textbridge.db"


def test_it_listens_where_the_outside_reaches_it_and_logs_at_once() -> None:
    environment = read_environment()

    assert environment["HOST"] == "0.0.0.0"  # noqa: S104 - inside a container this is its own network
    assert find_all(FINAL, "EXPOSE") == [environment["PORT"]]
    assert environment["PYTHONUNBUFFERED"] == "1"
    assert environment["PATH"].startswith("/opt/textbridge/bin:")


def test_it_takes_the_programs_commands_and_gets_its_signals() -> None:
    (entry,) = find_all(FINAL, "ENTRYPOINT")

    assert json.loads(entry) == ["python", "-m", "bot"]
    assert find_all(FINAL, "CMD") == []


def test_its_health_is_asked_without_tools_that_a_slim_image_lacks() -> None:
    (check,) = find_all(FINAL, "HEALTHCHECK")
    options, _, command = check.partition("CMD ")
    program, flag, code = json.loads(command)

    assert (program, flag) == ("python", "-c")
    assert "'/healthz'" in code
    ast.parse(code)
    timeout = re.search(r"--timeout=(\d+)s", options)
    assert timeout is not None
    assert int(timeout[1]) > 4  # so that the question, which gives up after 4 s, ends by itself


def test_what_the_bridge_loads_is_compiled_into_it_pythons_own_modules_too() -> None:
    (line,) = (rest for rest in find_all(FINAL, "RUN") if "PYTHONDONTWRITEBYTECODE= " in rest)
    words = [rest if word == "RUN" else word for word, rest in FINAL]
    assert words.index("COPY") < words.index(line) < words.index("USER")
    _, program, flag, code = shlex.split(line)
    assert (program, flag) == ("python", "-c")

    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        env={"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert {*done.stdout.split()} >= {
        "asyncio.base_events",
        "aiohttp.web",
        "slack_bolt",
        "handlers.framework",
        "bot.works",
    }


def test_everything_that_is_copied_exists_and_reaches_the_build() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] != "#"]
    allowed = {line[1:] for line in rules if line.startswith("!")}
    copied = {name for rest in find_all(BUILD, "COPY") for name in shlex.split(rest)[:-1]}

    assert rules[0] == "*"
    assert copied == allowed
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_no_secret_and_no_database_can_reach_the_build() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] != "#"]

    for name in (".env", "data/textbridge.db", ".git/config", ".venv/bin/python"):
        top = name.partition("/")[0]
        assert not any(fnmatch(top, rule[1:]) for rule in rules if rule.startswith("!")), name
