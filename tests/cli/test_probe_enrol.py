"""From a token to a probe that reports, against a real collector; and the one-file probe."""

import json
import re
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from cli.probe_health import examine, shown_status
from cli.probe_service import enrol_home, plan_of_home
from collector.credentials import Keys
from collector.journal import JournalReader
from model.errors import InputError, UnavailableError
from probes.clock import SystemClock
from probes.config import ConfigKeeper
from probes.enrol import KEY_LIFE_MS, Home
from probes.errands import Errands
from probes.known_time import KnownTime
from probes.link import Link
from probes.packaging.build import build

ROOT = Path(__file__).parents[2]
SITE = "semparuk-kd"
MAIN = [sys.executable, "-c", "from cli.main import main; main()"]


class Centre(NamedTuple):
    """A running collector, its data and its keys."""

    url: str
    data: Path
    keys: Keys

    def token(self) -> str:
        return self.keys.add_token("p-1", SITE, 3600, time.time_ns() // 1_000_000)


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    """A collector that was given the example inventory, with a site looked at every ten seconds."""
    text = (ROOT / "inventory.yaml").read_text()
    (tmp_path / "inventory.yaml").write_text(
        text.replace(f"\n  {SITE}:\n", f"\n  {SITE}:\n    interval_seconds: 10\n")
    )
    data = tmp_path / "data"
    words = ["collector", "run", "--data", str(data), "--listen", "127.0.0.1:0"]
    words += ["--inventory", str(tmp_path / "inventory.yaml")]
    process = subprocess.Popen([*MAIN, *words], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = process.stderr.readline()
    port = re.search(r":(\d+)\s*$", said)
    assert port is not None, said
    yield Centre(f"http://127.0.0.1:{port[1]}", data, Keys(data))
    process.terminate()
    process.stderr.close()
    process.wait()


def test_enrolment(tmp_path: Path, centre: Centre) -> None:
    """A token is good once; key and folder are the probe's alone; the configuration follows."""
    home = tmp_path / "home"
    token = centre.token()
    found = enrol_home(home, centre.url, token, None, None)
    assert (found.probe, found.site) == ("p-1", SITE)
    assert stat.S_IMODE((home / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    plan = plan_of_home(home, 60, 0)
    assert plan.home == Home.read(home) == found
    for spent in (token, "0123abcd." + "0" * 64):
        with pytest.raises(InputError, match="does not take this token"):
            enrol_home(tmp_path / "other", centre.url, spent, None, None)
    with pytest.raises(InputError, match="no enrolment token"):
        enrol_home(tmp_path / "other", centre.url, "", None, None)
    with pytest.raises(InputError, match="holds no enrolled probe"):
        plan_of_home(tmp_path / "other", 60, 0)
    with pytest.raises(UnavailableError, match="cannot be asked"):
        enrol_home(tmp_path / "other", "http://127.0.0.1:1", token, None, None)


def test_configuration_and_rotation(tmp_path: Path, centre: Centre) -> None:
    """The configuration is asked for once and not sent again while it is the same; an old key is
    replaced by one that works."""
    folder = tmp_path / "home"
    enrolled = enrol_home(folder, centre.url, centre.token(), None, None)
    key = (folder / "key").read_text().strip()
    time_known = KnownTime(folder / "time", SystemClock())
    old = Home(enrolled.probe, enrolled.site, enrolled.collector, None, 0)
    old.write(folder, key)
    link = Link(centre.url, key, version="1")
    keeper = ConfigKeeper(folder / "config.json", SITE)
    news: list[int] = []
    errands = Errands(link, time_known, None, old, folder, keeper, lambda: news.append(len(news)))
    errands.ask_now()
    assert keeper.current is not None
    assert {check.site for check in keeper.current.checks} == {SITE}
    assert keeper.etag
    before = link.wire_bytes
    errands.ask_now()
    assert link.wire_bytes - before < 1000, "304: nothing new costs next to nothing"
    line = f"device,site={SITE},target=device,vantage=village outcome=1i {time.time_ns() // 10**6}"
    headers = {
        "X-Jangkau-Probe": "p-1",
        "X-Jangkau-Epoch": "0" * 16,
        "X-Jangkau-First": "1",
        "X-Jangkau-Last": "1",
    }
    sent_ms = time_known.monotonic_ms()
    reply = errands.post(line.encode(), headers)
    assert reply.status == 200
    time_known.heard(reply.headers["date"], sent_ms)
    assert time_known.wall_ms() > KEY_LIFE_MS
    assert errands.post(line.encode(), headers).status == 200
    fresh = (folder / "key").read_text().strip()
    assert fresh != key
    assert Home.read(folder).key_since_ms > 0
    assert errands.post(line.encode(), headers).status == 200, "the new key works at once"
    assert (folder / "key").read_text().strip() == fresh, "once in thirty days"
    assert news == []
    link.close()


def test_the_one_file_probe(tmp_path: Path, centre: Centre) -> None:
    """``jangkau-probe.pyz`` with the standard library alone: enrols from standard input, looks at
    what the collector says, delivers, and shows its status; the key is in no argument or log."""
    probe = tmp_path / "jangkau-probe.pyz"
    again = tmp_path / "again.pyz"
    assert build(probe) == build(again) < 600_000
    assert probe.read_bytes() == again.read_bytes()
    home = str(tmp_path / "home")
    python = [sys._base_executable, "-I", "-S"]  # type: ignore[attr-defined]  # the interpreter without our packages

    def run(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = [*python, str(probe), *words, "--home", home]
        return subprocess.run(
            command, input=given, capture_output=True, text=True, timeout=60, check=False
        )

    token = centre.token()
    enrolled = run("enrol", centre.url, given=token + "\n")
    assert enrolled.returncode == 0, enrolled.stderr
    assert run("enrol", centre.url, given=token + "\n").returncode == 2
    assert run("status").returncode == 2
    command = [*python, str(probe), "run", "--home", home, "--flush", "1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 60
        while len(kinds(centre.data)) < 2:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < end
            time.sleep(0.1)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=10)
    finally:
        process.kill()
        process.communicate()
    assert time.monotonic() - asked < 5
    assert process.returncode == 0, said
    key = (tmp_path / "home" / "key").read_text().strip()
    assert key not in said + enrolled.stdout + enrolled.stderr
    status = json.loads(run("status", "--json").stdout)
    assert status["kept"] > 0
    assert status["config_version"] is not None
    assert status["spent_bytes"]["deliveries"] > 1000
    assert "last receipt: 20" in shown_status(tmp_path / "home", as_json=False)
    findings = {item.what: item for item in examine(tmp_path / "home", None, None)}
    assert findings["collector"].good, findings
    assert "our clock is off by" in findings["collector"].detail


def kinds(data: Path) -> set[str]:
    """What kinds of look the collector has."""
    with JournalReader(data) as reader:
        return {line.series.kind for batch in reader.batches(0) for line in batch.lines()}


def test_the_doctor_says_what_is_wrong(tmp_path: Path) -> None:
    """No enrolment, no collector: each is named, and the exit code is 1."""
    words = ["probe", "doctor", "--home", str(tmp_path), "--collector", "http://127.0.0.1:1"]
    done = subprocess.run([*MAIN, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "BAD  collector" in done.stdout
    assert "ok   disk" in done.stdout


def test_the_one_file_runs_under_another_python(tmp_path: Path) -> None:
    """A Python whose compiled code looks otherwise takes the sources."""
    ours, other = tmp_path / "ours.pyz", tmp_path / "other.pyz"
    build(ours)
    with zipfile.ZipFile(ours) as archive, zipfile.ZipFile(other, "w") as changed:
        for name in archive.namelist():
            content = archive.read(name)
            changed.writestr(name, b"\0\0\0\0" + content[4:] if name[-4:] == ".pyc" else content)
    python = [sys._base_executable, "-I", "-S"]  # type: ignore[attr-defined]  # the interpreter without our packages
    said = [
        subprocess.run([*python, str(path), "--help"], capture_output=True, text=True, check=True)
        for path in (ours, other)
    ]
    assert "enrol" in said[0].stdout == said[1].stdout.replace("other", "ours")
