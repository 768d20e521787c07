"""Run inside ``unshare -Urn``: five hosts and two bad routes behind a TUN device, looked at by the
engine. Prints what came of each address as JSON. The hosts are a thread that answers real packets.
"""

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import threading

from probes import echo_socket
from probes.echo import EchoRequest
from probes.icmp import EchoEngine
from probes.ping import look_of

TUN_SET_INTERFACE, TUN_WITHOUT_HEADER = 0x400454CA, 0x1001
UP, REFUSED_SHORT, REFUSED_LONG, SILENT, TWICE = (f"10.9.0.{host}" for host in range(10, 15))
NO_ROUTE, PROHIBITED = "10.77.0.1", "10.78.0.1"


def checksum(data: bytes) -> bytes:
    return (0xFFFF - int.from_bytes(data, "big") % 0xFFFF).to_bytes(2, "big")


def packet(source: str, destination: str, icmp: bytes) -> bytes:
    """An IPv4 packet with an ICMP message whose checksum is still zero."""
    icmp = icmp[:2] + checksum(icmp) + icmp[4:]
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(icmp), 0, 0, 64, 1, 0)
    header += socket.inet_aton(source) + socket.inet_aton(destination)
    return header[:10] + checksum(header) + header[12:] + icmp


def answers(request: bytes) -> list[bytes]:
    """What the hosts send back for one request."""
    asker, host = socket.inet_ntoa(request[12:16]), socket.inet_ntoa(request[16:20])
    reply = packet(host, asker, b"\0\0\0\0" + request[24:])
    refusal = struct.pack("!BBHI", 3, 1, 0, 0) + request
    return {
        UP: [reply],
        REFUSED_SHORT: [packet("10.9.255.1", asker, refusal[: 8 + 20 + 8])],
        REFUSED_LONG: [packet("10.9.255.1", asker, refusal)],
        TWICE: [reply, reply],
    }.get(host, [])


def be_the_hosts(tun: int) -> None:
    while True:
        request = os.read(tun, 2048)
        if request[0] >> 4 == 4 and request[9] == socket.IPPROTO_ICMP and request[20] == 8:
            for answer in answers(request):
                os.write(tun, answer)


def refuse_raw_sockets() -> None:
    """As for a user without CAP_NET_RAW."""
    with open("/proc/sys/net/ipv4/ping_group_range", "w") as allowed:  # noqa: PTH123 - one line
        allowed.write("0 0")
    real = socket.socket

    def guarded(family: int, kind: int, protocol: int = 0) -> socket.socket:
        if kind == socket.SOCK_RAW:
            raise PermissionError(1, "Operation not permitted")
        return real(family, kind, protocol)

    echo_socket.socket.socket = guarded


def main(mode: str) -> None:
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUN_SET_INTERFACE, struct.pack("16sH22x", b"village", TUN_WITHOUT_HEADER))
    for command in (
        "link set lo up",
        "address add 10.9.0.1/16 dev village",
        "link set village up",
        "route add prohibit 10.78.0.0/16",
    ):
        subprocess.run(["ip", *command.split()], check=True)  # noqa: S607 - the literals above
    if mode == "datagram":
        refuse_raw_sockets()
    threading.Thread(target=be_the_hosts, args=(tun,), daemon=True).start()
    engine = EchoEngine(1000)
    for address in (UP, REFUSED_SHORT, REFUSED_LONG, SILENT, TWICE, NO_ROUTE, PROHIBITED):
        engine.add(EchoRequest(address, address, 3, spacing_seconds=0.02, timeout_seconds=0.8))
    found = {}
    while engine.pending:
        for result in engine.step(1):
            look = look_of(result)
            found[result.request.key] = {
                "outcome": look.outcome.name, "reason": look.reason, **look.readings,
            }  # fmt: skip
    print(json.dumps(found))  # noqa: T201 - to the test that started us
    engine.close()


if __name__ == "__main__":
    main(sys.argv[1])
