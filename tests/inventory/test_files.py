"""Files are replaced whole or not at all."""

from pathlib import Path

import pytest

from inventory import files
from model.errors import UnavailableError


def test_replaced_whole(tmp_path: Path) -> None:
    """New content takes the old file's place and permissions, and leaves nothing beside it."""
    path = tmp_path / "f"
    path.write_text("old")
    path.chmod(0o640)
    files.write_text(path, "new é\n")
    assert path.read_text(encoding="utf-8") == "new é\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk fails at the last moment, the old file stands and the new one is gone."""
    path = tmp_path / "f"
    path.write_text("old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(UnavailableError, match="No space left"):
        files.write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
