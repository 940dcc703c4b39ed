"""How much the machines try: little in each run of the tests, much in `make fuzz`; and where their files lie."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, Phase, settings

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - Linux keeps this folder in memory
#: The folder in which folders are made; None: where the system makes them.
FAST = _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None
#: What hypothesis tries unless told: a profile that wants more is `fuzz`.
_USUAL = 100
#: A step of a machine is many steps of the program: it tries one in so many of what the profile wants of pure functions.
_ONE_IN = 5
#: Making a failing example smaller takes minutes: an ordinary run would be ended by its time limit before it is told.
_AT_ONCE = tuple(phase for phase in Phase if phase is not Phase.shrink)


def choose_effort(*, examples: int, steps: int) -> settings:
    """Return the settings for a machine that tries *examples* sequences of at most *steps* steps in an ordinary run."""
    wanted = settings().max_examples
    is_fuzz = wanted > _USUAL
    return settings(
        max_examples=max(examples, wanted // _ONE_IN) if is_fuzz else examples,
        stateful_step_count=steps,
        phases=tuple(Phase) if is_fuzz else _AT_ONCE,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
