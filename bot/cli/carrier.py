"""`carrier`: the Telnyx account from the shell; every operation of `bot.domain.carrier_api.table`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

from bot.chance import SystemChance
from bot.cli.carrier_fields import WrongUseError, add_fields, name_place, read_fields, tell_problems, write_example
from bot.cli.carrier_tables import Progress, render_record, render_table, show
from bot.cli.operators import name_me
from bot.cli.partial import load_only
from bot.clock import SystemClock
from bot.domain.carrier_api.operation import Answer, Operation, Resource, plan_call, tell_harm
from bot.domain.carrier_api.table import OPERATIONS, list_operations
from bot.errors import Busy, CarrierRefused, FieldsWrong, NotAllowed, OutcomeUnknown, RetryLater
from bot.flows.account_calls import AccountCalls
from bot.gateways.telnyx import TelnyxGateway
from bot.observe import Metrics, mask_numbers
from bot.ports import CarrierAccount
from bot.settings import Settings
from storage.admin import open_existing
from storage.queue import Bell
from storage.store import SqliteStore

EPILOG = f"""\
{len(OPERATIONS)} operations; each explains itself, with an example: python -m bot carrier RESOURCE VERB --help
Exit status: 0 done, 1 the carrier or a rule of ours refused, 2 asked wrongly.

A text that is sent from here is in no thread in Slack. Where the bridge's database is at hand (DATABASE_URL), nobody
who opted out is texted, and every change and every text is put into the audit; where it is not, Telnyx's own list of
opt-outs is what holds.

  python -m bot carrier profiles list
  python -m bot carrier numbers list --type longcode --json
  python -m bot carrier messages send --from +13125550100 --to +14155550101 --text "Your order is ready."
"""
#: So often in a row is a page of a list asked for again when the carrier answers 429, …
_MOST_WAITS = 5
#: … after the wait that it asks for, but not after a longer one than this; or after this one, if it names none.
_LONGEST_WAIT = timedelta(seconds=30)
_USUAL_WAIT = timedelta(seconds=2)
_RESOURCES = {
    Resource.MESSAGES: "texts: send, look up, take back",
    Resource.PROFILES: "messaging profiles, what is on them, and how much they carry",
    Resource.AUTORESPONSES: "what Telnyx answers by itself to STOP, START, HELP and other words",
    Resource.NUMBERS: "our numbers' messaging settings",
    Resource.HOSTED: "numbers of other providers whose texts Telnyx hosts",
    Resource.SHORT_CODES: "short codes",
    Resource.SENDERS: "names that texts come from (alphanumeric sender ids)",
    Resource.OPTOUTS: "Telnyx's list of who said STOP",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a resource, a verb, and the fields of that operation."""
    resources = parser.add_subparsers(dest="resource", metavar="RESOURCE", title="resources", required=True)
    for resource in Resource:
        about = resources.add_parser(
            str(resource), help=_RESOURCES[resource], description=_RESOURCES[resource].capitalize()
        )
        verbs = about.add_subparsers(dest="verb", metavar="VERB", title="verbs", required=True)
        for operation in list_operations(resource):
            _add_verb(verbs, operation)


def _add_verb(verbs: argparse._SubParsersAction[argparse.ArgumentParser], operation: Operation) -> None:
    said = operation.says[0].lower() + operation.says[1:]
    verb = verbs.add_parser(
        operation.verb,
        help=said.replace("%", "%%"),
        description=f"{operation.says}.  {operation.method} {operation.path}",
        epilog=f"Example:\n\n  {write_example(operation)}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    verb.set_defaults(operation=operation, yes=False, limit=None, key=None)
    add_fields(verb, operation)
    verb.add_argument("--json", action="store_true", help="print what the carrier answers, as JSON")
    if operation.answer is not Answer.ONE:
        verb.add_argument("--limit", type=_read_limit, metavar="N", help="read no more than the first N")
    if operation.keyed:
        verb.add_argument(
            "--key", metavar="KEY", help="Idempotency-Key; the same command under the same key sends nothing twice"
        )
    if operation.destroys or operation.harms:
        verb.add_argument("--yes", action="store_true", help="do not ask before anything is lost")


def _read_limit(typed: str) -> int:
    if not typed.isdecimal() or int(typed) < 1:
        raise argparse.ArgumentTypeError(f"{typed!r} is not a number above 0")
    return int(typed)


def run(options: argparse.Namespace) -> int:
    """Carry the operation out and print its answer."""
    operation: Operation = options.operation
    settings = load_only("telnyx_api_key", "telnyx_api_url", "database_url", "default_region")
    try:
        given = read_fields(operation, vars(options), settings.default_region)
        plan_call(operation, given)  # before anybody is asked anything
        _require_consent(operation, given, yes=options.yes)
    except FieldsWrong as error:
        print(tell_problems(operation, error.problems), file=sys.stderr)
        return 2
    except WrongUseError as error:
        print(error, file=sys.stderr)
        return 2
    except _NotDone:
        print("Nothing was done.", file=sys.stderr)
        return 1
    if operation.keyed and options.key is None:
        options.key = f"shell-{SystemChance().token()}"
    try:
        return asyncio.run(_run(operation, given, options, settings))
    except CarrierRefused as error:
        print(mask_numbers(_tell_refusal(operation, error)), file=sys.stderr)
    except NotAllowed as error:
        print(error.person, file=sys.stderr)
    except RetryLater as error:
        print(f"Nothing was done: {error.log}. Try again in a while.", file=sys.stderr)
    except OutcomeUnknown as error:
        print(f"It may or may not have been done: {error.log}. {_tell_next_step(options.key)}", file=sys.stderr)
    return 1


def _tell_refusal(operation: Operation, error: CarrierRefused) -> str:
    parts = [error.title, None if error.detail in (None, "-", error.title) else error.detail]
    words = ". ".join(show(part).rstrip(".") for part in parts if part) or "no reason given"
    about = f" It is about {name_place(operation, error.field)}." if error.field else ""
    also = "".join(f"\nAlso: {show(each)}" for each in error.further)
    return f"The carrier refused ({error.code}, HTTP {error.status}): {words}.{about}{also}"


def _tell_next_step(key: str | None) -> str:
    if key is None:
        return "Look before you do it again."
    return f"Type the same with --key {key} within a day: then it cannot go out twice."


class _NotDone(Exception):
    pass


def _require_consent(operation: Operation, given: Mapping[str, object], *, yes: bool) -> None:
    """Ask the person at the terminal before anything is lost."""
    harm = tell_harm(operation, given)
    if harm is None or yes:
        return
    if not sys.stdin.isatty():
        raise WrongUseError(f"{harm} Nobody can be asked here: say --yes to do it.")
    print(harm, file=sys.stderr)
    print("Type yes to do it: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() != "yes":
        raise _NotDone


async def _run(
    operation: Operation, given: Mapping[str, object], options: argparse.Namespace, settings: Settings
) -> int:
    async with _open_account(settings, with_database=operation.changes) as (account, calls):
        if operation.answer is Answer.ONE:
            answer = await calls.call(operation, given, actor=name_me(), key=options.key)
            print(
                json.dumps(answer, indent=2, ensure_ascii=False) if options.json else render_record(operation, answer)
            )
            return 0
        items, total = await _read_list(account, operation, given, limit=options.limit)
    items = items[: options.limit]
    if options.json:
        print(json.dumps(items, indent=2, ensure_ascii=False))
    else:
        print(render_table(operation, items, total=total))
    return 0


async def _read_list(
    account: CarrierAccount, operation: Operation, given: Mapping[str, object], *, limit: int | None
) -> tuple[list[Mapping[str, Any]], int]:
    """Return a list as far as it is wanted, and how long it is. Where the carrier asks for patience, have some."""
    items: list[Mapping[str, Any]] = []
    clock, total, next_page, waits = SystemClock(), 0, 1, 0
    with Progress(sys.stderr) as progress:
        while True:
            try:
                async for page in account.list_pages(operation, given, start=next_page):
                    items += page.items
                    total, next_page, waits = page.total, page.number + 1, 0
                    progress.tell(len(items), total, pages=page.pages)
                    if limit is not None and len(items) >= limit:
                        break
            except Busy as error:
                waits += 1
                if waits > _MOST_WAITS:
                    raise
                await clock.sleep(min(_USUAL_WAIT if error.after is None else error.after, _LONGEST_WAIT))
            else:
                return items, total


@asynccontextmanager
async def _open_account(
    settings: Settings, *, with_database: bool
) -> AsyncIterator[tuple[CarrierAccount, AccountCalls]]:
    """Lend the account, and the calls that ask for consent and keep the audit where there is a database."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        store = None
        if with_database and settings.database_path.exists():
            database = await stack.enter_async_context(open_existing(settings.database_path))
            store = SqliteStore(database, Bell(), clock)
        gateway = TelnyxGateway(
            url=settings.telnyx_api_url,
            api_key=settings.telnyx_api_key.get_secret_value(),
            profile_id=None,
            metrics=Metrics(),
        )
        stack.push_async_callback(gateway.close)
        yield gateway, AccountCalls(account=gateway, store=store, clock=clock, chance=SystemChance())
