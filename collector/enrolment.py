"""How a probe comes in, changes its key, and learns what to look at.

Law: a secret leaves in an answer, once, and is stored nowhere; what a probe is told is what the
inventory says for its own site. Whoever knocks without a token costs no more than a hash.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from collector.admission import Limits, Rates
from collector.credentials import WRITE, Key, Keys, TooSoonError, write_private
from collector.ingest import caller
from collector.web import Answer, Handled, Refused, Request, json_answer, limited_body
from model.check import Check
from model.errors import InputError
from model.inventory import CENTRE_SITE, Inventory

BODY_BYTES = 4096
STRANGERS = Limits(requests_per_second=5.0, request_burst=50)
"""Enrolments of all strangers together: a province is enrolled in minutes, guessing is not."""
METERED_BYTES_A_DAY = 1_000_000
"""What a probe may spend on a line that is paid by the megabyte: 30 MB a month."""
FILE_NAME = "configuration.json"


class Enrolment:
    """The endpoints ``/api/v1/enrol``, ``/api/v1/rotate`` and ``/api/v1/config``.

    ``inventory`` None: probes bring their own configuration (404 on ``/api/v1/config``).
    """

    def __init__(
        self,
        keys: Keys,
        folder: Path,
        inventory: Inventory | None,
        limits: Limits,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._keys, self._inventory, self._wall_ms = keys, inventory, wall_ms
        self._rates, self._strangers = Rates(limits), Rates(STRANGERS)
        self._version = 0 if inventory is None else _version(folder, inventory)

    def routes(self) -> list[Handled]:
        """For the table of routes."""
        return [
            Handled("POST", "/api/v1/enrol", self.enrol),
            Handled("POST", "/api/v1/rotate", self.rotate),
            Handled("GET", "/api/v1/config", self.config),
        ]

    async def enrol(self, request: Request) -> Answer:
        """A token for a key. The same answer for every token that is none, spent or too old."""
        if wait := self._strangers.wait_seconds(""):
            raise Refused(429, "too many requests", "slow down", wait)
        token, probe = _order(await limited_body(request, BODY_BYTES))
        enrolled = await asyncio.to_thread(self._keys.enrol, token, probe, self._wall_ms())
        if enrolled is None:
            raise Refused(401, "unauthorized", "no valid enrolment token: ask for a new one")
        key = enrolled.key
        return json_answer(
            {"probe": key.probe, "key": enrolled.text, "site": (key.sites or (CENTRE_SITE,))[0]},
            headers={"Cache-Control": "no-store"},
        )

    async def rotate(self, request: Request) -> Answer:
        """A new key for the one that the request bears."""
        key = self._admit(request)
        try:
            text = await asyncio.to_thread(self._keys.rotate, key.id, self._wall_ms())
        except TooSoonError as error:
            raise Refused(429, "too many requests", str(error), error.seconds) from error
        except InputError as error:
            raise Refused(401, "unauthorized", str(error)) from error
        return json_answer({"key": text}, headers={"Cache-Control": "no-store"})

    async def config(self, request: Request) -> Answer:
        """What the probe of the key is to look at; 304 when it knows that already."""
        key = self._admit(request)
        if self._inventory is None:
            raise Refused(404, "not found", "this collector was given no inventory")
        document = configuration(self._inventory, key, self._version)
        answer = json_answer(document)
        tag = f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if tag in request.headers.get("if-none-match", ""):
            return Answer(304, headers=headers)
        return Answer(200, answer.body, answer.media_type, headers)

    def _admit(self, request: Request) -> Key:
        key = caller(request, self._keys, WRITE, self._wall_ms())
        if wait := self._rates.wait_seconds(key.probe):
            raise Refused(429, "too many requests", "slow down", wait)
        return key


def configuration(inventory: Inventory, key: Key, version: int) -> dict[str, Any]:
    """A probe's own part of the inventory. Raises Refused (404) for a site that is gone."""
    checks: list[Check] = []
    budget: int | None = None
    if key.sites is None:
        site_id = CENTRE_SITE
        checks += inventory.centre_checks()
    else:
        known = [inventory.by_id[name] for name in key.sites if name in inventory.by_id]
        if not known:
            raise Refused(404, "not found", "the inventory has no site of this key")
        site_id = known[0].id
        for site in known:
            checks += inventory.village_checks(site)
        budget = METERED_BYTES_A_DAY if any(site.metered for site in known) else None
    return {
        "version": version,
        "site": site_id,
        "checks": [asdict(check) for check in checks],
        "budget_bytes_a_day": budget,
    }


def _order(body: bytes) -> tuple[str, str | None]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict):
        token, probe = document.get("token"), document.get("probe")
        if isinstance(token, str) and (probe is None or isinstance(probe, str)):
            return token, probe
    raise Refused(400, "invalid", 'write {"token": "...", "probe": "... or null"}')


def _version(folder: Path, inventory: Inventory) -> int:
    """A number that grows with every change of what probes are told, also over restarts: a probe
    refuses one that is lower than what it has."""
    told = [
        [asdict(check) for check in inventory.centre_checks()],
        [[asdict(c) for c in inventory.village_checks(s)] + [s.metered] for s in inventory.sites],
    ]
    digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    path = folder / FILE_NAME
    version, known = 0, ""
    if path.exists():
        try:
            found = json.loads(path.read_text())
            version, known = int(found["version"]), str(found["sha256"])
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(f"{path} is damaged ({error}): restore it from a backup") from error
    if known != digest:
        version += 1
        temporary = path.with_suffix(".tmp")
        write_private(temporary, json.dumps({"version": version, "sha256": digest}))
        temporary.replace(path)
    return version
