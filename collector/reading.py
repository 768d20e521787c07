"""The read API: what is known, as JSON, CSV and GeoJSON, for whoever has a reader's key.

Law: a reader sees its region and nothing else, whatever it asks for; the figures are those of the
commands, made by the same functions, which are handed in (this room knows no map).
"""

import asyncio
import csv
import hashlib
import io
import json
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.admission import Limits, Rates
from collector.credentials import READ, Keys
from collector.ingest import caller
from collector.openapi import document
from collector.web import Answer, Handled, Refused, Request, json_answer

Row = Mapping[str, Any]
FORMATS = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "geojson": "application/geo+json",
}
ROWS_MAX = 5_000
ROWS_USUAL = 500
FRESH_SECONDS = 15.0
"""So long an answer is given again without working it out again."""
REGION = "region_code"
"""Every row has it: the Kemendagri code by which a reader's region decides."""

# Full-width forms too: some spreadsheets take them for the plain ones.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Table:
    """One resource. ``rows(week)`` raises InputError for a week that is none; ``columns`` maps each
    column to its OpenAPI type; where it has ``lat`` and ``lon`` there is GeoJSON too."""

    name: str
    description: str
    columns: Mapping[str, str]
    rows: Callable[[str | None], Sequence[Row]]
    weekly: bool = True


@dataclass(slots=True)
class _Cache:
    """The newest rows of each question, and one lock a table: the same is worked out once."""

    rows: dict[tuple[str, str | None], tuple[float, Sequence[Row]]] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Reading:
    """The endpoints ``/api/v1/TABLE`` and ``/api/v1/openapi.json``."""

    def __init__(
        self,
        keys: Keys,
        tables: Sequence[Table],
        limits: Limits,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._keys, self._tables, self._wall_ms = keys, tables, wall_ms
        self._rates = Rates(limits)
        self._cache = _Cache()

    def routes(self) -> list[Handled]:
        """For the table of routes."""

        async def openapi(_request: Request) -> Answer:
            return json_answer(document(self._tables, ROWS_USUAL, ROWS_MAX))

        return [
            Handled("GET", "/api/v1/openapi.json", openapi),
            *(
                Handled("GET", f"/api/v1/{table.name}", self._reader(table))
                for table in self._tables
            ),
        ]

    def _reader(self, table: Table) -> Callable[[Request], Any]:
        async def read(request: Request) -> Answer:
            key = caller(request, self._keys, READ, self._wall_ms())
            if wait := self._rates.wait_seconds(key.id):
                raise Refused(429, "too many requests", "slow down", wait)
            query = request.query_params
            known = {"format", "region", "limit", "offset"} | ({"week"} if table.weekly else set())
            if unknown := query.keys() - known:
                raise Refused(400, "invalid", f"unknown parameter {min(unknown)[:40]!r}")
            kind = query.get("format", "json")
            if kind not in FORMATS or (kind == "geojson" and "lat" not in table.columns):
                raise Refused(400, "invalid", f"format {kind[:20]!r} is not offered here")
            region = _region(query.get("region"), key.region)
            limit = _number(query, "limit", ROWS_USUAL, 1, ROWS_MAX)
            offset = _number(query, "offset", 0, 0, 10**9)
            rows = await self._rows(table, query.get("week"))
            if region is not None:
                rows = [row for row in rows if _within(row[REGION], region)]
            page = rows[offset : offset + limit]
            after = None
            if offset + limit < len(rows):
                more = {**query, "limit": limit, "offset": offset + limit}
                after = f"/api/v1/{table.name}?{urllib.parse.urlencode(more)}"
            body = _RENDER[kind](table, page, len(rows), after)
            return _with_tag(request, body, FORMATS[kind], after)

        return read

    async def _rows(self, table: Table, week: str | None) -> Sequence[Row]:
        async with self._cache.lock:  # the second who asks waits for the first one's answer
            known = self._cache.rows
            for question in [
                q for q, (at, _) in known.items() if time.monotonic() - at > FRESH_SECONDS
            ]:
                del known[question]
            if (table.name, week) not in known:
                rows = await asyncio.to_thread(table.rows, week)
                known[table.name, week] = (time.monotonic(), rows)
            return known[table.name, week][1]


def _region(asked: str | None, allowed: str | None) -> str | None:
    if asked is not None and not (
        len(asked) <= 13 and all(part.isascii() and part.isdecimal() for part in asked.split("."))
    ):
        raise Refused(400, "invalid", "region: a Kemendagri code such as 61.06")
    if allowed is None or asked is None:
        return asked if allowed is None else allowed
    if not _within(asked, allowed):
        raise Refused(403, "forbidden", f"this key reads {allowed} only")
    return asked


def _within(code: str, region: str) -> bool:
    return code == region or code.startswith(region + ".")


def _number(query: Mapping[str, str], name: str, usual: int, least: int, most: int) -> int:
    text = query.get(name)
    if text is None:
        return usual
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and least <= int(text) <= most):
        raise Refused(400, "invalid", f"{name}: a whole number from {least} to {most}")
    return int(text)


def _with_tag(request: Request, body: bytes, media_type: str, after: str | None) -> Answer:
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {
        "ETag": tag,
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    if after is not None:
        headers["Link"] = f'<{after}>; rel="next"'  # RFC 8288
    if tag in request.headers.get("if-none-match", ""):
        return Answer(304, headers=headers)
    return Answer(200, body, media_type, headers)


def _json(_table: Table, rows: Sequence[Row], total: int, after: str | None) -> bytes:
    found = {"rows": rows, "total": total, "next": after}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _csv(table: Table, rows: Sequence[Row], _total: int, _after: str | None) -> bytes:
    """RFC 4180, with the byte order mark that spreadsheets need to read UTF-8 as such."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table.columns), lineterminator="\r\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return ("\ufeff" + text.getvalue()).encode()


def _cell(value: Any) -> Any:
    """Numbers stay numbers; text that a spreadsheet would run as a formula is made text."""
    if isinstance(value, list | tuple):
        value = "; ".join(str(item) for item in value)
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def _geojson(_table: Table, rows: Sequence[Row], total: int, after: str | None) -> bytes:
    """RFC 7946: points, longitude first; a row without a place has no geometry."""
    features = []
    for row in rows:
        lat, lon = row.get("lat"), row.get("lon")
        placed = lat is not None and lon is not None
        geometry = {"type": "Point", "coordinates": [lon, lat]} if placed else None
        words = {name: value for name, value in row.items() if name not in ("lat", "lon")}
        features.append({"type": "Feature", "geometry": geometry, "properties": words})
    found = {"type": "FeatureCollection", "features": features, "total": total, "next": after}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


_RENDER: Mapping[str, Callable[[Table, Sequence[Row], int, str | None], bytes]] = {
    "json": _json,
    "csv": _csv,
    "geojson": _geojson,
}
