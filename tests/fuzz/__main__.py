"""
Fuzz each target for a while, guided by coverage: `make fuzz`, or `python -m tests.fuzz --seconds 600 slack_request`.

What breaks a target is kept as a file in tests/fuzz/cases/<target>, is tried by every `make test` from then on, and is
to be committed together with its mending. Atheris, the fuzzer, has wheels for Linux alone; elsewhere this says so and
ends well.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.seeds import write_seeds

CASES = Path(__file__).parent / "cases"
NAMES = ("carrier_webhook", "slack_request", "media_address")
_LONGEST = 4096


def main() -> int:
    """Fuzz what is asked for; 1 when anything broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Coverage-guided fuzzing.")
    parser.add_argument("--seconds", type=int, default=60, help="how long each target is fuzzed (60)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"{', '.join(NAMES)} (all)")
    options = parser.parse_args()
    if unknown := set(options.targets) - set(NAMES):
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    if find_spec("atheris") is None:
        print("Atheris, the fuzzer, is not installed: it has wheels for Linux on x86-64 alone. Nothing was fuzzed.")
        return 0
    broken = [name for name in options.targets or NAMES if not _fuzz_apart(name, options.seconds)]
    for name in broken:
        print(f"{name}: broken; what broke it is in {CASES.relative_to(Path.cwd()) / name}. Mend it and commit both.")
    return 1 if broken else 0


def _fuzz_apart(name: str, seconds: int) -> bool:
    """Fuzz one target in a process of its own, for the fuzzer never returns; False when it broke."""
    print(f"fuzzing {name} for {seconds} s", flush=True)
    (CASES / name).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        write_seeds(name, Path(folder))
        command = [
            *(sys.executable, "-m", "tests.fuzz.guided", name),
            f"-max_total_time={seconds}",
            f"-max_len={_LONGEST}",
            f"-artifact_prefix={CASES / name}/",
            *("-timeout=10", "-print_final_stats=1", "-verbosity=0"),
            *(folder, str(CASES / name)),
        ]
        return subprocess.run(command, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
