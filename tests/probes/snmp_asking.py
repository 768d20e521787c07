"""What the tests of asking devices share: a device to poll, without waiting for politeness."""

import random
import time
from collections.abc import Callable

from model.snmp import Credentials, Version
from probes.snmp_ask import Asker
from probes.snmp_device import Device
from probes.snmp_fast import open_session
from probes.snmp_pace import Pace
from probes.snmp_profile import standard_profiles
from probes.snmp_session import Opener

V2C = Credentials(Version.V2C, "public")


def at(port: int, community: str = "public") -> Credentials:
    """v2c on this port."""
    return Credentials(Version.V2C, community, port=port)


def asker(
    credentials: Credentials,
    *,
    address: str = "127.0.0.1",
    timeout_seconds: float = 2.0,
    pace: Pace | None = None,
    opener: Opener = open_session,
    rng: Callable[[float, float], float] = random.uniform,
) -> Asker:
    """Without a pace of its own it asks as fast as it can."""
    return Asker(
        address,
        credentials,
        opener,
        pace or Pace(time.monotonic, per_second=100_000),
        rng,
        timeout_seconds,
    )


def device(credentials: Credentials, **settings: object) -> Device:
    """A device that is polled with the standard profiles."""
    one = asker(credentials, **settings)  # type: ignore[arg-type] # passed on as they are
    return Device("here", one, standard_profiles(), time.monotonic, time.time)
