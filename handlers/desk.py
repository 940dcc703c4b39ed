"""What stands behind commands, buttons and forms. Apart from their listeners, which need slack-bolt."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.clock import Clock
from bot.domain.ids import UserId
from bot.domain.policy import Policy
from bot.errors import RetryLater
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
from bot.ports import Directory, Person

#: How long Slack is waited for while somebody waits for us, in seconds; what is committed afterwards needs the rest.
SLACKS_SECONDS = 1.7


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

    async def meet(self, user_id: UserId) -> Person:
        """
        Return who it is, remembered for the flows that ask next. Raises RetryLater while Slack does not tell.

        Who types waits for three seconds only: what Slack keeps back for longer is to end in words, before anything was done.
        """
        try:
            async with asyncio.timeout(SLACKS_SECONDS):
                return await self.directory.get_person(user_id)
        except TimeoutError as error:
            raise RetryLater("Slack does not tell in time who somebody is") from error
