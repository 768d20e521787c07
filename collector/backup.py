"""A copy of a collector's folder that was taken while it ran, and the way back.

Law: a backup is what was restored from it and found sound, not what has a size. The journal is
copied through SQLite's own backup (a plain copy of a live file is torn), and of the archive exactly
the parts that this journal knows as written, so that nothing is missing and nothing comes twice.
"""

import hashlib
import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import IO, Any

from collector.archive.parquet import ParquetArchive
from collector.archive.parts import settled
from collector.feeder import CURSOR
from collector.journal import FILE_NAME, JournalReader, copy_journal, sound
from model.errors import InputError, UnavailableError

MANIFEST = "manifest.json"
FORMAT = 1
_SMALL = ("keys.json", "configuration.json")
_CHUNK_BYTES = 1024 * 1024


def backup(data: Path, out: IO[bytes]) -> dict[str, Any]:
    """Write a tar of the folder to ``out``, also while a collector runs; returns the manifest.

    Holds the journal as of the beginning, the archive up to its cursor, keys (hashes), the version
    of the configuration and the revisions of weeks. The manifest with every file's SHA-256 comes
    last. Raises UnavailableError.
    """
    sums: dict[str, str] = {}
    with (
        tempfile.TemporaryDirectory(dir=data, prefix=".backup-") as scratch,
        tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        journal = Path(scratch) / FILE_NAME
        copy_journal(data, journal)
        _add(tar, sums, FILE_NAME, journal)
        with JournalReader(Path(scratch)) as reader:
            journal_id, done = reader.id, reader.cursor(CURSOR).done
        for name in _SMALL:
            if (data / name).exists():
                _add(tar, sums, name, data / name)
        for path in sorted((data / "weeks").rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                _add(tar, sums, path.relative_to(data).as_posix(), path)
        archive = ParquetArchive(data / "archive")
        for path in settled(archive.files(), journal_id, done):
            _add(tar, sums, path.relative_to(data).as_posix(), path)
        manifest = {"format": FORMAT, "journal": journal_id, "done": done, "sha256": sums}
        content = json.dumps(manifest, indent=1).encode()
        head = tarfile.TarInfo(MANIFEST)
        head.size = len(content)
        tar.addfile(head, io.BytesIO(content))
    return manifest


def restore(source: IO[bytes], data: Path) -> dict[str, Any]:
    """Make the folder ``data`` (which must not exist, or be empty) from a backup and prove it:
    every sum, the journal's integrity, every part of the archive. Returns the manifest.

    All is written beside and renamed when it is proved. Raises InputError for what is no sound
    backup, UnavailableError when it cannot be written.
    """
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        # A stale write-ahead log beside a restored journal would be replayed into it.
        raise InputError(f"{data} is not empty: restore into a new folder")
    try:
        data.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=data.parent, prefix=".restore-"))
    except OSError as error:
        raise UnavailableError(f"cannot write to {data.parent}: {error.strerror}") from error
    try:
        manifest = _unpack(source, beside)
        _prove(beside, manifest)
        beside.chmod(0o755)
        beside.replace(data)
    except OSError as error:
        raise UnavailableError(f"cannot restore to {data}: {error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)  # (it is gone when it was renamed)
    return manifest


def _add(tar: tarfile.TarFile, sums: dict[str, str], name: str, path: Path) -> None:
    try:
        with path.open("rb") as file:
            sums[name] = _digest(iter(lambda: file.read(_CHUNK_BYTES), b""))
            file.seek(0)
            head = tar.gettarinfo(arcname=name, fileobj=file)
            head.mode, head.uid, head.gid, head.uname, head.gname = 0o600, 0, 0, "", ""
            tar.addfile(head, file)
    except OSError as error:
        raise UnavailableError(f"cannot back up {path}: {error.strerror}; try again") from error


def _digest(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _unpack(source: IO[bytes], folder: Path) -> dict[str, Any]:
    found: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    try:
        with tarfile.open(fileobj=source, mode="r|") as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isfile() else None
                if file is None or not _harmless(member.name):
                    raise InputError(f"not a backup of Jangkau: it holds {member.name!r}")
                if member.name == MANIFEST:
                    manifest = json.loads(file.read())
                    continue
                target = folder / member.name
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as copy:
                    shutil.copyfileobj(file, copy, _CHUNK_BYTES)
                target.chmod(0o600)
                with target.open("rb") as copy:
                    found[member.name] = hashlib.file_digest(copy, "sha256").hexdigest()
    except (tarfile.TarError, ValueError, EOFError, FileExistsError) as error:
        raise InputError(f"not a whole backup: {error}") from error
    if manifest is None:
        raise InputError("not a whole backup: its manifest is missing (it was cut off)")
    if manifest.get("format") != FORMAT:
        raise InputError(f"backup of format {manifest.get('format')}: use the Jangkau it is from")
    if found != manifest.get("sha256"):
        raise InputError("the backup is damaged: its files are not those of its manifest")
    return manifest


def _harmless(name: str) -> bool:
    """Whether a name stays in the folder."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\0" not in name and bool(name)


def _prove(folder: Path, manifest: dict[str, Any]) -> None:
    problem = sound(folder / FILE_NAME)
    if problem is not None:
        raise InputError(f"the backup's journal is damaged: {problem}")
    with JournalReader(folder) as reader:
        if reader.cursor(CURSOR).done != manifest["done"]:
            raise InputError("the backup's journal is another one than its manifest says")
        for batch in reader.batches(0):
            batch.lines()  # raises for one that is not what was written
    ParquetArchive(folder / "archive").verify()
