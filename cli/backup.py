"""``jangkau backup`` and ``jangkau restore``: a copy while the collector runs, and the proof."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import options, terminal
from cli.options import DataFolder
from model.errors import InputError, UnavailableError


def backup(
    out: Annotated[Path, typer.Option(help="New tar file; - for standard output (to encrypt it).")],
    data: DataFolder = options.DATA,
) -> None:
    """Copy a collector's folder into one file, also while the collector runs."""
    from collector.backup import backup as write  # pyarrow is heavy

    if str(out) == "-":
        write(data, sys.stdout.buffer)
        return
    if out.exists():
        raise InputError(f"{out} exists already: name a new file")
    temporary = out.with_name(f".{out.name}.tmp")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            manifest = write(data, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(out)
    except OSError as error:
        raise UnavailableError(f"cannot write {out}: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)
    terminal.stderr.print(
        f"{len(manifest['sha256'])} files in {out}; prove it: jangkau restore --source {out} "
        "--data NEW_FOLDER",
        markup=False,
    )


def restore(
    source: Annotated[Path, typer.Option(help="A file that jangkau backup wrote; - for stdin.")],
    data: Annotated[Path, typer.Option(help="New folder for the collector.")],
) -> None:
    """Make a collector's folder from a backup; all of it is checked before it appears."""
    from collector.backup import restore as read  # pyarrow is heavy

    if str(source) == "-":
        manifest = read(sys.stdin.buffer, data)
    else:
        try:
            with source.open("rb") as file:
                manifest = read(file, data)
        except OSError as error:
            raise InputError(f"cannot read {source}: {error.strerror}") from error
    terminal.stderr.print(
        f"{len(manifest['sha256'])} files restored to {data}; every sum, the journal and the "
        "archive are sound",
        markup=False,
    )
