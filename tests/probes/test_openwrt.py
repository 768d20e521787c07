"""The sh agent as a package: its size, its words when something is missing, what it refuses."""

import itertools
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "probes" / "openwrt" / "files"
SCRIPT = FOLDER / "jangkau-probe"
BUSYBOX = shutil.which("busybox") or ""
pytestmark = pytest.mark.skipif(not BUSYBOX, reason="needs Debian's busybox")
TOOLS = "wget ping awk date grep sleep timeout mv rm mkdir wc cat sync gzip nslookup logger sed"


def agent(folder: Path, *, without: str = "", **options: object) -> list[str]:
    """The command of an agent in a folder, and its PATH in ``bin``."""
    tools = folder / "bin"
    tools.mkdir()
    for name in TOOLS.split():
        if name != without:
            (tools / name).symlink_to(BUSYBOX)
    (folder / "key").write_text("a-key\n")
    settings: dict[str, object] = {
        "site": "v-1",
        "collector": "http://127.0.0.1:9",
        "key_file": folder / "key",
        "interval": 1,
        "flush": 1,
        "echoes": 1,
        "timeout": 1,
        "phase": 0,
        "spool": folder / "spool",
        "ram": folder / "ram",
    }
    lines = [f"\toption {name} '{value}'" for name, value in (settings | options).items()]
    lines.append("\tlist target 'national 127.0.0.1'")
    (folder / "config").write_text("\n".join(["config probe 'probe'", *lines, ""]))
    return [BUSYBOX, "ash", str(SCRIPT), str(folder / "config")]


def said(command: list[str], folder: Path) -> tuple[int, str]:
    """How it ends at once, and what it says."""
    done = subprocess.run(
        command,
        env={"PATH": str(folder / "bin")},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return done.returncode, done.stderr


def test_the_package_s_script_is_small() -> None:
    """What is installed has at most 12 kB, and busybox's shell can read it."""
    strip = [BUSYBOX, "sed", "-f", str(FOLDER / "strip.sed"), str(SCRIPT)]
    installed = subprocess.run(strip, capture_output=True, check=True).stdout
    assert len(installed) <= 12_000
    subprocess.run([BUSYBOX, "ash", "-n"], input=installed, check=True)


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="needs Debian's shellcheck")
@pytest.mark.parametrize(
    "path",
    [SCRIPT, FOLDER / "jangkau.init", ROOT / "probes" / "packaging" / "jangkau-probe.init"],
    ids=lambda path: path.name,
)
def test_shellcheck_is_content(path: Path) -> None:
    """No warning of any level."""
    command = ["/usr/bin/env", "shellcheck", "-s", "sh", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"collector": "http://192.0.2.1"}, "https://host"),
        ({"collector": "https://c.example"}, "nothing here verifies TLS"),
        ({"site": "a b"}, "letters, digits"),
        ({"site": "$(reboot)"}, "letters, digits"),
        ({"interval": "1; reboot"}, "whole"),
        ({"echoes": 100}, "1 to 20 echoes"),
        ({"key_file": "/nowhere"}, "key file"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, options: dict[str, object], message: str) -> None:
    """A configuration that cannot be right ends with a word on it; busybox's wget, which verifies
    nothing, is never used beyond this machine."""
    code, text = said(agent(tmp_path, **options), tmp_path)
    assert code == 2
    assert message in text
    assert "a-key" not in text


@pytest.mark.parametrize("tool", ["awk", "ping", "timeout"])
def test_what_is_missing_is_named(tmp_path: Path, tool: str) -> None:
    """A tool that the agent cannot do without is named."""
    code, text = said(agent(tmp_path, without=tool), tmp_path)
    assert code == 2
    assert f"needs {tool}" in text


def test_a_full_spool_keeps_an_account(tmp_path: Path) -> None:
    """With no collector and 2 kB of flash: the spool stays bounded, the looks that went stand in a
    gap line, and every number is used once."""
    command = agent(tmp_path, spool_bytes=2000)
    process = subprocess.Popen(
        command, env={"PATH": str(tmp_path / "bin")}, stderr=subprocess.DEVNULL
    )
    spool = tmp_path / "spool"
    gaps: list[str] = []
    try:
        end = time.monotonic() + 60
        while not gaps or "gap_looks=" not in gaps[-1]:
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.1)
            texts = [path.read_text() for path in spool.glob("*.lp") if path.exists()]
            gaps = [line for text in texts for line in text.splitlines() if line[:4] == "gap,"]
            assert sum(map(len, texts)) < 2000 + 1500
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    assert 'reason="spool overflow"' in gaps[-1]
    names = sorted(path.stem.split("-")[1:] for path in spool.glob("*.lp"))
    numbers = sorted((int(first), int(last)) for _, first, last in names)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(numbers))


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs smaps_rollup")
def test_memory(tmp_path: Path) -> None:
    """The agent's two shells take at most 2 MB of their own (PSS would count busybox once; this
    counts what is private to them)."""
    process = subprocess.Popen(
        agent(tmp_path), env={"PATH": str(tmp_path / "bin")}, stderr=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 30
        while not list((tmp_path / "spool").glob("*.lp")):
            assert time.monotonic() < end
            time.sleep(0.05)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        shells = [pid for pid in children if "ash" in Path(f"/proc/{pid}/cmdline").read_text()]
        assert shells, "the carrier lives"
        total = sum(private_kilobytes(pid) for pid in [str(process.pid), *shells])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    assert total < 2000


def private_kilobytes(pid: str) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):  # a look that has just ended
        return 0
    rows = [line.split() for line in text.splitlines() if line.startswith("Private_")]
    return sum(int(row[1]) for row in rows)
