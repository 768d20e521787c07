"""What late data changed is kept and shown, minute for minute."""

import json
from pathlib import Path

import pytest

from cli.revisions import revisions
from collector.weeks import week_entry
from tests.collector.scenario_player import read_scenario

LATE = Path(__file__).parents[1] / "scenarios" / "late-data-fill-a-blind-stretch.toml"


def test_late_data_make_a_revision_that_says_what_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A week is concluded, late data arrive, and the second revision names what became of the
    unknown time; asking again changes nothing."""
    scenario = read_scenario(LATE)
    monkeypatch.setattr("inventory.read.load", lambda _path: scenario.inventory)
    scenario.write(tmp_path, late=False)
    first = week_entry(tmp_path, scenario.inventory, scenario.week)
    assert (first.record.revision, first.changes) == (1, ())
    scenario.write(tmp_path, late=True)
    shown = []
    for _ in range(2):
        revisions(week=str(scenario.week), data=tmp_path, as_json=True)
        shown.append(json.loads(capsys.readouterr().out))
    assert shown[0] == shown[1]
    assert {row["revision"] for row in shown[0]} == {2}
    assert any(row["before"] == "unknown" and row["seconds"] > 0 for row in shown[0])
    revisions(week=str(scenario.week), data=tmp_path)
    assert "unknown → " in capsys.readouterr().out
