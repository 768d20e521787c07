"""A newer edition of the one-file probe: on trial beside the installed one, taken back by itself.

Law: the installed file is never touched. A newer one runs in its place, on trial until it has a
receipt; one that dies three times, or is answered for twenty minutes without a receipt, is put
aside, and the next start is that of the file before it (reliability requirement 18).

The spool stays where it is: its records bear a version, and what an older edition does not know it
puts aside whole. A copy that was put back would use numbers again, which loses looks.
"""

import asyncio
import json
import logging
import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

from model.errors import InputError
from probes.ledger import replace_file
from probes.uplink import Tally

log = logging.getLogger(__name__)

VERSION = "0.1.0"
STARTS_MAX = 3
TRIAL_SECONDS = 1200.0
GLANCE_SECONDS = 5.0
MARK = "JANGKAU_EDITION"
"""In the environment of an edition that was chosen: it chooses no other."""
LINE_DOWN = frozenset({None, "no name", "no connection", "budget"})
"""Troubles that say nothing about an edition: the trial's clock stands still."""


class Edition:
    """The files in a probe's folder: ``next.pyz`` on trial, ``current.pyz`` proved, and
    ``refused.pyz``."""

    def __init__(self, home: Path) -> None:
        self._next, self._current = home / "next.pyz", home / "current.pyz"
        self._refused, self._state = home / "refused.pyz", home / "edition"

    @property
    def on_trial(self) -> bool:
        """Whether this process is the one on trial."""
        return os.environ.get(MARK) == str(self._next) and self._next.exists()

    def install(self, file: Path) -> str:
        """Take a file as the next edition; its version. Raises InputError for one that is none."""
        import zipfile  # takes half a megabyte, which a running probe does without

        try:
            content = file.read_bytes()
            zipfile.ZipFile(file).close()
            done = subprocess.run(  # noqa: S603 - the file that the operator names, to see it run
                [sys.executable, str(file), "--version"],
                capture_output=True, text=True, timeout=60, check=True,
            )  # fmt: skip
        except (OSError, zipfile.BadZipFile, subprocess.SubprocessError) as error:
            raise InputError(f"{file} is no probe that runs here: {error}") from None
        replace_file(self._next, content)
        self._note(None, 0)
        return done.stdout.strip()

    def chosen(self, installed: Path) -> Path | None:
        """Which file is to run instead of the installed one; counts the start of one on trial."""
        if MARK in os.environ or not (self._next.exists() or self._current.exists()):
            return None
        base, starts = zlib.crc32(installed.read_bytes()), self._starts()
        if self._base() not in (None, base):
            log.warning("the installed probe is another one now: it takes over")
            for file in (self._next, self._current):
                file.unlink(missing_ok=True)
            return None
        if self._next.exists():
            if starts < STARTS_MAX:
                self._note(base, starts + 1)
                return self._next
            self.refuse(f"it ended {starts} times before it delivered anything")
        return self._current if self._current.exists() else None

    def prove(self) -> None:
        """It has delivered: from now on it is the one."""
        self._next.replace(self._current)
        log.info("edition: the new one has proved itself")

    def refuse(self, why: str) -> None:
        """Put it aside."""
        self._next.replace(self._refused)
        log.error("edition: the new one is put aside: %s", why)

    def _note(self, base: int | None, starts: int) -> None:
        replace_file(self._state, json.dumps({"base": base, "starts": starts}).encode())

    def _base(self) -> int | None:
        """The check sum of the installed file for which the newer ones were brought."""
        base = self._read().get("base")
        return base if isinstance(base, int) else None

    def _starts(self) -> int:
        starts = self._read().get("starts")
        return starts if isinstance(starts, int) else 0

    def _read(self) -> dict[str, object]:
        try:
            found = json.loads(self._state.read_bytes())
        except (OSError, ValueError):  # none yet, or damaged: nothing is known
            return {}
        return found if isinstance(found, dict) else {}


def become(home: Path) -> None:
    """Go on as the edition that is chosen, if there is one: under the same process id."""
    installed = Path(sys.argv[0])
    if not installed.is_file():
        return
    file = Edition(home).chosen(installed)
    if file is None:
        return
    words = [str(file) if word == sys.argv[0] else word for word in sys.orig_argv[1:]]
    os.environ[MARK] = str(file)
    os.execv(sys.executable, [sys.executable, *words])  # noqa: S606 - ourselves, newer


async def judge(
    edition: Edition, tally: Callable[[], Tally | None], stop: Callable[[], None]
) -> None:
    """While this is an edition on trial: see whether it delivers; end it when it does not."""
    waited = 0.0
    while edition.on_trial:
        await asyncio.sleep(GLANCE_SECONDS)
        now = tally()
        if now is not None and now.kept + now.duplicate:
            await asyncio.to_thread(edition.prove)
        elif now is not None and now.trouble not in LINE_DOWN:
            waited += GLANCE_SECONDS
            if waited >= TRIAL_SECONDS:
                await asyncio.to_thread(edition.refuse, f"no receipt ({now.trouble})")
                stop()
