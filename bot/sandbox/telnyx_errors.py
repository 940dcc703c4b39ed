"""The carrier's refusals: its published codes, and the two shapes in which it words them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

#: Code -> (HTTP status, title, detail), from Telnyx's API error catalogue. Only the titles and details are published;
#: the statuses are what its guides and users' reports show, for Telnyx says that none can be inferred from a code.
CATALOGUE: Mapping[str, tuple[int, str, str]] = {
    "10003": (
        400,
        "Invalid URL",
        "The URL provided was invalid, malformed, or too long. URLs can be a maximum of 2000 characters.",
    ),
    "10004": (400, "Missing required parameter", "A required parameter was missing."),
    "10005": (404, "Resource not found", "The requested resource or URL could not be found."),
    "10006": (400, "Invalid ID", "The resource ID provided was invalid."),
    "10007": (500, "Unexpected error", "An unexpected error occured."),
    "10009": (
        401,
        "Authentication failed",
        "The required authentication headers were either invalid or not included in the request.",
    ),
    "10010": (
        403,
        "Authorization failed",
        "You do not have permission to perform the requested action on the specified resource.",
    ),
    "10011": (429, "Too many requests", "You have exceeded the maximum number of allowed requests."),
    "10012": (422, "Duplicate resource", "Resource is a duplicate."),
    "10015": (400, "Bad Request", "The request failed because it was not well-formed."),
    "10016": (
        422,
        "Phone number must be in +E.164 format",
        "The specified phone number parameter must be in +E.164 format.",
    ),
    "10017": (
        400,
        "Associated resource does not exist",
        "The requested parameter is invalid as the associated resource does not exist.",
    ),
    "10018": (
        400,
        "Invalid sort direction",
        "The 'sort_direction' parameter must have a value of either 'asc' or 'desc'.",
    ),
    "10023": (400, "Invalid JSON", "The supplied JSON is invalid."),
    "10025": (400, "String length out of range", "The string's length is outside the allowed range."),
    "10026": (400, "Invalid parameter type", "The parameter is of the wrong type."),
    "10027": (
        422,
        "Unprocessable Entity",
        "The server understood the syntax of the request but was unable to process the instructions.",
    ),
    "10029": (400, "Expected JSON Content-Type", "Must encode request as 'application/json'"),
    "10030": (405, "Method not allowed", "The URL is valid, but the method is not allowed."),
    "10031": (400, "Invalid request filter", "The request filter is invalid."),
    "10032": (400, "Invalid enumerated value", "The value is not one of those allowed."),
    "10033": (400, "Value outside of range", "The value is outside of allowed range."),
    "10036": (
        409,
        "Resource is being processed",
        (
            "This resource is in ongoing processing and it can't be interacted with. Please, wait for its operation to "
            "finish and retry later."
        ),
    ),
    "10037": (503, "Service unavailable", "Service is unavailable."),
    "20100": (402, "Insufficient Funds", "You do not have enough funds to perform this action."),
    "40001": (400, "Not routable", "The destination number is either a landline or a non-routable wireless number."),
    "40002": (400, "Blocked as spam - temporary", "The message was flagged by a SPAM filter and was not delivered."),
    "40003": (400, "Blocked as spam - permanent", "The message was flagged by a SPAM filter and was not delivered."),
    "40004": (400, "Rejected by destination", "The recipient server is rejecting the message for an unknown reason."),
    "40005": (
        400,
        "Message expired during transmission",
        "The message expired before it could be fully delivered to the recipient.",
    ),
    "40006": (400, "Recipient server unavailable", "The recipient server is unavailable or not responding."),
    "40008": (400, "Undeliverable", "The recipient carrier did not accept the message."),
    "40009": (400, "Invalid message body", "The message body was invalid."),
    "40010": (
        400,
        "Not 10DLC registered",
        "The sending number is not 10DLC-registered but is required to be by the carrier.",
    ),
    "40011": (400, "Too many requests", "Exceeded upstream rate limit."),
    "40012": (
        400,
        "Invalid messaging destination number",
        "The destination phone number was deemed invalid by the carrier.",
    ),
    "40014": (
        400,
        "Message expired in queue",
        "The message was not sent by Telnyx because its validity period expired.",
    ),
    "40015": (400, "Blocked as spam - internal", "The message was flagged by an internal Telnyx SPAM filter."),
    "40300": (409, "Blocked due to STOP message", "Messages cannot be sent due to an existing block rule."),
    "40301": (
        400,
        "Unsupported message type for the 'to' address",
        "Sending such messages to this address is currently unsupported.",
    ),
    "40302": (400, "Message too large", "The SMS message would be divided into too many parts."),
    "40303": (404, "Message not found", "The message was not found."),
    "40304": (
        400,
        "Invalid combination of message content arguments",
        "The message must contain exclusively 'body' for SMS, or 'subject' and/or 'media_urls' for MMS",
    ),
    "40305": (
        400,
        "Invalid 'from' address",
        (
            "The 'from' address should be string containing a valid phone number or alphanumeric sender ID "
            "associated with the sending messaging profile."
        ),
    ),
    "40306": (
        400,
        "Alpha sender not configured",
        "The messaging profile doesn't have an associated alphanumeric sender ID.",
    ),
    "40307": (
        400,
        "Alpha sender mismatch",
        "The specified alphanumeric sender ID does not match the one configured on the profile",
    ),
    "40308": (
        400,
        "Invalid 'from' address for MMS",
        "MMS can only be sent from US long code numbers and MMS-configured short codes",
    ),
    "40309": (
        400,
        "Invalid destination region",
        "The region is not included in the messaging profile's whitelisted destinations.",
    ),
    "40310": (400, "Invalid 'to' address", "The 'to' address should be a single valid number."),
    "40312": (400, "Messaging profile is disabled", "The specified messaging profile is disabled."),
    "40314": (
        403,
        "Messaging disabled on account",
        "Messaging has been disabled on your account. Contact Telnyx support.",
    ),
    "40316": (
        400,
        "No content provided for message",
        "The message has no content. Either 'text' and/or 'media_urls' must be provided in the request.",
    ),
    "40317": (
        400,
        "Invalid MMS content",
        "MMS can only contain up to 10 items (URLs provided) and the total size must be less than 1 MB.",
    ),
    "40318": (429, "Message queue full", "Message queue is full. Wait before resending."),
    "40319": (
        400,
        "Incompatible message type for the 'to' address",
        "Sending such messages to this address is not possible.",
    ),
    "40321": (
        400,
        "No usable numbers on messaging profile",
        "Number Pool is not enabled, or it is unable to select a usable number on the messaging profile.",
    ),
    "40322": (400, "Blocked due to content", "Message contains invalid content."),
    "40325": (400, "Invalid alphanumeric sender ID", "The specified alphanumeric sender ID value is invalid."),
    "40328": (
        400,
        "SMS exceeds recommended size",
        "The SMS message should be sent by MMS or by adding auto_detect=False.",
    ),
    "40329": (
        400,
        "Tollfree number is not verified",
        "Try verifying the number if you haven't already; otherwise double check that verification succeeded.",
    ),
    "40333": (
        429,
        "Messaging profile spend limit reached",
        "Request refused because this would incur cost above the spend limit configured on the messaging profile.",
    ),
    "41000": (400, "WhatsApp Error", "-"),
}

#: What a fault that names only a status is worded as.
CODE_FOR_STATUS: Mapping[int, str] = {
    400: "10015",
    401: "10009",
    402: "20100",
    403: "10010",
    404: "10005",
    405: "10030",
    409: "10036",
    422: "10027",
    429: "10011",
    503: "10037",
}


def describe_error(
    code: str, *, detail: str | None = None, pointer: str | None = None, parameter: str | None = None
) -> dict[str, Any]:
    """Return one error object; unknown codes get a title that says so, as new codes appear without notice."""
    _, title, usual = CATALOGUE.get(code, (400, f"Error {code}", ""))
    error: dict[str, Any] = {
        "code": code,
        "title": title,
        "detail": detail if detail is not None else usual,
        "meta": {"url": f"https://developers.telnyx.com/docs/overview/errors/{code}"},
    }
    source = {key: value for key, value in (("pointer", pointer), ("parameter", parameter)) if value is not None}
    if source:
        error["source"] = source
    return error


class RequestDeniedError(Exception):
    """A request that the carrier answers with an error and otherwise ignores."""

    def __init__(
        self,
        code: str,
        *,
        detail: str | None = None,
        pointer: str | None = None,
        parameter: str | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status if status is not None else CATALOGUE.get(code, (400, "", ""))[0]
        self.error = describe_error(code, detail=detail, pointer=pointer, parameter=parameter)
        self.headers = dict(headers or {})

    def answer(self, *, bare: bool = False) -> web.Response:
        """Return the HTTP answer; *bare* is the lone error object that a few operations have, not a list of them."""
        body = self.error if bare else {"errors": [self.error]}
        return web.json_response(body, status=self.status, headers=self.headers)
