"""The signatures of both platforms, against published ways to make them, and whatever may stand in a header."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from handlers.verify import TOLERANCE_SECONDS, CarrierVerifier, SlackVerifier

_KEY = SigningKey(bytes(range(1, 33)))
_PUBLIC = base64.b64encode(bytes(_KEY.verify_key)).decode()
_OLD_KEY = SigningKey(bytes(32))
_OLD_PUBLIC = base64.b64encode(bytes(_OLD_KEY.verify_key)).decode()
_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"

NOW = 1_795_276_800.0


def sign_as_carrier(body: bytes, timestamp: str, key: SigningKey = _KEY) -> dict[str, str]:
    """Sign `timestamp|body`, as developers.telnyx.com says the webhooks are signed."""
    signature = key.sign(f"{timestamp}|".encode() + body).signature
    return {"telnyx-timestamp": timestamp, "telnyx-signature-ed25519": base64.b64encode(signature).decode()}


def sign_as_slack(body: bytes, timestamp: str, secret: str = _SECRET) -> dict[str, str]:
    """Sign `v0:timestamp:body`, as docs.slack.dev says that requests are signed."""
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


def test_slacks_own_published_example_is_genuine() -> None:
    """The request, secret and signature of docs.slack.dev, "Verifying requests from Slack"."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "X-Slack-Request-Timestamp": "1531420618",
        "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }

    assert SlackVerifier([_SECRET]).is_genuine(headers, body, 1531420618)
    assert not SlackVerifier([_SECRET]).is_genuine(headers, body + b" ", 1531420618)
    assert not SlackVerifier(["another"]).is_genuine(headers, body, 1531420618)


@given(body=st.binary(max_size=300))
def test_what_was_signed_is_genuine_and_any_other_byte_is_not(body: bytes) -> None:
    timestamp = str(int(NOW))
    for verifier, headers in (
        (CarrierVerifier([_PUBLIC]), sign_as_carrier(body, timestamp)),
        (SlackVerifier([_SECRET]), sign_as_slack(body, timestamp)),
    ):
        assert verifier.is_genuine(headers, body, NOW)
        assert not verifier.is_genuine(headers, body + b"x", NOW)


@given(age=st.integers(min_value=-100_000, max_value=100_000))
def test_a_signature_is_good_for_the_tolerance_either_way_and_no_longer(age: int) -> None:
    timestamp = str(int(NOW) - age)
    good = abs(age) <= TOLERANCE_SECONDS

    assert CarrierVerifier([_PUBLIC]).is_genuine(sign_as_carrier(b"{}", timestamp), b"{}", NOW) is good
    assert SlackVerifier([_SECRET]).is_genuine(sign_as_slack(b"{}", timestamp), b"{}", NOW) is good


@given(timestamp=st.text(max_size=40), signature=st.text(max_size=120))
def test_nothing_in_a_header_is_genuine_by_accident_or_raises(timestamp: str, signature: str) -> None:
    for stamp in (timestamp, str(int(NOW))):
        carrier = {"telnyx-timestamp": stamp, "telnyx-signature-ed25519": signature}
        slack = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
        assert not CarrierVerifier([_PUBLIC]).is_genuine(carrier, b"{}", NOW)
        assert not SlackVerifier([_SECRET]).is_genuine(slack, b"{}", NOW)


def test_headers_with_broken_letters_are_refused_without_raising() -> None:
    """aiohttp hands bytes beyond ASCII on as surrogate escapes."""
    broken = b"v0=\xff\xfe".decode("utf-8", "surrogateescape")
    headers = {"X-Slack-Request-Timestamp": str(int(NOW)), "X-Slack-Signature": broken}
    assert not SlackVerifier([_SECRET]).is_genuine(headers, b"{}", NOW)
    headers = {"telnyx-timestamp": str(int(NOW)), "telnyx-signature-ed25519": broken}
    assert not CarrierVerifier([_PUBLIC]).is_genuine(headers, b"{}", NOW)
    assert not CarrierVerifier([_PUBLIC]).is_genuine({}, b"{}", NOW)
    assert not SlackVerifier([_SECRET]).is_genuine({}, b"{}", NOW)


@pytest.mark.parametrize("key", [_KEY, _OLD_KEY])
def test_while_keys_are_changed_both_are_good(key: SigningKey) -> None:
    verifier = CarrierVerifier([_PUBLIC, _OLD_PUBLIC])

    assert verifier.is_genuine(sign_as_carrier(b"{}", str(int(NOW)), key), b"{}", NOW)
    assert not verifier.is_genuine(sign_as_carrier(b"{}", str(int(NOW)), SigningKey(b"x" * 32)), b"{}", NOW)
