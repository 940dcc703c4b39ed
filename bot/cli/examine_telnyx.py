"""What `doctor` looks at at the carrier: the key, our numbers, and the messaging profiles that they are on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from bot.cli.examine_here import judge_clock
from bot.cli.examine_traffic import RECENT, judge_traffic
from bot.cli.findings import Finding, ok, warn, wrong
from bot.clock import Clock
from bot.domain.account import name_same_place
from bot.domain.phone import Address
from bot.gateways.checks import Answer, Probe, ask_number, ask_profile, ask_profiles, ask_public_key, ask_records
from bot.settings import Settings

_KEY = "TELNYX_API_KEY"
_PUBLIC_KEY = "TELNYX_PUBLIC_KEY"
_PROFILE_ID = "TELNYX_MESSAGING_PROFILE_ID"
_PORTAL = "portal.telnyx.com, Messaging, Programmable Messaging"


async def examine_telnyx(settings: Settings, webhook_base: str | None, clock: Clock) -> AsyncIterator[Finding]:
    """Yield what is found; *webhook_base*: where the carrier reaches us. Raises RetryLater when it is not there."""
    async with Probe(settings.telnyx_api_url, token=settings.telnyx_api_key.get_secret_value()) as telnyx:
        answer = await ask_profiles(telnyx)
        for finding in judge_clock("Telnyx", answer, clock):
            yield finding
        if answer.status != 200 or not isinstance(answer.data, list):  # noqa: PLR2004 - HTTP's word for yes
            yield _judge_refusal(answer)
            return
        yield ok(_KEY, "it works.")
        yield _judge_public_key(settings.telnyx_public_keys, await ask_public_key(telnyx))
        profiles = dict.fromkeys(filter(None, [settings.telnyx_messaging_profile_id]))
        for number in settings.channels_by_number:
            found = _find_number(number, await ask_number(telnyx, Address(number)))
            for finding in _judge_number(settings, number, found):
                yield finding
            if found and found.get("messaging_profile_id"):
                profiles[str(found["messaging_profile_id"])] = None
        for profile_id in profiles:
            answer = await ask_profile(telnyx, profile_id)
            for finding in _judge_profile(settings, profile_id, answer, webhook_base):
                yield finding
        for finding in _judge_whatsapp(settings):
            yield finding
        for finding in judge_traffic(await ask_records(telnyx, since=clock.now() - RECENT)):
            yield finding


def _judge_refusal(answer: Answer) -> Finding:
    if answer.status in (401, 403):
        return wrong(
            _KEY, f"Telnyx refuses it ({answer.trouble}).", "Make a new one at portal.telnyx.com, API Keys, and set it."
        )
    if answer.status == 429:  # noqa: PLR2004 - too many requests
        return warn(_KEY, "not checked: Telnyx asks for patience.", "Run this again in a minute.")
    return wrong(
        _KEY, f"Telnyx did not answer the question ({answer.trouble}).", "Check TELNYX_API_URL, or try again later."
    )


def _judge_public_key(ours: Sequence[str], answer: Answer) -> Finding:
    theirs = answer.data.get("public") if isinstance(answer.data, Mapping) else None
    if not isinstance(theirs, str) or not theirs:
        return ok(_PUBLIC_KEY, "it has the right form (Telnyx does not tell its own, so it was not compared).")
    if theirs.strip() in ours:
        return ok(_PUBLIC_KEY, "it is the account's.")
    return wrong(
        _PUBLIC_KEY,
        "it is not the account's: every webhook would be refused.",
        "Copy it from portal.telnyx.com, Keys & Credentials, Public Key.",
    )


def _find_number(number: str, answer: Answer) -> Mapping[str, Any] | None:
    rows = answer.data if isinstance(answer.data, list) else []
    return next((row for row in rows if isinstance(row, Mapping) and row.get("phone_number") == number), None)


def _judge_number(settings: Settings, number: str, found: Mapping[str, Any] | None) -> Iterator[Finding]:
    about = f"{'TELNYX_PHONE_NUMBER' if number == settings.telnyx_phone_number else 'NUMBER_CHANNELS'} {number}"
    if found is None:
        yield wrong(about, "it is not on this account.", "Check its digits and the key, or buy it under Numbers.")
        return
    profile_id = found.get("messaging_profile_id")
    if not profile_id:
        yield wrong(
            about,
            "it is on no messaging profile, so it neither sends nor receives.",
            "Assign one at portal.telnyx.com, Numbers, My Numbers, the number, Messaging.",
        )
    elif settings.telnyx_messaging_profile_id not in (None, profile_id):
        yield wrong(
            about,
            f"it is on another profile than {_PROFILE_ID}: sends from it are refused.",
            f"Assign the number to that profile, or set {_PROFILE_ID}={profile_id}.",
        )
    abilities = found.get("features")
    if not isinstance(abilities, Mapping):
        yield ok(about, "it is on the account (Telnyx does not tell what it can do).")
    elif not abilities.get("sms"):
        yield wrong(about, "it cannot send texts.", "Order a number with SMS.")
    elif not abilities.get("mms"):
        yield warn(about, "it sends texts but no pictures.", "Order a number with MMS if you need them.")
    elif profile_id:
        yield ok(about, "it is on the account, with SMS and MMS.")


def _judge_whatsapp(settings: Settings) -> Iterator[Finding]:
    for number in settings.whatsapp_numbers:
        if number not in settings.channels_by_number:
            yield warn(
                f"WHATSAPP_NUMBERS {number}",
                "it is not among our numbers: what comes to it arrives in SLACK_CHANNEL.",
                "Add it to NUMBER_CHANNELS with the channel where it should arrive.",
            )


def _judge_profile(settings: Settings, profile_id: str, answer: Answer, webhook_base: str | None) -> Iterator[Finding]:
    profile = answer.data
    if answer.status != 200 or not isinstance(profile, Mapping):  # noqa: PLR2004
        yield wrong(
            f"{_PROFILE_ID} {profile_id}",
            f"there is no such profile on this account ({answer.trouble}).",
            f"Copy its id from {_PORTAL}.",
        )
        return
    about = f"profile {profile.get('name') or profile_id}"
    before = f"Open the profile at {_PORTAL}"
    problems = [
        *_judge_webhook(about, before, profile, webhook_base),
        *_judge_contents(about, before, profile),
        *_judge_destinations(about, before, profile, settings.default_region),
    ]
    yield from problems
    if not problems:
        yield ok(about, "it is enabled and reports to this bridge.")
    if profile.get("smart_encoding"):
        yield ok(about, "smart encoding is on: Telnyx writes curly quotes and dashes plainly, which saves parts.")


def _judge_webhook(about: str, before: str, profile: Mapping[str, Any], base: str | None) -> Iterator[Finding]:
    said = str(profile.get("webhook_url") or "")
    if base is None:
        if not said:
            yield wrong(
                about,
                "it has no webhook address: texts do not arrive.",
                f"{before}, and set https://…/webhooks/telnyx.",
            )
        else:
            yield warn(about, "its webhook address was not compared.", "Set PUBLIC_URL.")
    elif not name_same_place(said, f"{base}/webhooks/telnyx"):
        shown = f"its webhook address is {said}" if said else "it has no webhook address"
        yield wrong(about, f"{shown}: texts do not arrive here.", f"{before}, and set {base}/webhooks/telnyx.")
    version = str(profile.get("webhook_api_version") or "2")  # as it is where nothing is said
    if version != "2":
        yield wrong(about, f"its webhooks speak version {version}.", f"{before}, and choose Webhook API Version 2.")


def _judge_contents(about: str, before: str, profile: Mapping[str, Any]) -> Iterator[Finding]:
    if profile.get("enabled") is False:
        yield wrong(about, "it is disabled: nothing is sent.", f"{before}, and enable it.")
    if profile.get("redaction_enabled"):
        yield wrong(
            about, "redaction is on: texts and numbers arrive blacked out.", f"{before}, and switch redaction off."
        )
    if profile.get("ai_assistant_id"):
        yield wrong(
            about, "an AI assistant answers its customers before you do.", f"{before}, and remove the assistant."
        )


def _judge_destinations(about: str, before: str, profile: Mapping[str, Any], region: str) -> Iterator[Finding]:
    allowed = profile.get("whitelisted_destinations", ["*"])  # not told: not judged
    if not isinstance(allowed, list) or not allowed:
        yield wrong(about, "no country is allowed as a destination: every send is refused.", f"{before}, and add some.")
    elif "*" not in allowed and region not in allowed:
        yield warn(
            about,
            f"texts to {region} (DEFAULT_REGION) are refused: only {', '.join(map(str, allowed))} allowed.",
            f"{before}, Outbound, Allowed Destinations, and add {region}.",
        )
