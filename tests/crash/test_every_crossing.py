"""
The process dies at every point at which it can make a difference, one after the other, and nothing is lost or done twice.

A process that dies leaves behind what it has committed and what the platforms have done for it. That changes only where
something crosses the border, so one death for each state between two effects is all the deaths there are.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.crash import (  # noqa: F401 - they add their stories to the list
    stories_of_changes,
    stories_of_commands,
    stories_of_pictures,
    stories_of_recovery,
    stories_of_schedules,
    stories_of_texts_held_up,
)
from tests.crash.stories import STORIES, Story
from tests.doubles.bench import Life, World
from tests.doubles.border import Border
from tests.doubles.direct import make_empty_file

#: Linux keeps this folder in memory.
_FAST = Path("/dev/shm")  # noqa: S108
_LEFT = "SELECT status, kind, key, trouble FROM jobs WHERE status != 'done'"
_SENT_UNRECORDED = """
SELECT m.id FROM requests r JOIN messages m ON m.number = r.message
WHERE NOT EXISTS (SELECT 1 FROM audit WHERE action = 'sent' AND subject = m.id)"""
_SENT_TWICE = """
SELECT subject FROM audit WHERE action = 'sent' GROUP BY subject, numbers HAVING COUNT(*) > 1"""
_CONSENT_CHANGES = """
SELECT (SELECT COUNT(*) FROM consent_changes),
    (SELECT COUNT(*) FROM audit WHERE action IN ('opted_out', 'opted_in', 'opted_out_by_hand', 'opt_out_lifted'))"""
#: Pairs of crashes tried for each story.
_PAIRS = 6


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """Return a file of the newest schema, in a folder that takes the others, too."""
    with TemporaryDirectory(dir=_FAST if _FAST.is_dir() else None) as folder:
        path = Path(folder) / "empty.db"
        make_empty_file(path)
        yield path


async def run(story: Story, template: Path, crash_at: Collection[int] = (), *, hands_on: bool = True) -> Border:
    """
    Run *story* to its end, the process dying at the given crossings; return what crossed.

    *hands_on*: jobs are begun where they are made, as ever when a worker is free; else each is claimed, as in a backlog.
    """
    with TemporaryDirectory(dir=template.parent) as folder:
        world = story.apply_rules(
            World(folder=Path(folder), template=template, border=Border(crash_at=set(crash_at)), hands_on=hands_on)
        )
        life = Life(world)
        try:
            await story.act(life)
            assert await life.do(lambda bench: bench.read(_LEFT)) == []
            await check_audit(life)
            assert world.lives == 1 + len([number for number in crash_at if number < len(world.border.crossings)])
        except Exception as error:
            error.add_note(describe_crashes(world.border, crash_at))
            raise
        finally:
            await life.stop()
        return world.border


async def check_audit(life: Life) -> None:
    """See that what was sent, and each change of consent, is on record once, wherever the process died."""
    assert await life.do(lambda bench: bench.read(_SENT_UNRECORDED)) == []
    assert await life.do(lambda bench: bench.read(_SENT_TWICE)) == []
    ((changes, entries),) = await life.do(lambda bench: bench.read(_CONSENT_CHANGES))
    assert changes == entries


def describe_crashes(border: Border, crash_at: Collection[int]) -> str:
    places = [str(border.crossings[number]) for number in sorted(crash_at) if number < len(border.crossings)]
    return f"the process died at {', '.join(places) or 'no point'}"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
async def test_the_process_may_die_at_any_crossing(story: Story, template: Path) -> None:
    border = await run(story, template)
    points = border.list_points()
    print(f"{story.name}: {len(border.crossings)} crossings, {len(points)} different states")
    for point in points:
        again = await run(story, template, {point.number})
        assert again.crossings[point.number] == point
    assert len(points) >= story.points, "the enumeration has shrunk: does something no longer pass the border?"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
async def test_the_process_may_die_again_while_it_recovers(story: Story, template: Path) -> None:
    points = (await run(story, template, hands_on=False)).list_points()
    chance = random.Random(story.name)
    for _ in range(_PAIRS):
        first = chance.choice(points).number
        second = first + chance.randint(1, 12) if chance.random() < 0.7 else chance.choice(points).number
        await run(story, template, {first, second}, hands_on=False)
