"""`make chaos`: a storm of the length and seed that are asked for."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from functools import partial
from pathlib import Path

from tests.chaos.storm import Storm, Weather


def main() -> int:
    """Rage, tell what happened, and return 1 if anything was lost, came twice or out of order."""
    parser = argparse.ArgumentParser(prog="make chaos", description="Kill the real process at random while texts flow.")
    parser.add_argument("--seconds", type=float, default=180, help="how long the storm lasts (an hour: 3600)")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="repeats a storm")
    parser.add_argument("--customers", type=int, default=12, help="how many people text")
    options = parser.parse_args()
    print(f"A storm of {options.seconds:g} s with seed {options.seed} …", flush=True)
    with tempfile.TemporaryDirectory(prefix="textbridge-chaos-") as folder:
        weather = Weather(seed=options.seed, seconds=options.seconds, customers=options.customers)
        tally = asyncio.run(Storm(weather, Path(folder)).rage(partial(print, flush=True)))
        print(tally.describe())
        if tally.wrong:
            kept = Path(tempfile.mkdtemp(prefix="textbridge-chaos-kept-"))
            for path in Path(folder).iterdir():
                if path.is_file():
                    (kept / path.name).write_bytes(path.read_bytes())
            print(f"To repeat it: --seed {options.seed}. The database and the log are kept in {kept}.")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
