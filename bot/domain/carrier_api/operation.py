"""One operation of the carrier's API as data, and the request that it comes to once its fields are filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote

from bot.domain.carrier_api.fields import Field, FieldProblem, Kind, Place, check_fields
from bot.domain.phone import Address, parse_address
from bot.errors import FieldsWrong


class Resource(StrEnum):
    """What the operations are about; the word of the shell for it."""

    MESSAGES = "messages"  #: Texts: sent, looked up, taken back.
    PROFILES = "profiles"  #: Messaging profiles: what a set of senders shares.
    AUTORESPONSES = "autoresponses"  #: What the carrier answers by itself to STOP, START, HELP and other keywords.
    NUMBERS = "numbers"  #: Our numbers' messaging settings.
    HOSTED = "hosted"  #: Numbers of another provider whose texts this carrier hosts.
    SHORT_CODES = "short-codes"  #: Numbers of three to eight digits.
    SENDERS = "senders"  #: Alphanumeric sender ids: names that texts come from.
    OPTOUTS = "optouts"  #: The carrier's list of who said STOP.


class Answer(StrEnum):
    """What comes back."""

    ONE = "one"  #: One object.
    LIST = "list"  #: All objects at once.
    PAGES = "pages"  #: Objects, a page at a time.


#: Looks at checked fields together; returns what is wrong with them.
Rule = Callable[[Mapping[str, object]], FieldProblem | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation: everything from which client, shell, help, documents and tests are derived."""

    resource: Resource
    verb: str  #: The word of the shell for it.
    method: str
    path: str  #: With its PATH fields in braces.
    says: str  #: What it does, imperative, no full stop.
    fields: tuple[Field, ...] = ()
    example: Mapping[str, object]  #: Fields filled in as somebody would; it stands in the help and is run by the tests.
    answer: Answer = Answer.ONE
    columns: tuple[str, ...] = ()  #: What a table shows of each object, parts after a dot; of ONE, all is shown.
    one_of: tuple[tuple[str, ...], ...] = ()  #: Of each of these, at least one field.
    rules: tuple[Rule, ...] = ()
    fixed: Mapping[str, object] = field(default_factory=dict)  #: What its body always holds.
    destroys: str = ""  #: What it does that cannot be undone or stops texts: what a person is asked about. A sentence.
    harms: Mapping[str, Mapping[object, str]] = field(default_factory=dict)  #: Likewise, of single values of fields.
    sends: bool = False  #: Whether it texts somebody: `to` is asked for their consent first.
    keyed: bool = False  #: Whether it takes an `Idempotency-Key`.
    in_slack: str = ""  #: Where in Slack the same is done; empty: nowhere.

    @property
    def name(self) -> str:
        """What it is called: resource and verb."""
        return f"{self.resource} {self.verb}"

    @property
    def changes(self) -> bool:
        """Whether it changes anything at the carrier."""
        return self.method != "GET"

    def find_field(self, name: str) -> Field | None:
        """Return the field of that name."""
        return next((each for each in self.fields if each.name == name), None)

    def list_fields(self, place: Place) -> tuple[Field, ...]:
        """Return the fields that go there."""
        return tuple(each for each in self.fields if each.place is place)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierCall:
    """An operation with its fields filled in and found right: what goes over the wire."""

    operation: Operation
    path: str
    query: tuple[tuple[str, str], ...]
    body: Mapping[str, object] | None  #: None: none is sent.


def plan_call(operation: Operation, given: Mapping[str, object]) -> CarrierCall:
    """Return the request that *operation* comes to with the fields *given*. Raises FieldsWrong with all that is wrong."""
    ready, problems = check_fields(operation.fields, given)
    if not problems:
        problems = [problem for rule in _list_rules(operation) if (problem := rule(ready)) is not None]
    if problems:
        raise FieldsWrong([(problem.name, problem.says) for problem in problems])
    names = {place: [each.name for each in operation.list_fields(place)] for place in Place}
    parts = {name: quote(str(ready[name]), safe="+") for name in names[Place.PATH]}
    body = {name: ready[name] for name in names[Place.BODY] if name in ready} | dict(operation.fixed)
    return CarrierCall(
        operation=operation,
        path=operation.path.format_map(parts),
        query=tuple((name, _write(ready[name])) for name in names[Place.QUERY] if name in ready),
        body=body if body or names[Place.BODY] else None,
    )


def tell_harm(operation: Operation, given: Mapping[str, object]) -> str | None:
    """Return what a person should be asked about before this is done; None if nothing is lost by it."""
    sentences = [operation.destroys] if operation.destroys else []
    for name, values in operation.harms.items():
        value = given.get(name, _ABSENT)
        sentences += [sentence for harmful, sentence in values.items() if harmful == value and value is not _ABSENT]
    return " ".join(sentences) or None


def list_recipients(operation: Operation, given: Mapping[str, object]) -> tuple[Address, ...]:
    """Return whom *operation* would text; nobody unless it sends."""
    if not operation.sends:
        return ()
    to = given.get("to")
    return tuple(parse_address(str(each)) for each in (to if isinstance(to, list | tuple) else [to]) if each)


_ABSENT = object()


def _list_rules(operation: Operation) -> list[Rule]:
    rules = [_make_one_of(names) for names in operation.one_of]
    if operation.method == "PATCH" and not operation.fixed:
        changed = tuple(each.name for each in operation.list_fields(Place.BODY))
        rules.append(_make_one_of(changed, says="nothing to change was given"))
    return [*rules, *operation.rules]


def _make_one_of(names: tuple[str, ...], *, says: str | None = None) -> Rule:
    def check(ready: Mapping[str, object]) -> FieldProblem | None:
        if any(name in ready for name in names):
            return None
        return FieldProblem(name=names[0], says=says or f"is needed, or {', or '.join(names[1:])}")

    return check


def _write(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(str(each) for each in value) if isinstance(value, list) else str(value)


def path_id(name: str = "id", *, says: str, kind: Kind = Kind.UUID) -> Field:
    """Return the field of an id in the address."""
    return Field(name=name, says=says, kind=kind, place=Place.PATH, required=True)


def query(name: str, says: str, *, kind: Kind = Kind.TEXT, choices: tuple[str, ...] = ()) -> Field:
    """Return a field that narrows or orders a list."""
    return Field(name=name, says=says, kind=kind, place=Place.QUERY, choices=choices)
