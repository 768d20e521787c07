"""Just enough of the protocol buffers wire format to read a status message.

Law: a message is read by field number into numbers and bytes; what is cut short or malformed raises
ValueError, and nothing is ever looked for beyond the given bytes.
"""

import struct
from collections.abc import Iterator, Mapping

Value = int | bytes
Message = Mapping[int, Value]
"""The last value of each field, by its number. Fixed-width and nested fields are bytes."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def read_message(data: bytes) -> dict[int, Value]:
    """The fields of a message (https://protobuf.dev/programming-guides/encoding/). Where a field
    comes twice the last one holds. Raises ValueError."""
    return dict(_fields(data))


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {kind} at byte {at}")
        if at + size > len(data):
            raise ValueError(f"field {tag >> 3} is cut short")
        yield tag >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for count, byte in enumerate(data[at : at + 10]):
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value, at + count + 1
    raise ValueError(f"no number at byte {at}")


def nested(message: Message, field: int) -> dict[int, Value]:
    """The message in a field; an empty one where there is none. Raises ValueError."""
    value = message.get(field, b"")
    if not isinstance(value, bytes):
        raise ValueError(f"field {field} is no message")
    return read_message(value)


def real(message: Message, field: int) -> float:
    """A ``float`` field; 0 where it is not there, as proto3 has it. Raises ValueError."""
    value = message.get(field, b"\0\0\0\0")
    if not isinstance(value, bytes) or len(value) != 4:
        raise ValueError(f"field {field} is no float")
    return float(struct.unpack("<f", value)[0])


def whole(message: Message, field: int) -> int:
    """A number field; 0 where it is not there. Raises ValueError."""
    value = message.get(field, 0)
    if not isinstance(value, int):
        raise ValueError(f"field {field} is no number")
    return value


def text(message: Message, field: int) -> str:
    """A ``string`` field; empty where it is not there. Raises ValueError."""
    value = message.get(field, b"")
    if not isinstance(value, bytes):
        raise ValueError(f"field {field} is no text")
    return value.decode("utf-8")
