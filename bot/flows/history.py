"""`/sms history`: all that was said with somebody, shown to one teammate, a page at a time, as long as texts are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.actions import Action
from bot.domain.conversation import POOL, Parties
from bot.domain.ids import MessageId, UserId
from bot.domain.media import Media, MediaState
from bot.domain.message import Direction, Mark, State, choose_mark
from bot.domain.phone import Address
from bot.domain.places import read_zone
from bot.domain.policy import Policy
from bot.domain.schedule import ScheduleState
from bot.domain.when import format_when
from bot.errors import NotAllowed
from bot.flows import wording
from bot.flows.contacts import name_people
from bot.flows.permissions import check_member
from bot.flows.wording import Words
from bot.ports import Block, Directory, Store
from bot.ports.record import RecordedText
from bot.text.escape import MAX_BLOCK_TEXT, MAX_BLOCKS, escape_sms, text_blocks

#: A page ends with the text that goes beyond either: texts, and characters of them.
_PAGE_TEXTS = 10
_PAGE_CHARACTERS = 8_000
#: Of a text longer than this the beginning is shown; a page is one message of Slack's, and that has an end.
_LONGEST_SHOWN = 10_000
#: Room for the heading, the buttons, and what stands above and below the last text.
_PAGE_BLOCKS = MAX_BLOCKS - 6 - _LONGEST_SHOWN // MAX_BLOCK_TEXT

_HOW = {
    Mark.WAITING: "⏳ waiting",
    Mark.DELIVERED: "✅ delivered",
    Mark.UNCONFIRMED: "❔ gone out, not confirmed",
    Mark.FAILED: "❌ not delivered",
    Mark.UNSETTLED: "⚠️ not known whether it went out",
    Mark.NOTE: "📝 note, not sent",
    Mark.BLOCKED: "⛔ not sent",
}


class History:
    """What was said, for who may text."""

    def __init__(self, *, store: Store, directory: Directory, policy: Policy, clock: Clock) -> None:
        self._store = store
        self._directory = directory
        self._policy = policy
        self._clock = clock

    async def show_newest(self, address: Address, actor: UserId) -> Words:
        """Return the newest page of what was said with *address*, by the clock of *actor*. Raises NotAllowed."""
        return await self._show(address, actor, "older", None)

    async def show_page(self, value: str, actor: UserId) -> Words:
        """Return the page that a button's *value* names: number, direction, message id. Raises NotAllowed."""
        address, _, rest = value.partition(" ")
        direction, _, than = rest.partition(" ")
        if direction not in ("older", "newer") or not than:
            raise NotAllowed("This page is no longer known here. Type `/sms history <number>` again.")
        return await self._show(Address(address), actor, direction, MessageId(than))

    async def _show(self, address: Address, actor: UserId, direction: str, than: MessageId | None) -> Words:
        person = await self._directory.get_person(actor)
        check_member(person, what="see what was said with customers")
        async with self._store.reading() as view:
            total = await view.record.count_texts(address)
            person_texted = await name_people(view, [address], self._policy.region)
            if direction == "newer" and than is not None:
                found = await view.record.list_newer(address, than=than, limit=_PAGE_TEXTS + 1)
            else:
                found = await view.record.list_older(address, than=than, limit=_PAGE_TEXTS + 1)
        name = f"*{escape_sms(person_texted)}*"
        if not total:
            return wording.line(f"Nothing was said with {name} `{escape_sms(address)}` yet.")
        page = _fill_page(found)
        more = len(found) > len(page)
        if direction == "older":
            page = list(reversed(page))
        workspace_url = (await self._directory.get_ourselves()).workspace_url
        zone = read_zone(person.zone)
        count = "1 text" if total == 1 else f"{total:,} texts"
        heading = f"🗂️ {name} `{escape_sms(address)}`: {count}, by the clock of {zone.key}. Only you see this."
        blocks = list(wording.line(heading)[1])
        lines = [f"History of {escape_sms(person_texted)}: {count}"]
        for text in page:
            heading = self._describe(text, zone, workspace_url)
            lines.append(f"{heading}\n{escape_sms(text.message.text[:_LONGEST_SHOWN])}")
            blocks += [wording.context(heading), *_show_words(text), *_show_files(text, workspace_url)]
        older = more if direction == "older" else bool(page)
        newer = than is not None if direction == "older" else more
        buttons = _make_buttons(address, page, older=older, newer=newer)
        if buttons:
            blocks.append({"type": "actions", "elements": buttons})
        return "\n".join(lines), blocks

    def _describe(self, text: RecordedText, zone: ZoneInfo, workspace_url: str) -> str:
        message, parties = text.message, text.conversation.parties
        moment = _format_moment(message.created_at, zone)
        if message.channel_id is not None and message.slack_ts is not None:
            moment = f"<{wording.permalink(workspace_url, message.channel_id, message.slack_ts)}|{moment}>"
        if message.direction is Direction.INBOUND:
            who = f"*{escape_sms(wording.name_address(message.sender or parties.theirs[0], self._policy.region))}*"
        else:
            who = f"*{f'<@{message.author}>' if message.author else 'Textbridge'}*"
        return " · ".join(part for part in (who, moment, self._tell_fate(text, zone), self._name_side(parties)) if part)

    def _name_side(self, parties: Parties) -> str:
        """Return which conversation it was, where that is not plain: one of several numbers of ours, or a group."""
        parts = []
        if len(self._policy.our_numbers) > 1 or parties.ours not in self._policy.our_numbers:
            ours = (
                "the number pool" if parties.ours == POOL else wording.name_address(parties.ours, self._policy.region)
            )
            parts.append(f"with our {escape_sms(ours)}")
        if parties.is_group:
            parts.append(f"in the group {escape_sms(wording.name_parties(parties, self._policy.region))}")
        return ", ".join(parts)

    def _tell_fate(self, text: RecordedText, zone: ZoneInfo) -> str:
        message, schedule = text.message, text.schedule
        if message.direction is Direction.INBOUND:
            return ""
        if message.state is State.CANCELLED:
            return "↩️ taken back, not sent"
        if schedule is not None and schedule.state in (ScheduleState.WAITING, ScheduleState.AT_CARRIER):
            return f"🕘 scheduled for {escape_sms(format_when(schedule.due_at, zone))}"
        mark = choose_mark(message, list(text.deliveries.values()), self._clock.now())
        if mark is None:
            return "on its way"
        codes = sorted({each.code for each in text.deliveries.values() if each.code})
        return f"{_HOW[mark]} ({escape_sms(', '.join(codes))})" if mark is Mark.FAILED and codes else _HOW[mark]


def _fill_page(found: Sequence[RecordedText]) -> list[RecordedText]:
    """Return as many of the first as one message of Slack's can show; one at least, if there is one."""
    page: list[RecordedText] = []
    characters = blocks = 0
    for text in found[:_PAGE_TEXTS]:
        size = min(len(text.message.text), _LONGEST_SHOWN)
        needed = 3 + -(-size // MAX_BLOCK_TEXT)
        if page and (characters + size > _PAGE_CHARACTERS or blocks + needed > _PAGE_BLOCKS):
            break
        page.append(text)
        characters, blocks = characters + size, blocks + needed
    return page


def _show_words(text: RecordedText) -> list[Block]:
    words = text.message.text
    if text.message.erased_at is not None:
        return [wording.context("_erased_")]
    if not words.strip():
        return [] if text.media else [wording.context("_no text_")]
    shown: list[Block] = list(text_blocks(words[:_LONGEST_SHOWN]))
    if len(words) > _LONGEST_SHOWN:
        shown.append(wording.context(f"_… and {len(words) - _LONGEST_SHOWN:,} more characters_"))
    return shown


def _show_files(text: RecordedText, workspace_url: str) -> list[Block]:
    if not text.media or text.message.erased_at is not None:
        return []
    return [wording.context("📎 " + ", ".join(_name_file(file, workspace_url) for file in text.media))]


def _name_file(file: Media, workspace_url: str) -> str:
    name = escape_sms(wording.shorten(file.filename or file.name or "a picture or file", 60).replace("|", "/"))
    if file.state is MediaState.LOST:
        return f"{name} (could not be had)"
    if file.channel_id is not None and file.slack_ts is not None:
        return f"<{wording.permalink(workspace_url, file.channel_id, file.slack_ts)}|{name}>"
    return name


def _make_buttons(address: Address, page: Sequence[RecordedText], *, older: bool, newer: bool) -> list[Block]:
    buttons: list[Block] = []
    if not page:
        return buttons
    # Two buttons of one block must not share an action id.
    for wanted, label, direction, at in ((older, "Older", "older", page[0]), (newer, "Newer", "newer", page[-1])):
        if wanted:
            button = dict(wording.button(label, Action.HISTORY_PAGE, f"{address} {direction} {at.message.id}"))
            button["action_id"] = f"{Action.HISTORY_PAGE}:{direction}"
            buttons.append(button)
    return buttons


def _format_moment(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y}, {local.hour % 12 or 12}:{local:%M %p}"
