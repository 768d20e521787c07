"""What an archive is: where measurements stay for years, one hop behind the journal.

Law: appending is idempotent by name. Whoever crashed between writing and remembering writes the
same name again, and nothing is doubled.
"""

from typing import Protocol

from model.columns import Block


class Archive(Protocol):
    """A store of measurements. The journal's feeder and the simulator's history write to it."""

    def append(self, name: str, block: Block) -> int:
        """Keep a block durably under ``name`` (letters, digits, hyphens) and return its rows.

        The same name with the same block again changes nothing. Raises UnavailableError when the
        archive cannot take it now; then nothing, or a part that the next attempt replaces, is kept.
        """
        ...
