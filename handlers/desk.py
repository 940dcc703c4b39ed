"""What stands behind commands, buttons and forms. Apart from their listeners, which need slack-bolt."""

from __future__ import annotations

from dataclasses import dataclass

from bot.clock import Clock
from bot.domain.policy import Policy
from bot.flows.account import Account
from bot.flows.account_events import AccountEvents
from bot.flows.channel_settings import ChannelSettings
from bot.flows.contacts import Contacts
from bot.flows.decisions import Decisions
from bot.flows.history import History
from bot.flows.home import Home
from bot.flows.optouts import Optouts
from bot.flows.schedules import Schedules
from bot.flows.senders import Senders
from bot.flows.texting import Texting
from bot.ports import Directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The flows that people reach from Slack."""

    texting: Texting
    schedules: Schedules
    optouts: Optouts
    decisions: Decisions
    channel_settings: ChannelSettings
    contacts: Contacts
    account_events: AccountEvents
    senders: Senders
    account: Account
    home: Home
    history: History
    directory: Directory
    policy: Policy
    clock: Clock
