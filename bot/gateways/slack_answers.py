"""
What Slack's answers mean for the next step: whether nothing happened, something may have, or Slack said no.

Slack has more error words than it documents, and gets new ones. One that we do not know may mend itself, so it counts as
a refusal that is tried again for a while; see `bot.errors.SlackRefused`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.errors import (
    Busy,
    ChannelUnusable,
    NotGranted,
    OutcomeUnknown,
    RetryLater,
    SlackRefused,
    TextbridgeError,
    ThreadGone,
)

_CHANNEL_ERRORS = frozenset(
    {"is_archived", "channel_not_found", "not_in_channel", "channel_is_archived", "restricted_action_thread_locked"}
)
#: About what was to stand in a thread: its root is gone, or can have no replies.
_THREAD_ERRORS = frozenset(
    {"thread_not_found", "message_not_found", "cannot_reply_to_message", "invalid_thread_ts", "thread_ts_not_found"}
)
#: The token is wrong now and may be replaced: wait, lose nothing.
_ACCESS_ERRORS = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "org_login_required",
        "access_denied",
    }
)
#: What the app or its workspace lacks, to post at all or into this channel, or for another call: somebody mends it, and
#: the texts wait.
_GRANT_ERRORS = frozenset(
    {
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "team_access_not_granted",
        "ekm_access_denied",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
    }
)
_BUSY_ERRORS = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
#: Slack's own trouble: some of it may have succeeded.
_TROUBLE_ERRORS = frozenset(
    {"internal_error", "fatal_error", "request_timeout", "service_unavailable", "team_added_to_org"}
)
#: What is wrong with the post itself, and stays so (docs.slack.dev, chat.postMessage).
_FORM_ERRORS = frozenset(
    {
        "invalid_arguments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "markdown_text_conflict",
        "metadata_too_large",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "too_many_attachments",
        "too_many_blocks",
    }
)
_ACCESS_WAIT = timedelta(seconds=5)


def judge_in_thread(error: SlackRefused) -> SlackRefused:
    """Return what *error* means for something that was to stand in a thread."""
    return ThreadGone(method=error.method, error=error.error) if error.error in _THREAD_ERRORS else error


def judge(error: Exception, method: str, *, repeatable: bool) -> TextbridgeError:
    """Return what *error* means for the next step."""
    if isinstance(error, SlackApiError):
        return _judge_answer(error, method, repeatable=repeatable)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return RetryLater(f"Slack cannot be reached for {method}: {type(error).__name__}")
    log = f"Slack's answer to {method} never came: {type(error).__name__}"
    return RetryLater(log) if repeatable else OutcomeUnknown(log)


def _judge_answer(error: SlackApiError, method: str, *, repeatable: bool) -> TextbridgeError:
    response = error.response
    status = getattr(response, "status_code", 200)
    headers = getattr(response, "headers", None) or {}
    data = getattr(response, "data", None)
    word = data.get("error") if isinstance(data, Mapping) else None
    if status == 429 or word in _BUSY_ERRORS:  # noqa: PLR2004
        return Busy(f"Slack asks for patience with {method}", after=_read_retry_after(headers), code=word)
    if word in _ACCESS_ERRORS:
        return RetryLater(f"Slack refuses the token: {word}", after=_ACCESS_WAIT)
    if word in _GRANT_ERRORS and method == "chat.postMessage":
        return RetryLater(f"Slack lets us post nothing: {word}")
    if status >= 500 or word is None or word in _TROUBLE_ERRORS:  # noqa: PLR2004
        log = f"Slack answered {method} with HTTP {status}, {word or 'no word'}"
        return RetryLater(log) if repeatable else OutcomeUnknown(log)
    if word in _CHANNEL_ERRORS:
        return ChannelUnusable(method=method, error=word)
    if word in _GRANT_ERRORS:
        return NotGranted(method=method, error=word)
    is_known = method != "chat.postMessage" or word in _FORM_ERRORS
    return SlackRefused(method=method, error=str(word), is_known=is_known)


def _read_retry_after(headers: Mapping[str, Any]) -> timedelta:
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "1")
    try:
        return timedelta(seconds=min(max(float(value), 0.1), 3600.0))
    except (TypeError, ValueError):
        return timedelta(seconds=1)
