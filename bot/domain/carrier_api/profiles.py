"""Operations on messaging profiles, and on what belongs to one: senders, metrics, automatic answers."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.carrier_api.fields import Field, FieldProblem, Kind
from bot.domain.carrier_api.operation import Answer, Operation, Resource, path_id, query
from bot.domain.carrier_api.senders import NUMBER_COLUMNS, SENDER_COLUMNS, SHORT_CODE_COLUMNS

_ID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
_ANSWER_ID = "b8f9c1c0-5b5a-4b1e-8c1c-0b5a4b1e8c1c"
_LONGEST_ID = 64
#: Telnyx' guide to opting in and out: at most so many keywords, and answers of so many characters at least.
_MOST_KEYWORDS = 20
_SHORTEST_ANSWER = 20
#: … and these cannot be given another meaning.
_RESERVED = {"START": "start", "STOP": "stop", "HELP": "info"}
_TIME_FRAME = query(
    "time_frame",
    "the time that is counted: the last … (24h unless told)",
    choices=("1h", "3h", "24h", "3d", "7d", "30d"),
)
_PROFILE_PATH = path_id(says="the profile's id")
_OF_PROFILE = path_id("profile_id", says="the profile's id")

_POOL = Field(
    name="number_pool_settings",
    kind=Kind.OBJECT,
    nullable=True,
    says="how the number pool chooses; null: no pool",
    parts=(
        Field(name="toll_free_weight", kind=Kind.WEIGHT, required=True, says="how often a toll-free number is taken"),
        Field(name="long_code_weight", kind=Kind.WEIGHT, required=True, says="how often an ordinary number is taken"),
        Field(name="skip_unhealthy", kind=Kind.FLAG, required=True, says="leave out numbers that carriers reject"),
        Field(name="sticky_sender", kind=Kind.FLAG, says="keep the number that texted somebody before"),
        Field(name="geomatch", kind=Kind.FLAG, says="prefer a number of their area code"),
    ),
)
_SHORTENER = Field(
    name="url_shortener_settings",
    kind=Kind.OBJECT,
    nullable=True,
    says="how links of public shorteners are replaced; null: not at all",
    parts=(
        Field(name="domain", required=True, says="the domain of the links"),
        Field(name="prefix", least=0, says="what stands before the link's own part"),
        Field(name="replace_blacklist_only", kind=Kind.FLAG, says="only links that carriers block"),
        Field(name="send_webhooks", kind=Kind.FLAG, says="tell when a link is clicked"),
    ),
)
_FEATURES = Field(
    name="features",
    kind=Kind.OBJECT,
    nullable=True,
    says="further switches",
    parts=(
        Field(
            name="ai_opt_out_detection_enabled",
            kind=Kind.FLAG,
            says="take a refusal in free words for STOP",
        ),
    ),
)
_SETTINGS = (
    Field(name="enabled", kind=Kind.FLAG, says="whether it sends at all"),
    Field(name="webhook_url", kind=Kind.URL, nullable=True, says="where texts and receipts are sent to"),
    Field(name="webhook_failover_url", kind=Kind.URL, nullable=True, says="where to when that address fails"),
    Field(name="webhook_api_version", choices=("1", "2", "2010-04-01"), says="their form; Textbridge reads 2"),
    _POOL,
    _SHORTENER,
    Field(name="alpha_sender", kind=Kind.SENDER_NAME, nullable=True, says="the name for countries that demand one"),
    Field(name="daily_spend_limit", kind=Kind.MONEY, says="the most to spend before midnight UTC, in US dollars"),
    Field(name="daily_spend_limit_enabled", kind=Kind.FLAG, says="whether that limit holds"),
    Field(name="mms_fall_back_to_sms", kind=Kind.FLAG, says="send a picture as a link where MMS cannot go"),
    Field(name="mms_transcoding", kind=Kind.FLAG, says="make pictures that are too large smaller"),
    Field(name="mobile_only", kind=Kind.FLAG, says="text mobile numbers only"),
    Field(name="smart_encoding", kind=Kind.FLAG, says="write curly quotes and the like plainly, which saves parts"),
    Field(name="ai_assistant_id", most=_LONGEST_ID, nullable=True, says="an assistant that answers before people do"),
    _FEATURES,
)
_NAME = "a name for people"
_COUNTRIES = "countries that it may text to, as codes of two letters, or * alone"
_HARMS: Mapping[str, Mapping[object, str]] = {
    "enabled": {False: "No text leaves this profile any more."},
    "webhook_url": {None: "No text that customers send arrives any more."},
    "webhook_api_version": dict.fromkeys(
        ("1", "2010-04-01"), "Textbridge reads version 2 only: no text that customers send arrives any more."
    ),
    "number_pool_settings": {None: "Texts from the number pool are refused from then on."},
    "redaction_enabled": {True: "Texts and numbers arrive blacked out: Textbridge cannot tell who wrote what."},
}
_COLUMNS = ("id", "name", "enabled", "webhook_url", "whitelisted_destinations", "daily_spend_limit")

LIST_PROFILES = Operation(
    resource=Resource.PROFILES,
    verb="list",
    method="GET",
    path="/messaging_profiles",
    says="List the messaging profiles",
    fields=(
        query("filter[name]", "only of this name (as the older form of the filter)"),
        query("filter[name][eq]", "only of exactly this name"),
        query("filter[name][contains]", "only with this in their name"),
    ),
    example={"filter[name][contains]": "text"},
    answer=Answer.PAGES,
    columns=_COLUMNS,
)
CREATE_PROFILE = Operation(
    resource=Resource.PROFILES,
    verb="create",
    method="POST",
    path="/messaging_profiles",
    says="Make a messaging profile",
    fields=(
        Field(name="name", required=True, says=_NAME),
        Field(name="whitelisted_destinations", kind=Kind.COUNTRY, many=True, least=1, required=True, says=_COUNTRIES),
        *_SETTINGS,
        Field(name="resource_group_id", most=_LONGEST_ID, nullable=True, says="the resource group it belongs to"),
        Field(name="health_webhook_url", kind=Kind.URL, nullable=True, says="where reports on its health go"),
    ),
    example={
        "name": "Support",
        "whitelisted_destinations": ["US", "CA"],
        "webhook_url": "https://texts.example.com/webhooks/telnyx",
    },
)
GET_PROFILE = Operation(
    resource=Resource.PROFILES,
    verb="get",
    method="GET",
    path="/messaging_profiles/{id}",
    says="Show one messaging profile",
    fields=(_PROFILE_PATH,),
    example={"id": _ID},
    in_slack="Home, *Account*",
)
UPDATE_PROFILE = Operation(
    resource=Resource.PROFILES,
    verb="update",
    method="PATCH",
    path="/messaging_profiles/{id}",
    says="Change a messaging profile; what is not given stays",
    fields=(
        _PROFILE_PATH,
        Field(name="name", says=_NAME),
        Field(name="whitelisted_destinations", kind=Kind.COUNTRY, many=True, least=1, says=_COUNTRIES),
        *_SETTINGS,
        Field(name="v1_secret", private=True, says="the secret of the API's version 1"),
        Field(name="redaction_enabled", kind=Kind.FLAG, says="black out numbers and texts; Textbridge needs them"),
        Field(name="redaction_level", kind=Kind.WHOLE, least=1, most=2, says="how much is blacked out"),
    ),
    example={"id": _ID, "smart_encoding": True, "daily_spend_limit": "25.00", "daily_spend_limit_enabled": True},
    harms=_HARMS,
    in_slack="Home, [Profile settings], [Point it here]",
)
DELETE_PROFILE = Operation(
    resource=Resource.PROFILES,
    verb="delete",
    method="DELETE",
    path="/messaging_profiles/{id}",
    says="Delete a messaging profile",
    fields=(_PROFILE_PATH,),
    example={"id": _ID},
    destroys="The profile, its settings and automatic answers are gone, and its numbers neither send nor receive.",
)
LIST_PROFILE_NUMBERS = Operation(
    resource=Resource.PROFILES,
    verb="numbers",
    method="GET",
    path="/messaging_profiles/{id}/phone_numbers",
    says="List the numbers of a profile",
    fields=(_PROFILE_PATH,),
    example={"id": _ID},
    answer=Answer.PAGES,
    columns=NUMBER_COLUMNS,
)
LIST_PROFILE_SHORT_CODES = Operation(
    resource=Resource.PROFILES,
    verb="short-codes",
    method="GET",
    path="/messaging_profiles/{id}/short_codes",
    says="List the short codes of a profile",
    fields=(_PROFILE_PATH,),
    example={"id": _ID},
    answer=Answer.PAGES,
    columns=SHORT_CODE_COLUMNS,
)
LIST_PROFILE_SENDERS = Operation(
    resource=Resource.PROFILES,
    verb="senders",
    method="GET",
    path="/messaging_profiles/{id}/alphanumeric_sender_ids",
    says="List the names (alphanumeric sender ids) of a profile",
    fields=(_PROFILE_PATH,),
    example={"id": _ID},
    answer=Answer.PAGES,
    columns=SENDER_COLUMNS,
    in_slack="Home, *Account*",
)
LIST_METRICS = Operation(
    resource=Resource.PROFILES,
    verb="metrics",
    method="GET",
    path="/messaging_profile_metrics",
    says="Show how much each profile sent and received, in short",
    fields=(_TIME_FRAME,),
    example={"time_frame": "7d"},
    answer=Answer.LIST,
)
GET_METRICS = Operation(
    resource=Resource.PROFILES,
    verb="detailed-metrics",
    method="GET",
    path="/messaging_profiles/{id}/metrics",
    says="Show how much one profile sent and received, interval by interval",
    fields=(_PROFILE_PATH, _TIME_FRAME),
    example={"id": _ID, "time_frame": "24h"},
)
REGENERATE_SECRET = Operation(
    resource=Resource.PROFILES,
    verb="regenerate-secret",
    method="POST",
    path="/messaging_profiles/{id}/actions/regenerate_secret",
    says="Give a profile a new secret for the API's version 1",
    fields=(_PROFILE_PATH,),
    example={"id": _ID},
    destroys="Whoever uses the old secret is locked out. Textbridge does not use it.",
)

_ANSWER_PATH = path_id("autoresp_cfg_id", says="the automatic answer's id")
_ANSWER_COLUMNS = ("id", "op", "keywords", "country_code", "resp_text", "updated_at")
_ANSWER_FIELDS = (
    Field(
        name="op",
        required=True,
        choices=("start", "stop", "info"),
        says="what the keywords do: opt in, opt out, or only get the answer",
    ),
    Field(
        name="keywords",
        many=True,
        least=1,
        most=_MOST_KEYWORDS,
        required=True,
        says="the words, each a whole message",
    ),
    Field(name="country_code", kind=Kind.COUNTRY, required=True, says="whose texts: a country's code, or *"),
    Field(name="resp_text", least=_SHORTEST_ANSWER, says="the answer"),
)


def _check_keywords(ready: Mapping[str, object]) -> FieldProblem | None:
    keywords = ready.get("keywords")
    for keyword in keywords if isinstance(keywords, list) else []:
        meaning = _RESERVED.get(str(keyword).strip().upper())
        if meaning not in (None, ready.get("op")):
            return FieldProblem(name="keywords", says=f"cannot give {keyword} another meaning than {meaning}")
    return None


LIST_AUTORESPONSES = Operation(
    resource=Resource.AUTORESPONSES,
    verb="list",
    method="GET",
    path="/messaging_profiles/{profile_id}/autoresp_configs",
    says="List a profile's automatic answers",
    fields=(
        _OF_PROFILE,
        query("country_code", "only those for this country", kind=Kind.COUNTRY),
        query("created_at[gte]", "only those made at or after", kind=Kind.MOMENT),
        query("created_at[lte]", "only those made at or before", kind=Kind.MOMENT),
        query("updated_at[gte]", "only those changed at or after", kind=Kind.MOMENT),
        query("updated_at[lte]", "only those changed at or before", kind=Kind.MOMENT),
    ),
    example={"profile_id": _ID, "country_code": "US"},
    answer=Answer.LIST,
    columns=_ANSWER_COLUMNS,
    in_slack="Home, [Automatic answers]",
)
CREATE_AUTORESPONSE = Operation(
    resource=Resource.AUTORESPONSES,
    verb="create",
    method="POST",
    path="/messaging_profiles/{profile_id}/autoresp_configs",
    says="Make an automatic answer",
    fields=(_OF_PROFILE, *_ANSWER_FIELDS),
    rules=(_check_keywords,),
    example={
        "profile_id": _ID,
        "op": "info",
        "keywords": ["HOURS", "OPEN"],
        "country_code": "US",
        "resp_text": "We are here Monday to Friday, 9 to 5.",
    },
    in_slack="Home, [Automatic answers], [Add an answer]",
)
GET_AUTORESPONSE = Operation(
    resource=Resource.AUTORESPONSES,
    verb="get",
    method="GET",
    path="/messaging_profiles/{profile_id}/autoresp_configs/{autoresp_cfg_id}",
    says="Show one automatic answer",
    fields=(_OF_PROFILE, _ANSWER_PATH),
    example={"profile_id": _ID, "autoresp_cfg_id": _ANSWER_ID},
    in_slack="Home, [Automatic answers], [Change]",
)
UPDATE_AUTORESPONSE = Operation(
    resource=Resource.AUTORESPONSES,
    verb="update",
    method="PUT",
    path="/messaging_profiles/{profile_id}/autoresp_configs/{autoresp_cfg_id}",
    says="Write an automatic answer anew, as a whole",
    fields=(_OF_PROFILE, _ANSWER_PATH, *_ANSWER_FIELDS),
    rules=(_check_keywords,),
    example={
        "profile_id": _ID,
        "autoresp_cfg_id": _ANSWER_ID,
        "op": "stop",
        "keywords": ["STOP", "HALT"],
        "country_code": "US",
        "resp_text": "You get no more texts from us.",
    },
    in_slack="Home, [Automatic answers], [Change]",
)
DELETE_AUTORESPONSE = Operation(
    resource=Resource.AUTORESPONSES,
    verb="delete",
    method="DELETE",
    path="/messaging_profiles/{profile_id}/autoresp_configs/{autoresp_cfg_id}",
    says="Delete an automatic answer",
    fields=(_OF_PROFILE, _ANSWER_PATH),
    example={"profile_id": _ID, "autoresp_cfg_id": _ANSWER_ID},
    destroys="The automatic answer and its keywords are gone.",
    in_slack="Home, [Automatic answers], [Delete]",
)

PROFILE_OPERATIONS = (
    LIST_PROFILES,
    CREATE_PROFILE,
    GET_PROFILE,
    UPDATE_PROFILE,
    DELETE_PROFILE,
    LIST_PROFILE_NUMBERS,
    LIST_PROFILE_SHORT_CODES,
    LIST_PROFILE_SENDERS,
    LIST_METRICS,
    GET_METRICS,
    REGENERATE_SECRET,
)
AUTORESPONSE_OPERATIONS = (
    LIST_AUTORESPONSES,
    CREATE_AUTORESPONSE,
    GET_AUTORESPONSE,
    UPDATE_AUTORESPONSE,
    DELETE_AUTORESPONSE,
)
