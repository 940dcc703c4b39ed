"""
The carrier's error codes in plain words: what happened, what to do, and whom it concerns.

Source: Telnyx's public list of error codes (developers.telnyx.com/api/errors), those that a send or a delivery can
meet. Codes that it does not know are told in the carrier's own words: other lists of codes are about in the world, and
a wrong translation is worse than none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class FailureKind(StrEnum):
    """What a failure asks for."""

    OPTED_OUT = "opted_out"  #: They said STOP: record it, and never try again.
    RETRY_LATER = "retry_later"  #: The same request may be taken later: wait, then repeat it.
    REFUSED = "refused"  #: This text will not arrive; a person decides what next. Other texts are not affected.
    ACCOUNT = "account"  #: Key, funds, profile or registration: everybody's texts fail until somebody mends it.
    SPEND_LIMIT = (
        "spend_limit"  #: The limit that the team set itself; lifts by itself or by hand. Never repeat at once.
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One failure, for a teammate."""

    sentence: str  #: What happened.
    next_step: str  #: What to do about it.
    kind: FailureKind


#: Too many texts of one sender wait at the carrier: told as an error, and meant as a request for patience.
QUEUE_FULL: Final = "40318"
_OPTED_OUT_CODE: Final = "40300"
#: Unauthorized, payment required, forbidden.
_ACCESS_STATUSES: Final = frozenset({401, 402, 403})
_SAYS_STOP: Final = re.compile(r"\bstop\b", re.IGNORECASE)

_R, _L, _A, _S = FailureKind.REFUSED, FailureKind.RETRY_LATER, FailureKind.ACCOUNT, FailureKind.SPEND_LIMIT

# Steps that several codes share.
_ADMIN = "Ask whoever looks after the Telnyx account"
_CALL = "Call them instead, or ask for another number."
_CHECK_TO = "Check the number for a slip, or call them."
_AGAIN = "Nothing to do: it is tried again by itself."
_RESEND = "Send it again in an hour; if it fails again, call them."
_REWORD = "Say it in other words, without links, prices or capital letters, and send it again."
_REPORT = f"{_ADMIN} to run `python -m bot doctor` and to report this with the code."
_KEY = f"{_ADMIN} to put a working key into TELNYX_API_KEY, then send it again."
_NO_SENDER = f"Use another of our numbers; {_ADMIN[0].lower()}{_ADMIN[1:]} to look at the sender in the portal."
_VERIFY = f"{_ADMIN} to finish the verification in the portal, under Account."

_TABLE: Final[dict[str, tuple[FailureKind, str, str]]] = {
    # ---- the request
    "10001": (_R, "One of the two numbers is not active.", _CHECK_TO),
    "10002": (_R, "The carrier does not take this for a phone number.", _CHECK_TO),
    "10003": (
        _R,
        "The carrier cannot use the address of a picture.",
        "Check that PUBLIC_URL is right, then send again.",
    ),
    "10004": (_R, "The carrier missed something in the request.", _REPORT),
    "10005": (_R, "The carrier does not know what the request is about.", _REPORT),
    "10006": (_R, "The carrier does not know an id in the request.", _REPORT),
    "10007": (_L, "Something broke at the carrier.", _AGAIN),
    "10008": (_L, "The carrier took too long to answer.", _AGAIN),
    "10009": (_A, "The carrier does not accept our key.", _KEY),
    "10010": (_A, "Our key may not do this.", _KEY),
    "10011": (_L, "We sent more than the carrier takes at once.", _AGAIN),
    "10012": (
        _R,
        "The carrier says that it has this already.",
        "Look whether the text arrived before sending it again.",
    ),
    "10013": (_R, "The carrier misses something that belongs to the request.", _REPORT),
    "10014": (
        _R,
        "The carrier does not take this kind of file.",
        "Send it as a JPEG, PNG or GIF picture, or as a link.",
    ),
    "10015": (_R, "The carrier could not read the request.", _REPORT),
    "10016": (
        _R,
        "The carrier wants the number with its country code.",
        "Write it like +14155550101 and send it again.",
    ),
    "10017": (_R, "The carrier does not know something that the request names.", _REPORT),
    "10020": (_R, "The carrier could not read the request.", _REPORT),
    "10023": (_R, "The carrier could not read the request.", _REPORT),
    "10025": (_R, "The text is too long or too short for the carrier.", "Make it shorter, or send it in two texts."),
    "10026": (_R, "The carrier could not read the request.", _REPORT),
    "10027": (_R, "The carrier understood the request but cannot do it.", _REPORT),
    "10028": (_R, "The carrier could not read the characters.", "Take out unusual characters and send it again."),
    "10029": (_R, "The carrier could not read the request.", _REPORT),
    "10032": (_R, "The carrier does not take one of the choices in the request.", _REPORT),
    "10033": (_R, "A value in the request is out of the carrier's range.", "Choose another time, or send it now."),
    "10035": (_A, "The carrier has locked what we send from.", f"{_ADMIN} to ask Telnyx support."),
    "10036": (_L, "The carrier is still busy with something before this.", _AGAIN),
    "10037": (_L, "The carrier is down for the moment.", _AGAIN),
    "10038": (_A, "Our account may not do this at its level.", f"{_ADMIN} to upgrade it at telnyx.com/upgrade."),
    "10039": (_A, "Our account has reached the limit of its level.", f"{_ADMIN} to upgrade it at telnyx.com/upgrade."),
    # ---- the account
    "20000": (_A, "The carrier does not accept our key.", _KEY),
    "20001": (_A, "The carrier does not accept our key.", _KEY),
    "20002": (_A, "Our key was taken back.", _KEY),
    "20003": (_A, "Our key may not be used.", _KEY),
    "20004": (_A, "Our key may not do this.", _KEY),
    "20005": (_A, "The carrier does not know the user whom our key belongs to.", _KEY),
    "20006": (_A, "Our key has run out.", _KEY),
    "20007": (_A, "Our key may not do this.", _KEY),
    "20008": (_A, "The carrier does not know our key.", _KEY),
    "20009": (_A, "The carrier does not know the user whom our key belongs to.", _KEY),
    "20012": (_A, "Our account is switched off; it may be out of money.", f"{_ADMIN} to look at its balance."),
    "20013": (_A, "Our account is blocked.", f"{_ADMIN} to ask Telnyx support."),
    "20014": (_A, "Our account is not verified for this.", _VERIFY),
    "20015": (_A, "Our account does not have this feature.", f"{_ADMIN} to switch it on in the portal."),
    "20016": (_A, "Our account is not verified for this.", _VERIFY),
    "20017": (_A, "Our account is not verified for this.", _VERIFY),
    "20100": (_A, "Our account is out of money.", f"{_ADMIN} to add funds, then send it again."),
    # ---- on the way to the phone
    "40001": (_R, "This number is a landline, or cannot get texts.", _CALL),
    "40002": (_R, "Their carrier took this text for spam.", _REWORD),
    "40003": (_A, "Their carrier takes our number for spam and has blocked it.", f"{_ADMIN} to ask Telnyx support."),
    "40004": (_R, "Their carrier refused the text and did not say why.", _RESEND),
    "40005": (_R, "Their phone was not reached before the text ran out.", _RESEND),
    "40006": (_R, "Their carrier could not be reached.", _RESEND),
    "40007": (_R, "The text went round in a circle between carriers.", f"{_ADMIN} to ask Telnyx support."),
    "40008": (_R, "Their carrier did not take the text.", _RESEND),
    "40009": (_R, "Their carrier could not read the text.", "Take out unusual characters or files and send it again."),
    "40010": (
        *(_A, "Our number is not registered for texting to US phones."),
        f"{_ADMIN} to register it; Telnyx calls it 10DLC.",
    ),
    "40011": (_R, "We sent more than their carrier takes at once.", _RESEND),
    "40012": (_R, "Their carrier does not know this number.", _CHECK_TO),
    "40013": (_R, "Their carrier does not accept the number we sent from.", _NO_SENDER),
    "40014": (_R, "It waited too long at the carrier and was not sent.", "Send it again if it still matters."),
    "40015": (_R, "Telnyx took this text for spam.", _REWORD),
    "40016": (_R, "T-Mobile takes no more texts from us today.", "Send it again tomorrow, or call them."),
    "40017": (_R, "AT&T took this text for spam.", _REWORD),
    "40018": (_R, "AT&T takes no more texts from us for the moment.", _RESEND),
    "40019": (_A, "AT&T does not accept our number's registration.", f"{_ADMIN} to check it; Telnyx calls it 10DLC."),
    "40020": (_R, "The carrier blocks texts with codes for 24 hours.", "Send it again tomorrow, or call them."),
    "40100": (_R, "The number we sent from is not set up for texting.", _NO_SENDER),
    # ---- no code, only the outcome
    "expired": (_R, "Their phone was not reached before the text ran out.", _RESEND),
    "sending_failed": (_R, "The carrier could not send the text and gave no reason.", _RESEND),
    "delivery_failed": (_R, "Their carrier did not take the text and gave no reason.", _RESEND),
    # ---- refused by Telnyx
    "40301": (_R, "Texts of this kind cannot go from our number to theirs.", "Send plain text from another number."),
    "40302": (_R, "The text is too long.", "Make it shorter, or send it in several texts."),
    "40303": (_R, "The carrier does not know this text any more.", "Look in the thread whether it went out."),
    "40304": (_R, "Text and pictures do not fit together in this message.", "Send the pictures and the text apart."),
    "40305": (_R, "We may not send from this number or name.", _NO_SENDER),
    "40306": (_R, "No sender name is set up for us.", "Send from one of our numbers."),
    "40307": (_R, "This is not the sender name that is set up for us.", "Send from one of our numbers."),
    "40308": (_R, "Pictures cannot be sent from this number.", "Send a link instead, or use a US number of ours."),
    "40309": (_R, "Our account may not text to this country.", f"{_ADMIN} to allow it in the messaging profile."),
    "40310": (_R, "The carrier does not take this for a phone number.", _CHECK_TO),
    "40311": (_A, "The carrier does not accept our messaging profile's secret.", _KEY),
    "40312": (_A, "Our messaging profile is switched off.", f"{_ADMIN} to switch it on in the portal."),
    "40313": (_A, "The carrier wants our messaging profile's secret.", _KEY),
    "40314": (_A, "Texting is switched off for our account.", f"{_ADMIN} to ask Telnyx support."),
    "40315": (_A, "Too many texts from our number failed or looked like spam.", f"{_ADMIN} to look at its health."),
    "40316": (_R, "There is nothing in the message.", "Write a text or add a picture."),
    "40317": (_R, "The pictures are too many or too large.", "Send at most 10, and less than 1 MB together."),
    "40318": (_L, "The carrier has too many texts of ours waiting.", _AGAIN),
    "40319": (_R, "Texts of this kind cannot go from our number to theirs.", "Send plain text from another number."),
    "40320": (_L, "The number we send from is not usable for the moment.", _AGAIN),
    "40321": (_A, "None of our numbers can be used for this.", f"{_ADMIN} to look at the number pool in the portal."),
    "40322": (_R, "The carrier does not allow what the text says.", _REWORD),
    "40325": (_R, "This sender name is not allowed.", "Use at most 11 letters and digits, or one of our numbers."),
    "40327": (_R, "The carrier may not shorten links to this site.", "Send the link as it is, or leave it out."),
    "40328": (_R, "The text is too long.", "Make it shorter, or send it in several texts."),
    "40329": (_A, "Our toll-free number is not verified.", f"{_ADMIN} to verify it in the portal."),
    "40330": (_A, "Our toll-free number is not ready for texting yet.", f"{_ADMIN} to look at it in the portal."),
    "40331": (_A, "No country is allowed in our messaging profile.", f"{_ADMIN} to allow the countries we text to."),
    "41000": (_R, "WhatsApp did not take the message.", "Send it to them as an ordinary text."),
    "40333": (
        _S,
        "We have reached the spending limit that we set ourselves.",
        f"{_ADMIN} to raise it, or wait for its reset.",
    ),
}

#: For tests, documentation and the simulator's own checks: what `explain_code` has words for.
KNOWN_CODES: Final = frozenset({*_TABLE, _OPTED_OUT_CODE})

_OPTED_OUT: Final = Explanation(
    sentence="They have opted out: the carrier lets no text of ours through to them.",
    next_step="Only they can change it, by texting START to our number. Call them if it matters.",
    kind=FailureKind.OPTED_OUT,
)
#: Telnyx's own code for whatever WhatsApp says, and Meta's for this.
_WHATSAPP_CODES: Final = frozenset({"41000", "131047"})
_SAYS_WINDOW: Final = re.compile(r"131047|re-?engagement|24[ -]?h|service window", re.IGNORECASE)
_WINDOW_CLOSED: Final = Explanation(
    sentence="WhatsApp takes a message of our own words only within 24 hours of their last one, and that was longer ago.",
    next_step="Wait until they write again, or send it to them as an ordinary text.",
    kind=FailureKind.REFUSED,
)
_BLOCKED: Final = Explanation(
    sentence="The carrier blocks texts from our number to theirs, and does not say that they opted out.",
    next_step="Call them instead; ask whoever looks after the Telnyx account to look into the block.",
    kind=FailureKind.REFUSED,
)


def explain_code(code: str, title: str | None, detail: str | None) -> Explanation:
    """
    Tell what the carrier's *code* means, and what to do.

    *title* and *detail* are the carrier's words. They decide what 40300 is: an opt-out only where they say STOP, for
    the carrier uses the code for other blocks too. An unknown code is told in those words, with the code.
    """
    code = code.strip()
    if code == _OPTED_OUT_CODE:
        return _OPTED_OUT if says_stop(code, title, detail) else _BLOCKED
    if code in _WHATSAPP_CODES and _SAYS_WINDOW.search(f"{code} {title or ''} {detail or ''}"):
        return _WINDOW_CLOSED
    if code in _TABLE:
        kind, sentence, next_step = _TABLE[code]
        return Explanation(sentence=sentence, next_step=next_step, kind=kind)
    return _explain_unknown(code, title, detail)


def says_stop(code: str, title: str | None, detail: str | None) -> bool:
    """Tell whether an error means that the recipient opted out, whatever else is wrong and whatever the HTTP status."""
    return code.strip() == _OPTED_OUT_CODE and _SAYS_STOP.search(f"{title or ''} {detail or ''}") is not None


def is_about_access(code: str, status: int) -> bool:
    """
    Tell whether a refusal is of whoever asks, by key, account or funds, and not of what is asked.

    It is made before the carrier looks whether it has been asked the same before, of which it thus says nothing.
    """
    return status in _ACCESS_STATUSES and (code == str(status) or code.startswith(("1", "2")))


def _explain_unknown(code: str, title: str | None, detail: str | None) -> Explanation:
    words = [part for part in ((title or "").strip(), (detail or "").strip()) if part]
    if len(words) == 2 and words[0].rstrip(".") == words[1].rstrip("."):  # noqa: PLR2004 -- title and detail
        words.pop()
    said = " ".join(_end_sentence(part) for part in words)
    numbered = f"code {code}" if code else "no code"
    sentence = f"The carrier says: {said} ({numbered})." if said else f"The carrier gave no reason ({numbered})."
    return Explanation(
        sentence=sentence,
        next_step="Ask whoever looks after the Telnyx account what it means; call them if the text cannot wait.",
        # Some answers carry the HTTP status where a code should be.
        kind=FailureKind.RETRY_LATER if re.fullmatch(r"429|5\d\d", code) else FailureKind.REFUSED,
    )


def _end_sentence(words: str) -> str:
    return words if words[-1] in ".!?" else f"{words}."
