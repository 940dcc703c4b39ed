"""Scripted openings: a few texts and replies that show one thing each, for the demo's menu and for tests."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

#: Pixels of a story's picture.
_WIDTH, _HEIGHT = 320, 240


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerTexts:
    """A customer texts our first number."""

    customer: int  #: Place in the cast.
    text: str
    others: tuple[int, ...] = ()  #: Who else is in it: a text to a group.
    picture: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TeammateReplies:
    """A teammate writes into the thread of a customer, or of a group, once it is there."""

    teammate: str  #: Key in the cast.
    customer: int
    text: str
    others: tuple[int, ...] = ()
    picture: bool = False


Step = CustomerTexts | TeammateReplies

#: Longer than one message in Slack may be, and numbered, so that it shows that every line arrives in its place.
_FLEET = "Here is what our rental bikes need, all 100 of them:\n" + "\n".join(
    f"{number}. No. {100 + number}: {need}"
    for number, need in enumerate(
        ("brake pads, front and rear", "new chain and cassette", "puncture, tube and tyre", "just a check-up") * 25, 1
    )
)
#: Of several parts, none of which the customer sees as such.
_OFFER = (
    "Thanks, Noor! That is 25 sets of brake pads, 25 chains with cassettes, 25 tubes with tyres and 25 check-ups. "
    "We can take ten bikes a day from Monday on, so all would be done in two weeks. Per bike that makes $38 "
    "for pads, $65 for chain and cassette, $45 for tube and tyre and $25 for the check-up: $4,325 for everything, "
    "collected and brought back. Shall we start with numbers 101 to 110?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One entry of the menu."""

    name: str
    label: str
    hint: str
    customer: int  #: Whose phone to look at.
    steps: tuple[Step, ...]


STORIES: tuple[Story, ...] = (
    Story(
        name="first_text",
        label="A first text",
        hint="opens a thread",
        customer=0,
        steps=(CustomerTexts(customer=0, text="Hi! Is my bike ready? I dropped it off on Tuesday."),),
    ),
    Story(
        name="conversation",
        label="A conversation",
        hint="question, note, answer, a liked text",
        customer=0,
        steps=(
            CustomerTexts(customer=0, text="Could you also look at the rear brake? It squeals 😬"),
            TeammateReplies(teammate="dana", customer=0, text="// <3 regular, no charge for the brake"),
            TeammateReplies(teammate="dana", customer=0, text="Of course, we'll look at it today."),
            CustomerTexts(customer=0, text="Liked “Of course, we'll look at it today.”"),
        ),
    ),
    Story(
        name="picture",
        label="Pictures both ways",
        hint="a file in the thread, a picture on the phone",
        customer=1,
        steps=(
            CustomerTexts(customer=1, text="We want to ride up there on Friday. Do you rent bikes?", picture=True),
            TeammateReplies(
                teammate="marcus", customer=1, text="We do, $35 a day. And this is the view from the top:", picture=True
            ),
        ),
    ),
    Story(
        name="long",
        label="A long text",
        hint="goes on in the next message, nothing is cut",
        customer=3,
        steps=(
            CustomerTexts(customer=3, text=_FLEET),
            TeammateReplies(teammate="priya", customer=3, text=_OFFER),
        ),
    ),
    Story(
        name="group",
        label="A group",
        hint="two customers, one thread",
        customer=0,
        steps=(
            CustomerTexts(customer=0, others=(1,), text="Alex and I share the cargo bike. When can we pick it up?"),
            CustomerTexts(customer=1, others=(0,), text="Saturday would be best for me."),
            TeammateReplies(teammate="dana", customer=0, others=(1,), text="Saturday from 10 it is, for both of you."),
        ),
    ),
    Story(
        name="stop",
        label="STOP",
        hint="and a reply that is refused",
        customer=2,
        steps=(
            CustomerTexts(customer=2, text="How much is a tune-up?"),
            TeammateReplies(teammate="priya", customer=2, text="It is $85, and takes two days."),
            CustomerTexts(customer=2, text="STOP"),
            TeammateReplies(teammate="priya", customer=2, text="We also have a special this week!"),
        ),
    ),
    Story(
        name="please_stop",
        label="Please stop texting me",
        hint="in words of their own",
        customer=3,
        steps=(CustomerTexts(customer=3, text="Please stop texting me about the helmets, I bought one elsewhere."),),
    ),
    Story(
        name="rush",
        label="Everybody at once",
        hint="four customers, eight texts",
        customer=0,
        steps=(
            CustomerTexts(customer=0, text="Good morning! When do you open?"),
            CustomerTexts(customer=1, text="Any news about the part?"),
            CustomerTexts(customer=2, text="Can I bring in two bikes on Friday?"),
            CustomerTexts(customer=3, text="Do you fix scooters <b>too</b> & what does it cost?"),
            CustomerTexts(customer=0, text="Never mind, found it on the door: 9:00"),
            CustomerTexts(customer=1, text="It is the derailleur hanger, no. 77"),
            CustomerTexts(customer=2, text="They are both 28 inch"),
            CustomerTexts(customer=3, text="Ελληνικά, 日本語 and 👩‍🔧 work as well?"),
        ),
    ),
)


def find_story(name: str) -> Story | None:
    """Return the story of that name."""
    return next((story for story in STORIES if story.name == name), None)


def paint_picture() -> bytes:
    """Return a small PNG: hills before an evening sky, painted here so that the demo carries no image files."""
    rows = bytearray()
    for y in range(_HEIGHT):
        rows.append(0)  # no filter
        for x in range(_WIDTH):
            rows += _pick_colour(x, y)
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)  # 8 bits each of red, green, blue
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_pack_chunk(kind, data) for kind, data in chunks)


def _pick_colour(x: int, y: int) -> bytes:
    near = 190 - abs(x - 210) // 4
    far = 150 - abs(x - 90) // 3
    if y > near:
        return bytes((44, 84, 88))
    if y > far:
        return bytes((88, 128, 128))
    if (x - 240) ** 2 + (y - 70) ** 2 < 26**2:
        return bytes((255, 244, 220))
    return bytes((246 - y // 6, 190 + y // 6, 150 + y // 3))


def _pack_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
