"""Misfortune played as history: what the centre and the villages' probes would have measured.

Law: measurements are made from fates alone (``fate.py``), so they can never know more than packets
would. A block depends on the seed and its own stretch of time, never on the blocks before it:
stretches can be made in any order and by several processes.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from model.columns import Block
from model.timeline import Interval
from simulator.looks import anchor_looks, site_looks
from simulator.province import SimulatedProvince
from simulator.roster import DAY_MS, QUARTER_MS, Plan, Roster
from simulator.scenario import Event
from simulator.service_looks import service_looks

_LOOKS_A_DAY = 4_000_000
"""A day with more looks than this is made in quarters, to bound memory (some 150 bytes a look)."""


class History:
    """A plan, ready to be played."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._roster = Roster(plan)

    def pieces(self) -> list[Interval]:
        """The stretches that blocks are made of: UTC days, or quarters where days are large."""
        plan = self._plan
        looks = len(self._roster.ids) * (
            DAY_MS // (1000 * plan.centre_interval_seconds)
            + 3 * DAY_MS // (1000 * plan.village_interval_seconds)
        )
        length = QUARTER_MS if looks > _LOOKS_A_DAY else DAY_MS
        start = plan.interval.start_ms // length * length
        return [Interval(at, at + length) for at in range(start, plan.interval.end_ms, length)]

    def blocks_of(self, piece: Interval) -> Iterator[tuple[str, Block]]:
        """The blocks of one stretch by name: the sites' looks, those at their services, and the
        centre's at its anchors."""
        begins = datetime.fromtimestamp(piece.start_ms / 1000, UTC)
        name = f"simulated-{begins:%Y%m%dT%H}"
        yield name, site_looks(self._plan, self._roster, piece)
        if self._roster.served.size:
            yield f"{name}-services", service_looks(self._plan, self._roster, piece)
        if self._plan.province.inventory.centre_anchors:
            yield f"{name}-anchors", anchor_looks(self._plan, self._roster, piece)


def blocks(
    province: SimulatedProvince,
    events: Iterable[Event],
    interval: Interval,
    *,
    centre_interval_seconds: int = 300,
    village_interval_seconds: int = 300,
    until_arrived_ms: int | None = None,
) -> Iterator[tuple[str, Block]]:
    """The whole history, each block sorted by site, vantage, kind, target and time.

    Raises ValueError for an interval that does not divide six hours, InputError for an event whose
    target the province has not.
    """
    history = History(
        Plan(
            province,
            tuple(events),
            interval,
            centre_interval_seconds,
            village_interval_seconds,
            until_arrived_ms,
        )
    )
    for piece in history.pieces():
        yield from history.blocks_of(piece)
