"""A simulated account in which every example of the operations' table finds what it names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.clock import ManualClock
from bot.domain.carrier_api import messages, profiles, senders
from bot.sandbox.telnyx_encoding import Encoding
from bot.sandbox.telnyx_sim import TelnyxSim
from bot.sandbox.telnyx_state import (
    AutoResponse,
    Direction,
    Message,
    MessageType,
    OptOut,
    Profile,
    Recipient,
    SenderName,
    Status,
)
from tests.sandbox.telnyx_receiver import Bench, open_bench

OURS = "+13125550100"
THEIRS = "+14155550101"
HOSTED = "+13125550177"
SHORT_CODE = "24365"
#: A day before the moment that the examples schedule for.
START = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


def get_id(operation: Any, name: str = "id") -> str:
    return str(operation.example[name])


PROFILE = get_id(profiles.GET_PROFILE)


@asynccontextmanager
async def open_account() -> AsyncIterator[Bench]:
    """Start a carrier with the account in it, at START."""
    async with open_bench(ManualClock(START), numbers=()) as bench:
        furnish(bench.sim)
        yield bench
        await bench.sim.settle()


def furnish(sim: TelnyxSim) -> None:
    account, now = sim.account, sim.clock.now()
    account.profiles[PROFILE] = Profile(
        id=PROFILE,
        name="Textbridge",
        created_at=now,
        updated_at=now,
        v1_secret="secret",
        number_pool_settings={"toll_free_weight": 1, "long_code_weight": 1, "skip_unhealthy": True},
    )
    for number, operation in (
        (OURS, senders.GET_NUMBER),
        (HOSTED, senders.GET_HOSTED),
        (SHORT_CODE, senders.GET_SHORT_CODE),
    ):
        own = sim.add_number(number, profile_id=PROFILE, hosted=number == HOSTED)
        own.id = get_id(operation)
        own.whatsapp = number == OURS
    account.whatsapp_heard_at[OURS, THEIRS] = now
    for name_id, name in ((get_id(senders.GET_SENDER), "Acme"), ("6a09cdc3-0000-47f0-aa62-74ac943d6c58", "AcmeNews")):
        account.sender_names[name_id] = SenderName(
            id=name_id, name=name, profile_id=PROFILE, us_long_code_fallback=OURS
        )
    answer_id = get_id(profiles.GET_AUTORESPONSE, "autoresp_cfg_id")
    account.autoresponses[answer_id] = AutoResponse(
        id=answer_id,
        profile_id=PROFILE,
        created_at=now,
        updated_at=now,
        op="info",
        keywords=["ADDRESS"],
        country_code="US",
        resp_text="You find us at 1 Main Street.",
    )
    account.optouts[PROFILE, OURS, "+12125550199"] = OptOut(
        profile_id=PROFILE, sender=OURS, person="+12125550199", keyword="STOP", created_at=now
    )
    for message_id, people, group in (
        (get_id(messages.CANCEL), [THEIRS], False),
        (get_id(messages.GET_GROUP, "message_id"), [THEIRS, "+12125550123"], True),
    ):
        account.messages[message_id] = Message(
            id=message_id,
            direction=Direction.OUTBOUND,
            type=MessageType.MMS if group else MessageType.SMS,
            from_=OURS,
            recipients=[
                Recipient(number=person, status=Status.SENT if group else Status.SCHEDULED) for person in people
            ],
            profile_id=PROFILE,
            text="See you.",
            received_at=now,
            encoding=Encoding.GSM7,
            parts=1,
            send_at=None if group else now + timedelta(hours=3),
            group=group,
        )
