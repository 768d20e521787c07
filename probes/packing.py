"""A batch of lines in as few bytes as a metered line deserves (docs/probe.md, "The packed batch").

Law: what is unpacked is the same lines, byte for byte; packing knows no measurement and loses
nothing.

Lines of a probe are alike but for their numbers. So every line is split into its text and its
numbers; each text is sent once, deflated with a dictionary that both ends know (RFC 1950), and the
numbers column by column as what they differ by from a middle value, or from a straight line (times,
uptimes), in a Rice code (Rice and Plaunt 1971: a quotient in unary, ``k`` bits of remainder).
"""

import math
import re
import zlib
from collections.abc import Sequence
from itertools import pairwise

from model.wire import DICTIONARIES, MARK

# Numbers of which the digits and the place of the point are all there is to know.
_NUMBER = re.compile(
    rb"(?<=[= ])(?:0|-?[1-9]\d{0,14}|-?(?:0|[1-9]\d{0,8})\.\d{0,8}[1-9])(?=[i, ]|$)"
)
MIDDLE, LINE, SAME, NEAR = 0, 1, 2, 3
UNARY_MAX = 31
"""A longer quotient is this many ones and the whole number in 64 bits."""


def pack(head: str, lines: Sequence[bytes]) -> bytes:
    """The body of a request. ``head`` is one line of text that comes first when it is unpacked."""
    texts: dict[bytes, int] = {}
    rows: list[int] = []
    tables: list[list[list[bytes]]] = []
    for line in lines:
        place = texts.setdefault(_NUMBER.sub(MARK, line), len(texts))
        if place == len(tables):
            tables.append([])
        rows.append(place)
        tables[place].append(_NUMBER.findall(line))
    bits = _Bits()
    shown = [text.split(MARK) for text in texts]
    for place, table in enumerate(tables):
        bits.next_text()
        for number, column in enumerate(zip(*table, strict=True)):
            if len(set(column)) == 1 and len(column) > 1:
                shown[place][number] += column[0]  # part of the text from now on
            else:
                shown[place][number] += MARK
                bits.column(column)
    listed = b"\n".join([head.encode(), *(b"".join(parts) for parts in shown), b""])
    (_, dictionary), *_ = DICTIONARIES.items()
    deflate = zlib.compressobj(9, wbits=12, zdict=dictionary)
    index = bytes(rows) if len(texts) <= 256 else b"".join(row.to_bytes(2, "big") for row in rows)
    return deflate.compress(listed + b"\n" + index) + deflate.flush() + bits.packed()


class _Bits:
    """Columns of numbers, written bit by bit."""

    def __init__(self) -> None:
        self._parts: list[str] = ["1"]  # so that no leading zero is lost
        self._column: Sequence[bytes] = ()
        self._start = self._step = self._middle = 0
        self._scale, self._unit = -1, 1

    def next_text(self) -> None:
        """A column is ``SAME`` only as one of its own text."""
        self._column = ()

    def column(self, column: Sequence[bytes]) -> None:
        """Write one column: its mode and what that needs."""
        if column == self._column:
            self._parts.append(f"{SAME:02b}")
            return
        self._column = column
        scale = max(len(text.partition(b".")[2]) for text in column)
        values = [_scaled(text, scale) for text in column]
        middle = _middle(values)
        unit = math.gcd(*(value - middle for value in values)) or 1
        steps = [after - before for before, after in pairwise(values)]
        step = _middle(steps) if steps else self._step
        off_middle = [_unsigned((value - middle) // unit) for value in values]
        off_line = [_unsigned(found - step) for found in steps]
        if sum(item.bit_length() for item in off_line) < sum(
            item.bit_length() for item in off_middle
        ) or max(values) > 2**40:  # fmt: skip
            self._parts.append(f"{LINE:02b}{scale:04b}")
            self._number(_unsigned(values[0] - self._start))
            self._number(_unsigned(step - self._step))
            self._start, self._step = values[0], step
            self._rice(off_line)
        else:
            away, odd = divmod(middle - self._middle, unit)
            if (scale, unit, odd) == (self._scale, self._unit, 0):
                self._parts.append(f"{NEAR:02b}")
                self._number(_unsigned(away))
            else:
                self._parts.append(f"{MIDDLE:02b}{scale:04b}")
                self._number(unit)
                self._number(_unsigned(middle))
            self._scale, self._unit, self._middle = scale, unit, middle
            self._rice(off_middle)

    def packed(self) -> bytes:
        """All of it; the first bit that is set only says where the others begin."""
        text = "".join(self._parts)
        return int(text, 2).to_bytes((len(text) + 7) // 8, "big")

    def _number(self, value: int) -> None:
        """Three bits at a time, the lowest first, each with a bit that says whether more follow."""
        while value > 7:
            self._parts.append(f"1{value & 7:03b}")
            value >>= 3
        self._parts.append(f"0{value:03b}")

    def _rice(self, values: Sequence[int]) -> None:
        k = min(range(32), key=lambda k: sum((value >> k) + 1 + k for value in values))
        self._parts.append(f"{k:05b}")
        for value in values:
            quotient = value >> k
            if quotient >= UNARY_MAX:
                self._parts.append("1" * UNARY_MAX + f"{value:064b}")
            elif k:
                self._parts.append("1" * quotient + f"0{value & ((1 << k) - 1):0{k}b}")
            else:
                self._parts.append("1" * quotient + "0")


def _scaled(text: bytes, scale: int) -> int:
    whole, _, rest = text.partition(b".")
    return int(whole + rest.ljust(scale, b"0"))


def _middle(values: Sequence[int]) -> int:
    return sorted(values)[(len(values) - 1) // 2]  # the module statistics takes a megabyte


def _unsigned(value: int) -> int:
    return 2 * value if value >= 0 else -2 * value - 1
