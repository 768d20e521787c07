"""How much of a reading is kept: what was measured, and not the noise below it.

Law: nothing is lost that a probe told. It sends round-trip times with three significant digits;
read with three digits they are the same again. What follows from other columns is not kept twice.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from model.columns import Block

THREE_DIGITS = frozenset(
    {
        "rtt_min_seconds",
        "rtt_median_seconds",
        "rtt_p95_seconds",
        "rtt_max_seconds",
        "jitter_seconds",
    }
)
"""Kept to the largest power of two that is no coarser than their third significant digit: off by
0.5 % at most, as what the probe sends. Noise does not compress: the bits below were half of the
archive."""
SUPPLY = {"supply_volts": 1 / 32}
"""Kept to this step: a router's volt meter is good for 2 %."""
SHORTENED = THREE_DIGITS | SUPPLY.keys()
"""All of which single precision (24 bits) is more than enough."""

_P95, _MOST = "rtt_p95_seconds", "rtt_max_seconds"
_TELLING = 20
"""With fewer answers the 95th percentile is the longest time (docs/look.md)."""


def shortened(name: str, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The readings of a column of SHORTENED as far as they are kept; NaN and infinity stay."""
    if name in SUPPLY:
        step: Any = SUPPLY[name]
    else:
        exact = np.abs(values.astype(np.float64, copy=False))
        usable = np.isfinite(exact) & (exact > 0)
        # (A power of ten has nearer neighbours below than above: it takes the finer step.)
        digits = np.floor(np.log10(0.995 * exact, where=usable, out=np.zeros_like(exact))) - 2
        step = np.exp2(np.floor(digits * np.log2(10)))
    kept: np.ndarray[Any, Any] = (np.round(values / step) * step).astype(np.float32)
    return kept


def without_repeats(columns: Mapping[str, Any]) -> dict[str, Any]:
    """The columns with NaN for a 95th percentile that is the longest time by definition."""
    kept = dict(columns)
    if {_P95, _MOST, "received"} <= kept.keys():
        told = (kept[_P95] == kept[_MOST]) & (kept["received"] < _TELLING)
        kept[_P95] = np.where(told, np.nan, kept[_P95])
    return kept


def with_repeats(block: Block) -> Block:
    """What ``without_repeats`` left out, in its place again."""
    columns = dict(block.columns)
    if not {_P95, _MOST, "received"} <= columns.keys():
        return block
    missing = np.isnan(columns[_P95]) & (columns["received"] < _TELLING)
    columns[_P95] = np.where(missing, columns[_MOST], columns[_P95])
    return Block(columns, block.rows)
