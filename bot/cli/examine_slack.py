"""What `doctor` looks at in Slack: the token, what it may do, and the channels."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Sequence

from bot.cli.examine_here import judge_clock
from bot.cli.findings import Finding, ok, warn, wrong
from bot.clock import Clock
from bot.domain.ids import ChannelId
from bot.gateways.checks import Answer, Probe, ask_channel, ask_group_members, ask_groups, ask_who_we_are
from bot.settings import Settings

_TOKEN = "SLACK_BOT_TOKEN"  # noqa: S105 - a setting's name
_SECRET_FORM = re.compile(r"[0-9a-f]{32}")
_REINSTALL = "Reinstall the app: api.slack.com/apps, your app, OAuth & Permissions, Reinstall to Workspace."
_COPY_IT = (
    "Copy the Bot User OAuth Token from api.slack.com/apps, your app, OAuth & Permissions; "
    "if the app was removed from the workspace, install it again there first."
)


async def examine_slack(settings: Settings, scopes: Iterable[str], clock: Clock) -> AsyncIterator[Finding]:
    """Yield what is found; *scopes* are those that the bridge needs. Raises RetryLater when Slack is not there."""
    yield _judge_secrets(settings.slack_signing_secrets)
    async with Probe(settings.slack_api_url, token=settings.slack_bot_token.get_secret_value()) as slack:
        answer = await ask_who_we_are(slack)
        for finding in judge_clock("Slack", answer, clock):
            yield finding
        if answer.body.get("ok") is not True:
            yield _judge_refusal(answer)
            return
        if not answer.body.get("bot_id"):
            yield wrong(_TOKEN, "it is not a bot's token.", _COPY_IT)
            return
        yield ok(_TOKEN, f"it works: {answer.body.get('user')} in {answer.body.get('team')}.")
        yield _judge_scopes(answer, scopes)
        if settings.senders is not None:
            yield await _examine_senders(slack, settings.senders)
        for number, channel in settings.channels_by_number.items():
            variable = "SLACK_CHANNEL" if number == settings.telnyx_phone_number else "NUMBER_CHANNELS"
            yield _judge_channel(variable, channel, await ask_channel(slack, ChannelId(channel)))


def _judge_secrets(secrets: Sequence[str]) -> Finding:
    about = "SLACK_SIGNING_SECRET"
    if all(_SECRET_FORM.fullmatch(secret) for secret in secrets):
        return ok(about, "it has the right form; only a request from Slack can prove it.")
    return warn(
        about,
        "it does not look like one, which is 32 digits from 0 to f.",
        "Copy it from api.slack.com/apps, your app, Basic Information, App Credentials.",
    )


def _judge_refusal(answer: Answer) -> Finding:
    match answer.trouble:
        case "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive":
            return wrong(_TOKEN, f"Slack refuses it ({answer.trouble}).", _COPY_IT)
        case "ratelimited" | "HTTP 429":
            return warn(_TOKEN, "not checked: Slack asks for patience.", "Run this again in a minute.")
        case trouble:
            return wrong(
                _TOKEN, f"Slack did not answer the question ({trouble}).", "Check SLACK_API_URL, or try again later."
            )


def _judge_scopes(answer: Answer, scopes: Iterable[str]) -> Finding:
    about = "Slack scopes"
    if answer.scopes is None:
        return warn(about, "Slack does not say which the token has.", "Compare them with app.yaml.")
    missing = sorted(set(scopes) - answer.scopes)
    if missing:
        add = (
            f"Add {', '.join(missing)} under OAuth & Permissions (or paste `python -m bot manifest` into App Manifest)."
        )
        return wrong(about, f"the app has not been granted {', '.join(missing)}.", f"{add} {_REINSTALL}")
    return ok(about, "all that the bridge needs are granted.")


async def _examine_senders(slack: Probe, named: str) -> Finding:
    about = f"SENDERS {named}"
    answer = await ask_groups(slack)
    if answer.body.get("ok") is not True:
        return _judge_groups_refusal(about, answer)
    groups = [each for each in answer.body.get("usergroups") or () if named in (each.get("id"), each.get("handle"))]
    if not groups:
        return wrong(
            about,
            "this workspace has no such user group, or it is disabled, so nobody may text.",
            "Copy its handle from Slack, People, User groups; or leave SENDERS empty: then every full member may.",
        )
    members = await ask_group_members(slack, str(groups[0]["id"]))
    if members.body.get("ok") is not True:
        return _judge_groups_refusal(about, members)
    count = len(members.body.get("users") or ())
    if not count:
        return wrong(about, f"nobody is in @{groups[0].get('handle')}, so nobody may text.", "Put people in it.")
    return ok(about, f"{count} {'person' if count == 1 else 'people'} in @{groups[0].get('handle')} may text.")


def _judge_groups_refusal(about: str, answer: Answer) -> Finding:
    if answer.trouble == "missing_scope":
        return wrong(about, "the token may not read user groups, so nobody may text.", _REINSTALL)
    if answer.trouble in ("paid_teams_only", "plan_upgrade_required"):
        return wrong(
            about,
            "this workspace's plan has no user groups, so nobody may text.",
            "Leave SENDERS empty: then every full member may.",
        )
    return warn(about, f"not checked ({answer.trouble}).", "Run this again in a minute.")


def _judge_channel(variable: str, channel: str, answer: Answer) -> Finding:
    found = answer.body.get("channel")
    if answer.body.get("ok") is not True or not isinstance(found, dict):
        if answer.trouble == "channel_not_found":
            return wrong(
                f"{variable} {channel}",
                "there is no such channel that the bot can see.",
                "Copy the id from the channel's details, at the very bottom; if it is private, /invite the bot there.",
            )
        if answer.trouble == "missing_scope":
            return wrong(f"{variable} {channel}", "the token may not read channels.", _REINSTALL)
        return warn(f"{variable} {channel}", f"not checked ({answer.trouble}).", "Run this again in a minute.")
    about = f"{variable} #{found.get('name')} ({channel})"
    if found.get("is_archived"):
        return wrong(about, "it is archived.", "Unarchive it in Slack, or name another channel.")
    if not found.get("is_member"):
        return warn(
            about,
            "the bot is not in it; it joins by itself with the first text, and hears nothing until then.",
            "Type /invite @Textbridge there.",
        )
    if found.get("is_ext_shared") or found.get("is_pending_ext_shared"):
        return warn(
            about,
            "it is shared with another organisation, whose people read what customers write.",
            "Use a channel of your own, unless that is meant.",
        )
    return ok(about, "it is there and the bot is in it.")
