"""One HTTP/1.1 answer, read from a socket, and the dates in it.

Law: an answer is whole and bounded, in bytes and in time, or it is none. (``http.client`` bounds
neither the time nor the number of its waits, and with the mail library that it needs takes a
megabyte of a device that has few.)

Sources: RFC 9112 sections 4, 5, 6 and 7; RFC 9110 section 5.6.7.
"""

import re
import socket
import time
from datetime import UTC, datetime

from probes.receipt import Reply

HEAD_MAX_BYTES = 32 * 1024
BODY_MAX_BYTES = 1 << 20
ANSWER_SECONDS_MAX = 60.0
"""From the request to the last byte, however slowly they drip."""
INTERIM_MAX = 8

_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5]\d\d)(?: [\t -~\x80-\xff]*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[\t -~\x80-\xff]*)?")
_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    r" (\d{4}) (\d\d):(\d\d):(\d\d) GMT",
    re.ASCII,
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class AnswerError(OSError):
    """What came back is no whole answer; the message says why."""


class ClosedError(ConnectionError):
    """The connection ended before the first byte of an answer."""


def http_date(text: str) -> float | None:
    """Unix seconds of a date as HTTP/1.1 writes it (IMF-fixdate); None for anything else."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    day, month, year, hour, minute, second = match.groups()
    at = (int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second))
    try:
        return datetime(*at, tzinfo=UTC).timestamp()
    except ValueError:  # the 30th of February, a leap second
        return None


class Answers:
    """Reads the answers that come over one connection, one after the other."""

    def __init__(self, sock: socket.socket, wait_seconds: float) -> None:
        self._sock, self._wait_seconds = sock, wait_seconds
        self._buffer = b""
        self._until = 0.0

    def read(self) -> tuple[Reply, bool]:
        """The next answer, and whether the connection can be kept. Raises OSError: ClosedError when
        nothing came, AnswerError for half an answer or none, TimeoutError."""
        self._until = time.monotonic() + ANSWER_SECONDS_MAX
        if not self._buffer and not self._more():
            raise ClosedError("the connection was closed without an answer")
        for _ in range(INTERIM_MAX):
            minor, status, headers = _head(self._through(b"\r\n\r\n", HEAD_MAX_BYTES))
            if status >= 200:
                break
        else:
            raise AnswerError("nothing but interim answers")
        keep = minor == 1 and "close" not in headers.get("connection", "").lower()
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if coding is not None:
            if coding.lower() != "chunked" or length is not None or minor == 0:
                raise AnswerError(f"an answer framed as {coding[:40]!r}")
            body = self._chunks()
        elif status in (204, 304):
            body = b""
        elif length is not None:
            if not (length.isascii() and length.isdecimal() and len(length) < 12):
                raise AnswerError(f"Content-Length is {length[:40]!r}")
            body = self._exactly(int(length))
        else:
            body, keep = self._rest(), False
        return Reply(status, headers, body), keep and not self._buffer

    def _more(self) -> bool:
        """Wait for more bytes; False at the end of the connection."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(min(self._wait_seconds, left))
        data = self._sock.recv(65_536)
        self._buffer += data
        return bool(data)

    def _through(self, mark: bytes, most: int) -> bytes:
        """What comes before ``mark``, which is taken too."""
        start = 0
        while (at := self._buffer.find(mark, start)) < 0:
            start = max(0, len(self._buffer) - len(mark) + 1)
            if len(self._buffer) > most:
                raise AnswerError(f"a head of more than {most} bytes")
            if not self._more():
                raise AnswerError("the answer was cut off")
        if at > most:
            raise AnswerError(f"a head of more than {most} bytes")
        found, self._buffer = self._buffer[:at], self._buffer[at + len(mark) :]
        return found

    def _exactly(self, count: int) -> bytes:
        if count > BODY_MAX_BYTES:
            raise AnswerError("the answer is larger than any receipt")
        while len(self._buffer) < count:
            if not self._more():
                raise AnswerError(f"{count - len(self._buffer)} bytes of the answer are missing")
        found, self._buffer = self._buffer[:count], self._buffer[count:]
        return found

    def _rest(self) -> bytes:
        """All until the connection ends: nobody says whether that is all."""
        while self._more():
            if len(self._buffer) > BODY_MAX_BYTES:
                raise AnswerError("the answer is larger than any receipt")
        found, self._buffer = self._buffer, b""
        return found

    def _chunks(self) -> bytes:
        body = b""
        while True:
            match = _SIZE.fullmatch(self._through(b"\r\n", HEAD_MAX_BYTES))
            if match is None:
                raise AnswerError("a chunk without a size")
            size = int(match[1], 16)
            if not size:
                break
            body += self._exactly(min(size, BODY_MAX_BYTES + 1 - len(body)))
            if self._through(b"\r\n", 2):
                raise AnswerError("a chunk that is longer than it says")
        while self._through(b"\r\n", HEAD_MAX_BYTES):  # trailers say nothing that we heed
            pass
        return body


def _head(data: bytes) -> tuple[int, int, dict[str, str]]:
    """Minor version, status, and the fields by their names in lower case."""
    first, *lines = data.split(b"\r\n")
    match = _STATUS.fullmatch(first)
    if match is None:
        raise AnswerError(f"{first[:60]!r} begins no HTTP answer")
    headers: dict[str, str] = {}
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise AnswerError(f"{line[:60]!r} is no header")
        name, value = field[1].decode().lower(), field[2].decode("latin-1")
        if name in headers and name in ("content-length", "transfer-encoding", "receipt"):
            raise AnswerError(f"two headers {name}")
        headers[name] = value
    return int(match[1]), int(match[2]), headers
