"""``jangkau snmp traps``: notifications in, measurements home by the probe's own way.

Law: what was believed is durable in a spool before an inform of it is acknowledged and before it is
sent, and deleted only on a receipt.
"""

import asyncio
import random
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from cli import terminal
from model.errors import InputError, UnavailableError
from model.inventory import CENTRE_SITE, Inventory
from model.kinds import Snmp
from model.measurement import Measurement, Vantage
from probes.enrol import read_key

if TYPE_CHECKING:
    from collector.trap_gate import Sender

GRACE_SECONDS = 1.0
SPOOL_BYTES = 16 * 2**20


def senders(inventory: Inventory) -> "Mapping[str, Sender]":
    """Whose notifications are believed: the addresses that checks of kind snmp look at."""
    from collector.trap_gate import Sender
    from probes.snmp_secrets import load_secrets

    checks = [
        *inventory.centre_checks(),
        *(check for site in inventory.sites for check in inventory.village_checks(site)),
    ]
    found: dict[str, Sender] = {}
    secrets = {}
    for check in checks:
        if isinstance(check.settings, Snmp):
            file = check.settings.secrets_file
            if file not in secrets:
                secrets[file] = load_secrets(None if file is None else Path(file))
            if (credentials := secrets[file].get(check.settings.credentials)) is None:
                raise InputError(
                    f"check {check.key}: the file of SNMP credentials has no "
                    f"[{check.settings.credentials}]"
                )
            found[check.address] = Sender(check.site, credentials)
    if not found:
        raise InputError("no check of kind snmp in the inventory: nobody's traps would be believed")
    return found


def listen_to(text: str) -> tuple[str, int]:
    """HOST:PORT. Raises InputError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise InputError(f"--listen {text}: write HOST:PORT, such as 0.0.0.0:162")
    return host.strip("[]"), int(port)


async def serve(
    known: "Mapping[str, Sender]",
    place: tuple[str, int],
    collector: str,
    key_file: Path,
    spool_folder: Path,
    name: str,
) -> None:
    """Receive until SIGTERM."""
    from collector.traps import TrapReceiver
    from probes.agent import gap_writer
    from probes.clock import SystemClock
    from probes.line_protocol import encode
    from probes.link import Link
    from probes.spool import Limits, Spool
    from probes.uplink import Uplink

    clock, stop = SystemClock(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        spool = Spool(spool_folder, gap_writer(CENTRE_SITE, Vantage.CENTRE), Limits(SPOOL_BYTES))
    except OSError as error:
        raise UnavailableError(f"--spool {spool_folder}: {error.strerror}") from None
    with closing(spool):
        link = Link(collector, read_key(key_file), version=version("jangkau"), ca_file=None)
        uplink = Uplink(spool, link.post, clock, random.uniform, probe=name, fleet=False)
        carrier = threading.Thread(target=uplink.serve, name="uplink", daemon=True)

        def keep(measurement: Measurement) -> None:
            # Within the loop on purpose: the gate lets 20 a second in, and each takes milliseconds.
            spool.append([(measurement.at_ms, encode(measurement))], clock.wall_ms())
            uplink.wake()

        receiver = TrapReceiver(known, keep, wall_ms=clock.wall_ms, monotonic=time.monotonic)
        port = await receiver.open(*place)
        terminal.stderr.print(f"listening for {len(known)} devices on port {port}")
        carrier.start()
        try:
            await stop.wait()
        finally:
            receiver.close()
            uplink.stop()
            await asyncio.to_thread(carrier.join, GRACE_SECONDS)
            link.abort()
        terminal.stderr.print(", ".join(f"{why} {n}" for why, n in sorted(receiver.counts.items())))
