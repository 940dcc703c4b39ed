"""What a profile has spent today, and what happens when its daily limit is reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date
from decimal import Decimal

from bot.clock import Clock
from bot.sandbox.telnyx_errors import RequestDeniedError
from bot.sandbox.telnyx_payloads import price
from bot.sandbox.telnyx_state import Account, Direction, Message, Profile, Status
from bot.sandbox.telnyx_webhooks import Webhooks

_UNPAID = (Status.CANCELLED, Status.SENDING_FAILED)


@dataclass(slots=True)
class Spending:
    """Keeps to the limits. A day ends at midnight UTC."""

    account: Account
    clock: Clock
    webhooks: Webhooks
    _told: dict[str, date] = field(default_factory=dict)

    def check(self, message: Message, profile: Profile) -> None:
        """Deny *message* if it would cost more than its profile may still spend; the first time a day, tell so."""
        if self.account.switches.spend_limit_reached:
            raise RequestDeniedError("40333")
        if not profile.daily_spend_limit_enabled or profile.daily_spend_limit is None:
            return
        spent = self.count_spent(profile)
        if spent + self._price(message) > Decimal(profile.daily_spend_limit):
            self.tell(profile)
            raise RequestDeniedError("40333")

    def tell(self, profile: Profile) -> None:
        """Send the event that the limit is reached, once a day."""
        today = self.clock.now().astimezone(UTC).date()
        if self._told.get(profile.id) != today:
            self._told[profile.id] = today
            payload = {
                "configured_limit": profile.daily_spend_limit or "0.00",
                "current_cost": f"{self.count_spent(profile):.2f}",
                "profile_id": profile.id,
            }
            self.webhooks.emit_notice("messaging-profile.spend-limit-reached", profile, payload)

    def count_spent(self, profile: Profile) -> Decimal:
        """Return what the profile's texts of today cost, in dollars."""
        today = self.clock.now().astimezone(UTC).date()
        return sum(
            (
                self._price(message)
                for message in self.account.messages.values()
                if message.profile_id == profile.id
                and message.direction is Direction.OUTBOUND
                and message.received_at.astimezone(UTC).date() == today
                and any(recipient.status not in _UNPAID for recipient in message.recipients)
            ),
            Decimal(0),
        )

    def _price(self, message: Message) -> Decimal:
        return Decimal(str(price(message))) * len(message.recipients)
