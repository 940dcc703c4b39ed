"""`/optouts`: the carrier's list and our own as one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from bot.clock import Clock
from bot.domain.actions import Action
from bot.domain.commands import OPTOUTS_LIST
from bot.domain.consent import (
    Consent,
    CustomerStopped,
    Evidence,
    EvidenceSource,
    HandAdded,
    HandRemoved,
)
from bot.domain.ids import MessageId, UserId
from bot.domain.phone import Address
from bot.domain.policy import Policy
from bot.errors import CarrierRefused, RetryLater
from bot.flows import optout_wording, wording
from bot.flows.consenting import record_consent
from bot.flows.jobs import enqueue_line
from bot.flows.optout_notices import tell_optout
from bot.flows.permissions import check_lifting, check_member
from bot.flows.wording import Words
from bot.observe import Log
from bot.ports import Block, Carrier, CarrierOptout, ConsentEntry, ConsentStep, Directory, Store, Transaction
from bot.text.escape import escape_sms

_log = Log("optouts")

_PAGE = 15
#: Slack wants its answer within three seconds; our own list is at hand when the carrier's is slow.
_CARRIER_PATIENCE = timedelta(seconds=1, milliseconds=800)
_BATCH = 200
#: Pieces of evidence shown in one answer.
_MOST_EVIDENCE = 20
_SEE = "see who has opted out"
#: What of a customer's words could format, mention or link; a full stop within a word makes an address of it.
_MEANINGFUL = re.compile(r"[^\w\s.,;!?¿¡'\"()\u2018\u2019\u201c\u201d\u2026]|_|\.(?=\w)")
_ADD = "opt somebody out"

_HOW = {
    EvidenceSource.KEYWORD: "they texted",
    EvidenceSource.CARRIER_WORD: "they texted, and the carrier acted on it:",
    EvidenceSource.CARRIER_REFUSAL: "the carrier refused a text to them",
    EvidenceSource.CARRIER_LIST: "on the carrier's list",
    EvidenceSource.COMMAND: "set by hand",
    EvidenceSource.CARD: "set with the button under their text",
}


class Optouts:
    """Who may not be texted, shown and changed."""

    def __init__(self, *, store: Store, carrier: Carrier, directory: Directory, policy: Policy, clock: Clock) -> None:
        self._store = store
        self._carrier = carrier
        self._directory = directory
        self._policy = policy
        self._clock = clock

    async def synchronise(self) -> int:
        """Take the carrier's list in and return how many were new. Raises as the carrier does."""
        listed = await self._carrier.list_optouts()
        new = 0
        for start in range(0, len(listed), _BATCH):
            async with self._store.transaction("synchronise opt-outs") as tx:
                for optout in listed[start : start + _BATCH]:
                    consent = await tx.consents.get(optout.address)
                    if consent.stopped_by_customer is not None:
                        continue
                    evidence = self._read_evidence(optout)
                    history = await tx.consents.history(optout.address)
                    if any(e.step is ConsentStep.STARTED and e.evidence.at >= evidence.at for e in history):
                        continue  # they have said START since; the carrier's list has not caught up
                    await record_consent(
                        tx,
                        optout.address,
                        CustomerStopped(evidence=evidence),
                        evidence,
                        key=f"list:{optout.address}:{evidence.at.isoformat()}",
                        now=self._clock.now(),
                    )
                    if not consent.blocked:
                        await tell_optout(
                            tx,
                            optout.address,
                            self._policy,
                            key=f"list:{evidence.at.isoformat()}",
                            words="",
                            besides=None,
                        )
                    new += 1
        return new

    def _read_evidence(self, optout: CarrierOptout) -> Evidence:
        return Evidence(
            source=EvidenceSource.CARRIER_LIST, at=optout.created_at or self._clock.now(), words=optout.keyword
        )

    async def _try_synchronise(self) -> str | None:
        """Take the carrier's list in, if it comes in time; else return a sentence that says that it did not."""
        try:
            async with asyncio.timeout(_CARRIER_PATIENCE.total_seconds()):
                await self.synchronise()
        except (TimeoutError, RetryLater, CarrierRefused) as error:
            _log.warning("The carrier's list of opt-outs could not be read.", trouble=type(error).__name__)
            return "The carrier's own list could not be read just now; this is what we know."
        return None

    async def list_optouts(self, page: int, actor: UserId, *, fresh: bool = True) -> Words:
        """Return one page, newest first, with buttons to the next. *page* counts from 0. Raises NotAllowed."""
        check_member(await self._directory.get_person(actor), what=_SEE)
        problem = await self._try_synchronise() if fresh else None
        async with self._store.reading() as view:
            total, rows = await view.consents.list_blocked(offset=page * _PAGE, limit=_PAGE)
            if total and not rows:  # the list has grown shorter since it was shown
                page = (total - 1) // _PAGE
                total, rows = await view.consents.list_blocked(offset=page * _PAGE, limit=_PAGE)
        if not total:
            sentence = "Nobody has opted out."
            return wording.line(f"{sentence} {problem}" if problem else sentence)
        pages = -(-total // _PAGE)
        heading = f"*{total} opted out*" + (f", page {page + 1} of {pages}" if pages > 1 else "")
        lines = [heading, *(f"• {self._describe(consent)}" for consent in rows)]
        if problem:
            lines.append(f"_{problem}_")
        buttons: list[Block] = []
        if page > 0:
            buttons.append(wording.button("Newer", Action.OPTOUTS_PAGE, str(page - 1)))
        if page + 1 < pages:
            # Two buttons of one block must not share an action id.
            older = dict(wording.button("Older", Action.OPTOUTS_PAGE, str(page + 1)))
            older["action_id"] = f"{Action.OPTOUTS_PAGE}:older"
            buttons.append(older)
        return wording.line("\n".join(lines), buttons)

    def _describe(self, consent: Consent) -> str:
        name = f"*{wording.name_address(consent.address, self._policy.region)}* `{consent.address}`"
        parts = [
            _describe_evidence(evidence)
            for evidence in (consent.stopped_by_customer, consent.stopped_by_hand)
            if evidence is not None
        ]
        return f"{name} {'; '.join(parts)}"

    async def show_optout(self, address: Address, actor: UserId) -> Words:
        """Return one person's state, and all the evidence there is. Raises NotAllowed."""
        check_member(await self._directory.get_person(actor), what=_SEE)
        problem = await self._try_synchronise()
        async with self._store.reading() as view:
            consent = await view.consents.get(address)
            history = await view.consents.history(address)
            links = await self._find_links(view, history[:_MOST_EVIDENCE])
        name = f"*{wording.name_address(address, self._policy.region)}* `{address}`"
        lines = [
            f"🚫 {name} has *opted out*: nothing is sent to them." if consent.blocked else f"✅ {name} can be texted."
        ]
        if consent.stopped_by_customer is not None:
            lines.append("They opted out themselves: only they can undo it, by texting START.")
        elif consent.stopped_by_hand is not None:
            lines.append(
                f"A teammate opted them out. That teammate, or an administrator, lifts it with `/optouts remove {address}`."
            )
        for entry, link in zip(history, links, strict=False):
            step = {
                ConsentStep.STOPPED: "🚫",
                ConsentStep.ADDED: "🚫",
                ConsentStep.STARTED: "✅ opted in:",
                ConsentStep.REMOVED: "✅ lifted:",
            }[entry.step]
            lines.append(f"• {step} {_describe_evidence(entry.evidence)}{link}")
        if len(history) > _MOST_EVIDENCE:
            lines.append(f"_… and {len(history) - _MOST_EVIDENCE} older; `python -m bot export` has them all._")
        if problem:
            lines.append(f"_{problem}_")
        return wording.line("\n".join(lines))

    async def _find_links(self, view: Transaction, entries: Sequence[ConsentEntry]) -> Sequence[str]:
        """Return for each of *entries* a link to the text in Slack that it rests on, or nothing."""
        workspace_url = (await self._directory.get_ourselves()).workspace_url
        links = []
        for entry in entries:
            message = None
            if entry.evidence.message_id is not None:
                with suppress(KeyError):  # the evidence outlives the text
                    message = await view.messages.get(entry.evidence.message_id)
            if message is None or message.channel_id is None or message.slack_ts is None:
                links.append("")
            else:
                links.append(
                    f" (<{wording.permalink(workspace_url, message.channel_id, message.slack_ts)}|see the text>)"
                )
        return links

    async def add_optout(self, address: Address, reason: str, actor: UserId, *, once: str) -> str:
        """Opt somebody out by hand and return the answer. Raises NotAllowed. Transaction: the evidence, the threads told."""
        check_member(await self._directory.get_person(actor), what=_ADD)
        name = wording.name_address(address, self._policy.region)
        async with self._store.transaction("add opt-out") as tx:
            if await tx.queue.note_once(f"asked:{once}"):
                evidence = Evidence(
                    source=EvidenceSource.COMMAND, at=self._clock.now(), actor=actor, reason=reason or None
                )
                before = await tx.consents.get(address)
                await record_consent(
                    tx, address, HandAdded(evidence=evidence), evidence, key=f"added:{once}", now=evidence.at
                )
                if not before.blocked:
                    await tell_optout(tx, address, self._policy, key=f"hand:{once}", words="", besides=None, by=actor)
            consent = await tx.consents.get(address)
        lifting = f"`/optouts remove {address}` lifts it."
        if consent.stopped_by_customer is not None:
            lifting = "They had opted out themselves too, which only they can undo, by texting START."
        return f"🚫 {name} is opted out: nothing is sent to them. {lifting}"

    async def remove_optout(self, address: Address, actor: UserId, *, once: str) -> str:
        """Lift what a person set by hand and return the answer. Raises NotAllowed. Transaction: the evidence."""
        person = await self._directory.get_person(actor)
        name = wording.name_address(address, self._policy.region)
        async with self._store.transaction("remove opt-out") as tx:
            consent = await tx.consents.get(address)
            check_lifting(person, self._policy, consent.stopped_by_hand.actor if consent.stopped_by_hand else actor)
            if consent.stopped_by_hand is not None and await tx.queue.note_once(f"asked:{once}"):
                evidence = Evidence(source=EvidenceSource.COMMAND, at=self._clock.now(), actor=actor)
                consent = await record_consent(
                    tx, address, HandRemoved(), evidence, key=f"removed:{once}", now=evidence.at
                )
                if not consent.blocked:
                    text, blocks = optout_wording.lifted(address, self._policy.region, actor)
                    for conversation in await tx.conversations.find_with(address):
                        if conversation.thread_ts is not None:
                            await enqueue_line(tx, conversation.id, f"lifted:{once}:{conversation.id}", text, blocks)
            elif consent.stopped_by_hand is None and not consent.blocked:
                return f"{name} has not opted out. `{OPTOUTS_LIST.usage}` shows who has."
        if consent.blocked:
            return (
                f"🚫 {name} opted out themselves, so they are still not texted. Only they can undo that, by texting START "
                "to the number that they opted out from."
            )
        return f"✅ {name} can be texted again."

    async def opt_out_by_card(self, message_id: MessageId, actor: UserId) -> str:
        """Opt the writer of an inbound text out, at a teammate's click, and return the answer. Raises NotAllowed."""
        check_member(await self._directory.get_person(actor), what=_ADD)
        async with self._store.transaction("opt out by card") as tx:
            message = await tx.messages.get(message_id)
            address = Address(message.sender or "")
            name = wording.name_address(address, self._policy.region)
            if not address or (await tx.consents.get(address)).blocked:
                return f"{name} is opted out already."
            evidence = Evidence(
                source=EvidenceSource.CARD,
                at=self._clock.now(),
                actor=actor,
                message_id=message_id,
                words=wording.shorten(message.text, 200),
            )
            await record_consent(
                tx,
                address,
                HandAdded(evidence=evidence),
                evidence,
                key=f"card:{message_id}:{evidence.at.isoformat()}",
                now=evidence.at,
            )
            await tell_optout(
                tx,
                address,
                self._policy,
                key=f"card:{message_id}",
                words=message.text,
                besides=message.conversation_id,
                by=actor,
            )
        return f"🚫 {name} is opted out: nothing more is sent to them."


def _describe_evidence(evidence: Evidence) -> str:
    parts = [f"{evidence.at:%d %b %Y %H:%M} UTC", _HOW[evidence.source]]
    if evidence.words:
        letters = _MEANINGFUL.sub(" ", evidence.words)
        parts.append(f"“{wording.shorten(letters, 60)}”")
    if evidence.actor:
        parts.append(f"by <@{evidence.actor}>")
    if evidence.reason:
        parts.append(f"({escape_sms(wording.shorten(evidence.reason, 120))})")
    return " ".join(parts)
