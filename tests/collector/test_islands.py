"""Islands: the engine's folding of looks, held against a plain reading of the same looks."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.archive.parquet import ParquetArchive
from collector.engine import Engine
from collector.islands import Series, find_islands
from collector.settings import VerdictSettings
from model.measurement import Outcome
from model.timeline import Interval
from tests.collector.scenario_player import Row, block_of

HOUR = 3_600_000
MIN = 60_000
START = 20_000 * 24 * HOUR
WEEK = Interval(START, START + 7 * 24 * HOUR)
SETTINGS = VerdictSettings()


def look(at_ms: int, outcome: Outcome = Outcome.UP, reason: str = "") -> Row:
    """A ping of the centre at site a."""
    return {"site": "a", "vantage": "centre", "kind": "ping", "target": "site",
            "reason": reason, "at_ms": at_ms, "outcome": outcome,
            "sent": 5, "received": 5 if outcome is Outcome.UP else 0}  # fmt: skip


def islands(folder: Path, *parts: list[Row]) -> list[Series]:
    """Write each part as a file of its own and fold them all."""
    archive = ParquetArchive(folder)
    for number, rows in enumerate(parts):
        archive.append(f"part-{number}", block_of(rows))
    with Engine() as engine:
        engine.open_looks(archive.files(WEEK))
        return find_islands(engine, WEEK, SETTINGS)


def brief(found: list[Series]) -> list[tuple[float, float, str, int]]:
    """First and last look in minutes, outcome and number of looks of the only series."""
    (only,) = found
    return [
        ((one.first_ms - START) / MIN, (one.last_ms - START) / MIN, one.outcome.name, one.looks)
        for one in only.islands
    ]


def test_a_quiet_week_is_one_island(tmp_path: Path) -> None:
    """2,016 good looks at five minutes fold into one row."""
    rows = [look(at) for at in range(START, WEEK.end_ms, 5 * MIN)]
    assert brief(islands(tmp_path, rows)) == [(0, 7 * 24 * 60 - 5, "UP", 2016)]


@pytest.mark.parametrize(("missing", "pieces"), [(1, 1), (2, 2), (6, 2)])
def test_a_long_gap_begins_an_island(tmp_path: Path, missing: int, pieces: int) -> None:
    """More than 2.5 intervals between two looks is a gap; one look may be missing without one."""
    times = range(START, START + 3 * HOUR, 5 * MIN)
    rows = [look(at) for number, at in enumerate(times) if not 16 <= number < 16 + missing]
    assert len(brief(islands(tmp_path, rows))) == pieces


def test_a_gap_over_the_hour_is_seen(tmp_path: Path) -> None:
    """The end of one hour and the start of the next may miss one look each, and that is a gap."""
    times = range(START, START + 3 * HOUR, 5 * MIN)
    rows = [look(at) for number, at in enumerate(times) if number not in (11, 12)]
    assert [piece[:2] for piece in brief(islands(tmp_path, rows))] == [(0, 50), (65, 175)]


def test_looks_told_twice_hide_no_gap(tmp_path: Path) -> None:
    """Half an hour of looks that came twice is as many looks as an hour has, and no whole hour."""
    regular = [look(at) for at in range(START + HOUR, START + 12 * HOUR, 5 * MIN)]
    half = [look(at) for at in range(START, START + HOUR // 2, 5 * MIN)]
    found = brief(islands(tmp_path, half, half, regular))
    assert [piece[:2] for piece in found] == [(0, 25), (60, 12 * 60 - 5)]


def test_a_burst_hides_no_gap(tmp_path: Path) -> None:
    """Twelve looks within two minutes do not stand for an hour."""
    regular = [look(at) for at in range(START + HOUR, START + 12 * HOUR, 5 * MIN)]
    burst = [look(at) for at in range(START, START + 2 * MIN, 10_000)]
    found = brief(islands(tmp_path, burst, regular))
    assert [piece[:2] for piece in found] == [(0, 11 / 6), (60, 12 * 60 - 5)]


def test_a_day_hides_no_gap_behind_looks_too_many(tmp_path: Path) -> None:
    """Two hours that meet in a gap, and another hour with two looks more than it has room for:
    as many looks as a day has, and still a gap."""
    times = range(START, START + 48 * HOUR, 5 * MIN)
    kept = [at for at in times if (at - START) // MIN not in (10 * 60 + 55, 11 * 60)]
    more = [START + 30 * HOUR + 7 * MIN, START + 5 * HOUR + 7 * MIN, START + 5 * HOUR + 12 * MIN]
    found = brief(islands(tmp_path, [look(at) for at in [*kept, *more]]))
    assert [piece[:2] for piece in found] == [(0, 10 * 60 + 50), (11 * 60 + 5, 48 * 60 - 5)]


@pytest.mark.parametrize("missing", [1, 2])
def test_a_probe_of_one_look_an_hour(tmp_path: Path, missing: int) -> None:
    """Its days are whole while no two looks in a row are missing."""
    times = range(START, START + 72 * HOUR, HOUR)
    gone = range(START + 30 * HOUR, START + (30 + missing) * HOUR, HOUR)
    found = brief(islands(tmp_path, [look(at) for at in times if at not in gone]))
    assert found == (
        [(0, 71 * 60, "UP", 71)]
        if missing == 1
        else [(0, 29 * 60, "UP", 30), (32 * 60, 71 * 60, "UP", 40)]
    )


def test_each_outcome_has_its_islands_and_its_first_reason(tmp_path: Path) -> None:
    """UNKNOWN stands apart from DOWN and UP, with the reason of its first look."""
    outcomes = [Outcome.UP, Outcome.DOWN, Outcome.DOWN, Outcome.UNKNOWN, Outcome.UP]
    reasons = ["", "no answer", "no answer", "no route", ""]
    rows = [
        look(START + number * MIN, outcome, reason)
        for number, (outcome, reason) in enumerate(zip(outcomes, reasons, strict=True))
    ]
    found = islands(tmp_path, rows)
    assert [piece[2] for piece in brief(found)] == ["UP", "DOWN", "UNKNOWN", "UP"]
    assert [one.reason for one in found[0].islands] == ["", "no answer", "no route", ""]


def test_unknown_looks_are_told_apart_by_their_reason(tmp_path: Path) -> None:
    """What failed above a broken rung failed; what was not looked at for the budget did not."""
    reasons = ["below: isp_gateway", "below: isp_gateway", "budget", "budget"]
    rows = [
        look(START + number * MIN, Outcome.UNKNOWN, reason) for number, reason in enumerate(reasons)
    ]
    (found,) = islands(tmp_path, rows)
    assert [(one.reason, one.looks, one.failed) for one in found.islands] == [
        ("below: isp_gateway", 2, True),
        ("budget", 2, False),
    ]


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.sampled_from("UUUUUUD?."), min_size=30, max_size=90),
    st.randoms(use_true_random=False),
)
def test_folding_agrees_with_reading_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, letters: list[str], random: Random
) -> None:
    """Whatever was seen, in whatever order and in however many files it arrived."""
    outcomes = {"U": Outcome.UP, "D": Outcome.DOWN, "?": Outcome.UNKNOWN}
    # A full day before fixes the interval, so that the plain reading below knows it.
    text = "U" * 288 + "".join(letters)
    rows = [
        look(START + number * 5 * MIN, outcomes[letter])
        for number, letter in enumerate(text)
        if letter != "."
    ]
    expected: list[list[float]] = []
    for row in rows:
        minute, name = (row["at_ms"] - START) / MIN, row["outcome"].name
        if expected and expected[-1][2] == name and minute - expected[-1][1] <= 12.5:
            expected[-1][1] = minute
            expected[-1][3] += 1
        else:
            expected.append([minute, minute, name, 1])
    shuffled = list(rows)
    random.shuffle(shuffled)
    cut = len(shuffled) // 3
    found = islands(tmp_path_factory.mktemp("x"), shuffled[:cut], shuffled[cut:])
    assert brief(found) == [tuple(piece) for piece in expected]
