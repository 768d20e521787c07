"""What a probe says of itself, and what an examination of its device finds.

Law: only what was looked at is reported; a probe that has written nothing yet has no status.
"""

import json
import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from model.errors import InputError, UnavailableError
from probes.enrol import Home
from probes.known_time import KnownTime
from probes.link import Link

DISK_BYTES_MIN = 16 * 2**20


@dataclass(frozen=True)
class Finding:
    """One thing that was examined."""

    what: str
    good: bool
    detail: str


def shown_status(home: Path, *, as_json: bool) -> str:
    """The status that the running probe wrote last. Raises InputError when there is none."""
    path = home / "status.json"
    try:
        text = path.read_text()
        document: dict[str, Any] = json.loads(text)
    except (OSError, ValueError):
        raise InputError(
            f"{path} is not there: is the probe running with --home {home}? It writes its status"
            " every five minutes"
        ) from None
    if as_json:
        return text
    rows = [
        f"{key.replace('_ms', '').replace('_', ' ')}: {_shown(key, value)}"
        for key, value in document.items()
    ]
    return "\n".join(rows)


def _shown(key: str, value: Any) -> str:
    if value is None:
        return "none"
    if key.endswith("_ms"):
        return time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(value / 1000))
    if key == "budget_share":
        return f"{value:.0%} of what may be spent at once"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
    return str(value)


def examine(home: Path, collector: str | None, ca_file: Path | None) -> list[Finding]:
    """Examine what a probe needs, each by really doing it."""
    found = [
        _tried("echoes", _echoes),
        _tried("disk", lambda: _disk(home)),
    ]
    if collector is None:
        found.append(_tried("enrolment", lambda: f"{Home.read(home).probe}, as it should be"))
        if found[-1].good:
            known = Home.read(home)
            collector = known.collector
            ca_file = Path(known.ca_file) if known.ca_file else None
    if collector is not None:
        url = collector
        found.append(_tried("name", lambda: _resolved(url)))
        found.append(_tried("collector", lambda: _asked(home, url, ca_file)))
    return found


def _tried(what: str, attempt: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, attempt())
    except (OSError, InputError, UnavailableError) as error:
        return Finding(what, False, f"{error}"[:300])


def _echoes() -> str:
    from probes.icmp import EchoEngine

    EchoEngine().close()
    return "the system allows ICMP echoes"


def _disk(home: Path) -> str:
    folder = home if home.exists() else home.parent
    free = shutil.disk_usage(folder).free
    if free < DISK_BYTES_MIN:
        raise UnavailableError(f"{free} bytes free at {folder}; the spool needs {DISK_BYTES_MIN}")
    return f"{free // 2**20} MiB free at {folder}"


def _resolved(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname:
        raise InputError(f"{url!r} has no host")
    found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    return ", ".join(sorted({str(item[4][0]) for item in found}))


def _asked(home: Path, url: str, ca_file: Path | None) -> str:
    """A whole exchange over verified TLS, and how far our clock is off."""
    from cli.probe_edition import VERSION
    from probes.clock import SystemClock

    clock = SystemClock()
    with TemporaryDirectory() as folder:  # the running probe's own file is not ours to write
        copy = Path(folder) / "time"
        if (home / "time").exists():
            shutil.copyfile(home / "time", copy)
        known = KnownTime(copy, clock)
        link = Link(url, "", version=VERSION, ca_file=ca_file, clamp_ms=known.clamp_ms)
        sent_ms = clock.monotonic_ms()
        try:
            reply = link.ask("GET", "/healthz", b"", {})
        finally:
            link.close()
        wall_ms = clock.wall_ms()
        known.heard(reply.headers.get("date", ""), sent_ms)
    if reply.status != 200 or b"jangkau" not in reply.body:
        raise UnavailableError(f"status {reply.status}, but not from a collector: a portal?")
    off = (wall_ms - known.wall_ms()) / 1000
    cost = f"{link.wire_bytes} bytes on the wire"
    return (
        f"answers in {clock.monotonic_ms() - sent_ms} ms, {cost}; our clock is off by {off:.0f} s"
    )
