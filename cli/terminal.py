"""How commands speak on a terminal: results on standard output, everything else on standard error.

Colour only on a terminal, NO_COLOR respected (rich does both); ``--json`` prints one document.
"""

import json
import sys
from typing import Any

from rich.console import Console

COLUMNS = 100
"""How wide output is that no terminal shows: tables are made to fit it."""

stdout = Console(highlight=False, width=None if sys.stdout.isatty() else COLUMNS)
stderr = Console(stderr=True, highlight=False)


def print_json(document: Any) -> None:
    """One JSON document, UTF-8, indented, stable key order as given."""
    stdout.file.write(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n")
