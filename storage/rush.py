"""
Answers first: while requests queue for their commit, jobs are taken up sparingly.

The carrier waits two seconds for its answer and Slack three; a text that is on disk can be posted a little later. On one
core the two compete, and work taken up in the middle of a burst would make every answer of it late.
"""

from __future__ import annotations

from datetime import timedelta

#: So many requests that came during one commit make a crowd. At a thousand a second there are two or three.
_CROWD = 8
#: In a rush each pool takes up this many jobs, once in so long: work slows down, and never stands still.
FEW = 2
PAUSE = timedelta(milliseconds=50)


class Rush:
    """Whether there is one."""

    def __init__(self) -> None:
        self.is_on = False

    def count(self, waiting: int) -> None:
        """Tell how many requests wait now that a commit has ended."""
        self.is_on = waiting >= _CROWD
