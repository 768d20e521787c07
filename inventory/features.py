"""GeoJSON as rows: properties as text, and where the feature lies when it is a point.

Law: a polygon is only asked whether it is there; its coordinates are dropped while they are read,
so that a file of borders needs little more memory than its own size.
Source: RFC 7946.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from inventory.files import read_text
from inventory.mistakes import Source, shown

MAX_BYTES = 8 * 2**20
MAX_LISTS = 500_000
MAX_OBJECTS = 300_000
MAX_COMMAS = 1_500_000
"""Borders of 8 MiB stay well below, and a feature is three objects; lists and objects of nothing
would need ten times the file's size."""
_MOST = {"[": MAX_LISTS, "{": MAX_OBJECTS, ",": MAX_COMMAS}

_AREAS = ("Polygon", "MultiPolygon")


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: its number in the file (from 1), its properties as text, its geometry's type.

    A point's coordinates stand among the properties as ``lat`` and ``lon`` unless those are given.
    """

    number: int
    cells: Mapping[str, str]
    is_area: bool


def read_features(path: Path, source: Source) -> Iterator[Feature]:
    """The features of a FeatureCollection. Notes what is wrong with a feature (its number in place
    of a line) and goes on; raises InputError where the file is no GeoJSON or too large."""
    text = read_text(path, MAX_BYTES, source)
    if any(text.count(sign) > most for sign, most in _MOST.items()):
        raise source.stop(1, "holds too many values: simplify the borders")
    try:
        document = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        reason = "nested too deep" if isinstance(error, RecursionError) else error
        raise source.stop(line, f"is not GeoJSON ({reason}): export the layer anew") from None
    if not isinstance(document, dict) or not isinstance(document.get("features"), list):
        raise source.stop(1, "is no FeatureCollection: export the layer as GeoJSON")
    for number, feature in enumerate(document["features"], 1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict):
            source.wrong(number, "the feature has no properties: export the layer with its fields")
            continue
        geometry = feature.get("geometry")
        kind = geometry.get("type") if isinstance(geometry, dict) else None
        cells: dict[str, str] = {}
        if kind == "Point" and (point := _point(geometry.get("coordinates"))):
            cells["lon"], cells["lat"] = point
        if isinstance(feature.get("id"), str):
            cells["id"] = feature["id"]
        for name, value in properties.items():
            if isinstance(value, bool):
                cells[name] = "true" if value else "false"
            elif isinstance(value, str | int | float):
                cells[name] = str(value)
            elif value is not None:
                source.wrong(number, f"the property {shown(name)} is no plain value: remove it")
        yield Feature(number, cells, kind in _AREAS)


def _point(coordinates: object) -> tuple[str, str] | None:
    match coordinates:
        case [int() | float() as lon, int() | float() as lat, *_]:
            return str(lon), str(lat)
    return None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    if found.get("type") in _AREAS:
        found.pop("coordinates", None)
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
