"""
The part of the program that works: every flow, every gateway, and slack-bolt once somebody commands.

No answer to a webhook or an event waits for it, so it is loaded when the other part takes requests; see `bot.late`.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import Clock
from bot.domain.account import Pulse
from bot.domain.job import Kind, Pool, Status
from bot.flows.assembly import Surroundings, assemble_flows
from bot.flows.fetching import Fetching
from bot.flows.history import History
from bot.flows.preparing import Preparing
from bot.flows.setting_changes import SettingValue, record_settings
from bot.flows.sharing import Sharing
from bot.gateways.http import CarrierMediaGateway
from bot.gateways.people import RememberedDirectory
from bot.gateways.proxies import find_proxy
from bot.gateways.slack import SlackGateway
from bot.gateways.slack_files import SlackFilesGateway
from bot.gateways.telnyx import TelnyxGateway
from bot.gateways.tls import get_tls, read_roots
from bot.ground import Ground
from bot.late import LatePictures, load_framework
from bot.observe import Log, Metrics
from bot.ports.media import SlackFiles
from bot.settings import SETTINGS, Secret, Settings
from bot.workers.memory import Memory
from bot.workers.pacing import Pacer, Waiting
from bot.workers.supervise import Supervisor
from bot.workers.worker import Flow, Worker
from handlers.desk import Desk
from handlers.media import MediaFiles
from storage.clock_changes import ClockChanges
from storage.raw import RawUpkeep
from storage.retention import Retention
from storage.shelf import FileShelf, ShelfUpkeep
from storage.store import SqliteStore

if TYPE_CHECKING:  # loaded late
    from handlers.framework import Framework

_log = Log("works")

#: Jobs that nobody does yet: what asks is itself one that is being done.
_TO_BE_DONE = (Status.WAITING, Status.READY)
_SWEEP_EVERY = timedelta(seconds=15)
_CLOCK_EVERY = timedelta(seconds=1)
_UPKEEP_EVERY = timedelta(hours=1)


class Works:
    """The workers and the flows behind them. To be made inside a running event loop, and closed."""

    def __init__(
        self, ground: Ground, limits: Mapping[Pool, int], report: Callable[[], Mapping[str, str | None]]
    ) -> None:
        settings, policy, clock, chance = ground.settings, ground.policy, ground.clock, ground.chance
        api_key = settings.telnyx_api_key.get_secret_value()
        bot_token = settings.slack_bot_token.get_secret_value()
        self._ground = ground
        self._closing = AsyncExitStack()
        self.store = SqliteStore(ground.database, ground.bell, clock)
        carrier = TelnyxGateway(
            url=settings.telnyx_api_url,
            api_key=api_key,
            profile_id=settings.telnyx_messaging_profile_id,
            metrics=ground.metrics,
        )
        self._closing.push_async_callback(carrier.close)
        carrier_media = CarrierMediaGateway(
            api_key=api_key,
            api_url=settings.telnyx_api_url,
            allow_private=settings.media_allow_private_hosts,
            metrics=ground.metrics,
        )
        self._closing.push_async_callback(carrier_media.close)
        self._slack_pace = Pacer(clock, learned=settings.learns_limits(local=settings.slack_is_local))
        self._carrier_pace = Pacer(clock, learned=settings.learns_limits(local=settings.carrier_is_local))
        slack = SlackGateway(client=self._build_client(bot_token), pace=self._slack_pace, metrics=ground.metrics)
        directory = RememberedDirectory(slack, clock, senders=settings.senders)
        texts = assemble_flows(
            Surroundings(
                store=self.store,
                carrier=carrier,
                account=carrier,
                pulses=_Pulses(ground, report),
                threads=slack,
                cards=slack,
                directory=directory,
                home_tab=slack,
                slack_pace=self._slack_pace,
                carrier_pace=self._carrier_pace,
                policy=policy,
                clock=clock,
                chance=chance,
                metrics=ground.metrics,
            )
        )
        shelf = FileShelf(settings.database_path.parent / "media", chance)
        files = SlackFilesGateway(
            slack=slack, session=ground.session, bot_token=bot_token, api_url=settings.slack_api_url
        )
        fetching = Fetching(store=self.store, carrier_media=carrier_media, shelf=shelf, clock=clock)
        sharing = Sharing(
            store=self.store,
            files=files,
            threads=slack,
            shelf=shelf,
            placing=texts.placing,
            clock=clock,
            chance=chance,
        )
        preparing = Preparing(
            store=self.store,
            files=files,
            shelf=shelf,
            pictures=LatePictures(),
            policy=policy,
            clock=clock,
            chance=chance,
        )
        flows: dict[Kind, Flow] = {
            **texts.by_kind,
            Kind.FETCH_MEDIA: fetching.fetch_media,
            Kind.UPLOAD_MEDIA: sharing.upload_media,
            Kind.SHARE_MEDIA: sharing.share_media,
            Kind.PREPARE_MEDIA: preparing.prepare_media,
        }
        self.workers = {
            pool: Worker(
                pool,
                flows,
                ground.workbench,
                joint_flows=texts.joint_by_kind,
                limit=limit,
                clock=clock,
                chance=chance,
                metrics=ground.metrics,
            )
            for pool, limit in limits.items()
        }
        self._memory = Memory(ground.metrics)
        self.clock_changes = ClockChanges(ground.database, ground.bell, clock)
        self.reconcile = texts.reconcile
        self.raw_upkeep = RawUpkeep(ground.database, clock)
        self.shelf_upkeep = ShelfUpkeep(ground.database, shelf, clock)
        #: None: texts are kept for ever.
        self.retention = (
            None
            if settings.retention_days is None
            else Retention(ground.database, shelf, clock, timedelta(days=settings.retention_days))
        )
        self.media = MediaFiles(store=self.store, shelf=shelf, clock=clock, metrics=ground.metrics)
        self._desk = Desk(
            texting=texts.texting,
            schedules=texts.schedules,
            optouts=texts.optouts,
            decisions=texts.decisions,
            channel_settings=texts.channel_settings,
            contacts=texts.contacts,
            history=History(store=self.store, directory=directory, policy=policy, clock=clock),
            account_events=texts.account_events,
            senders=texts.senders,
            account=texts.account,
            home=texts.home,
            directory=directory,
            policy=policy,
            clock=clock,
        )
        self._framework: Framework | None = None

    def start(self, supervisor: Supervisor) -> None:
        """Start every task."""
        for pool, worker in self.workers.items():
            supervisor.start(f"worker {pool}", worker.run)
        supervisor.start("clock", self._follow_clock)
        supervisor.start("sweep", self._sweep)
        supervisor.start("upkeep", self._tidy)
        supervisor.start("reconcile", self.reconcile.run)
        supervisor.start("settings on record", self._record_settings)

    async def close(self) -> None:
        """Close the connections."""
        await self._closing.aclose()

    def report_pace(self) -> Mapping[str, Waiting]:
        """Return how much waits for each rule of the platforms' pace."""
        return {**self._slack_pace.report(), **self._carrier_pace.report()}

    async def dispatch(self, request: web.Request, text: str) -> web.Response:
        """Answer a command, a click or a form whose body is *text*; 404 where nobody wants it."""
        return await (await self.open_framework()).dispatch(request, text)

    async def open_framework(self) -> Framework:
        """Return slack-bolt with every listener on it, loaded at the first call."""
        framework = await load_framework()
        if self._framework is None:
            settings = self._ground.settings
            self._framework = framework(
                self._desk,
                self._build_client(None),  # `authorize` gives it its token
                signing_secret=settings.slack_signing_secrets[0],
                bot_token=settings.slack_bot_token.get_secret_value(),
            )
        return self._framework

    def _build_client(self, token: str | None) -> AsyncWebClient:
        return _build_client(self._ground.settings, self._ground.session, token)

    async def _follow_clock(self) -> None:
        while True:
            await self.clock_changes.follow()
            await self._memory.give_back()
            await self._ground.clock.sleep(_CLOCK_EVERY)

    async def _sweep(self) -> None:
        while True:
            await self._ground.clock.sleep(_SWEEP_EVERY)
            await self.clock_changes.follow()  # before a lease is taken for over that only the clock has ended
            await self._ground.workbench.sweep(everything=False)

    async def _record_settings(self) -> None:
        now = self._ground.clock.now()
        changed = await record_settings(self.store, describe_settings(self._ground.settings), now)
        if changed:
            _log.info("Settings that are not as they were are on record.", changed=changed)

    async def _tidy(self) -> None:
        while True:
            await self._ground.upkeep.forget_finished()
            await self.raw_upkeep.sweep()
            await self.shelf_upkeep.sweep()
            if self.retention is not None:
                await self.retention.sweep()
            await self._ground.clock.sleep(_UPKEEP_EVERY)


class _Pulses:
    """`bot.ports.account.Pulses`: the queue's own counts, and what `/readyz` says. *report* names each part's trouble."""

    def __init__(self, ground: Ground, report: Callable[[], Mapping[str, str | None]]) -> None:
        self._upkeep = ground.upkeep
        self._report = report

    async def take(self) -> Pulse:
        backlog = await self._upkeep.read_backlog()
        parked = sum(jobs for (_, status), jobs in backlog.jobs.items() if status == Status.PARKED)
        return Pulse(
            waiting=sum(jobs for (_, status), jobs in backlog.jobs.items() if status in _TO_BE_DONE),
            oldest=backlog.age,
            parked=parked,
            troubles={part: problem for part, problem in self._report().items() if problem is not None},
        )


def describe_settings(settings: Settings) -> Mapping[str, SettingValue]:
    """Return each setting by its name in the environment; of a secret only whether it is still the same."""
    described = {}
    for setting in SETTINGS:
        value = getattr(settings, setting.name)
        if isinstance(value, Secret):
            digest = hashlib.sha256(value.get_secret_value().encode()).hexdigest()[:16]
            described[setting.name.upper()] = SettingValue(fingerprint=digest, shown="(a secret)")
        else:
            shown = _show_setting(value)
            described[setting.name.upper()] = SettingValue(fingerprint=shown, shown=shown)
    return described


def _show_setting(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ",".join(f"{key}={each}" for key, each in sorted(value.items()))
    return ",".join(str(each) for each in value) if isinstance(value, tuple) else str(value)


def _build_client(settings: Settings, session: aiohttp.ClientSession, token: str | None) -> AsyncWebClient:
    # No retry handlers: the SDK's own would post twice when a connection breaks after the request. The context is told
    # for what slack-bolt answers clicks with: sessions of its own, which would trust nobody (`bot.late.import_aiohttp`).
    url = settings.slack_api_url.rstrip("/") + "/"
    proxy = find_proxy(url)
    client = AsyncWebClient(token=token, base_url=url, session=session, ssl=get_tls(), proxy=proxy, retry_handlers=[])
    client.proxy = proxy  # where there is none it has looked for itself, without a look at NO_PROXY
    return client


@asynccontextmanager
async def open_slack_files(settings: Settings, clock: Clock) -> AsyncIterator[SlackFiles]:
    """Open Slack's files alone, for a command that wants a file and no bridge."""
    bot_token = settings.slack_bot_token.get_secret_value()
    read_roots()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=get_tls())) as session:
        pace = Pacer(clock, learned=settings.learns_limits(local=settings.slack_is_local))
        slack = SlackGateway(client=_build_client(settings, session, bot_token), pace=pace, metrics=Metrics())
        yield SlackFilesGateway(slack=slack, session=session, bot_token=bot_token, api_url=settings.slack_api_url)
