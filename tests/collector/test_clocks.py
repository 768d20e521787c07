"""Clock trouble: what a probe doubted of its own dates, of the week and of known sites only."""

from pathlib import Path

import pytest

from collector.archive.parquet import ParquetArchive
from collector.clocks import clock_troubles
from model.clock import ClockTrouble
from model.columns import Block
from model.measurement import Outcome, Vantage
from tests.collector.scenario_player import read_scenario

SCENARIO = read_scenario(Path(__file__).parents[1] / "scenarios" / "mass-silence.toml")


def block(site: str, vantage: Vantage, at_ms: list[int], errors: list[float]) -> Block:
    count = len(at_ms)
    return Block(
        {
            "site": [site] * count,
            "vantage": [vantage.value] * count,
            "kind": ["ping"] * count,
            "target": ["national"] * count,
            "reason": [""] * count,
            "at_ms": at_ms,
            "outcome": [int(Outcome.UP)] * count,
            "clock_error_seconds": errors,
        },
        count,
    )


def test_doubtful_looks_are_counted_and_the_worst_is_named(tmp_path: Path) -> None:
    """Two of three looks in doubt, the worse one by an hour; looks outside the week, from the
    centre, and of strangers say nothing; a probe without doubts is not listed."""
    inventory = SCENARIO.inventory
    first, second = (site.id for site in inventory.sites[:2])
    bounds = SCENARIO.week.interval(inventory.province.timezone)
    start, none = bounds.start_ms, float("nan")
    archive = ParquetArchive(tmp_path / "archive")
    for number, part in enumerate(
        (
            block(first, Vantage.VILLAGE, [start, start + 1, start + 2], [5.0, none, 3600.0]),
            block(first, Vantage.VILLAGE, [start - 1, bounds.end_ms], [9999.0, 9999.0]),
            block(first, Vantage.CENTRE, [start + 3], [9999.0]),
            block(second, Vantage.VILLAGE, [start], [none]),
            block("stranger", Vantage.VILLAGE, [start], [7.0]),
        )
    ):
        archive.append(f"part-{number}", part)
    found = clock_troubles(tmp_path, inventory, SCENARIO.week, now_ms=SCENARIO.now_ms)
    assert found == [ClockTrouble(first, 3, 2, pytest.approx(3600.0, rel=0.01))]


def test_an_empty_archive_has_no_trouble(tmp_path: Path) -> None:
    """Nothing looked, nothing doubted; a week in the future has not even begun."""
    ahead = SCENARIO.week.plus(500)
    assert clock_troubles(tmp_path, SCENARIO.inventory, ahead) == []
