"""A MikroTik router as a probe: the script for one site, ready to import.

Law: whatever a name holds, it stays text: every literal is written with hexadecimal escapes, so
nothing in it can end the literal or begin a command.

It cannot be run here. What it does is kept small; the pages of MikroTik's documentation for every
command stand at the head of the script (``routeros.rsc``). Only echoes: a router's ``fetch`` would
measure itself. A body is at most 64 kB (``Fetch``), a ring of ``RING`` bodies waits in memory.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from model.check import Check
from model.errors import InputError
from model.measurement import Measurement, Outcome, Rung, Vantage
from probes.enrol import KEY
from probes.line_protocol import encode
from probes.link import WRITE_PATH

RING = 12
TARGETS_MAX = 20
_PLAIN = re.compile(rb"[A-Za-z0-9 ]")


def quoted(text: str) -> str:
    """A string literal of RouterOS ("Scripting", escape sequences: ``\\xx`` with capital hex)."""
    data = text.encode()
    parts = [chr(byte) if _PLAIN.match(bytes([byte])) else f"\\{byte:02X}" for byte in data]
    return '"' + "".join(parts) + '"'


def head(site: str, kind: str, target: str) -> str:
    """A line's beginning up to its fields. Raises InputError for a name that no line can hold."""
    try:
        line = encode(Measurement(site, Vantage.VILLAGE, kind, target, 0, Outcome.UNKNOWN))
    except ValueError as error:
        raise InputError(f"target {target!r}: {error}; rename it") from None
    return line.decode().rpartition(" outcome=")[0]


def script(site: str, checks: Sequence[Check], collector: str, key: str) -> str:
    """The ``.rsc`` file. Raises InputError for what cannot be put into it."""
    if not collector.startswith("https://"):
        raise InputError("a router reports over https:// alone")
    if not KEY.fullmatch(key) or "," in key:
        raise InputError("the key cannot be written into a header of RouterOS")
    pings = [check for check in checks if check.kind == "ping"]
    if not pings or len(pings) > TARGETS_MAX:
        raise InputError(f"a router looks at 1 to {TARGETS_MAX} targets, not {len(pings)}")
    targets = ";".join(
        f"{{{quoted(head(site, 'ping', check.target))};{quoted(check.address)}}}" for check in pings
    )
    values = {
        "TARGETS": targets,
        "COUNT": str(min(20, max(check.count for check in pings))),
        "DEVICE": quoted(head(site, "device", Rung.DEVICE))[1:-1],
        "URL": quoted(collector.rstrip("/") + WRITE_PATH),
        "HEADERS": quoted(f"Authorization: Token {key},Content-Type: text/plain"),
        "RING": str(RING),
    }
    source = _filled("routeros_body.rsc", values)
    seconds = max(60, min(check.interval_seconds for check in pings))
    return _filled("routeros.rsc", {"SOURCE": quoted(source), "INTERVAL": f"{seconds}s"})


def _filled(name: str, values: dict[str, str]) -> str:
    text = Path(__file__).with_name(name).read_text()
    return re.sub(r"@([A-Z]+)@", lambda match: values[match[1]], text)
