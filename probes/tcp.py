"""The kind ``tcp``: does the port accept a connection?

Law: nothing is sent and nothing is read; the handshake of TCP is the whole look.
"""

from model.check import Check
from model.kinds import Tcp
from probes.connect import Readings, Resolve, bounded, connected, find
from probes.look import Look


class TcpProbe:
    """Readings: ``connect_seconds``, and ``resolve_seconds`` for a name."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve

    async def __call__(self, check: Check) -> Look:
        settings = check.settings
        if not isinstance(settings, Tcp):
            raise TypeError(f"{check.key}: a tcp check carries Tcp settings")

        async def look(readings: Readings) -> None:
            address = await find(check.address, self._resolve, readings)
            async with connected(address, settings.port, readings):
                pass

        return await bounded(check, look)
