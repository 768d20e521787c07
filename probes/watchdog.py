"""Telling systemd that the probe lives (sd_notify(3)), and noticing a probe that keeps dying.

Law: ten starts that did not live long mean safe mode: the probe then only reports its device, so
that whatever kills it is left alone and somebody can see that it is needed.
"""

import json
import logging
import os
import socket
from pathlib import Path

from probes.ledger import replace_file

log = logging.getLogger(__name__)

STARTS_MAX = 10
ALIVE_SECONDS = 600.0


class Notifier:
    """Sends ``READY=1`` once and then ``WATCHDOG=1``; nothing where systemd does not ask for it."""

    def __init__(self, address: str | None = None) -> None:
        address = os.environ.get("NOTIFY_SOCKET") if address is None else address
        self._address = "\0" + address[1:] if address and address[0] == "@" else address
        self._word = b"READY=1"

    def beat(self) -> None:
        """The loop lives."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.sendto(self._word, self._address)
        except OSError as error:  # systemd will restart us, which is what it is there for
            log.warning("the watchdog could not be told: %s", error)
        self._word = b"WATCHDOG=1"


class Starts:
    """Counts the starts since the probe last lived for ``ALIVE_SECONDS``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self.count = int(json.loads(path.read_bytes())["starts"]) + 1
        except (OSError, ValueError, KeyError, TypeError):
            self.count = 1  # none yet, or damaged: either way nothing is known against us
        self._write(self.count)

    @property
    def too_many(self) -> bool:
        """Whether to start in safe mode."""
        return self.count > STARTS_MAX

    def lived(self) -> None:
        """This start was a good one, or was ended properly."""
        self._write(0)

    def _write(self, count: int) -> None:
        try:
            replace_file(self._path, json.dumps({"starts": count}).encode())
        except OSError as error:
            log.warning("starts cannot be counted: %s", error)
