"""Measurements as InfluxDB line protocol: the one form in which they are spooled and sent.

Law: one measurement is one line, whatever is in it, and the same measurement is the same bytes.
Source: InfluxDB v2 documentation, "Line protocol" (elements, special characters).
"""

import math
import re

from model.measurement import METRICS, Measurement

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_MEASUREMENT_SPECIAL = re.compile(r"([, ])")
_TAG_SPECIAL = re.compile(r"([,= ])")
_DETAIL = re.compile(
    rb"(?<!\\),(?:rtt_min_seconds|rtt_p95_seconds|rtt_max_seconds|jitter_seconds|late|duplicates)"
    rb"=[^, ]+"
)
_STRING_SPECIAL = re.compile(r'(["\\])')


def encode(measurement: Measurement) -> bytes:
    """One line without its line feed, UTF-8; the time is in milliseconds (``precision=ms``).

    Raises ValueError for what the format cannot carry: an empty or control-character tag, a
    trailing backslash in one, a reading that is not a finite number.
    """
    kind = _MEASUREMENT_SPECIAL.sub(r"\\\1", _name("kind", measurement.kind))
    tags = (
        ("site", measurement.site),
        ("target", measurement.target),
        ("vantage", measurement.vantage),
    )
    series = ",".join([kind, *(f"{key}={_tag(key, value)}" for key, value in tags)])
    fields = [f"outcome={int(measurement.outcome)}i"]
    fields += [f"{name}={_number(name, value)}" for name, value in measurement.readings.items()]
    if measurement.reason:
        fields.append(f"reason={_string(measurement.reason)}")
    return f"{series} {','.join(fields)} {measurement.at_ms}".encode()


def thin(line: bytes) -> bytes:
    """A line without the details that availability, loss and the median can do without."""
    numbers, mark, text = line.partition(b',reason="')
    return _DETAIL.sub(b"", numbers) + mark + text


def _name(what: str, text: str) -> str:
    """A measurement name or tag value, refused where the format has no way to write it."""
    if not text or _CONTROL.search(text) or text.endswith("\\"):
        raise ValueError(f"{what} {text!r} cannot be written as line protocol")
    return text


def _tag(key: str, value: str) -> str:
    return _TAG_SPECIAL.sub(r"\\\1", _name(key, value))


def _string(text: str) -> str:
    """A string field. It could carry a line feed; a line that is two lines would break the count
    by which the receipt names records, so control characters become spaces."""
    return '"' + _STRING_SPECIAL.sub(r"\\\1", _CONTROL.sub(" ", text)) + '"'


def _number(name: str, value: float) -> str:
    """Whole metrics with the ``i`` of integers. Round-trip times with three significant digits:
    half a per cent is less than two looks differ by, and every digit is paid by the megabyte.
    Other seconds with six, and never coarser than a millisecond: an uptime of months must still
    tell one start from the next."""
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}: line protocol has finite numbers only")
    metric = METRICS.get(name)
    if metric is not None and metric.whole:
        if value != int(value):
            raise ValueError(f"{name} counts: {value} is not whole")
        return f"{int(value)}i"
    if name.startswith("rtt_") or name == "jitter_seconds":
        return f"{value:.3g}"
    if name.endswith("_seconds"):
        return f"{value:.6g}" if abs(value) < 1000 else repr(round(float(value), 3))
    return repr(float(value))
