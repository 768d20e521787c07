"""``make probe``: the single file ``dist/jangkau-probe.pyz``.

Law: the same sources and the same Python give the same bytes (dates fixed, names sorted), so that a
device's file can be held against the release.

Beside every source lies what it compiles to, without its documentation: a Python of the same minor
version takes that (a megabyte of memory and a second of a slow processor less), every other one the
source (PEP 552, unchecked; zipimport tries both).
"""

import py_compile
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
SOURCES = (
    "model/*.py",
    "probes/*.py",
    "cli/__init__.py",
    "cli/probe_main.py",
    "cli/probe_edition.py",
    "cli/probe_service.py",
    "cli/probe_status.py",
    "cli/probe_health.py",
)
MAIN = "from cli.probe_main import main\n\nmain()\n"
SHEBANG = b"#!/usr/bin/env python3\n"


def build(target: Path) -> int:
    """Write the zipapp; its size in bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    names = sorted({path for pattern in SOURCES for path in ROOT.glob(pattern)})
    with target.open("wb") as file:
        file.write(SHEBANG)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in names:
                name = str(path.relative_to(ROOT))
                _add(archive, name, path.read_bytes())
                _add(archive, name + "c", _compiled(path, name))
            _add(archive, "__main__.py", MAIN.encode())
    target.chmod(0o755)
    return target.stat().st_size


def _compiled(path: Path, name: str) -> bytes:
    with TemporaryDirectory() as folder:
        target = Path(folder) / "code"
        py_compile.compile(
            str(path),
            str(target),
            dfile=name,
            doraise=True,
            optimize=2,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        return target.read_bytes()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content)


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / "jangkau-probe.pyz"
    sys.stdout.write(f"{place}: {build(place)} bytes\n")
