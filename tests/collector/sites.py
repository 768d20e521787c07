"""The site that tests of the collector's rules speak of."""

from dataclasses import replace
from datetime import date
from typing import Any

from model.region import RegionCode
from model.site import Access, ServiceHours, Site

_SITE = Site(
    id="a",
    name="a",
    kind="kantor_desa",
    village=RegionCode("61.01.13.2002"),
    access=Access.CELLULAR,
    provider="isp",
    timezone="Asia/Pontianak",
    service_hours=ServiceHours.parse("Mon-Fri 07:30-15:30"),
    service_critical=True,
    interval_seconds=60,
    in_service_from=date(2020, 1, 1),
)


def a_site(site_id: str = "a", **values: Any) -> Site:
    """A village office on a 4G line, looked at once a minute, with whatever is to differ."""
    return replace(_SITE, id=site_id, name=site_id, **values)
