"""Measurements as whole columns: how many of them travel together.

A ``Block`` is what an archive takes and what a recorded or simulated history comes as. Columns are
any sequences (in practice numpy arrays); text columns may be coded against a list of names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TEXT_COLUMNS = ("site", "vantage", "kind", "target", "reason")
"""Columns of text. ``reason`` is empty where the outcome is UP."""

NUMBER_COLUMNS = ("at_ms", "outcome")
"""Columns of whole numbers: the look's time and its Outcome."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A text column as ``names[codes[i]]``."""

    names: Sequence[str]
    codes: Any


@dataclass(frozen=True)
class Block:
    """Equally long columns by name: all of TEXT_COLUMNS and NUMBER_COLUMNS, and any of METRICS.

    A metric that was not read is NaN; a metric that no row has may be left out.
    """

    columns: Mapping[str, Any]
    rows: int
