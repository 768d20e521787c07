"""How many bytes the tests of this probe have spent in the month, kept across power cuts.

Law: a clock that was set back never makes a spent month new; only a later month does.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from model.errors import UnavailableError


class Budget:
    """The account in one small file. A file that cannot be read is a full account: better no test
    than a bill."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def left(self, now_ms: int, limit_bytes: int) -> int:
        """What may still be spent in the month of ``now_ms``; 0 when the account is damaged."""
        try:
            month, spent = self._read()
        except ValueError:
            return 0
        return limit_bytes - (spent if _month(now_ms) <= month else 0)

    def book(self, now_ms: int, spent_bytes: int) -> None:
        """Add to what the month has cost (a negative number gives back). Raises
        UnavailableError when it cannot be kept."""
        month, spent = self._read()
        now = max(month, _month(now_ms))
        total = max(0, (spent if now == month else 0) + spent_bytes)
        part = self._file.with_suffix(".part")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with part.open("w", encoding="ascii") as out:
                json.dump({"month": now, "bytes": total}, out)
                out.flush()
                os.fsync(out.fileno())
            part.replace(self._file)
        except OSError as error:
            raise UnavailableError(f"{self._file}: {error.strerror}") from None

    def _read(self) -> tuple[str, int]:
        """Raises ValueError for an account that is damaged."""
        try:
            found = json.loads(self._file.read_text(encoding="ascii"))
        except FileNotFoundError:
            return "", 0
        except OSError as error:
            raise ValueError(str(error)) from None
        if not isinstance(found, dict):
            raise ValueError("no account")
        month, spent = found.get("month"), found.get("bytes")
        if not isinstance(month, str) or not isinstance(spent, int):
            raise ValueError("no account")
        return month, spent


def _month(now_ms: int) -> str:
    return f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y-%m}"
