"""
The flows of the text loop, put together from the ports that they need.

The program and the tests that crash it put them together here and nowhere else, so that what is tested is what runs.
Pictures have ports of their own; `bot.app` adds their flows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.job import Job, Kind
from bot.domain.policy import Policy
from bot.flows.accepting import Accepting
from bot.flows.account import Account
from bot.flows.account_events import AccountEvents
from bot.flows.backlog import Backlogs
from bot.flows.changes import Changes
from bot.flows.channel_settings import ChannelSettings
from bot.flows.contacts import Contacts
from bot.flows.courtesies import Courtesies
from bot.flows.decisions import Decisions
from bot.flows.home import Home
from bot.flows.marks import Marks
from bot.flows.optouts import Optouts
from bot.flows.placing import Placing
from bot.flows.posting import Posting
from bot.flows.receipts import Receipts
from bot.flows.receive import Receive
from bot.flows.reconcile import Reconcile
from bot.flows.recurring import Recurring
from bot.flows.replies import Replies
from bot.flows.schedules import Schedules
from bot.flows.senders import Senders
from bot.flows.sending import Sending
from bot.flows.taking_back import TakingBack
from bot.flows.texting import Texting
from bot.observe import Metrics
from bot.ports import Cards, Carrier, CarrierAccount, Directory, HomeTab, Pace, Store, Threads
from bot.ports.account import Pulses


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the flows stand on."""

    store: Store
    carrier: Carrier
    account: CarrierAccount
    pulses: Pulses
    threads: Threads
    cards: Cards
    directory: Directory
    home_tab: HomeTab
    slack_pace: Pace
    carrier_pace: Pace
    policy: Policy
    clock: Clock
    chance: Chance
    metrics: Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFlows:
    """The flows that others speak to, the one that does each kind of job, and those that do several of a kind together."""

    placing: Placing
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
    reconcile: Reconcile
    by_kind: Mapping[Kind, Callable[[Job], Awaitable[None]]]
    joint_by_kind: Mapping[Kind, Callable[[Sequence[Job]], Awaitable[None]]]


def assemble_flows(around: Surroundings) -> TextFlows:
    """Return the flows of the text loop, wired to *around* and to each other."""
    store, policy, clock, chance = around.store, around.policy, around.clock, around.chance
    carrier, directory, metrics = around.carrier, around.directory, around.metrics
    accepting = Accepting(policy=policy, clock=clock, chance=chance, metrics=metrics)
    receipts = Receipts(store=store, policy=policy, clock=clock, chance=chance, metrics=metrics)
    account_events = AccountEvents(store=store, directory=directory, policy=policy, clock=clock)
    receive = Receive(
        store=store,
        receipts=receipts,
        account_events=account_events,
        policy=policy,
        clock=clock,
        chance=chance,
        metrics=metrics,
    )
    backlogs = Backlogs(store=store, cards=around.cards, chance=chance)
    placing = Placing(
        store=store, threads=around.threads, directory=directory, policy=policy, clock=clock, chance=chance
    )
    posting = Posting(
        store=store,
        placing=placing,
        backlogs=backlogs,
        directory=directory,
        pace=around.slack_pace,
        policy=policy,
        clock=clock,
        chance=chance,
    )
    sending = Sending(store=store, carrier=carrier, pace=around.carrier_pace, policy=policy, clock=clock, chance=chance)
    marks = Marks(store=store, threads=around.threads, clock=clock, chance=chance)
    contacts = Contacts(store=store, cards=around.cards, directory=directory, policy=policy, clock=clock, chance=chance)
    channel_settings = ChannelSettings(store=store, directory=directory, policy=policy, clock=clock)
    senders = Senders(store=store, account=around.account, policy=policy)
    account = Account(
        store=store,
        carrier=carrier,
        account=around.account,
        senders=senders,
        directory=directory,
        pulses=around.pulses,
        policy=policy,
        clock=clock,
    )
    home = Home(
        store=store,
        directory=directory,
        home_tab=around.home_tab,
        channel_settings=channel_settings,
        account=account,
        policy=policy,
        clock=clock,
        chance=chance,
    )
    replies = Replies(
        store=store,
        directory=directory,
        accepting=accepting,
        changes=Changes(accepting=accepting, policy=policy, clock=clock, chance=chance),
        home=home,
        policy=policy,
        clock=clock,
        metrics=metrics,
    )
    schedules = Schedules(
        store=store,
        directory=directory,
        accepting=accepting,
        senders=senders,
        policy=policy,
        clock=clock,
        chance=chance,
    )
    optouts = Optouts(store=store, carrier=carrier, directory=directory, policy=policy, clock=clock)
    decisions = Decisions(
        store=store,
        carrier=carrier,
        directory=directory,
        accepting=accepting,
        receipts=receipts,
        policy=policy,
        clock=clock,
        chance=chance,
    )
    reconcile = Reconcile(
        store=store,
        carrier=carrier,
        threads=around.threads,
        receipts=receipts,
        optouts=optouts,
        senders=senders,
        policy=policy,
        clock=clock,
    )
    courtesies = Courtesies(store=store, threads=around.threads)
    taking_back = TakingBack(store=store, carrier=carrier, clock=clock)
    return TextFlows(
        placing=placing,
        texting=Texting(store=store, directory=directory, accepting=accepting, senders=senders, policy=policy),
        schedules=schedules,
        optouts=optouts,
        decisions=decisions,
        channel_settings=channel_settings,
        contacts=contacts,
        account_events=account_events,
        senders=senders,
        account=account,
        home=home,
        reconcile=reconcile,
        by_kind={
            Kind.CARRIER_EVENT: receive.read_carrier_event,
            Kind.SLACK_EVENT: replies.read_slack_event,
            Kind.POST_TEXT: posting.post_text,
            Kind.POST_LINE: posting.post_line,
            Kind.POST_NOTICE: posting.post_notice,
            Kind.TIDY_POST: placing.tidy_post,
            Kind.SHOW_BACKLOG: backlogs.show_backlog,
            Kind.SHOW_CONTACT: contacts.show_contact,
            Kind.REACT: courtesies.react,
            Kind.SHOW_ACCOUNT: home.show_account,
            Kind.WHISPER: courtesies.whisper,
            Kind.SEND_TEXT: sending.send_text,
            Kind.SHOW_MARK: marks.show_mark,
            Kind.CANCEL_AT_CARRIER: taking_back.cancel_at_carrier,
            Kind.WATCH_HELD: taking_back.watch_held,
            Kind.NEXT_OCCURRENCE: Recurring(
                store=store, directory=directory, policy=policy, clock=clock, chance=chance
            ).make_next,
        },
        joint_by_kind={Kind.CARRIER_EVENT: receive.read_carrier_events},
    )
