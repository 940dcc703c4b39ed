"""Which version this is. Apart, because finding it out takes modules that a start should not wait for."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path


def read_version() -> str:
    """Return the version of this program: as installed, or as its source says."""
    try:
        return metadata.version("textbridge")
    except metadata.PackageNotFoundError:
        project = Path(__file__).resolve().parents[2] / "pyproject.toml"
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
