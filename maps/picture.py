"""The map of a week as a PNG that fits a chat message, drawn without a browser.

Law: shapes are numbers in an SVG, words are values in a JSON file that the page reads as text; no
name is ever part of a source. The picture gets as sharp as its number of bytes allows.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from maps.files import write_bytes
from maps.look import INK, STATES, Pattern
from maps.map_data import MapInput
from maps.topology import Cell, Grid, share
from maps.typeset import compile_png
from maps.words import Words
from model.definition import State
from model.region import RegionCode

MOST_BYTES = 300_000
_PPI = (200.0, 170.0, 144.0, 120.0, 96.0, 72.0)
_PAGE = (Path(__file__).parent / "picture.typ").read_text("utf-8")
_CELL_METRES = 100.0
_NOWHERE = (0.0, 0.0)


def write_picture(given: MapInput, path: Path, words: Words) -> Path:
    """Write the last week's map as PNG. Raises UnavailableError when it cannot be written."""
    write_bytes(path, picture(given, words))
    return path


def picture(given: MapInput, words: Words) -> bytes:
    """The PNG: as sharp as ``MOST_BYTES`` allow."""
    svg, labels = map_svg(given)
    files = {
        "map.svg": svg.encode(),
        "words.json": json.dumps(_texts(given, words) | {"labels": labels}).encode(),
    }
    made = b""
    for ppi in _PPI:
        made = compile_png(_PAGE, files, ppi)
        if len(made) <= MOST_BYTES:
            break
    return made


def map_svg(given: MapInput) -> tuple[str, list[tuple[float, float, str]]]:
    """The villages in their states as SVG without any text, and the names of the kabupaten with
    their places as shares of its width and height."""
    polygons = given.boundaries.polygons if given.boundaries else {}
    labels = given.boundaries.label_points if given.boundaries else {}
    villages = given.coverage.villages
    corners = [p for parts in polygons.values() for part in parts for ring in part for p in ring]
    dots = {
        item.village.code: (item.village.lon, item.village.lat)
        for item in villages
        if item.village.lon is not None and item.village.lat is not None
    }
    grid = Grid.around(corners + list(dots.values()) or [_NOWHERE], _CELL_METRES)
    rings = grid.rings(polygons)
    placed = dict(zip(dots, grid.cells(list(dots.values())), strict=True))
    every = [cell for each in rings.values() for ring in each for cell in ring]
    every += list(placed.values())
    wide = max((x for x, _ in every), default=1) + 1
    high = max((y for _, y in every), default=1) + 1
    radius = max(wide, high) / 160
    parts = [_head(wide, high, radius)]
    for item in villages:
        code, look = item.village.code, STATES[item.state]
        fill = "url(#hatch)" if look.pattern is Pattern.HATCH else look.colour
        if code in rings:
            edge = f' stroke="#8b8f93" stroke-width="{radius / 6:.1f}"'
            parts.append(
                f'<path fill="{fill}"{edge if look.pattern is Pattern.EMPTY else ""} '
                f'fill-rule="evenodd" d="{_path(rings[code])}"/>'
            )
        elif code in placed:
            x, y = placed[code]
            inside, edge = (
                ("#ffffff", look.colour if look.pattern is not Pattern.EMPTY else "#8b8f93")
                if rings or look.pattern is Pattern.EMPTY
                else (fill, "#ffffff")
            )
            parts.append(
                f'<circle cx="{x}" cy="{y}" r="{radius:.1f}" fill="{inside}" stroke="{edge}" '
                f'stroke-width="{radius / 3:.1f}"/>'
            )
    parts.append(_borders(rings, max(wide, high)))
    parts.append("</g></svg>")
    named = [code for code in given.register.kabupaten if code in labels]
    names = [
        (x / wide, y / high, given.register.name(code).removeprefix("Kabupaten "))
        for code, (x, y) in zip(named, grid.cells([labels[code] for code in named]), strict=True)
    ]
    return "".join(parts), names


def _head(wide: int, high: int, radius: float) -> str:
    look = STATES[State.NOT_OBSERVED]
    step = radius
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}">'
        f'<defs><pattern id="hatch" width="{step:.1f}" '
        f'height="{step:.1f}" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<rect width="{step:.1f}" height="{step:.1f}" fill="{look.colour}"/>'
        f'<rect width="{step / 5:.1f}" height="{step:.1f}" fill="#8b8880"/></pattern></defs>'
        # Without smoothing a flat map packs into half the bytes.
        '<g shape-rendering="crispEdges">'
    )


def _borders(rings: dict[RegionCode, list[list[Cell]]], size: int) -> str:
    """Lines between kabupaten and around the whole."""
    topology = share(rings)
    shown = [
        arc
        for arc, users in zip(topology.arcs, topology.users, strict=True)
        if len(users) == 1 or len({code[:5] for code in users}) > 1
    ]
    lines = "".join(_line(arc) for arc in shown)
    return f'<path fill="none" stroke="{INK}" stroke-width="{size / 900:.1f}" d="{lines}"/>'


def _path(rings: Iterable[Sequence[Cell]]) -> str:
    return "".join(_line(ring) + "Z" for ring in rings)


def _line(cells: Sequence[Cell]) -> str:
    """Relative steps: shorter than places."""
    (x, y), *rest = cells
    steps = []
    for to_x, to_y in rest:
        steps.append(f"{to_x - x} {to_y - y}")
        x, y = to_x, to_y
    first = cells[0]
    return f"M{first[0]} {first[1]}l{' '.join(steps)}"


def _texts(given: MapInput, words: Words) -> dict[str, object]:
    result = given.coverage
    tally = result.total.now
    notes = [
        words("both.footer_register", version=result.register_version),
        words("both.footer_definition", hash=result.definition.hash),
        words("both.revision", number=result.revision),
    ]
    if result.data_until_ms is not None:
        zone = given.inventory.province.timezone
        notes.append(words("both.data_until", moment=words.moment(result.data_until_ms, zone)))
    if given.fictional:
        notes.append(words("both.fictional"))
    elif given.boundaries:
        notes.append(words("both.indicative", source=given.credit))
    return {
        "lang": words.lang,
        "title": words("map.title", province=given.place),
        "week": f"{words.week_days(result.week)} ({result.week})",
        "stable": words.number(tally.states[State.STABLE]),
        "of": f"{words('map.of', total=words.number(tally.registered))} {words('map.headline')}",
        "target": words("map.on_target", count=words.number(tally.meets_target)),
        "states": [
            {
                "word": words(f"state.{state}"),
                "count": words.number(tally.states[state]),
                "colour": look.colour,
                "ink": look.ink,
                "letter": look.letter,
                "edge": look.pattern is Pattern.EMPTY,
            }
            for state, look in STATES.items()
        ],
        "notes": " · ".join(notes),
    }
