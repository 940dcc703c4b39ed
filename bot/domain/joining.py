"""
When texts of one conversation are shown together in one message, and how many.

For each in a message of its own is better to read, to quote and to react to. What is worse is to learn of a text late. Slack
takes one message a second into a channel, all of its conversations together, and whoever has posted asks for the next
turn behind everybody else: so what waits is shown one by one, a turn each.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from bot.text.escape import MAX_MESSAGE_TEXT

#: The last of what waits is there within this span even one by one: nobody reads faster than that.
SOON = timedelta(seconds=5)
#: What is known later than this after the first of it came is late: by then they wonder why nobody answers.
LATE = timedelta(seconds=15)
#: Two blocks each, of Slack's fifty; a card has some, too.
MOST_TOGETHER = 20


def is_held_up(waited: timedelta, behind: int, turn: timedelta) -> bool:
    """
    Tell whether a conversation would learn of its texts late if each were shown by itself.

    *waited*: how long the text whose turn it is has; *behind*: how many posts wait behind it; *turn*: how long whoever asks
    for a turn now waits for it.
    """
    left = behind * turn
    return left >= SOON and waited + left >= LATE


def count_companions(first: int, following: Iterable[int]) -> int:
    """Return how many texts of these lengths fit into one message behind one of *first* characters, in their order."""
    count, size = 0, first
    for length in following:
        size += length
        if count + 1 >= MOST_TOGETHER or size > MAX_MESSAGE_TEXT:
            break
        count += 1
    return count
