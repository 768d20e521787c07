"""The write endpoint under kill -9: what was acknowledged is stored, and each line once (R-01)."""

import http.client
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow.parquet as pq  # noqa: TID251 - the judge reads the files with the library itself

from collector.archive.parquet import ParquetArchive
from collector.archive.parts import settled
from collector.credentials import Keys
from collector.feeder import CURSOR
from collector.journal import JournalReader

NOW_MS = 1_790_000_000_000
WRITE = "/api/v2/write?precision=ms"
ROOT = Path(__file__).parents[2]


class Process:
    """A real collector; whoever starts it kills it."""

    def __init__(self, data: Path) -> None:
        command = "from cli.collector import app; app()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", command, "run", "--data", str(data), "--feed-seconds", "0.1",
             "--listen", "127.0.0.1:0"],
            cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stderr is not None
        self.port = 0
        for line in self.process.stderr:
            if "listening on" in line:
                self.port = int(line.rpartition(":")[2])
                break

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()  # (does nothing to one that has ended)
            assert self.process.stderr is not None
            self.process.stderr.close()


class Writer(threading.Thread):
    """Sends batches one after the other and notes what was acknowledged; a batch without an answer
    is sent again by the next one, as a probe would."""

    def __init__(self, number: int, key: str) -> None:
        super().__init__()
        self.epoch = f"{number:016x}"
        self.number, self.key, self.port = number, key, 0
        self.issued = self.acked = 0

    def again(self, port: int) -> "Writer":
        other = Writer(self.number, self.key)
        other.port, other.issued, other.acked = port, self.issued, self.acked
        return other

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            while True:
                first = self.acked
                last = first + 6  # unlike the last try, so that batches are cut differently
                self.issued = max(self.issued, last + 1)
                body = "\n".join(
                    f"ping,site=a,target=w{self.number},vantage=centre outcome=1i,gap_looks={n}i"
                    f" {NOW_MS - n}"
                    for n in range(first, last + 1)
                )
                headers = {
                    "Authorization": f"Token {self.key}", "X-Jangkau-Probe": f"w{self.number}",
                    "X-Jangkau-Epoch": self.epoch, "X-Jangkau-First": str(first),
                    "X-Jangkau-Last": str(last),
                }  # fmt: skip
                connection.request("POST", WRITE, body, headers)
                response = connection.getresponse()
                content = response.read()
                if response.status == 200 and b'"rejected":[]' in content:
                    self.acked = last + 1
        except (OSError, http.client.HTTPException):
            return  # the collector was killed: that is the test
        finally:
            connection.close()


def stored(data: Path) -> list[tuple[str, int]]:
    """What a reader sees in archive and journal together: (target, number)."""
    archive = ParquetArchive(data / "archive")
    with JournalReader(data) as reader:
        done = reader.cursor(CURSOR).done
        files = settled(archive.files(None), reader.id, done)
        hot = [line for batch in reader.batches(done) for line in batch.lines()]
    rows = [row for path in files for row in pq.ParquetFile(path).read().to_pylist()]
    cold = [(row["target"], row["gap_looks"]) for row in rows]
    return cold + [(line.series.target, int(line.values()[0]["gap_looks"])) for line in hot]


def test_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """kill -9 at random moments under four writers: acknowledged is stored, stored was issued,
    each once, over journal and archive together (R-01)."""
    kills = int(os.environ.get("JANGKAU_FAULTS", "20"))
    seed = int(os.environ.get("JANGKAU_SEED", str(random.randrange(10**6))))  # noqa: S311 - no secret
    print(f"{seed=}")  # noqa: T201 - to repeat it
    draw = random.Random(seed)  # noqa: S311 - no secret
    keys = Keys(tmp_path)
    writers = [Writer(n, keys.add(f"w{n}", None, 1)) for n in range(4)]
    ready = []
    for _ in range(kills):
        before = time.monotonic()
        collector = Process(tmp_path)
        ready.append(time.monotonic() - before)
        writers = [writer.again(collector.port) for writer in writers]
        for writer in writers:
            writer.start()
        threading.Event().wait(draw.uniform(0.05, 0.3))  # the random instant is the test
        collector.end(signal.SIGKILL)
        for writer in writers:
            writer.join()
        with sqlite3.connect(tmp_path / "journal.sqlite") as check:
            assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        check.close()
    found = stored(tmp_path)
    assert len(found) == len(set(found))
    for writer in writers:
        numbers = {number for target, number in found if target == f"w{writer.number}"}
        assert writer.acked > 0
        assert numbers >= set(range(writer.acked))
        assert numbers <= set(range(writer.issued))
    last = Process(tmp_path)
    assert last.end(signal.SIGTERM) == 0
    print(f"slowest start {max(ready):.2f} s, {len(found)} stored")  # noqa: T201 - a figure to see
