"""A small province by hand: two kabupaten, five villages, and weeks whose states a test names."""

from collections.abc import Callable, Mapping, Sequence

import pytest

from model.definition import Definition, State
from model.inventory import Inventory, Kabupaten, Provider, Province
from model.region import Register, Village
from model.site import Site, SiteKind
from model.summary import WeekRecord
from tests.maps.made import LAST_WEEK, OFFICE_HOURS, ZONE, make_record, make_site_week


@pytest.fixture
def register() -> Register:
    """Three desa and a kelurahan in one kabupaten, a desa without coordinates in another."""
    return Register(
        "300.2.2-2430/2025",
        (
            Village("61.01.01.1001", "Pasar", 1.35, 109.31, 1000),
            Village("61.01.01.2002", "Dalam Kaum", 1.34, 109.35, 500),
            Village("61.01.02.2001", "Lubuk Dagang", 1.31, 109.34, 250),
            Village("61.01.02.2002", "Semparuk", 1.25, 109.20, 250),
            Village("61.06.01.2001", "Tanjung", population=None),
        ),
        {
            "61": "Kalimantan Barat",
            "61.01": "Kabupaten Sambas",
            "61.06": "Kabupaten Kapuas Hulu",
            "61.01.01": "Sambas",
            "61.01.02": "Teluk Keramat",
            "61.06.01": "Putussibau Utara",
        },
    )


@pytest.fixture
def make_inventory() -> Callable[..., Inventory]:
    """Makes an inventory of the given sites."""

    def make(*sites: Site) -> Inventory:
        return Inventory(
            province=Province("61", "Kalimantan Barat", ZONE),
            kabupaten=(Kabupaten("61.01", "Kabupaten Sambas"),),
            providers={"satu": Provider("satu", "Satu Net", 0.99)},
            upstreams={},
            kinds={
                "kantor_desa": SiteKind(
                    "kantor_desa", "Kantor desa", "Village office", OFFICE_HOURS, True, 300
                )
            },
            sites=tuple(sorted(sites, key=lambda site: site.id)),
            definition=Definition(),
        )

    return make


@pytest.fixture
def make_records() -> Callable[..., tuple[WeekRecord, ...]]:
    """Makes consecutive weeks, ending with 2026-W46, from each site's states."""

    def make(states: Mapping[str, Sequence[State]]) -> tuple[WeekRecord, ...]:
        count = max(len(each) for each in states.values())
        return tuple(
            make_record(
                week := LAST_WEEK.plus(at + 1 - count),
                [make_site_week(site, week, each[at]) for site, each in states.items()],
                Definition(),
            )
            for at in range(count)
        )

    return make
