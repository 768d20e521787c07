"""Exports judged by rules that are not ours: RFC 7946, OGC's KML and GeoParquet, JSON-LD, and by
programs from other worlds where they are installed."""

import json
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import duckdb  # noqa: TID251 - a reader of Parquet from another world
import openpyxl
import pytest

from maps.boundaries import Boundaries, Polygon
from maps.coverage import coverage
from maps.exports import Table, village_table, write_all
from maps.fit import Fit
from maps.opendata import Publication, write_package
from maps.words import load
from model.definition import State
from model.inventory import Inventory, Province
from model.region import Register
from model.summary import WeekRecord
from tests.maps.made import LAST_WEEK, ZONE, make_site

LICENCE = "https://creativecommons.org/licenses/by/4.0/"


def ring(
    lon: float, lat: float, size: float, *, clockwise: bool
) -> tuple[tuple[float, float], ...]:
    east, north = lon + size, lat + size
    corners = [(lon, lat), (east, lat), (east, north), (lon, north), (lon, lat)]
    return tuple(corners[::-1] if clockwise else corners)


@pytest.fixture
def table(
    register: Register,
    make_inventory: Callable[..., Inventory],
    make_records: Callable[..., tuple[WeekRecord, ...]],
) -> Table:
    """Polygons with holes and several parts, their rings turned by chance (the seed is printed);
    points; and a village that is nowhere."""
    seed = random.randrange(2**32)  # noqa: S311 - a test's chance
    print(f"seed {seed}")  # noqa: T201 - shown when a test fails
    rng = random.Random(seed)  # noqa: S311 - a test's chance
    polygons: dict[str, tuple[Polygon, ...]] = {}
    for at, village in enumerate(register.villages[:2]):
        polygons[village.code] = tuple(
            (
                ring(109 + at + part / 5, 1, 0.1, clockwise=rng.random() < 0.5),
                ring(109.02 + at + part / 5, 1.02, 0.05, clockwise=rng.random() < 0.5),
            )
            for part in range(1 + at)
        )
    inventory = make_inventory(make_site("a", register.villages[0].code))
    result = coverage(register, inventory, make_records({"a": [State.UNSTABLE]}))
    return village_table(register, result, Boundaries(polygons, {}, {}, Fit(2)))


@pytest.fixture
def files(table: Table, tmp_path: Path) -> dict[str, Path]:
    """Every format, by its ending."""
    return {path.suffix: path for path in write_all(table, tmp_path / "out", "desa")}


def doubled_area(points: list[list[float]]) -> float:
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(points))


def test_geojson_is_rfc_7946(files: dict[str, Path]) -> None:
    """A collection of features with ids and objects as properties, without a CRS (section 4); rings
    closed, of four positions and more, outer ones counter-clockwise, holes clockwise (3.1.6);
    longitude first, within the world."""
    document = json.loads(files[".geojson"].read_text("utf-8"))
    assert document["type"] == "FeatureCollection"
    assert "crs" not in document
    assert len({feature["id"] for feature in document["features"]}) == len(document["features"])
    rings = 0
    for feature in document["features"]:
        assert feature["type"] == "Feature"
        assert isinstance(feature["properties"], dict)
        shape = feature["geometry"]
        if shape is None:
            continue
        assert set(shape) == {"type", "coordinates"}
        if shape["type"] == "Point":
            polygons: list[list[list[list[float]]]] = []
            places = [shape["coordinates"]]
        else:
            assert shape["type"] == "MultiPolygon"
            polygons = shape["coordinates"]
            places = [place for polygon in polygons for each in polygon for place in each]
        for polygon in polygons:
            for at, points in enumerate(polygon):
                assert len(points) >= 4
                assert points[0] == points[-1]
                assert (doubled_area(points) > 0) == (at == 0)
                rings += 1
        assert all(108 < lon < 111 and -1 < lat < 2 for lon, lat in places)
    assert rings == 6


# OGC 07-147r2, 9.1 and 9.11: the elements of a placemark that we write, in the only order allowed.
PLACEMARK = ("name", "visibility", "open", "description", "styleUrl", "Style", "ExtendedData")
SHAPES = {"Point", "LineString", "LinearRing", "Polygon", "MultiGeometry"}


def local(element: ET.Element) -> str:
    assert element.tag.startswith("{http://www.opengis.net/kml/2.2}")
    return element.tag.split("}")[1]


def test_kml_has_the_order_and_the_types_of_the_schema(files: dict[str, Path]) -> None:
    """Placemarks hold their elements in the schema's order, data that the schema declares with a
    type of KML's, closed rings, and ids that differ."""
    root = ET.fromstring(files[".kml"].read_bytes())  # noqa: S314 - our own file
    declared: dict[str, set[str | None]] = {}
    for schema in root.findall(".//{*}Schema"):
        fields = schema.findall("{*}SimpleField")
        declared["#" + schema.attrib["id"]] = {field.get("name") for field in fields}
        types = {"string", "int", "uint", "short", "ushort", "float", "double", "bool"}
        assert {field.get("type") for field in fields} <= types
    assert declared
    for placemark in root.findall(".//{*}Placemark"):
        names = [local(child) for child in placemark]
        known = [PLACEMARK.index(name) for name in names if name in PLACEMARK]
        assert known == sorted(known)
        assert [name for name in names if name not in PLACEMARK] in ([], [names[-1]])
        assert set(names) - set(PLACEMARK) <= SHAPES
        for data in placemark.findall(".//{*}SchemaData"):
            given = {field.get("name") for field in data.findall("{*}SimpleData")}
            assert given <= declared[data.attrib["schemaUrl"]]
        for line in placemark.findall(".//{*}LinearRing/{*}coordinates"):
            places = (line.text or "").split()
            assert len(places) >= 4
            assert places[0] == places[-1]
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))


def test_geoparquet_says_what_it_holds(files: dict[str, Path]) -> None:
    """The file's own metadata: version 1.x, one column of WKB, its kinds of shapes and its box;
    DuckDB reads the shapes' bytes as such."""
    found = duckdb.execute(
        "select value from parquet_kv_metadata(?) where key = 'geo'::blob", [str(files[".parquet"])]
    ).fetchall()
    geo = json.loads(found[0][0])
    assert geo["version"].startswith("1.")
    column = geo["columns"][geo["primary_column"]]
    assert column["encoding"] == "WKB"
    assert set(column["geometry_types"]) == {"MultiPolygon", "Point"}
    west, south, east, north = column["bbox"]
    assert (west, south) == (109.0, 1.0)
    assert 110 < east < 111
    assert north < 2
    shapes = duckdb.execute("select geometry from read_parquet(?)", [str(files[".parquet"])])
    # Little-endian, multipolygon (OGC 06-103r4, 8.2).
    assert bytes(shapes.fetchall()[0][0])[:5] == b"\x01\x06\x00\x00\x00"


def keys(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        for key, value in document.items():
            yield key
            yield from keys(value)
    elif isinstance(document, list):
        for value in document:
            yield from keys(value)


def test_the_catalogue_entry_is_json_ld_of_dcat(table: Table, tmp_path: Path) -> None:
    """Every term has a declared prefix; what DCAT-AP asks of a dataset and its distributions is
    there, and licence, publisher and source stand in both descriptions when they are given."""
    province = Province("61", "Kalimantan Barat", ZONE)
    publication = Publication(LICENCE, "Diskominfo", "BIG")
    made = write_package(
        table, tmp_path / "p", load("id"), province, LAST_WEEK, 1_794_791_400_000, publication
    )
    paths = {path.name: path for path in made}
    entry = json.loads(paths["dataset.jsonld"].read_text("utf-8"))
    package = json.loads(paths["datapackage.json"].read_text("utf-8"))
    context = entry.pop("@context")
    terms = {key for key in keys(entry) if not key.startswith("@")}
    assert {term.split(":")[0] for term in terms} <= set(context)
    assert {"dcterms:title", "dcterms:description", "dcterms:publisher"} <= set(entry)
    assert entry["dcterms:license"] == {"@id": LICENCE}
    assert all("dcat:accessURL" in one for one in entry["dcat:distribution"])
    assert "BIG" in entry["dcterms:provenance"]["rdfs:label"]
    assert package["licenses"] == [{"path": LICENCE}]
    assert "BIG" in package["sources"][0]["title"]
    names = [resource["name"] for resource in package["resources"]]
    assert all(re.fullmatch(r"[a-z0-9._-]+", name) for name in [package["name"], *names])
    assert len(set(names)) == len(names)
    assert all((tmp_path / "p" / resource["path"]).is_file() for resource in package["resources"])


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".kml", ".parquet"])
def test_ogrinfo_opens_it(suffix: str, files: dict[str, Path], table: Table) -> None:
    """GDAL's own program counts a feature for each village."""
    ogrinfo = shutil.which("ogrinfo")
    if ogrinfo is None:
        pytest.skip("no ogrinfo here: GDAL's program is not asked (apt install gdal-bin)")
    run = subprocess.run(
        [ogrinfo, "-ro", "-so", "-al", files[suffix]],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if suffix == ".parquet" and run.returncode:
        pytest.skip("this ogrinfo was built without Parquet")
    assert run.returncode == 0, run.stderr
    assert f"Feature Count: {len(table.rows)}" in run.stdout


def test_libreoffice_opens_the_csv(files: dict[str, Path], table: Table, tmp_path: Path) -> None:
    """A spreadsheet shows codes and names as text and shares as numbers, and runs nothing."""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("no LibreOffice here: the CSV is not opened (apt install libreoffice-calc)")
    subprocess.run(
        [
            office, f"-env:UserInstallation=file://{tmp_path / 'profile'}", "--headless",
            # Separator, quote, UTF-8, from line 1, the file's own language.
            "--infilter=CSV:44,34,76,1,,1033,false,true", "--convert-to", "xlsx",
            "--outdir", tmp_path, files[".csv"],
        ],
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    sheet = openpyxl.load_workbook(tmp_path / "desa.xlsx").active
    assert sheet is not None
    head, *rows = sheet.iter_rows(values_only=True)
    read = [dict(zip(head, row, strict=True)) for row in rows]
    assert [row["code"] for row in read] == [row["code"] for row in table.rows]
    assert read[0]["availability"] == table.rows[0]["availability"] == 0.75
    assert [row["name"] for row in read] == [row["name"] for row in table.rows]


def test_no_link_in_the_way_is_followed(table: Table, tmp_path: Path) -> None:
    """S-07: symbolic links under the names of all exports are replaced, not followed."""
    outside = tmp_path / "outside.txt"
    outside.write_text("untouched")
    folder = tmp_path / "out"
    folder.mkdir()
    for suffix in ("csv", "geojson", "gpkg", "kml", "parquet"):
        (folder / f"desa.{suffix}").symlink_to(outside)
    written = write_all(table, folder, "desa")
    assert outside.read_text() == "untouched"
    assert not any(path.is_symlink() for path in written)
    assert sorted(folder.iterdir()) == sorted(written)
