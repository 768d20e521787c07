"""The collector's watch on itself: what is counted, what ails, and that silence is the alarm."""

import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace

import pytest

from collector.admission import Limits
from collector.credentials import Keys
from collector.feeder import CURSOR
from collector.ingest import Ingest
from collector.journal import Journal
from collector.line_protocol import decode
from collector.metrics import METRICS, Tally, text
from collector.receipts import Batch, Receipt, keep
from collector.silence import KNOWN_MS, QUIET_MS, Ears
from collector.vitals import Heartbeat, Vitals, commits
from collector.watch import Watch
from model.errors import InputError, UnavailableError
from model.timeline import Interval

NOW_MS = 1_790_000_000_000
MINUTE_MS = 60_000
DOCS = Path(__file__).parents[2] / "docs" / "collector.md"


def ears(probes: int, minutes: int = 120) -> tuple[Ears, int]:
    """So many probes that reported every minute until now."""
    heard = Ears(NOW_MS)
    for minute in range(minutes):
        for probe in range(probes):
            heard.hear(f"p{probe}", NOW_MS + minute * MINUTE_MS)
    return heard, NOW_MS + (minutes - 1) * MINUTE_MS


def test_a_province_that_falls_silent_is_one_incident() -> None:
    """2,046 probes that stop together are one incident of ours, with its beginning (O-04)."""
    heard, now = ears(2046, minutes=15)
    assert heard.incident(now + QUIET_MS) is None
    incident = heard.incident(now + QUIET_MS + 1)
    assert incident is not None
    assert (incident.silent, incident.known, incident.since_ms) == (2046, 2046, now)


def test_a_few_silent_villages_are_their_own() -> None:
    """A fifth of the probes, or many that fell silent one after the other, are no incident."""
    heard, now = ears(100)
    for minute in range(60):
        for probe in range(20, 100):
            heard.hear(f"p{probe}", now + minute * MINUTE_MS)
    assert len(heard.silent(now + 59 * MINUTE_MS)) == 20
    assert heard.incident(now + 59 * MINUTE_MS) is None
    one_by_one, now = ears(20)
    for hour in range(20):
        for probe in range(hour, 20):
            for minute in range(0, 60, 5):
                one_by_one.hear(f"p{probe}", now + hour * 60 * MINUTE_MS + minute * MINUTE_MS)
    late = now + 20 * 60 * MINUTE_MS + 3 * QUIET_MS
    assert len(one_by_one.silent(late)) == 20
    assert one_by_one.incident(late) is None


def test_who_delivers_seldom_is_not_silent() -> None:
    """A probe on a paid line that comes every hour is silent after four of them."""
    heard = Ears(NOW_MS)
    for hour in range(10):
        heard.hear("p", NOW_MS + hour * 60 * MINUTE_MS)
    last = NOW_MS + 9 * 60 * MINUTE_MS
    assert heard.silent(last + 4 * 60 * MINUTE_MS) == {}
    assert heard.silent(last + 4 * 60 * MINUTE_MS + 1) == {"p": last}


def test_our_own_sleep_is_nobodys_silence() -> None:
    """After a night without a collector the probes get their time to come back; who was silent
    for days before is not counted."""
    before = [(f"p{n}", NOW_MS - 8 * 60 * MINUTE_MS) for n in range(50)]
    old = [(f"old{n}", NOW_MS - KNOWN_MS) for n in range(50)]
    heard = Ears(NOW_MS, before + old)
    assert heard.incident(NOW_MS + QUIET_MS) is None
    incident = heard.incident(NOW_MS + QUIET_MS + 1)
    assert incident is not None
    assert incident.known == 50


class Second:
    """The second channel: counts the heartbeats that it hears."""

    def __init__(self) -> None:
        self.heard = 0
        second = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                second.heard += self.path == "/secret-path"
                self.send_response(200 if self.path in ("/secret-path", "/healthz") else 500)
                self.end_headers()

            def log_message(self, *_words: object) -> None:
                """Quiet."""

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Rig:
    """A journal with one batch, its watch, and a second channel that also plays our listener."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = Journal(folder)
        line = decode(f"ping,site=a,target=site,vantage=centre outcome=1i {NOW_MS}")
        batch = Batch("p", NOW_MS, Interval(0, 1), [(0, line)])
        self.journal.submit(lambda db: keep(db, batch)).result(10)
        self.keys = Keys(folder)
        self.now_ms, self.feeding = NOW_MS, True
        self.watch = Watch(
            self.journal,
            self.keys,
            Limits(),
            archive_late_seconds=3600,
            feeding=lambda: self.feeding,
            wall_ms=lambda: self.now_ms,
        )
        self.second = Second()
        self.vitals = self.watch.vitals(self.second.url, None)
        self.beat = Heartbeat(self.vitals, f"{self.second.url}/secret-path", 60).beat


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.second.close()
    rig.journal.close()


def stuck(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.watch.commits", lambda journal: commits(journal, 0.05))
    monkeypatch.setattr(rig.journal, "submit", lambda _work: Future())


def disk(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs(rig.folder)
    full = SimpleNamespace(f_frsize=real.f_frsize, f_blocks=real.f_blocks, f_bavail=0)
    monkeypatch.setattr(os, "statvfs", lambda _folder: full)


def refusing(rig: Rig, _monkeypatch: pytest.MonkeyPatch) -> None:
    rig.journal.submit(lambda db: db.pragma("query_only", True)).result(10)


def feeder(rig: Rig, _monkeypatch: pytest.MonkeyPatch) -> None:
    rig.feeding = False


def stale(rig: Rig, _monkeypatch: pytest.MonkeyPatch) -> None:
    rig.now_ms += 3_601_000
    for probe in "pq":
        rig.watch.ears.hear(probe, rig.now_ms)


def keys_damaged(rig: Rig, _monkeypatch: pytest.MonkeyPatch) -> None:
    rig.keys.path.write_text("{")


def hung(rig: Rig, _monkeypatch: pytest.MonkeyPatch) -> None:
    rig.second.close()


def unwell(rig: Rig, _monkeypatch: pytest.MonkeyPatch) -> None:
    rig.second.server.RequestHandlerClass.do_GET = lambda self: self.send_error(503)  # type: ignore[attr-defined]  # the listener plays ill


def province(rig: Rig, _monkeypatch: pytest.MonkeyPatch) -> None:
    for minute in range(15):
        for probe in range(20):
            rig.watch.ears.hear(f"v{probe}", rig.now_ms + minute * MINUTE_MS)
    rig.now_ms += 15 * MINUTE_MS + QUIET_MS
    for probe in range(10):
        rig.watch.ears.hear(f"v{probe}", rig.now_ms)


def deaf(rig: Rig, _monkeypatch: pytest.MonkeyPatch) -> None:
    rig.now_ms += QUIET_MS + 1


def gone(rig: Rig, _monkeypatch: pytest.MonkeyPatch) -> None:
    (rig.folder / "journal.sqlite").rename(rig.folder / "elsewhere")


def bug(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rig.watch.ears, "incident", lambda _now: 1 / 0)


@pytest.mark.parametrize(
    ("induce", "organ"),
    [
        (stuck, "journal"), (refusing, "journal"), (disk, "disk"), (feeder, "feeder"),
        (stale, "archive"), (gone, "archive"), (keys_damaged, "keys"), (hung, "listener"),
        (unwell, "listener"), (province, "silence"), (bug, "silence"), (deaf, "deaf"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)  # fmt: skip
def test_twelve_silent_failures_stop_the_heartbeat(
    rig: Rig,
    monkeypatch: pytest.MonkeyPatch,
    induce: Callable[[Rig, pytest.MonkeyPatch], None],
    organ: str,
) -> None:
    """While all is well the second channel hears us; each failure withholds the next heartbeat and
    is named (O-03)."""
    assert (rig.beat(), rig.second.heard) == ("sent", 1)
    induce(rig, monkeypatch)
    if induce is hung:
        assert rig.beat() == "withheld"
        rig.second = Second()  # for the teardown
    else:
        assert (rig.beat(), rig.second.heard) == ("withheld", 1)
    assert organ in rig.vitals.ailments


def test_a_heartbeat_that_does_not_get_through_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """No answer or an error is "failed"; the address, which bears a secret, is not logged."""
    told: list[str] = []
    beat = Heartbeat(Vitals({}), "http://127.0.0.1:9/secret-path", 60, told.append).beat
    assert (beat(), told) == ("failed", ["failed"])
    assert "secret-path" not in caplog.text
    assert Heartbeat(Vitals({}), None, 60).beat() == "examined"
    with pytest.raises(InputError, match="https"):
        Heartbeat(Vitals({}), "file:///etc/passwd", 60)


def test_news_of_an_ailment_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged when it comes and when it goes, not every minute between."""
    ill: list[str | None] = ["no pulse"]
    vitals = Vitals({"heart": lambda: ill[0]})
    for _ in range(3):
        vitals.examine()
    ill[0] = None
    vitals.examine()
    assert [record.message for record in caplog.records] == [
        "ailing: heart: no pulse",
        "well again: heart",
    ]


def test_a_journal_that_refuses_is_said_so() -> None:
    """The ailment carries the journal's own words."""

    class Refusing:
        def submit(self, _work: object) -> "Future[None]":
            future: Future[None] = Future()
            future.set_exception(UnavailableError("disk I/O error"))
            return future

    assert commits(Refusing()) == "disk I/O error"  # type: ignore[arg-type]  # plays the journal


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus)")
def test_promtool_finds_no_fault(rig: Rig) -> None:
    """The exposition is sound by Prometheus' own judge, every metric is there, and the numbers are
    those of what happened."""
    ingest = Ingest(rig.journal, rig.keys, Limits())
    rig.watch.tally.answered('/api"v2\\x\n', 204)
    rig.watch.tally.add("jangkau_heartbeats_total", result="sent")
    receipt = Receipt([Interval(0, 5)], [Interval(5, 7)], [(7, "bad")])
    rig.watch.stored(Batch("p", NOW_MS, Interval(0, 8), []), receipt, 0.003)
    scrape = text(rig.watch.samples(ingest, rig.vitals))
    judged = subprocess.run(
        [str(shutil.which("promtool")), "check", "metrics"],
        input=scrape, capture_output=True, check=False, timeout=30,
    )  # fmt: skip
    assert (judged.returncode, judged.stdout + judged.stderr) == (0, b"")
    lines = scrape.decode().splitlines()
    assert {line.split()[2] for line in lines if line.startswith("# TYPE")} == set(METRICS)
    assert 'jangkau_lines_total{result="kept"} 5' in lines
    assert 'jangkau_lines_total{result="duplicate"} 2' in lines
    assert "jangkau_batches_waiting 1" in lines
    assert 'jangkau_commit_seconds_bucket{le="0.0025"} 0' in lines
    assert 'jangkau_commit_seconds_bucket{le="0.005"} 1' in lines


def test_every_metric_is_documented() -> None:
    """docs/collector.md names each of them."""
    page = DOCS.read_text()
    assert [name for name in METRICS if f"`{name}`" not in page] == []


def test_counting_from_many_threads_loses_nothing() -> None:
    """Handlers and the heartbeat count side by side."""
    tally = Tally()

    def count() -> None:
        for _ in range(1000):
            tally.add("jangkau_heartbeats_total", result="sent")

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tally.samples()[0].value == 8000


def test_the_cursor_counts_what_waits(rig: Rig) -> None:
    """Batches that the archive has do not wait."""
    samples = rig.watch.samples(Ingest(rig.journal, rig.keys, Limits()), rig.vitals)
    waiting = {one.name: one.value for one in samples}
    assert waiting["jangkau_batches_waiting"] == 1
    rig.journal.submit(
        lambda db: db.execute("INSERT INTO cursors VALUES (?, 1, 1)", (CURSOR,))
    ).result(10)
    samples = rig.watch.samples(Ingest(rig.journal, rig.keys, Limits()), rig.vitals)
    assert {one.name: one.value for one in samples}["jangkau_batches_waiting"] == 0
