"""The look at a device through SNMP: what the box itself knows.

Law: an answer is UP, with what it says. DOWN needs three requests and no answer. What does not let
us in, has no agent, or what we hold no credentials for, was not looked at: UNKNOWN.
"""

import asyncio
import ipaddress
import logging
import random
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from model.check import Check
from model.errors import InputError
from model.kinds import Snmp
from model.measurement import Outcome, Reason
from model.snmp import Credentials
from probes.look import Look
from probes.snmp_ask import Asker
from probes.snmp_device import Device
from probes.snmp_pace import Pace
from probes.snmp_profile import Profile, standard_profiles
from probes.snmp_secrets import load_secrets
from probes.snmp_session import Opener, RefusedError

log = logging.getLogger(__name__)

MOST_DESCRIPTORS = 65_536
ANSWER_SECONDS = 2.0
"""How long one answer is waited for; a geostationary line takes 0.7 s."""


class SnmpProbe:
    """Kind ``device`` for checks with ``model.kinds.Snmp`` settings. It remembers each device, so
    that counters become rates. ``load``: the credentials of a file by name."""

    def __init__(
        self,
        opener: Opener,
        profiles: Sequence[Profile] | None = None,
        load: Callable[[Path | None], Mapping[str, Credentials]] = load_secrets,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        rng: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._opener = opener
        self._profiles = standard_profiles() if profiles is None else profiles
        self._load = load
        self._monotonic = monotonic
        self._wall = wall
        self._rng = rng
        self._secrets: dict[str | None, Mapping[str, Credentials]] = {}
        self._devices: dict[tuple[str, str], Device] = {}
        self._paces: dict[str, Pace] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def device(self, check: Check) -> Device:
        """The device of a check. One address has one pace, whatever is looked at there. Raises
        InputError where the credentials are missing or wrong."""
        settings = check.settings
        if not isinstance(settings, Snmp):
            raise TypeError(f"{check.key} is no check of SNMP")
        key = (check.address, settings.credentials)
        if key not in self._devices:
            _require_one_device(check)
            file = settings.secrets_file
            if file not in self._secrets:
                self._secrets[file] = self._load(None if file is None else Path(file))
            credentials = self._secrets[file].get(settings.credentials)
            if credentials is None:
                raise InputError(f"the file of SNMP credentials has no [{settings.credentials}]")
            pace = self._paces.setdefault(check.address, Pace(self._monotonic))
            asker = Asker(check.address, credentials, self._opener, pace, self._rng, ANSWER_SECONDS)
            self._devices[key] = Device(
                check.site, asker, self._profiles, self._monotonic, self._wall
            )
        return self._devices[key]

    async def __call__(self, check: Check) -> Look:
        try:
            device = self.device(check)
        except InputError as error:  # mended while we run, it is read at the next look
            log.warning("%s: %s", check.key, error)
            return Look(Outcome.UNKNOWN, {}, Reason.NO_PERMISSION)
        try:
            async with self._locks.setdefault(check.address, asyncio.Lock()):
                async with asyncio.timeout(check.timeout_seconds):
                    poll = await device.poll()
        except (OSError, RefusedError) as error:  # a time-out is an OSError too
            return _failed(check, error, device.heard)
        return Look(Outcome.UP, poll.readings)


def _require_one_device(check: Check) -> None:
    """Raise InputError for an address that is none, or not that of one device."""
    try:
        address = ipaddress.ip_address(check.address)
    except ValueError:
        raise InputError(
            f"{check.key}: {check.address!r} is no IP address: SNMP devices are asked by address"
        ) from None
    if address.is_multicast or address.is_unspecified or str(address) == "255.255.255.255":
        raise InputError(f"{check.key}: {address} is not the address of one device")


def _failed(check: Check, error: OSError | RefusedError, heard: bool) -> Look:
    match error:
        case TimeoutError():
            if heard:  # it lives; the line is too lossy for the rest
                return Look(Outcome.UP, {})
            return Look(Outcome.DOWN, {}, Reason.NO_ANSWER)
        case ConnectionRefusedError():  # the device lives, and nothing there speaks SNMP
            return Look(Outcome.UNKNOWN, {}, Reason.REFUSED)
        case RefusedError():
            log.warning("%s: the device does not let us in: %s", check.key, error)
            return Look(Outcome.UNKNOWN, {}, Reason.NO_PERMISSION)
    log.warning("%s: %s", check.key, error.strerror or error)
    return Look(Outcome.UNKNOWN, {}, Reason.NO_ROUTE)


def raise_descriptor_limit() -> None:
    """Let as many devices keep us waiting at once as the system allows: each has a socket, so that
    the kernel drops answers from elsewhere, and the usual limit is 1,024 files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
