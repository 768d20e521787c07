"""What tests of the kinds share: one look at one target, against servers that run meanwhile."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, ExitStack

from model.check import Check
from model.kinds import SETTINGS, Settings
from probes.clock import SystemClock
from probes.kinds import open_probes
from probes.look import Look

ADDRESS = "127.0.0.1"


def check_of(settings: Settings, address: str = ADDRESS, timeout_seconds: float = 5.0) -> Check:
    """A check of the centre's with these settings."""
    kind = next(kind for kind, made in SETTINGS.items() if isinstance(settings, made))
    return Check("s-1", "centre", kind, "application", address, 300, timeout_seconds, 1, settings)


async def look(settings: Settings, address: str = ADDRESS, timeout_seconds: float = 5.0) -> Look:
    """Look once, through the table of kinds."""
    check = check_of(settings, address, timeout_seconds)
    with ExitStack() as stack:
        return await open_probes([check], SystemClock(), stack)[check.kind](check)


def look_at(
    server: AbstractAsyncContextManager[int],
    settings: Callable[[int], Settings],
    timeout_seconds: float = 5.0,
) -> Look:
    """Look once at a server, with the settings that its port makes."""

    async def run() -> Look:
        async with server as port:
            return await look(settings(port), timeout_seconds=timeout_seconds)

    return asyncio.run(run())
