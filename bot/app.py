"""
The composition root: `open_bridge` builds the program from its settings and takes it apart again, in the reverse order.

Here is what takes requests and stores what they bring. The part that works, with every flow and gateway, is `bot.works`:
it is loaded as soon as the platforms have said that they know us, or a second later.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from bot.chance import Chance, SystemChance
from bot.clock import Clock, SystemClock
from bot.domain.ids import ChannelId, UserId
from bot.domain.job import Pool
from bot.domain.phone import Address
from bot.domain.policy import Policy, read_quiet_hours
from bot.errors import NotStored
from bot.gateways.access import Access
from bot.gateways.connections import CarefulConnector
from bot.ground import Ground
from bot.health import Health
from bot.late import load_exposition, load_works
from bot.observe import Log, Metrics, mask_numbers
from bot.settings import Settings
from bot.workers.supervise import Supervisor
from handlers.gate import Limits
from handlers.ops import Operations
from handlers.slack import SlackRequests
from handlers.telnyx import CarrierWebhook
from handlers.verify import CarrierVerifier, SlackVerifier
from handlers.web import build_operators_web, build_web
from storage.database import open_database
from storage.inbox import GroupedInbox
from storage.ownership import own_database
from storage.queue import Bell, WorkbenchRows
from storage.upkeep import Backlog, Upkeep

if TYPE_CHECKING:  # loaded late
    from bot.works import Works

_log = Log("app")

#: Jobs under way at once, by pool. Those that only write share a commit; the carrier is sent ten texts at once at most.
_LIMITS = {
    Pool.CARRIER_IN: 64,
    Pool.SLACK_IN: 8,
    Pool.POST: 256,
    Pool.SEND: 10,
    Pool.MARK: 8,
    Pool.MEDIA: 16,
    Pool.CHORE: 4,
}
#: How many calls to Slack may be under way at once: aiohttp's own limit of 100 would be the pools'.
CALLS = sum(_LIMITS.values())
#: How long the oldest due job may have been due before we no longer call ourselves ready.
_OLDEST_BACKLOG = timedelta(minutes=5)
#: How long the platforms may take to answer whether they know us before the works are loaded all the same, in seconds.
_READY_WITHIN_SECONDS = 1.0
_BREATHER = timedelta(milliseconds=50)
#: How long a start waits for another program that writes to the database (`erase` writes a large one anew for a minute),
#: and how often it looks.
_START_PATIENCE = timedelta(minutes=2)
_LOOK_AGAIN = timedelta(milliseconds=500)
#: Slack's answers are small and quick; only its troubles last.
_SLACK_TIMEOUT = aiohttp.ClientTimeout(total=20, sock_connect=5)


class Bridge:
    """The program: what takes requests, at once, and what works, as soon as that is loaded."""

    def __init__(self, ground: Ground, limits: Limits) -> None:
        settings, clock, metrics = ground.settings, ground.clock, ground.metrics
        self.ground = ground
        self.works: Works | None = None
        self.supervisor = Supervisor(clock)
        self.inbox = GroupedInbox(ground.database, ground.bell, clock)
        access = Access(ground.session, metrics)
        self.health = Health(
            {
                "database": self._check_database,
                "slack": partial(
                    access.check_slack, settings.slack_api_url, settings.slack_bot_token.get_secret_value()
                ),
                "telnyx": partial(
                    access.check_carrier, settings.telnyx_api_url, settings.telnyx_api_key.get_secret_value()
                ),
            },
            clock=clock,
            metrics=metrics,
        )
        self._backlog = Backlog(jobs={}, age=timedelta(0))
        operations = Operations(
            readiness=self.health.examine, backlog=self._describe_backlog, refresh=self._refresh, metrics=metrics
        )
        self.web = build_web(
            carrier=CarrierWebhook(
                verifier=CarrierVerifier(settings.telnyx_public_keys),
                inbox=self.inbox,
                region=ground.policy.region,
                clock=clock,
                metrics=metrics,
            ),
            slack=SlackRequests(
                verifier=SlackVerifier(settings.slack_signing_secrets),
                inbox=self.inbox,
                dispatch=self._dispatch,
                clock=clock,
                metrics=metrics,
            ),
            media=self._handle_media,
            operations=operations,
            limits=limits,
            tells_operators=settings.ops_port is None,
        )
        #: Where it is told on a port of its own how the bridge is.
        self.operators_web = None if settings.ops_port is None else build_operators_web(operations, limits)
        self._opening = asyncio.Lock()

    async def start(self) -> None:
        """
        Take up what an earlier process left, and start every task: requests can then be taken.

        Raises NotStored when the database could not be written to for minutes.
        """
        swept = await self._sweep_patiently()
        if swept:
            _log.info("Jobs of an earlier process are taken up again.", jobs=swept)
        self.supervisor.start("inbox", self.inbox.run)
        for part in self.health.report():
            self.supervisor.start(f"watch {part}", self.health.watch(part))
        self.supervisor.start("works", self._begin_work)

    async def _sweep_patiently(self) -> int:
        clock = self.ground.clock
        give_up_at = clock.monotonic() + _START_PATIENCE.total_seconds()
        waited = False
        while True:
            try:
                return await self.ground.workbench.sweep(everything=True)
            except NotStored as error:
                if clock.monotonic() >= give_up_at:
                    raise
                if not waited:
                    _log.warning("The database cannot be written to yet; waiting for it.", trouble=error.log)
                    waited = True
            await clock.sleep(_LOOK_AGAIN)

    async def stop(self) -> None:
        """Stop every task; work in hand is finished or kept."""
        await self.supervisor.stop()

    async def close(self) -> None:
        """Close what was opened since the start."""
        if self.works is not None:
            await self.works.close()

    async def open_works(self) -> Works:
        """Return the part that works, loaded and started at the first call."""
        async with self._opening:
            if self.works is None:
                works = (await load_works())(self.ground, _LIMITS, self.health.report)
                works.start(self.supervisor)
                self.works = works
            return self.works

    async def _begin_work(self) -> None:
        # First ready, then at work: on one core, what is being loaded and what is being asked for get in each other's way.
        with suppress(TimeoutError):
            async with asyncio.timeout(_READY_WITHIN_SECONDS):
                await self.health.wait_asked()
        # Whoever waits for it to be ready asks every now and then, and should not be answered late.
        await self.ground.clock.sleep(_BREATHER)
        await self.open_works()

    async def _dispatch(self, request: web.Request, text: str) -> web.Response:
        return await (await self.open_works()).dispatch(request, text)

    async def _handle_media(self, request: web.Request) -> web.StreamResponse:
        return await (await self.open_works()).media.handle(request)

    async def _check_database(self) -> None:
        backlog = self._backlog = await self.ground.upkeep.read_backlog()
        await self.ground.upkeep.check_writing()
        if backlog.age > _OLDEST_BACKLOG:
            raise NotStored(f"the oldest job has been due for {int(backlog.age.total_seconds())} s")

    def _describe_backlog(self) -> Mapping[str, int]:
        parked = sum(jobs for (_, status), jobs in self._backlog.jobs.items() if status == "parked")
        pace = self.works.report_pace().values() if self.works else ()
        return {
            "unfinished": sum(self._backlog.jobs.values()) - parked,
            "parked": parked,
            "overdue_seconds": int(self._backlog.age.total_seconds()),
            "paced": sum(waiting.count for waiting in pace),
            "longest_paced_seconds": max((int(waiting.longest.total_seconds()) for waiting in pace), default=0),
        }

    async def _refresh(self) -> None:
        await load_exposition()
        metrics, backlog = self.ground.metrics, await self.ground.upkeep.read_backlog()
        metrics.backlog.clear()
        for (pool, status), jobs in backlog.jobs.items():
            metrics.backlog.labels(pool, status).set(jobs)
        metrics.backlog_age.set(backlog.age.total_seconds())
        metrics.paced.clear()
        for rule, waiting in (self.works.report_pace() if self.works else {}).items():
            metrics.paced.labels(mask_numbers(rule)).set(waiting.count)


@asynccontextmanager
async def open_bridge(
    settings: Settings,
    *,
    clock: Clock | None = None,
    chance: Chance | None = None,
    port: int | None = None,
    limits: Limits | None = None,
    calls: int = CALLS,
) -> AsyncIterator[Bridge]:
    """
    Build the program as *settings* say, and close all it holds in the end.

    *port*: the one really listened on. *calls*: how many to Slack may be under way at once.

    Raises Broken when the database cannot be used: by a newer program, or by another process at this moment.
    """
    clock = clock or SystemClock()
    chance = chance or SystemChance()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(own_database(settings.database_path, clock))
        database = await open_database(settings.database_path)
        stack.push_async_callback(database.close)
        bell = Bell()
        ground = Ground(
            settings=settings,
            policy=read_policy(settings, port),
            database=database,
            bell=bell,
            workbench=WorkbenchRows(database, bell, clock, chance),
            upkeep=Upkeep(database, clock),
            session=await stack.enter_async_context(_open_session(calls)),
            clock=clock,
            chance=chance,
            metrics=Metrics(),
        )
        bridge = Bridge(ground, limits or Limits())
        stack.push_async_callback(bridge.close)
        yield bridge


def _open_session(calls: int) -> aiohttp.ClientSession:
    connector = CarefulConnector(limit=calls)
    # Slack's cookies are for browsers; to look for one that fits would take part in each call.
    return aiohttp.ClientSession(timeout=_SLACK_TIMEOUT, connector=connector, cookie_jar=aiohttp.DummyCookieJar())


def read_policy(settings: Settings, port: int | None) -> Policy:
    """Return the rules that *settings* state."""
    base = settings.public_url
    if base is None and settings.carrier_is_local:
        base = f"http://127.0.0.1:{port or settings.port}"
    return Policy(
        our_number=Address(settings.telnyx_phone_number),
        channels={Address(number): ChannelId(channel) for number, channel in settings.channels_by_number.items()},
        default_channel=ChannelId(settings.slack_channel),
        whatsapp_numbers=frozenset(Address(number) for number in settings.whatsapp_numbers),
        profile_id=settings.telnyx_messaging_profile_id,
        region=settings.default_region,
        thread_mode=settings.thread_mode,
        hold=timedelta(seconds=settings.send_hold_seconds),
        notice_after=timedelta(minutes=settings.notice_after_minutes),
        quiet_hours=read_quiet_hours(settings.quiet_hours),
        admins=frozenset(UserId(user) for user in settings.admins),
        webhook_base=base,
        send_rates=settings.send_rates,
    )
