"""The page on truth documents every setting, with the default where it names one."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from collector.settings import AccountingSettings, BlameSettings, VerdictSettings

PAGE = (Path(__file__).parents[2] / "docs" / "truth.md").read_text(encoding="utf-8")
NAMES = {
    item.name: getattr(kind(), item.name)
    for kind in (VerdictSettings, BlameSettings, AccountingSettings)
    for item in fields(kind)
}


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_on_the_page(name: str) -> None:
    """A setting that the page does not name is one that nobody can find."""
    assert f"`{name}`" in PAGE


def test_numbers_on_the_page_are_the_defaults() -> None:
    """Where the page gives a default in brackets, it is the one in the code."""
    given = re.findall(r"`(\w+)` \(([\d.]+)", PAGE)
    assert len(given) >= 6
    assert {name: float(value) for name, value in given} == {
        name: float(NAMES[name]) for name, _ in given
    }


def test_the_page_names_nothing_that_is_gone() -> None:
    """Every name of a setting on the page exists."""
    table = re.findall(r"`((?:weight|fade|power_hour|volts|feeder|upstream)_\w+)`", PAGE)
    assert set(table) <= set(NAMES)
