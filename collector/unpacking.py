"""The packed batch, unpacked: the lines that the probe had (docs/probe.md, "The packed batch").

Law: nothing is taken for granted. Every length is checked against the limits before the memory is
used, and what does not add up is refused as a whole; what the lines say is judged by others.
"""

import zlib

from collector.admission import Limits, TooLargeError
from model.wire import DICTIONARIES, MARK

MIDDLE, LINE, SAME, NEAR = 0, 1, 2, 3
UNARY_MAX = 31
NUMBERS_MAX = 60_000
"""In one batch: what is unpacked in a twentieth of a second. Our probes send a third at most."""
NUMBER_CHARACTERS = 20
"""As many as a number of the packed form can take when it is written out."""


def unpack(body: bytes, limits: Limits) -> tuple[dict[str, str], list[bytes]]:
    """The envelope, as the headers that say the same of a plain batch, and the lines. Raises
    TooLargeError, and ValueError for what is no packed batch."""
    listed, packed = _inflated(body, limits)
    end = listed.find(b"\n\n")
    if end < 0:
        raise ValueError("the packed batch has no end of its texts")
    (head, *texts), index = listed[:end].split(b"\n"), listed[end + 2 :]
    if not texts or not index:
        raise ValueError("the packed batch has no lines")
    width = 1 if len(texts) <= 256 else 2
    if len(index) % width:
        raise ValueError("the packed batch is cut off")
    rows = [int.from_bytes(index[at : at + width], "big") for at in range(0, len(index), width)]
    if len(rows) > limits.points:
        raise TooLargeError(f"{len(rows)} lines; at most {limits.points} go into one request")
    if max(rows) >= len(texts):
        raise ValueError("the packed batch names a line that it does not hold")
    counts = [0] * len(texts)
    for row in rows:
        counts[row] += 1
    marks = [text.count(MARK) for text in texts]
    numbers = sum((count + 1) * mark for count, mark in zip(counts, marks, strict=True))
    size = sum(count * len(text) for count, text in zip(counts, texts, strict=True))
    if numbers > NUMBERS_MAX or size + numbers * NUMBER_CHARACTERS > limits.inflated_bytes:
        raise TooLargeError("unpacks to more than a batch may hold")
    bits = _Bits(packed)
    written = [
        iter(bits.lines(text.decode(), count)) for text, count in zip(texts, counts, strict=True)
    ]
    return _headers(head, len(rows)), [next(written[row]).encode() for row in rows]


def _headers(head: bytes, count: int) -> dict[str, str]:
    """The head is: probe, epoch, number of the first line, and where a line needs it the boot and
    the monotonic clock at the sending."""
    words = head.decode().split(" ")
    if len(words) not in (3, 5) or not (words[2].isascii() and words[2].isdecimal()):
        raise ValueError("the head of the packed batch cannot be read")
    names = ("probe", "epoch", "first", "boot", "monotonic-ms")
    headers = {f"x-jangkau-{name}": word for name, word in zip(names, words, strict=False)}
    return headers | {"x-jangkau-last": str(int(words[2][:18]) + count - 1)}


def _inflated(body: bytes, limits: Limits) -> tuple[bytes, bytes]:
    """The deflated part, and what follows it."""
    dictionary = DICTIONARIES.get(int.from_bytes(body[2:6], "big"))
    if dictionary is None or not body[1] & 0x20:  # FDICT, RFC 1950 section 2.2
        raise ValueError("no packed batch, or one with a dictionary that is not known here")
    stream = zlib.decompressobj(zdict=dictionary)
    allowed = min(limits.inflated_bytes, limits.inflate_ratio_free_bytes * 4)
    try:
        listed = stream.decompress(body, allowed + 1)
    except zlib.error as error:
        raise ValueError(f"not deflated: {error}") from None
    if len(listed) > allowed:
        raise TooLargeError(f"the texts of a packed batch have at most {allowed} bytes")
    if not stream.eof:
        raise ValueError("the packed batch is cut off")
    return listed, stream.unused_data


class _Bits:
    """Columns of numbers, read bit by bit."""

    def __init__(self, packed: bytes) -> None:
        self._bits = bin(int.from_bytes(packed, "big"))[3:]
        self._at = 0
        self._start = self._step = self._middle = 0
        self._scale, self._unit = -1, 1

    def lines(self, text: str, count: int) -> list[str]:
        """``count`` lines of a text, its numbers put back. Raises ValueError."""
        first, *others = text.split(MARK.decode())
        columns: list[list[str]] = []
        for _ in others:
            mode = self._take(2)
            if mode != SAME:
                columns.append(self._column(mode, count))
            elif columns:
                columns.append(columns[-1])
            else:
                raise ValueError("a column of the packed batch is that of none before it")
        if not columns:
            return [first] * count
        parts = [[first] * count]
        for column, other in zip(columns, others, strict=True):
            parts += [column, [other] * count]
        return ["".join(row) for row in zip(*parts, strict=True)]

    def _column(self, mode: int, count: int) -> list[str]:
        if mode == LINE:
            scale = self._take(4)
            self._start += _signed(self._number())
            self._step += _signed(self._number())
            values = [self._start]
            for value in self._rice(max(0, count - 1)):
                values.append(values[-1] + self._step + _signed(value))
        else:
            if mode == MIDDLE:
                self._scale, self._unit = self._take(4), self._number()
                self._middle = _signed(self._number())
            else:
                self._middle += _signed(self._number()) * self._unit
            scale = self._scale
            values = [self._middle + _signed(value) * self._unit for value in self._rice(count)]
        if scale < 0 or max(map(abs, values), default=0) >= 10**18:
            raise ValueError("a number of the packed batch is too large")
        if not scale:
            return list(map(str, values))
        return [_text(value, scale) for value in values]

    def _take(self, width: int) -> int:
        end = self._at + width
        if end > len(self._bits):
            raise ValueError("the packed batch is cut off")
        found = self._bits[self._at : end]
        self._at = end
        return int(found, 2)

    def _number(self) -> int:
        value = 0
        for place in range(0, 66, 3):
            part = self._take(4)
            value |= (part & 7) << place
            if part < 8:
                return value
        raise ValueError("a number of the packed batch has no end")

    def _rice(self, count: int) -> list[int]:
        k = self._take(5)
        values = []
        for _ in range(count):
            zero = self._bits.find("0", self._at, self._at + UNARY_MAX)
            if zero < 0:
                self._at += UNARY_MAX
                values.append(self._take(64))
                continue
            quotient, self._at = zero - self._at, zero + 1
            values.append((quotient << k) | (self._take(k) if k else 0))
        return values


def _signed(value: int) -> int:
    return value >> 1 if not value & 1 else -((value + 1) >> 1)


def _text(value: int, scale: int) -> str:
    digits = f"{abs(value):0{scale + 1}d}"
    rest = digits[-scale:].rstrip("0")
    return f"{'-' if value < 0 else ''}{digits[:-scale]}{'.' if rest else ''}{rest}"
