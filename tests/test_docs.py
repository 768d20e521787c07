"""The documentation names what there is: metrics with their units, commands, libraries."""

import re
import tomllib
from pathlib import Path

import pytest

from cli.main import COMMANDS
from model.measurement import METRICS

ROOT = Path(__file__).parents[1]
METRIC_ROWS = {
    name: (unit, meaning)
    for name, unit, meaning in re.findall(
        r"^\| `([a-z0-9_]+)` \| ([^|]+) \| ([^|]+) \|$",
        (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
}


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_documented(name: str) -> None:
    """docs/metrics.md has its unit and what it means, as the code says it."""
    assert METRIC_ROWS.get(name) == (METRICS[name].unit, METRICS[name].description)


def test_no_metric_is_documented_that_is_none() -> None:
    """What was removed from the code is removed from the page."""
    assert set(METRIC_ROWS) == set(METRICS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    """Somewhere in the README or in docs/ stands how it is called."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    assert any(f"jangkau {name}" in page.read_text(encoding="utf-8") for page in pages)


def test_every_library_has_its_reason() -> None:
    """Whatever pyproject.toml asks for at run time is listed in docs/dependencies.md."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + [
        line
        for name, lines in extras.items()
        if name not in {"dev", "bench", "all"}
        for line in lines
    ]
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    missing = {
        name for line in wanted if (name := re.split(r"[<>=\[ ]", line)[0].lower()) not in page
    }
    assert not missing
