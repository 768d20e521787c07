"""Files in, files out.

Law: what is too large is refused before a byte of it is read; what is written is there whole or
not at all.
"""

import os
import stat
import tempfile
from pathlib import Path
from typing import BinaryIO

from inventory.mistakes import Source
from model.errors import UnavailableError


def open_file(path: Path, max_bytes: int, source: Source) -> BinaryIO:
    """Open a regular file for reading; when it is missing, none, or too large, that is noted and
    InputError raised with all that was noted so far."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe or device has no size, and perhaps no end
            what = "is not a file: name a regular file"
        elif found.st_size > max_bytes:
            what = f"has {found.st_size:,} bytes: at most {max_bytes:,} are read, split the file"
        else:
            return path.open("rb")
    except FileNotFoundError:
        what = "is not there: check the file's name"
    except OSError as error:
        what = f"cannot be read ({error.strerror}): check its name and permissions"
    raise source.stop(1, what)


def read_text(path: Path, max_bytes: int, source: Source) -> str:
    """A whole file as UTF-8 text (a byte order mark is dropped). Raises InputError."""
    with open_file(path, max_bytes, source) as file:
        content = file.read(max_bytes)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise source.stop(line, "is not UTF-8 text: save the file as UTF-8") from None


def write_text(path: Path, content: str) -> None:
    """Replace a file by new content in one step, on the disk when this returns.

    Raises UnavailableError when the folder cannot be written to; the old file then stands.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(content)
                file.flush()
                os.fsync(handle)
            mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
            Path(name).chmod(mode)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise UnavailableError(
            f"{path}: cannot be written ({error.strerror}): check space and permissions"
        ) from error
