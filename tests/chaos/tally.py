"""What a storm did, what is owed after it, and what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """What was done and what was owed."""

    texts: int = 0
    replies: int = 0
    kills: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    texts_owed: dict[str, list[str]] = field(default_factory=dict)  #: By customer, in the order of their 200.
    replies_owed: dict[str, list[str]] = field(default_factory=dict)
    together: int = 0  #: Messages in which several texts stand.
    told: int = 0  #: Replies of which nobody knew for half a minute: people were told, and others went before them.
    wrong: list[str] = field(default_factory=list)

    def describe_briefly(self) -> str:
        """Return how much was done so far."""
        return f"{self.texts} texts, {self.replies} replies, {self.kills} times killed"

    def describe(self) -> str:
        """Return the whole storm in a few lines."""
        owed = sum(map(len, self.texts_owed.values())), sum(map(len, self.replies_owed.values()))
        lines = [
            f"{self.texts} texts ({owed[0]} answered 200), {self.replies} replies ({owed[1]} answered 200)",
            f"{self.together} messages of several texts that were held up",
            f"{self.kills} times killed; {self.told} replies not known for so long that people were told",
            "faults: " + (", ".join(f"{name} {count}" for name, count in sorted(self.faults.items())) or "none"),
        ]
        lines.extend(self.wrong or ["nothing lost, nothing twice, nothing out of order"])
        return "\n".join(lines)

    def compare(self, what: str, owed: list[str], found: list[str], told: Collection[str] = ()) -> None:
        """Note what of *owed* was not *found*, was found twice, or out of order; what was *told* may be out of order."""
        counts = Counter(found)
        for text in owed:
            if not counts[text]:
                self.wrong.append(f"{what}: lost {text!r}")
        for text, count in counts.items():
            if count > 1:
                self.wrong.append(f"{what}: {count} times {text!r}")
        kept = [text for text in dict.fromkeys(found) if text in set(owed) - set(told)]
        expected = [text for text in owed if counts[text] and text not in told]
        if kept != expected:
            first = next(pair for pair in zip(expected, kept, strict=False) if pair[0] != pair[1])
            self.wrong.append(f"{what}: out of order, {first[1]!r} stands before {first[0]!r}")
