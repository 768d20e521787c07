"""The open-data package: the public variant of the village week, with what a catalogue asks for.

Law: what is published cannot be made finer again. Points are moved to the middle of a cell of a
hundredth of a degree, sites and contacts are left out, and small numbers of people are not given.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from maps.exports import Row, Table, write_all
from maps.files import write_text
from maps.words import Words
from model.definition import State
from model.inventory import Province
from model.region import Register, Village
from model.week import Week

CELL_DEGREES = 0.01
"""About 1.1 km: a village can be found, a house cannot."""
FEWEST_PEOPLE = 10
"""Fewer people than that are not counted in public (k-anonymity's k)."""

_NAME = "villages"
_NOT_PUBLIC = frozenset({"site", "outages"})
_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}
_MEDIA = {
    "csv": "text/csv",
    "geojson": "application/geo+json",
    "gpkg": "application/geopackage+sqlite3",
    "kml": "application/vnd.google-earth.kml+xml",
    "parquet": "application/vnd.apache.parquet",
}
_COLUMNS: Mapping[str, tuple[type, str]] = {
    "code": (str, "Kemendagri code of the village"),
    "name": (str, "Name of the village"),
    "kind": (str, "desa, kelurahan or desa_adat"),
    "kecamatan_code": (str, "Kemendagri code of the kecamatan"),
    "kecamatan": (str, "Name of the kecamatan"),
    "kabupaten_code": (str, "Kemendagri code of the kabupaten or kota"),
    "kabupaten": (str, "Name of the kabupaten or kota"),
    "population": (int, f"People; empty where not known or fewer than {FEWEST_PEOPLE}"),
    "week": (str, "ISO week, in the province's time zone"),
    "state": (str, "Weekly state of the village's internet"),
    "meets_target": (bool, "Whether the village meets the target"),
    "availability": (float, "Share of the observed service hours in which it was up, 0 to 1"),
    "observed_share": (float, "Share of the service hours that was observed, 0 to 1"),
    "register_version": (str, "Version of the register of villages"),
    "definition": (str, "Hash of the definition of the states"),
    "revision": (int, "Revision of the week's figures"),
}


@dataclass(frozen=True, slots=True)
class Publication:
    """What only the publisher knows: the address of the ``licence``, the ``publisher``'s name, and
    the ``source`` of the borders (None: not said, for there is no default for any of them)."""

    licence: str | None = None
    publisher: str | None = None
    source: str | None = None


def public(table: Table) -> Table:
    """The coarsened variant: villages' own borders stay as they are (they are public), points lose
    their exact place, the columns of sites vanish, small populations are not given."""
    return Table([_public_row(row) for row in table.rows], [_coarse(one) for one in table.shapes])


def coarse_register(register: Register) -> Register:
    """The register as the public may see it: points in the middle of their cells, small numbers of
    people not given. For the public map."""
    return replace(
        register,
        villages=tuple(
            # Made anew and not by replace(), which takes twice as long for a nation.
            Village(
                village.code,
                village.name,
                None if village.lat is None else _middle(village.lat),
                None if village.lon is None else _middle(village.lon),
                _counted(village.population),
                village.area_km2,
                village.has_polygon,
            )
            for village in register.villages
        ),
    )


def _middle(degrees: float) -> float:
    return round((degrees // CELL_DEGREES + 0.5) * CELL_DEGREES, 4)


def _counted(people: int | None) -> int | None:
    return None if people is None or people < FEWEST_PEOPLE else people


def _public_row(row: Row) -> Row:
    kept = {name: value for name, value in row.items() if name not in _NOT_PUBLIC}
    people = kept["population"]
    if isinstance(people, int):
        kept["population"] = _counted(people)
    return kept


def _coarse(shape: dict[str, Any] | None) -> dict[str, Any] | None:
    if shape is None or shape["type"] != "Point":
        return shape
    return {"type": "Point", "coordinates": [_middle(value) for value in shape["coordinates"]]}


def write_package(
    table: Table,
    folder: Path,
    words: Words,
    province: Province,
    week: Week,
    issued_ms: int,
    publication: Publication = Publication(),
) -> list[Path]:
    """Write the public variant of ``table`` in every format, a table schema
    (``datapackage.json``, Frictionless Data Package) and a catalogue entry (``dataset.jsonld``,
    DCAT 3); returns the paths. ``issued_ms`` is when the figures were made, so that the same
    figures make the same entry. Raises UnavailableError when it cannot be written."""
    shown = public(table)
    data = write_all(shown, folder, _NAME)
    schema, entry = folder / "datapackage.json", folder / "dataset.jsonld"
    title = words("map.open_title", province=province.name)
    about = words(
        "map.open_about", metres=words.number(CELL_DEGREES * 111_000), people=FEWEST_PEOPLE
    )
    source = words("both.indicative", source=publication.source) if publication.source else None
    catalogue = _catalogue_entry(shown, data, title, about, words.lang, province, week, issued_ms)
    write_text(schema, _json(_data_package(data, title, about) | _named(publication, source)))
    write_text(entry, _json(catalogue | _linked(publication, source)))
    return [*data, schema, entry]


def _named(publication: Publication, source: str | None) -> dict[str, Any]:
    """Licence, publisher and source as a Data Package names them, as far as they are known."""
    found: dict[str, Any] = {}
    if publication.licence:
        found["licenses"] = [{"path": publication.licence}]
    if publication.publisher:
        found["contributors"] = [{"title": publication.publisher, "role": "publisher"}]
    if source:
        found["sources"] = [{"title": source}]
    return found


def _linked(publication: Publication, source: str | None) -> dict[str, Any]:
    """The same in DCAT's terms."""
    found: dict[str, Any] = {}
    if publication.licence:
        found["dcterms:license"] = {"@id": publication.licence}
    if publication.publisher:
        found["dcterms:publisher"] = {
            "@type": "foaf:Organization",
            "foaf:name": publication.publisher,
        }
    if source:
        found["dcterms:provenance"] = {
            "@type": "dcterms:ProvenanceStatement",
            "rdfs:label": source,
        }
    return found


def _data_package(data: Sequence[Path], title: str, about: str) -> dict[str, Any]:
    fields = [
        {
            "name": name,
            "type": _TYPES[kind],
            "description": says,
            **({"constraints": {"required": True, "unique": True}} if name == "code" else {}),
            **(
                {"constraints": {"enum": [state.value for state in State]}}
                if name == "state"
                else {}
            ),
        }
        for name, (kind, says) in _COLUMNS.items()
    ]
    return {
        "profile": "data-package",
        "name": f"jangkau-{_NAME}",
        "title": title,
        "description": about,
        "resources": [
            {
                "name": path.suffix[1:],
                "path": path.name,
                "mediatype": _MEDIA[path.suffix[1:]],
                "bytes": path.stat().st_size,
                "hash": f"sha256:{_digest(path)}",
                **(
                    {
                        "profile": "tabular-data-resource",
                        "encoding": "utf-8",
                        "schema": {"fields": fields, "primaryKey": "code", "missingValues": [""]},
                    }
                    if path.suffix == ".csv"
                    else {}
                ),
            }
            for path in data
        ],
    }


def _catalogue_entry(
    table: Table,
    data: Sequence[Path],
    title: str,
    about: str,
    lang: str,
    province: Province,
    week: Week,
    issued_ms: int,
) -> dict[str, Any]:
    """A dcat:Dataset with one distribution a file (W3C DCAT 3)."""
    return {
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#",
            "dcterms": "http://purl.org/dc/terms/",
            "foaf": "http://xmlns.com/foaf/0.1/",
            "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
            "spdx": "http://spdx.org/rdf/terms#",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        },
        "@type": "dcat:Dataset",
        "dcterms:identifier": f"jangkau-{province.code}-{week}",
        "dcterms:title": {"@value": title, "@language": lang},
        "dcterms:description": {"@value": about, "@language": lang},
        "dcterms:issued": {
            "@value": datetime.fromtimestamp(issued_ms / 1000, UTC).isoformat(timespec="seconds"),
            "@type": "xsd:dateTime",
        },
        "dcterms:temporal": {
            "@type": "dcterms:PeriodOfTime",
            "dcat:startDate": {"@value": week.monday.isoformat(), "@type": "xsd:date"},
            "dcat:endDate": {"@value": week.sunday.isoformat(), "@type": "xsd:date"},
        },
        "dcterms:spatial": {"@type": "dcterms:Location", "dcat:bbox": _bbox(table)},
        "dcat:distribution": [
            {
                "@type": "dcat:Distribution",
                "dcterms:title": path.name,
                "dcat:accessURL": {"@id": path.name},
                "dcat:downloadURL": {"@id": path.name},
                "dcat:mediaType": _MEDIA[path.suffix[1:]],
                "dcat:byteSize": path.stat().st_size,
                "spdx:checksum": {
                    "@type": "spdx:Checksum",
                    "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
                    "spdx:checksumValue": _digest(path),
                },
            }
            for path in data
        ],
    }


def _bbox(table: Table) -> str | None:
    """West, south, east and north as WKT, None when nothing has a place."""
    places = [place for shape in table.shapes if shape for place in _places(shape["coordinates"])]
    if not places:
        return None
    west, east = (edge(lon for lon, _ in places) for edge in (min, max))
    south, north = (edge(lat for _, lat in places) for edge in (min, max))
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return f"POLYGON(({', '.join(f'{lon:.4f} {lat:.4f}' for lon, lat in corners)}))"


def _places(coordinates: Sequence[Any]) -> list[tuple[float, float]]:
    if isinstance(coordinates[0], (int, float)):
        return [(coordinates[0], coordinates[1])]
    return [place for part in coordinates for place in _places(part)]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
