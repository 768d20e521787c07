"""``jangkau boundaries`` as its users run it: every misfit named, a file that fits made of it."""

import json
from pathlib import Path
from typing import Any

import geopandas  # noqa: TID251 - a reader of GeoPackage from another world
import pytest
from typer.testing import CliRunner, Result

from cli.main import application


def invoke(*words: str) -> Result:
    return CliRunner().invoke(application(words[0]), list(words))


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up province of 60 villages whose polygons fit."""
    folder = tmp_path_factory.mktemp("province")
    result = invoke("simulate", "province", "--out", str(folder), "--villages", "60")
    assert result.exit_code == 0, result.output
    return folder


def features(province: Path) -> list[dict[str, Any]]:
    found = json.loads((province / "villages.geojson").read_text("utf-8"))["features"]
    return sorted(found, key=lambda one: str(one["properties"]["code"]))


def write(path: Path, found: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": found}), "utf-8")
    return path


def test_a_file_that_fits_is_fine(province: Path) -> None:
    """Exit code 0, and the summary says how many villages of the register have a polygon."""
    result = invoke(
        "boundaries", "check", str(province / "villages.geojson"),
        "--inventory", str(province / "inventory.yaml"),
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "60 of 60 villages" in result.output


def test_every_misfit_is_named(province: Path, tmp_path: Path) -> None:
    """Missing, unknown, doubled, crossed, swapped and overlapping polygons: each has its row with
    its code, and the exit code is 1."""
    found = features(province)
    codes = [one["properties"]["code"] for one in found]
    shapes = [one["geometry"] for one in found]
    found[1]["properties"]["code"] = "99.99.99.2999"
    found[2]["geometry"], found[3]["geometry"] = shapes[3], shapes[2]
    found.append({**found[4]})
    (x, y), *_ = shapes[5]["coordinates"][0]
    crossed = [[x, y], [x + 0.1, y + 0.1], [x + 0.1, y], [x, y + 0.1], [x, y]]
    found[5]["geometry"] = {"type": "Polygon", "coordinates": [crossed]}
    found[6]["geometry"] = {"type": "Point", "coordinates": [x, y]}
    path = write(tmp_path / "desa.geojson", found)
    result = invoke(
        "boundaries", "check", str(path), "--inventory", str(province / "inventory.yaml"), "--json"
    )
    assert result.exit_code == 1, result.output
    rows = {(row["code"], row["finding"].split(":")[0].split(" 99.")[0]) for row in
            json.loads(result.stdout)}  # fmt: skip
    assert {
        (codes[1], "no polygon"),
        ("99.99.99.2999", "not in the register"),
        (codes[2], "its point lies in"),
        (codes[3], "its point lies in"),
        (codes[4], "comes twice"),
        (codes[5], "invalid ring"),
        (codes[6], "not a polygon on the earth"),
        (codes[6], "no polygon"),
    } <= rows
    overlaps = [row for row in json.loads(result.stdout) if row["overlap_km2"]]
    assert any(codes[5] in (row["code"], row["other"]) for row in overlaps)


def test_import_makes_four_layers_that_fit_again(province: Path, tmp_path: Path) -> None:
    """Villages, kecamatan, kabupaten and the province: each level covers the same ground, with the
    register's names, and the file itself is a file of borders that fits."""
    inventory, out = str(province / "inventory.yaml"), tmp_path / "borders.gpkg"
    result = invoke(
        "boundaries", "import", str(province / "villages.geojson"), "--inventory", inventory,
        "--out", str(out),
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    layers = {
        name: geopandas.read_file(out, layer=name)
        for name in ("village", "kecamatan", "kabupaten", "province")
    }
    assert {len(set(one["code"])) - len(one) for one in layers.values()} == {0}
    assert len(layers["village"]) == 60
    areas = [one.to_crs("ESRI:54034").area.sum() / 1e6 for one in layers.values()]
    assert areas == pytest.approx([areas[0]] * 4, rel=1e-6)
    assert [one["area_km2"].sum() for one in layers.values()] == pytest.approx(
        [layers["village"]["area_km2"].sum()] * 4
    )
    assert layers["province"]["name"].tolist() == ["Nusa Khayal"]
    again = invoke("boundaries", "check", str(out), "--inventory", inventory)
    assert again.exit_code == 0, again.output


def test_without_a_register_there_is_nothing_to_hold_them_against(
    province: Path, tmp_path: Path
) -> None:
    """The mistake says how to get a register."""
    text = (province / "inventory.yaml").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("register_file")]
    bare = province / "bare.yaml"
    bare.write_text("\n".join(lines), "utf-8")
    result = invoke("boundaries", "check", str(tmp_path / "x.geojson"), "--inventory", str(bare))
    assert "no register of villages" in str(result.exception)
