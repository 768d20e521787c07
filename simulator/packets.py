"""Answers to IPv4 packets, byte by byte: echo replies and the errors of routers on the way.

Law: a packet goes in, a packet comes out. Source: RFC 791, RFC 792, RFC 1071, RFC 1624.
"""

import struct

_ICMP = 1
TIME_EXCEEDED = (11, 0)
HOST_UNREACHABLE = (3, 1)
"""ICMP errors as type and code."""


def error(kind: tuple[int, int], source: bytes, packet: bytes, header: int) -> bytes:
    """An ICMP error of a router (a packed address) about a packet whose header is so long; it
    quotes the header and eight bytes more (RFC 792)."""
    body = struct.pack("!BBHI", *kind, 0, 0) + packet[: header + 8]
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    outer = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, _ICMP, 0)
    outer += source + packet[12:16]
    return outer[:10] + struct.pack("!H", checksum(outer)) + outer[12:] + body


def echo_reply(packet: bytes, header: int) -> bytes:
    """The answer to an echo request: addresses swapped (which leaves the IP checksum as it is),
    type 8 made 0 and the checksum corrected for that alone (RFC 1624)."""
    old = int.from_bytes(packet[header + 2 : header + 4])
    changed = old + 0x0800
    corrected = (changed & 0xFFFF) + (changed >> 16)
    return b"".join(
        (
            packet[:12],
            packet[16:20],
            packet[12:16],
            packet[20:header],
            b"\x00" + packet[header + 1 : header + 2],
            corrected.to_bytes(2),
            packet[header + 4 :],
        )
    )


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) // 2 * 2]))
    total += data[-1] << 8 if len(data) % 2 else 0
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
