"""All operations of the carrier's messaging API that people may need, in one table."""

from __future__ import annotations

from bot.domain.carrier_api.messages import MESSAGE_OPERATIONS
from bot.domain.carrier_api.operation import Operation, Resource
from bot.domain.carrier_api.profiles import AUTORESPONSE_OPERATIONS, PROFILE_OPERATIONS
from bot.domain.carrier_api.senders import (
    HOSTED_OPERATIONS,
    NUMBER_OPERATIONS,
    OPTOUT_OPERATIONS,
    SENDER_OPERATIONS,
    SHORT_CODE_OPERATIONS,
)

OPERATIONS: tuple[Operation, ...] = (
    *MESSAGE_OPERATIONS,
    *PROFILE_OPERATIONS,
    *AUTORESPONSE_OPERATIONS,
    *NUMBER_OPERATIONS,
    *HOSTED_OPERATIONS,
    *SHORT_CODE_OPERATIONS,
    *SENDER_OPERATIONS,
    *OPTOUT_OPERATIONS,
)


def list_operations(resource: Resource) -> tuple[Operation, ...]:
    """Return the operations on *resource*, in the order of the table."""
    return tuple(operation for operation in OPERATIONS if operation.resource is resource)
