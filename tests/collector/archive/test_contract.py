"""One suite for every archive: what goes in comes out, once, whatever is repeated."""

import os
import secrets
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from collector.archive.base import Archive
from collector.archive.copying import HOUR_MS, copied_hours
from collector.archive.influxdb import InfluxArchive
from collector.archive.parquet import ParquetArchive
from collector.archive.victoriametrics import VictoriaArchive
from collector.line_protocol import decode, to_block
from model.columns import Block
from model.timeline import Interval

START_MS = 1_790_000_000_000
DAY_MS = 86_400_000
ALL = Interval(START_MS, START_MS + 3 * DAY_MS)


@pytest.fixture(scope="module")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaArchive]:
    """A real VictoriaMetrics, as Debian ships it."""
    if shutil.which("victoria-metrics") is None:
        pytest.skip("victoria-metrics is not installed (Debian: victoria-metrics)")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [str(shutil.which("victoria-metrics")), f"-storageDataPath={tmp_path_factory.mktemp('vm')}",
         f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y",
         "-dedup.minScrapeInterval=1ms"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            threading.Event().wait(0.05)  # between two attempts
        url = f"http://127.0.0.1:{port}"
        yield VictoriaArchive(url, url, flush_url=f"{url}/internal/force_flush")
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    """The archive of that name."""
    if request.param == "parquet":
        return ParquetArchive(tmp_path)
    if request.param == "victoriametrics":
        found: Archive = request.getfixturevalue("victoria")
        return found
    url = os.environ.get("JANGKAU_TEST_INFLUXDB_URL")
    if url is None:
        pytest.skip("no InfluxDB 2: JANGKAU_TEST_INFLUXDB_URL (_TOKEN, _ORG, _BUCKET) is not set")
    token, org, bucket = (
        os.environ[f"JANGKAU_TEST_INFLUXDB_{name}"] for name in ("TOKEN", "ORG", "BUCKET")
    )
    return InfluxArchive(url, token, org, bucket)


every = pytest.mark.parametrize(
    "archive", ["parquet", "influxdb", "victoriametrics"], indirect=True
)


def block(site: str, numbers: range, *more: str) -> Block:
    """Looks of one site, an hour apart from START_MS."""
    lines = [
        f"ping,site={site},target=site,vantage=centre outcome=1i,sent=5i,"
        f"rtt_median_seconds=0.0{n % 80 + 10},uptime_seconds={n}.25 {START_MS + n * 3_600_000}"
        for n in numbers
    ]
    return to_block([decode(line) for line in (*lines, *more)])


def rows(found: Block, site: str) -> list[tuple[object, ...]]:
    """The site's looks as plain rows in order, readings that were not made as None."""
    names = ("site", "vantage", "kind", "target", "reason")
    plain = {name: _plain(found.columns[name]) for name in names}
    plain["at_ms"] = [int(at) for at in found.columns["at_ms"]]
    plain["outcome"] = [int(one) for one in found.columns["outcome"]]
    for name in ("sent", "rtt_median_seconds", "uptime_seconds"):
        values = found.columns.get(name, np.full(found.rows, np.nan))
        plain[name] = [None if np.isnan(v) else float(f"{v:.3g}") for v in values]
    return sorted(
        row for row in zip(*plain.values(), strict=True) if row[0] == site
    )  # fmt: skip


def _plain(values: object) -> list[str]:
    if hasattr(values, "codes"):
        return [values.names[code] for code in values.codes]
    return [str(value) for value in values]  # type: ignore[attr-defined]  # a sequence


@pytest.fixture
def site() -> str:
    """A site that no other test, and no earlier run on the same server, has written."""
    return f"s{secrets.token_hex(6)}"


@every
def test_what_goes_in_comes_out(archive: Archive, site: str) -> None:
    """Text, outcomes, times to the millisecond and readings, those that are missing too."""
    odd = (
        f'http,site={site},target=application:si\\,ap\\ 2\\=3,vantage=village outcome=0i,reason="no'
        f' answer, \\"x\\"" {START_MS + 1}',
        f"ping,site={site},target=site,vantage=village outcome=2i,rtt_median_seconds=0.25"
        f" {START_MS + DAY_MS + 7}",
    )
    given = block(site, range(30), *odd)
    assert archive.append(f"journal-{site[1:]}-1-32", given) == 32
    assert rows(archive.looks(ALL), site) == rows(given, site)


@every
def test_again_changes_nothing(archive: Archive, site: str) -> None:
    """The same part written twice, as after a crash, is there once."""
    before = archive.rows(ALL)
    for _ in range(2):
        archive.append(f"journal-{site[1:]}-1-9", block(site, range(9)))
    assert archive.rows(ALL) - before == 9
    assert len(rows(archive.looks(ALL), site)) == 9


@every
def test_late_looks_and_bounds(archive: Archive, site: str) -> None:
    """Older looks may come after newer ones; an interval holds its start and not its end."""
    archive.append(f"journal-{site[1:]}-1-2", block(site, range(24, 48)))
    archive.append(f"journal-{site[1:]}-3-4", block(site, range(24)))
    archive.tend(site[1:], 4, START_MS + 9 * DAY_MS)
    assert len(rows(archive.looks(ALL), site)) == 48
    day = archive.looks(Interval(START_MS, START_MS + 24 * 3_600_000))
    assert len(rows(day, site)) == 24


@every
def test_nothing_is_nothing(archive: Archive) -> None:
    """An empty block is kept without a trace, and time without looks has none."""
    assert archive.append("empty", to_block([])) == 0
    assert archive.rows(Interval(START_MS - 9, START_MS - 1)) == 0
    assert archive.looks(Interval(START_MS - 9, START_MS - 1)).rows == 0


def test_a_line_that_the_server_throws_away_is_missed(
    victoria: VictoriaArchive, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """VictoriaMetrics answers 204 to what it does not keep; counting back finds it."""
    from collector.archive import influxdb  # noqa: PLC0415 - to break it
    from model.errors import UnavailableError  # noqa: PLC0415 - as above

    real: Callable[[Block, int], Iterator[str]] = influxdb.batches

    def broken(given: Block, size: int) -> Iterator[str]:
        for text in real(given, size):
            yield text.replace("outcome=1i", "outcome=", 1)

    monkeypatch.setattr(influxdb, "batches", broken)
    monkeypatch.setattr(victoria, "_sleep", lambda _seconds: None)
    with pytest.raises(UnavailableError, match="1 of 5 looks"):
        victoria.append("x", block(site, range(5)))


@pytest.mark.parametrize("archive", ["influxdb", "victoriametrics"], indirect=True)
def test_what_a_server_has_is_fetched_once(archive: Archive, site: str, tmp_path: Path) -> None:
    """Whole hours come into a folder of part files; asked again only those with something new."""
    odd = (
        f'http,site={site},target=application:si\\,ap\\ 2\\=3,vantage=village outcome=0i,reason="no'
        f' answer, \\"x\\"" {START_MS + 1}'
    )
    archive.append(f"journal-{site[1:]}-1-7", block(site, range(6), odd))
    here = ParquetArchive(tmp_path)
    interval = Interval(START_MS, START_MS + 8 * HOUR_MS)
    first = list(copied_hours(archive, here, interval))
    assert all(hour.fetched for hour in first[:6])
    assert rows(here.looks(interval), site) == rows(archive.looks(interval), site)
    assert len(rows(here.looks(interval), site)) == 7
    assert not any(hour.fetched for hour in copied_hours(archive, here, interval))
    archive.append(f"journal-{site[1:]}-8-8", block(site, range(7, 8)))
    again = list(copied_hours(archive, here, interval))
    assert [number for number, hour in enumerate(again) if hour.fetched] == [7]
    assert len(rows(here.looks(interval), site)) == 8
