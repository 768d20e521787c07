"""What the kernel has counted of one TCP connection.

Law: a line is measured where its packets are counted, not where their bytes are handed over. After
a loss TCP keeps back all that came behind the gap; the line was busy meanwhile, and its packets
were counted as they came.
"""

import errno
import socket
import struct
from typing import NamedTuple

_INFO = struct.Struct("=5xB10x2I112x2I8x2I32xI")
"""``struct tcp_info`` (linux/tcp.h): options, snd_mss and rcv_mss, segs_out and segs_in,
data_segs_in and data_segs_out, delivered. Linux 4.18 was the first to have them all."""
_TIME_STAMPS = 1
"""TCPI_OPT_TIMESTAMPS: RFC 7323 was agreed on."""
_TIME_STAMPS_BYTES = 12
_IP_TCP_BYTES = {socket.AF_INET: 40, socket.AF_INET6: 60}
_SEGMENT_BYTES_MIN = 500
"""Before the first full segment has come the kernel knows no better than a guess."""


class Counts(NamedTuple):
    """Segments with data so far, repeats and those out of order too: that ``arrived`` here, that we
    ``sent``, and that the other side acknowledged one by one (``delivered``: SACK, RFC 2018; the
    SYN that opened the connection is one of them).

    ``header_bytes``: of IP and TCP in each packet; ``arrived_packet_bytes``, ``sent_packet_bytes``:
    of the IP packet that a full segment makes; ``carried_bytes``: all IP packets of the connection,
    both ways, each taken for full or empty.
    """

    arrived: int
    sent: int
    delivered: int
    header_bytes: int
    arrived_packet_bytes: int
    sent_packet_bytes: int
    carried_bytes: int


def tcp_counts(connection: socket.socket) -> Counts:
    """The kernel's own figures. Raises OSError; ENOTSUP on a Linux older than 4.18."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
    if len(info) < _INFO.size:
        raise OSError(errno.ENOTSUP, "this Linux does not count delivered segments")
    options, sends, receives, all_out, all_in, data_in, data_out, delivered = _INFO.unpack(info)
    header = _IP_TCP_BYTES[connection.family]
    header += _TIME_STAMPS_BYTES if options & _TIME_STAMPS else 0
    arrives = max(receives, _SEGMENT_BYTES_MIN) + header
    leaves = max(sends, _SEGMENT_BYTES_MIN) + header
    empty = (all_in - data_in + all_out - data_out) * header
    carried = data_in * arrives + delivered * leaves + empty
    return Counts(data_in, data_out, delivered, header, arrives, leaves, carried)
