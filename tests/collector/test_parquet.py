"""The Parquet archive: whole files, exact values, the same name twice changes nothing."""

import math
import random
import threading
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq  # noqa: TID251 - the judge reads the files with the library itself
import pytest

from collector.archive.order import DAY_MS
from collector.archive.parquet import GRACE_MS, ROW_GROUP_ROWS, ParquetArchive
from model.columns import Block, Coded
from model.errors import UnavailableError
from model.timeline import Interval

DAY = 20_000 * DAY_MS  # 2024-10-04


def block(at_ms: list[int], sites: list[str] | None = None, **metrics: list[float]) -> Block:
    """Pings of the centre at these moments, all UP."""
    rows = len(at_ms)
    columns = {
        "site": sites or ["a"] * rows,
        "vantage": Coded(["centre"], np.zeros(rows, int)),
        "kind": Coded(["ping"], np.zeros(rows, int)),
        "target": Coded(["site"], np.zeros(rows, int)),
        "reason": [""] * rows,
        "at_ms": at_ms,
        "outcome": [1] * rows,
    }
    return Block({**columns, **metrics}, rows)


def read(archive: ParquetArchive) -> list[dict[str, object]]:
    return [row for path in archive.files(None) for row in pq.ParquetFile(path).read().to_pylist()]


def test_values_come_back_with_their_types(tmp_path: Path) -> None:
    """Text, time, outcome, whole and real metrics return as given; NaN returns as null."""
    archive = ParquetArchive(tmp_path)
    given = block(
        [DAY, DAY + 300_000],
        received=[5.0, np.nan],
        rtt_median_seconds=[0.25, np.nan],
        uptime_seconds=[1e9 + 0.5, np.nan],
    )
    assert archive.append("part-1", given) == 2
    (path,) = archive.files(None)
    assert path == tmp_path / "day=2024-10-04" / "part-1.parquet"
    schema = {field.name: str(field.type) for field in pq.read_schema(path)}
    assert schema["at"] == "timestamp[ms, tz=UTC]"
    assert schema["outcome"] == "int8"
    assert schema["received"] == "int64"
    assert schema["rtt_median_seconds"] == "float"
    assert schema["uptime_seconds"] == "double"
    assert schema["site"] == "dictionary<values=string, indices=int32, ordered=0>"
    first, second = read(archive)
    assert (first["site"], first["received"], first["rtt_median_seconds"]) == ("a", 5, 0.25)
    assert first["uptime_seconds"] == 1e9 + 0.5
    assert [second[name] for name in ("received", "rtt_median_seconds", "uptime_seconds")] == [
        None
    ] * 3


@pytest.mark.parametrize("coded", [False, True])
def test_each_day_gets_its_sorted_part(tmp_path: Path, *, coded: bool) -> None:
    """Rows in any order land in their own UTC day, sorted by site and time, none lost."""
    archive = ParquetArchive(tmp_path)
    random = np.random.default_rng(7)
    at_ms = random.integers(DAY, DAY + 3 * DAY_MS, 500)
    codes = random.integers(0, 3, 500)
    names = ["c", "a", "b"]
    given = block(list(at_ms), [names[code] for code in codes])
    if coded:
        given = Block({**given.columns, "site": Coded(names, codes)}, 500)
    archive.append("late", given)
    assert [path.parent.name for path in archive.files(None)] == [
        "day=2024-10-04",
        "day=2024-10-05",
        "day=2024-10-06",
    ]
    rows = [
        (row["at"].timestamp() * 1000 // DAY_MS, row["site"], row["at"]) for row in read(archive)
    ]  # type: ignore[attr-defined]  # at is a datetime
    assert rows == sorted(rows)
    got = sorted((row["site"], round(row["at"].timestamp() * 1000)) for row in read(archive))  # type: ignore[attr-defined]  # at is a datetime
    assert got == sorted((names[code], int(at)) for code, at in zip(codes, at_ms, strict=True))


def test_sites_that_are_sorted_but_span_days(tmp_path: Path) -> None:
    """A history sorted by site over several days is split without mixing sites up."""
    archive = ParquetArchive(tmp_path)
    at_ms = [DAY, DAY + DAY_MS, DAY + 2 * DAY_MS] * 2
    archive.append("history", block(at_ms, ["a"] * 3 + ["b"] * 3))
    assert [row["site"] for row in read(archive)] == ["a", "b"] * 3


def test_the_same_name_again_changes_nothing(tmp_path: Path) -> None:
    """A writer that crashed before remembering writes the part again; bytes and rows are equal."""
    archive = ParquetArchive(tmp_path)
    archive.append("journal-1-2", block([DAY, DAY + 1]))
    (path,) = archive.files(None)
    before = path.read_bytes()
    archive.append("journal-1-2", block([DAY, DAY + 1]))
    assert archive.files(None) == [path]
    assert path.read_bytes() == before


def test_files_are_chosen_by_day_and_only_when_whole(tmp_path: Path) -> None:
    """An interval names its days, its end not included; a half-written file is never seen."""
    archive = ParquetArchive(tmp_path)
    archive.append("x", block([DAY, DAY + DAY_MS]))
    (tmp_path / "day=2024-10-04" / ".x.tmp").write_bytes(b"half")
    assert len(archive.files(None)) == 2
    assert len(archive.files(Interval(DAY, DAY + DAY_MS))) == 1
    assert len(archive.files(Interval(DAY, DAY + DAY_MS + 1))) == 2
    assert archive.files(Interval(DAY + 2 * DAY_MS, DAY + 3 * DAY_MS)) == []


def test_row_groups_let_a_reader_skip_sites(tmp_path: Path) -> None:
    """Row groups carry site statistics, so that a reader of one site opens one of them."""
    archive = ParquetArchive(tmp_path)
    rows = ROW_GROUP_ROWS + 1
    given = block([DAY] * rows)
    codes = np.repeat([0, 1], [ROW_GROUP_ROWS, 1])
    archive.append("big", Block({**given.columns, "site": Coded(["a", "b"], codes)}, rows))
    metadata = pq.read_metadata(archive.files(None)[0])
    bounds = [metadata.row_group(i).column(0).statistics for i in range(metadata.num_row_groups)]
    assert [(item.min, item.max) for item in bounds] == [("a", "a"), ("b", "b")]


def test_nothing_to_keep_and_names_that_are_no_names(tmp_path: Path) -> None:
    """An empty block makes no file; a name that could leave the folder is refused."""
    archive = ParquetArchive(tmp_path)
    assert archive.append("empty", block([])) == 0
    assert archive.files(None) == []
    with pytest.raises(ValueError, match="letters, digits and hyphens"):
        archive.append("../x", block([DAY]))


def test_a_disk_that_refuses_is_said_so(tmp_path: Path) -> None:
    """What cannot be written is UnavailableError with the remedy, not a half-kept part."""
    (tmp_path / "file").write_text("in the way")
    archive = ParquetArchive(tmp_path / "file")
    with pytest.raises(UnavailableError, match="Free some space"):
        archive.append("x", block([DAY]))


def part(archive: ParquetArchive, first: int, last: int, day: int = DAY) -> None:
    """A journal's part with one look for each of its batches."""
    archive.append(
        f"journal-a1-{first}-{last}", block([day + n * 1000 for n in range(first, last + 1)])
    )


def test_many_small_parts_become_one(tmp_path: Path) -> None:
    """Compacted, the looks are the same and in order; the covered parts are not counted, stay for
    readers who listed them before, and go an hour later."""
    archive = ParquetArchive(tmp_path)
    for n in range(20):
        part(archive, 3 * n + 1, 3 * n + 3)
    before = sorted(read(archive), key=lambda row: str(row["at"]))
    listed = archive.files()
    archive.tend("a1", 60, DAY + 1)
    assert [path.name for path in archive.files()] == ["journal-a1-1-60.parquet"]
    assert read(archive) == before
    assert all(path.exists() for path in listed)
    written_ms = archive.files()[0].stat().st_mtime_ns // 1_000_000
    archive.tend("a1", 60, written_ms + GRACE_MS + 1)
    assert len(list(tmp_path.rglob("*.parquet"))) == 1
    assert read(archive) == before


def test_only_what_is_final_is_compacted(tmp_path: Path) -> None:
    """A part beyond the cursor may be written again; those of another journal and imports are left
    alone; late looks join their own day at the next time."""
    archive = ParquetArchive(tmp_path)
    for n in range(1, 15):
        part(archive, n, n)
    archive.append("journal-b2-1-9", block([DAY]))
    archive.append("import", block([DAY]))
    archive.tend("a1", 13, DAY + 1)
    names = [path.stem for path in archive.files()]
    assert names == ["import", "journal-a1-1-13", "journal-a1-14-14", "journal-b2-1-9"]
    part(archive, 99, 120)
    archive.tend("a1", 120, DAY + 3 * DAY_MS)
    names = [path.stem for path in archive.files()]
    assert names == ["import", "journal-a1-1-120", "journal-b2-1-9"]
    assert len(read(archive)) == 14 + 22 + 2


def test_readers_never_miss_or_double_while_parts_are_compacted(tmp_path: Path) -> None:
    """A reader that lists and reads over and over sees every look once, at any moment."""
    archive = ParquetArchive(tmp_path)
    part(archive, 1, 1)
    seen, stop = [], threading.Event()

    def watch() -> None:
        while not stop.is_set():
            seen.append(archive.rows(Interval(DAY, DAY + DAY_MS)))

    reader = threading.Thread(target=watch)
    reader.start()
    for n in range(2, 60):
        part(archive, n, n)
        archive.tend("a1", n, DAY + 1)
    stop.set()
    reader.join()
    assert seen == sorted(seen)
    assert set(seen) <= set(range(1, 60))
    assert archive.rows(Interval(DAY, DAY + DAY_MS)) == 59


def test_old_days_are_forgotten_only_when_asked(tmp_path: Path) -> None:
    """Without a limit everything stays; with one, days beyond it go as whole folders."""
    for keep_days, left in ((None, 3), (40, 2)):
        archive = ParquetArchive(tmp_path, keep_days)
        for days in (0, 40, 41):
            part(archive, days + 1, days + 1, DAY - days * DAY_MS)
        archive.tend("a1", 0, DAY)
        assert len(archive.files()) == left


def test_round_trip_times_keep_what_a_probe_told(tmp_path: Path) -> None:
    """Every number of three digits reads back the same; any other is within half a per cent and in
    order; what is missing stays missing."""
    draw = random.Random(7)  # noqa: S311 - no secret
    told = [float(f"{digits}e{power}") for power in range(-7, 0) for digits in range(100, 1000)]
    given = [*told, *sorted(10 ** draw.uniform(-5, 1) for _ in range(2000)), 0.0, math.nan]
    archive = ParquetArchive(tmp_path)
    made = block([DAY + n for n in range(len(given))])
    columns = {**made.columns, "rtt_median_seconds": np.array(given)}
    archive.append("x", Block(columns, made.rows))
    *found, zero, missing = pq.read_table(archive.files()[0])["rtt_median_seconds"].to_pylist()
    assert (zero, missing) == (0, None)
    assert [float(f"{value:.3g}") for value in found[: len(told)]] == told
    assert found[len(told) :] == sorted(found[len(told) :])
    assert max(abs(got / want - 1) for got, want in zip(found, given, strict=False)) <= 0.005


def test_what_follows_from_other_columns_is_not_kept_twice(tmp_path: Path) -> None:
    """With fewer than 20 answers the 95th percentile is the longest time: it takes no room in the
    file and is there again when looks are read; any other one is kept."""
    archive = ParquetArchive(tmp_path)
    most = [0.5, 0.5, 0.5, math.nan]
    given = block(
        [DAY, DAY + 1, DAY + 2, DAY + 3],
        received=np.array([5.0, 5.0, 20.0, 0.0]),  # type: ignore[arg-type]  # columns are arrays
        rtt_p95_seconds=np.array([0.5, 0.25, 0.5, math.nan]),  # type: ignore[arg-type]  # as above
        rtt_max_seconds=np.array(most),  # type: ignore[arg-type]  # as above
    )
    archive.append("x", given)
    assert [row["rtt_p95_seconds"] for row in read(archive)] == [None, 0.25, 0.5, None]
    found = archive.looks(Interval(DAY, DAY + 4)).columns
    assert np.array_equal(found["rtt_p95_seconds"], [0.5, 0.25, 0.5, math.nan], equal_nan=True)
    assert np.array_equal(found["rtt_max_seconds"], most, equal_nan=True)
