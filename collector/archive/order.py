"""The order in which looks rest: by day, then by site, vantage, kind, target and time.

Law: sorting moves rows and changes none; what is in order already is not moved.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from model.columns import TEXT_COLUMNS, Block, Coded

DAY_MS = 86_400_000
SORT_COLUMNS = ("site", "vantage", "kind", "target")


def ordered(block: Block) -> tuple[dict[str, Any], np.ndarray[Any, Any]]:
    """The columns as arrays, rows by day, then by site, vantage, kind, target and time."""
    columns: dict[str, Any] = {}
    for name in TEXT_COLUMNS:
        columns[name] = _coded(block.columns[name])
    for name, values in block.columns.items():
        if name not in columns:
            columns[name] = np.asarray(values)
    at_ms = columns["at_ms"] = columns["at_ms"].astype(np.int64, copy=False)
    days = at_ms // DAY_MS
    rank = np.zeros(block.rows, dtype=np.int64)
    for name in SORT_COLUMNS:
        names, codes = columns[name]
        rank = rank * len(names) + codes
    if _is_sorted(days, rank, at_ms):
        return columns, days
    if _is_sorted(rank, at_ms):
        # Sorted by site already: only the days must be told apart (stable, radix on 16 bits).
        order = np.argsort((days - days.min()).astype(np.uint16), kind="stable")
    else:
        order = np.lexsort((at_ms, rank, days))
    for name, values in columns.items():
        if isinstance(values, tuple):
            columns[name] = (values[0], values[1][order])
        else:
            columns[name] = values[order]
    return columns, days[order]


def _is_sorted(*keys: np.ndarray[Any, Any]) -> bool:
    """Whether the rows are in order by these columns, the first weighing most."""
    tied = np.ones(max(len(keys[0]) - 1, 0), dtype=bool)
    for key in keys:
        steps = np.diff(key)
        if np.any(steps[tied] < 0):
            return False
        tied &= steps == 0
    return True


def _coded(values: Any) -> tuple[list[str], np.ndarray[Any, Any]]:
    """A text column as sorted names and codes into them, so that codes sort as the text does."""
    if isinstance(values, Coded):
        names = [str(name) for name in values.names]
        codes = np.asarray(values.codes)
        if all(left < right for left, right in pairwise(names)):
            return names, codes.astype(np.int32, copy=False)
        unique = sorted(set(names))
        return unique, _codes(unique, names)[codes]
    unique = sorted(set(values))
    return unique, _codes(unique, values)


def _codes(unique: Sequence[str], values: Sequence[str]) -> np.ndarray[Any, Any]:
    code_of = {name: code for code, name in enumerate(unique)}
    return np.fromiter((code_of[value] for value in values), np.int32, len(values))
