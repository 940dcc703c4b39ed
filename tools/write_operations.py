"""Write the table of the carrier's operations into README.md, from `bot/domain/carrier_api/table.py`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.cli.carrier_fields import name_option  # noqa: E402 - the project is beside this script, not installed
from bot.domain.carrier_api.fields import Field, Place  # noqa: E402
from bot.domain.carrier_api.operation import Operation  # noqa: E402
from bot.domain.carrier_api.table import OPERATIONS  # noqa: E402

BEGIN = "<!-- Written by tools/write_operations.py from bot/domain/carrier_api: do not edit. -->"
END = "<!-- To here. -->"


def render_table() -> str:
    """Return the table, a line for each operation."""
    lines = ["| `python -m bot carrier …` | does | request | in Slack |", "|---|---|---|---|"]
    for operation in OPERATIONS:
        asked = "; asks first" if operation.destroys else ""
        lines.append(
            f"| `{write_usage(operation)}` | {operation.says[0].lower()}{operation.says[1:]}{asked} "
            f"| `{operation.method} {operation.path}` | {operation.in_slack or 'no'} |"
        )
    return "\n".join(lines)


def write_usage(operation: Operation) -> str:
    """Return how the operation is typed, with what it needs."""
    words = [operation.name, *(_write(field) for field in operation.fields if field.required)]
    for names in operation.one_of:
        fields = [field for field in operation.fields if field.name in names]
        words.append("(" + " or ".join(_write(field) for field in fields) + ")")
    return " ".join(words)


def _write(field: Field) -> str:
    if field.place is Place.PATH:
        return field.name.upper()
    return f"{name_option(field)} …"


def insert_table(document: str) -> str:
    """Return *document* with the table of today between its marks."""
    before, _, rest = document.partition(f"{BEGIN}\n")
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{render_table()}\n{END}{after}"


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(insert_table(readme.read_text(encoding="utf-8")), encoding="utf-8")
