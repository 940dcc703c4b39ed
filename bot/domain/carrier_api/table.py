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
_BY_NAME = {operation.name: operation for operation in OPERATIONS}


def find_operation(resource: Resource, verb: str) -> Operation | None:
    """Return the operation that the shell calls so."""
    return _BY_NAME.get(f"{resource} {verb}")


def list_operations(resource: Resource) -> tuple[Operation, ...]:
    """Return the operations on *resource*, in the order of the table."""
    return tuple(operation for operation in OPERATIONS if operation.resource is resource)
