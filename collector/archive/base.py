"""What an archive is: where measurements stay for years, one hop behind the journal.

Law: appending is idempotent by name. Whoever crashed between writing and remembering writes the
same name again, and nothing is doubled.
"""

from typing import Protocol

from model.columns import Block
from model.timeline import Interval


class Archive(Protocol):
    """A store of measurements. The journal's feeder and the simulator's history write to it.

    Every method raises UnavailableError when the archive cannot now.
    """

    def append(self, name: str, block: Block) -> int:
        """Keep a block durably under ``name`` (letters, digits, hyphens) and return its rows.

        The same name with the same block again changes nothing. After UnavailableError nothing, or
        a part that the next attempt replaces, is kept.
        """
        ...

    def rows(self, interval: Interval) -> int:
        """How many looks it has of that time, each counted once."""
        ...

    def looks(self, interval: Interval) -> Block:
        """The looks of that time, in no certain order."""
        ...

    def tend(self, journal_id: str, done: int, now_ms: int) -> None:
        """What must be done now and then. Of the journal's parts those that end at batch ``done``
        or before are final: nobody writes them again."""
        ...
