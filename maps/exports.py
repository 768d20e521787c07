"""The village week for other programs: GeoJSON, GeoPackage, KML, Parquet and CSV.

Law: one row for each village of the register, measured or not, and the same in every format.
Numbers stay numbers; text that a spreadsheet would run as a formula is made text. A file appears
whole or not at all.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from maps.boundaries import Boundaries, Polygon
from maps.coverage import Coverage
from maps.files import write_text
from maps.spreadsheet import guarded
from model.region import Register

Value = str | int | float | bool | None
Row = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with the same columns, and for each its GeoJSON geometry (None: it is nowhere)."""

    rows: Sequence[Row]
    shapes: Sequence[dict[str, Any] | None]


def village_rows(register: Register, result: Coverage) -> Iterator[Row]:
    """The columns of all exports. Shares are 0 to 1; what was not measured is None."""
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


def village_table(
    register: Register, result: Coverage, boundaries: Boundaries | None = None
) -> Table:
    """The rows, each with its village's polygon, else its point, else no geometry.

    Positions are WGS 84 with five decimals (about a metre); outer rings run counter-clockwise.
    """
    polygons = boundaries.polygons if boundaries else {}
    shapes: list[dict[str, Any] | None] = []
    for item in result.villages:
        village = item.village
        if village.code in polygons:
            parts = [_oriented(part) for part in polygons[village.code]]
            shapes.append({"type": "MultiPolygon", "coordinates": parts})
        elif village.lon is not None and village.lat is not None:
            shapes.append({"type": "Point", "coordinates": [village.lon, village.lat]})
        else:
            shapes.append(None)
    return Table(list(village_rows(register, result)), shapes)


def write_csv(register: Register, result: Coverage, path: Path) -> Path:
    """Write the village week as CSV, see ``table_csv``."""
    return table_csv(village_table(register, result), path)


def write_geojson(
    register: Register, result: Coverage, path: Path, boundaries: Boundaries | None = None
) -> Path:
    """Write the village week as GeoJSON, see ``table_geojson``."""
    return table_geojson(village_table(register, result, boundaries), path)


def table_csv(table: Table, path: Path) -> Path:
    """Write the rows as CSV (RFC 4180, UTF-8 with a byte order mark, which spreadsheets need to
    read it as UTF-8). Raises UnavailableError when it cannot be written."""
    rows = table.rows
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({key: guarded(value) for key, value in row.items()} for row in rows)
    write_text(path, "\ufeff" + text.getvalue())
    return path


def table_geojson(table: Table, path: Path) -> Path:
    """Write as GeoJSON (RFC 7946). Raises UnavailableError when it cannot be written."""
    features = [
        {"type": "Feature", "id": row["code"], "properties": row, "geometry": shape}
        for row, shape in zip(table.rows, table.shapes, strict=True)
    ]
    document = {"type": "FeatureCollection", "features": features}
    write_text(
        path, json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    )
    return path


def write_all(table: Table, folder: Path, name: str) -> list[Path]:
    """Write every format into ``folder`` as ``name`` with its ending; returns their paths.

    Raises UnavailableError when one cannot be written.
    """
    # In here because geopandas takes a second that CSV and GeoJSON need not pay.
    from maps import frames  # noqa: PLC0415

    frame = frames.make_frame(table.rows, table.shapes)
    return [
        table_csv(table, folder / f"{name}.csv"),
        table_geojson(table, folder / f"{name}.geojson"),
        frames.write_layers({name: frame}, folder / f"{name}.gpkg"),
        frames.write_kml(frame, folder / f"{name}.kml", name),
        frames.write_parquet(frame, folder / f"{name}.parquet"),
    ]


def _oriented(polygon: Polygon) -> list[list[list[float]]]:
    """The outer ring counter-clockwise, holes clockwise (RFC 7946, 3.1.6)."""
    rings = []
    for at, ring in enumerate(polygon):
        points = [[round(lon, 5), round(lat, 5)] for lon, lat in ring]
        doubled_area = sum((x2 - x1) * (y2 + y1) for (x1, y1), (x2, y2) in pairwise(ring))
        clockwise = doubled_area > 0
        rings.append(points[::-1] if clockwise == (at == 0) else points)
    return rings
