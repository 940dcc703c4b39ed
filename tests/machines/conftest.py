"""An empty database for the machines of the whole bridge."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles.direct import make_empty_file
from tests.machines.effort import FAST


@pytest.fixture
def template() -> Iterator[Path]:
    """Yield an empty database, in a folder that is made for it alone."""
    with tempfile.TemporaryDirectory(dir=FAST) as folder:
        path = Path(folder) / "empty.db"
        make_empty_file(path)
        yield path
