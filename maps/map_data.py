"""What the map page knows, as one document of plain values for its script.

Law: names travel as data and only as data. Nothing here builds HTML, and nothing that came from an
inventory, a register or a device is ever put into a script's source.
"""

from dataclasses import dataclass
from typing import Any

from maps.boundaries import Boundaries
from maps.coverage import Coverage
from maps.limits import limits
from maps.look import STATES
from maps.topology import Grid, Topology, pack, share, signed
from maps.words import Words
from model.definition import State
from model.inventory import Inventory
from model.outage import Cause
from model.region import RegionCode, Register
from model.summary import SiteWeek, WeekRecord

_CELL_METRES = 20.0
_STATE_NUMBER = {state: number for number, state in enumerate(STATES)}
_CAUSE_NUMBER = {cause: number for number, cause in enumerate(Cause)}


@dataclass(frozen=True, slots=True)
class MapInput:
    """All that a map is made of. ``credit`` names the source of the borders."""

    register: Register
    inventory: Inventory
    coverage: Coverage
    records: tuple[WeekRecord, ...]
    boundaries: Boundaries | None = None
    credit: str = "BIG"
    fictional: bool = False


def document(given: MapInput, words: Words) -> dict[str, Any]:
    """The data block. Numbers in ``arcs``, ``shapes`` and the weeks' ``sites`` are packed (see
    maps.topology.pack); the order of villages is the register's, of sites the inventory's."""
    villages = given.register.villages
    polygons = given.boundaries.polygons if given.boundaries else {}
    corners = [p for parts in polygons.values() for part in parts for ring in part for p in ring]
    dots = [(v.lon, v.lat) for v in villages if v.lon is not None and v.lat is not None]
    grid = Grid.around(corners + dots or [(0.0, 0.0)], _CELL_METRES)
    topology = share(
        {
            code: [[grid.cell(*point) for point in ring] for part in parts for ring in part]
            for code, parts in polygons.items()
        }
    )
    return {
        "lang": words.lang,
        "words": words.tables["map"] | words.tables["both"] | words.tables["unit"],
        "title": words("map.title", province=given.inventory.province.name),
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
        "causes": [words(f"cause.{cause}") for cause in Cause],
        "grid": [grid.x0, grid.y0, grid.size],
        "arcs": _arcs(topology),
        "levels": "".join(str(_border_level(users)) for users in topology.users),
        "shapes": _shapes(topology, [village.code for village in villages]),
        **_places(given, grid),
        "sites": _sites(given, words),
        "weeks": [_week(given, index, words) for index in range(len(given.records))],
        "notes": _notes(given, words),
        "thresholds": limits(
            given.coverage.definition, words, {site.access for site in given.inventory.sites}
        ),
    }


def _arcs(topology: Topology) -> str:
    """For each arc its number of points, the first cell, then the steps."""
    numbers: list[int] = []
    for arc in topology.arcs:
        numbers.append(len(arc))
        x = y = 0
        for cell_x, cell_y in arc:
            numbers += (signed(cell_x - x), signed(cell_y - y))
            x, y = cell_x, cell_y
    return pack(numbers)


def _border_level(users: frozenset[RegionCode]) -> int:
    """0 the outside, 1 between kabupaten, 2 between kecamatan, 3 between villages."""
    if len(users) == 1:
        return 0
    return next(
        level
        for level, length in ((1, 5), (2, 8), (3, None))
        if length is None or len({code[:length] for code in users}) > 1
    )


def _shapes(topology: Topology, codes: list[RegionCode]) -> str:
    """For each village its number of rings (0: no polygon); for each ring its arcs."""
    numbers: list[int] = []
    for code in codes:
        rings = topology.shapes.get(code, ())
        numbers.append(len(rings))
        for ring in rings:
            numbers.append(len(ring))
            numbers += (signed(arc) for arc in ring)
    return pack(numbers)


def _places(given: MapInput, grid: Grid) -> dict[str, Any]:
    register, labels = given.register, given.boundaries.label_points if given.boundaries else {}
    kabupaten = {code: number for number, code in enumerate(register.kabupaten)}
    kecamatan = {code: number for number, code in enumerate(register.kecamatan)}
    return {
        "kabupaten": [
            [code, register.name(code), *(grid.cell(*labels[code]) if code in labels else ())]
            for code in kabupaten
        ],
        "kecamatan": [[kabupaten[code[:5]], code, register.name(code)] for code in kecamatan],
        "villages": [
            [
                kecamatan[village.kecamatan],
                village.code[9:],
                village.name,
                *(
                    grid.cell(village.lon, village.lat)
                    if village.lon is not None and village.lat is not None
                    else ()
                ),
            ]
            for village in register.villages
        ],
    }


def _sites(given: MapInput, words: Words) -> list[list[Any]]:
    number = {village.code: at for at, village in enumerate(given.register.villages)}
    kinds = given.inventory.kinds
    providers = given.inventory.providers
    return [
        [
            number[site.village],
            site.name,
            getattr(kinds[site.kind], f"name_{words.lang}") if site.kind in kinds else site.kind,
            words(f"access.{site.access}"),
            providers[site.provider].name if site.provider in providers else site.provider,
        ]
        for site in given.inventory.sites
        if site.village in number
    ]


def _week(given: MapInput, index: int, words: Words) -> dict[str, Any]:
    record = given.records[index]
    found = {item.site: item for item in record.site_weeks}
    numbers: list[int] = []
    for site in given.inventory.sites:
        if site.village in given.register.by_code:
            numbers += _site_week(found.get(site.id))
    tally = given.coverage.total.weeks[index]
    return {
        "id": str(record.week),
        "label": words.week_days(record.week),
        "states": "".join(
            str(_STATE_NUMBER[item.weeks[index].state]) for item in given.coverage.villages
        ),
        "stable": tally.states[State.STABLE],
        "target": tally.meets_target,
        "sites": pack(numbers),
    }


def _site_week(item: SiteWeek | None) -> list[int]:
    """State + 1 (0: nothing known); availability in 1/100 % + 1 (0: none); observed share in
    1/10 %; number of causes; for each its number and the minutes down."""
    if item is None:
        return [0]
    availability = item.service.availability
    minutes: dict[Cause, float] = {}
    for outage in item.outages:
        length = outage.interval.length_ms / 60_000
        minutes[outage.cause] = minutes.get(outage.cause, 0.0) + length
    numbers = [
        _STATE_NUMBER[item.state] + 1,
        # Rounded down: 99.996 % is not 100 %.
        0 if availability is None else int(availability * 10_000) + 1,
        int(item.service.observed_share * 1000),
        len(minutes),
    ]
    for cause, length in sorted(minutes.items(), key=lambda pair: -pair[1]):
        numbers += (_CAUSE_NUMBER[cause], round(length))
    return numbers


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
    return notes
