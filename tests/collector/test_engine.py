"""The engine leaves nothing behind, and prints nothing of its own."""

import tempfile
from pathlib import Path

import pytest

from collector.engine import Engine


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
