"""Exports: every village in a row, numbers as numbers, text as text."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from maps.boundaries import Boundaries
from maps.coverage import Coverage, coverage
from maps.exports import write_csv, write_geojson
from maps.fit import Fit
from model.definition import State
from model.errors import UnavailableError
from model.inventory import Inventory
from model.region import Register
from model.summary import WeekRecord
from tests.maps.made import make_site

PASAR = "61.01.01.1001"


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


@pytest.fixture
def graded(
    register: Register,
    make_inventory: Callable[..., Inventory],
    make_records: Callable[..., tuple[WeekRecord, ...]],
) -> Callable[[str], tuple[Register, Coverage]]:
    """Makes a register whose first village bears a name, and its coverage."""

    def make(name: str = "Pasar") -> tuple[Register, Coverage]:
        first, *rest = register.villages
        named = Register(register.version, (replace(first, name=name), *rest))
        inventory = make_inventory(make_site("a", PASAR))
        return named, coverage(named, inventory, make_records({"a": [State.UNSTABLE]}))

    return make


@pytest.mark.parametrize(
    "name", ["=1+1", " =1+1", "+62", "-Kosong", "@SUM(A1)", "\t=1", "|calc", "＝1"]
)
def test_no_text_becomes_a_formula(
    name: str, graded: Callable[..., tuple[Register, Coverage]], tmp_path: Path
) -> None:
    """A name that begins like a formula comes with an apostrophe; an ordinary one does not."""
    path = write_csv(*graded(name), tmp_path / "desa.csv")
    rows = read(path)
    assert rows[0]["name"] == "'" + name
    assert rows[1]["name"] == "Dalam Kaum"


def test_csv_has_every_village_and_its_numbers(
    graded: Callable[..., tuple[Register, Coverage]], tmp_path: Path
) -> None:
    """Five villages, one measured: its share is a plain number, what is not known is empty."""
    path = write_csv(*graded(), tmp_path / "desa.csv")
    rows = read(path)
    assert [row["code"] for row in rows][::4] == [PASAR, "61.06.01.2001"]
    assert rows[0]["state"] == "unstable"
    assert float(rows[0]["availability"]) == 0.75
    assert rows[1]["availability"] == rows[4]["population"] == ""


def test_geojson_follows_the_rfc(
    graded: Callable[..., tuple[Register, Coverage]], tmp_path: Path
) -> None:
    """Polygon, point or no geometry; outer rings counter-clockwise, whatever way they came."""
    clockwise = ((109.0, 1.0), (109.0, 1.1), (109.1, 1.1), (109.1, 1.0), (109.0, 1.0))
    borders = Boundaries({PASAR: ((clockwise,),)}, {}, {}, Fit(1))
    path = write_geojson(*graded("=1"), tmp_path / "desa.geojson", borders)
    features = json.loads(path.read_text("utf-8"))["features"]
    assert [(f["geometry"] or {}).get("type") for f in features] == [
        "MultiPolygon",
        *["Point"] * 3,
        None,
    ]
    ring = features[0]["geometry"]["coordinates"][0][0]
    assert ring == [list(point) for point in reversed(clockwise)]
    assert features[0]["properties"]["name"] == "=1"
    assert features[0]["properties"]["availability"] == 0.75


def test_a_folder_that_cannot_be_written_is_said(
    graded: Callable[..., tuple[Register, Coverage]], tmp_path: Path
) -> None:
    """The message names the file; nothing half-written stays behind."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UnavailableError, match=r"desa\.csv: cannot be written"):
        write_csv(*graded(), tmp_path / "file" / "desa.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
