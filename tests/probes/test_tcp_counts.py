"""The kernel's counts of a connection, on both of its ends."""

import socket
import time

import pytest

from probes.tcp_counts import Counts, tcp_counts

DEADLINE_SECONDS = 5.0


def connection(family: socket.AddressFamily) -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0),
                              family=family) as server:  # fmt: skip
        near = socket.create_connection(server.getsockname()[:2])
        far, _ = server.accept()
    return near, far


@pytest.mark.parametrize(
    ("family", "header_bytes"), [(socket.AF_INET, 40 + 12), (socket.AF_INET6, 60 + 12)]
)
def test_both_ends(family: socket.AddressFamily, header_bytes: int) -> None:
    """What one end has sent the other has got and acknowledged, segment by segment, without
    anybody reading it; the line carried both directions."""
    try:
        near, far = connection(family)
    except OSError as error:
        pytest.skip(f"no loopback of this family here: {error}")
    with near, far:
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(7):
            near.sendall(bytes(100))
        counts = counted(near, 7 + 1)
        assert (counts.sent, counts.delivered, counts.arrived) == (7, 7 + 1, 0)
        assert counts.header_bytes == header_bytes
        assert counts.sent_packet_bytes > 1000
        other = tcp_counts(far)
        assert (other.arrived, other.sent) == (7, 0)
        assert other.carried_bytes >= 7 * (header_bytes + 100)


def counted(sock: socket.socket, segments: int) -> Counts:
    """The counts when so many segments have been acknowledged."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (counts := tcp_counts(sock)).delivered < segments:
        assert time.monotonic() < deadline
    return counts


def test_an_old_kernel_says_so() -> None:
    """A Linux that tells less than we need is an error of the system's, not a wrong figure."""

    class Old(socket.socket):
        def getsockopt(self, *_: int) -> bytes:  # type: ignore[override] - the one form we use
            return bytes(104)

    with Old() as old, pytest.raises(OSError, match="does not count"):
        tcp_counts(old)
