"""From a request's headers and body to a batch: sequence numbers, times, permissions.

Law: nothing old or absurd ever passes for the newest look. A time that cannot be is repaired from
the probe's monotonic clock where the line carries one, and refused with a reason otherwise.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from collector import line_protocol
from collector.credentials import Key
from collector.journal import pack
from collector.line_protocol import Line, LineError, Survey
from collector.receipts import Batch, Refused
from model.timeline import Interval

EARLIEST_MS = 1_577_836_800_000
"""2020-01-01: before Jangkau; a clock that shows less was never set."""
AHEAD_MS = 300_000
"""How far a probe's clock may be ahead of ours."""
SHIFT_MAX_MS = 10**18 - 1
"""A larger shift is kept as this one: 18 digits can always be read back, a stamp of 19 less our own
time not always. Only a stamp that is damaged shows one; its look is dated by its age, not lost."""

_EPOCH = re.compile(r"[0-9a-f]{16}", re.ASCII)
_WHOLE = re.compile(r"\d{1,18}", re.ASCII)


class EnvelopeError(ValueError):
    """The headers or the body as a whole are not what was agreed; the message says how."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What our own probes say about a batch. Line i has the sequence number ``first + i``.

    ``monotonic_ms`` is the probe's monotonic clock, since the boot ``boot``, at the sending.
    """

    probe: str
    epoch: str
    span: Interval
    boot: str | None = None
    monotonic_ms: int | None = None


def envelope(headers: Mapping[str, str]) -> Envelope | None:
    """The envelope in the headers; None for a plain client. Raises EnvelopeError."""
    probe = headers.get("x-jangkau-probe")
    if probe is None:
        return None
    epoch = headers.get("x-jangkau-epoch", "")
    if _EPOCH.fullmatch(epoch) is None:
        raise EnvelopeError("X-Jangkau-Epoch must be 16 hexadecimal digits")
    first = _whole(headers, "x-jangkau-first")
    last = _whole(headers, "x-jangkau-last")
    if first is None or last is None or last < first:
        raise EnvelopeError("X-Jangkau-First and X-Jangkau-Last must be whole numbers in order")
    return Envelope(
        probe,
        epoch,
        Interval(first, last + 1),
        headers.get("x-jangkau-boot"),
        _whole(headers, "x-jangkau-monotonic-ms"),
    )


def _whole(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name)
    if text is None:
        return None
    if _WHOLE.fullmatch(text) is None:
        raise EnvelopeError(f"{name} must be a whole number of at most 18 digits")
    return int(text)


def read(
    body: bytes,
    *,
    packed: bytes | None = None,
    precision: str,
    envelope: Envelope | None,
    key: Key,
    received_ms: int,
    points_max: int,
) -> Batch:
    """Decode a body for the probe of ``key``. Raises EnvelopeError for what is wrong as a whole;
    what is wrong with one line stands in the batch's ``refused``. ``packed``: the body as gzip,
    where it came so; when every line is kept as it is, so is this."""
    small = body.count(b"\n") <= points_max
    survey = line_protocol.survey(body) if small and precision == "ms" else None
    if survey is not None and not _in_order(survey, key, received_ms):
        survey = None
    raw_lines = line_protocol.split(body) if survey is None else ()
    number = len(raw_lines) if survey is None else survey.rows
    if number > points_max:
        raise EnvelopeError(f"{number} lines; at most {points_max} go into one request")
    span = envelope.span if envelope else Interval(0, number)
    if span.length_ms != number:
        raise EnvelopeError(
            f"the envelope names {span.length_ms} sequence numbers, the body has {number} lines"
        )
    lines: list[tuple[int, Line]] = []
    refused: list[Refused] = []
    timed = True
    for seq, raw in enumerate(raw_lines, span.start_ms):
        try:
            line = line_protocol.decode(raw, precision)
            if not key.may_write(line.series.site):
                raise LineError(f"this key does not write for site {line.series.site}")
            timed = timed and line.at_ms is not None
            lines.append((seq, settle(line, envelope, received_ms)))
        except LineError as error:
            refused.append(Refused(seq, str(error), raw))
    digest = None
    if timed and (lines or survey) and not envelope:  # (all refused: refused again, not "known")
        digest = hashlib.sha256(precision.encode() + b"\n" + body).digest()
    return Batch(
        probe=key.probe,
        received_ms=received_ms,
        span=span,
        lines=lines,
        refused=refused,
        epoch=envelope.epoch if envelope else "",
        digest=digest,
        packed=None if survey is None else packed or pack(body),
    )


def _in_order(survey: Survey, key: Key, received_ms: int) -> bool:
    """Whether every line may be kept just as it is."""
    return (
        not survey.aged
        and EARLIEST_MS <= survey.first_ms <= survey.last_ms <= received_ms + AHEAD_MS
        and all(key.may_write(site) for site in survey.sites)
    )


def settle(line: Line, envelope: Envelope | None, received_ms: int) -> Line:
    """The line with a time that can be: its own; or, for a line of the sending boot with a
    ``monotonic_ms`` field, our clock minus its age (the shift is kept in ``clock_shift_ms``, at
    most SHIFT_MAX_MS); or, for a line without any, the time of arrival. A line of an earlier boot
    whose clock was held at the newest known time (``clock_clamped``) lies between that and the
    sending boot's start: ``clock_error_seconds`` says how far that is. Raises LineError for a time
    that cannot be."""
    at_ms = line.at_ms
    if envelope is not None and envelope.monotonic_ms is not None and "monotonic_ms" in line.fields:
        numbers, texts = line.values()
        then = numbers.get("monotonic_ms")
        started_ms = received_ms - envelope.monotonic_ms
        if texts.get("boot", envelope.boot) != envelope.boot:
            if numbers.get("clock_clamped") and at_ms is not None and at_ms < started_ms:
                error_seconds = -(-(started_ms - at_ms) // 1000)
                line = line._replace(fields=f"{line.fields},clock_error_seconds={error_seconds}")
        elif then is not None:
            at_ms = started_ms + int(then)
            shift = at_ms - (line.at_ms if line.at_ms is not None else at_ms)
            shift = max(-SHIFT_MAX_MS, min(shift, SHIFT_MAX_MS))
            line = line._replace(fields=f"{line.fields},clock_shift_ms={shift}i")
    if at_ms is None:
        at_ms = received_ms
    if at_ms < EARLIEST_MS:
        raise LineError("time before 2020: the probe's clock was not set")
    if at_ms > received_ms + AHEAD_MS:
        raise LineError("time more than 5 minutes ahead of the collector's clock")
    return line if at_ms == line.at_ms else line._replace(at_ms=at_ms)
