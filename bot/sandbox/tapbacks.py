"""
Reactions on a customer's iPhone, which go out as texts that quote what they are about.

The words are those that iPhones in English send to numbers without iMessage, as people who get them report:
https://github.com/FossifyOrg/Messages/issues/190.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """One of the six that an iPhone offers at once."""

    name: str
    emoji: str
    label: str  #: What the phone calls it.
    added: str  #: How the text begins that tells of it.
    removed: str  #: How the one begins that takes it back.


REACTIONS: tuple[Reaction, ...] = (
    Reaction(name="heart", emoji="❤️", label="Love", added="Loved", removed="Removed a heart from"),
    Reaction(name="like", emoji="👍", label="Like", added="Liked", removed="Removed a like from"),
    Reaction(name="dislike", emoji="👎", label="Dislike", added="Disliked", removed="Removed a dislike from"),
    Reaction(name="laugh", emoji="😂", label="Laugh", added="Laughed at", removed="Removed a laugh from"),
    Reaction(name="emphasis", emoji="‼️", label="Emphasize", added="Emphasized", removed="Removed an exclamation from"),
    Reaction(name="question", emoji="❓", label="Question", added="Questioned", removed="Removed a question mark from"),
)


def find_reaction(name: str) -> Reaction | None:
    """Return the reaction of that name."""
    return next((reaction for reaction in REACTIONS if reaction.name == name), None)


def word_tapback(reaction: Reaction, quoted: str, *, removed: bool) -> str:
    """Return the text that tells of *reaction* to the text *quoted*."""
    return f"{reaction.removed if removed else reaction.added} “{quoted}”"


@dataclass(slots=True)
class Tapbacks:
    """Which texts a phone sent as reactions: it shows those on what they are about, and not as texts of their own."""

    _told: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _shown: defaultdict[str, dict[str, Reaction]] = field(default_factory=lambda: defaultdict(dict))

    def note(self, number: str, message_id: str, reaction: Reaction, *, removed: bool) -> None:
        """Take down that the phone *number* now bears *reaction* on the text *message_id*, or not any more."""
        if removed:
            self._shown[number].pop(message_id, None)
        else:
            self._shown[number][message_id] = reaction

    def hide(self, number: str, message_id: str) -> None:
        """Take down that *message_id* was such a text: the phone *number* does not show it."""
        self._told[number].add(message_id)

    def find(self, number: str, message_id: str) -> Reaction | None:
        """Return the reaction that the phone *number* has put on the text *message_id*."""
        return self._shown[number].get(message_id)

    def is_hidden(self, number: str, message_id: str) -> bool:
        """Tell whether the phone *number* sent the text *message_id* as a reaction."""
        return message_id in self._told[number]
