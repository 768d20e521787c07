"""A disk that remembers what was synced, as an APSW VFS: from its record any power cut can be made.

Law: after a power cut a sector that was synced since its last write is as written; any other one is
either as it was at the last sync or as written, each for itself (512 bytes, torn and reordered).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw  # noqa: TID251 - the judge stands below the library

SECTOR = 512


@dataclass
class FileState:
    """A file as it is on the platter, and the writes since its last sync, in order."""

    synced: bytes = b""
    pending: list[tuple[int, bytes | int]] = field(default_factory=list)
    """(offset, bytes) for a write, (size, -1) for a truncation."""

    def after(self, chosen: "random.Random | bool | None") -> bytes:
        """The content after a cut. False: nothing pending survived; None: everything did; a source
        of randomness: each pending sector by a throw."""
        content = bytearray(self.synced)
        for offset, data in self.pending:
            if chosen is False:
                continue
            if isinstance(data, int):
                if chosen is None or chosen.random() < 0.5:  # type: ignore[union-attr]  # True is never given
                    del content[offset:]
                continue
            for at in range(0, len(data), SECTOR):
                if chosen is None or chosen.random() < 0.5:  # type: ignore[union-attr]  # as above
                    piece = data[at : at + SECTOR]
                    if len(content) < offset + at:
                        content += bytes(offset + at - len(content))
                    content[offset + at : offset + at + len(piece)] = piece
        return bytes(content)


class Disk:
    """The record of one folder: states by file name, and a hook called before every write and
    sync. Removal of a file is taken as durable at once (SQLite syncs the folder when it must)."""

    def __init__(self) -> None:
        self.files: dict[str, FileState] = {}
        self.steps = 0

    def images(self, seed: int, subsets: int) -> Iterator[dict[str, bytes]]:
        """Folders as they could be found if the power went now."""
        yield {name: state.after(False) for name, state in self.files.items()}
        yield {name: state.after(None) for name, state in self.files.items()}
        for number in range(subsets):
            draw = random.Random(f"{seed}-{self.steps}-{number}")  # noqa: S311 - no secret
            yield {name: state.after(draw) for name, state in self.files.items()}


class RecordingVFS(apsw.VFS):
    """The system's own file access, with a record. ``on_step`` is called before each change."""

    def __init__(self, name: str, disk: Disk, on_step: Any) -> None:
        self.disk, self.on_step = disk, on_step
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> "RecordingFile":  # noqa: N802 - SQLite's name
        return RecordingFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's
        super().xDelete(filename, syncdir)
        self.disk.files.pop(Path(filename).name, None)


class RecordingFile(apsw.VFSFile):
    """One file of the journal (database or log); the shared-memory index is no part of it."""

    def __init__(self, vfs: RecordingVFS, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self.vfs = vfs
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name)
        self.state = vfs.disk.files.setdefault(path.name, FileState())

    def _step(self) -> None:
        self.vfs.disk.steps += 1
        self.vfs.on_step()

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._step()
        self.state.pending.append((offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        self._step()
        self.state.pending.append((newsize, -1))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        self._step()
        self.state.synced, self.state.pending = self.state.after(None), []
        super().xSync(flags)
