"""Week records: the same looks give the same record, however and whenever they arrived."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from collector.archive.parquet import ParquetArchive
from collector.weeks import week_entry, week_records
from model.summary import WeekRecord
from tests.collector.scenario_player import Row, Scenario, block_of, read_scenario

FOLDER = Path(__file__).parents[1] / "scenarios"
STEMS = ["power-cut-at-a-pop", "dark-for-days", "late-dark-between-two-downs", "mass-silence"]


def all_rows(scenario: Scenario) -> list[Row]:
    return scenario.rows(late=False) + scenario.rows(late=True)


def record(data: Path, scenario: Scenario, parts: list[list[Row]]) -> WeekRecord:
    """The first record of data that came in these parts."""
    archive = ParquetArchive(data / "archive")
    for number, rows in enumerate(parts):
        archive.append(f"part-{number:02d}", block_of(rows))
    return week_records(data, scenario.inventory, [scenario.week], now_ms=scenario.now_ms)[0]


@pytest.mark.parametrize("stem", STEMS)
def test_order_and_files_do_not_matter(stem: str, tmp_path: Path) -> None:
    """One file in order, and nine files of shuffled rows: the same record to the last field."""
    scenario = read_scenario(FOLDER / f"{stem}.toml")
    rows = all_rows(scenario)
    at_once = record(tmp_path / "a", scenario, [rows])
    shuffled = list(rows)
    random.Random(7).shuffle(shuffled)  # noqa: S311 - an order, not a secret
    apart = record(tmp_path / "b", scenario, [shuffled[n::9] for n in range(9)])
    assert apart == at_once


def test_step_by_step_equals_at_once(tmp_path: Path) -> None:
    """Data that arrive day by day, with the week concluded after each, end in the record that all
    data at once give; the revisions count what changed."""
    scenario = read_scenario(FOLDER / "dark-for-days.toml")
    rows = sorted(all_rows(scenario), key=lambda row: row["at_ms"])
    at_once = record(tmp_path / "a", scenario, [rows])
    archive = ParquetArchive(tmp_path / "b" / "archive")
    cut = len(rows) // 4 + 1
    for number in range(4):
        archive.append(f"part-{number}", block_of(rows[number * cut : (number + 1) * cut]))
        entry = week_entry(
            tmp_path / "b", scenario.inventory, scenario.week, now_ms=scenario.now_ms
        )
    assert replace(entry.record, revision=1) == at_once
    assert entry.record.revision == 4
    assert entry.changes


def test_nothing_new_is_no_revision(tmp_path: Path) -> None:
    """Asked again with nothing new, the week keeps its revision."""
    scenario = read_scenario(FOLDER / "power-by-boot-reason.toml")
    first = record(tmp_path, scenario, [all_rows(scenario)])
    again = week_records(tmp_path, scenario.inventory, [scenario.week], now_ms=scenario.now_ms)
    assert again == [first]


def test_an_empty_archive_is_all_unknown(tmp_path: Path) -> None:
    """Without a single look every site is there, unknown and not observed."""
    scenario = read_scenario(FOLDER / "quiet-week.toml")
    (found,) = week_records(tmp_path, scenario.inventory, [scenario.week], now_ms=scenario.now_ms)
    (week,) = found.site_weeks
    assert (week.raw.unknown_ms, week.raw.window_ms) == (168 * 3_600_000, 168 * 3_600_000)
    assert week.state.value == "not_observed"
    assert found.data_until_ms is None
