"""The kind ``starlink``: what the dish says of itself, over gRPC-Web.

Law: one question is asked, ``get_status``; nothing that changes the dish is ever sent. A field that
the dish leaves out is zero (proto3), a message that cannot be read is a bad answer.
"""

import math
import re
import struct

import h11

from model.check import Check
from model.kinds import Starlink
from model.measurement import Reason
from probes.connect import (
    STREAM_BYTES,
    LookError,
    Readings,
    Resolve,
    bounded,
    connected,
    find,
)
from probes.look import Look
from probes.protobuf import Message, nested, read_message, real, text, whole

# Numbers of the fields in SpaceX.API.Device: Request, Response, DishGetStatusResponse.
GET_STATUS = 1004
DISH_GET_STATUS = 2004
DEVICE_INFO, DEVICE_STATE = 1, 2
PING_DROP, OBSTRUCTION, ALERTS, PING_MS = 1003, 1004, 1005, 1009
OUTAGE = 1014

PATH = "/SpaceX.API.Device.Device/Handle"
_BYTES_MAX = 64 * 1024
_OUTAGES = {
    1: "booting",
    2: "stowed",
    3: "thermal shutdown",
    4: "no schedule",
    5: "no satellites",
    6: Reason.OBSTRUCTED,
    7: "no downlink",
    8: "no pings",
    9: "actuator activity",
    10: "cable test",
    11: "sleeping",
}
"""``DishOutage.Cause``: why there is no internet although the dish answers."""


class StarlinkProbe:
    """Readings: ``dish_...`` of METRICS and ``uptime_seconds``. DOWN when the dish is silent, and
    when it says that it has an outage itself."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve

    async def __call__(self, check: Check) -> Look:
        settings = check.settings
        if not isinstance(settings, Starlink):
            raise TypeError(f"{check.key}: a starlink check carries Starlink settings")

        async def look(readings: Readings) -> None:
            address = await find(check.address, self._resolve, readings)
            try:
                body = await _exchange(address, settings.port, readings)
                status = nested(read_message(_unframed(body)), DISH_GET_STATUS)
                readings.update(_readings(status))
                cause = whole(nested(status, OUTAGE), 1)
            except (h11.RemoteProtocolError, ValueError):
                raise LookError(Reason.BAD_ANSWER) from None
            if OUTAGE in status:
                raise LookError(f"dish: {_OUTAGES.get(cause, f'cause {cause}')}")

        return await bounded(check, look)


def _readings(status: Message) -> Readings:
    obstruction, alerts = nested(status, OBSTRUCTION), nested(status, ALERTS)
    found: Readings = {
        "dish_ping_drop_share": real(status, PING_DROP),
        "dish_ping_seconds": real(status, PING_MS) / 1000,
        "dish_obstructed_share": real(obstruction, 1),
        "dish_obstructed": whole(obstruction, 5),
        "dish_alerts": sum(value == 1 for value in alerts.values()),
        "uptime_seconds": whole(nested(status, DEVICE_STATE), 1),
    }
    if not all(math.isfinite(value) for value in found.values()):
        raise ValueError("a reading is not finite")
    version = re.match(r"(20\d\d)\.(\d\d)\.(\d\d)\b", text(nested(status, DEVICE_INFO), 3))
    if version is not None:
        found["dish_firmware"] = int("".join(version.groups()))
    return found


def framed(message: bytes, flags: int = 0) -> bytes:
    """A gRPC frame (grpc/doc/PROTOCOL-WEB.md): flags, length, message."""
    return struct.pack(">BI", flags, len(message)) + message


REQUEST = framed(b"\xe2\x3e\x00")
"""``Request { get_status {} }``: field 1004, empty."""


def _unframed(body: bytes) -> bytes:
    """The message of the first data frame. Raises ValueError; LookError for a gRPC error."""
    if len(body) < 5:
        raise ValueError("no frame")
    flags, size = struct.unpack(">BI", body[:5])
    if flags & 0x80:  # trailers only: the call failed
        found = re.search(rb"grpc-status:\s*(\d{1,3})", body[5:], re.IGNORECASE)
        raise LookError(f"dish: gRPC status {int(found[1])}" if found else Reason.BAD_ANSWER)
    if flags or len(body) < 5 + size:
        raise ValueError("a frame that is compressed or cut short")
    return body[5 : 5 + size]


async def _exchange(address: str, port: int, readings: Readings) -> bytes:
    """POST the question; the answer's body."""
    host = f"[{address}]" if ":" in address else address
    async with connected(address, port, readings) as stream:
        talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=STREAM_BYTES)
        headers = [
            ("Host", f"{host}:{port}"),
            ("Content-Type", "application/grpc-web+proto"),
            ("X-Grpc-Web", "1"),
            ("Content-Length", str(len(REQUEST))),
            ("Connection", "close"),
        ]
        request = h11.Request(method="POST", target=PATH, headers=headers)
        for part in (request, h11.Data(data=REQUEST), h11.EndOfMessage()):
            stream.writer.write(talk.send(part) or b"")
        body, taken = bytearray(), 0
        while taken < _BYTES_MAX:
            event = talk.next_event()
            if event is h11.NEED_DATA:
                data = await stream.reader.read(STREAM_BYTES)
                taken += len(data)
                talk.receive_data(data)
            elif isinstance(event, h11.Response) and event.status_code != 200:
                raise LookError(f"{Reason.WRONG_STATUS} {event.status_code}")
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return bytes(body)
        raise LookError(Reason.BAD_ANSWER)
