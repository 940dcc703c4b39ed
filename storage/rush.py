"""
Answers first: while requests come faster than they and the work that they bring can both be done, jobs are taken up sparingly.

The carrier waits two seconds for its answer and Slack three; a text that is on disk can be posted a little later. On one
core the two compete, and work taken up in the middle of a burst would make every answer of it late.
"""

from __future__ import annotations

from datetime import timedelta

#: In a rush each pool takes up so few jobs at a time, after so many looks whether it is over, with such a pause before each:
#: work slows down, and never stands still. Two or three answers wait for each job that is taken up; of a thousand a second
#: that is less than one in a hundred, and two or three posts a second are still more than Slack takes into one channel.
FEW = 1
LOOKS = 4
PAUSE = timedelta(milliseconds=100)

#: So many at once are a crowd: they came while something else was done, and the next will. So many a second do not come
#: together to one.
_CROWD = 8.0
_PER_SECOND = 500.0
#: However long it was, a rush is over a tenth of a second after the last of it.
_MOST = _CROWD + _PER_SECOND / 10


class Rush:
    """
    Whether there is one: a bucket that leaks, filled by what comes.

    A crowd fills it at a stroke: on a slow machine requests do not come any faster than they are answered, and work that
    did not give way to them would make itself room by answering fewer.
    """

    def __init__(self) -> None:
        self._level = 0.0
        self._counted_at = 0.0

    def count(self, requests: int, now: float) -> None:
        """Tell how many *requests* a commit was for; *now* is the clock's monotonic seconds."""
        self._level = _MOST if requests >= _CROWD else min(_MOST, self._find_level(now) + requests)
        self._counted_at = now

    def is_on(self, now: float) -> bool:
        """Tell whether there is a rush."""
        return self._find_level(now) >= _CROWD

    def _find_level(self, now: float) -> float:
        return max(0.0, self._level - (now - self._counted_at) * _PER_SECOND)
