"""The formats open in their own worlds, and the public package gives nothing finer away."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import duckdb  # noqa: TID251 - a reader of Parquet from another world
import geopandas  # noqa: TID251 - a reader of GPKG and KML from another world
import pytest

from maps.boundaries import Boundaries
from maps.coverage import Coverage, coverage
from maps.exports import Table, village_table, write_all
from maps.fit import Fit
from maps.folium_map import render
from maps.map_data import MapInput, document
from maps.opendata import FEWEST_PEOPLE, coarse_register, public, write_package
from maps.picture import picture
from maps.words import load
from model.definition import State
from model.inventory import Inventory, Province
from model.region import Register
from model.summary import WeekRecord
from tests.maps.made import LAST_WEEK, ZONE, make_site

PASAR = "61.01.01.1001"
SQUARE = ((109.3, 1.3), (109.4, 1.3), (109.4, 1.4), (109.3, 1.4), (109.3, 1.3))
CONTACT, PHONE = "Bu Rahasia", "+6281234567890"


@pytest.fixture
def graded(
    register: Register,
    make_inventory: Callable[..., Inventory],
    make_records: Callable[..., tuple[WeekRecord, ...]],
) -> tuple[Register, Coverage]:
    """A hostile name, nine people in one village, and a site with a contact."""
    first, second, *rest = register.villages
    named = replace(
        register,
        villages=(replace(first, name='=1+1 <b>&"'), replace(second, population=9), *rest),
    )
    site = make_site("rumah-rahasia", PASAR, contact_name=CONTACT, contact_phone=PHONE)
    return named, coverage(named, make_inventory(site), make_records({site.id: [State.FAIR]}))


@pytest.fixture
def table(graded: tuple[Register, Coverage]) -> Table:
    """One polygon, three points and a village that is nowhere."""
    borders = Boundaries({PASAR: ((SQUARE,),)}, {}, {}, Fit(1))
    return village_table(*graded, borders)


def test_every_format_holds_the_same_rows(table: Table, tmp_path: Path) -> None:
    """Read back by GDAL, DuckDB and the csv module: the same codes and states, numbers as numbers,
    names as they were (in CSV with the apostrophe that keeps a spreadsheet from running them)."""
    found = {path.suffix: path for path in write_all(table, tmp_path, "desa")}
    assert set(found) == {".csv", ".geojson", ".gpkg", ".kml", ".parquet"}
    expected = [(row["code"], row["state"], row["availability"]) for row in table.rows]
    for suffix in (".geojson", ".gpkg", ".kml"):
        frame = geopandas.read_file(found[suffix])
        name = "Name" if suffix == ".kml" else "name"
        assert frame.crs.to_epsg() == 4326
        assert next(iter(frame[name])) == '=1+1 <b>&"'
        shares = [None if share != share else float(share) for share in frame["availability"]]  # noqa: PLR0124 - not a number
        assert list(zip(frame["code"], frame["state"], shares, strict=True)) == expected
        kinds = [None if shape is None else shape.geom_type for shape in frame.geometry]
        assert kinds[1:] == ["Point"] * 3 + [None]
        assert kinds[0] in {"MultiPolygon", "Polygon"}
    parquet = duckdb.read_parquet(str(found[".parquet"]))
    rows = parquet.project("code, state, availability").fetchall()
    assert rows == expected
    text = found[".csv"].read_text("utf-8-sig")
    read = list(csv.DictReader(io.StringIO(text)))
    assert [row["code"] for row in read] == [code for code, _, _ in expected]
    assert read[0]["name"] == "'=1+1 <b>&\""


def test_kml_is_kml(table: Table, tmp_path: Path) -> None:
    """The root is OGC's kml element and there is a placemark for each village of the register."""
    path = next(one for one in write_all(table, tmp_path, "desa") if one.suffix == ".kml")
    root = ET.fromstring(path.read_bytes())  # noqa: S314 - our own file
    assert root.tag == "{http://www.opengis.net/kml/2.2}kml"
    assert len(root.findall(".//{*}Placemark")) == len(table.rows)


def test_the_public_variant_is_coarser(table: Table) -> None:
    """No site, no outage count, no small population; points lie in the middle of a cell and move by
    less than a cell; everything else stays."""
    shown = public(table)
    assert "site" not in shown.rows[0]
    assert "outages" not in shown.rows[0]
    people = [row["population"] for row in shown.rows]
    assert people == [1000, None, 250, 250, None]
    assert FEWEST_PEOPLE > 9
    for before, after in zip(table.shapes[1:4], shown.shapes[1:4], strict=True):
        assert before is not None
        assert after is not None
        for exact, coarse in zip(before["coordinates"], after["coordinates"], strict=True):
            assert abs(exact - coarse) <= 0.005 + 1e-9
            assert round(coarse * 1000) % 10 == 5
    assert [row["state"] for row in shown.rows] == [row["state"] for row in table.rows]


def test_nothing_private_is_in_the_package(table: Table, tmp_path: Path) -> None:
    """S-15: no contact, no site and no exact place in any byte of any file."""
    for path in _package(table, tmp_path):
        content = path.read_bytes()
        for secret in (CONTACT, PHONE, PHONE[1:], "rumah-rahasia", "109.35,1.34", "1.34,109.35"):
            assert secret.encode() not in content, path


def test_the_public_map_gives_nothing_finer_away(
    graded: tuple[Register, Coverage], make_inventory: Callable[..., Inventory],
    make_records: Callable[..., tuple[WeekRecord, ...]],
) -> None:  # fmt: skip
    """S-15: on the public map no contact, and villages are those of the coarsened
    register: in the middle of a cell of 0.01 degrees, without small numbers of people."""
    register, result = graded
    site = make_site("rumah-rahasia", PASAR, contact_name=CONTACT, contact_phone=PHONE)
    records = make_records({site.id: [State.FAIR]})
    given = MapInput(register, make_inventory(site), result, records)
    shown, full = render(replace(given, public=True), load("id")), render(given, load("id"))
    for secret in (CONTACT, PHONE, PHONE[1:]):
        assert secret in full
        assert secret not in shown
    coarse = coarse_register(register)
    pages = [
        document(one, load("id"))["villages"]
        for one in (given, replace(given, public=True), replace(given, register=coarse))
    ]
    assert pages[1] == pages[2] != pages[0]
    for village, moved in zip(register.villages, coarse.villages, strict=True):
        for exact, middle in ((village.lat, moved.lat), (village.lon, moved.lon)):
            if exact is None or middle is None:
                assert exact is middle
                continue
            assert abs(exact - middle) <= 0.005 + 1e-9
            assert round(middle * 1000) % 10 == 5
    assert [village.population for village in coarse.villages] == [1000, None, 250, 250, None]


def test_a_picture_holds_pixels_only(
    graded: tuple[Register, Coverage], make_inventory: Callable[..., Inventory],
    make_records: Callable[..., tuple[WeekRecord, ...]],
) -> None:  # fmt: skip
    """S-15: no chunk of the PNG carries text, a time or EXIF (RFC 2083, 4)."""
    register, result = graded
    records = make_records({"a": [State.FAIR]})
    content = picture(MapInput(register, make_inventory(), result, records), load("id"))
    kinds, at = set(), 8
    while at < len(content):
        kinds.add(content[at + 4 : at + 8])
        at += 12 + int.from_bytes(content[at : at + 4])
    assert kinds <= {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"pHYs", b"sRGB", b"gAMA", b"tRNS"}


def test_the_schema_describes_the_csv(table: Table, tmp_path: Path) -> None:
    """datapackage.json names the columns of the CSV in their order, with types that hold; its sizes
    and digests are those of the files, and the catalogue entry has the same."""
    paths = {path.name: path for path in _package(table, tmp_path)}
    package = json.loads(paths["datapackage.json"].read_text("utf-8"))
    entry = json.loads(paths["dataset.jsonld"].read_text("utf-8"))
    for resource, distribution in zip(
        package["resources"], entry["dcat:distribution"], strict=True
    ):
        content = paths[resource["path"]].read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        assert resource["hash"] == f"sha256:{digest}"
        assert distribution["spdx:checksum"]["spdx:checksumValue"] == digest
        assert resource["bytes"] == distribution["dcat:byteSize"] == len(content)
    [schema] = [one["schema"] for one in package["resources"] if "schema" in one]
    rows = list(csv.DictReader(io.StringIO(paths["villages.csv"].read_text("utf-8-sig"))))
    assert list(rows[0]) == [field["name"] for field in schema["fields"]]
    read = {"integer": int, "number": float, "string": str}
    for field in schema["fields"]:
        for value in filter(None, (row[field["name"]] for row in rows)):
            if field["type"] == "boolean":
                assert value in {"true", "false"}
            else:
                read[field["type"]](value)
    assert entry["@type"] == "dcat:Dataset"
    assert entry["dcterms:spatial"]["dcat:bbox"].startswith("POLYGON((109.")


def _package(table: Table, folder: Path) -> list[Path]:
    province = Province("61", "../../Kalimantan Barat", ZONE)
    made = write_package(table, folder / "out", load("id"), province, LAST_WEEK, 1_794_791_400_000)
    assert sorted(folder.rglob("*.*")) == sorted(made)
    return made
