"""What both parts of the program stand on: the one that takes requests (`bot.app`), and the one that works (`bot.works`)."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.policy import Policy
from bot.observe import Metrics
from bot.settings import Settings
from storage.database import Database
from storage.queue import Bell, WorkbenchRows
from storage.upkeep import Upkeep


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Opened before either part, and closed after both."""

    settings: Settings
    policy: Policy
    database: Database
    bell: Bell
    workbench: WorkbenchRows
    upkeep: Upkeep
    session: aiohttp.ClientSession
    clock: Clock
    chance: Chance
    metrics: Metrics
