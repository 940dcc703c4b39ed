"""`queue`: what waits, what could not be done, and what a person decides about it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.chance import SystemChance
from bot.cli.operators import name_me
from bot.cli.partial import load_only
from bot.clock import SystemClock
from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.ids import JobId
from bot.domain.job import Pool, Status
from bot.observe import mask_numbers
from storage.admin import JobRow, find_job, list_jobs, list_parked, open_existing
from storage.database import Database
from storage.queue import Bell
from storage.store import SqliteStore, StoreTransaction

EPILOG = """\
A job is one thing to do: read a webhook, post a text, send one. One that cannot be done is parked and kept.
A bridge that runs on the database takes up within seconds what is brought back here.

  python -m bot queue                 what is parked, overdue, or waits
  python -m bot queue show 17         all about job 17 but what is in it
  python -m bot queue retry all       bring all parked jobs back
"""
_MOST = 50
_LONGEST_ID = 18  # digits that SQLite's whole numbers have room for
_COLUMNS = ("ID", "KIND", "STATUS", "ATTEMPTS", "DUE", "AGE", "TROUBLE")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what to do with which job."""
    parser.set_defaults(action="list", pool=[], status=[], limit=_MOST)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    listing = actions.add_parser("list", help="a table, parked and overdue first; also what happens without an action")
    for each in (parser, listing):
        each.add_argument("--pool", action="append", choices=[*map(str, Pool)], help="only jobs of this pool")
        each.add_argument(
            "--status", action="append", choices=[*map(str, Status)], help="only these (default: all unfinished)"
        )
        each.add_argument("--limit", type=int, metavar="N", help=f"at most so many lines (default {_MOST})")
    show = actions.add_parser("show", help="all about one job")
    show.add_argument("id", metavar="ID", type=_read_id)
    show.add_argument("--body", action="store_true", help="what is in it too: texts and numbers")
    retry = actions.add_parser("retry", help="bring a parked job back, or all")
    retry.add_argument("id", metavar="ID|all", type=_read_id_or_all)
    park = actions.add_parser("park", help="set a job aside that waits; the next of its conversation goes on")
    park.add_argument("id", metavar="ID", type=_read_id)


def _read_id(typed: str) -> JobId:
    if not typed.isdecimal() or len(typed) > _LONGEST_ID:
        raise argparse.ArgumentTypeError(f"{typed!r} is not the number of a job")
    return JobId(int(typed))


def _read_id_or_all(typed: str) -> JobId | None:
    if typed == "all":
        return None
    try:
        return _read_id(typed)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}, nor all") from error


def run(options: argparse.Namespace) -> int:
    """Do it beside a running bridge; 1 where the job is not there or not as it would have to be."""
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    settings = load_only("database_url")
    clock = SystemClock()
    async with open_existing(settings.database_path) as database:
        store = SqliteStore(database, Bell(), clock)
        match options.action:
            case "show":
                return await _show(database, options.id, clock.now(), with_body=options.body)
            case "retry" if options.id is None:
                return await _retry_all(database, store)
            case "retry":
                return await _retry(database, store, options.id)
            case "park":
                return await _park(database, store, options.id)
            case _:
                total, jobs = await list_jobs(
                    database,
                    clock.now(),
                    pools=[Pool(name) for name in options.pool or ()],
                    statuses=[Status(name) for name in options.status or ()],
                    limit=options.limit or _MOST,
                )
                _print_table(total, jobs, clock.now())
                return 0


def _print_table(total: int, jobs: Sequence[JobRow], now: datetime) -> None:
    if not total:
        print("There is nothing to be done.")
        return
    rows = [_COLUMNS, *(_render_row(job, now) for job in jobs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if total > len(jobs):
        print(f"… and {total - len(jobs)} more (--limit {total})")
    if any(job.status is Status.PARKED for job in jobs):
        print("\nParked jobs wait for you: `queue show ID` says more, `queue retry ID` (or all) tries again.")


def _render_row(job: JobRow, now: datetime) -> tuple[str, ...]:
    due = _tell_due(job.due_at, now) if job.status in (Status.READY, Status.WAITING) else "-"
    return (
        str(job.id),
        job.kind,
        job.status,
        str(job.attempts),
        due,
        _tell_span(now - job.created_at),
        mask_numbers(job.trouble or "-"),
    )


def _tell_due(due_at: datetime, now: datetime) -> str:
    return f"in {_tell_span(due_at - now)}" if due_at > now else f"{_tell_span(now - due_at)} ago"


def _tell_span(span: timedelta) -> str:
    """Return *span* in its largest whole unit."""
    seconds = max(0, int(span.total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


async def _show(database: Database, job_id: JobId, now: datetime, *, with_body: bool) -> int:
    job = await find_job(database, job_id)
    if job is None:
        return _miss(job_id)
    moments = {"created": job.created_at, "due": job.due_at, "started": job.started_at, "finished": job.finished_at}
    moments["lease until"] = job.lease_until
    lines = {
        "id": str(job.id),
        "kind": job.kind,
        "pool": job.pool,
        "status": job.status.value,
        "key": mask_numbers(job.key),
        "lane": mask_numbers(job.lane or "-"),
        "attempts": f"{job.attempts}, of which {job.surprises} failed unforeseen",
        "unsettled": "yes: an earlier attempt may have done its work" if job.unsettled else "no",
        "trouble": mask_numbers(job.trouble or "-"),
    } | {
        name: "-" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC ({_tell_due(moment, now)})"
        for name, moment in moments.items()
    }
    for name, value in lines.items():
        print(f"{name:<12}{value}")
    if with_body:
        print(f"body:\n{job.body or '(emptied when it was done)'}")
    elif job.body:
        print(f"{'body':<12}{len(job.body)} characters; --body shows them, with texts and numbers")
    return 0


async def _retry_all(database: Database, store: SqliteStore) -> int:
    jobs = await list_parked(database)
    async with store.transaction("retry all") as tx:
        brought = sum([await _audit(tx, job_id, "brought back", await tx.queue.try_again(job_id)) for job_id in jobs])
    print(f"{brought} brought back." if brought else "No job is parked.")
    return 0


async def _retry(database: Database, store: SqliteStore, job_id: JobId) -> int:
    async with store.transaction("retry job") as tx:
        done = await _audit(tx, job_id, "brought back", await tx.queue.try_again(job_id))
    if done:
        print(f"Job {job_id} is brought back.")
        return 0
    return await _tell_why_not(database, job_id, "Only a parked one can be brought back.")


async def _park(database: Database, store: SqliteStore, job_id: JobId) -> int:
    async with store.transaction("park job") as tx:
        done = await _audit(tx, job_id, "set aside", await tx.queue.set_aside(job_id))
    if done:
        print(f"Job {job_id} is parked: `queue retry {job_id}` brings it back.")
        return 0
    return await _tell_why_not(database, job_id, "Only one that waits or is ready can be parked.")


async def _audit(tx: StoreTransaction, job_id: JobId, what: str, done: bool) -> bool:  # noqa: FBT001 - passed through
    """Record, where it was *done*, that whoever runs this decided about a job; return *done*."""
    if done:
        await tx.audit.record(
            AuditEntry(
                key=f"{AuditAction.JOB_DECIDED}:{SystemChance().token()}",
                at=SystemClock().now(),
                actor=name_me(),
                action=AuditAction.JOB_DECIDED,
                subject=str(job_id),
                detail={"decided": what},
            )
        )
    return done


async def _tell_why_not(database: Database, job_id: JobId, rule: str) -> int:
    job = await find_job(database, job_id)
    if job is None:
        return _miss(job_id)
    print(f"Job {job_id} is {job.status}. {rule}", file=sys.stderr)
    return 1


def _miss(job_id: JobId) -> int:
    print(f"There is no job {job_id}: `python -m bot queue` lists them.", file=sys.stderr)
    return 1
