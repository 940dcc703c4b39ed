"""
Both implementations of each platform's ports: the real gateway at a simulator over HTTP, and the double in memory.

Each comes with the same handles on the far side: what people and phones see there, and how it is made to fail.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Protocol

from bot.clock import ManualClock
from bot.domain.ids import ChannelId, SlackTs, UserId
from bot.domain.phone import Address
from bot.gateways.slack import SlackGateway
from bot.gateways.telnyx import TelnyxGateway
from bot.observe import Metrics
from bot.ports import Carrier, CarrierOptout, Directory, Threads
from bot.sandbox.faults import Fault as SimulatedFault
from bot.sandbox.faults import FaultBoard, FaultKind
from bot.sandbox.slack_sim import SlackSim
from bot.sandbox.telnyx_sim import TelnyxSim
from bot.workers.pacing import Pacer
from tests.doubles import slack as memory
from tests.doubles.border import Border, Fault, Trouble
from tests.doubles.carrier import MemoryCarrier
from tests.doubles.slack import MemorySlack
from tests.sandbox import slack_receiver, telnyx_receiver

#: What each trouble is at the simulators.
_KINDS = {
    Trouble.UNREACHABLE: FaultKind.RATE_LIMIT,
    Trouble.LOST_REQUEST: FaultKind.DROP_REQUEST,
    Trouble.LOST_ANSWER: FaultKind.DROP_ANSWER,
}


def _strike(board: FaultBoard, operation: str, trouble: Trouble) -> None:
    board.add(SimulatedFault(kind=_KINDS[trouble], operation=operation, times=1))


# ---------------------------------------------------------------------------------------------------------------- Slack


class Workplace(Protocol):
    """A Slack with a channel, a teammate and a guest in it."""

    threads: Threads
    directory: Directory
    clock: ManualClock
    channel: ChannelId
    teammate: UserId
    guest: UserId

    def strike(self, operation: str, trouble: Trouble) -> None:
        """Let the next call of *operation* (`post`, `delete`, …) fail."""

    async def delete_by_hand(self, ts: SlackTs) -> None: ...

    async def archive(self) -> None: ...

    def list_posts(self) -> list[tuple[str, str | None]]:
        """Return text and thread of each of our posts that stands, oldest first."""

    def list_reactions(self, ts: SlackTs) -> set[str]: ...

    def list_whispers(self, user: UserId) -> list[str]: ...


class _MemoryWorkplace:
    channel = memory.CHANNEL
    teammate = memory.ANN
    guest = memory.GUEST

    def __init__(self) -> None:
        self.clock = ManualClock()
        self._border = Border()
        self._slack = MemorySlack(self._border, self.clock)
        self.threads: Threads = self._slack
        self.directory: Directory = self._slack

    def strike(self, operation: str, trouble: Trouble) -> None:
        self._border.faults.append(Fault(operation=f"slack {operation}", trouble=trouble))

    async def delete_by_hand(self, ts: SlackTs) -> None:
        message = self._slack.find(self.channel, ts)
        assert message is not None
        self._slack.remove(memory.BEN, message)

    async def archive(self) -> None:
        self._slack.archived.add(self.channel)

    def list_posts(self) -> list[tuple[str, str | None]]:
        return [(message.text, message.thread_ts) for message in self._slack.posted() if message.deleted_by is None]

    def list_reactions(self, ts: SlackTs) -> set[str]:
        message = self._slack.find(self.channel, ts)
        assert message is not None
        return message.our_marks

    def list_whispers(self, user: UserId) -> list[str]:
        return [whisper.text for whisper in self._slack.whispers if whisper.user == user]


#: The simulator's names of what the port calls otherwise.
_METHODS = {
    "post": "chat.postMessage",
    "delete": "chat.delete",
    "find_post": "conversations.history",
    "whisper": "chat.postEphemeral",
    "add_reaction": "reactions.add",
    "remove_reaction": "reactions.remove",
    "get_person": "users.info",
}


class _SimulatedWorkplace:
    def __init__(self, bench: slack_receiver.Bench) -> None:
        self.clock = bench.clock
        self._sim: SlackSim = bench.sim
        self._admin = bench.ben
        gateway = SlackGateway(client=bench.client, pace=Pacer(bench.clock, learned=True), metrics=Metrics())
        self.threads: Threads = gateway
        self.directory: Directory = gateway
        self.channel = ChannelId(bench.channel)
        self.teammate = UserId(bench.ana)
        self.guest = UserId(bench.sim.add_user("gus", "Gus Guest", restricted=True))

    def strike(self, operation: str, trouble: Trouble) -> None:
        _strike(self._sim.faults, _METHODS[operation], trouble)

    async def delete_by_hand(self, ts: SlackTs) -> None:
        await self._sim.delete(self._admin, self.channel, ts)

    async def archive(self) -> None:
        await self._sim.archive(self._admin, self.channel)

    def list_posts(self) -> list[tuple[str, str | None]]:
        place = self._sim.workspace.channels[self.channel]
        return [
            (message.text, message.thread_ts)
            for message in place.messages.values()
            if message.bot_id is not None and message.subtype != "tombstone"
        ]

    def list_reactions(self, ts: SlackTs) -> set[str]:
        return {name for name, users in self._sim.reactions(self.channel, ts).items() if self._sim.bot_user in users}

    def list_whispers(self, user: UserId) -> list[str]:
        return [str(each["text"]) for each in self._sim.ephemerals(user)]


@asynccontextmanager
async def _open_memory_workplace() -> AsyncIterator[Workplace]:
    yield _MemoryWorkplace()


@asynccontextmanager
async def _open_simulated_workplace() -> AsyncIterator[Workplace]:
    async with slack_receiver.open_bench() as bench:
        yield _SimulatedWorkplace(bench)


WORKPLACES: dict[str, Callable[[], AbstractAsyncContextManager[Workplace]]] = {
    "in memory": _open_memory_workplace,
    "gateway and simulator": _open_simulated_workplace,
}


# -------------------------------------------------------------------------------------------------------------- carrier


class Account(Protocol):
    """An account at a carrier, with a number of ours."""

    carrier: Carrier
    clock: ManualClock
    ours: Address

    def strike(self, operation: str, trouble: Trouble) -> None:
        """Let the next call of *operation* (`send`, `cancel`, …) fail."""

    def refuse_next(self, text: str) -> None:
        """Let the next send, of *text*, be refused as too long, once."""

    def block(self, person: Address) -> None:
        """Put somebody on the carrier's list of opt-outs."""

    async def pass_time(self, span: timedelta) -> None: ...

    async def read_phone(self, number: Address) -> list[str]: ...


class _MemoryAccount:
    ours = Address(telnyx_receiver.OURS)

    def __init__(self) -> None:
        self.clock = ManualClock()
        self._border = Border()
        self._carrier = MemoryCarrier(self._border, self.clock)
        self.carrier: Carrier = self._carrier

    def strike(self, operation: str, trouble: Trouble) -> None:
        self._border.faults.append(Fault(operation=f"carrier {operation}", trouble=trouble))

    def refuse_next(self, text: str) -> None:
        self._carrier.refuse_next(text, code="40302")

    def block(self, person: Address) -> None:
        self._carrier.optouts.append(
            CarrierOptout(address=person, ours=self.ours, keyword="STOP", created_at=self.clock.now())
        )

    async def pass_time(self, span: timedelta) -> None:
        await self.clock.advance(span)
        self._carrier.pass_time()

    async def read_phone(self, number: Address) -> list[str]:
        return self._carrier.on_phone(number)


_OPERATIONS = {
    "send": "POST /messages",
    "cancel": "DELETE /messages/{id}",
    "list_optouts": "GET /messaging_optouts",
}


class _SimulatedAccount:
    ours = Address(telnyx_receiver.OURS)

    def __init__(self, bench: telnyx_receiver.Bench, clock: ManualClock, carrier: TelnyxGateway) -> None:
        self.clock = clock
        self._sim: TelnyxSim = bench.sim
        self.carrier: Carrier = carrier

    def strike(self, operation: str, trouble: Trouble) -> None:
        _strike(self._sim.faults, _OPERATIONS[operation], trouble)

    def refuse_next(self, text: str) -> None:
        self._sim.faults.add(
            SimulatedFault(kind=FaultKind.REFUSE, operation="POST /messages", code="40302", status=400, times=1)
        )

    def block(self, person: Address) -> None:
        self._sim.block(sender=self.ours, person=person, keyword="STOP")

    async def pass_time(self, span: timedelta) -> None:
        await self.clock.advance(span)
        await self._sim.settle()

    async def read_phone(self, number: Address) -> list[str]:
        await self._sim.settle()
        return [str(text.text) for text in self._sim.phone(number)]


@asynccontextmanager
async def _open_memory_account() -> AsyncIterator[Account]:
    yield _MemoryAccount()


@asynccontextmanager
async def _open_simulated_account() -> AsyncIterator[Account]:
    clock = ManualClock()
    async with telnyx_receiver.open_bench(clock) as bench:
        gateway = TelnyxGateway(
            url=bench.sim.url, api_key=telnyx_receiver.KEY, profile_id=telnyx_receiver.PROFILE, metrics=Metrics()
        )
        try:
            yield _SimulatedAccount(bench, clock, gateway)
        finally:
            await gateway.close()


ACCOUNTS: dict[str, Callable[[], AbstractAsyncContextManager[Account]]] = {
    "in memory": _open_memory_account,
    "gateway and simulator": _open_simulated_account,
}
