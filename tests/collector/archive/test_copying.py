"""Fetching from a server's archive: what is not whole is not kept, and a wrong place is refused."""

from pathlib import Path

import numpy as np
import pytest

from cli.main import main
from collector.archive.copying import HOUR_MS, copied_hours
from collector.archive.parquet import ParquetArchive
from model.columns import Block
from model.errors import UnavailableError
from model.timeline import Interval


class Miscounting(ParquetArchive):
    """An archive that counts one look more than it gives."""

    def rows(self, interval: Interval) -> int:
        return super().rows(interval) + 1


def test_an_hour_that_is_not_as_counted_is_not_kept(tmp_path: Path) -> None:
    """Somebody writes into it just now, or the server gave less than it has."""
    source = Miscounting(tmp_path / "server")
    columns = {
        "site": ["a"], "vantage": ["centre"], "kind": ["ping"], "target": ["site"], "reason": [""],
        "at_ms": np.array([HOUR_MS + 5]), "outcome": np.array([1], np.int8),
    }  # fmt: skip
    source.append("all", Block(columns, 1))
    here = ParquetArchive(tmp_path / "here")
    with pytest.raises(UnavailableError, match="counts 2 looks and gives 1"):
        list(copied_hours(source, here, Interval(HOUR_MS, 2 * HOUR_MS)))
    assert here.files() == []


def test_a_collectors_own_folder_is_no_place_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its archive would hold every look twice."""
    (tmp_path / "journal.sqlite").touch()
    command = ["collector", "fetch", "--archive", "influxdb:x.toml", "--data", str(tmp_path)]
    with pytest.raises(SystemExit, match="2"):
        main(command)
    assert "name another one" in capsys.readouterr().err
