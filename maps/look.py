"""The visual language, in one place: what a state looks like on map, report and terminal.

Law: colour is never the only carrier. A letter, a pattern or the word stands with it, red means
"cut off" and nothing else, and "not observed" looks like no other state. The colours were checked
for deuter-, prot- and tritanomaly; change them together or not at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from model.definition import State


class Pattern(StrEnum):
    """What a colour-blind reader, or a black and white printer, sees."""

    FULL = "full"
    THICK_EDGE = "thick_edge"
    HATCH = "hatch"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Look:
    """``colour`` fills, ``ink`` is the text on it (contrast at least 4.5), both as #rrggbb."""

    colour: str
    ink: str
    letter: str
    pattern: Pattern


INK = "#1c2024"
ACCENT = "#0a5f8a"

STATES: Mapping[State, Look] = {
    State.STABLE: Look("#0a5f8a", "#ffffff", "S", Pattern.FULL),
    State.FAIR: Look("#58b1dd", INK, "C", Pattern.FULL),
    State.UNSTABLE: Look("#ffb000", INK, "T", Pattern.FULL),
    State.CUT_OFF: Look("#a3123a", "#ffffff", "X", Pattern.THICK_EDGE),
    State.NOT_OBSERVED: Look("#cbc8c1", INK, "?", Pattern.HATCH),
    State.NOT_CONNECTED: Look("#ffffff", INK, "–", Pattern.EMPTY),
}
"""Every state's look, best state first: also the order of every legend, bar and table."""

TYPE_SIZES_PX = (12, 14, 16, 20, 28, 44)
"""The one scale of type sizes."""

CATEGORIES = (
    ("#0a5f8a", "#ffffff"),
    ("#58b1dd", INK),
    ("#e9d24a", INK),
    ("#00795c", "#ffffff"),
    ("#d58fb8", INK),
    ("#6b5a86", "#ffffff"),
    ("#b5ab9a", INK),
    ("#3c4650", "#ffffff"),
)
"""Colours and inks of what has no order (access, provider, cause), each with a letter beside it;
none of them is the red of "cut off"."""

SCALE = (
    ("#d9e4ea", INK),
    ("#aecde0", INK),
    ("#7fb2d0", INK),
    ("#31779f", "#ffffff"),
    ("#0b4766", "#ffffff"),
)
"""Colours and inks of what has an order, the least first: the lightness tells them apart."""
