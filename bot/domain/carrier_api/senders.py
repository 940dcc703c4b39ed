"""Operations on what texts come from: numbers, hosted numbers, short codes, names; and on who has said STOP to them."""

from __future__ import annotations

from bot.domain.carrier_api.fields import Field, Kind
from bot.domain.carrier_api.operation import Answer, Operation, Resource, path_id, query

_PROFILE = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
_NUMBER_ID = "1293384261075731499"
_HOSTED_ID = "1293384261075731500"
_CODE_ID = "6a09cdc3-8948-47f0-aa62-74ac943d6c57"
_NAME_ID = "6a09cdc3-8948-47f0-aa62-74ac943d6c58"
_ORDER = ("asc", "desc")

NUMBER_COLUMNS = ("id", "phone_number", "type", "country_code", "messaging_profile_id", "messaging_product", "tags")
SHORT_CODE_COLUMNS = ("id", "short_code", "country_code", "messaging_profile_id", "tags", "updated_at")
SENDER_COLUMNS = ("id", "alphanumeric_sender_id", "messaging_profile_id", "us_long_code_fallback")

_OF_PROFILE = query("filter[messaging_profile_id]", "only those of this profile", kind=Kind.UUID)
_NUMBER_FILTERS = (
    _OF_PROFILE,
    query("filter[phone_number]", "only this number"),
    query("filter[phone_number][contains]", "only numbers with these digits in them"),
)
_NUMBER_SORT = query("sort[phone_number]", "in the order of the numbers", choices=_ORDER)
_NUMBER_SETTINGS = (
    Field(name="messaging_profile_id", kind=Kind.UUID, says="the profile that it goes on"),
    Field(name="messaging_product", says="its product, such as A2P"),
    Field(name="tags", many=True, says="its tags, in place of those it has"),
)
_NUMBER_PATH = path_id(says="the number's id, or the number itself", kind=Kind.KEY_OR_PHONE)
_UNASSIGNED = "The number neither sends nor receives texts until it is on a profile again."

LIST_NUMBERS = Operation(
    resource=Resource.NUMBERS,
    verb="list",
    method="GET",
    path="/phone_numbers/messaging",
    says="List our numbers with their messaging settings",
    fields=(
        *_NUMBER_FILTERS,
        query("filter[type]", "only of this kind", choices=("tollfree", "longcode", "shortcode")),
        _NUMBER_SORT,
    ),
    example={"filter[type]": "longcode", "sort[phone_number]": "asc"},
    answer=Answer.PAGES,
    columns=NUMBER_COLUMNS,
    in_slack="Home, *Account*",
)
GET_NUMBER = Operation(
    resource=Resource.NUMBERS,
    verb="get",
    method="GET",
    path="/phone_numbers/{id}/messaging",
    says="Show one number's messaging settings",
    fields=(path_id(says="the number's id", kind=Kind.KEY),),
    example={"id": _NUMBER_ID},
)
UPDATE_NUMBER = Operation(
    resource=Resource.NUMBERS,
    verb="update",
    method="PATCH",
    path="/phone_numbers/{id}/messaging",
    says="Put a number on a profile, or change its product or tags",
    fields=(path_id(says="the number's id", kind=Kind.KEY), *_NUMBER_SETTINGS),
    example={"id": _NUMBER_ID, "messaging_profile_id": _PROFILE, "tags": ["sales"]},
)
UNASSIGN_NUMBER = Operation(
    resource=Resource.NUMBERS,
    verb="unassign",
    method="PATCH",
    path="/phone_numbers/{id}/messaging",
    says="Take a number off its profile",
    fields=(path_id(says="the number's id", kind=Kind.KEY),),
    fixed={"messaging_profile_id": ""},
    example={"id": _NUMBER_ID},
    destroys=_UNASSIGNED,
)

LIST_HOSTED = Operation(
    resource=Resource.HOSTED,
    verb="list",
    method="GET",
    path="/messaging_hosted_numbers",
    says="List numbers of other providers whose texts are hosted here",
    fields=(*_NUMBER_FILTERS, _NUMBER_SORT),
    example={"filter[phone_number][contains]": "312"},
    answer=Answer.PAGES,
    columns=NUMBER_COLUMNS,
)
GET_HOSTED = Operation(
    resource=Resource.HOSTED,
    verb="get",
    method="GET",
    path="/messaging_hosted_numbers/{id}",
    says="Show one hosted number",
    fields=(_NUMBER_PATH,),
    example={"id": _HOSTED_ID},
)
UPDATE_HOSTED = Operation(
    resource=Resource.HOSTED,
    verb="update",
    method="PATCH",
    path="/messaging_hosted_numbers/{id}",
    says="Put a hosted number on a profile, or change its product or tags",
    fields=(_NUMBER_PATH, *_NUMBER_SETTINGS),
    example={"id": _HOSTED_ID, "messaging_profile_id": _PROFILE, "tags": ["reception"]},
)
UNASSIGN_HOSTED = Operation(
    resource=Resource.HOSTED,
    verb="unassign",
    method="PATCH",
    path="/messaging_hosted_numbers/{id}",
    says="Take a hosted number off its profile",
    fields=(_NUMBER_PATH,),
    fixed={"messaging_profile_id": ""},
    example={"id": _HOSTED_ID},
    destroys=_UNASSIGNED,
)

_CODE_PATH = path_id(says="the short code's id")
LIST_SHORT_CODES = Operation(
    resource=Resource.SHORT_CODES,
    verb="list",
    method="GET",
    path="/short_codes",
    says="List our short codes",
    fields=(query("filter[messaging_profile_id]", "only those of this profile; the word null: of none"),),
    example={"filter[messaging_profile_id]": _PROFILE},
    answer=Answer.PAGES,
    columns=SHORT_CODE_COLUMNS,
    in_slack="Home, [Short codes]",
)
GET_SHORT_CODE = Operation(
    resource=Resource.SHORT_CODES,
    verb="get",
    method="GET",
    path="/short_codes/{id}",
    says="Show one short code",
    fields=(_CODE_PATH,),
    example={"id": _CODE_ID},
)
UPDATE_SHORT_CODE = Operation(
    resource=Resource.SHORT_CODES,
    verb="update",
    method="PATCH",
    path="/short_codes/{id}",
    says="Bind a short code to a profile, and set its tags",
    fields=(
        _CODE_PATH,
        Field(
            name="messaging_profile_id",
            kind=Kind.UUID,
            required=True,
            says="the profile; to change the tags alone, the one it has",
        ),
        Field(name="tags", many=True, says="its tags, in place of those it has"),
    ),
    example={"id": _CODE_ID, "messaging_profile_id": _PROFILE, "tags": ["alerts"]},
    in_slack="Home, [Short codes], [Bind to the profile]",
)
UNBIND_SHORT_CODE = Operation(
    resource=Resource.SHORT_CODES,
    verb="unbind",
    method="PATCH",
    path="/short_codes/{id}",
    says="Take a short code off its profile",
    fields=(_CODE_PATH,),
    fixed={"messaging_profile_id": ""},
    example={"id": _CODE_ID},
    destroys="The short code neither sends nor receives texts until it is bound to a profile again.",
    in_slack="Home, [Short codes], [Unbind]",
)

LIST_SENDERS = Operation(
    resource=Resource.SENDERS,
    verb="list",
    method="GET",
    path="/alphanumeric_sender_ids",
    says="List the names (alphanumeric sender ids) of the account",
    fields=(_OF_PROFILE,),
    example={"filter[messaging_profile_id]": _PROFILE},
    answer=Answer.PAGES,
    columns=SENDER_COLUMNS,
)
CREATE_SENDER = Operation(
    resource=Resource.SENDERS,
    verb="create",
    method="POST",
    path="/alphanumeric_sender_ids",
    says="Make a name that texts can come from; not to the US, Canada or Puerto Rico",
    fields=(
        Field(name="alphanumeric_sender_id", kind=Kind.SENDER_NAME, required=True, says="the name"),
        Field(name="messaging_profile_id", kind=Kind.UUID, required=True, says="the profile that will have it"),
        Field(name="us_long_code_fallback", kind=Kind.PHONE, says="our US number that texts to the US come from"),
    ),
    example={"alphanumeric_sender_id": "AcmeSupport", "messaging_profile_id": _PROFILE},
    in_slack="Home, [Sender names], [Add]",
)
GET_SENDER = Operation(
    resource=Resource.SENDERS,
    verb="get",
    method="GET",
    path="/alphanumeric_sender_ids/{id}",
    says="Show one name",
    fields=(path_id(says="the name's id", kind=Kind.KEY),),
    example={"id": _NAME_ID},
)
DELETE_SENDER = Operation(
    resource=Resource.SENDERS,
    verb="delete",
    method="DELETE",
    path="/alphanumeric_sender_ids/{id}",
    says="Delete a name",
    fields=(path_id(says="the name's id", kind=Kind.KEY),),
    example={"id": _NAME_ID},
    destroys="No text can come from this name any more.",
    in_slack="Home, [Sender names], [Delete]",
)

LIST_OPTOUTS = Operation(
    resource=Resource.OPTOUTS,
    verb="list",
    method="GET",
    path="/messaging_optouts",
    says="List who has said STOP, as the carrier has it; it can only be read",
    fields=(
        _OF_PROFILE,
        query("filter[from]", "only what was said to this sender of ours", kind=Kind.SENDER),
        query("created_at[gte]", "only what was said at or after", kind=Kind.MOMENT),
        query("created_at[lte]", "only what was said at or before", kind=Kind.MOMENT),
        query("redaction_enabled", "true: with the ends of their numbers blacked out", choices=("true", "false")),
    ),
    example={"filter[from]": "+13125550100", "created_at[gte]": "2026-11-01T00:00:00Z"},
    answer=Answer.PAGES,
    columns=("to", "from", "keyword", "messaging_profile_id", "created_at"),
    in_slack="`/optouts`",
)

NUMBER_OPERATIONS = (LIST_NUMBERS, GET_NUMBER, UPDATE_NUMBER, UNASSIGN_NUMBER)
HOSTED_OPERATIONS = (LIST_HOSTED, GET_HOSTED, UPDATE_HOSTED, UNASSIGN_HOSTED)
SHORT_CODE_OPERATIONS = (LIST_SHORT_CODES, GET_SHORT_CODE, UPDATE_SHORT_CODE, UNBIND_SHORT_CODE)
SENDER_OPERATIONS = (LIST_SENDERS, CREATE_SENDER, GET_SENDER, DELETE_SENDER)
OPTOUT_OPERATIONS = (LIST_OPTOUTS,)
