"""What people read about opt-outs: in threads, privately, and on the card that asks a person to decide."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.actions import Action
from bot.domain.consent import Consent
from bot.domain.conversation import Parties
from bot.domain.ids import MessageId
from bot.domain.schedule import Schedule
from bot.flows import wording
from bot.flows.wording import Words
from bot.text.escape import escape_sms


def opted_out(address: str, region: str, words: str, *, by: str | None = None) -> Words:
    """Return the line that tells the thread of an opt-out: by the customer's own *words*, or *by* a teammate."""
    name = _name(address, region)
    if by is not None:
        return wording.line(
            f"🚫 *{name} is opted out*: <@{by}> set it. Nothing more is sent to them, "
            f"scheduled texts included. `/optouts remove {address}` lifts it."
        )
    # Only letters of what they wrote: in a line of ours nothing of theirs may be brought to life.
    letters = wording.shorten("".join(letter if letter.isalnum() else " " for letter in words), 60)
    said = f"by texting “{letters}”" if letters else "at the carrier"
    return wording.line(
        f"🚫 *{name} opted out* {said}. Nothing more is sent to them, scheduled texts "
        "included. Only they can undo it, by texting START."
    )


def opted_in(address: str, region: str, consent: Consent) -> Words:
    """Return the line that tells the thread that they want texts again, and what *consent* is by then."""
    name = _name(address, region)
    if consent.stopped_by_customer is not None:
        return wording.line(
            f"↩️ *{name}* texted START before they opted out; it only came in later, so they are still not texted."
        )
    if consent.stopped_by_hand is not None:
        return wording.line(
            f"↩️ *{name}* texted START, but a teammate had opted them out by hand, so they are still not texted. "
            f"`/optouts remove {address}` lifts that."
        )
    return wording.line(f"✅ *{name} opted back in.* They can be texted again.")


def lifted(address: str, region: str, by: str) -> Words:
    """Return the line that tells the thread that a teammate took back what a teammate had set."""
    return wording.line(f"✅ *{_name(address, region)} can be texted again.* <@{by}> lifted the opt-out.")


def left_out(addresses: Sequence[str], region: str) -> Words:
    """Return the line that says in a group's thread who of it is not texted. Since when, and why, is not the group's."""
    names = _list_names(addresses, region)
    return wording.line(
        f"🚫 {names} opted out and {'does' if len(addresses) == 1 else 'do'} not get this. The others do."
    )


def describe_recipients(parties: Parties, blocked: Sequence[str], region: str) -> tuple[str, str]:
    """
    Return whom a text goes to, as told privately to its author, and what to add about the rest: nothing, or how many.

    Somebody who opted out is not named as one to whom the text is on its way; who it is stands in the thread.
    """
    allowed = _list_names([address for address in parties.theirs if address not in blocked], region)
    if not blocked:
        return allowed, ""
    count = f"{len(blocked)} of the {len(parties.theirs)}"
    return allowed, f"\n🚫 {count} opted out and {'is' if len(blocked) == 1 else 'are'} left out; the thread says who."


def _list_names(addresses: Sequence[str], region: str) -> str:
    return ", ".join(_name(address, region) for address in addresses)


def _name(address: str, region: str) -> str:
    return escape_sms(wording.name_address(address, region))


def help_wanted(address: str, region: str, *, answered: bool) -> Words:
    """Return the line that tells the thread who answers HELP. *answered*: the carrier said that it took it as its own."""
    name = _name(address, region)
    if answered:
        return wording.line(
            f"ℹ️ {name} asked for help. The carrier answers that by itself, with the help text of the messaging profile; "  # noqa: RUF001
            "Textbridge adds nothing."
        )
    return wording.line(
        f"ℹ️ {name} asked for help. The carrier did not take it as its keyword, so nothing answers by itself: "  # noqa: RUF001
        "reply in this thread."
    )


def schedule_stopped(schedule: Schedule, address: str, region: str, *, at_carrier: bool) -> str:
    """Return the private line to the author of a scheduled text that an opt-out takes back."""
    who = _name(address, region)
    ends = " It does not repeat any more." if schedule.recurrence_id is not None else ""
    if at_carrier:
        return (
            f"🚫 Your scheduled text `{schedule.id}` is being taken back at the carrier: {who} opted out. "
            f"You will be told whether that was in time.{ends}"
        )
    return f"🚫 Your scheduled text `{schedule.id}` is taken back: {who} opted out.{ends}"


def asks_to_stop(message_id: MessageId, address: str, region: str) -> Words:
    """Return the card for a request to be left alone in somebody's own words."""
    return wording.line(
        f"✋ This reads as if {_name(address, region)} does not want to be texted. If so, press the button: "
        "nothing more is sent to them.",
        [wording.button("Opt them out", Action.OPT_OUT, message_id, style="danger")],
    )


def blocked_by_optout(parties: Parties, region: str, consents: Sequence[Consent]) -> str:
    """
    Return why a text to somebody who opted out was not sent, since when, and what can be done. *consents* are theirs.

    Of a group it says that nobody may be texted, not who said what when: that is for each to be looked up.
    """
    if parties.is_group:
        return "🚫 Not sent: everybody in this group has opted out. `/optouts &lt;number&gt;` says more about each."
    (consent,) = consents
    name = escape_sms(wording.name_parties(parties, region))
    if consent.stopped_by_customer is not None:
        since = f" on {consent.stopped_by_customer.at:%d %b %Y}"
        return f"🚫 Not sent: {name} opted out{since}. Only they can undo that, by texting START."
    if consent.stopped_by_hand is not None:
        evidence = consent.stopped_by_hand
        reason = f" ({escape_sms(wording.shorten(evidence.reason, 120))})" if evidence.reason else ""
        who = f" by <@{evidence.actor}>" if evidence.actor else ""
        return (
            f"🚫 Not sent: {name} was opted out{who} on {evidence.at:%d %b %Y}{reason}. "
            f"`/optouts remove {consent.address}` lifts that."
        )
    return f"🚫 Not sent: {name} opted out."


def stopped_unsettled(parties: Parties, region: str) -> str:
    """Return the private line about a text that may have gone out before its recipient opted out."""
    unknown = "⚠️ It is not known whether this text went out:"
    if parties.is_group:
        return (
            f"{unknown} the carrier did not answer, and somebody in the group has opted out since, so it is not tried "
            "again. Write it anew for the others if no mark says that it arrived."
        )
    name = escape_sms(wording.name_parties(parties, region))
    return f"{unknown} the carrier did not answer, and {name} has opted out since, so it is not tried again."
