"""InfluxDB line protocol, decoded: one text line is one look.

Law: a line is right or it is refused with a reason; nothing is guessed, and a bad line never harms
its neighbours. Reading and writing of bytes is somebody else's.
Source: InfluxDB v2 line protocol reference. Stricter than that in one point: a line ends at the
line feed even inside a quoted string, so that damage stays in its line.
"""

import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from model.columns import Block, Coded
from model.measurement import METRICS
from model.site import SITE_ID

PRECISIONS: Mapping[str, tuple[int, int]] = {
    "ns": (1, 1_000_000),
    "us": (1, 1_000),
    "ms": (1, 1),
    "s": (1_000, 1),
}
"""Units of time stamps: at_ms = stamp * first // second."""

MAX_HEAD_CHARACTERS = 512

# Linear in the line whatever somebody sends: within a group the first character decides between
# the branches, and single characters repeat possessively. (Groups do not: before Python 3.11.5, and
# so on Debian 12, one that fails half-way keeps what it had matched; cpython#106052.)
_LINE = re.compile(
    r"((?:[^\\ ]++|\\.)+) ++"
    r"((?:[^\\\" ]++|\\.|\"(?:[^\\\"]++|\\.)*\")+)(?: ++(-?\d{1,19}+))? *+",
    re.ASCII,
)
_NAME = r"[A-Za-z0-9_.:/%-]++"
_NUMBER = r"-?+\d{1,18}+(?:i|(?:\.\d{1,25}+)?(?:e-\d\d)?)"
# What our own probes send, checked whole in one go: a third of the time of the way below. Whatever
# does not match it goes that way, and must come to the same (a test holds both side by side).
_READINGS = rf"(?:,{_NAME}={_NUMBER})*"
_USUAL = re.compile(
    rf"([^\\ ]++) (outcome=([012])i?+{_READINGS}(?:,reason=\"[^\\\"]*+\")?) (-?\d{{1,19}}+)",
    re.ASCII,
)
# The same of a line in which every digit is a zero: looks of one series differ in little else, so
# that nearly every line has been seen before.
_SHAPE = re.compile(
    rf"([^\\ ]++) outcome=0i?+{_READINGS}(?:,reason=\"[ !#-\[\]-~]*+\")? \d{{1,18}}+".encode()
)
_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_OUTCOMES = frozenset(b"012")
_SHAPE_BYTES = 1_000
"""A longer line is unusual: shapes are remembered."""
_REAL = r"[-+]?+(?:\d{1,25}+(?:\.\d{0,25}+)?|\.\d{1,25}+)(?:[eE][-+]?+\d\d?+)?"  # always finite
_WHOLE = r"[-+]?+\d{1,18}+[iu]"  # always within 64 bits
_PLAIN = rf"{_NAME}=(?:{_WHOLE}|{_REAL})(?=,|\Z)"
_PLAIN_FIELDS = re.compile(rf"{_PLAIN}(?:,{_PLAIN})*", re.ASCII)
_PLAIN_OUTCOME = re.compile(r"(?:\A|,)outcome=([012])i?(?:,|\Z)", re.ASCII)
_FIELD = re.compile(
    rf"((?:[^\\,= ]++|\\.)+)=(?:\"((?:[^\\\"]++|\\.)*)\"|([-+]?+\d{{1,19}}+[iu]|{_REAL})"
    r"|(t|T|true|True|TRUE)|f|F|false|False|FALSE)(?:,|\Z)",
    re.ASCII,
)
_TAG = re.compile(r"(?<!\\),")
_WORD = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}", re.ASCII)
_ESCAPE = re.compile(r"\\([,= \"\\])")


class LineError(ValueError):
    """The line is not a look; the message says what is wrong with it."""


class Series(NamedTuple):
    """What a look belongs to; see model.measurement.Measurement."""

    site: str
    vantage: str
    kind: str
    target: str


class Line(NamedTuple):
    """A look as it arrived. ``head`` and ``fields`` are its verbatim, checked text; ``at_ms`` is
    None when the line bears no time."""

    head: str
    fields: str
    series: Series
    at_ms: int | None
    outcome: int

    def text(self) -> str:
        """The line with its time in milliseconds, as the journal keeps it."""
        return f"{self.head} {self.fields} {self.at_ms}"

    def values(self) -> tuple[dict[str, float], dict[str, str]]:
        """What the fields say. Read on demand: who only keeps a line need not know its numbers."""
        return read_fields(self.fields)


def split(body: bytes) -> list[bytes]:
    """The lines that carry something: empty ones and comments do not count."""
    lines = map(bytes.strip, body.split(b"\n"))
    return [line for line in lines if line and not line.startswith(b"#")]


class Survey(NamedTuple):
    """What usual lines say together: how many, their sites, the times (ms) of the oldest and the
    newest, and whether any of them says how old it is (``monotonic_ms``)."""

    rows: int
    sites: frozenset[str]
    first_ms: int
    last_ms: int
    aged: bool


def survey(body: bytes) -> Survey | None:
    """A body in milliseconds as a whole, at a third of the price of its lines one by one. None when
    it is empty or any line is unusual: then those must be looked at."""
    lines = body.removesuffix(b"\n").split(b"\n")
    if max(map(len, lines)) > _SHAPE_BYTES:
        return None
    ends: list[Any] = list(map(_ends, body.removesuffix(b"\n").translate(_ZEROS).split(b"\n")))
    if None in ends:
        return None
    found = list(zip(lines, ends, strict=True))
    if not {line[end + 9] for line, (end, _) in found} <= _OUTCOMES:  # behind " outcome="
        return None
    heads = {line[:end] for line, (end, _) in found}
    times = [int(line[stamp:]) for line, (_, stamp) in found]
    if max(map(len, heads)) > MAX_HEAD_CHARACTERS:
        return None
    try:
        sites = frozenset(_series(head.decode()).site for head in heads)
    except (UnicodeDecodeError, LineError):
        return None
    return Survey(len(lines), sites, min(times), max(times), b",monotonic_ms=" in body)


@lru_cache(maxsize=16_384)
def _ends(shape: bytes) -> tuple[int, int] | None:
    """Where the head of a usual line of this shape ends and where its stamp begins; None for an
    unusual one."""
    match = _SHAPE.fullmatch(shape)
    return (match.end(1), shape.rindex(b" ") + 1) if match else None


def decode(raw: bytes | str, precision: str = "ms") -> Line:
    """Decode one line. Raises LineError with the reason."""
    try:
        text = raw if isinstance(raw, str) else raw.decode()
    except UnicodeDecodeError:
        raise LineError("not UTF-8") from None
    times, per = PRECISIONS[precision]
    if (usual := _USUAL.fullmatch(text)) and len(usual[1]) <= MAX_HEAD_CHARACTERS:
        head, fields, state, stamp = usual.groups()
        return Line(head, fields, _series(head), int(stamp) * times // per, int(state))
    return _decode_unusual(text, times, per)


def _decode_unusual(text: str, times: int, per: int) -> Line:
    match = _LINE.fullmatch(text)
    if match is None:
        raise LineError(
            "not line protocol: write KIND,site=..,vantage=..,target=.. outcome=1i TIME"
        )
    head, fields, stamp = match.groups()
    if len(head) > MAX_HEAD_CHARACTERS:
        raise LineError(f"more than {MAX_HEAD_CHARACTERS} characters before the fields")
    series = _series(head)
    outcome = _outcome(fields)
    at_ms = None if stamp is None else int(stamp) * times // per
    return Line(head, fields, series, at_ms, outcome)


@lru_cache(maxsize=16_384)  # a probe's heads repeat for ever; bounded, because anybody can send
def _series(head: str) -> Series:
    kind, *pairs = _TAG.split(head)
    tags: dict[str, str] = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator or not value or name in tags:
            raise LineError(f"tag {name[:40]!r} has no value or comes twice")
        tags[name] = _unescape(value)
    missing = [name for name in ("site", "vantage", "target") if name not in tags]
    if missing:
        raise LineError(f"no tag {' and no tag '.join(missing)}")
    series = Series(tags["site"], tags["vantage"], _unescape(kind), tags["target"])
    if SITE_ID.fullmatch(series.site) is None:
        raise LineError("site is not a site id: 1 to 40 lower-case letters, digits and hyphens")
    if _WORD.fullmatch(series.vantage) is None or _WORD.fullmatch(series.kind) is None:
        raise LineError("kind and vantage are words of lower-case letters, digits and _ . -")
    if len(series.target) > 100 or not series.target.isprintable():
        raise LineError("target is longer than 100 characters or not printable")
    return series


def _outcome(fields: str) -> int:
    if _PLAIN_FIELDS.fullmatch(fields):  # the usual case: checked whole in one go
        match = _PLAIN_OUTCOME.search(fields)
        outcome: float | None = int(match[1]) if match else None
    else:
        outcome = _parse(fields)[0].get("outcome")
    if outcome not in (0, 1, 2):
        raise LineError("outcome must be 0i (down), 1i (up) or 2i (unknown)")
    return int(outcome)


def read_fields(fields: str) -> tuple[dict[str, float], dict[str, str]]:
    """Numbers (truth values are 1 and 0; the outcome apart) and texts by name."""
    numbers, texts = _parse(fields)
    numbers.pop("outcome", None)
    return numbers, texts


def _parse(fields: str) -> tuple[dict[str, float], dict[str, str]]:
    numbers: dict[str, float] = {}
    texts: dict[str, str] = {}
    end = 0
    while match := _FIELD.match(fields, end):  # (a search would try every later place as well)
        end = match.end()
        name, text, number, true = match.groups()
        if text is not None:
            texts[_unescape(name)] = _unescape(text)
        else:
            numbers[_unescape(name)] = _number(number) if number else float(bool(true))
    if end != len(fields) or fields.endswith(","):
        raise LineError(f"field {fields[end : end + 40]!r} is not name=value")
    return numbers, texts


def _number(text: str) -> float:
    if text[-1] not in "iu":
        return float(text)
    whole = int(text[:-1])
    if not -(2**63) <= whole < 2**63:
        raise LineError("a whole number beyond 64 bits")
    return whole


def _unescape(text: str) -> str:
    return _ESCAPE.sub(r"\1", text) if "\\" in text else text


def to_block(lines: Iterable[Line]) -> Block:
    """The lines as columns. Readings that METRICS does not know are left out: they stay in the
    journal's text, and the archive has no column for them."""
    import numpy as np  # noqa: PLC0415 - the light commands decode lines without numpy

    rows = list(lines)
    values = [row.values() for row in rows]
    texts = {name: [getattr(row.series, name) for row in rows] for name in Series._fields}
    texts["reason"] = [text.get("reason", "") for _, text in values]
    columns: dict[str, Any] = {}
    for name, column in texts.items():
        names = sorted(set(column))
        code_of = {text: code for code, text in enumerate(names)}
        columns[name] = Coded(names, np.array([code_of[text] for text in column], np.int32))
    columns["at_ms"] = np.array([row.at_ms for row in rows], np.int64)
    columns["outcome"] = np.array([row.outcome for row in rows], np.int8)
    known = {name for numbers, _ in values for name in numbers} & METRICS.keys()
    for name in METRICS:
        if name in known:
            read = [numbers.get(name, math.nan) for numbers, _ in values]
            columns[name] = np.array(read, np.float64)
    return Block(columns, len(rows))
