"""The bulk of the map's data as packed columns: shapes, places, and weeks of sites.

Law: what ``assets/unpack.js`` reads is what is written here, column by column; a number that is not
known is 0 and a known one is written one higher, so that nothing unknown can pass for a zero.
"""

from collections.abc import Iterable, Mapping, Sequence

from maps.look import STATES
from maps.topology import Cell, Topology, pack, signed
from model.definition import State
from model.outage import Cause
from model.region import RegionCode, Register
from model.site import Access, Site
from model.summary import SiteWeek, WeekRecord

STATE_NUMBER = {state: number for number, state in enumerate(STATES)}
_CAUSE_NUMBER = {cause: number for number, cause in enumerate(Cause)}
_GOOD = frozenset({State.STABLE, State.FAIR})


def arcs(topology: Topology) -> str:
    """For each arc its number of points, then the steps; the first from the end of the arc before,
    which in a ring is where it begins."""
    numbers: list[int] = []
    x = y = 0
    for arc in topology.arcs:
        numbers.append(len(arc))
        for cell_x, cell_y in arc:
            numbers += (signed(cell_x - x), signed(cell_y - y))
            x, y = cell_x, cell_y
    return pack(numbers)


def shapes(topology: Topology, codes: Iterable[RegionCode]) -> str:
    """For each village its number of rings (0: no polygon); for each ring its arcs: 0 is the next
    one that was not used yet, others count back from there, with one bit for "backwards"."""
    numbers: list[int] = []
    fresh = 0
    for code in codes:
        rings = topology.shapes.get(code, ())
        numbers.append(len(rings))
        for ring in rings:
            numbers.append(len(ring))
            for ref in ring:
                number = max(ref, ~ref)
                if number == fresh:
                    numbers.append(0)
                    fresh += 1
                else:
                    numbers.append(2 * (fresh - number) - (ref >= 0))
    return pack(numbers)


def villages(register: Register, cells: Sequence[Cell | None]) -> dict[str, object]:
    """``names``; ``codes``: steps of the kecamatan and of the code's last part; ``places``: 0, or 1
    and the step from the last placed village; ``people``. ``cells`` are the villages' places."""
    number = {code: at for at, code in enumerate(register.kecamatan)}
    codes: list[int] = []
    places: list[int] = []
    district = tail = x = y = 0
    for village, cell in zip(register.villages, cells, strict=True):
        step = number[village.kecamatan] - district
        tail = 0 if step else tail
        codes += (signed(step), signed(int(village.code[9:]) - tail))
        district, tail = district + step, int(village.code[9:])
        if cell is None:
            places.append(0)
            continue
        cell_x, cell_y = cell
        places += (1, signed(cell_x - x), signed(cell_y - y))
        x, y = cell_x, cell_y
    return {
        "names": [village.name for village in register.villages],
        "codes": pack(codes),
        "places": pack(places),
        "people": pack(_known(village.population) for village in register.villages),
    }


def sites(
    register: Register,
    listed: Sequence[Site],
    kinds: Sequence[str],
    accesses: Sequence[Access],
    providers: Sequence[str],
    *,
    contacts: bool,
) -> dict[str, object]:
    """``names``: what stands before and after the village's name, which most names of sites hold,
    or the whole name; ``contacts``: who and which number; ``columns``: for each site the step of
    its village, its name, kind, access and provider, whether a service depends on it, its contact.
    """
    number = {village.code: at for at, village in enumerate(register.villages)}
    kind_number, access_number, provider_number = (
        {one: at for at, one in enumerate(each)} for each in (kinds, accesses, providers)
    )
    names: dict[tuple[str, ...], int] = {}
    called: dict[tuple[str, str], int] = {}
    columns: list[int] = []
    last = 0
    for site in listed:
        at = number[site.village]
        before, found, after = site.name.partition(register.villages[at].name or "\0")
        name = (before, after) if found else (site.name,)
        who = (site.contact_name or "", site.contact_phone or "")
        contact = called.setdefault(who, len(called)) if contacts and any(who) else None
        columns += (
            signed(at - last),
            names.setdefault(name, len(names)),
            kind_number[site.kind],
            access_number[site.access],
            provider_number[site.provider],
            int(site.service_critical),
            _known(contact),
        )
        last = at
    return {
        "names": [list(name) for name in names],
        "contacts": [list(who) for who in called],
        "columns": pack(columns),
    }


def site_weeks(listed: Sequence[Site], records: Sequence[WeekRecord]) -> dict[str, str]:
    """Columns of all weeks, oldest first, in each the sites in their order.

    ``states``: state + 1; and for those that have one ``lost``: what is missing to 100 %
    availability in 1/100 %; ``unseen``: what is missing to a fully observed week in whole %;
    ``causes``: how many, and for each its number and minutes down.
    """
    states: list[int] = []
    lost: list[int] = []
    unseen: list[int] = []
    causes: list[int] = []
    for record in records:
        found = {item.site: item for item in record.site_weeks}
        for site in listed:
            item = found.get(site.id)
            states.append(0 if item is None else STATE_NUMBER[item.state] + 1)
            if item is None:
                continue
            share = item.service.availability
            # Both shares are rounded down: 99.996 % is not 100 %.
            lost.append(0 if share is None else 10_001 - int(share * 10_000))
            unseen.append(100 - int(item.service.observed_share * 100))
            minutes = minutes_down(item)
            causes.append(len(minutes))
            for cause, length in minutes.items():
                causes += (_CAUSE_NUMBER[cause], round(length))
    columns = {"states": states, "lost": lost, "unseen": unseen, "causes": causes}
    return {name: pack(numbers) for name, numbers in columns.items()}


def minutes_down(item: SiteWeek) -> dict[Cause, float]:
    """Minutes down in the week by cause, the longest first."""
    minutes: dict[Cause, float] = {}
    for outage in item.outages:
        length = (outage.end_ms - outage.start_ms) / 60_000
        minutes[outage.cause] = minutes.get(outage.cause, 0.0) + length
    return dict(sorted(minutes.items(), key=lambda pair: -pair[1]))


def last_good(site: str, weeks: Sequence[Mapping[str, SiteWeek]]) -> tuple[int, SiteWeek] | None:
    """The newest week in which a site was stable or fair: its index in ``weeks``, and that week."""
    for index in range(len(weeks) - 1, -1, -1):
        item = weeks[index].get(site)
        if item is not None and item.state in _GOOD:
            return index, item
    return None


def last_good_values(listed: Sequence[Site], records: Sequence[WeekRecord]) -> str:
    """For each site 0, or the week's index + 1 and its RTT in ms, loss in 1/1000 and rates down and
    up in 1/10 Mbit/s, as far as measured."""
    weeks = [{item.site: item for item in record.site_weeks} for record in records]
    numbers: list[int] = []
    for site in listed:
        good = last_good(site.id, weeks)
        if good is None:
            numbers.append(0)
            continue
        quality = good[1].quality
        numbers += (
            good[0] + 1,
            _known(quality.rtt_median_seconds, 1000),
            _known(quality.loss_p95, 1000),
            _known(quality.download_mbit_s, 10),
            _known(quality.upload_mbit_s, 10),
        )
    return pack(numbers)


def _known(value: float | None, scale: int = 1) -> int:
    return 0 if value is None else round(value * scale) + 1
