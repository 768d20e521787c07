"""Which archive a collector writes to: named on the command line, its secrets in a file."""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.errors import InputError

if TYPE_CHECKING:
    from collector.archive.base import Archive

_KEYS = {
    "influxdb": ({"url", "token", "org", "bucket"}, set[str]()),
    "victoriametrics": ({"write_url", "read_url"}, {"token", "flush_url"}),
}


def open_archive(text: str, folder: Path, keep_days: int | None) -> "Archive":
    """``parquet``, ``influxdb:FILE`` or ``victoriametrics:FILE``; the file is TOML.

    Raises InputError for a name that is none and a file that is wrong.
    """
    kind, _, file = text.partition(":")
    if kind == "parquet" and not file:
        from collector.archive.parquet import ParquetArchive  # pyarrow is heavy

        return ParquetArchive(folder, keep_days)
    if kind not in _KEYS or not file:
        raise InputError(
            f"--archive {text!r}: write parquet, influxdb:FILE or victoriametrics:FILE"
        )
    if keep_days is not None:
        raise InputError("--keep-days is for parquet: set the retention on the server")
    settings = _settings(Path(file), *_KEYS[kind])
    if kind == "influxdb":
        from collector.archive.influxdb import InfluxArchive  # only where it is used

        return InfluxArchive(**settings)
    from collector.archive.victoriametrics import VictoriaArchive  # only where it is used

    return VictoriaArchive(**settings)


def _settings(path: Path, needed: set[str], possible: set[str]) -> dict[str, Any]:
    try:
        found = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    wrong = [name for name in needed if not isinstance(found.get(name), str)]
    wrong += [name for name, value in found.items() if not isinstance(value, str)]
    wrong += sorted(found.keys() - needed - possible)
    if wrong:
        raise InputError(
            f"{path}: {', '.join(sorted(set(wrong)))}: write {', '.join(sorted(needed))} as text"
            + (f" (and, if wanted, {', '.join(sorted(possible))})" if possible else "")
        )
    return found
