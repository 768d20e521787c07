"""``jangkau probe run`` as a process: it looks, sends, and stops when it is told to."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.probe import app
from model.errors import InputError
from probes.agent import gap_writer
from probes.enrol import read_key
from probes.spool import Spool

ROOT = Path(__file__).parents[2]
SITE = "semparuk-kd"


class Busy(ThreadingHTTPServer):
    """A collector that has no room: it notes that somebody came, and answers 503."""

    daemon_threads = True
    key = ""

    def __init__(self) -> None:
        self.asked = threading.Event()
        super().__init__(("127.0.0.1", 0), BusyHandler)


class BusyHandler(BaseHTTPRequestHandler):
    server: Busy

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.key = self.headers["Authorization"]
        self.server.asked.set()
        self.send_error(503)

    def log_message(self, *_: object) -> None:
        """Silence: the test says what it expects."""


@pytest.fixture
def busy() -> Iterator[Busy]:
    server = Busy()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """The example with a site that is looked at every ten seconds."""
    text = (ROOT / "inventory.yaml").read_text()
    assert f"\n  {SITE}:\n" in text
    path = tmp_path / "inventory.yaml"
    path.write_text(text.replace(f"\n  {SITE}:\n", f"\n  {SITE}:\n    interval_seconds: 10\n"))
    return path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_within_five_seconds_with_everything_saved(
    tmp_path: Path, inventory: Path, busy: Busy, number: signal.Signals
) -> None:
    """A village probe whose collector has no room keeps what it saw, and ends when told to."""
    (tmp_path / "key").write_text("a-key\n")
    arguments = {
        "--inventory": inventory,
        "--vantage": "village",
        "--site": SITE,
        "--collector": f"http://127.0.0.1:{busy.server_address[1]}",
        "--key-file": tmp_path / "key",
        "--spool": tmp_path / "spool",
        "--probe": "p-1",
        "--flush": "0.1",
    }
    command = [sys.executable, "-c", "from cli.main import main; main()", "probe", "run"]
    command += [str(word) for pair in arguments.items() for word in pair]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
    try:
        assert busy.asked.wait(30)
        asked_to_stop = time.monotonic()
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
    finally:
        process.kill()
        process.communicate()
    assert time.monotonic() - asked_to_stop < 5
    assert process.returncode == 0, errors
    assert busy.key == "Token a-key"
    assert b"a-key" not in errors
    spool = Spool(tmp_path / "spool", gap_writer(SITE, "village"))
    batch = spool.batch(newest=False, max_records=1000)
    assert batch is not None
    assert all(b"site=semparuk-kd," in line and b"vantage=village " in line for line in batch.lines)
    spool.close()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"--site": None}, "needs --site"),
        ({"--site": "nowhere"}, "no site 'nowhere'"),
        ({"--vantage": "centre"}, "--site is for --vantage village"),
        ({"--probe": "../x"}, "--probe"),
        ({"--collector": "http://192.0.2.1"}, "plain http is for this machine alone"),
        ({"--key-file": "no-such-file"}, "No such file"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, changes: dict[str, str | None], message: str) -> None:
    """Every option that does not fit is named with the remedy, before anything starts."""
    (tmp_path / "key").write_text("a-key\n")
    arguments: dict[str, str | None] = {
        "--inventory": str(ROOT / "inventory.yaml"),
        "--vantage": "village",
        "--site": SITE,
        "--collector": "https://collector.example",
        "--key-file": str(tmp_path / "key"),
        "--spool": str(tmp_path / "spool"),
        "--probe": "p-1",
    }
    words = [
        word
        for name, value in (arguments | changes).items()
        if value is not None
        for word in (name, value)
    ]
    result = CliRunner().invoke(app, ["run", *words])
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)
    assert not (tmp_path / "spool").exists()


@pytest.mark.parametrize("text", ["", "two words", "two\nlines", "kunci-é"])
def test_a_file_that_holds_no_key(tmp_path: Path, text: str) -> None:
    """What is not one key is refused, and never shown."""
    path = tmp_path / "key"
    path.write_text(text)
    with pytest.raises(InputError, match="one key and nothing else") as caught:
        read_key(path)
    assert not text or text not in str(caught.value)


def test_no_option_takes_the_key() -> None:
    """The key can be named by a file alone."""
    options = {
        option
        for parameter in typer.main.get_command(app).commands["run"].params  # type: ignore[attr-defined]  # a group
        for option in parameter.opts
    }
    assert not {option for option in options if "key" in option} - {"--key-file"}
