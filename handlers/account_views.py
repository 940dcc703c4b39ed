"""How the account's forms look, and what was filled into them. Each field's block is named as the carrier names the field."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from bot.domain.account import AccountView, Record
from bot.domain.carrier_api.operation import Operation
from bot.domain.carrier_api.table import OPERATIONS
from bot.text.escape import escape_sms
from handlers.form_parts import make_option, make_plain

PROFILE_FORM, ANSWER_FORM, NAME_FORM = "account_profile_form", "account_answer_form", "account_name_form"
NEW_ANSWER, EDIT_ANSWER, DELETE_ANSWER = "account_new_answer", "account_edit_answer", "account_delete_answer"
DELETE_NAME, BIND_CODE, UNBIND_CODE = "account_delete_name", "account_bind_code", "account_unbind_code"

QUESTION_FORM: Final = "account_question"

_INPUT: Final = "input"
#: Slack's limit for what a view carries unseen.
_LONGEST_METADATA: Final = 3000
_PART = re.compile(r"[\[. ].*", re.DOTALL)
#: The switches of a profile, with what each does.
_SWITCHES: Final = (
    ("smart_encoding", "Write curly quotes and the like plainly, so that texts take fewer parts"),
    ("mms_fall_back_to_sms", "Send a picture as a link where no picture can go"),
    ("mms_transcoding", "Have Telnyx make pictures that are too large smaller"),
)
_LIMIT: Final = (("daily_spend_limit_enabled", "Send no more once it is reached"),)
_POOL: Final = "number_pool_settings"
_POOL_PARTS: Final = (
    ("on", "Send from:pool from whichever number fits"),
    ("sticky_sender", "Keep the number that texted somebody before"),
    ("geomatch", "Prefer a number of their area code"),
    ("skip_unhealthy", "Leave out numbers that carriers reject"),
)
_OPERATIONS: Final = (("stop", "Opts out"), ("start", "Opts in"), ("info", "Only answers"))
#: So many rows fit: each takes up to two of the hundred blocks that Slack allows.
_MOST_ROWS: Final = 40


class Build(Protocol):
    """What builds a form of what was seen; *notice* stands above it."""

    def __call__(self, seen: AccountView, *, notice: str = "") -> dict[str, Any]: ...  # noqa: D102


def build_answer_of(sentence: str) -> dict[str, Any]:
    """Return a form that says one thing and asks nothing."""
    return _modal("Telnyx account", [_section(escape_sms(sentence))], close="Done")


# ---------------------------------------------------------------------------------------------------------- the profile


def build_profile(seen: AccountView, *, notice: str = "") -> dict[str, Any]:
    """Return the form of the messaging profile."""
    profile = seen.profile
    if profile is None:
        return build_answer_of(f"The messaging profile could not be had. {seen.missing.get('profile', '')}")
    pool = profile.get(_POOL)
    pool = pool if isinstance(pool, Mapping) else None
    pool_on = [] if pool is None else ["on", *(key for key, _ in _POOL_PARTS[1:] if pool.get(key))]
    blocks = [
        *_notice(notice),
        _text_input("webhook_url", "Webhook address", profile.get("webhook_url"), optional=True),
        _checkboxes("switches", "Texts", _SWITCHES, [key for key, _ in _SWITCHES if profile.get(key)]),
        _text_input(
            "daily_spend_limit",
            "Daily spend limit in US dollars",
            profile.get("daily_spend_limit"),
            hint="Begins anew at midnight UTC.",
            optional=True,
        ),
        _checkboxes("limit", "Spend limit", _LIMIT, [key for key, _ in _LIMIT if profile.get(key)]),
        _text_input(
            "whitelisted_destinations",
            "Countries that may be texted",
            ", ".join(str(country) for country in profile.get("whitelisted_destinations") or ()),
            hint="Codes of two letters with commas between, such as US, CA; or * alone for all.",
        ),
        _checkboxes(_POOL, "Number pool", _POOL_PARTS, pool_on),
    ]
    return _modal("Profile settings", blocks, submit="Save", callback_id=PROFILE_FORM)


def read_profile(view: Mapping[str, Any], profile: Record) -> dict[str, object]:
    """Return what differs between the form and the *profile* as it was seen."""
    given: dict[str, object] = {}
    webhook_url = _value(view, "webhook_url")
    if webhook_url != str(profile.get("webhook_url") or ""):
        given["webhook_url"] = webhook_url or None
    limit = _value(view, "daily_spend_limit").removeprefix("$").strip()
    if limit and limit != str(profile.get("daily_spend_limit") or ""):
        given["daily_spend_limit"] = limit
    countries = [
        piece.strip().upper() for piece in _value(view, "whitelisted_destinations").split(",") if piece.strip()
    ]
    if countries != list(profile.get("whitelisted_destinations") or ()):
        given["whitelisted_destinations"] = countries
    chosen = [*_chosen(view, "switches"), *_chosen(view, "limit")]
    for key, _ in (*_SWITCHES, *_LIMIT):
        if (key in chosen) is not bool(profile.get(key)):
            given[key] = key in chosen
    pool = _read_pool(_chosen(view, _POOL), profile.get(_POOL))
    if pool != profile.get(_POOL):
        given[_POOL] = pool
    return given


def _read_pool(chosen: Sequence[str], before: object) -> dict[str, object] | None:
    if "on" not in chosen:
        return None
    known = dict(before) if isinstance(before, Mapping) else {"toll_free_weight": 1, "long_code_weight": 1}
    for key, _ in _POOL_PARTS[1:]:
        if key in chosen or known.get(key) or key == "skip_unhealthy":  # a part that the profile lacks stays out
            known[key] = key in chosen
    return known


# ---------------------------------------------------------------------------------------------------- automatic answers


def build_answers(seen: AccountView, *, notice: str = "") -> dict[str, Any]:
    """Return the list of automatic answers."""
    blocks = [
        *_notice(notice),
        _section("What Telnyx answers by itself when a whole text is one of these words."),
    ]
    for answer in (seen.autoresponses or ())[:_MOST_ROWS]:
        words = ", ".join(str(word) for word in answer.get("keywords") or ())
        does = dict(_OPERATIONS).get(str(answer.get("op")), str(answer.get("op")))
        text = f"*{escape_sms(words)}* ({escape_sms(str(answer.get('country_code') or '*'))}) · {escape_sms(does)}"
        said = escape_sms(str(answer.get("resp_text") or ""))
        answer_id = str(answer.get("id") or "")
        blocks += [
            _section(f"{text}\n>{said}" if said else text),
            {
                "type": "actions",
                "elements": [
                    _button("Change", EDIT_ANSWER, answer_id),
                    _button("Delete", DELETE_ANSWER, answer_id, question="The answer and its words are gone then."),
                ],
            },
        ]
    if not seen.autoresponses:
        blocks.append(_section("_None of your own: Telnyx answers STOP, START and HELP in its usual words._"))
    blocks.append({"type": "actions", "elements": [_button("Add an answer", NEW_ANSWER, "new")]})
    return _modal("Automatic answers", blocks, close="Done")


def build_answer(answer: Record | None) -> dict[str, Any]:
    """Return the form of one automatic answer; a new one for None."""
    known = answer or {}
    usual = str(known.get("op") or "info")
    options = [make_option(label, value) for value, label in _OPERATIONS]
    blocks = [
        _text_input(
            "keywords",
            "Words",
            ", ".join(str(word) for word in known.get("keywords") or ()),
            hint="Each a whole text, with commas between: HOURS, OPEN",
        ),
        {
            "type": "input",
            "block_id": "op",
            "label": make_plain("What the words do"),
            "element": {
                "type": "static_select",
                "action_id": _INPUT,
                "options": options,
                "initial_option": next((each for each in options if each["value"] == usual), options[-1]),
            },
        },
        _text_input(
            "country_code", "Country", known.get("country_code") or "US", hint="A code of two letters; * for all."
        ),
        _text_input("resp_text", "Answer", known.get("resp_text"), hint="At least 20 characters.", multiline=True),
    ]
    return _modal(
        "Automatic answer", blocks, submit="Save", callback_id=ANSWER_FORM, metadata=str(known.get("id") or "")
    )


def read_answer(view: Mapping[str, Any]) -> tuple[str, dict[str, object]]:
    """Return the id of the answer that was changed, empty for a new one, and its fields."""
    option = _state(view, "op").get("selected_option")
    given: dict[str, object] = {
        "op": str(option.get("value")) if isinstance(option, Mapping) else "info",
        "keywords": [piece.strip() for piece in _value(view, "keywords").split(",") if piece.strip()],
        "country_code": _value(view, "country_code").upper(),
    }
    if _value(view, "resp_text"):
        given["resp_text"] = _value(view, "resp_text")
    return str(view.get("private_metadata") or ""), given


# ------------------------------------------------------------------------------------------------ names and short codes


def build_names(seen: AccountView, *, notice: str = "") -> dict[str, Any]:
    """Return the list of sender names, with a field for another."""
    blocks = [
        *_notice(notice),
        _section(
            "Names that texts may come from, in countries whose networks take them. Nobody can answer a name; phones in the "
            "United States, Canada and Puerto Rico get none."
        ),
    ]
    for name in (seen.names or ())[:_MOST_ROWS]:
        row = _section(f"*{escape_sms(str(name.get('alphanumeric_sender_id') or ''))}*")
        row["accessory"] = _button(
            "Delete", DELETE_NAME, str(name.get("id") or ""), question="No text can come from this name any more."
        )
        blocks.append(row)
    blocks.append(
        _text_input(
            "alphanumeric_sender_id", "Another name", None, hint="At most 11 letters, digits and blanks.", optional=True
        )
    )
    return _modal("Sender names", blocks, submit="Add", callback_id=NAME_FORM)


def read_name(view: Mapping[str, Any]) -> dict[str, object]:
    """Return the name to add."""
    return {"alphanumeric_sender_id": _value(view, "alphanumeric_sender_id")}


def build_codes(seen: AccountView, *, notice: str = "") -> dict[str, Any]:
    """Return the list of short codes, each with a button to bind it to the profile or to unbind it."""
    blocks = [*_notice(notice)]
    for code in (seen.short_codes or ())[:_MOST_ROWS]:
        code_id, bound = str(code.get("id") or ""), bool(code.get("messaging_profile_id"))
        row = _section(
            f"*{escape_sms(str(code.get('short_code') or ''))}* ({escape_sms(str(code.get('country_code') or ''))}) · "
            + ("on the profile" if bound else "on no profile")
        )
        row["accessory"] = (
            _button("Unbind", UNBIND_CODE, code_id, question="It neither sends nor receives texts then.")
            if bound
            else _button("Bind to the profile", BIND_CODE, code_id)
        )
        blocks.append(row)
    if not seen.short_codes:
        blocks.append(_section("This account has no short codes."))
    return _modal("Short codes", blocks, close="Done")


def build_question(harm: str, operation: Operation, given: Mapping[str, object], done: str) -> dict[str, Any]:
    """Return the question that stands before a change which stops texts; it carries the change itself."""
    metadata = json.dumps({"operation": operation.name, "given": dict(given), "done": done}, separators=(",", ":"))
    if len(metadata) > _LONGEST_METADATA:
        return build_answer_of(f"{harm} That is too much to ask about here: python -m bot carrier {operation.name}")
    return _modal(
        "Are you sure?",
        [_section(f"⚠️ {escape_sms(harm)}")],
        submit="Do it",
        callback_id=QUESTION_FORM,
        metadata=metadata,
    )


def read_question(view: Mapping[str, Any]) -> tuple[Operation, dict[str, object], str]:
    """Return the change that was asked about, and what to say once it is made."""
    asked = json.loads(str(view["private_metadata"]))
    operation = next(each for each in OPERATIONS if each.name == asked["operation"])
    return operation, asked["given"], str(asked["done"])


def place_problems(view: Mapping[str, Any], problems: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return what is wrong by the block where it was filled in; what has none stands at the first."""
    blocks = [str(block.get("block_id")) for block in view.get("blocks") or () if block.get("type") == "input"]
    placed: dict[str, str] = {}
    for whole, says in problems:
        name = _PART.sub("", whole)  # of a list or an object the problem names the item
        block = name if name in blocks else blocks[0]
        placed[block] = (
            f"{placed[block]}; {says}" if block in placed else f"{'' if name == block else name + ' '}{says}"
        )
    return {block: f"{said[0].upper()}{said[1:]}." for block, said in placed.items()}


# ------------------------------------------------------------------------------------------------------------ its parts


def _modal(
    title: str,
    blocks: Sequence[Mapping[str, Any]],
    *,
    submit: str = "",
    close: str = "Cancel",
    callback_id: str = "account_list",
    metadata: str = "",
) -> dict[str, Any]:
    view: dict[str, Any] = {
        "type": "modal",
        "callback_id": callback_id,
        "title": make_plain(title),
        "close": make_plain(close),
        "private_metadata": metadata,
        "blocks": list(blocks),
    }
    if submit:
        view["submit"] = make_plain(submit)
    return view


def _notice(notice: str) -> list[dict[str, Any]]:
    return [_section(f"⚠️ {escape_sms(notice)}")] if notice else []


def _text_input(
    name: str, label: str, value: object, *, hint: str = "", optional: bool = False, multiline: bool = False
) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "plain_text_input", "action_id": _INPUT, "multiline": multiline}
    if value:
        element["initial_value"] = str(value)
    block: dict[str, Any] = {
        "type": "input",
        "block_id": name,
        "label": make_plain(label),
        "optional": optional,
        "element": element,
    }
    if hint:
        block["hint"] = make_plain(hint)
    return block


def _checkboxes(name: str, label: str, choices: Sequence[tuple[str, str]], chosen: Sequence[str]) -> dict[str, Any]:
    options = [make_option(text, value) for value, text in choices]
    element: dict[str, Any] = {"type": "checkboxes", "action_id": _INPUT, "options": options}
    initial = [option for option in options if option["value"] in chosen]
    if initial:
        element["initial_options"] = initial
    return {"type": "input", "block_id": name, "label": make_plain(label), "optional": True, "element": element}


def _button(label: str, action: str, value: str, *, question: str = "") -> dict[str, Any]:
    button: dict[str, Any] = {"type": "button", "text": make_plain(label), "action_id": action, "value": value}
    if question:
        button["style"] = "danger"
        button["confirm"] = {
            "title": make_plain(f"{label}?"),
            "text": make_plain(question),
            "confirm": make_plain(label),
            "deny": make_plain("No"),
        }
    return button


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:2990], "verbatim": True}}


def _value(view: Mapping[str, Any], block: str) -> str:
    return str(_state(view, block).get("value") or "").strip()


def _chosen(view: Mapping[str, Any], block: str) -> list[str]:
    options = _state(view, block).get("selected_options")
    return [str(option.get("value")) for option in options or () if isinstance(option, Mapping)]


def _state(view: Mapping[str, Any], block: str) -> Mapping[str, Any]:
    found = view.get("state", {}).get("values", {}).get(block, {}).get(_INPUT)
    return found if isinstance(found, Mapping) else {}
