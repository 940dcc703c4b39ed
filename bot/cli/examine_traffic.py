"""What `doctor` reads out of the carrier's records of the last texts: registrations that are missing, webhooks that fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from bot.cli.findings import Finding, ok, warn
from bot.domain.carrier_codes import FailureKind, explain_code
from bot.gateways.checks import Answer

#: How far back is looked.
RECENT: Final = timedelta(days=7)
#: Failures that come from how the account is set up, and so will come again.
_OF_THE_ACCOUNT: Final = (FailureKind.ACCOUNT, FailureKind.SPEND_LIMIT)
_FROM_OUTSIDE: Final = "our address, from outside"


def judge_traffic(answer: Answer) -> Iterator[Finding]:
    """Yield what the records of the last texts tell; nothing where there are none, or where they cannot be had."""
    rows = answer.data if isinstance(answer.data, list) else []
    records = [row for row in rows if isinstance(row, Mapping)]
    yield from _judge_failures([row for row in records if row.get("direction") == "outbound"])
    yield from _judge_webhooks([row for row in records if row.get("direction") == "inbound"])


def _judge_failures(sent: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    codes = Counter(str(_read_code(error)) for row in sent for error in row.get("errors") or ())
    for code, count in codes.most_common():
        explanation = explain_code(code, None, None)
        if explanation.kind in _OF_THE_ACCOUNT:
            said = f"{count} of the last {len(sent)} failed with {code}: {_lower(explanation.sentence)}"
            yield warn(f"recent texts ({code})", said, explanation.next_step)


def _judge_webhooks(received: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    told = [str(row.get("delivery_status") or "") for row in received]
    failed = [status for status in told if status.startswith("failed")]
    if failed:
        yield warn(
            _FROM_OUTSIDE,
            f"Telnyx could not deliver {len(failed)} of the last {len(received)} texts to the webhook.",
            "Check that the address in the profile is right and answers from the internet. What was missed is fetched when "
            "the bridge runs.",
        )
    elif any(status.startswith("success") for status in told):
        yield ok(_FROM_OUTSIDE, "Telnyx delivered the last texts to the webhook.")


def _read_code(error: object) -> object:
    return error.get("code") if isinstance(error, Mapping) else error


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
