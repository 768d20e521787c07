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
    readings = measurement.readings
    step_us = _rtt_step_us(readings.get("rtt_median_seconds", 0.0))
    fields += [f"{name}={_number(name, value, step_us)}" for name, value in readings.items()]
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


def _rtt_step_us(median_seconds: float) -> int:
    """The step of all round-trip times of a look, in microseconds: 1, 2 or 5 of a decimal place, at
    most a hundredth of the median. So no figure is off by more than half a per cent of it, which is
    less than two looks differ by; and every digit is paid by the megabyte."""
    hundredth = median_seconds * 10_000
    if not 1 <= hundredth < math.inf:
        return 1
    place = int(10 ** math.floor(math.log10(hundredth)))
    return next(factor * place for factor in (5, 2, 1) if factor * place <= hundredth)


def _number(name: str, value: float, rtt_step_us: int) -> str:
    """Whole metrics with the ``i`` of integers, others as plain decimals. Seconds other than
    round-trip times have six digits and are never coarser than a millisecond: an uptime of months
    must still tell one start from the next."""
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}: line protocol has finite numbers only")
    metric = METRICS.get(name)
    if metric is not None and metric.whole:
        if value != int(value):
            raise ValueError(f"{name} counts: {value} is not whole")
        return f"{int(value)}i"
    if name.startswith("rtt_") or name == "jitter_seconds":
        return _plain(f"{round(value * 1e6 / rtt_step_us) * rtt_step_us / 1e6:.6f}")
    if name.endswith("_seconds"):
        places = 3 if abs(value) >= 1000 else max(0, min(9, 5 - _magnitude(value)))
        return _plain(f"{value:.{places}f}")
    return repr(float(value)).removesuffix(".0")


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def _plain(text: str) -> str:
    """Without zeros that say nothing."""
    return text.rstrip("0").rstrip(".") if "." in text else text
