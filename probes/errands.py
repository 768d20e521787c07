"""What a probe asks its collector beside delivering: its configuration, a new key.

Law: errands ride on a connection that has just delivered, so they cost no handshake, and their
failure costs no delivery.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from model.errors import UnavailableError
from probes.config import ConfigError, ConfigKeeper
from probes.day_budget import Budget
from probes.enrol import KEY_LIFE_MS, Home, rotated_key
from probes.known_time import KnownTime
from probes.link import Link
from probes.receipt import Reply

log = logging.getLogger(__name__)

ASK_EVERY_MS = 3_600_000
RETRY_KEY_MS = 86_400_000


class Errands:
    """``post`` is what the uplink sends with; it counts what the line carries, and runs errands.

    ``home`` None: a probe that was configured by hand; then there is nothing to ask. ``changed`` is
    called, from the uplink's thread, when there is a new configuration.
    """

    def __init__(
        self,
        link: Link,
        time: KnownTime,
        budget: Budget | None,
        home: Home | None = None,
        folder: Path | None = None,
        keeper: ConfigKeeper | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._link, self._time, self._budget = link, time, budget
        self._home, self._folder, self._keeper, self._changed = home, folder, keeper, changed
        self._ask_at_ms = time.monotonic_ms()
        self._rotate_at_ms = time.monotonic_ms()

    def post(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Deliver; see ``Link.post``."""
        return self._delivered(lambda: self._link.post(body, headers))

    def post_packed(self, body: bytes) -> Reply:
        """Deliver; see ``Link.post_packed``."""
        return self._delivered(lambda: self._link.post_packed(body))

    def _delivered(self, deliver: Callable[[], Reply]) -> Reply:
        before = self._link.wire_bytes
        try:
            reply = deliver()
            if reply.status == 200 and self._home is not None:
                self._run()
        finally:
            if self._budget is not None:
                self._budget.spend("deliveries", self._link.wire_bytes - before)
        return reply

    def ask_now(self) -> None:
        """Ask for the configuration once, before the first round. Failures are logged."""
        if self._keeper is not None:
            self._guarded(self._ask)

    def _run(self) -> None:
        now_ms = self._time.monotonic_ms()
        if self._keeper is not None and now_ms >= self._ask_at_ms:
            self._ask_at_ms = now_ms + ASK_EVERY_MS
            if self._guarded(self._ask):
                self._changed()
        if (
            self._home is not None
            and now_ms >= self._rotate_at_ms
            and self._time.in_contact
            and self._time.wall_ms() - self._home.key_since_ms >= KEY_LIFE_MS
        ):
            self._rotate_at_ms = now_ms + RETRY_KEY_MS
            self._guarded(self._rotate)

    def _guarded(self, errand: Callable[[], bool]) -> bool:
        try:
            return errand()
        except (OSError, ConfigError, UnavailableError) as error:
            log.warning("errand: %.300s", error)
            return False

    def _ask(self) -> bool:
        """Whether a new configuration came."""
        if self._keeper is None:
            return False
        headers = {"If-None-Match": self._keeper.etag} if self._keeper.etag else {}
        reply = self._link.ask("GET", "/api/v1/config", b"", headers)
        if reply.status != 200:
            if reply.status not in (304, 404):
                log.warning("config: the collector answers with status %d", reply.status)
            return False
        try:
            document = json.loads(reply.body)
        except (ValueError, RecursionError):
            raise ConfigError("the configuration is not JSON") from None
        return self._keeper.offer(document, reply.headers.get("etag", ""))

    def _rotate(self) -> bool:
        """Get a new key and keep it before it is used. The old one stays good for a while, so an
        answer that is lost on the way costs nothing but another try tomorrow."""
        if self._home is None or self._folder is None:
            return False
        reply = self._link.ask("POST", "/api/v1/rotate", b"", {})
        key = rotated_key(reply)
        if key is None:
            log.warning("rotation: the collector answers with status %d", reply.status)
            return False
        self._home = replace(self._home, key_since_ms=self._time.wall_ms())
        self._home.write(self._folder, key)
        self._link.use_key(key)
        return True
