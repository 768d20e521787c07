"""``jangkau simulate``: a province in a folder, its history in an archive, its packets."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.simulate import app
from collector.archive.parquet import ParquetArchive
from inventory.read import load
from model.errors import InputError
from simulator.recipe import read_recipe
from simulator.scenario import read_events
from simulator.truth import read_truth
from simulator.tun import available, in_namespace


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A province of eighty villages in a folder."""
    path = tmp_path_factory.mktemp("province")
    run("province", "--out", str(path), "--seed", "3", "--villages", "80", "--kabupaten", "7")
    return path


def run(*words: str) -> str:
    """Run a command; its errors are raised."""
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_province_is_a_readable_inventory(folder: Path) -> None:
    """What is written loads as the inventory that the recipe makes, with a polygon per feature."""
    made = read_recipe(folder).make()
    inventory = load(folder / "inventory.yaml")
    assert inventory.sites == made.inventory.sites
    assert inventory.upstreams == made.inventory.upstreams
    features = json.loads((folder / "villages.geojson").read_text())["features"]
    assert {f["properties"]["code"] for f in features} == made.polygons.keys()


def test_history_writes_archive_truth_and_calendar(folder: Path, tmp_path: Path) -> None:
    """A week of history lands in the archive; truth, misfortune and maintenance beside the
    province agree with one another."""
    output = run(
        "history", "--province", str(folder), "--data", str(tmp_path), "--weeks", "1",
        "--intensity", "40",
    )  # fmt: skip
    truth = read_truth(folder / "truth.jsonl")
    assert truth.interval.length_ms == 7 * 86_400_000
    assert truth.outages
    assert len(ParquetArchive(tmp_path / "archive").files(truth.interval)) >= 14
    assert "measurements" in output
    planned = [e for e in read_events(folder / "misfortune.toml") if e.kind == "maintenance"]
    assert planned
    assert len(load(folder / "inventory.yaml").maintenance) == len(planned)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["province", "--out", "x", "--end", "16-11-2026"], "write it as 2026-11-16"),
        (["province", "--out", "x", "--villages", "3"], "give 1 to 3"),
        (["history", "--province", "nowhere", "--data", "x"], "simulate province"),
    ],
)
def test_mistakes_are_explained(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong input raises what the front door turns into exit code 2, and writes nothing."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=says):
        run(*words)
    assert not list(tmp_path.iterdir())


@pytest.mark.namespace
def test_network_answers_a_command_beside_it(folder: Path) -> None:
    """In a namespace the sites answer, and the command's exit code is handed on."""
    if (why := available()) is not None:
        pytest.skip(why)
    address = read_recipe(folder).make().inventory.sites[0].address
    program = "from cli.simulate import app; app()"
    child = ["fping", "-q", "-r", "2", "-B", "1", str(address), "10.61.200.200"]
    ran = subprocess.run(
        in_namespace(
            [sys.executable, "-c", program, "network", "--province", str(folder), "--", *child]
        ),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert "echo requests came" in ran.stderr
    assert ran.returncode == 1  # fping: some address did not answer


def test_services_stay_open_while_a_command_runs(tmp_path: Path) -> None:
    """A look beside the street finds the page that is good and not the one that is wrong; what the
    look ends with is what the command ends with."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    jangkau = [sys.executable, "-c", "from cli.main import main; main()"]
    for address, code in (("127.62.0.1", 0), ("127.62.0.4", 1)):
        ran = subprocess.run(
            [*jangkau, "simulate", "services", "--folder", str(tmp_path), "--port", str(port), "--",
             *jangkau, "look", "http", f"http://{address}:{port}/health"],
            capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        assert ran.returncode == code, ran.stderr
        assert "page-error: DOWN wrong status 502" in ran.stderr
