"""Reach: how much of each village lies within reach of a working access point.

Law: ground that two access points reach counts once, and only ground inside a village counts. What
"within reach" means is a radius for each kind of site (and technology), or a drawn footprint; the
rule is printed beside every figure. People are taken as spread evenly over their village.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maps import frames
from maps.boundaries import Boundaries
from model.definition import State
from model.errors import InputError
from model.inventory import Inventory
from model.region import RegionCode, Register
from model.site import Access, Site
from model.summary import WeekRecord

WORKING = frozenset({State.STABLE, State.FAIR})
"""An access point gives internet in a week in which it was available."""

Radii = Mapping[tuple[str, Access | None], float]
"""Metres by kind of site and access technology; None stands for every technology without its own.
A kind that is not there has no access point for the public."""

DEFAULT_RADII: Radii = {("public_wifi", None): 150.0}
"""Our proposal: an outdoor access point at 2.4 GHz with a phone as its other end."""


@dataclass(frozen=True, slots=True)
class VillageReach:
    """``area_km2`` of the village and what is reached of it; ``own_point`` says whether a working
    access point stands in the village, which is all that the Sanggau rule asks."""

    code: RegionCode
    area_km2: float
    reached_km2: float
    population: int | None
    own_point: bool

    @property
    def share(self) -> float:
        """Of the village's area, 0 to 1."""
        return self.reached_km2 / self.area_km2 if self.area_km2 else 0.0

    @property
    def population_reached(self) -> float | None:
        """Population × share; None where the population is not known."""
        return None if self.population is None else self.population * self.share


@dataclass(frozen=True, slots=True)
class Reach:
    """``villages`` are those with a polygon, in code order; ``without_polygon`` and ``unplaced``
    (working access points without coordinates or footprint) could not be counted by area.
    ``by_sanggau`` counts villages of the whole register by the Sanggau rule."""

    villages: tuple[VillageReach, ...]
    points: int
    unplaced: tuple[str, ...]
    without_polygon: int
    by_sanggau: int
    registered: int


def reach(
    register: Register,
    inventory: Inventory,
    record: WeekRecord,
    boundaries: Boundaries,
    radii: Radii = DEFAULT_RADII,
    footprints: Mapping[str, Any] | None = None,
) -> Reach:
    """The reach of a week. ``footprints`` are drawn areas by site id, in WGS 84 (GeoJSON
    geometries); where a site has one, it stands in place of its radius."""
    state = {item.site: item.state for item in record.site_weeks}
    drawn = footprints or {}
    working = [
        site
        for site in inventory.sites
        if state.get(site.id) in WORKING
        and (site.id in drawn or radius_of(site, radii) is not None)
    ]
    codes = [village.code for village in register.villages if village.code in boundaries.polygons]
    villages = frames.make_frame(
        [{"code": code} for code in codes],
        [{"type": "MultiPolygon", "coordinates": boundaries.polygons[code]} for code in codes],
    )
    crs = frames.equal_area_around(villages)
    flat = villages.geometry.to_crs(crs)
    reached, unplaced = _reached(working, radii, drawn, crs)
    area = flat.area / 1e6
    inside = flat.intersection(reached).area / 1e6 if reached is not None else area * 0
    own = {site.village for site in working}
    known = register.by_code
    return Reach(
        villages=tuple(
            VillageReach(code, float(all_km2), float(km2), known[code].population, code in own)
            for code, all_km2, km2 in zip(codes, area, inside, strict=True)
        ),
        points=len(working),
        unplaced=unplaced,
        without_polygon=len(register.villages) - len(codes),
        by_sanggau=sum(village.code in own for village in register.villages),
        registered=len(register.villages),
    )


def radius_of(site: Site, radii: Radii) -> float | None:
    """Metres: that of the site's kind and technology, else of its kind, else None."""
    return radii.get((site.kind, site.access), radii.get((site.kind, None)))


def _reached(
    working: Sequence[Site], radii: Radii, drawn: Mapping[str, Any], crs: str
) -> tuple[Any, tuple[str, ...]]:
    """The union of all footprints and discs in ``crs`` (None: nothing), and who has no place."""
    round_ones = [
        (site, site.lon, site.lat)
        for site in working
        if site.id not in drawn and site.lon is not None and site.lat is not None
    ]
    unplaced = tuple(
        site.id
        for site in working
        if site.id not in drawn and (site.lon is None or site.lat is None)
    )
    parts = []
    if round_ones:
        centres = frames.points([(lon, lat) for _, lon, lat in round_ones]).to_crs(crs)
        metres = [radius_of(site, radii) or 0.0 for site, _, _ in round_ones]
        # 16 segments a quarter: the polygon has 99.8 % of its circle's area.
        parts.append(centres.buffer(metres, quad_segs=16).union_all())
    if own := [drawn[site.id] for site in working if site.id in drawn]:
        frame = frames.make_frame([{} for _ in own], own)
        parts.append(frame.geometry.to_crs(crs).make_valid().union_all())
    if not parts:
        return None, unplaced
    return (parts[0].union(parts[1]) if len(parts) > 1 else parts[0]), unplaced


def load_footprints(path: Path, inventory: Inventory) -> dict[str, Any]:
    """Drawn areas by site id from a layer whose property ``site`` names them (several areas of one
    site are one). Raises InputError for an id that the inventory lacks."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; name one with --footprints")
    frame = frames.read_layer(path, "footprints")
    if "site" not in frame.columns:
        raise InputError(f"{path}: no property 'site': each footprint needs its site's id there")
    unknown = sorted(set(frame["site"].astype(str)) - set(inventory.by_id))
    if unknown:
        raise InputError(f"{path}: not in the inventory: {', '.join(unknown[:5])}")
    joined = frame[["site", "geometry"]].to_crs(frames.WGS84).dissolve("site")
    return {str(site): shape.__geo_interface__ for site, shape in joined.geometry.items()}


def parse_radius(text: str) -> tuple[tuple[str, Access | None], float]:
    """Read ``public_wifi=150`` or ``public_wifi/fwa=3000`` (metres). Raises InputError."""
    name, _, metres = text.partition("=")
    kind, _, access = name.partition("/")
    try:
        value = float(metres)
        technology = Access(access) if access else None
    except ValueError:
        value, technology = -1.0, None
    if not kind or not 0 < value < 100_000:
        raise InputError(
            f"--radius {text}: write KIND=METRES or KIND/ACCESS=METRES, such as public_wifi=150"
        )
    return (kind, technology), value
