"""What a kind of look is: one callable that takes a check and says what came of it.

Law: a look returns UP or DOWN when it looked, UNKNOWN with a reason when it could not. It raises
only for bugs; the deadline belongs to the caller (``probes/round.py``).
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from model.check import Check
from model.measurement import Outcome


class Look(NamedTuple):
    """The result of one look; ``readings`` holds names of ``model.measurement.METRICS``."""

    outcome: Outcome
    readings: Mapping[str, float]
    reason: str = ""


class Probe(Protocol):
    """One kind of look. ``probes/kinds.py`` is the literal table of them."""

    async def __call__(self, check: Check) -> Look:
        """Look once. May be cancelled at its deadline."""
        ...
