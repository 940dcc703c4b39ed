"""What every machine of the whole bridge stands on: one bridge's life in a world, and its end."""

from __future__ import annotations

import asyncio
import tempfile
from abc import abstractmethod
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis.stateful import RuleBasedStateMachine

from tests.doubles.bench import Life, World

T = TypeVar("T")


class LivedMachine(RuleBasedStateMachine):
    """One bridge between its platforms; whoever inherits says what happens, and what must hold in the end."""

    template: Path  #: An empty database, of which each life gets a copy beside it.

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory(dir=self.template.parent)
        self.world = World(folder=Path(self.folder.name), template=self.template)
        self.life = Life(self.world)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what *work* comes to, on this machine's own event loop."""
        return self.loop.run_until_complete(work)

    @abstractmethod
    async def heal(self) -> None:
        """Mend everything, and let the world come to rest."""

    @abstractmethod
    def check_end(self) -> None:
        """Judge what there is once all has come to rest."""

    def teardown(self) -> None:
        """Bring the life to its end, judge it, and leave nothing behind."""
        try:
            self.run(self.heal())
            self.check_end()
        finally:
            self.run(self.life.stop())
            self.loop.close()
            self.folder.cleanup()
