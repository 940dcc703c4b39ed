"""The Account section of the Home tab: what administrators see of the carrier account, and the buttons to change it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from bot.domain.account import AccountView, DayCount, Record, describe_abilities, draw_bar, points_to
from bot.domain.actions import Action
from bot.domain.phone import Address, is_phone, parse_address
from bot.domain.policy import Policy
from bot.flows.wording import button, header, name_address, section
from bot.ports import Block
from bot.text.escape import escape_sms

#: A list that is longer is cut: the shell has the rest.
_MOST_LINES: Final = 20


def show_looking() -> list[Block]:
    """Return what stands in the section's place while the carrier is being asked."""
    return [header("Account"), section("⏳ Looking at the Telnyx account…")]


def show_account(view: AccountView, policy: Policy, webhook_url: str | None) -> list[Block]:
    """Return the section."""
    blocks = [
        header("Account"),
        *_show_profile(view, webhook_url),
        section(_list_numbers(view, policy)),
        section(_list_others(view)),
        section(_tell_money(view)),
        section(_draw(view.days)),
        section(_tell_pulse(view)),
    ]
    if view.missing:
        missing = "\n".join(f"• {escape_sms(what)}: {escape_sms(why)}" for what, why in view.missing.items())
        blocks.append(section(f"⚠️ *Could not be had*\n{missing}"))
    buttons = [button("Look again", Action.LOOK_AGAIN, "account")]
    if view.profile is not None:
        buttons = [
            button("Profile settings", Action.EDIT_PROFILE, "account"),
            button("Automatic answers", Action.EDIT_ANSWERS, "account"),
            button("Sender names", Action.EDIT_NAMES, "account"),
            button("Short codes", Action.EDIT_CODES, "account"),
            *buttons,
        ]
    blocks.append({"type": "actions", "elements": buttons})
    seen = f"<!date^{int(view.seen_at.timestamp())}^Seen {{date_short_pretty}} at {{time}}|Seen just now>"
    blocks.append(
        {"type": "context", "elements": [{"type": "mrkdwn", "text": f"{seen}. The rest: `python -m bot carrier`"}]}
    )
    return blocks


def _show_profile(view: AccountView, webhook_url: str | None) -> list[Block]:
    if view.profile is None:
        return []
    profile = view.profile
    state = "on" if profile.get("enabled", True) else "*switched off: nothing is sent* ⛔"
    here = points_to(profile, webhook_url)
    where = escape_sms(str(profile.get("webhook_url") or "nowhere"))
    pointing = {
        True: "✅ points here",
        False: f"⚠️ *points elsewhere*, so texts do not arrive here: {where}",
        None: f"points to {where} (set PUBLIC_URL to have it compared)",
    }[here]
    version = str(profile.get("webhook_api_version") or "2")
    warning = "" if version == "2" else f"\n⚠️ Webhook API version is {escape_sms(version)}; Textbridge reads version 2."
    text = f"*Profile* {escape_sms(str(profile.get('name') or ''))}, {state}\n*Webhook* {pointing}{warning}"
    block: dict[str, Any] = section(text)
    if here is False:
        block["accessory"] = button(
            "Point it here",
            Action.POINT_WEBHOOK,
            "account",
            confirm=(
                "Point the webhook here?",
                "Texts and receipts of this profile then come to this Textbridge and nowhere else.",
                "Point it here",
            ),
        )
    return [block]


def _list_numbers(view: AccountView, policy: Policy) -> str:
    if view.numbers is None:
        return "*Numbers* not known"
    lines = [
        _describe_number(number, parse_address(str(number.get("phone_number"))), policy)
        for number in view.numbers
        if is_phone(str(number.get("phone_number") or ""))
    ]
    return "*Numbers*\n" + ("\n".join(_cut(lines)) or "None on this account.")


def _describe_number(number: Record, address: Address, policy: Policy) -> str:
    abilities = describe_abilities(number, has_whatsapp=address in policy.whatsapp_numbers)
    if not number.get("messaging_profile_id"):
        return f"• {escape_sms(name_address(address, policy.region))}: on no profile, so it gets no texts ⚠️"
    usual = "" if address in policy.our_numbers else " (not in NUMBER_CHANNELS)"
    channel = policy.choose_channel(address)
    return f"• {escape_sms(name_address(address, policy.region))}: {abilities} · arrives in <#{channel}>{usual}"


def _list_others(view: AccountView) -> str:
    codes = [str(code.get("short_code") or "") for code in view.short_codes or ()]
    names = [str(name.get("alphanumeric_sender_id") or "") for name in view.names or ()]
    if view.profile is not None and view.profile.get("alpha_sender"):
        names.append(str(view.profile["alpha_sender"]))
    answers = [
        f"{'/'.join(str(word) for word in answer.get('keywords') or ())} ({answer.get('country_code') or '*'})"
        for answer in view.autoresponses or ()
    ]
    rows = (
        ("Sender names", names if view.names is not None else None),
        ("Short codes", codes if view.short_codes is not None else None),
        ("Automatic answers", answers if view.autoresponses is not None else None),
    )
    lines = [
        f"*{title}* {'not known' if found is None else escape_sms(', '.join(_cut(found))) or 'none'}"
        for title, found in rows
    ]
    pool = None if view.profile is None else view.profile.get("number_pool_settings")
    lines.append(f"*Number pool* {_describe_pool(pool)}")
    lines.append(f"*Opt-outs* {view.optouts} (`/optouts` lists them)")
    return "\n".join(lines)


def _describe_pool(pool: Any) -> str:
    if not isinstance(pool, dict):
        return "off"
    extras = [word for key, word in (("sticky_sender", "sticky sender"), ("geomatch", "geomatch")) if pool.get(key)]
    return "on" + (f", {', '.join(extras)}" if extras else "")


def _tell_money(view: AccountView) -> str:
    spent = "not known"
    if view.spending is not None:
        least = "" if view.spending.is_whole else "at least "
        spent = f"{least}{view.spending.amount:.2f} {escape_sms(view.spending.currency)} for what was sent"
    limit = "none"
    if view.profile is not None and view.profile.get("daily_spend_limit_enabled"):
        limit = f"{escape_sms(str(view.profile.get('daily_spend_limit') or '?'))} USD a day"
    return f"*Today (UTC)* {spent}\n*Spend limit* {limit}"


def _draw(days: Sequence[DayCount]) -> str:
    most = max((day.total for day in days), default=0)
    title = "*What became of our texts* (UTC)\n"
    if not most:
        return f"{title}None were sent in the last {len(days)} days."
    lines = []
    for day in reversed(days):
        numbers = [
            f"{count} {word}"
            for count, word in (
                (day.delivered, "delivered"),
                (day.failed, "failed"),
                (day.unconfirmed, "unconfirmed"),
                (day.under_way, "on the way"),
            )
            if count
        ]
        lines.append(f"`{day.day:%a %d %b}` {draw_bar(day, most)} {', '.join(numbers) or '·'}")
    return title + "\n".join(lines)


def _tell_pulse(view: AccountView) -> str:
    pulse = view.pulse
    late = (
        ""
        if pulse.oldest < timedelta(minutes=1)
        else f", the oldest due for {int(pulse.oldest.total_seconds() // 60)} min"
    )
    parked = f"\n⚠️ {pulse.parked} given up: `python -m bot queue` shows them" if pulse.parked else ""
    troubles = "".join(f"\n⚠️ {escape_sms(part)}: {escape_sms(problem)}" for part, problem in pulse.troubles.items())
    jobs = (
        "nothing waits" if not pulse.waiting else "1 job waits" if pulse.waiting == 1 else f"{pulse.waiting} jobs wait"
    )
    state = "⚠️ in trouble" if pulse.troubles else "well"
    return f"*Textbridge* {state} · {jobs}{late}{parked}{troubles}"


def _cut(lines: Sequence[str]) -> list[str]:
    left = len(lines) - _MOST_LINES
    return list(lines) if left <= 0 else [*lines[:_MOST_LINES], f"… and {left} more"]
