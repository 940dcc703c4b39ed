"""
The slips that hurt people, under any sequence of what people, platforms and power cuts may do.

Teammates write replies and notes, in every mode, and change their minds: they edit, delete, cross out, press whatever
button was ever shown, however stale. Customers say STOP. Nights fall, by several clocks. Never may a note leave, nor what
nobody meant to send; never a text after STOP; never one at night that nobody sent by their own word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from bot.domain.actions import Action, are_shown, read_message_id
from bot.domain.ids import UserId
from bot.domain.job import Pool
from bot.domain.message import Mark
from bot.domain.phone import Address
from bot.domain.policy import QuietHours, ThreadMode
from bot.errors import NotAllowed, RetryLater
from tests.doubles.bench import ANA, BOB, Bench, make_policy
from tests.doubles.border import Fault, Trouble
from tests.doubles.slack import ANN, BEN, BOT, SlackMessage
from tests.machines.effort import choose_effort
from tests.machines.expectations import Haste, Inbound, has_said_stop, hastes, is_card_of, places
from tests.machines.lived import LivedMachine

TWO = (ANA, BOB)
#: Where their numbers were given out.
HOMES = {ANA: "America/Chicago", BOB: "America/Los_Angeles"}
#: The clock begins at nine in Chicago and at seven in San Francisco.
NIGHT = QuietHours(begin=time(21), end=time(8))
NOTES = ("note: {}", "*Private:* {}", "\n\u200b// {}", "🔇 {}", "<@U0BEN> {}", "&gt; ;; {}")
SPANS = st.sampled_from((1, 15, 130, 3600, 7 * 3600)).map(lambda seconds: timedelta(seconds=seconds))
#: What of a message's state its mark must show in the end.
MARKS = {"note": {Mark.NOTE}, "blocked": {Mark.BLOCKED}, "cancelled": set(), "confirming": {Mark.WAITING}}


@dataclass(slots=True, kw_only=True)
class Version:
    """What a message said at some time. *body* is in no other version of any message."""

    body: str
    is_note: bool


@dataclass(slots=True, kw_only=True)
class Written:
    """One message of a teammate in a customer's thread."""

    to: Address
    message: SlackMessage
    versions: list[Version] = field(default_factory=list)
    pressed: set[str] = field(default_factory=set)  #: Bodies that its author sent by their own word.
    needs_word: bool = False  #: It was kept here by somebody's word: only another word sends it.
    touched: bool = False  #: More was done to it than to write it.

    def may_be_sent(self, body: str) -> bool:
        """Tell whether *body*, one of the versions, may go out: it never was a note before, or its author said so."""
        place = next(n for n, version in enumerate(self.versions) if version.body == body)
        for earlier, version in enumerate(self.versions[: place + 1]):
            # What was sent by a word may still be edited while it waits, as anything else.
            if version.body in self.pressed and not any(
                each.is_note for each in self.versions[earlier + 1 : place + 1]
            ):
                return True
        return not self.needs_word and not any(version.is_note for version in self.versions[: place + 1])


class SafetyMachine(LivedMachine):
    """Careless people around one bridge."""

    def __init__(self) -> None:
        super().__init__()
        self.mode = ThreadMode.REPLY
        self.quiet_hours: QuietHours | None = None
        self.inbound: list[Inbound] = []
        self.written: list[Written] = []
        self.zones = dict(HOMES)
        self.sent_now: set[str] = set()
        self.number = 0
        self.seen = 0
        self.attempts_seen = 0

    def name(self, kind: str) -> str:
        self.number += 1
        return f"{kind}{self.number}."

    def see_to_it(self, haste: Haste) -> None:
        if haste is not Haste.LATER:
            self.run(self.life.deliver_all())
        if haste is Haste.DONE:
            self.run(self.life.do(lambda bench: bench.work()))

    # -------------------------------------------------------------------------------------------------------- people

    @initialize(
        mode=st.sampled_from((ThreadMode.REPLY, *ThreadMode)),
        hold=st.sampled_from((0, 20, 120)),
        night=st.sampled_from((None, NIGHT, NIGHT)),
    )
    def choose_rules_and_open_threads(self, mode: ThreadMode, hold: int, night: QuietHours | None) -> None:
        self.mode, self.quiet_hours = mode, night
        self.world.policy = replace(make_policy(), thread_mode=mode, hold=timedelta(seconds=hold), quiet_hours=night)
        for who in TWO:
            self.customer_says(who, self.name("t"))
        self.see_to_it(Haste.DONE)

    def customer_says(self, who: Address, text: str) -> None:
        self.inbound.append(Inbound(sender=who, text=text, request=self.world.text_in(who, text)))

    @rule(who=st.sampled_from(TWO), word=st.sampled_from(("hello", "STOP", "START")), haste=hastes)
    def customer_texts(self, who: Address, word: str, haste: Haste) -> None:
        self.customer_says(who, self.name("t") if word == "hello" else word)
        self.see_to_it(haste)

    def make_version(self, form: int | None) -> tuple[str, Version]:
        """Return what is typed, and what it is: a reply, or the note of the *form*."""
        if form is None:
            body = self.name("r")
            return (f"sms: {body}" if self.mode is ThreadMode.PREFIX else body), Version(body=body, is_note=False)
        body = self.name("n")
        forms = (*NOTES, "{}", "sms: note: {}", "sms: <@U0BEN> {}") if self.mode is ThreadMode.PREFIX else NOTES
        return forms[form % len(forms)].format(body), Version(body=body, is_note=True)

    @rule(who=st.sampled_from(TWO), form=st.none() | st.none() | places, haste=hastes)
    def teammate_writes(self, who: Address, form: int | None, haste: Haste) -> None:
        root = next((m for m in self.world.slack.messages if m.user == BOT and is_card_of(m, who)), None)
        if root is None:
            return
        typed, version = self.make_version(form)
        message, event = self.world.slack.say(ANN, root, typed)
        self.world.tell(event)
        self.written.append(Written(to=who, message=message, versions=[version]))
        self.see_to_it(haste)

    def choose(self, place: int) -> Written | None:
        there = [each for each in self.written if each.message.deleted_by is None][-4:]
        return there[place % len(there)] if there else None

    @rule(place=places, form=st.none() | places, haste=hastes)
    def author_edits(self, place: int, form: int | None, haste: Haste) -> None:
        wanted = self.choose(place)
        if wanted is None:
            return
        typed, version = self.make_version(form)
        wanted.versions.append(version)
        wanted.touched = True
        self.world.tell(self.world.slack.edit(wanted.message, typed))
        self.see_to_it(haste)

    @rule(place=places, user=st.sampled_from((ANN, ANN, BEN)), what=st.sampled_from(("cross", "delete")), haste=hastes)
    def somebody_takes_back(self, place: int, user: UserId, what: str, haste: Haste) -> None:
        wanted = self.choose(place)
        if wanted is None:
            return
        if what == "delete":
            wanted.touched = True
            self.world.tell(self.world.slack.remove(ANN, wanted.message))
        else:
            wanted.touched = wanted.touched or user == ANN
            item = {"type": "message", "channel": wanted.message.channel, "ts": wanted.message.ts}
            self.world.tell({"type": "reaction_added", "user": user, "item_user": ANN, "reaction": "x", "item": item})
        self.see_to_it(haste)

    @rule(place=places, user=st.sampled_from((ANN, ANN, BEN)), what=st.sampled_from(("note", "text")), haste=hastes)
    def somebody_uses_a_shortcut(self, place: int, user: UserId, what: str, haste: Haste) -> None:
        wanted = self.choose(place)
        if wanted is None:
            return
        message = wanted.message

        async def ask(bench: Bench) -> object:
            if what == "note":
                return await bench.decisions.mark_as_note_there(message.channel, message.ts, user)
            return await bench.decisions.send_as_text(message.channel, message.ts, user)

        if user == ANN:
            wanted.touched = True
            if what == "text":  # before it is asked: the answer may be lost with the process that did it
                wanted.pressed |= {version.body for version in wanted.versions}
        answer = self.ask(ask)
        if what == "note" and "a note" in str(answer):
            self.promise_unsent(wanted)
        self.see_to_it(haste)

    @rule(place=places, user=st.sampled_from((ANN, ANN, ANN, BEN)), haste=hastes)
    def somebody_presses_a_button(self, place: int, user: UserId, haste: Haste) -> None:
        """Any that was ever shown, the newest more often."""
        buttons = [
            (element["action_id"], str(element["value"]))
            for whisper in self.world.slack.whispers
            for block in whisper.blocks
            for element in block.get("elements", ())
            if element.get("type") == "button"
        ][-6:]
        if not buttons:
            return
        action, value = buttons[place % len(buttons)]
        message_id = read_message_id(value)
        [(ts, text)] = self.run(
            self.life.do(lambda bench: bench.read("SELECT slack_ts, text FROM messages WHERE id = ?", message_id))
        )
        wanted = next((each for each in self.written if each.message.ts == ts), None)

        if action == Action.SEND_NOW:
            # The newest words may be on their way to be read, and go out instead.
            bodies = {text} if wanted is None else {version.body for version in wanted.versions} | {text}
            self.sent_now |= bodies
        if wanted is not None and (user == ANN or action == Action.SEND_CORRECTION):
            wanted.touched = True
            if action in (Action.SEND, Action.SEND_CORRECTION):
                wanted.pressed |= {version.body for version in wanted.versions if are_shown(value, version.body)}
        answer = self.ask(lambda bench: press(bench, action, value, user))
        is_promise = action in (Action.KEEP, Action.MARK_NOTE) and "not sent" in str(answer)
        if wanted is not None and is_promise:
            self.promise_unsent(wanted)
        self.see_to_it(haste)

    def ask(self, ask: Callable[[Bench], Awaitable[object]]) -> object:
        """Have somebody ask for something; None where they are refused, or Slack cannot say who they are."""
        try:
            answer = self.run(self.life.do(ask))
        except (NotAllowed, RetryLater):
            return None
        return answer

    def promise_unsent(self, wanted: Written) -> None:
        """Somebody was told that this is not sent: none of it may have left, and from now on only another word sends it."""
        left = {text.text.removeprefix("@Ben ") for text in self.world.carrier.texts}
        assert not left & {version.body for version in wanted.versions if version.body not in wanted.pressed}
        wanted.needs_word = True

    @rule(who=st.sampled_from(TWO), zone=st.sampled_from((None, "Asia/Tokyo", "Europe/Berlin")))
    def teammate_sets_a_zone(self, who: Address, zone: str | None) -> None:
        once = self.name("z")
        try:
            self.run(
                self.life.do(lambda bench: bench.contacts.save_contact(who, name=None, zone=zone, actor=BEN, once=once))
            )
        except RetryLater:
            return
        self.zones[who] = zone or HOMES[who]

    # ----------------------------------------------------------------------------------------------------- the world

    @rule(
        operation=st.sampled_from(("carrier send", "carrier send", "slack")),
        trouble=st.sampled_from(Trouble),
        times=st.sampled_from((1, 3, 15)),
    )
    def platform_breaks(self, operation: str, trouble: Trouble, times: int) -> None:
        self.world.border.faults.append(Fault(operation=operation, trouble=trouble, times=times))

    @rule(place=places)
    def platform_repeats(self, place: int) -> None:
        self.world.repeat(self.world.requests[place % len(self.world.requests)], new_id=place % 2 == 0)

    @rule(which=st.sampled_from((*((pool,) for pool in Pool), tuple(Pool))))
    def work(self, which: tuple[Pool, ...]) -> None:
        self.run(self.life.do(lambda bench: bench.work(*which)))

    @rule(span=SPANS, working=st.booleans())
    def time_passes(self, span: timedelta, working: bool) -> None:
        if working:
            self.run(self.life.settle(spare=span))
            return
        self.run(self.world.clock.advance(span))
        self.run(self.life.do(lambda bench: bench.workbench.sweep(everything=False)))

    @rule(after=st.none() | st.integers(min_value=0, max_value=15))
    def power_fails(self, after: int | None) -> None:
        if after is None:
            self.run(self.life.stop())
        else:
            self.world.border.crash_at = {len(self.world.border.crossings) + after}

    # ---------------------------------------------------------------------------------------------------- invariants

    @invariant()
    def nothing_leaves_that_nobody_meant_to_send(self) -> None:
        texts = self.world.carrier.texts
        assert not [text for text, times in Counter(text.text for text in texts).items() if times > 1]
        for text in texts[self.seen :]:
            # A mention at the beginning of a note stays in what is sent of it by its author's word.
            body = text.text.removeprefix("@Ben ")
            (wanted,) = [each for each in self.written if body in {version.body for version in each.versions}]
            assert text.to == (wanted.to,)
            assert wanted.may_be_sent(body), f"{text.text!r} went out: {wanted}"
            self.check_hour(text.text, wanted.to, text.accepted_at)
        self.seen = len(texts)

    def check_hour(self, body: str, who: Address, at: datetime) -> None:
        if self.quiet_hours is None or body in self.sent_now or not self.is_night(who, at):
            return
        # It may have left by day for all that anybody knew, and was settled at night.
        tried = [attempt.at for attempt in self.world.carrier.attempts if attempt.text == body]
        assert any(not self.is_night(who, moment) for moment in tried), f"{body} at {at} to {self.zones[who]}"

    def is_night(self, who: Address, at: datetime) -> bool:
        hour = at.astimezone(ZoneInfo(self.zones[who])).hour
        return hour >= NIGHT.begin.hour or hour < NIGHT.end.hour

    @invariant()
    def nobody_who_said_stop_is_texted(self) -> None:
        for attempt in self.world.carrier.attempts[self.attempts_seen :]:
            for address in attempt.to:
                assert not has_said_stop(self.inbound, address, attempt.prepared), f"{attempt} after STOP"
        self.attempts_seen = len(self.world.carrier.attempts)

    # ------------------------------------------------------------------------------------------------------- the end

    async def heal(self) -> None:
        self.world.border.mend()
        await self.life.settle()
        for text in self.world.carrier.texts:
            self.world.report(text)
        await self.life.settle()
        self.left = await self.life.do(
            lambda bench: bench.read("SELECT status, kind, key, trouble FROM jobs WHERE status != 'done'")
        )
        self.states = await self.life.do(
            lambda bench: bench.read("SELECT slack_ts, state FROM messages WHERE direction = 'outbound'")
        )

    def check_end(self) -> None:
        self.nothing_leaves_that_nobody_meant_to_send()
        self.nobody_who_said_stop_is_texted()
        assert self.left == []
        states = dict(self.states)
        assert not {"waiting", "under_way"} & set(states.values())
        gone = {text.text for text in self.world.carrier.texts}
        stopped = {each.sender for each in self.inbound if each.text == "STOP"}
        for wanted in self.written:
            message, state = wanted.message, states.get(wanted.message.ts)
            if state is None:
                assert message.deleted_by is not None, "only what was deleted before it was read is not on record"
                continue
            if message.deleted_by is None and state in MARKS:
                assert message.our_marks == {mark.value for mark in MARKS[state]}, (state, message.our_marks)
            is_plain = not wanted.touched and not wanted.versions[0].is_note and self.mode is not ThreadMode.CONFIRM
            if is_plain and wanted.to not in stopped:
                assert wanted.versions[0].body in gone, "a reply that nobody touched never went out"


async def press(bench: Bench, action: str, value: str, user: UserId) -> object:
    """Do what is done when *user* presses a button."""
    match action:
        case Action.SEND:
            return await bench.decisions.send_reply(value, user)
        case Action.KEEP:
            return await bench.decisions.keep_reply(read_message_id(value), user)
        case Action.MARK_NOTE:
            return await bench.decisions.mark_as_note(read_message_id(value), user)
        case Action.SEND_NOW:
            return await bench.decisions.send_now(read_message_id(value), user)
        case Action.SEND_CORRECTION:
            return await bench.decisions.send_correction(value, user)
        case _:
            return None


def test_no_note_no_text_after_stop_and_none_at_night_ever_leaves(template: Path) -> None:
    SafetyMachine.template = template
    run_state_machine_as_test(SafetyMachine, settings=choose_effort(examples=40, steps=30))
