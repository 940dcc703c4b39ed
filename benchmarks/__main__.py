"""`python -m benchmarks`: measure, print, and write `benchmarks/RESULTS.md`."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.bench import FULL, QUICK, Bench
from benchmarks.machine import CAN_PIN, LOAD_CORE, describe_machine
from benchmarks.measures import MEASURES
from benchmarks.processes import ROOT, Yard
from benchmarks.report import write_report

#: Messages of a database of years: too long in the making for every run.
_WHOLE = 10_000_000
_RESULTS = Path(__file__).with_name("RESULTS.md")


def main(arguments: Sequence[str]) -> int:
    """Measure what is asked for; 1 if anything went wrong under load, whatever the goals."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="How much the bridge carries, and how fast."
    )
    parser.add_argument("--quick", action="store_true", help="one small round of each: whether it works, not how fast")
    parser.add_argument("--rounds", type=int, help="how many rounds of each (5; with --quick, 1)")
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES), help="these measures alone")
    parser.add_argument(
        "--messages",
        type=int,
        help=f"how many the big database has ({_WHOLE:,} with `--only scale` alone, else {FULL.stored_messages:,})",
    )
    parser.add_argument(
        "--out",
        type=Path,
        help=f"where to write the table ({_RESULTS.relative_to(ROOT)}; with --quick or --only, nowhere)",
    )
    options = parser.parse_args(arguments)
    size = QUICK if options.quick else FULL
    if options.only == ["scale"] and not options.quick:
        size = replace(size, stored_messages=options.messages or _WHOLE)
    elif options.messages:
        size = replace(size, stored_messages=options.messages)
    if options.rounds:
        size = replace(size, rounds=options.rounds)
    whole = not options.quick and options.only == list(MEASURES)
    out = options.out or (_RESULTS if whole else None)

    if CAN_PIN:
        os.sched_setaffinity(0, {LOAD_CORE})
    place = ROOT / "build"  # on the disk that the program is on: /tmp may be memory
    place.mkdir(exist_ok=True)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=place, prefix="bench-") as folder:
        machine = describe_machine(Path(folder))
        yard = Yard(Path(folder))
        try:
            bench = Bench(yard=yard, size=size)
            for name in options.only:
                print(f"{name}: {(MEASURES[name].__doc__ or '').strip()}")
                MEASURES[name](bench)
        finally:
            yard.close()
    command = shlex.join(["python", "-m", "benchmarks", *arguments])
    report = write_report(bench.tally, command=command, machine=machine, seconds=time.perf_counter() - began)
    print(report)
    if out is not None:
        out.write_text(report, encoding="utf-8")
    return 1 if bench.tally.errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
