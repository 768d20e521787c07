"""The engine leaves nothing behind, and prints nothing of its own."""

import tempfile
from pathlib import Path

import pytest

from collector.archive.parquet import ParquetArchive
from collector.engine import Engine
from model.measurement import Outcome
from model.timeline import Interval
from tests.collector.scenario_player import block_of


def test_work_that_does_not_fit_is_spilled_elsewhere_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Ordering more than the memory holds writes to a folder of the engine's own, not to where
    the command was started, and nothing of it is there afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    with Engine(memory_gb=0.1) as engine:
        engine.run("CREATE TEMP TABLE many AS SELECT hash(range) AS number FROM range(20_000_000)")
        assert engine.rows("SELECT count(DISTINCT number) FROM many") == [(20_000_000,)]
        assert any((tmp_path / "scratch").rglob("*"))
    assert [path.name for path in tmp_path.iterdir()] == ["scratch"]
    assert not list((tmp_path / "scratch").iterdir())
    assert capfd.readouterr().out == ""


def test_parts_hold_every_look_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also looks of sites that nobody named, at both ends of the alphabet and with a quote."""
    monkeypatch.setattr("collector.engine._SITES_AT_ONCE", 2)
    sites = ["a", "b", "b'c", "c", "d", "e"]
    archive = ParquetArchive(tmp_path)
    archive.append(
        "all",
        block_of(
            [
                {"site": site, "vantage": "centre", "kind": "ping", "target": "site", "reason": "",
                 "at_ms": 1000, "outcome": Outcome.UP, "sent": 5, "received": 5}
                for site in sites
            ]
        ),
    )  # fmt: skip
    asked = "SELECT site FROM looks ORDER BY site"
    with Engine() as engine:
        engine.open_looks(archive.files(Interval(0, 2000)))
        parts = [[site for (site,) in engine.rows(asked)] for _ in engine.in_parts(sites[1:5])]
        assert parts == [["a", "b", "b'c"], ["c", "d", "e"]]
        assert [site for (site,) in engine.rows(asked)] == sites
