"""The table of what was measured, in Markdown."""

from __future__ import annotations

from datetime import UTC, datetime

from benchmarks.figures import Figure, Tally, show_spread

_PREFACE = """\
Every figure is a ratio inside one run: the contenders take turns, each in a process of its own on an empty file, and the
ratio is taken round by round. Shown is the median of the rounds, with the least and the most beside it. The bridge is the real
process, `python -m bot serve`, with its ordinary settings; it talks to a Slack and a carrier that know no rules and answer at
once (`benchmarks/fakes.py`), because the simulators that come with it play the platforms truly and would be what is
measured. Absolute numbers are this machine's on that day and good for little else.

- **bare**: aiohttp answers 200. **floor**: aiohttp, the same Ed25519 check and reader of JSON, group commit with
  `synchronous=FULL`, duplicates refused, nothing else. **each**: the same with a transaction for each request.
  **lean**: the floor with Slack's HMAC.
- **through**: the floor, and each text posted by a bare aiohttp client, in order within its conversation, and recorded.
- **storeless**: the bridge itself with its inbox switched off.
- **bolt**: slack-bolt with one listener and the same group commit. **sample**: Flask, slack_sdk and sqlite under gunicorn
  with two workers, posting while the carrier waits.

Where the other side is a number and no contender, it is named so; what is made once in a run, for its length, has one value.
Slow flushes are made, and all are counted, by a copy of SQLite's table of functions for the disk (`benchmarks/vfs.py`).
"""

#: Where the rest goes, by the beginning of a measure's name; from profiles taken under the same load.
_REASONS = {
    "Webhook ack, durable, 32 connections, each flush": "in a batch of thirty the flush is no longer what takes long; the "
    "processor is, and it has more to do for each than a bare transaction has",
    "Webhook ack": "a job's row has four indices where the floor's has one, and takes half as long again to store; half of "
    "that is the index of the lanes, which keeps their order. The event is read for its lane, and in a rush every pool still "
    "takes up two or three jobs a second",
    "Slack event ack": "request, signature and JSON cost what they cost the floor; what is left is the job's row as above, "
    "which weighs more where there is no signature of 70 µs to check. Bolt, which answers here once its one listener has "
    "stored the event, takes some 2.4 times as long as the floor, so 2.2 times its rate is nine tenths of the floor's, which "
    "has no order to keep",
    "Through": "the answer to the carrier alone is a quarter; reading a text for consent, wording it, its three rows and their "
    "indices, and two tasks are the rest, in which nothing stands out, and one core does them all. The floor keeps no rule, "
    "reads no word and has one row where we have three; half of the ack floor is more than it reaches itself",
    "Delivered, Slack 150 ms": "one core does some hundreds of texts a second the whole way, whatever Slack's latency "
    "leaves room for; so fewer than 256 are under way",
    "Delivery beside": "one core: reading what waits takes from it what the others would have had at that moment",
    "Replies": "one core, and nothing stands out any more: the request to the carrier, in httpx and aiohttp, is a fifth; some "
    "thirty statements, for two jobs that are each claimed and finished, a seventh; the rest is spread over our own lines",
    "Idle, from": "two jobs one after the other, each woken, claimed and committed, with a flush of the disk each",
    "Commit of 32 rows": "random keys scatter over more pages, each of which the log takes whole",
    "Look-up": "a row becomes a checked object, on a connection that is lent and taken back; beside ten microseconds that "
    "weighs",
    "A message": "its sixty letters, and two ids of 16 bytes that stand twice each, in the row and in an index",
    "Write-ahead log": "nothing empties it while writing never pauses",
    "Backlog": "the indices of keys and lanes grow with what waits, and conversations whose turn has come are tried again",
    "Memory after": "what 256 posts at once took of Python's own pools, of which one that still holds anything is kept",
    "Start": "what stands beside aiohttp's own imports: the signature's library, SQLite, some thirty classes of our own, a "
    "new database with all its steps, and two questions to the platforms",
    "Idle memory": "the platforms' clients and every flow, loaded once it is ready",
}


def write_report(tally: Tally, *, command: str, machine: list[str], seconds: float) -> str:
    """Return the whole document."""
    lines = [
        "# What was measured",
        "",
        f"`{command}`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {seconds / 60:.1f} minutes.",
        "",
    ]
    lines += [f"- {line}" for line in machine]
    lines += ["", _PREFACE]
    lines += [f"{tally.requests:,} requests, {tally.errors:,} errors.", ""]
    lines += ["| measure | against | bridge | other | ratio | goal | |", "|---|---|---|---|---|---|---|"]
    lines += [_row(figure) for figure in tally.figures]
    missed = [figure for figure in tally.figures if figure.is_met is False]
    reached = sum(figure.is_met is True for figure in tally.figures)
    lines += ["", f"Goals reached: {reached} of {reached + len(missed)}."]
    for figure in missed:
        reason = next((words for start, words in _REASONS.items() if figure.measure.startswith(start)), "")
        lines.append(
            f"- missed: {figure.measure}, against {figure.theirs_name}: {show_spread(figure.ratios)}, goal {figure.goal}"
        )
        lines += [f"  ({reason})"] if reason else []
    if tally.notes:
        lines += ["", *(f"- {note}" for note in tally.notes)]
    return "\n".join(lines) + "\n"


def _row(figure: Figure) -> str:
    verdict = {True: "reached", False: "**missed**", None: ""}[figure.is_met]
    goal = "" if figure.goal is None else str(figure.goal)
    return (
        f"| {figure.measure} | {figure.theirs_name} | {show_spread(figure.ours)} {figure.unit} "
        f"| {show_spread(figure.theirs)} {figure.unit} | {show_spread(figure.ratios)} | {goal} | {verdict} |"
    )
