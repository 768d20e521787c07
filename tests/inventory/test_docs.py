"""docs/inventory.md documents every key that the reader knows, in the section of its own."""

import re
from pathlib import Path

import pytest

from inventory import read, register, settings, sites

DOCS = Path(__file__).parents[2] / "docs" / "inventory.md"
SECTIONS = {
    "Top level": read.SECTIONS,
    "province": settings.PROVINCE,
    "kabupaten": settings.KABUPATEN,
    "providers": settings.PROVIDER,
    "upstreams": settings.UPSTREAM,
    "kinds": settings.KIND,
    "sites": sites.SITE,
    "look": settings.LOOK,
    "centre_anchors": settings.CENTRE_ANCHOR,
    "village_targets": settings.VILLAGE_TARGET,
    "maintenance": settings.MAINTENANCE,
    "definition": {"thresholds", *settings.DEFINITION, *settings.THRESHOLDS},
    "The register": register.REGISTER,
}


def documented(heading: str) -> set[str]:
    """The keys in the first column of the tables below a heading."""
    below = DOCS.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1]
    return set(re.findall(r"^\| `(\w+)` \|", below.partition("\n## ")[0], re.MULTILINE))


@pytest.mark.parametrize("heading", SECTIONS)
def test_keys(heading: str) -> None:
    """The documented keys of a section are those that are read: none missing, none invented."""
    assert documented(heading) == set(SECTIONS[heading])


def test_standard_kinds() -> None:
    """The table of standard kinds says what the data file says."""
    below = DOCS.read_text(encoding="utf-8").split("\n## Kinds of sites\n")[1]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (yes|no) \| (\d+) s \|", below, re.MULTILINE)
    kinds = settings.standard_kinds()
    assert {row[0] for row in rows} == set(kinds)
    for name, hours, critical, interval in rows:
        assert settings.KIND["service_hours"].read(hours) == kinds[name].service_hours
        assert (critical == "yes", int(interval)) == (
            kinds[name].service_critical,
            kinds[name].interval_seconds,
        )
