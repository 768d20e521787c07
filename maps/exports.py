"""The village week for other programs: GeoJSON (RFC 7946) and CSV.

Law: one row for each village of the register, measured or not. Numbers stay numbers; text that a
spreadsheet would run as a formula is made text. A file appears whole or not at all.
"""

import csv
import io
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from maps.boundaries import Boundaries, Polygon
from maps.coverage import Coverage
from maps.files import write_text
from model.region import Register

# Full-width forms too: some spreadsheets take them for the plain ones.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")

Value = str | int | float | bool | None


def village_rows(register: Register, result: Coverage) -> Iterator[dict[str, Value]]:
    """The columns of both exports. Shares are 0 to 1; what was not measured is None."""
    for item in result.villages:
        village, best = item.village, item.weeks[-1].best
        yield {
            "code": village.code,
            "name": village.name,
            "kind": village.kind.value,
            "kecamatan_code": village.kecamatan,
            "kecamatan": register.name(village.kecamatan),
            "kabupaten_code": village.kabupaten,
            "kabupaten": register.name(village.kabupaten),
            "population": village.population,
            "week": str(result.week),
            "state": item.state.value,
            "meets_target": item.meets_target[-1],
            "site": best.site if best else None,
            "availability": best.service.availability if best else None,
            "observed_share": best.service.observed_share if best else None,
            "outages": len(best.outages) if best else None,
            "register_version": result.register_version,
            "definition": result.definition.hash,
            "revision": result.revision,
        }


def write_csv(register: Register, result: Coverage, path: Path) -> Path:
    """Write the village week as CSV (RFC 4180, UTF-8 with a byte order mark, which spreadsheets
    need to read it as UTF-8). Raises UnavailableError when it cannot be written."""
    rows = list(village_rows(register, result))
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    write_text(path, "\ufeff" + text.getvalue())
    return path


def write_geojson(
    register: Register, result: Coverage, path: Path, boundaries: Boundaries | None = None
) -> Path:
    """Write the village week as GeoJSON: the village's polygon, else its point, else no geometry.

    Positions are WGS 84 with five decimals (about a metre); outer rings run counter-clockwise.
    Raises UnavailableError when it cannot be written.
    """
    polygons = boundaries.polygons if boundaries else {}
    features = []
    for row, item in zip(village_rows(register, result), result.villages, strict=True):
        village = item.village
        geometry: dict[str, object] | None = None
        if village.code in polygons:
            parts = [_oriented(part) for part in polygons[village.code]]
            geometry = {"type": "MultiPolygon", "coordinates": parts}
        elif village.lon is not None and village.lat is not None:
            geometry = {"type": "Point", "coordinates": [village.lon, village.lat]}
        features.append(
            {"type": "Feature", "id": village.code, "properties": row, "geometry": geometry}
        )
    document = {"type": "FeatureCollection", "features": features}
    write_text(
        path, json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    )
    return path


def _cell(value: Value) -> Value:
    """A text that begins like a formula, after blanks too, gets an apostrophe before it."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA_STARTS):
        return "'" + value
    return str(value).lower() if isinstance(value, bool) else value


def _oriented(polygon: Polygon) -> list[list[list[float]]]:
    """The outer ring counter-clockwise, holes clockwise (RFC 7946, 3.1.6)."""
    rings = []
    for at, ring in enumerate(polygon):
        points = [[round(lon, 5), round(lat, 5)] for lon, lat in ring]
        doubled_area = sum((x2 - x1) * (y2 + y1) for (x1, y1), (x2, y2) in pairwise(ring))
        clockwise = doubled_area > 0
        rings.append(points[::-1] if clockwise == (at == 0) else points)
    return rings
