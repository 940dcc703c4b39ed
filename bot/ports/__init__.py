"""
What the flows need from the world, and the promises that whoever provides it makes.

Two kinds. `Store` and what hangs on its `Transaction` keep things: they never touch the network. The gateways touch the
network: they never keep anything, never retry by themselves, and never run inside a transaction.
"""

from __future__ import annotations

from bot.ports.account import CarrierAccount, Page
from bot.ports.carrier import (
    Acceptance,
    Carrier,
    CarrierOptout,
    CarrierRequest,
    InboundRecord,
)
from bot.ports.kept import (
    Audit,
    ConsentEntry,
    Consents,
    ConsentStep,
    Contacts,
    Conversations,
    Deliveries,
    Facts,
    Inbox,
    Messages,
    Queue,
    Recurrences,
    Schedules,
    Store,
    Taker,
    Transaction,
    Workbench,
)
from bot.ports.pace import Pace
from bot.ports.slack import (
    Block,
    Cards,
    Directory,
    HomeTab,
    OurselvesInSlack,
    Person,
    Post,
    Posted,
    SenderGroup,
    Standing,
    Threads,
)

__all__ = [
    "Acceptance",
    "Audit",
    "Block",
    "Cards",
    "Carrier",
    "CarrierAccount",
    "CarrierOptout",
    "CarrierRequest",
    "ConsentEntry",
    "ConsentStep",
    "Consents",
    "Contacts",
    "Conversations",
    "Deliveries",
    "Directory",
    "Facts",
    "HomeTab",
    "InboundRecord",
    "Inbox",
    "Messages",
    "OurselvesInSlack",
    "Pace",
    "Page",
    "Person",
    "Post",
    "Posted",
    "Queue",
    "Recurrences",
    "Schedules",
    "SenderGroup",
    "Standing",
    "Store",
    "Taker",
    "Threads",
    "Transaction",
    "Workbench",
]
