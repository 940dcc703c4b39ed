"""
The composition root: the only place that knows every adapter.

`open_bridge` builds the program from its settings and takes it apart again, in the reverse order.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.chance import Chance, SystemChance
from bot.clock import Clock, SystemClock
from bot.domain.ids import ChannelId, UserId
from bot.domain.job import Kind, Pool
from bot.domain.phone import Address
from bot.domain.policy import Policy, read_quiet_hours
from bot.errors import NotStored
from bot.flows.assembly import Surroundings, assemble_flows
from bot.flows.fetching import Fetching
from bot.flows.history import History
from bot.flows.preparing import Preparing
from bot.flows.reconcile import Reconcile
from bot.flows.sharing import Sharing
from bot.gateways.http import CarrierMediaGateway
from bot.gateways.people import RememberedDirectory
from bot.gateways.pictures import PillowPictures
from bot.gateways.slack import TIMEOUT as SLACK_TIMEOUT
from bot.gateways.slack import SlackGateway
from bot.gateways.slack_files import SlackFilesGateway
from bot.gateways.telnyx import TelnyxGateway
from bot.health import Health
from bot.observe import Log, Metrics, mask_numbers
from bot.settings import Settings
from bot.workers.pacing import Pacer
from bot.workers.supervise import Supervisor
from bot.workers.worker import Flow, Worker
from handlers.commands import register_commands
from handlers.gate import Limits
from handlers.listeners import Desk, build_bolt, register_buttons, register_rest, register_shortcuts
from handlers.media import MediaFiles
from handlers.modals import Forms
from handlers.ops import Operations
from handlers.slack import SlackRequests
from handlers.telnyx import CarrierWebhook
from handlers.verify import CarrierVerifier, SlackVerifier
from handlers.web import build_operators_web, build_web
from storage.database import Database, open_database
from storage.inbox import GroupedInbox
from storage.ownership import own_database
from storage.queue import Bell, WorkbenchRows
from storage.shelf import FileShelf, ShelfUpkeep
from storage.store import SqliteStore
from storage.upkeep import Upkeep

_log = Log("app")

#: Jobs under way at once, by pool. Those that only write share a commit; httpx loses with more than ten.
_LIMITS = {
    Pool.CARRIER_IN: 32,
    Pool.SLACK_IN: 8,
    Pool.POST: 256,
    Pool.SEND: 8,
    Pool.MARK: 8,
    Pool.MEDIA: 16,
    Pool.CHORE: 4,
}
#: How long the oldest due job may have been due before we no longer call ourselves ready.
_OLDEST_BACKLOG = timedelta(minutes=5)
_SWEEP_EVERY = timedelta(seconds=15)
_UPKEEP_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """The program, built and not yet running."""

    operators_web: web.Application | None  #: Where it is told on a port of its own how the bridge is.
    web: web.Application
    workers: dict[Pool, Worker]
    store: SqliteStore
    workbench: WorkbenchRows
    inbox: GroupedInbox
    health: Health
    metrics: Metrics
    supervisor: Supervisor
    clock: Clock
    upkeep: Upkeep
    shelf_upkeep: ShelfUpkeep
    reconcile: Reconcile

    async def start(self) -> None:
        """Take up what an earlier process left, and start every task."""
        swept = await self.workbench.sweep(everything=True)
        if swept:
            _log.info("Jobs of an earlier process are taken up again.", jobs=swept)
        self.supervisor.start("inbox", self.inbox.run)
        for part in self.health.report():
            self.supervisor.start(f"watch {part}", self.health.watch(part))
        for pool, worker in self.workers.items():
            self.supervisor.start(f"worker {pool}", worker.run)
        self.supervisor.start("sweep", self._sweep)
        self.supervisor.start("upkeep", self._tidy)
        self.supervisor.start("reconcile", self.reconcile.run)

    async def stop(self) -> None:
        """Stop every task; work in hand is finished or kept."""
        await self.supervisor.stop()

    async def _sweep(self) -> None:
        while True:
            await self.clock.sleep(_SWEEP_EVERY)
            await self.workbench.sweep(everything=False)

    async def _tidy(self) -> None:
        while True:
            await self.upkeep.forget_finished()
            await self.shelf_upkeep.sweep()
            await self.clock.sleep(_UPKEEP_EVERY)


@asynccontextmanager
async def open_bridge(
    settings: Settings,
    *,
    clock: Clock | None = None,
    chance: Chance | None = None,
    port: int | None = None,
    limits: Limits | None = None,
) -> AsyncIterator[Bridge]:
    """
    Build the program as *settings* say, and close all it holds in the end. *port*: the one really listened on.

    Raises Broken when the database cannot be used: by a newer program, or by another process at this moment.
    """
    clock = clock or SystemClock()
    chance = chance or SystemChance()
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(own_database(settings.database_path, clock))
        database = await open_database(settings.database_path)
        stack.push_async_callback(database.close)
        session = await stack.enter_async_context(_open_session())
        carrier = TelnyxGateway(
            url=settings.telnyx_api_url,
            api_key=settings.telnyx_api_key.get_secret_value(),
            profile_id=settings.telnyx_messaging_profile_id,
            metrics=metrics,
        )
        stack.push_async_callback(carrier.close)
        carrier_media = CarrierMediaGateway(
            api_key=settings.telnyx_api_key.get_secret_value(),
            api_url=settings.telnyx_api_url,
            allow_private=settings.media_allow_private_hosts,
            metrics=metrics,
        )
        stack.push_async_callback(carrier_media.close)
        outside = _Outside(session=session, carrier=carrier, carrier_media=carrier_media)
        yield _compose(settings, database, outside, clock, chance, metrics, port, limits or Limits())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outside:
    """What is closed in the end."""

    session: aiohttp.ClientSession
    carrier: TelnyxGateway
    carrier_media: CarrierMediaGateway


def _compose(
    settings: Settings,
    database: Database,
    outside: _Outside,
    clock: Clock,
    chance: Chance,
    metrics: Metrics,
    port: int | None,
    limits: Limits,
) -> Bridge:
    session, carrier = outside.session, outside.carrier
    policy = read_policy(settings, port)
    bell = Bell()
    store = SqliteStore(database, bell, clock)
    workbench = WorkbenchRows(database, bell, clock, chance)
    inbox = GroupedInbox(database, bell, clock)
    upkeep = Upkeep(database, clock)
    bot_token = settings.slack_bot_token.get_secret_value()
    slack_pace = Pacer(clock, learned=settings.learns_limits(local=settings.slack_is_local))
    carrier_pace = Pacer(clock, learned=settings.learns_limits(local=settings.carrier_is_local))
    slack = SlackGateway(client=_build_client(settings, session, bot_token), pace=slack_pace, metrics=metrics)
    directory = RememberedDirectory(slack, clock, senders=settings.senders)

    texts = assemble_flows(
        Surroundings(
            store=store,
            carrier=carrier,
            threads=slack,
            directory=directory,
            home_tab=slack,
            pace=carrier_pace,
            policy=policy,
            clock=clock,
            chance=chance,
            metrics=metrics,
        )
    )
    shelf = FileShelf(settings.database_path.parent / "media", chance)
    slack_files = SlackFilesGateway(slack=slack, session=session, bot_token=bot_token, api_url=settings.slack_api_url)
    fetching = Fetching(store=store, carrier_media=outside.carrier_media, shelf=shelf, clock=clock)
    sharing = Sharing(
        store=store, files=slack_files, threads=slack, shelf=shelf, posting=texts.posting, clock=clock, chance=chance
    )
    preparing = Preparing(
        store=store,
        files=slack_files,
        shelf=shelf,
        pictures=PillowPictures(),
        policy=policy,
        clock=clock,
        chance=chance,
    )
    desk = Desk(
        texting=texts.texting,
        schedules=texts.schedules,
        optouts=texts.optouts,
        decisions=texts.decisions,
        history=History(store=store, directory=directory, policy=policy, clock=clock),
        account_events=texts.account_events,
        directory=directory,
        policy=policy,
        clock=clock,
    )
    flows: dict[Kind, Flow] = {
        **texts.by_kind,
        Kind.FETCH_MEDIA: fetching.fetch_media,
        Kind.UPLOAD_MEDIA: sharing.upload_media,
        Kind.SHARE_MEDIA: sharing.share_media,
        Kind.PREPARE_MEDIA: preparing.prepare_media,
    }
    workers = {
        pool: Worker(pool, flows, workbench, limit=limit, clock=clock, chance=chance, metrics=metrics)
        for pool, limit in _LIMITS.items()
    }

    async def check_database() -> None:
        backlog = await upkeep.read_backlog()
        async with store.transaction("check database") as tx:
            await tx.facts.set_fact("checked_at", clock.now().isoformat())
        if backlog.age > _OLDEST_BACKLOG:
            raise NotStored(f"the oldest job has been due for {int(backlog.age.total_seconds())} s")

    health = Health(
        {"database": check_database, "slack": slack.check_access, "telnyx": carrier.check_access},
        clock=clock,
        metrics=metrics,
    )

    async def refresh() -> None:
        backlog = await upkeep.read_backlog()
        metrics.backlog.clear()
        for (pool, status), jobs in backlog.jobs.items():
            metrics.backlog.labels(pool, status).set(jobs)
        metrics.backlog_age.set(backlog.age.total_seconds())
        metrics.paced.clear()
        for rule, waiting in {**slack_pace.report(), **carrier_pace.report()}.items():
            metrics.paced.labels(mask_numbers(rule)).set(waiting.count)

    operations = Operations(readiness=health.report, refresh=refresh, metrics=metrics)
    application = build_web(
        carrier=CarrierWebhook(
            verifier=CarrierVerifier(settings.telnyx_public_keys),
            inbox=inbox,
            region=policy.region,
            clock=clock,
            metrics=metrics,
        ),
        slack=SlackRequests(
            verifier=SlackVerifier(settings.slack_signing_secrets),
            inbox=inbox,
            store=store,
            bolt=_build_listeners(settings, session, bot_token, desk),
            clock=clock,
            metrics=metrics,
        ),
        media=MediaFiles(store=store, shelf=shelf, clock=clock, metrics=metrics),
        operations=operations,
        limits=limits,
        tells_operators=settings.ops_port is None,
    )
    return Bridge(
        web=application,
        operators_web=None if settings.ops_port is None else build_operators_web(operations, limits),
        workers=workers,
        store=store,
        workbench=workbench,
        inbox=inbox,
        health=health,
        metrics=metrics,
        supervisor=Supervisor(clock),
        clock=clock,
        upkeep=upkeep,
        shelf_upkeep=ShelfUpkeep(database, shelf, clock),
        reconcile=texts.reconcile,
    )


def _open_session() -> aiohttp.ClientSession:
    # aiohttp's own limit of 100 connections would be the pools'.
    return aiohttp.ClientSession(timeout=SLACK_TIMEOUT, connector=aiohttp.TCPConnector(limit=sum(_LIMITS.values())))


def _build_client(settings: Settings, session: aiohttp.ClientSession, token: str | None) -> AsyncWebClient:
    # No retry handlers: the SDK's own would post twice when a connection breaks after the request.
    url = settings.slack_api_url.rstrip("/") + "/"
    return AsyncWebClient(token=token, base_url=url, session=session, retry_handlers=[])


def _build_listeners(settings: Settings, session: aiohttp.ClientSession, bot_token: str, desk: Desk) -> AsyncApp:
    bolt = build_bolt(
        _build_client(settings, session, None),
        signing_secret=settings.slack_signing_secrets[0],
        bot_token=bot_token,
    )
    forms = Forms(desk)
    register_commands(bolt, desk, open_text_form=forms.open_text_form, open_schedule_form=forms.open_schedule_form)
    forms.register(bolt)
    register_buttons(bolt, desk)
    register_shortcuts(bolt, desk)
    register_rest(bolt)
    return bolt


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
