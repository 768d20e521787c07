"""The collector examines itself, and says so elsewhere while it is well.

Law: silence is the alarm. The heartbeat goes out only after a real write was committed, a real
request answered and nothing was found ailing; whoever waits for it (a second channel, on another
line) needs no message of ours to know that we are not well.
"""

import http.client
import logging
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from collector.journal import Journal
from model.errors import InputError, UnavailableError

ANSWER_SECONDS = 10.0
"""Who does not answer within this is not well."""

_log = logging.getLogger(__name__)
Examination = Callable[[], str | None]
"""Looks at one organ: None when it is well, otherwise what ails it."""


class Vitals:
    """The examinations by name, and what the last round of them found."""

    def __init__(self, examinations: Mapping[str, Examination]) -> None:
        self._examinations = examinations
        self.ailments: Mapping[str, str] = {}

    def examine(self) -> Mapping[str, str]:
        """Look at everything now. An examination that fails is an ailment itself."""
        found: dict[str, str] = {}
        for name, examination in self._examinations.items():
            try:
                ailment = examination()
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not look well
                ailment = f"{type(error).__name__}: {error}"
            if ailment is not None:
                found[name] = ailment
        for name in found.keys() - self.ailments.keys():
            _log.error("ailing: %s: %s", name, found[name])
        for name in self.ailments.keys() - found.keys():
            _log.warning("well again: %s", name)
        self.ailments = found
        return found

    def names(self) -> list[str]:
        """Every organ."""
        return list(self._examinations)


def commits(journal: Journal, seconds: float = ANSWER_SECONDS) -> str | None:
    """Whether the journal commits a write in time."""
    beat = journal.submit(
        lambda db: db.execute("INSERT OR REPLACE INTO meta VALUES ('pulse', strftime('%s'))")
    )
    try:
        beat.result(seconds)
    except FutureTimeoutError:
        beat.cancel()
        return f"the journal did not commit within {seconds:g} s"
    except UnavailableError as error:
        return str(error)
    return None


def answers(url: str, certificate: Path | None, seconds: float = ANSWER_SECONDS) -> str | None:
    """Whether our own listener answers ``/healthz`` in time."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection: http.client.HTTPConnection
    if certificate is None:
        connection = http.client.HTTPConnection(host, port, timeout=seconds)
    else:
        context = ssl.create_default_context(cafile=certificate)
        context.check_hostname = False  # it is our own file; the address may be 0.0.0.0
        connection = http.client.HTTPSConnection(host, port, timeout=seconds, context=context)
    with closing(connection):
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    return None if status == 200 else f"our own listener answers {status}"


class Heartbeat:
    """Examines every ``every_seconds`` and, while all is well, asks ``url`` for an answer.

    ``url`` None: examinations only. The address often bears a secret, so it is never logged.
    """

    def __init__(
        self,
        vitals: Vitals,
        url: str | None,
        every_seconds: float,
        told: Callable[[str], None] = lambda _result: None,
    ) -> None:
        if url is not None and urlsplit(url).scheme not in ("http", "https"):
            raise InputError("the heartbeat's address must begin with https:// or http://")
        self._vitals, self._url, self._every, self._told = vitals, url, every_seconds, told
        self._stop = threading.Event()

    def run(self) -> None:
        """Beat until ``stop``: the body of a thread."""
        while not self._stop.wait(self._every):
            self.beat()

    def stop(self) -> None:
        """Make ``run`` return after what it is doing."""
        self._stop.set()

    def beat(self) -> str:
        """Examine and tell; returns ``sent``, ``withheld``, ``failed`` or ``examined``."""
        result = "examined"
        if self._vitals.examine():
            result = "withheld"
        elif self._url is not None:
            result = self._send(self._url)
        self._told(result)
        return result

    @staticmethod
    def _send(url: str) -> str:
        try:
            with urllib.request.urlopen(url, timeout=ANSWER_SECONDS):  # noqa: S310 - checked above
                return "sent"
        except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
            _log.warning("the heartbeat did not get through: %s", type(error).__name__)
            return "failed"
