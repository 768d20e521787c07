"""Reach: circles have their area, overlaps count once, only working points and villages count."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from maps.boundaries import Boundaries
from maps.fit import Fit
from maps.reach import Reach, load_footprints, parse_radius, reach
from model.definition import State
from model.errors import InputError
from model.inventory import Inventory
from model.region import Register
from model.site import Access
from model.summary import WeekRecord
from tests.maps.made import make_site

WEST, EAST = "61.01.01.1001", "61.01.01.2002"
RADII = {("kantor_desa", None): 1000.0}
CIRCLE_KM2 = math.pi


def square(lon: float, lat: float, side: float) -> tuple[tuple[tuple[float, float], ...], ...]:
    ring = ((lon, lat), (lon + side, lat), (lon + side, lat + side), (lon, lat + side), (lon, lat))
    return (ring,)


BORDERS = Boundaries(
    {WEST: (square(109.0, 1.0, 0.1),), EAST: (square(109.1, 1.0, 0.1),)},
    {},
    {},
    Fit(2),
)


@pytest.fixture
def reached(
    register: Register,
    make_inventory: Callable[..., Inventory],
    make_records: Callable[..., tuple[WeekRecord, ...]],
) -> Callable[..., Reach]:
    """Makes the reach of sites at places, each with its state."""

    def make(*sites: tuple[str, float | None, float, State], **more: object) -> Reach:
        made = [
            make_site(f"s{at}", village, lon=lon, lat=lat if lon else None)
            for at, (village, lon, lat, _) in enumerate(sites)
        ]
        states = {f"s{at}": [state] for at, (*_, state) in enumerate(sites)}
        return reach(
            register, make_inventory(*made), make_records(states)[-1], BORDERS,
            **({"radii": RADII} | more),  # type: ignore[arg-type] # the keyword arguments of reach
        )  # fmt: skip

    return make


def areas(found: Reach) -> list[float]:
    return [village.reached_km2 for village in found.villages]


def test_a_circle_has_its_area(reached: Callable[..., Reach]) -> None:
    """One point in the middle: pi square kilometres of its village, nothing of the neighbour; the
    village itself has the area that a sphere gives it."""
    found = reached((WEST, 109.05, 1.05, State.STABLE))
    assert areas(found) == pytest.approx([CIRCLE_KM2, 0.0], rel=0.005)
    side = math.pi * 6371.0088 / 1800
    west = found.villages[0]
    assert west.area_km2 == pytest.approx(side**2 * math.cos(math.radians(1.05)), rel=0.01)
    assert west.population == 1000
    assert west.population_reached == pytest.approx(1000 * CIRCLE_KM2 / west.area_km2, rel=0.005)


def test_overlaps_count_once(reached: Callable[..., Reach]) -> None:
    """Three points on one spot reach no more than one; two far apart reach twice as much."""
    here = (WEST, 109.05, 1.05, State.FAIR)
    assert areas(reached(here, here, here)) == pytest.approx([CIRCLE_KM2, 0], rel=0.005)
    there = (WEST, 109.02, 1.02, State.FAIR)
    assert areas(reached(here, there)) == pytest.approx([2 * CIRCLE_KM2, 0], rel=0.005)


def test_a_circle_on_the_border_is_shared(reached: Callable[..., Reach]) -> None:
    """Half of it lies in either village; what lies outside every village counts nowhere."""
    on_border = reached((WEST, 109.1, 1.05, State.STABLE))
    assert areas(on_border) == pytest.approx([CIRCLE_KM2 / 2] * 2, rel=0.01)
    outer_edge = reached((WEST, 109.0, 1.05, State.STABLE))
    assert areas(outer_edge) == pytest.approx([CIRCLE_KM2 / 2, 0], rel=0.01)


@pytest.mark.parametrize("state", [State.UNSTABLE, State.CUT_OFF, State.NOT_OBSERVED])
def test_what_does_not_work_reaches_nobody(state: State, reached: Callable[..., Reach]) -> None:
    """An access point that was not available gives nothing, by area or by the Sanggau rule."""
    found = reached((WEST, 109.05, 1.05, state))
    assert areas(found) == [0, 0]
    assert (found.points, found.by_sanggau) == (0, 0)


def test_the_sanggau_rule_counts_whole_villages(reached: Callable[..., Reach]) -> None:
    """A point that reaches a fortieth of its village counts it whole; one whose place is unknown is
    counted by that rule only, and named."""
    found = reached((WEST, 109.05, 1.05, State.STABLE), (EAST, None, 0, State.STABLE))
    assert [village.share < 0.03 for village in found.villages] == [True, True]
    assert [village.own_point for village in found.villages] == [True, True]
    assert (found.by_sanggau, found.registered, found.without_polygon) == (2, 5, 3)
    assert found.unplaced == ("s1",)


def test_a_drawn_footprint_stands_in_place_of_a_radius(
    reached: Callable[..., Reach], make_inventory: Callable[..., Inventory], tmp_path: Path
) -> None:
    """A footprint over the western half of a village reaches half of it, whatever the radius."""
    path = tmp_path / "footprints.geojson"
    half = [[[109.0, 1.0], [109.05, 1.0], [109.05, 1.1], [109.0, 1.1], [109.0, 1.0]]]
    feature = {
        "type": "Feature",
        "properties": {"site": "s0"},
        "geometry": {"type": "Polygon", "coordinates": half},
    }
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    drawn = load_footprints(path, make_inventory(make_site("s0", WEST)))
    found = reached((WEST, 109.09, 1.05, State.STABLE), footprints=drawn)
    assert [village.share for village in found.villages] == pytest.approx([0.5, 0], abs=0.001)
    with pytest.raises(InputError, match="not in the inventory: s0"):
        load_footprints(path, make_inventory())


def test_radii_are_read_or_refused() -> None:
    """Kind and metres, perhaps with a technology; anything else says how to write it."""
    assert parse_radius("public_wifi=150") == (("public_wifi", None), 150.0)
    assert parse_radius("public_wifi/fwa=3000") == (("public_wifi", Access.FWA), 3000.0)
    for text in ("public_wifi", "=5", "public_wifi=-1", "public_wifi/dsl=5", "public_wifi=nan"):
        with pytest.raises(InputError, match="--radius"):
            parse_radius(text)
