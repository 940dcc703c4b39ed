"""
Every sentence that people read in Slack, and how it is laid out.

`text` is what notifications and screen readers have; `blocks` what everybody else sees. Customers' words go in as rich
text, which Slack takes literally. Our own sentences are mrkdwn, with everything that is not ours escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.actions import Action
from bot.domain.carrier_codes import Explanation
from bot.domain.contact import Contact
from bot.domain.conversation import POOL, Conversation, Medium, Parties, is_one_way
from bot.domain.ids import ChannelId, MessageId, SlackTs
from bot.domain.phone import Address, is_phone, national_form
from bot.ports import Block
from bot.text.escape import escape_sms, split_for_slack, text_blocks

Words = tuple[str, list[Block]]
#: Slack takes 3,000 characters in a section.
_LONGEST_SECTION = 2990

#: The blocks of a card that say who the customers are, and which clock is theirs; by them they are found again.
HEADING_BLOCK = "who"
CONTACT_BLOCK = "contact"


def name_address(address: str, region: str) -> str:
    """Return how people of *region* write *address*, with its E.164 where that differs: `(415) 555-0101`."""
    return national_form(address, region) if is_phone(address) else address


def name_parties(parties: Parties, region: str) -> str:
    """Return the customers' numbers as one would say them."""
    return ", ".join(name_address(address, region) for address in parties.theirs)


def _name_in_full(address: str, region: str) -> str:
    short = name_address(address, region)
    return short if short == address else f"{short} ({address})"


def line(sentence: str, buttons: Sequence[Block] = ()) -> Words:
    """Return a line of our own, or several. *sentence* is mrkdwn; what is not ours in it must be escaped."""
    blocks: list[Block] = [section(part) for part in split_for_slack(sentence, _LONGEST_SECTION)]
    if buttons:
        blocks.append({"type": "actions", "elements": list(buttons)})
    return sentence, blocks


def header(text: str) -> Block:
    """Return the heading of a part of the Home tab; *text* is plain."""
    return {"type": "header", "text": {"type": "plain_text", "text": text}}


def section(text: str) -> dict[str, Any]:
    """Return a paragraph. *text* is mrkdwn, cut at what Slack takes."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:_LONGEST_SECTION], "verbatim": True}}


def button(
    label: str, action: Action, value: str, *, style: str | None = None, confirm: tuple[str, str, str] | None = None
) -> Block:
    """Return a button; *confirm* is a question asked first: its title, its text, and the word on its yes."""
    found: dict[str, Any] = {
        "type": "button",
        "text": {"type": "plain_text", "text": label},
        "action_id": action.value,
        "value": value,
    }
    if style:
        found["style"] = style
    if confirm:
        title, question, yes = confirm
        found["confirm"] = {
            "title": {"type": "plain_text", "text": title},
            "text": {"type": "plain_text", "text": question},
            "confirm": {"type": "plain_text", "text": yes},
            "deny": {"type": "plain_text", "text": "No"},
        }
    return found


def card_heading(conversation: Conversation, *, region: str, contacts: Mapping[Address, Contact]) -> tuple[str, Block]:
    """Return who the customers are, as a text and as the first block of the card, with a button to say more of them."""
    parties = conversation.parties
    sign = "🟢" if parties.medium is Medium.WHATSAPP else "📱"
    names = []
    for address in parties.theirs:
        number, contact = _name_in_full(address, region), contacts.get(address)
        names.append(f"{contact.name} · {number}" if contact is not None and contact.name else number)
    heading = escape_sms(", ".join(names))
    block: dict[str, Any] = {
        "type": "section",
        "block_id": HEADING_BLOCK,
        "text": {"type": "mrkdwn", "text": f"{sign} *{heading}*", "verbatim": True},
    }
    if not parties.is_group and is_phone(parties.theirs[0]):
        block["accessory"] = button("Contact", Action.CONTACT, parties.theirs[0])
    return f"{sign} {heading}", block


def zone_line(contacts: Mapping[Address, Contact]) -> Block | None:
    """Return the line of a card that says which clocks were set for its people; None where none was."""
    zones = sorted({contact.zone for contact in contacts.values() if contact.zone})
    if not zones:
        return None
    named = ", ".join(escape_sms(zone.replace("_", " ")) for zone in zones)
    return {**context(f"🕘 Their time zone: {named}"), "block_id": CONTACT_BLOCK}


def describe_contact(name: str | None, zone: str | None) -> str:
    """Return what is known of somebody, after a colon."""
    known = [f"*{escape_sms(name)}*"] if name else []
    if zone:
        known.append(f"their clock is that of {escape_sms(zone.replace('_', ' '))}")
    else:
        known.append("their clock is that of their number")
    return ", ".join(known)


def contact_changed(address: str, region: str, *, name: str | None, zone: str | None, by: str) -> Words:
    """Return the line that tells the thread what is known of a customer by now."""
    who = escape_sms(name_address(address, region))
    return line(f"📇 <@{by}> noted who {who} is: {describe_contact(name, zone)}.")


def card(
    conversation: Conversation,
    *,
    region: str,
    several_numbers: bool,
    workspace_url: str | None,
    content: Words | None,
    contacts: Mapping[Address, Contact],
) -> Words:
    """Return the root of a thread: who it is, our number where there are several, and what was said first."""
    parties = conversation.parties
    details = []
    on_whatsapp = parties.medium is Medium.WHATSAPP
    if on_whatsapp:
        details.append("WhatsApp")
    if parties.is_group:
        details.append(f"Group of {len(parties.theirs)}")
    if several_numbers or not is_phone(parties.ours):
        ours = "the number pool" if parties.ours == POOL else _name_in_full(parties.ours, region)
        details.append(f"Our number: {ours}" if is_phone(parties.ours) else f"From {ours}")
    if workspace_url and conversation.previous_channel_id and conversation.previous_thread_ts:
        link = permalink(workspace_url, conversation.previous_channel_id, conversation.previous_thread_ts)
        details.append(f"Continues <{link}|an earlier thread>")
    if not parties.can_be_texted:
        details.append("It cannot be texted back.")
    elif on_whatsapp:
        details.append("Reply in this thread to write back.")
    else:
        details.append("Reply in this thread to text back.")
    if is_one_way(parties):
        details.append("They cannot answer a name: texts go out only.")
    text, heading = card_heading(conversation, region=region, contacts=contacts)
    blocks: list[Block] = [heading]
    if content is not None:
        content_text, content_blocks = content
        blocks.extend(content_blocks)
        text = f"{text}: {content_text}"
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": " · ".join(details), "verbatim": True}]})
    zones = zone_line(contacts)
    return text, [*blocks, zones] if zones else blocks


def permalink(workspace_url: str, channel_id: ChannelId, ts: SlackTs) -> str:
    """Return the address of a message, in the form that Slack itself gives out."""
    return f"{workspace_url}archives/{channel_id}/p{ts.replace('.', '')}"


def customer_text(part: str, *, sender: str | None, has_media: bool) -> Words:
    """Return what a customer wrote, exactly; *sender*, the number in words, where a group leaves it open who it was."""
    if part.strip():
        text, blocks = escape_sms(part), _rich(part)
    else:
        nothing = "sent a picture or file" if has_media else "sent an empty text"
        text, blocks = f"({nothing})", [context(f"_{nothing}_")]
    if sender is not None:
        return f"{escape_sms(sender)}: {text}", [context(f"*{escape_sms(sender)}*"), *blocks]
    return text, list(blocks)


def recovered(words: Words) -> Words:
    """Return *words* with a line above that says why they come so late."""
    text, blocks = words
    return text, [context("🛟 _Recovered: this came while Textbridge could not be reached._"), *blocks]


def our_text(part: str, *, author: str, number: int, note: str = "texted") -> Words:
    """Return a text of ours that was not written in the thread, with who sent it above."""
    if not part.strip():
        return f"{escape_sms(author)} sent a picture or file", [
            context(f"*{escape_sms(author)}* sent a picture or file")
        ]
    blocks = _rich(part)
    if number:
        return escape_sms(part), blocks
    return f"{escape_sms(author)}: {escape_sms(part)}", [context(f"*{escape_sms(author)}* {note}"), *blocks]


def _rich(part: str) -> list[Block]:
    return list(text_blocks(part))


def context(text: str) -> Block:
    """Return a line in small letters; *text* is mrkdwn."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def failure(explanation: Explanation, *, code: str, title: str | None, recipient: str | None) -> Words:
    """Return the line under a text that did not arrive: why, the code, and what to do."""
    whom = f" to {escape_sms(recipient)}" if recipient else ""
    carrier = f"{code}: {title}" if title else code
    return line(
        f"❌ Not delivered{whom}. {escape_sms(explanation.sentence)} {escape_sms(explanation.next_step)} "
        f"_(Telnyx {escape_sms(carrier)})_"
    )


def unsettled(message_id: MessageId, text: str) -> Words:
    """Return the line under a text of which nobody knows whether it went out."""
    return line(
        f"⚠️ It is not known whether this text went out: “{escape_sms(shorten(text))}”. The carrier does not answer, and no "
        "receipt has come. It is still being settled; nobody is texted twice unless you say so.",
        [
            button("Check", Action.CHECK, message_id),
            button(
                "Send again",
                Action.SEND_AGAIN,
                message_id,
                style="danger",
                confirm=("Send again?", "If the first one did go out, they get it twice.", "Send again"),
            ),
        ],
    )


def only_a_name(parties: Parties) -> str:
    """Return why nothing can be sent to somebody who texts from a name."""
    return (
        f"🚫 Not sent: {escape_sms(', '.join(parties.theirs))} is a sender name without a number behind it, so nobody can "
        "text it back."
    )


def too_long(parts: int, units: int, unicode_text: bool) -> str:  # noqa: FBT001 - one word of a sentence
    """Return why a long text was not sent."""
    why = " (with an emoji or a curly quote in it a part holds 67 characters instead of 153)" if unicode_text else ""
    return (
        f"🚫 Not sent: it has {units} characters and would take {parts} parts{why}; the carrier sends at most 10. "
        "Please shorten it."
    )


def too_long_for_whatsapp(characters: int, most: int) -> str:
    """Return why a long WhatsApp message was not sent."""
    return f"🚫 Not sent: it has {characters:,} characters; WhatsApp takes at most {most:,}. Please shorten it."


def not_a_member(reason: str) -> str:
    """Return why somebody's reply was not sent; *reason* says who they are."""
    return f"🚫 Not sent: {reason}. Only full members of this workspace can text customers; ask one of them to send it."


def unseen_author() -> str:
    """Return why somebody's reply was not sent: Slack does not tell the app who they are."""
    return (
        "🚫 Not sent: Slack does not let the app see who you are, and only full members of this workspace can text "
        "customers. Ask whoever runs Textbridge to install the app again from its manifest, then send it again."
    )


def not_a_sender(group: str, *, exists: bool) -> str:
    """Return why a full member's text was not sent: they are not in the user group whose members alone may text."""
    if not exists:
        return (
            f"🚫 Not sent: only members of one user group may text customers, and Slack knows no group “{escape_sms(group)}” "
            "or does not show it. Ask whoever runs Textbridge to mend `SENDERS`."
        )
    return (
        f"🚫 Not sent: only members of the user group @{escape_sms(group)} may text customers. Ask one of them to send it, "
        "or an admin of this workspace to put you in it."
    )


def quote(text: str) -> str:
    """Return *text*, escaped, as a quotation in mrkdwn."""
    return "\n".join(f"> {line}" for line in escape_sms(text).splitlines() or [""])


def shorten(text: str, most: int = 80) -> str:
    """Return *text* in one line of at most *most* characters, with an ellipsis where it was cut. For quoting only."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"
