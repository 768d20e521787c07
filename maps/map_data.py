"""What the map page knows, as one document of plain values for its script.

Law: names travel as data and only as data. Nothing here builds HTML, and nothing that came from an
inventory, a register or a device is ever put into a script's source.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from maps import map_pack
from maps.base_map import BaseMap
from maps.boundaries import Boundaries
from maps.coverage import Coverage, coverage
from maps.limits import limits
from maps.look import CATEGORIES, SCALE, STATES
from maps.opendata import coarse_register
from maps.tiles import tiles
from maps.topology import Cell, Grid, pack, share, signed
from maps.words import Words
from model.definition import State
from model.errors import InputError
from model.inventory import Inventory
from model.outage import Cause
from model.region import RegionCode, Register
from model.site import Access, Site
from model.summary import WeekRecord

_CELL_METRES = 75.0
"""A pixel of zoom 11 at the equator; village borders are indicative, not known any better."""


@dataclass(frozen=True, slots=True)
class MapInput:
    """All that a map is made of. ``credit`` names the source of the borders; ``public`` leaves out
    the contacts of sites and coarsens places and people as the open-data package does;
    ``base_map`` is None for a page that asks nobody for anything."""

    register: Register
    inventory: Inventory
    coverage: Coverage
    records: tuple[WeekRecord, ...]
    boundaries: Boundaries | None = None
    credit: str = "BIG"
    fictional: bool = False
    public: bool = False
    base_map: BaseMap | None = None

    @property
    def place(self) -> str:
        """The province's name, or that of the only kabupaten there is."""
        register = self.register
        if len(register.kabupaten) == 1 and register.villages:
            return register.name(register.kabupaten[0])
        return self.inventory.province.name


def within(given: MapInput, code: RegionCode) -> MapInput:
    """The part of a kabupaten (or kecamatan): its villages, their sites, and their coverage by the
    same calculation. Raises InputError when no village of the register lies there."""
    villages = given.register.within(code)
    if not villages:
        raise InputError(
            f"no village of register {given.register.version} lies in {code!r}; "
            "write a code such as 61.06"
        )
    codes = {village.code for village in villages}
    register = replace(given.register, villages=villages)
    inventory = replace(
        given.inventory, sites=tuple(s for s in given.inventory.sites if s.village in codes)
    )
    known = {site.id for site in inventory.sites}
    records = tuple(
        replace(record, site_weeks=tuple(s for s in record.site_weeks if s.site in known))
        for record in given.records
    )
    borders = given.boundaries and replace(
        given.boundaries,
        polygons={c: p for c, p in given.boundaries.polygons.items() if c in codes},
    )
    return replace(
        given,
        register=register,
        inventory=inventory,
        records=records,
        coverage=coverage(register, inventory, records),
        boundaries=borders,
    )


def document(given: MapInput, words: Words) -> dict[str, Any]:
    """The data block. Packed texts are those of maps.map_pack; the order of villages is the
    register's, of sites the inventory's."""
    if given.public:
        given = replace(given, register=coarse_register(given.register))
    villages = given.register.villages
    borders = given.boundaries.polygons if given.boundaries else {}
    # In the register's order: arcs are numbered as the villages first use them.
    polygons = {v.code: borders[v.code] for v in villages if v.code in borders}
    corners = [p for parts in polygons.values() for part in parts for ring in part for p in ring]
    dots = [(v.lon, v.lat) for v in villages if v.lon is not None and v.lat is not None]
    grid = Grid.around(corners + dots or [(0.0, 0.0)], _CELL_METRES)
    topology = share(grid.rings(polygons))
    cells = iter(grid.cells(dots))
    places = [next(cells) if v.lon is not None and v.lat is not None else None for v in villages]
    sites = [site for site in given.inventory.sites if site.village in given.register.by_code]
    return {
        "lang": words.lang,
        "words": words.tables["map"] | words.tables["both"] | words.tables["unit"],
        "title": words("map.title", province=given.place),
        "root": given.place,
        "states": [
            {
                "word": words(f"state.{state}"),
                "meaning": words(f"meaning.{state}"),
                "colour": look.colour,
                "ink": look.ink,
                "letter": look.letter,
                "pattern": look.pattern,
            }
            for state, look in STATES.items()
        ],
        "categories": [list(pair) for pair in CATEGORIES],
        "scale": [list(pair) for pair in SCALE],
        "causes": [words(f"cause.{cause}") for cause in Cause],
        "grid": [grid.x0, grid.y0, grid.size],
        "arcs": map_pack.arcs(topology),
        "shapes": map_pack.shapes(topology, [village.code for village in villages]),
        "villages": map_pack.villages(given.register, places),
        "tiles": _tiles(given, places),
        **_regions(given, grid),
        **_sites(given, words, sites),
        "siteWeeks": map_pack.site_weeks(sites, given.records),
        "lastGood": map_pack.last_good_values(sites, given.records),
        "rule": [
            given.coverage.definition.target_weeks,
            given.coverage.definition.target_window_weeks,
        ],
        "weeks": [_week(given, index, words) for index in range(len(given.records))],
        "base": [given.base_map.url, given.base_map.credit] if given.base_map else None,
        "notes": _notes(given, words),
        "thresholds": limits(given.coverage.definition, words, {site.access for site in sites}),
    }


def _tiles(given: MapInput, cells: Sequence[Cell | None]) -> list[int | str]:
    side, places = tiles(given.register.villages, cells)
    numbers: list[int] = []
    column = row = 0
    for x, y in places:
        numbers += (signed(x - column), signed(y - row))
        column, row = x, y
    return [side, pack(numbers)]


def _regions(given: MapInput, grid: Grid) -> dict[str, Any]:
    register, labels = given.register, given.boundaries.label_points if given.boundaries else {}
    kabupaten = {code: number for number, code in enumerate(register.kabupaten)}
    named = [code for code in kabupaten if code in labels]
    places = dict(zip(named, grid.cells([labels[code] for code in named]), strict=True))
    return {
        "kabupaten": [[code, register.name(code), *places.get(code, ())] for code in kabupaten],
        "kecamatan": [
            [kabupaten[code[:5]], code, register.name(code)] for code in register.kecamatan
        ],
    }


def _sites(given: MapInput, words: Words, sites: Sequence[Site]) -> dict[str, Any]:
    """Kinds, access technologies and providers that are used, and the sites in columns, see
    ``map_pack.sites``; contacts only where the map is not public."""
    kinds = sorted({site.kind for site in sites})
    used = {site.access for site in sites}
    accesses = [access for access in Access if access in used]
    providers = sorted({site.provider for site in sites})
    known_kinds, known_providers = given.inventory.kinds, given.inventory.providers
    return {
        "kinds": [
            getattr(known_kinds[kind], f"name_{words.lang}") if kind in known_kinds else kind
            for kind in kinds
        ],
        "accesses": [words(f"access.{access}") for access in accesses],
        "providers": [
            known_providers[one].name if one in known_providers else one for one in providers
        ],
        "sites": map_pack.sites(
            given.register, sites, kinds, accesses, providers, contacts=not given.public
        ),
    }


def _week(given: MapInput, index: int, words: Words) -> dict[str, Any]:
    tally = given.coverage.total.weeks[index]
    villages = given.coverage.villages
    return {
        "id": str(given.records[index].week),
        "label": words.week_days(given.records[index].week),
        "states": "".join(str(map_pack.STATE_NUMBER[item.weeks[index].state]) for item in villages),
        "stable": tally.states[State.STABLE],
        "target": tally.meets_target,
    }


def _notes(given: MapInput, words: Words) -> list[str]:
    """The small print: rule, versions, data time, credit."""
    result = given.coverage
    rule = result.definition
    nowhere = sum(1 for v in given.register.villages if v.lon is None or v.lat is None)
    notes = [
        words("map.legend_villages", total=words.number(len(given.register.villages))),
        words("both.target_rule", weeks=rule.target_weeks, window=rule.target_window_weeks),
        words("both.footer_register", version=result.register_version),
        words("both.footer_definition", hash=rule.hash),
        words("both.revision", number=result.revision),
        words(
            "both.data_until",
            moment=words.moment(result.data_until_ms, given.inventory.province.timezone),
        )
        if result.data_until_ms is not None
        else words("both.no_data"),
    ]
    if nowhere:
        notes.append(words("map.legend_nowhere", count=words.number(nowhere)))
    if given.fictional:
        notes.append(words("both.fictional"))
    elif given.boundaries:
        notes.append(words("both.indicative", source=given.credit))
    if given.base_map:
        notes.append(words("map.base_note", host=given.base_map.host))
    return notes
