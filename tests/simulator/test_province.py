"""The province: one seed, one land without gaps, everything connected to something."""

import itertools
from collections import Counter, deque

import numpy as np
import pytest

from model.region import Level, kecamatan_of, level
from model.site import SITE_ID, PowerSource
from simulator.geography import lay_out
from simulator.land import make_land
from simulator.province import SimulatedProvince, from_register, make_province


@pytest.fixture(scope="module")
def whole() -> SimulatedProvince:
    """The usual province."""
    return make_province(1)


def test_same_seed_same_province(whole: SimulatedProvince) -> None:
    """The same arguments give an equal province, another seed another one."""
    assert make_province(1) == whole
    assert make_province(2).register != whole.register


@pytest.mark.parametrize("cells", [1, 2, 17, 64, 300])
def test_cells_tile_exactly(cells: int) -> None:
    """Every border belongs to two neighbours in opposite directions, or to the coast, once; so the
    areas add up to that of the coast line."""
    made = lay_out(np.random.default_rng(3), cells)
    edges = Counter(edge for cell in made for edge in zip(cell.ring, cell.ring[1:], strict=False))
    assert set(edges.values()) == {1}
    coast = [edge for edge in edges if edge[::-1] not in edges]
    inside = sum(_twice_area(cell.ring) for cell in made)
    assert all(_twice_area(cell.ring) > 0 for cell in made)
    assert inside == pytest.approx(sum(a[0] * b[1] - b[0] * a[1] for a, b in coast), abs=1e-9)


def _twice_area(ring: tuple[tuple[float, float], ...]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in itertools.pairwise(ring))


def test_regions_are_connected(whole: SimulatedProvince) -> None:
    """Each kabupaten and kecamatan is one piece of land (villages touch along a border)."""
    land = make_land(np.random.default_rng(9), 300, 14, "x")
    polygons = land.polygons
    owner = {edge: code for code, ring in polygons.items() for edge in itertools.pairwise(ring)}
    neighbours: dict[str, set[str]] = {code: set() for code in polygons}
    for (start, end), code in owner.items():
        if (other := owner.get((end, start))) is not None:
            neighbours[code].add(other)
    whole_regions = {v.kecamatan for v in land.register.villages} - {
        v.kecamatan for v in land.register.villages if not v.has_polygon
    }
    assert len(whole_regions) > 10
    for kecamatan in whole_regions:
        mine = {code for code in polygons if kecamatan_of(code) == kecamatan}
        reached, queue = set(), deque([min(mine)])
        while queue:
            code = queue.popleft()
            if code not in reached:
                reached.add(code)
                queue.extend(neighbours[code] & mine)
        assert reached == mine


def test_numbers_of_a_province(whole: SimulatedProvince) -> None:
    """2,145 villages, as many sites, fifteen villages without polygon, a few per cent without a
    site, some without power for part of the day, kota with kelurahan only."""
    register, inventory = whole.register, whole.inventory
    assert len(register.villages) == len(inventory.sites) == 2145
    assert len(register.kabupaten) == len(inventory.kabupaten) == 14
    assert len(whole.polygons) == 2130 == sum(v.has_polygon for v in register.villages)
    connected = {site.village for site in inventory.sites}
    assert 0.02 < 1 - len(connected) / 2145 < 0.05
    generators = sum(site.power is PowerSource.GENERATOR for site in inventory.sites)
    assert 0.12 < generators / 2145 < 0.18
    assert all(v.code[9] == "1" for v in register.villages if v.code[3] == "7")
    names = Counter(village.name for village in register.villages)
    assert max(names.values()) > 1
    assert sum(figure.desa_count or 0 for figure in inventory.kabupaten) == sum(
        village.kind == "desa" for village in register.villages
    )


def test_every_reference_holds(whole: SimulatedProvince) -> None:
    """Ids are well formed and unique and in order, and name things that exist."""
    inventory = whole.inventory
    ids = [site.id for site in inventory.sites]
    assert ids == sorted(set(ids))
    assert all(SITE_ID.fullmatch(site_id) for site_id in ids)
    assert len({site.address for site in inventory.sites}) == len(ids)
    for site in inventory.sites:
        assert site.village in whole.register.by_code
        assert site.provider in inventory.providers
        assert site.upstream in inventory.upstreams
        assert len(inventory.upstream_chain(site)) >= 2
        assert (site.feeder is not None) == (site.power is PowerSource.GRID)
        assert {site.id} <= whole.lines.keys() & whole.devices.keys()
    assert all(
        level(code) in (Level.PROVINCE, Level.KABUPATEN, Level.KECAMATAN)
        for code in whole.register.region_names
    )


def test_from_a_given_register(whole: SimulatedProvince) -> None:
    """Sites and lines can be invented for any register."""
    made = from_register(whole.register, 4, network="127.61.0.0/16")
    assert made.register is whole.register
    assert made.inventory.province.name == "Nusa Khayal"
    assert all((site.address or "").startswith("127.61.") for site in made.inventory.sites)


@pytest.mark.parametrize(
    ("villages", "kabupaten", "network", "says"),
    [(5, 9, "10.61.0.0/16", "give 1 to 5"), (2145, 14, "10.61.0.0/22", "too small")],
)
def test_impossible_provinces(villages: int, kabupaten: int, network: str, says: str) -> None:
    """What does not fit is refused with what would."""
    with pytest.raises(ValueError, match=says):
        make_province(1, villages, kabupaten, network=network)
