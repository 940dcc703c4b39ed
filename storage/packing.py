"""
How identifiers stand in the file, in fewer bytes than the program writes them with. Of words see `storage/words.py`.

Ids of ours are 16 bytes and not 32 letters, the carrier's UUIDs 16 bytes and not 36 letters, Slack's timestamps a whole
number of microseconds. Only what comes back letter for letter is packed; anything else stands there as it is, as TEXT, so
that two different identifiers are never one. Columns that may hold either are of the type ANY. The views of the schema
show all of them in letters, for a person with `sqlite3`.

The migrations call these functions as well (`PACKERS`), so what they return for a string never changes.
"""

from __future__ import annotations

import re
from functools import lru_cache

#: An identifier in the file.
PackedId = bytes | str
PackedTs = int | str

#: A flow asks for the same few ids again and again.
_REMEMBERED = 1_024
_BYTES, _ID_LETTERS, _UUID_LETTERS = 16, 32, 36
_TS = re.compile(r"(?:0|[1-9][0-9]{0,11})\.[0-9]{6}").fullmatch


@lru_cache(_REMEMBERED)
def pack_id(letters: str) -> PackedId:
    """Return an id of ours as the file has it: 16 bytes for 32 characters `[0-9a-f]`, else itself."""
    if len(letters) == _ID_LETTERS:
        packed = _read_hex(letters)
        if packed is not None and packed.hex() == letters:
            return packed
    return letters


def unpack_id(packed: PackedId) -> str:
    """Return the id that `pack_id` packed."""
    return packed if isinstance(packed, str) else packed.hex()


def pack_carrier_id(letters: str) -> PackedId:
    """Return the carrier's id as the file has it: 16 bytes for a UUID in small letters and with its dashes, else itself."""
    if len(letters) == _UUID_LETTERS and letters[8] == letters[13] == letters[18] == letters[23] == "-":
        digits = letters.replace("-", "")
        packed = _read_hex(digits)
        if packed is not None and packed.hex() == digits and len(packed) == _BYTES:
            return packed
    return letters


def unpack_carrier_id(packed: PackedId) -> str:
    """Return the id that `pack_carrier_id` packed."""
    if isinstance(packed, str):
        return packed
    digits = packed.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def pack_ts(letters: str) -> PackedTs:
    """Return Slack's timestamp as the file has it: microseconds for `1700000000.123456`, else itself."""
    return letters if _TS(letters) is None else int(letters[:-7] + letters[-6:])


def unpack_ts(packed: PackedTs) -> str:
    """Return the timestamp that `pack_ts` packed."""
    if isinstance(packed, str):
        return packed
    digits = f"{packed:07}"
    return f"{digits[:-6]}.{digits[-6:]}"


def _read_hex(digits: str) -> bytes | None:
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return None


#: By the names that the migrations call them.
PACKERS = {"packed_id": pack_id, "packed_uuid": pack_carrier_id, "packed_ts": pack_ts}
