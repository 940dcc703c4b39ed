"""
Answers first: while requests queue for their commit, jobs are taken up sparingly.

The carrier waits two seconds for its answer and Slack three; a text that is on disk can be posted a little later. On one
core the two compete, and work taken up in the middle of a burst would make every answer of it late.
"""

from __future__ import annotations

from datetime import timedelta

#: So many requests that came during one commit make a crowd. At a thousand a second there are two or three.
_CROWD = 8
#: In a rush each pool takes up so few jobs at a time, with such a pause before: work slows down, and never stands still.
FEW = 1
PAUSE = timedelta(milliseconds=50)
#: How long, in seconds, a crowd is taken to go on.
_LASTS = 0.1


class Rush:
    """Whether there is one, by the size of the newest commits."""

    def __init__(self) -> None:
        self._until = 0.0

    def count(self, requests: int, now: float) -> None:
        """Tell how many *requests* a commit was for; *now* is the clock's monotonic seconds."""
        if requests >= _CROWD:
            self._until = now + _LASTS

    def is_on(self, now: float) -> bool:
        """Tell whether there is a rush."""
        return now < self._until
