"""Changes on the way to a target are events, whatever restarted in between."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.paths import paths
from collector.archive.parquet import ParquetArchive
from collector.feeder import Feeder
from collector.journal import Journal
from collector.line_protocol import decode
from collector.paths import PathEvent, path_events
from collector.receipts import Batch, keep
from model.timeline import Interval
from model.week import Week

EXAMPLE = Path(__file__).parents[2] / "inventory.yaml"
WEEK = Week(2026, 46)
MONDAY_MS = WEEK.interval("Asia/Pontianak").start_ms
HOUR_MS = 3_600_000
app = typer.Typer()
app.command()(paths)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Hourly looks at one target: the same way, another, a silent hour, a narrower one, a hole."""
    looks = [
        (-1, "path_id=1i,hop_count=3i,path_mtu_bytes=1500i,mtu_black_hole=0i"),
        (0, "path_id=1i,hop_count=3i,path_mtu_bytes=1500i,mtu_black_hole=0i"),
        (1, "path_id=2i,hop_count=5i,path_mtu_bytes=1500i,mtu_black_hole=0i"),
        (2, None),
        (3, "path_id=2i,hop_count=5i"),
        (4, "path_id=2i,hop_count=5i,path_mtu_bytes=1400i,mtu_black_hole=0i"),
        (5, "path_id=2i,hop_count=5i,path_mtu_bytes=1400i,mtu_black_hole=1i"),
        (6, "path_id=3i,hop_count=5i,path_mtu_bytes=1500i,mtu_black_hole=0i"),
        (7 * 24, "path_id=9i,hop_count=5i,path_mtu_bytes=1500i,mtu_black_hole=0i"),
    ]
    lines = []
    for number, (hour, readings) in enumerate(looks):
        fields = f"outcome=1i,{readings}" if readings else 'outcome=0i,reason="no answer"'
        at_ms = MONDAY_MS + hour * HOUR_MS
        series = "path,site=semparuk-kd,vantage=village,target=international:way"
        lines.append((number, decode(f"{series} {fields} {at_ms}")))
    journal = Journal(tmp_path)
    batch = Batch("p", 1, Interval(0, len(lines)), lines)
    journal.submit(lambda db: keep(db, batch)).result(10)
    Feeder(journal, ParquetArchive(tmp_path / "archive")).feed()
    journal.close()
    return tmp_path


def test_events(data: Path) -> None:
    """Each change once, against the last look that saw; one before the week is known, one after it
    is not this week's."""
    found = path_events(data, WEEK.interval("Asia/Pontianak"))
    assert [((one.at_ms - MONDAY_MS) // HOUR_MS, one.words) for one in found] == [
        (1, "another way (3 to 5 hops)"),
        (4, "packets of 1500 to 1400 bytes"),
        (5, "large packets vanish"),
        (
            6,
            "another way (5 hops), packets of 1400 to 1500 bytes, large packets are answered again",
        ),
    ]
    assert isinstance(found[0], PathEvent)
    assert found[0].target == "international:way"


def test_no_archive_no_events(tmp_path: Path) -> None:
    """A folder without looks has no changes."""
    assert path_events(tmp_path, WEEK.interval("Asia/Pontianak")) == []


def test_the_command(data: Path) -> None:
    """``jangkau paths`` shows them in the site's time, and in its region only."""
    words = ["--week", str(WEEK), "--data", str(data), "--inventory", str(EXAMPLE)]
    text = CliRunner().invoke(app, words).stdout
    assert "Ways that changed in 2026-W46: 4" in text
    assert "2026-11-09 01:00 semparuk-kd" in text
    document = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert [one["hops"] for one in document] == [5, 5, 5, 5]
    elsewhere = json.loads(CliRunner().invoke(app, [*words, "--json", "--region", "61.04"]).stdout)
    assert elsewhere == []
