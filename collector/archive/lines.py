"""A block as InfluxDB line protocol, for the archives that are servers.

Law: one look is one line with whole milliseconds, and the same look is the same line, so that
writing it again replaces it. The reason is a tag: VictoriaMetrics keeps no text in fields.
"""

import math
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from model.columns import TEXT_COLUMNS, Block, Coded
from model.measurement import METRICS

_SPECIAL = re.compile(r"([,= \\])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def batches(block: Block, size: int) -> Iterator[str]:
    """The block's lines in texts of ``size`` lines at most."""
    lines = _lines(block)
    while chosen := list(islice(lines, size)):
        yield "\n".join(chosen)


def text_column(block: Block, name: str) -> list[str]:
    """A text column row by row."""
    values = block.columns[name]
    if isinstance(values, Coded):
        return [str(values.names[code]) for code in values.codes]
    return [str(value) for value in values]


def joined(looks: Mapping[tuple[str, ...], Mapping[str, float]]) -> Block:
    """Looks as a block: by TEXT_COLUMNS and the time (ms, as text), their fields by name."""
    rows = sorted(looks.items())
    columns: dict[str, Any] = {
        name: [key[at] for key, _ in rows] for at, name in enumerate(TEXT_COLUMNS)
    }
    columns["at_ms"] = np.array([int(key[-1]) for key, _ in rows], np.int64)
    columns["outcome"] = np.array([int(look["outcome"]) for _, look in rows], np.int8)
    for name in METRICS:
        if any(name in look for _, look in rows):
            columns[name] = np.array([look.get(name, np.nan) for _, look in rows], np.float64)
    return Block(columns, len(rows))


def _lines(block: Block) -> Iterator[str]:
    site, vantage, kind, target, reason = (text_column(block, name) for name in TEXT_COLUMNS)
    times, outcomes = list(block.columns["at_ms"]), list(block.columns["outcome"])
    metrics = [(name, block.columns[name]) for name in METRICS if name in block.columns]
    for row in range(block.rows):
        tags = f"site={_tag(site[row])},vantage={_tag(vantage[row])},target={_tag(target[row])}"
        if reason[row]:
            tags += f",reason={_tag(reason[row])}"
        fields = [f"outcome={int(outcomes[row])}i"]
        fields += [
            field for name, values in metrics if (field := _field(name, values[row])) is not None
        ]
        yield f"{_tag(kind[row])},{tags} {','.join(fields)} {int(times[row])}"


def _tag(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", _CONTROL.sub(" ", text)).rstrip("\\") or "-"


def _field(name: str, value: Any) -> str | None:
    number = float(value)
    if not math.isfinite(number):
        return None
    return f"{name}={int(number)}i" if METRICS[name].whole else f"{name}={number!r}"
