"""What every measure works with: how much is asked for, where servers run, and what is kept of each round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.figures import Tally
from benchmarks.load import Load, Run
from benchmarks.processes import Server, Yard


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is asked of the contenders."""

    rounds: int
    requests: int  #: In one saturating run.
    connections: Sequence[int]
    steady_rate: float
    steady_requests: int
    burst: int
    texts: int  #: That go the whole way, in one run.
    conversations: int
    sample_requests: int
    late_texts: int  #: That go through with Slack late, and in how many conversations.
    late_conversations: int
    bystanders: int  #: Texts of other conversations beside one that is in trouble.
    replies: int
    stored_messages: int  #: In the big database, ten in each conversation.
    backlog: int


QUICK = Size(
    rounds=1,
    requests=1_500,
    connections=(32,),
    steady_rate=1_000,
    steady_requests=1_000,
    burst=200,
    texts=400,
    conversations=100,
    sample_requests=20,
    late_texts=600,
    late_conversations=300,
    bystanders=100,
    replies=200,
    stored_messages=20_000,
    backlog=2_000,
)
FULL = Size(
    rounds=5,
    requests=5_000,
    connections=(32, 64),
    steady_rate=1_000,
    steady_requests=3_000,
    burst=200,
    texts=2_000,
    conversations=500,
    sample_requests=40,
    late_texts=6_000,
    late_conversations=2_000,
    bystanders=300,
    replies=1_500,
    stored_messages=1_000_000,
    backlog=100_000,
)


@dataclass(slots=True, kw_only=True)
class Bench:
    """The yard, the size, and the tally that all measures write to."""

    yard: Yard
    size: Size
    tally: Tally = field(default_factory=Tally)
    say: Callable[[str], None] = print

    def note_run(self, contender: str, quantity: str, server: Server, run: Run, cpu: float) -> None:
        """Keep a run's rate, latencies and processor time."""
        tally = self.tally
        tally.requests += len(run.latencies) + run.errors
        tally.errors += run.errors
        if run.errors:
            tally.notes.append(f"{contender}, {quantity}: {run.errors} errors. {server.tell()[-500:]}")
        tally.add(contender, f"{quantity} rate", run.rate if run.latencies else 0.0)
        tally.add(contender, f"{quantity} p50", run.percentile(50) * 1e3)
        tally.add(contender, f"{quantity} p99", run.percentile(99) * 1e3)
        tally.add(contender, f"{quantity} cpu", cpu * 1e6 / max(1, len(run.latencies)))

    def saturate(self, contender: str, quantity: str, connections: int, requests: Sequence[bytes], warm: int) -> None:
        """Send *requests* as fast as they are answered, the first *warm* of them uncounted."""
        with self.yard.serving(contender) as server, Load(server.port, connections) as load:
            self.load_fully(server, load, contender, quantity, requests, warm)

    def load_fully(
        self, server: Server, load: Load, contender: str, quantity: str, requests: Sequence[bytes], warm: int
    ) -> None:
        """Send *requests* over a load's connections, the first *warm* of them uncounted."""
        first = load.run(requests[:warm])
        self.tally.errors += first.errors
        before = server.cpu_seconds
        run = load.run(requests[warm:])
        self.note_run(contender, quantity, server, run, server.cpu_seconds - before)

    def take_turns(self, contenders: Sequence[str]) -> list[tuple[int, list[str]]]:
        """Return the rounds: the number of each, and the contenders, one further on each time."""
        return [
            (number, [*contenders[number % len(contenders) :], *contenders[: number % len(contenders)]])
            for number in range(self.size.rounds)
        ]
