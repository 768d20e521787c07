"""Every mistake of a reading, each with its place, or none.

Law: a reader notes a mistake and reads on; only ``raise_if_any`` ends the reading. (The one
exception is a file with more than ``MOST`` mistakes: nobody reads that list to its end.)
"""

import difflib
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from model.errors import InputError

MOST = 1000
"""So many mistakes are listed; then the reading stops and says so."""

_MOST_OPTIONS = 500
_LONGEST_GUESS = 60


@dataclass(slots=True)
class Mistakes:
    """What is wrong, as (file, line, what is wrong and what to do)."""

    found: list[tuple[str, int, str]] = field(default_factory=list)

    def source(self, path: Path) -> "Source":
        """A notebook for one file."""
        return Source(str(path), self)

    def add(self, file: str, line: int, what: str) -> None:
        """Note one. ``what`` reads "what is wrong: what to do"."""
        self.found.append((file, line, what))
        if len(self.found) >= MOST:
            self.found.append((file, line, f"reading stopped after {MOST} mistakes: mend these"))
            raise self.error()

    def raise_if_any(self) -> None:
        """Raise ``error()`` unless nothing was found."""
        if self.found:
            raise self.error()

    def error(self) -> InputError:
        """All of them: one ``FILE:LINE: what is wrong: what to do`` a line, file by file, in the
        order of the lines."""
        order: dict[str, int] = {}
        for file, _, _ in self.found:
            order.setdefault(file, len(order))
        lines = sorted(self.found, key=lambda item: (order[item[0]], item[1]))
        return InputError("\n".join(f"{file}:{line}: {what}" for file, line, what in lines))


@dataclass(frozen=True, slots=True)
class Source:
    """One file that is being read; ``file`` is its name as the user gave it."""

    file: str
    mistakes: Mistakes

    def wrong(self, line: int, what: str) -> None:
        """Note a mistake in this file."""
        self.mistakes.add(self.file, line, what)

    def stop(self, line: int, what: str) -> InputError:
        """Note a mistake after which this file cannot be read on, and return what to raise: all
        that was noted so far. Who has other files to read may catch it: nothing is lost."""
        self.wrong(line, what)
        return self.mistakes.error()


def shown(text: str) -> str:
    """A value as a message may show it: quoted, control characters escaped, never long."""
    return repr(text if len(text) <= _LONGEST_GUESS else text[: _LONGEST_GUESS - 3] + "...")


def guess(word: str, options: Collection[str]) -> str:
    """The remedy for a word that is none of ``options``: the nearest one, or what there is."""
    if len(options) > _MOST_OPTIONS or len(word) > _LONGEST_GUESS:
        return "correct the name"
    if near := difflib.get_close_matches(word, options, 1):
        return f"did you mean {near[0]!r}?"
    if not options:
        return "none is defined yet"
    listed = ", ".join(sorted(options))
    return f"use one of {listed}" if len(listed) <= 400 else "correct the name"
