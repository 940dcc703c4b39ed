"""
The whole bridge under any sequence of what people, platforms and power cuts may do.

Customers text, teammates reply, edit and delete, receipts come in any order, platforms fail, the process dies and starts
again. After each step, and once more when all has been mended and has come to rest, the promises must hold: see
`tests.machines.promises`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test

from bot.domain.delivery import DeliveryStatus
from bot.domain.job import Pool
from bot.domain.message import Origin
from bot.domain.phone import Address
from bot.errors import CarrierRefused, NotAllowed, RetryLater
from tests.doubles.bench import ANA, BOB, Bench, make_policy
from tests.doubles.border import Fault, Trouble
from tests.doubles.slack import ANN, BEN, SlackMessage
from tests.machines.effort import choose_effort
from tests.machines.expectations import (
    MARKS,
    Haste,
    Inbound,
    Outbound,
    hastes,
    kinds_of_reply,
    people,
    places,
    pools,
    spans,
)
from tests.machines.promises import JudgingMachine

#: Linux keeps this folder in memory.
ZONE = ZoneInfo("America/Chicago")


class BridgeMachine(JudgingMachine):
    """What people, platforms and power cuts do to one bridge."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0

    # -------------------------------------------------------------------------------------------------------- people

    @initialize(hold=st.sampled_from((0, 0, 20)))
    def choose_rules_and_open_threads(self, hold: int) -> None:
        self.world.policy = replace(make_policy(), hold=timedelta(seconds=hold))
        for who in (ANA, BOB):
            self.customer_writes(who, self.name("t"))
        self.see_to_it(Haste.DONE)

    def name(self, kind: str) -> str:
        self.number += 1
        return f"{kind}{self.number}."

    def customer_writes(self, who: Address, text: str, quotes: str | None = None) -> None:
        request = self.world.text_in(who, text)
        self.inbound.append(Inbound(sender=who, text=text, request=request, quotes=quotes))

    def see_to_it(self, haste: Haste) -> None:
        """Have the platforms bring what has happened, and the program work on it, as far as *haste* says."""
        if haste is Haste.TORN:
            self.world.border.crash_before.add("commit queue")
        if haste is not Haste.LATER:
            self.run(self.life.deliver_all())
        if haste is Haste.DONE:
            self.work(tuple(Pool))

    @rule(who=people, likes=st.none() | st.none() | places, haste=hastes)
    def customer_texts(self, who: Address, likes: int | None, haste: Haste) -> None:
        said = [each.text for each in self.inbound if each.sender == who]
        if likes is None or not said:
            self.customer_writes(who, self.name("t"))
        else:
            quoted = said[likes % len(said)]
            self.customer_writes(who, f"Liked “{quoted}”", quoted)
        self.see_to_it(haste)

    @rule(
        who=people,
        words=st.lists(st.sampled_from(("", "", "", "STOP")), min_size=3, max_size=6),
        then=st.none() | st.just(Trouble.LOST_ANSWER) | st.integers(min_value=0, max_value=6),
        haste=hastes,
    )
    def texts_are_held_up(self, who: Address, words: list[str], then: Trouble | int | None, haste: Haste) -> None:
        """
        Slack cannot be reached, and for long nobody's turn comes, while a customer has much to say.

        *then*: what befalls the next post; a number: the process dies so many crossings after it.
        """

        async def die() -> None:
            if isinstance(then, int):
                self.world.border.crash_at = {len(self.world.border.crossings) + then}

        self.world.slack_pace.turn = timedelta(seconds=20)
        self.world.border.faults.append(Fault(operation="slack post", trouble=Trouble.UNREACHABLE))
        if isinstance(then, Trouble):
            self.world.border.faults.append(Fault(operation="slack post", trouble=then))
        elif then is not None:
            self.world.border.meanwhile.append(("slack post", die))
        for word in words:
            self.customer_writes(who, word or self.name("t"))
        self.see_to_it(haste)
        if haste is Haste.DONE:
            self.run(self.life.settle(spare=timedelta(seconds=5)))  # until it is tried again

    @rule(who=people, word=st.sampled_from(("STOP", "START", "by hand")), haste=hastes)
    def somebody_opts_out_or_in(self, who: Address, word: str, haste: Haste) -> None:
        if word == "by hand":
            self.opt_out_by_hand(who)
        else:
            self.customer_writes(who, word)
        self.see_to_it(haste)

    def opt_out_by_hand(self, who: Address) -> None:
        once = self.name("o")
        try:
            self.run(self.life.do(lambda bench: bench.optouts.add_optout(who, "asked", BEN, once=once)))
        except RetryLater:
            return
        self.blocked_by_hand.setdefault(who, next(self.world.border.sequence))

    @rule(who=people, place=places, kinds=st.lists(kinds_of_reply, min_size=1, max_size=3), haste=hastes)
    def teammate_replies(self, who: Address, place: int, kinds: list[str], haste: Haste) -> None:
        roots = self.list_roots(who)
        for kind in kinds if roots else ():
            self.reply(who, roots[place % len(roots)], kind, place)
        self.see_to_it(haste)

    def reply(self, who: Address, root: SlackMessage, kind: str, place: int) -> None:
        token = self.name("r")
        text = f"note: {token}" if kind == "note" else f"{token} v0"
        message, event = self.world.slack.say(ANN, root, text)
        self.prepare_fate(text, kind, place)
        versions = [text] if kind != "edited" else [text, f"{token} v1"]
        if kind == "edited":
            self.prepare_fate(versions[1], kind, place)
            self.world.tell(self.world.slack.edit(message, versions[1]))
        deletion = self.world.tell(self.world.slack.remove(ANN, message)) if kind == "deleted" else None
        self.outbound.append(
            Outbound(
                to=who,
                token=token,
                message=message,
                request=self.world.tell(event),
                is_note=kind == "note",
                refused=kind == "refused",
                taken_back=deletion is not None,
                deletion=deletion,
                versions=versions,
            )
        )

    @rule(who=people, place=places, kind=st.sampled_from(("reply", "edited", "deleted")), haste=hastes)
    def teammate_is_quicker_than_slack(self, who: Address, place: int, kind: str, haste: Haste) -> None:
        """Slack's answer to a new card is lost, and before we know of the card, somebody has replied to it."""
        self.delete_card(who)
        self.see_to_it(Haste.DONE)
        self.world.border.faults.insert(0, Fault(operation="slack post", trouble=Trouble.LOST_ANSWER))
        self.customer_writes(who, self.name("t"))
        self.see_to_it(Haste.DONE)
        if roots := self.list_roots(who):
            self.reply(who, roots[-1], kind, place)
        self.see_to_it(haste)

    def prepare_fate(self, text: str, kind: str, place: int) -> None:
        carrier = self.world.carrier
        carrier.fates[text] = list(MARKS)[place % len(MARKS)]
        if kind == "refused":
            carrier.refusals[text] = CarrierRefused(code="40302", title="Message too large", detail=None, status=400)
        elif kind == "unanswered":
            self.world.border.faults.insert(0, Fault(operation="carrier send", trouble=Trouble.LOST_ANSWER))

    @rule(who=people, place=places, what=st.sampled_from(("edit", "edit", "delete", "delete card")), haste=hastes)
    def teammate_changes_their_mind(self, who: Address, place: int, what: str, haste: Haste) -> None:
        written = [each for each in self.outbound if each.message is not None and not each.message.deleted_by][-3:]
        if what == "delete card":
            self.delete_card(who)
        elif written and what == "edit":
            self.edit(written[place % len(written)], place)
        elif written:
            self.delete(written[place % len(written)])
        self.see_to_it(haste)

    def edit(self, wanted: Outbound, place: int) -> None:
        if wanted.message is not None and not wanted.is_note and not wanted.refused:
            text = f"{wanted.token} v{len(wanted.versions)}"
            self.prepare_fate(text, "reply", place)
            wanted.versions.append(text)
            self.world.tell(self.world.slack.edit(wanted.message, text))

    def delete(self, wanted: Outbound) -> None:
        if wanted.message is not None:
            wanted.taken_back = True
            self.world.tell(self.world.slack.remove(ANN, wanted.message))

    def delete_card(self, who: Address) -> None:
        roots = [root for root in self.list_roots(who) if not root.deleted_by and root.ts in self.known_threads()]
        if roots:
            self.world.tell(self.world.slack.remove(BEN, roots[-1]))

    def known_threads(self) -> set[str]:
        return {ts for (ts,) in self.run(self.life.do(lambda bench: bench.read("SELECT thread_ts FROM threads")))}

    @rule(who=people, place=places, minutes=st.sampled_from((None, None, 0, 0, 3, 60)), change=st.booleans())
    def teammate_types_a_command(self, who: Address, place: int, minutes: int | None, change: bool) -> None:
        """Text now (in no minutes) or later, or change or cancel what is scheduled."""
        if minutes is None:
            self.meddle_with_schedule(place, change=change)
            return
        token = self.name("d" if minutes else "s")
        self.prepare_fate(token, "command", place)
        due_at = self.world.clock.now() + timedelta(minutes=minutes)

        async def ask(bench: Bench) -> None:
            if minutes:
                await bench.schedules.schedule_text(
                    once=token, author=ANN, to=(who,), sender=None, text=token, due_at=due_at, zone=ZONE
                )
            else:
                await bench.texting.text_now(
                    once=token, author=ANN, to=(who,), sender=None, text=token, origin=Origin.COMMAND
                )

        self.ask_for(ask, Outbound(to=who, token=token, versions=[token]))

    def ask_for(self, ask: Any, wanted: Outbound) -> None:
        try:
            self.run(self.life.do(ask))
        except NotAllowed:
            assert self.may_be_blocked(wanted.to)
        except RetryLater:
            return  # Slack did not say who asks: they are told to try again
        else:
            self.outbound.append(wanted)

    def meddle_with_schedule(self, place: int, *, change: bool) -> None:
        sql = "SELECT s.id, m.text FROM schedules s JOIN messages m ON m.number = s.message ORDER BY s.rowid"
        rows = self.run(self.life.do(lambda bench: bench.read(sql)))
        if not rows:
            return
        schedule_id, text = rows[place % len(rows)]
        wanted = next(each for each in self.outbound if each.token == text.partition(" ")[0])
        new, due_at = f"{wanted.token} v{len(wanted.versions)}", self.world.clock.now() + timedelta(minutes=2 + place)

        async def ask(bench: Bench) -> str:
            if not change:
                return await bench.schedules.cancel_schedule(schedule_id, ANN)
            await bench.schedules.edit_schedule(schedule_id, ANN, once=new, text=new, due_at=due_at, zone=ZONE)
            return ""

        try:
            answer = self.run(self.life.do(ask))
        except (NotAllowed, RetryLater):
            return
        if change:
            wanted.versions.append(new)
        else:
            wanted.taken_back = True
            wanted.promised_unsent |= "Nothing is sent" in answer

    # ------------------------------------------------------------------------------------------------------ platforms

    @precondition(lambda self: self.world.carrier.texts)
    @rule(place=places, final=st.booleans())
    def carrier_reports(self, place: int, final: bool) -> None:
        text = self.world.carrier.texts[place % len(self.world.carrier.texts)]
        if text.sent_at is not None:
            self.world.report(text, None if final else DeliveryStatus.SENT)

    @precondition(lambda self: self.world.requests)
    @rule(place=places, new_id=st.booleans())
    def platform_repeats(self, place: int, new_id: bool) -> None:
        self.world.repeat(self.world.requests[place % len(self.world.requests)], new_id=new_id)

    @precondition(lambda self: self.world.unanswered)
    @rule(place=places)
    def platform_delivers(self, place: int) -> None:
        request = self.world.unanswered[place % len(self.world.unanswered)]
        while not self.run(self.life.do(lambda bench: bench.deliver(request))):
            pass

    @rule(
        operation=st.sampled_from(("carrier send", "carrier send", "slack post", "slack", "carrier")),
        trouble=st.sampled_from(Trouble),
        times=st.sampled_from((1, 2, 3, 15)),
    )
    def platform_breaks(self, operation: str, trouble: Trouble, times: int) -> None:
        self.world.border.faults.append(Fault(operation=operation, trouble=trouble, times=times))

    @rule()
    def slack_is_quick_again(self) -> None:
        self.world.slack_pace.turn = timedelta(0)

    @rule(operation=st.sampled_from(("carrier send", "carrier send", "slack post", "slack delete")))
    def much_happens_during_a_call(self, operation: str) -> None:
        async def happen() -> None:
            bench = self.life.bench
            assert bench is not None
            for text in self.world.carrier.texts[-1:]:
                if text.sent_at is not None:  # nothing is reported of what is held for later
                    self.world.report(text)
            for request in self.world.unanswered:
                await bench.deliver(request)
            await bench.work(Pool.CARRIER_IN, Pool.SLACK_IN)

        self.world.border.meanwhile.append((operation, happen))

    # -------------------------------------------------------------------------------------------------------- program

    @rule(which=pools)
    def work(self, which: tuple[Pool, ...]) -> None:
        self.run(self.life.do(lambda bench: bench.work(*which)))

    @rule(span=spans, working=st.booleans())
    def time_passes(self, span: timedelta, working: bool) -> None:
        if working:
            self.run(self.life.settle(spare=span))
            return
        self.run(self.world.clock.advance(span))
        self.world.carrier.pass_time()
        self.run(self.life.do(lambda bench: bench.workbench.sweep(everything=False)))

    @rule(after=st.none() | st.integers(min_value=0, max_value=25))
    def power_fails(self, after: int | None) -> None:
        """Die now, or so many crossings later."""
        if after is None:
            self.run(self.life.stop())
        else:
            self.world.border.crash_at = {len(self.world.border.crossings) + after}


def test_the_bridge_keeps_its_promises_whatever_happens(template: Path) -> None:
    BridgeMachine.template = template
    BridgeMachine.joined.clear()
    run_state_machine_as_test(BridgeMachine, settings=choose_effort(examples=90, steps=30))
    # They are a hundred and more, and forty; without any, nothing would be proved of texts that are shown together.
    assert BridgeMachine.joined["shown together"] >= 10
    assert BridgeMachine.joined["found together"] >= 1
