"""Who and what is in the demo: the shop, its numbers, its team, its customers, and the commands of its Slack app."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Somebody with a phone."""

    name: str
    number: str  #: E.164
    whatsapp: bool = False  #: Writes by WhatsApp instead of texting.


@dataclass(frozen=True, slots=True, kw_only=True)
class Teammate:
    """Somebody with a seat in Slack."""

    key: str  #: By which stories call them.
    name: str
    title: str
    tz: str = "America/Chicago"
    guest: bool = False
    admin: bool = False  #: Of the workspace: sees the carrier account on the Home tab.


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One of our numbers and the Slack channel where its texts arrive."""

    number: str  #: E.164
    channel: str
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandHint:
    """One slash command as Slack's composer offers it."""

    command: str
    usage_hint: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageShortcut:
    """One entry that the app adds to the menu of every message."""

    name: str
    callback_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """All of them."""

    team_name: str = "Northside Repair"
    team_domain: str = "northside-repair"
    app_name: str = "Textbridge"
    lines: tuple[Line, ...] = (
        Line(number="+13125550100", channel="customer-texts", topic="Texts to our main number"),
        Line(number="+13125550188", channel="sales-texts", topic="Texts to the sales number"),
    )
    #: A channel in which the app is not, as in any workspace.
    other_channels: tuple[tuple[str, str], ...] = (("general", "Everything else"),)
    team: tuple[Teammate, ...] = (
        Teammate(key="dana", name="Dana Whitfield", title="Front desk"),
        Teammate(key="marcus", name="Marcus Ortiz", title="Workshop", tz="America/New_York"),
        Teammate(key="priya", name="Priya Shah", title="Owner", admin=True),
        Teammate(key="lee", name="Lee Novak", title="Guest, may not text", guest=True),
    )
    customers: tuple[Customer, ...] = (
        Customer(name="Sam Rivera", number="+14155550101"),
        Customer(name="Alex Chen", number="+12125550123"),
        Customer(name="Jordan Brooks", number="+13035550147"),
        Customer(name="Noor Haddad", number="+16175550166"),
        Customer(name="Luca Bianchi (WhatsApp)", number="+390612345678", whatsapp=True),
    )
    commands: tuple[CommandHint, ...] = (
        CommandHint(
            command="/sms",
            usage_hint="<number>[, <number>…] <text>",
            description="Text a number, or several as a group, or open the form",
        ),
        CommandHint(
            command="/schedule",
            usage_hint="<number> <when> <text> | list | cancel <id>",
            description="Text somebody later",
        ),
        CommandHint(
            command="/optouts",
            usage_hint="[<number> | add <number> <reason> | remove <number>]",
            description="Who asked not to be texted",
        ),
    )
    shortcuts: tuple[MessageShortcut, ...] = ()

    def __post_init__(self) -> None:
        if not self.lines or not self.team or not self.customers:
            raise ValueError("a demo needs a number, a teammate and a customer at least")
