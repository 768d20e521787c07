"""Imports: all or nothing, codes of two schemes never confused, what does not fit is said."""

import json
import re
from pathlib import Path

import pytest

from inventory.codes import bps, kemendagri, read_pairs
from inventory.files import write_text
from inventory.imports import add_sites, import_register, import_sites
from inventory.mistakes import Mistakes
from inventory.read import load
from inventory.register import register_csv
from model.errors import InputError
from model.region import VillageKind

INVENTORIES = Path(__file__).parents[1] / "data" / "inventories"
EXAMPLE = Path(__file__).parents[2] / "inventory.yaml"
HEAD = "id,name,kind,village,access,provider,in_service_from\n"
ROW = "{},Kantor Desa,kantor_desa,{},4g,serat,2026-01-12\n"


def test_kalbar(geo: Path) -> None:
    """All 2,145 villages come in; the 15 without a polygon are named and in the list."""
    found = import_register(
        geo / "kalbar_villages.csv", "300.2.2-2430/2025", geo / "kalbar_villages_lite.geojson"
    )
    register = found.register
    assert len(register.villages) == 2145
    assert sum(v.kind is VillageKind.KELURAHAN for v in register.villages) == 99
    assert (len(register.kecamatan), len(register.kabupaten)) == (174, 14)
    bare = [village.code for village in register.villages if not village.has_polygon]
    assert len(bare) == 15
    assert bare[0] == "61.01.10.2012"
    assert register.name("61.01.13.2002") == register.name("61.01.13") == "Semparuk"
    assert (found.stray_polygons, found.other_names) == ((), ())
    assert found.unused_columns == ("kind", "point_source")


def test_kukar(geo: Path) -> None:
    """A list of another province, with borders of 21 of its villages."""
    found = import_register(
        geo / "kukar_villages.csv", "v", geo / "kukar_kotabangun_sample.geojson"
    ).register
    assert found.name("64.02.19.2005") == "Kota Bangun II"
    assert sum(village.has_polygon for village in found.villages) == 21


def test_example_stands_in_the_real_register(geo: Path, tmp_path: Path) -> None:
    """Every village code in the example is one of the decree's, under the name that it bears."""
    register = import_register(geo / "kalbar_villages.csv", "v", None).register
    write_text(tmp_path / "register.csv", register_csv(register))
    text = EXAMPLE.read_text(encoding="utf-8") + "\nregister_file: register.csv\n"
    write_text(tmp_path / "inventory.yaml", text)
    inventory = load(tmp_path / "inventory.yaml")
    offices = [s for s in inventory.sites if s.kind == "kantor_desa" and s.village[:2] == "61"]
    assert offices
    for site in offices:
        assert site.name.endswith(register.name(site.village))


def pairs_or_error(path: Path) -> dict[str, str]:
    """The pairs of a mapping without a mistake."""
    mistakes = Mistakes()
    pairs = read_pairs(path, mistakes.source(path))
    mistakes.raise_if_any()
    return pairs


def test_pairs_of_the_province(geo: Path) -> None:
    """The list of pairs of Kalbar's kecamatan is one to one, and differs from any arithmetic."""
    pairs = pairs_or_error(geo / "kalbar_kecamatan_bps.csv")
    assert len(pairs) == 174
    assert bps(pairs)("6101050") == "61.01.03"


def villages(tmp_path: Path, text: str) -> Path:
    """A list of villages."""
    path = tmp_path / "villages.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_register_with_borders_that_do_not_fit(tmp_path: Path) -> None:
    """Polygons decide; one of no village, and one with another name, are reported."""
    features = [
        {"properties": {"code": code, "name": name}, "geometry": {"type": "Polygon"}}
        for code, name in (("61.01.13.2002", "Semparok"), ("61.01.13.2099", "Nowhere"))
    ]
    borders = tmp_path / "borders.geojson"
    borders.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    path = villages(
        tmp_path,
        "code,name,has_polygon\n61.01.13.2002,Semparuk,0\n61.01.13.2003,Singaraya,1\n",
    )
    found = import_register(path, "v", borders)
    assert [village.has_polygon for village in found.register.villages] == [True, False]
    assert found.stray_polygons == ("61.01.13.2099",)
    assert found.other_names == (("61.01.13.2002", "Semparuk", "Semparok"),)


def test_register_from_geojson(tmp_path: Path) -> None:
    """A layer of villages is a list, too: an area has a polygon, a point its coordinates."""
    features = [
        {"properties": {"code": "61.01.13.2002", "name": "A"}, "geometry": {"type": "Polygon"}},
        {
            "properties": {"code": "61.01.13.2003", "name": "B"},
            "geometry": {"type": "Point", "coordinates": [109.1, 1.2]},
        },
    ]
    path = tmp_path / "villages.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    first, second = import_register(path, "v", None).register.villages
    assert (first.has_polygon, first.lat) == (True, None)
    assert (second.has_polygon, second.lat, second.lon) == (False, 1.2, 109.1)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("6101030005,Serindang,,\n", ":2: 6101030005.code: .* has no dots"),
        ("61.01.13.2002,A,,\n61.01.13.2002,B,,\n", ":3: 61.01.13.2002 stands here twice"),
        ("61.01.13.2002,A,61.02.13,X\n", ":2: .* does not lie in '61.02.13'"),
        ("61.01.13.2002,A,61.01.13,X\n61.01.13.2003,B,61.01.13,Y\n", ":3: .*'Y' here and 'X'"),
        ("61.01.13,A,,\n", "holds no village"),
    ],
)
def test_wrong_list_of_villages(tmp_path: Path, rows: str, message: str) -> None:
    """What is wrong with a list is named with its line."""
    path = villages(tmp_path, "code,name,kecamatan_code,kecamatan\n" + rows)
    with pytest.raises(InputError, match=message):
        import_register(path, "v", None)


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """A small inventory that may be changed."""
    path = tmp_path / "inventory.yaml"
    path.write_text((INVENTORIES / "good.yaml").read_text(encoding="utf-8") + "# the end\n")
    return path


def test_new_table(inventory: Path, tmp_path: Path) -> None:
    """Sites come into a table of their own; comments and sites of the inventory stay."""
    path = tmp_path / "new.csv"
    path.write_text(HEAD + ROW.format("jawai-kd", "6101032005"))
    before = inventory.read_text()
    found = import_sites(path, inventory, kemendagri, frozenset())
    assert [site.id for site in found.new] == ["jawai-kd"]
    assert add_sites(found, inventory) == tmp_path / "sites.csv"
    assert inventory.read_text() == before + "\nsites_file: sites.csv\n"
    assert load(inventory) == found.inventory
    assert load(inventory).by_id["jawai-kd"].village == "61.01.03.2005"


def test_table_grows(inventory: Path, tmp_path: Path) -> None:
    """A second import goes into the same table, and the inventory is not touched again."""
    path = tmp_path / "new.csv"
    for number, code in enumerate(("61.01.03.2005", "61.01.03.2006")):
        path.write_text(HEAD + ROW.format(f"jawai-{number}", code))
        add_sites(import_sites(path, inventory, kemendagri, frozenset()), inventory)
    assert [site.id for site in load(inventory).sites] == ["jawai-0", "jawai-1", "semparuk-kd"]
    assert inventory.read_text().count("sites_file") == 1


def test_points(inventory: Path, tmp_path: Path) -> None:
    """GeoJSON points are sites with coordinates; a column may be left aside by name."""
    names = HEAD.strip().split(",")
    cells = ROW.format("jawai-kd", "61.01.03.2005").strip().split(",")
    properties = {**dict(zip(names, cells, strict=True)), "fid": 7}
    feature = {
        "properties": properties,
        "geometry": {"type": "Point", "coordinates": [109.04, 1.39]},
    }
    path = tmp_path / "new.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    with pytest.raises(InputError, match="the column 'fid' is not known"):
        import_sites(path, inventory, kemendagri, frozenset())
    (site,) = import_sites(path, inventory, kemendagri, frozenset({"fid"})).new
    assert (site.lat, site.lon) == (1.39, 109.04)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (ROW.format("semparuk-kd", "61.01.13.2002"), r":3: the id 'semparuk-kd' is taken"),
        (ROW.format("jawai-kd", "61.02.03.2005"), r":3: jawai-kd.village: .* not under kabupaten"),
        (ROW.format("jawai-kd", "6101030005"), r":3: jawai-kd.village: '61.01.03.0005' is not"),
        ('jawai-kd,"=1+1",kantor_desa,61.01.03.2005,4g,serat,2026-01-12\n', r":3: .*formula"),
        ("jawai-kd\n", r":3: the row has 1 cells"),
    ],
)
def test_all_or_nothing(inventory: Path, tmp_path: Path, row: str, message: str) -> None:
    """One wrong row among right ones: it is named, and no file is written or changed."""
    path = tmp_path / "new.csv"
    path.write_text(HEAD + ROW.format("tebas-kd", "61.01.04.2001") + row)
    before = {entry: entry.read_bytes() for entry in tmp_path.iterdir()}
    with pytest.raises(InputError, match=message):
        import_sites(path, inventory, kemendagri, frozenset())
    assert {entry: entry.read_bytes() for entry in tmp_path.iterdir()} == before


@pytest.mark.parametrize("end", ["...\n", "sites_file:\n"])
def test_inventory_that_cannot_be_extended(inventory: Path, tmp_path: Path, end: str) -> None:
    """Where a line at the end would not be read, the user is asked to write it."""
    inventory.write_text(inventory.read_text() + end)
    path = tmp_path / "new.csv"
    path.write_text(HEAD + ROW.format("tebas-kd", "61.01.04.2001"))
    found = import_sites(path, inventory, kemendagri, frozenset())
    with pytest.raises(InputError, match=r"add 'sites_file: sites.csv' yourself|twice|not YAML"):
        add_sites(found, inventory)
    assert not (tmp_path / "sites.csv").exists()


def test_table_of_somebody_else(inventory: Path, tmp_path: Path) -> None:
    """A sites.csv that the inventory does not name is never overwritten."""
    (tmp_path / "sites.csv").write_text("mine")
    path = tmp_path / "new.csv"
    path.write_text(HEAD + ROW.format("tebas-kd", "61.01.04.2001"))
    found = import_sites(path, inventory, kemendagri, frozenset())
    with pytest.raises(InputError, match="is there but not named"):
        add_sites(found, inventory)
    assert (tmp_path / "sites.csv").read_text() == "mine"


def test_the_two_schemes() -> None:
    """The classic pair: one number, two villages, told apart by the scheme alone."""
    assert kemendagri("6101032005") == "61.01.03.2005"  # Sarang Burung Kuala
    read = bps({"6101030005": "61.01.04.2017"})
    assert read("6101030005") == "61.01.04.2017"  # Serindang
    for read_code, value, message in (
        (kemendagri, "6101030005", "is not a Kemendagri code"),
        (read, "61.01.03.2005", "is not a BPS code"),
        (read, "6101030006", "is not in the mapping"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            read_code(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bps_code,name\n6101030,Jawai\n", "needs the columns bps_code and kemendagri_code"),
        ("bps_code,code\n6101030,61.01.03\n6101030,61.01.04\n", "already paired otherwise"),
        ("bps_code,code\n6101030,61.01.03\n6101040,61.01.03\n", "already paired otherwise"),
        ("bps_code,code\n61.01.03,61.01.03\n", "is not a BPS code"),
        ("bps_code,code\n6101030,6101030\n", "has no dots"),
    ],
)
def test_wrong_pairs(tmp_path: Path, text: str, message: str) -> None:
    """A mapping is one to one, or it is a mistake."""
    path = tmp_path / "pairs.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        pairs_or_error(path)
