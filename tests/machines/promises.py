"""
What the bridge promises, judged after each step of its machine, and once more when all has come to rest.

It is judged by what the platforms have seen alone; the program's own tables are asked only whether anything is left to do.
"""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from hypothesis.stateful import invariant

from bot.domain.delivery import DeliveryStatus
from bot.domain.message import Mark
from bot.domain.phone import Address
from tests.doubles.carrier import Attempt, CarriedText
from tests.doubles.slack import BOT, SlackMessage
from tests.machines.expectations import (
    MARKS,
    PEOPLE,
    Inbound,
    Outbound,
    check_order,
    has_newest_words,
    has_said_stop,
    is_card_of,
    is_stray,
)
from tests.machines.lived import LivedMachine


class JudgingMachine(LivedMachine):
    """One bridge between its platforms, and what must hold of it; whoever inherits says what happens."""

    #: Of all sequences that were tried: how many messages of several texts there were, and how many were found again.
    joined: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.inbound: list[Inbound] = []
        self.outbound: list[Outbound] = []
        self.blocked_by_hand: dict[Address, int] = {}
        self.attempts_seen = 0

    def list_roots(self, who: Address) -> list[SlackMessage]:
        """Return the cards of somebody's threads, deleted ones as well, but none that the program took back."""
        return [m for m in self.world.slack.messages if m.user == BOT and m.deleted_by != BOT and is_card_of(m, who)]

    # ----------------------------------------------------------------------------------------------------- invariants

    @invariant()
    def nothing_is_done_twice(self) -> None:
        carried = Counter(each.text.partition(" ")[0] for each in self.world.carrier.texts if not each.cancelled)
        assert not [token for token, times in carried.items() if times > 1]
        shown = Counter(self.world.slack.words())
        assert not [text for text, times in shown.items() if times > self.count_meant(text)]

    def count_meant(self, text: str) -> int:
        return sum(each.text == text for each in self.inbound) or 1

    @invariant()
    def nobody_who_said_stop_is_texted(self) -> None:
        for attempt in self.world.carrier.attempts[self.attempts_seen :]:
            for address in attempt.to:
                assert not self.is_blocked(address, attempt.prepared) or self.is_held(attempt), f"{attempt} after STOP"
        self.attempts_seen = len(self.world.carrier.attempts)

    def is_held(self, attempt: Attempt) -> bool:
        """
        Tell whether the carrier may have the text already, to be sent later: then it is asked so as to take it back.

        It was asked before; or the program died after it had stored that it would ask, and cannot know that it did not.
        """
        first = next(each for each in self.world.carrier.attempts if each.key == attempt.key)
        return attempt.held and (first != attempt or self.world.lives > 1)

    def is_blocked(self, who: Address, moment: int) -> bool:
        """Tell whether *who* was certainly blocked at *moment*, a place in the order of events."""
        if self.blocked_by_hand.get(who, moment) < moment:
            return True
        return has_said_stop(self.inbound, who, moment)

    def may_be_blocked(self, who: Address) -> bool:
        """Tell whether *who* ever said STOP, or was opted out."""
        return who in self.blocked_by_hand or any(e.sender == who and e.text == "STOP" for e in self.inbound)

    @invariant()
    def texts_stand_in_their_own_thread_in_their_order(self) -> None:
        roots = {m.ts: m for m in self.world.slack.messages if m.user == BOT and m.thread_ts is None}
        place = {text: n for n, text in enumerate(self.world.slack.words())}
        for message in self.world.slack.posted(lambda m: not is_stray(m)):
            for text in message.texts:
                sender = next((each.sender for each in self.inbound if each.text == text and text[0] == "t"), None)
                assert sender is None or is_card_of(roots[message.thread_ts or message.ts], sender)
        for who in PEOPLE:
            said = [e for e in self.inbound if e.sender == who and e.text in place and e.text[0] == "t"]
            check_order((each.request, place[each.text]) for each in said)

    @invariant()
    def replies_arrive_in_their_order(self) -> None:
        place = {text.text.partition(" ")[0]: n for n, text in enumerate(self.world.carrier.texts)}
        threads: dict[str, list[Outbound]] = {}
        for each in self.outbound:
            if each.message is not None and each.token in place and not self.is_told_unsettled(each):
                threads.setdefault(str(each.message.thread_ts), []).append(each)
        for replies in threads.values():
            check_order((each.request, place[each.token]) for each in replies if each.request)

    def is_told_unsettled(self, wanted: Outbound) -> bool:
        return any(wanted.token in line for line in self.world.slack.lines("It is not known whether"))

    # -------------------------------------------------------------------------------------------------------- the end

    async def heal(self) -> None:
        """Mend everything, let all receipts come, and let the world come to rest."""
        self.world.border.mend()
        await self.life.settle()
        for text in self.world.carrier.texts:
            if text.sent_at is not None:
                self.world.report(text)
                self.world.report(text, DeliveryStatus.SENT)  # late
        await self.life.settle()
        self.left = await self.life.do(
            lambda bench: bench.read("SELECT status, kind, key, trouble FROM jobs WHERE status != 'done'")
        )

    def check_end(self) -> None:
        self.nothing_is_done_twice()
        self.nobody_who_said_stop_is_texted()
        self.texts_stand_in_their_own_thread_in_their_order()
        self.replies_arrive_in_their_order()
        assert self.left == []
        assert list(self.world.slack.posted(is_stray)) == []
        self.check_inbound()
        self.joined["shown together"] += sum(len(message.texts) > 1 for message in self.world.slack.posted())
        self.joined["found together"] += self.world.slack.found_together
        for wanted in self.outbound:
            self.check_outbound(wanted)
        for who in PEOPLE:
            assert len([root for root in self.list_roots(who) if not root.deleted_by]) <= 1

    def check_inbound(self) -> None:
        shown = Counter(self.world.slack.words())
        for each in self.inbound:
            if each.quotes is None:
                assert shown[each.text] == self.count_meant(each.text), f"{each.text} is not shown as often as it came"
            elif not shown[each.text]:
                quoted = [m for m in self.world.slack.messages if each.quotes in m.texts]
                assert any("+1" in m.our_marks or m.deleted_by for m in quoted), f"{each.text} has left no trace"

    def check_outbound(self, wanted: Outbound) -> None:
        carried = [text for text in self.world.carrier.texts if text.text in wanted.versions]
        gone = [text for text in carried if text.sent_at is not None]
        assert all(text.to == (wanted.to,) for text in carried)
        if wanted.is_note or wanted.refused:
            assert not carried
        if wanted.promised_unsent or wanted.is_deleted_first:
            assert not gone
        if not (gone or wanted.is_note or wanted.refused or wanted.taken_back):
            assert self.may_be_blocked(wanted.to), f"{wanted.token} never went out"
        if wanted.message is None:
            shown = sum(words in wanted.versions for words in self.world.slack.words())
            assert shown == 1 if gone else shown <= 1
            posts = list(self.world.slack.posted(lambda m: m.words in wanted.versions))
        else:
            posts = [wanted.message]
            assert not gone or wanted.taken_back or has_newest_words(wanted, gone[-1].text, self.world.slack.whispers)
        for message in posts:
            if message.deleted_by is None:
                self.check_mark(wanted, message, gone)

    def check_mark(self, wanted: Outbound, message: SlackMessage, gone: list[CarriedText]) -> None:
        marks = message.our_marks - {"+1"}  # tapbacks
        if gone:
            assert marks == {MARKS[gone[0].fate].value}
        elif wanted.is_note:
            assert marks == {Mark.NOTE.value}
        elif wanted.refused and not self.may_be_blocked(wanted.to):
            assert marks == {Mark.FAILED.value}
        elif not wanted.taken_back:
            told = {Mark.BLOCKED.value, Mark.FAILED.value}
            told |= {Mark.UNSETTLED.value} if self.may_seem_gone(wanted) else set()
            assert marks <= told, f"{wanted.token} shows {marks}"
            assert len(marks) == 1, f"{wanted.token} shows {marks}"

    def may_seem_gone(self, wanted: Outbound) -> bool:
        """
        Tell whether the program may not know that a text never reached the carrier, as who opts out leaves it for good.

        It made the request, or died after it had stored that it would.
        """
        return self.world.lives > 1 or any(each.text in wanted.versions for each in self.world.carrier.attempts)
