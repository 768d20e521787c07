# ruff: noqa: F811 - fixtures of the browser are taken from tests.maps.browser by their names
"""One week of a random province through every command that shows it: map, pocket map, work list,
every export and the public package say what ``jangkau coverage`` says."""

import csv
import io
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb  # noqa: TID251 - a reader of Parquet from another world
import geopandas  # noqa: TID251 - a reader of GPKG and KML from another world
import pytest
from selenium.webdriver.common.keys import Keys
from typer.testing import CliRunner

from cli.main import application
from maps.look import STATES
from maps.words import load
from maps.worklist import LISTED
from tests.maps.browser import driver, open_page, text  # noqa: F401 - fixtures

Rows = list[dict[str, Any]]
WEEK = "2026-W46"


def invoke(*words: str) -> str:
    result = CliRunner().invoke(application(words[0]), list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up province with three weeks of history, another one in every run."""
    seed = random.randrange(10_000)  # noqa: S311 - a test's chance
    print(f"seed {seed}")  # noqa: T201 - shown when a test fails
    folder = tmp_path_factory.mktemp("province")
    invoke("simulate", "province", "--out", str(folder), "--villages", "60", "--seed", str(seed),
           "--end", "2026-11-16")  # fmt: skip
    invoke("simulate", "history", "--province", str(folder), "--data", str(folder / "data"),
           "--weeks", "3")  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def place(province: Path) -> tuple[str, ...]:
    inventory, data = province / "inventory.yaml", province / "data"
    return ("--inventory", str(inventory), "--data", str(data), "--week", WEEK)


@pytest.fixture(scope="module")
def villages(place: tuple[str, ...]) -> Rows:
    """Every village of ``jangkau coverage``, in the register's order."""
    found: Rows = json.loads(invoke("coverage", *place, "--level", "village", "--json"))
    return found


@pytest.fixture(scope="module")
def regions(place: tuple[str, ...]) -> Rows:
    """Each kabupaten and the province of ``jangkau coverage``."""
    found: Rows = json.loads(invoke("coverage", *place, "--json"))
    return found


def test_a_region_is_the_sum_of_its_villages(villages: Rows, regions: Rows) -> None:
    """States and targets of a kabupaten are those of its villages."""
    for region in regions:
        inside = [row for row in villages if row["code"].startswith(region["code"])]
        states = Counter(row["state"] for row in inside)
        assert [region[state.value] for state in STATES] == [states[s.value] for s in STATES]
        assert region["meets_target"] == sum(row["meets_target"] for row in inside)
        assert region["registered"] == len(inside)


def test_the_map_shows_the_same(
    province: Path, place: tuple[str, ...], villages: Rows, regions: Rows,
    open_page: Callable[..., Any], tmp_path: Path,
) -> None:  # fmt: skip
    """Every village's state is in the data, and the headline, target and legend of the province and
    of each kabupaten are the figures of coverage, as a reader sees them."""
    out = tmp_path / "peta.html"
    invoke("map", *place, "--out", str(out), "--weeks", "8",
           "--boundaries", str(province / "villages.geojson"))  # fmt: skip
    block = out.read_text("utf-8").split('id="data">')[1].split("</script>")[0]
    numbers = {state.value: str(at) for at, state in enumerate(STATES)}
    states = "".join(numbers[row["state"]] for row in villages)
    assert json.loads(block)["weeks"][-1]["states"] == states
    browser = open_page(out)
    for region in (regions[-1], *regions[:-1]):  # the page opens with the province
        if len(region["code"]) == 5:
            search = browser.find_element("id", "search")
            search.clear()
            search.send_keys(region["code"], Keys.ENTER)
        assert text(browser, "stable") == str(region["stable"])
        assert f"dari {region['registered']} " in text(browser, "of")
        assert text(browser, "meets").split()[0] == str(region["meets_target"])
        shown = [row.text for row in browser.find_elements("css selector", "#entries .number")]
        assert shown == [str(region[state.value]) for state in STATES]


def test_the_pocket_map_shows_the_same(
    place: tuple[str, ...], regions: Rows, open_page: Callable[..., Any], tmp_path: Path
) -> None:
    """The map of one kabupaten has that kabupaten's figures."""
    region = max(regions[:-1], key=lambda row: row["registered"])
    out = tmp_path / "saku.html"
    invoke("map", *place, "--out", str(out), "--weeks", "8", "--kabupaten", region["code"])
    browser = open_page(out)
    assert text(browser, "stable") == str(region["stable"])
    assert text(browser, "meets").split()[0] == str(region["meets_target"])


def test_the_work_list_names_the_same_sites(
    place: tuple[str, ...], villages: Rows, regions: Rows, tmp_path: Path
) -> None:
    """Listed are exactly the villages whose state asks for somebody, each with its state,
    kabupaten by kabupaten (the simulated province has one site a village)."""
    words = load("id")
    for region in regions[:-1]:
        out = tmp_path / region["code"]
        invoke("worklist", *place, "--kabupaten", region["code"], "--out", str(out))
        [page] = out.glob("*.txt")
        lines = page.read_text("utf-8").splitlines()
        found = {}
        for at, line in enumerate(lines):
            if stop := re.fullmatch(r"\d+\. .* \[(.*)\]", line):
                code = re.search(r", ([0-9.]{13}) ", lines[at + 1])
                assert code
                found[code[1]] = stop[1]
        assert found == {
            row["code"]: words(f"state.{row['state']}")
            for row in villages
            if row["code"].startswith(region["code"]) and row["state"] in {s.value for s in LISTED}
        }


@pytest.mark.parametrize("public", [False, True])
def test_every_export_has_the_same_rows(
    public: bool, province: Path, place: tuple[str, ...], villages: Rows, tmp_path: Path
) -> None:
    """Code, state, target and availability of each village, read back from five formats, of our own
    exports and of the public package."""
    invoke("export", *place, "--out", str(tmp_path / "e"), *(["--public"] if public else []),
           "--boundaries", str(province / "villages.geojson"))  # fmt: skip
    columns = ("code", "state", "meets_target", "availability")
    expected = [tuple(row[name] for name in columns) for row in villages]
    paths = {path.suffix: path for path in (tmp_path / "e").iterdir()}
    rows = csv.DictReader(io.StringIO(paths[".csv"].read_text("utf-8-sig")))
    assert [
        (row["code"], row["state"], row["meets_target"].lower() == "true",
         float(row["availability"]) if row["availability"] else None) for row in rows
    ] == expected  # fmt: skip
    features = json.loads(paths[".geojson"].read_text("utf-8"))["features"]
    assert [tuple(one["properties"][name] for name in columns) for one in features] == expected
    parquet = duckdb.read_parquet(str(paths[".parquet"])).project(", ".join(columns)).fetchall()
    assert parquet == expected
    for suffix in (".gpkg", ".kml"):
        frame = geopandas.read_file(paths[suffix])
        met = [bool(each) for each in frame["meets_target"]]
        assert list(zip(frame["code"], frame["state"], met, strict=True)) == [
            one[:3] for one in expected
        ]
        # GDAL writes 15 digits into KML.
        assert list(frame["availability"]) == pytest.approx(
            [float("nan") if one[3] is None else one[3] for one in expected], nan_ok=True, rel=1e-14
        )


def test_reach_counts_the_same_villages(
    province: Path, place: tuple[str, ...], regions: Rows
) -> None:
    """Every village with a polygon is in the table of reach, kabupaten by kabupaten."""
    rows = json.loads(
        invoke("reach", *place, "--boundaries", str(province / "villages.geojson"), "--json")
    )
    assert {row["code"]: row["villages"] for row in rows} == {
        region["code"]: region["registered"] for region in regions[:-1]
    }
