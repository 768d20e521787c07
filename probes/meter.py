"""Bytes that a connection really cost, as the kernel counts them.

Law: everything from the IP header up is counted: TCP's own headers, acknowledgements, repeats, and
TLS. Source: tcp(7) TCP_INFO; struct tcp_info of linux/tcp.h (only ever appended to).
"""

import socket
import struct

_ACKED_RECEIVED = (120, "QQ")  # tcpi_bytes_acked, tcpi_bytes_received: Linux 4.1
_SEGMENTS = (136, "II")  # tcpi_segs_out, tcpi_segs_in: Linux 4.2
_SENT = (200, "Q")  # tcpi_bytes_sent, repeats included: Linux 4.19
_OPTIONS = 5  # tcpi_options
_TIMESTAMPS = 1  # TCPI_OPT_TIMESTAMPS
_INFO_BYTES = 232
_TCP_HEADER, _TIMESTAMP_OPTION = 20, 12
_HANDSHAKE_OPTIONS = 20  # MSS, SACK, scale, time stamps: on the SYN and on its answer


CLOSING_BYTES = 3 * 52
"""What the end of a connection costs after its last answer: two FINs and an ACK, with time stamps.
Nobody can be asked when it is over."""


def tcp_bytes(sock: socket.socket) -> int:
    """What this connection has carried since it was opened, both ways, in bytes from IP up.

    Raises OSError when the socket is closed or the kernel tells less (older than 4.19).
    """
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    if len(info) < _SENT[0] + 8:
        raise OSError("this kernel does not count the bytes of a connection")
    _, received = struct.unpack_from(_ACKED_RECEIVED[1], info, _ACKED_RECEIVED[0])
    segments = sum(struct.unpack_from(_SEGMENTS[1], info, _SEGMENTS[0]))
    (sent,) = struct.unpack_from(_SENT[1], info, _SENT[0])
    header = 40 if sock.family == socket.AF_INET6 else 20
    header += _TCP_HEADER + (_TIMESTAMP_OPTION if info[_OPTIONS] & _TIMESTAMPS else 0)
    return int(sent + received + segments * header + 2 * _HANDSHAKE_OPTIONS)
