"""Who may call a platform now, and who comes back when it is their turn. In memory only: see `bot.domain.pace`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.clock import Clock
from bot.domain.pace import Limit, Rule, Turns, close_turns, find_wait, open_turns, relax_turns, take_turn
from bot.errors import Paced
from bot.observe import Log

_log = Log("pacing")

#: After a platform had to ask for patience, nothing of a burst is tried for so long.
_TIGHT_FOR = 3600.0
#: Where limits are learned: for how long they hold after the platform named one, twice as long each time it is again.
_LEARNED_FOR = 10.0
_LEARNED_AT_MOST = 320.0
#: A turn that nobody took is forgotten after so long.
_STALE_AFTER = 60.0


@dataclass(slots=True)
class _Gate:
    """One rule's turns, and to whom they are promised."""

    promised_turns: Turns | None = None
    used: Turns | None = None  #: As they were really taken: who comes late for theirs must not crowd those after them.
    closed_until: float = 0.0
    tight_until: float = 0.0
    learned_until: float = 0.0
    lessons: int = 0
    tidied_at: float = 0.0
    promised: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many wait for their turn under one rule, and how long the last of them."""

    count: int
    longest: timedelta


class Pacer:
    """
    `bot.ports.Pace`.

    *learned*: a rule holds only for a while after the platform has asked for patience. That is for simulators, which may
    have no limits at all; a real platform's are kept before it has to say so.
    """

    def __init__(self, clock: Clock, *, learned: bool = False) -> None:
        self._clock = clock
        self._learned = learned
        self._gates: dict[str, _Gate] = {}

    def take(self, rules: tuple[Rule, ...], ticket: str | None = None) -> None:
        """Return when a call under *rules* may be made now; else raise Paced, which says after how long."""
        now = self._clock.monotonic()
        for rule in rules:  # each in its turn: a turn under the second is not asked for before the first has come
            gate = self._gates.setdefault(rule.name, _Gate())
            turn_at = self._find_turn(gate, rule, ticket, now)
            if self._learned and rule.limit is not None:  # once the limit is over nobody waits for a turn under it
                turn_at = min(turn_at, max(gate.learned_until, now))
            if turn_at > now:
                log = f"waiting for a turn: {rule.name.split()[0]}"
                raise Paced(log, after=timedelta(seconds=turn_at - now))
        for rule in rules:
            gate = self._gates[rule.name]
            if gate.used is not None and not self._is_free(gate, now):
                gate.used, _ = take_turn(gate.used, now)
            if ticket is not None:
                gate.promised.pop(ticket, None)

    def _find_turn(self, gate: _Gate, rule: Rule, ticket: str | None, now: float) -> float:
        if rule.limit is None:
            return gate.closed_until
        if self._is_free(gate, now):  # whatever was promised while there was a limit
            return now
        turn_at = None if ticket is None else gate.promised.get(ticket)
        if turn_at is None:
            promised, _ = self._open(gate, rule.limit, now)
            if ticket is None and (wait := find_wait(promised, now)) > 0:
                return now + wait
            gate.promised_turns, turn_at = take_turn(promised, now)
            if ticket is not None:
                self._tidy(gate, now)
                gate.promised[ticket] = turn_at
        if turn_at > now or gate.used is None:
            return turn_at
        return now + find_wait(gate.used, now)

    def _is_free(self, gate: _Gate, now: float) -> bool:
        """Tell whether a limit that was learned no longer holds, or none was learned yet."""
        return self._learned and now >= gate.learned_until

    def _open(self, gate: _Gate, limit: Limit, now: float) -> tuple[Turns, Turns]:
        if gate.promised_turns is None or gate.used is None:
            gate.promised_turns = gate.used = open_turns(limit, now)
        elif gate.used.limit != limit and now >= gate.tight_until:
            gate.promised_turns, gate.used = relax_turns(gate.promised_turns, limit), relax_turns(gate.used, limit)
        return gate.promised_turns, gate.used

    def _tidy(self, gate: _Gate, now: float) -> None:
        if now - gate.tidied_at >= _STALE_AFTER:
            gate.tidied_at = now
            gate.promised = {ticket: at for ticket, at in gate.promised.items() if at > now - _STALE_AFTER}

    def hold_back(self, rule: Rule, after: timedelta) -> None:
        """Note that the platform asked for patience: nobody has a turn under *rule* before *after*."""
        now = self._clock.monotonic()
        gate = self._gates.setdefault(rule.name, _Gate())
        gate.closed_until = max(gate.closed_until, now + after.total_seconds())
        if rule.limit is None:
            return
        _log.info("A platform asked for patience.", rule=rule.name.split()[0], seconds=after.total_seconds())
        gate.promised_turns = gate.used = close_turns(rule.limit, gate.closed_until)
        gate.promised.clear()  # they come back at their old turns and are given new ones, in that order
        gate.tight_until = now + _TIGHT_FOR
        if now >= gate.learned_until:  # several that were under way together are one lesson
            is_again = gate.lessons > 0 and now - gate.learned_until < _LEARNED_FOR
            gate.lessons = gate.lessons + 1 if is_again else 1
        span = min(_LEARNED_FOR * 2.0 ** (gate.lessons - 1), _LEARNED_AT_MOST)
        gate.learned_until = max(gate.learned_until, gate.closed_until + span)

    def find_wait(self, name: str) -> timedelta:
        """Return how long whoever asked now would wait under the rule called *name*; zero: not at all."""
        gate, now = self._gates.get(name), self._clock.monotonic()
        if gate is None or gate.promised_turns is None or self._is_free(gate, now):
            return timedelta(0)
        return timedelta(seconds=find_wait(gate.promised_turns, now))

    def report(self) -> Mapping[str, Waiting]:
        """Return who waits for a turn now, by rule; nobody where none is named."""
        now = self._clock.monotonic()
        found = {}
        for name, gate in self._gates.items():
            waits = [at - now for at in gate.promised.values() if at > now]
            if waits:
                found[name] = Waiting(count=len(waits), longest=timedelta(seconds=max(waits)))
        return found
