"""The sh agent over TLS, with the downloader that verifies: curl here, uclient-fetch on OpenWrt."""

import datetime
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collector import certificates
from tests.probes.real_agents import Collector, wait_for

SCRIPT = Path(__file__).parents[2] / "probes" / "openwrt" / "files" / "jangkau-probe"
BUSYBOX = shutil.which("busybox") or ""
CURL = shutil.which("curl") or ""
TOOLS = "ping awk date grep sleep timeout mv rm mkdir wc cat sync gzip nslookup logger sed"

pytestmark = pytest.mark.skipif(not (BUSYBOX and CURL), reason="needs Debian's busybox and curl")


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    """With a certificate of an authority of its own."""
    now = datetime.datetime.now(datetime.UTC)
    certificates.make(tmp_path / "tls", ["127.0.0.1"], now)
    made = Collector(tmp_path)
    pair = ("--certificate", "server.pem"), ("--private-key", "server-key.pem")
    made.start(*[word for name, file in pair for word in (name, str(tmp_path / "tls" / file))])
    yield made
    made.stop()


@contextmanager
def agent(folder: Path, collector: Collector, authority: Path) -> Iterator[Path]:
    """A running sh agent; what it says is in the file."""
    tools = folder / "bin"
    tools.mkdir()
    for name in TOOLS.split():
        (tools / name).symlink_to(BUSYBOX)
    (tools / "curl").symlink_to(CURL)
    (folder / "key").write_text(collector.key("v-1"))
    options = {
        "site": "v-1",
        "collector": f"https://127.0.0.1:{collector.port}",
        "ca_file": authority,
        "key_file": folder / "key",
        "interval": 1,
        "flush": 1,
        "echoes": 1,
        "timeout": 1,
        "phase": 0,
        "spool": folder / "spool",
        "ram": folder / "ram",
    }
    lines = [f"\toption {name} '{value}'" for name, value in options.items()]
    lines.append("\tlist target 'national 127.0.0.1'")
    (folder / "config").write_text("\n".join(["config probe 'probe'", *lines, ""]))
    said = folder / "said"
    with said.open("wb") as log:
        process = subprocess.Popen(
            [BUSYBOX, "ash", str(SCRIPT), str(folder / "config")],
            env={"PATH": str(tools)},
            stderr=log,
        )
    try:
        yield said
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def test_it_delivers_over_verified_tls(tmp_path: Path, collector: Collector) -> None:
    """With the collector's own authority its looks arrive; the key is in no argument."""
    with agent(tmp_path, collector, tmp_path / "tls" / "ca.pem") as said:
        wait_for(lambda: len(collector.lines()) > 2, "looks over TLS")
        assert "curl to https" in said.read_text()
        key = (tmp_path / "key").read_text().strip().encode()
        shown = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]
        assert not any(key in arguments for arguments in shown)
    kinds = {line.series.kind for line in collector.lines()}
    assert kinds == {"ping", "device"}


def test_a_stranger_s_certificate_gets_nothing(tmp_path: Path, collector: Collector) -> None:
    """With another authority nothing is sent, the files stay, and the reason is said."""
    now = datetime.datetime.now(datetime.UTC)
    certificates.make(tmp_path / "other", ["127.0.0.1"], now)
    with agent(tmp_path, collector, tmp_path / "other" / "ca.pem") as said:
        wait_for(lambda: "cannot deliver" in said.read_text(), "the complaint")
        assert "certificate" in said.read_text()
    assert list((tmp_path / "spool").glob("*.lp"))
    assert not collector.lines()
