"""The map beside the plain folium way on the same villages: bytes, CPU seconds, paint, frames.

Goals (issue 8): the province at most 1.5 MB, 400 kB gzipped, written in 3 s, first paint within 2 s
on a CPU slowed down four times, 30 frames/s; the nation's dots at most 5 MB, written in 2 s.
Both pages hold every site's states, causes and last good values; the nation's is the public one.
"""

import csv
import gzip
import json
import os
import random
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import folium  # noqa: TID251 - the peer
from folium.plugins import FastMarkerCluster  # noqa: TID251 - the peer

from bench.maps_browser import in_browser
from maps.boundaries import Boundaries, load_boundaries
from maps.coverage import coverage
from maps.exports import table_geojson, village_table
from maps.folium_map import write_map
from maps.map_data import MapInput, within
from maps.picture import write_picture
from maps.words import load
from model.definition import Definition, Quality, State
from model.inventory import Inventory, Provider, Province
from model.outage import Cause, Outage
from model.region import Register, Village
from model.site import Access, ServiceHours, Site, SiteKind
from model.summary import Repair, SiteWeek, Summary, WeekRecord
from model.week import Week

_SHARED = Path(os.environ.get("JANGKAU_SHARED", Path(__file__).parents[2] / "shared"))
_HOUR_MS = 3_600_000
_ZONE = "Asia/Pontianak"
_HOURS = ServiceHours.parse("Mon-Fri 07:30-15:30")
_SEED = 61


def run() -> None:
    """The province with real borders (where they are at hand), then the nation as dots."""
    words = load("id")
    print(f"seed {_SEED}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        names, villages = _province_villages()
        borders_file = _SHARED / "geo" / "kalbar_villages_lite.geojson"
        register = Register("bench", villages, names)
        inventory, records = _weeks(register, 12, share_with_site=0.97)
        result = coverage(register, inventory, records)
        borders: Boundaries | None = None
        border_seconds = 0.0
        if borders_file.is_file():
            border_seconds, borders = _timed(lambda: load_boundaries(borders_file, register))
            print(
                f"borders read, checked, made one coverage, simplified: {border_seconds:.2f} s CPU"
            )
        else:
            print("no real borders here (JANGKAU_SHARED): the province as dots")
        given = MapInput(register, inventory, result, records, borders)
        ours = folder / "peta.html"
        seconds, _ = _timed(lambda: write_map(given, ours, words))
        _say("map, province, 12 weeks, with its borders", ours, border_seconds + seconds)
        geojson = folder / "desa.geojson"
        table_geojson(village_table(register, result, borders), geojson)
        plain = folder / "folium.html"
        peer_seconds, _ = _timed(lambda: _plain_province(geojson, plain))
        _say("folium GeoJson + tooltip, 1 week", plain, peer_seconds)
        _ratio(ours, plain, border_seconds + seconds, peer_seconds)
        in_browser(ours)
        pocket = folder / "saku.html"
        part = within(given, "61.06" if "61.06" in register.kabupaten else register.kabupaten[0])
        seconds, _ = _timed(lambda: write_map(part, pocket, words, packed=True))
        _say(f"pocket map, {len(part.register.villages)} villages (goal 250 kB)", pocket, seconds)
        png = folder / "peta.png"
        seconds, _ = _timed(lambda: write_picture(given, png, words))
        _say("picture (goal 300 kB)", png, seconds)
        _nation(folder)


def _nation(folder: Path) -> None:
    words = load("id")
    register = _nation_register()
    inventory, records = _weeks(register, 1, share_with_site=0.97)
    result = coverage(register, inventory, records)
    given = MapInput(register, inventory, result, records, public=True)
    ours, bare, circles = (folder / f"{name}.html" for name in ("nation", "cluster", "circles"))
    seconds, _ = _timed(lambda: write_map(given, ours, words))
    _say(f"map, nation, {len(register.villages)} dots", ours, seconds)
    places = [(v.lat, v.lon) for v in register.villages]
    cluster_seconds, _ = _timed(
        lambda: folium.Map().add_child(FastMarkerCluster(places)).save(str(bare))
    )
    _say("folium FastMarkerCluster, bare points", bare, cluster_seconds)
    _ratio(ours, bare, seconds, cluster_seconds)
    few = register.villages[:: max(1, len(register.villages) // 8000)]
    circle_seconds, _ = _timed(lambda: _circles(few, circles))
    scale = len(register.villages) / len(few)
    print(
        f"  folium CircleMarkers, {len(few)} of them: {circles.stat().st_size / 1e6:.1f} MB, "
        f"{circle_seconds:.1f} s CPU; for all {scale * circles.stat().st_size / 1e6:.0f} MB, "
        f"{scale * circle_seconds:.0f} s"
    )
    in_browser(ours)


def _plain_province(geojson: Path, out: Path) -> None:
    content = json.loads(geojson.read_text("utf-8"))
    content["features"] = [one for one in content["features"] if one["geometry"]]
    tooltip = folium.GeoJsonTooltip(["name", "state", "availability"])
    folium.Map().add_child(folium.GeoJson(content, tooltip=tooltip)).save(str(out))


def _circles(villages: tuple[Village, ...], out: Path) -> None:
    page = folium.Map()
    for village in villages:
        folium.CircleMarker((village.lat, village.lon), radius=2).add_to(page)
    page.save(str(out))


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds, which neighbours on the same machine hardly change, and what was made."""
    began = time.process_time()
    made = work()
    return time.process_time() - began, made


def _say(what: str, path: Path, seconds: float) -> None:
    content = path.read_bytes()
    size, squeezed = len(content) / 1e3, len(gzip.compress(content, 9)) / 1e3
    print(f"  {what}: {size:.0f} kB, gzipped {squeezed:.0f} kB, {seconds:.2f} s CPU")


def _ratio(ours: Path, peer: Path, seconds: float, peer_seconds: float) -> None:
    size = ours.stat().st_size / peer.stat().st_size
    print(f"  ours / folium: {size:.2f} of the bytes, {seconds / peer_seconds:.2f} of the time")


def _province_villages() -> tuple[dict[str, str], tuple[Village, ...]]:
    path = _SHARED / "geo" / "kalbar_villages.csv"
    if not path.is_file():
        register = _nation_register()
        return dict(register.region_names), register.villages[:2145]
    rng = random.Random(_SEED)  # noqa: S311 - the same chance on every run
    names: dict[str, str] = {}
    villages = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            names |= {
                row["kecamatan_code"]: row["kecamatan"],
                row["kabupaten_code"]: row["kabupaten"],
            }
            lat, lon, people = float(row["lat"]), float(row["lon"]), rng.randrange(200, 9000)
            villages.append(Village(row["code"], row["name"], lat, lon, people))
    return names, tuple(sorted(villages, key=lambda village: village.code))


def _nation_register() -> Register:
    """83,762 villages on 514 patches between Aceh and Papua, 163 each, with made-up names."""
    rng = random.Random(_SEED)  # noqa: S311 - the same chance on every run
    villages: list[Village] = []
    for number in range(514):
        lon, lat = rng.uniform(95.5, 140.5), rng.uniform(-10.5, 5.5)
        for at in range(163 if number < 494 else 162):
            code = f"{11 + number // 14}.{1 + number % 14:02d}.{1 + at // 12:02d}.{2001 + at % 12}"
            name = "".join(
                rng.choice(("ba", "ru", "tan", "jung", "se", "mi", "la")) for _ in range(4)
            )
            villages.append(
                Village(code, name.title(), lat + rng.gauss(0, 0.2), lon + rng.gauss(0, 0.2), 1500)
            )
    return Register("bench", tuple(villages[:83_762]))


def _weeks(
    register: Register, weeks: int, share_with_site: float
) -> tuple[Inventory, tuple[WeekRecord, ...]]:
    """A site in most villages, and weeks in which most of them are well: all drawn by chance."""
    rng = random.Random(_SEED)  # noqa: S311 - the same chance on every run
    providers = {f"p{at}": Provider(f"p{at}", f"Penyedia {at}", 0.98) for at in range(6)}
    sites = tuple(
        Site(
            id=f"kd-{village.code.replace('.', '-')}", name=f"Kantor Desa {village.name}",
            kind="kantor_desa", village=village.code, access=rng.choice(list(Access)),
            provider=rng.choice(list(providers)), timezone=_ZONE, service_hours=_HOURS,
            service_critical=True, interval_seconds=300, in_service_from=date(2025, 1, 1),
            lat=village.lat, lon=village.lon, contact_name="Pak Budi",
            contact_phone=f"+62812{rng.randrange(10**8):08d}",
        )
        for village in register.villages
        if rng.random() < share_with_site
    )  # fmt: skip
    inventory = Inventory(
        Province(register.villages[0].code[:2], "Bench", _ZONE), (), providers, {},
        {"kantor_desa": SiteKind("kantor_desa", "Kantor desa", "Office", _HOURS, True, 300)},
        sites, Definition(),
    )  # fmt: skip
    usual = {site.id: rng.choices(list(State)[:5], [60, 15, 10, 5, 3])[0] for site in sites}
    records = []
    for back in range(weeks - 1, -1, -1):
        week = Week(2026, 46).plus(-back)
        found = tuple(_site_week(rng, site, week, usual[site.id]) for site in sites)
        end_ms = week.interval(_ZONE).end_ms
        records.append(WeekRecord(week, 0, end_ms, end_ms, inventory.definition.hash, found))
    return inventory, tuple(records)


def _site_week(rng: random.Random, site: Site, week: Week, usual: State) -> SiteWeek:
    state = usual if rng.random() < 0.7 else rng.choice(list(State)[:4])
    lowest, highest = {
        State.STABLE: (0.985, 1.0), State.FAIR: (0.98, 1.0), State.UNSTABLE: (0.5, 0.95),
        State.CUT_OFF: (0.0, 0.5),
    }.get(state, (0.9, 1.0))  # fmt: skip
    seen = round(40 * _HOUR_MS * (rng.uniform(0.95, 1) if state is not State.NOT_OBSERVED else 0.3))
    up = round(seen * rng.uniform(lowest, highest))
    summary = Summary(up, seen - up, 40 * _HOUR_MS - seen)
    start = week.interval(_ZONE).start_ms
    outages = []
    for _ in range(rng.choice((0, 0, 1, 2)) if state is State.STABLE else rng.randrange(1, 6)):
        begin = start + rng.randrange(150 * _HOUR_MS)
        end = begin + 300_000 + round(rng.expovariate(1 / (2 * _HOUR_MS)))
        cause = rng.choice(list(Cause)[:5])
        outages.append(Outage(site.id, begin, end, False, cause, 0.9))
    quality = Quality(
        rng.uniform(0.02, 0.6), rng.random() * 0.05, rng.uniform(2, 30), rng.uniform(1, 9)
    )
    return SiteWeek(
        site.id, week, summary, summary, summary, Repair(), quality, state, tuple(outages)
    )
