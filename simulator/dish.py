"""A satellite dish that answers ``get_status`` over gRPC-Web, with what it is told to say.

Law: its bytes are made here and read in ``probes/starlink.py`` by nothing in common but the
published field numbers.
"""

import asyncio
import struct
from dataclasses import dataclass

from simulator.services import Handler


@dataclass(frozen=True, slots=True)
class Dish:
    """What the dish says of itself. ``outage_cause``: a number of DishOutage.Cause; 0: none."""

    uptime_seconds: int = 86_400
    firmware: str = "2026.06.08.mr75403"
    ping_drop_share: float = 0.0
    ping_ms: float = 35.0
    obstructed_share: float = 0.0
    obstructed: bool = False
    alerts: tuple[int, ...] = ()
    outage_cause: int = 0

    def status(self) -> bytes:
        """``Response { dish_get_status {...} }`` in the wire format."""
        obstruction = _real(1, self.obstructed_share)
        if self.obstructed:
            obstruction += _whole(5, 1)
        body = b"".join(
            (
                _bytes(1, _bytes(3, self.firmware.encode())),
                _bytes(2, _whole(1, self.uptime_seconds)),
                _real(1003, self.ping_drop_share),
                _bytes(1004, obstruction),
                _bytes(1005, b"".join(_whole(alert, 1) for alert in self.alerts)),
                _real(1009, self.ping_ms),
                _bytes(1014, _whole(1, self.outage_cause)) if self.outage_cause else b"",
            )
        )
        return _bytes(2004, body)

    def handler(self) -> Handler:
        """Answers every POST; an HTTP server for ``simulator.services.serving``."""

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            asked = await reader.readexactly(size)
            data = _frame(self.status()) if asked == _frame(_bytes(1004, b"")) else b""
            said = data + _frame(b"grpc-status:0\r\n" if data else b"grpc-status:12\r\n", 0x80)
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/grpc-web+proto\r\n"
                b"Content-Length: %d\r\n\r\n" % len(said) + said
            )
            await writer.drain()

        return handle


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def _whole(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _real(field: int, number: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", number)


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _frame(message: bytes, flags: int = 0) -> bytes:
    return struct.pack(">BI", flags, len(message)) + message
