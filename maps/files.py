"""Writing what people open: a reader sees the old file or the new one, never half of one."""

import os
import tempfile
from pathlib import Path

from model.errors import UnavailableError


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text to ``path``, as ``write_bytes`` does; line ends stay as they are."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` in one step, making its folder.

    Raises UnavailableError when the disk or the permissions do not allow it; nothing is left then.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            # mkstemp makes files for the owner alone; what we write is for readers.
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UnavailableError(
            f"{path}: cannot be written ({error.strerror}); choose another --out"
        ) from error
