"""The Home tab: what waits for an answer, what is scheduled, how to begin; for administrators the account."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.actions import Action
from bot.domain.commands import OPTOUTS_LIST, SCHEDULE_SEND, SMS_SEND
from bot.domain.ids import UserId
from bot.domain.job import Job
from bot.domain.places import read_zone
from bot.domain.policy import Policy
from bot.domain.when import format_when
from bot.errors import NotAllowed, SlackRefused
from bot.flows import account_home, schedule_wording, wording
from bot.flows.account import Account
from bot.flows.channel_settings import MEANINGS, ChannelSettings
from bot.flows.jobs import enqueue_look, read_body
from bot.flows.permissions import check_member, may_administer
from bot.flows.schedule_list import collect_rows
from bot.observe import Log
from bot.ports import Block, Directory, HomeTab, Person, Store
from bot.text.escape import escape_sms

_log = Log("home")

_MOST_SHOWN = 15
#: What was said longer ago no longer waits for an answer.
_STILL_WAITS = timedelta(days=14)


class Home:
    """Publishes the Home tab of whoever opens it."""

    def __init__(
        self,
        *,
        store: Store,
        directory: Directory,
        home_tab: HomeTab,
        channel_settings: ChannelSettings,
        account: Account,
        policy: Policy,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._store = store
        self._account = account
        self._directory = directory
        self._home_tab = home_tab
        self._channel_settings = channel_settings
        self._policy = policy
        self._clock = clock
        self._chance = chance

    async def show_home(self, user_id: UserId, *, fresh: bool = False) -> None:
        """
        Bring the Home tab of *user_id* up to date.

        Administrators see the carrier account below what is their own; *fresh*: with a new look at it. Transaction: the
        job that asks the carrier, which may take its time.
        """
        person = await self._directory.get_person(user_id)
        mine = await self._show_mine(person)
        if not may_administer(person, self._policy):
            await self._home_tab.publish_home(user_id, mine)
            return
        await self._home_tab.publish_home(user_id, [*mine, {"type": "divider"}, *account_home.show_looking()])
        async with self._store.transaction("look at account") as tx:
            await enqueue_look(tx, user_id, self._chance.token(), fresh=fresh)

    async def show_account(self, job: Job) -> None:
        """Show an administrator's Home tab with the account in it. Somebody who no longer is one sees it no more."""
        body = read_body(job)
        user_id = UserId(body["user"])
        person = await self._directory.get_person(user_id)
        if may_administer(person, self._policy):
            view = await self._account.look(fresh=bool(body["fresh"]))
            section = account_home.show_account(view, self._policy, self._account.webhook_url)
            blocks = [*await self._show_mine(person), {"type": "divider"}, *section]
            try:
                await self._home_tab.publish_home(user_id, blocks)
            except SlackRefused as error:
                _log.info("A Home tab could not be shown.", word=error.error)
        async with self._store.transaction("account shown") as tx:
            await tx.queue.finish(job)

    async def _show_mine(self, person: Person) -> list[Block]:
        try:
            check_member(person, what="see here who waits for an answer, and what is scheduled")
        except NotAllowed as error:
            return [wording.section(error.person)]
        workspace_url = (await self._directory.get_ourselves()).workspace_url
        return [
            *await self._show_unanswered(workspace_url, read_zone(person.zone)),
            {"type": "divider"},
            *await self._show_scheduled(person.id, person.zone),
            {"type": "divider"},
            *await self._show_channels(person),
            {"type": "divider"},
            *_show_beginning(),
        ]

    async def _show_unanswered(self, workspace_url: str, zone: ZoneInfo) -> list[Block]:
        now = self._clock.now()
        async with self._store.reading() as view:
            waiting = await view.conversations.list_unanswered(since=now - _STILL_WAITS, limit=_MOST_SHOWN + 1)
        blocks = [wording.header("Waiting for an answer")]
        if not waiting:
            blocks.append(wording.section("Nobody waits. 🎉"))
        for conversation in waiting[:_MOST_SHOWN]:
            name = escape_sms(wording.name_parties(conversation.parties, self._policy.region))
            since = "" if conversation.active_at is None else f" since {format_when(conversation.active_at, zone)}"
            where = f" in <#{conversation.channel_id}>"
            if conversation.thread_ts is not None:
                link = wording.permalink(workspace_url, conversation.channel_id, conversation.thread_ts)
                where = f" · <{link}|open the thread>"
            blocks.append(wording.section(f"*{name}*{since}{where}"))
        if len(waiting) > _MOST_SHOWN:
            blocks.append(wording.section("… and more."))
        return blocks

    async def _show_scheduled(self, user_id: UserId, zone_name: str | None) -> list[Block]:
        zone = read_zone(zone_name)
        async with self._store.reading() as view:
            mine = [row for row in await collect_rows(view, self._policy.region) if row.author == user_id]
        lines = [schedule_wording.describe_row(row, zone) for row in mine[:_MOST_SHOWN]]
        return [wording.header("Your scheduled texts"), wording.section("\n".join(lines) or "Nothing is scheduled.")]

    async def _show_channels(self, person: Person) -> list[Block]:
        blocks = [wording.header("Channels")]
        for each in await self._channel_settings.read_modes():
            meaning = MEANINGS[each.mode]
            block = dict(wording.section(f"<#{each.channel_id}>: {meaning}."))
            if may_administer(person, self._policy):
                block["accessory"] = wording.button("Change", Action.CHANNEL_SETTINGS, each.channel_id)
            blocks.append(block)
        return blocks


def _show_beginning() -> list[Block]:
    forms = "\n".join(
        f"• `{escape_sms(form.usage)}` {escape_sms(form.does)}" for form in (SMS_SEND, SCHEDULE_SEND, OPTOUTS_LIST)
    )
    return [
        wording.header("How it works"),
        wording.section(
            "A customer's text opens a thread in the channel. What you write in the thread is sent to them, unless it "
            "begins with `note:`, `//`, or a teammate's name.\n" + forms
        ),
    ]
