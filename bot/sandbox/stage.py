"""What the demo's account has besides its two lines, so that there is something of every kind to look at."""

from __future__ import annotations

from collections.abc import Sequence

from bot.sandbox.telnyx_sim import TelnyxSim

_TOLL_FREE = "+18885550142"
_HOSTED = "+13125550177"
_SHORT_CODE = "24365"
_UNBOUND_SHORT_CODE = "53290"
_NAME = "Northside"


def furnish_account(telnyx: TelnyxSim, lines: Sequence[str]) -> None:
    """Give the account numbers of every kind, a name, an automatic answer, and a pool of numbers that keeps to people."""
    for line in lines:
        telnyx.account.numbers[line].whatsapp = True
    telnyx.add_number(_TOLL_FREE).tags = ["reminders"]
    telnyx.add_number(_HOSTED, hosted=True).tags = ["reception"]
    telnyx.add_number(_SHORT_CODE).tags = ["alerts"]
    telnyx.add_number(_UNBOUND_SHORT_CODE).profile_id = None
    telnyx.add_sender_name(_NAME)
    telnyx.add_autoresponse(
        op="info",
        keywords=["HOURS", "OPEN"],
        text="Northside Repair is open Monday to Friday, 8 to 6, Saturday 9 to 1.",
    )
    telnyx.profile.number_pool_settings = {
        "toll_free_weight": 1,
        "long_code_weight": 10,
        "skip_unhealthy": True,
        "sticky_sender": True,
        "geomatch": True,
    }
    telnyx.profile.daily_spend_limit = "25.00"
