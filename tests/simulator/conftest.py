"""A small province, and one day of history of it as plain rows."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from model.columns import Block, Coded
from model.site import Site
from model.timeline import Interval
from simulator.history import blocks
from simulator.province import SimulatedProvince, make_province
from simulator.scenario import Event

DAY = Interval(1_793_577_600_000, 1_793_577_600_000 + 86_400_000)  # 2026-11-02, UTC

Rows = list[dict[str, Any]]


def rows_of(block: Block) -> Rows:
    """A block as dictionaries; for the few rows of a test."""
    columns = {}
    for name, values in block.columns.items():
        if isinstance(values, Coded):
            columns[name] = [values.names[code] for code in values.codes]
        else:
            columns[name] = np.asarray(values).tolist()
        assert len(columns[name]) == block.rows
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@pytest.fixture(scope="session")
def village() -> SimulatedProvince:
    """Sixty villages with hardly any loss, so that one look is as good as another."""
    return make_province(7, 60, 4, loss_range=(1e-9, 2e-9))


@pytest.fixture(scope="session")
def probed(village: SimulatedProvince) -> Site:
    """A grid site with a probe and a tunnel, without a battery."""
    return next(
        site
        for site in village.inventory.sites
        if site.has_probe
        and site.feeder
        and village.devices[site.id].has_tunnel
        and not village.devices[site.id].battery_seconds
    )


@pytest.fixture
def play(village: SimulatedProvince) -> Callable[..., Rows]:
    """Plays events over one UTC day and gives the rows of a site (of all without one)."""

    def played(events: Iterable[Event], site: str | None = None, **options: Any) -> Rows:
        found: Rows = []
        for _, block in blocks(village, events, DAY, **options):
            found += rows_of(block)
        return [row for row in found if site is None or row["site"] == site]

    return played
