"""What every implementation of `bot.ports.Schedules` and `bot.ports.Facts` promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.ids import ChannelId, ConversationId, MessageId, RecurrenceId, ScheduleId
from bot.domain.schedule import ScheduleState
from bot.ports import Store
from tests.storage.samples import NOW, PAIR, make_message, make_recurrence, make_schedule


@pytest.fixture(autouse=True)
async def _messages(store: Store) -> None:
    async with store.transaction("test") as kept:
        await kept.conversations.get_or_create(PAIR, new_id=ConversationId("pair"), channel_id=ChannelId("C"), now=NOW)
        for number in range(8):
            await kept.messages.add(make_message(f"m{number}"))


async def test_a_schedule_comes_back_as_it_was_by_its_id_and_by_its_message(store: Store) -> None:
    made = make_schedule("abcde", "m0", due_at=NOW + timedelta(days=3, microseconds=1))
    async with store.transaction("test") as kept:
        assert await kept.schedules.add(made)
    async with store.reading() as kept:
        assert await kept.schedules.find(made.id) == made
        assert await kept.schedules.find_by_message(made.message_id) == made
        assert await kept.schedules.find(ScheduleId("fghjk")) is None
        assert await kept.schedules.find_by_message(MessageId("m1")) is None


async def test_an_id_that_is_taken_is_not_given_twice(store: Store) -> None:
    async with store.transaction("test") as kept:
        assert await kept.schedules.add(make_schedule("abcde", "m0"))
        assert not await kept.schedules.add(make_schedule("abcde", "m1"))
    async with store.reading() as kept:
        assert await kept.schedules.find_by_message(MessageId("m1")) is None


async def test_a_message_has_one_schedule_at_most(store: Store) -> None:
    async with store.transaction("test") as kept:
        assert await kept.schedules.add(make_schedule("abcde", "m0"))
    with pytest.raises(Exception, match="constraint"):
        async with store.transaction("test") as kept:
            await kept.schedules.add(make_schedule("fghjk", "m0"))


async def test_what_has_not_gone_out_is_listed_soonest_first(store: Store) -> None:
    async with store.transaction("test") as kept:
        for number, state in enumerate(ScheduleState):
            due_at = NOW + timedelta(hours=10 - number)
            await kept.schedules.add(
                make_schedule(str(number), f"m{number}", state=ScheduleState.WAITING, due_at=due_at)
            )
            await kept.schedules.set_state(ScheduleId(str(number)), state)
    async with store.reading() as kept:
        pending = await kept.schedules.list_pending()
    assert [schedule.state for schedule in pending] == [
        ScheduleState.TAKING_BACK,
        ScheduleState.AT_CARRIER,
        ScheduleState.WAITING,
    ]


async def test_what_a_reply_takes_back_is_found_by_its_conversation(store: Store) -> None:
    async with store.transaction("test") as kept:
        await kept.schedules.add(make_schedule("plain", "m0"))
        await kept.schedules.add(make_schedule("there", "m1", unless_reply=True))
        await kept.schedules.add(make_schedule("over1", "m2", unless_reply=True, state=ScheduleState.SENT))
    async with store.reading() as kept:
        found = await kept.schedules.list_unless_reply(ConversationId("pair"))
        assert [schedule.id for schedule in found] == ["there"]
        assert await kept.schedules.list_unless_reply(ConversationId("other")) == []


async def test_whether_a_reply_takes_anything_back_is_told_of_what_waits_and_of_what_repeats(store: Store) -> None:
    async with store.transaction("test") as kept:

        async def is_any() -> bool:
            assert not await kept.schedules.is_any_unless_reply(ConversationId("other"))
            return await kept.schedules.is_any_unless_reply(ConversationId("pair"))

        await kept.schedules.add(make_schedule("plain", "m0"))
        await kept.schedules.add(make_schedule("over1", "m2", unless_reply=True, state=ScheduleState.SENT))
        await kept.recurrences.add(make_recurrence("again"))
        assert not await is_any()
        await kept.schedules.add(make_schedule("there", "m1", unless_reply=True))
        assert await is_any()
        await kept.schedules.set_state(ScheduleId("there"), ScheduleState.CANCELLED)
        assert not await is_any()
        await kept.recurrences.save(replace(make_recurrence("again"), unless_reply=True))
        assert await is_any()
        await kept.recurrences.save(replace(make_recurrence("again"), unless_reply=True, active=False))
        assert not await is_any()


async def test_what_goes_instead_takes_its_place(store: Store) -> None:
    async with store.transaction("test") as kept:
        await kept.schedules.add(make_schedule("abcde", "m0"))
        await kept.schedules.update(ScheduleId("abcde"), next_message_id=MessageId("m1"))
        later = NOW + timedelta(days=2)
        await kept.schedules.update(
            ScheduleId("abcde"), message_id=MessageId("m1"), next_message_id=None, due_at=later, unless_reply=True
        )
    async with store.reading() as kept:
        expected = make_schedule("abcde", "m1", due_at=later, unless_reply=True)
        assert await kept.schedules.find_by_message(MessageId("m1")) == expected
        assert await kept.schedules.find_by_message(MessageId("m0")) is None


async def test_who_made_a_schedule_never_changes(store: Store) -> None:
    async with store.transaction("test") as kept:
        await kept.schedules.add(make_schedule("abcde", "m0"))
        with pytest.raises(ValueError, match="never change"):
            await kept.schedules.update(ScheduleId("abcde"), author="U2")


async def test_a_text_that_repeats_comes_back_as_it_was_last_saved(store: Store) -> None:
    made = make_recurrence("abcde")
    async with store.transaction("test") as kept:
        assert await kept.recurrences.add(made)
        assert not await kept.recurrences.add(made)
        changed = replace(
            made, number=3, occurs_on=made.rule.began_on + timedelta(days=14), revision=1, unless_reply=True, text="New"
        )
        await kept.recurrences.save(changed)
    async with store.reading() as kept:
        assert await kept.recurrences.find(made.id) == changed
        assert await kept.recurrences.list_active() == [changed]
        assert await kept.recurrences.list_active(ConversationId("pair")) == [changed]
        assert await kept.recurrences.list_active(ConversationId("other")) == []
    async with store.transaction("test") as kept:
        await kept.recurrences.save(replace(changed, active=False))
    async with store.reading() as kept:
        assert await kept.recurrences.list_active() == []


async def test_a_text_that_repeats_goes_once_at_each_of_its_times(store: Store) -> None:
    repeats = RecurrenceId("abcde")
    async with store.transaction("test") as kept:
        await kept.recurrences.add(make_recurrence("abcde"))
        await kept.schedules.add(make_schedule("abcde-1", "m0", recurrence_id=repeats))
    with pytest.raises(Exception, match="constraint"):
        async with store.transaction("test") as kept:
            await kept.schedules.add(make_schedule("abcde-2", "m1", recurrence_id=repeats))
    async with store.transaction("test") as kept:
        await kept.schedules.set_state(ScheduleId("abcde-1"), ScheduleState.CANCELLED)
        await kept.schedules.add(make_schedule("abcde-2", "m1", recurrence_id=repeats))
        assert [each.id for each in await kept.schedules.list_occurrences(repeats)] == ["abcde-2"]


async def test_a_fact_is_what_it_was_last_said_to_be(store: Store) -> None:
    async with store.transaction("test") as kept:
        assert await kept.facts.find_fact("cursor") is None
        await kept.facts.set_fact("cursor", "1")
        await kept.facts.set_fact("cursor", "2")
        await kept.facts.set_fact("other", "")
    async with store.reading() as kept:
        assert await kept.facts.find_fact("cursor") == "2"
        assert await kept.facts.find_fact("other") == ""
        assert await kept.facts.find_facts(["cursor", "third", "other"]) == {"cursor": "2", "other": ""}
        assert await kept.facts.find_facts([]) == {}
