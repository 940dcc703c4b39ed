"""One target under Atheris: `python -m tests.fuzz.guided TARGET [libFuzzer's options] CORPUS …`."""

from __future__ import annotations

import asyncio
import sys

import atheris

with atheris.instrument_imports(include=["bot", "handlers"]):
    from tests.fuzz import targets


def main() -> None:
    """Fuzz until the options say that it is enough; never returns."""
    target = targets.TARGETS[sys.argv[1]]
    targets.run = asyncio.Runner().run
    atheris.Setup([sys.argv[0], *sys.argv[2:]], lambda data: target(bytes(data)))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
