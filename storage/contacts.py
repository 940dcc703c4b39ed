"""What is known of customers besides what they wrote."""

from __future__ import annotations

import aiosqlite

from bot.domain.contact import Contact
from bot.domain.ids import UserId
from bot.domain.phone import Address
from storage.moments import from_micros, to_micros

_FIND = "SELECT * FROM contacts WHERE address = ?"
_SAVE = """
INSERT INTO contacts (address, name, zone, set_by, set_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (address) DO UPDATE SET
    name = excluded.name, zone = excluded.zone, set_by = excluded.set_by, set_at = excluded.set_at"""


class ContactRows:
    """`bot.ports.Contacts` on SQLite."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def find_contact(self, address: Address) -> Contact | None:
        """Return what is known of *address*."""
        rows = list(await self._connection.execute_fetchall(_FIND, (address,)))
        if not rows:
            return None
        row = rows[0]
        return Contact(
            address=Address(row["address"]),
            name=row["name"],
            zone=row["zone"],
            set_by=UserId(row["set_by"]),
            set_at=from_micros(row["set_at"]),
        )

    async def save_contact(self, contact: Contact) -> None:
        """Store what is known of an address, in place of what was."""
        await self._connection.execute_fetchall(
            _SAVE, (contact.address, contact.name, contact.zone, contact.set_by, to_micros(contact.set_at))
        )
