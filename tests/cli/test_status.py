"""``jangkau status``: from the data, while a collector writes, without heavy libraries."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.status import status
from collector.archive.parquet import ParquetArchive
from collector.feeder import Feeder
from collector.journal import Journal
from collector.line_protocol import decode
from collector.receipts import Batch, keep
from model.errors import UnavailableError
from model.timeline import Interval

ROOT = Path(__file__).parents[2]
app = typer.Typer()
app.command()(status)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path)
    yield journal
    journal.close()


def put(journal: Journal, *texts: str) -> None:
    lines = [(n, decode(text)) for n, text in enumerate(texts)]
    batch = Batch("p", 1, Interval(0, len(lines)), lines)
    journal.submit(lambda db: keep(db, batch)).result(10)


def test_newest_looks_from_both_sides_of_the_cursor(journal: Journal) -> None:
    """What the feeder has folded and what came after it are one answer, while the writer lives."""
    put(
        journal,
        "ping,site=a,vantage=centre,target=site outcome=1i,rtt_median_seconds=0.02 1000",
        "ping,site=b,vantage=centre,target=site outcome=1i 1000",
    )
    Feeder(journal, ParquetArchive(journal.folder / "archive")).feed()
    put(journal, 'ping,site=b,vantage=centre,target=site outcome=0i,reason="no answer" 3000')
    document = json.loads(CliRunner().invoke(app, ["--data", str(journal.folder), "--json"]).stdout)
    assert document["totals"] == {"DOWN": 1, "UP": 1, "UNKNOWN": 0}
    assert document["newest_ms"] == 3000
    first, second = document["looks"]
    assert (first["site"], first["outcome"], first["rtt_median_seconds"]) == ("a", "UP", 0.02)
    assert (second["outcome"], second["reason"], second["since_ms"]) == ("DOWN", "no answer", 1000)


def test_the_table_says_what_it_is_of(journal: Journal) -> None:
    """For people: the counts, the age of the newest datum, and where it comes from."""
    put(journal, "ping,site=a,vantage=centre,target=site outcome=2i 1000")
    text = CliRunner().invoke(app, ["--data", str(journal.folder)]).stdout
    assert "0 UP, 0 DOWN, 1 UNKNOWN" in text
    assert "s old; from the collector's journal" in " ".join(text.split())


def test_the_table_fits_and_keeps_site_ids_whole(journal: Journal) -> None:
    """100 columns hold the longest site id and the words of a long reason; times are the
    province's when an inventory says which, else UTC, and the heading says so."""
    site = "d" + "x" * 39
    at = 1_790_000_000_000  # 2026-09-21 14:13:20 UTC
    put(
        journal,
        f"ping,site={site},vantage=village,target=isp_gw outcome=1i,rtt_median_seconds=1.6 {at}",
        f'tcp,site=b,vantage=village,target=[x]y outcome=2i,reason="cannot look: [no] route" {at}',
    )
    words = ["--data", str(journal.folder)]
    for more, hour, time in (
        ([], "UTC", "09-21 14:13"),
        (["--inventory", str(ROOT / "inventory.yaml")], "WIB", "09-21 21:13"),
    ):
        text = CliRunner().invoke(app, [*words, *more]).stdout
        assert max(map(len, text.splitlines())) <= 100
        assert f"at ({hour})" in text
        assert f"since ({hour})" in text
        row = next(line for line in text.splitlines() if line.startswith(site))
        assert row.split()[1:3] == ["village", "ping"]
        assert (row.count(time), "1600.0" in row) == (2, True)
        assert "".join(text.split()).count("[") == 2  # names are no markup


def test_ladders_in_words(journal: Journal) -> None:
    """What of a site works and what is the lowest rung that does not, in the language asked for;
    people are told of broken ladders only."""
    at = 1_790_000_000_000
    put(
        journal,
        f"ping,site=a,vantage=village,target=international outcome=1i {at}",
        f'http,site=a,vantage=village,target=application:siap outcome=0i,reason="x" {at}',
        f"ping,site=b,vantage=village,target=international outcome=1i {at}",
    )
    words = ["--data", str(journal.folder)]
    text = " ".join(CliRunner().invoke(app, words).stdout.split())
    assert "a (village): internet berfungsi, pusat data provinsi tidak terjangkau" in text
    assert "b (village):" not in text
    more = ["--lang", "en", "--json"]
    document = json.loads(CliRunner().invoke(app, [*words, *more]).stdout)
    assert [(one["site"], one["broken"], one["works"]) for one in document["ladders"]] == [
        ("a", "application", "international"),
        ("b", None, "international"),
    ]
    assert document["ladders"][1]["state"] == "the internet works"


def test_a_folder_without_a_journal_is_said(tmp_path: Path) -> None:
    """No journal: the message names the option that is wrong."""
    result = CliRunner().invoke(app, ["--data", str(tmp_path)])
    assert isinstance(result.exception, UnavailableError)
    assert "--data" in str(result.exception)


def test_nothing_heavy_is_imported(journal: Journal) -> None:
    """A status needs SQLite and a table, not a database engine, an archive or a web server."""
    code = (
        "import sys, pathlib; from cli.status import status;"
        "status(pathlib.Path(sys.argv[1]), None, True);"
        "heavy = {'numpy', 'pyarrow', 'duckdb', 'geopandas', 'folium', 'starlette', 'uvicorn'};"
        "sys.exit(str(heavy & sys.modules.keys()) if heavy & sys.modules.keys() else 0)"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(journal.folder)], cwd=ROOT, check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
