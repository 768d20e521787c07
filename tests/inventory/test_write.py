"""Writing and reading back gives an equal inventory, whatever is in it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.read import load
from inventory.register import load_register, register_csv
from inventory.settings import standard_kinds
from inventory.write import hours_text, write_inventory
from model.definition import Definition
from model.errors import UnavailableError
from model.inventory import (
    Anchor,
    Inventory,
    Kabupaten,
    LookSettings,
    Maintenance,
    Provider,
    Province,
    Upstream,
)
from model.measurement import Rung
from model.region import Register, Village
from model.site import Access, PowerSource, ServiceHours, Site, SiteKind
from model.timeline import Interval

EXAMPLE = Path(__file__).parents[2] / "inventory.yaml"

names = st.text(
    st.characters(categories=("Lu", "Ll", "Nd"), max_codepoint=0x24F), min_size=1, max_size=30
).map(lambda text: "x" + text)
names |= st.sampled_from(
    ['a "quoted" one', "comma, colon: # no comment", "null", "61.10", "a{b}[c"]
)
ids = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True).filter(
    lambda text: text != "centre"
)
shares = st.floats(0, 1)
degrees = st.tuples(st.floats(-90, 90), st.floats(-180, 180)) | st.just((None, None))
closing = st.times(min_value=time(12, 1)).map(lambda t: t.replace(second=0, microsecond=0))
windows = st.tuples(
    st.integers(0, 6),
    st.times(max_value=time(11)).map(lambda t: t.replace(second=0, microsecond=0)),
    closing | st.just(time.min),
)
hours = st.lists(windows, min_size=1, max_size=9).map(lambda found: ServiceHours(tuple(found)))
villages = st.builds(
    "{}.{:02d}.{}{:03d}".format,
    st.sampled_from(["61.01", "61.71", "64.02"]),
    st.integers(1, 99),
    st.integers(1, 3),
    st.integers(0, 999),
)
moments = st.integers(946_684_800_000, 4_000_000_000_000)


@st.composite
def sites(draw: st.DrawFn, kinds: Mapping[str, SiteKind]) -> list[Site]:
    """Sites with different ids and addresses, in id order."""
    found = []
    for number, name in enumerate(sorted(draw(st.sets(ids, min_size=1, max_size=5)))):
        lat, lon = draw(degrees)
        found.append(
            Site(
                id=name,
                name=draw(names),
                kind=draw(st.sampled_from(sorted(kinds))),
                village=draw(villages),
                access=draw(st.sampled_from(Access)),
                provider="p-0",
                timezone=draw(st.sampled_from(["Asia/Pontianak", "Asia/Makassar"])),
                service_hours=draw(hours),
                service_critical=draw(st.booleans()),
                interval_seconds=draw(st.integers(10, 86_400)),
                in_service_from=draw(st.dates(date(2000, 1, 1), date(2099, 12, 31))),
                address=draw(
                    st.sampled_from([None, f"10.0.0.{number}", f"2001:db8::{number + 1}"])
                ),
                upstream=draw(st.sampled_from([None, "core"])),
                feeder=draw(st.none() | ids),
                power=draw(st.sampled_from(PowerSource)),
                power_hours_a_day=draw(st.floats(0.5, 24)),
                has_probe=draw(st.booleans()),
                metered=draw(st.booleans()),
                lat=lat,
                lon=lon,
                contact_name=draw(st.none() | names),
                contact_phone=draw(st.none() | st.just("+62 561 123456")),
            )
        )
    return found


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    """Any inventory that follows the rules."""
    kinds = dict(standard_kinds())
    kinds["school"] = SiteKind("school", draw(names), draw(names), draw(hours), False, 77)
    found = draw(sites(kinds))
    start, length = draw(moments), draw(st.integers(1, 10**9))
    work = Maintenance(
        Interval(start, start + length),
        draw(names),
        frozenset({found[0].id}),
        draw(st.sampled_from([frozenset(), frozenset({"core", "pop"})])),
    )
    anchors = tuple(
        Anchor(f"a-{number}", rung, f"10.9.0.{number}") for number, rung in enumerate(Rung)
    )
    return Inventory(
        province=Province("61", draw(names), "Asia/Pontianak"),
        kabupaten=(
            Kabupaten("61.71", draw(names), bps_code="6171"),
            Kabupaten("61.01", draw(names), None, 1, 2, 3, 4, draw(st.floats(0, 1e5))),
            Kabupaten("64.02", draw(names)),
        ),
        providers={"p-0": Provider("p-0", draw(names), draw(st.none() | shares))},
        upstreams={
            "core": Upstream("core", draw(names), "p-0"),
            "pop": Upstream("pop", draw(names), "p-0", "core"),
        },
        kinds=kinds,
        sites=tuple(found),
        definition=replace(Definition(), observed_share_min=draw(shares), target_weeks=2),
        look=LookSettings(draw(st.integers(1, 20)), draw(st.floats(0.1, 10))),
        centre_anchors=anchors,
        village_targets=anchors[:2],
        maintenance=(work,),
    )


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(inventory=inventories())
def test_round_trip(tmp_path: Path, inventory: Inventory) -> None:
    """What is written is read back equal, to the last digit and the definition's hash."""
    back = load(write_inventory(inventory, None, tmp_path))
    assert back == inventory
    assert back.definition.hash == inventory.definition.hash


def test_example_round_trip(tmp_path: Path) -> None:
    """The example survives too, with its sites moved into a table."""
    inventory = load(EXAMPLE)
    assert load(write_inventory(inventory, None, tmp_path)) == inventory


def test_register_beside_it(tmp_path: Path) -> None:
    """A register is written beside the inventory, named by it, and read back equal."""
    inventory = load(EXAMPLE)
    codes = sorted({site.village for site in inventory.sites})
    register = Register(
        "300.2.2-2430/2025",
        tuple(Village(code, f"Desa {code}", 0.1, 109.2, 3, 4.5, True) for code in codes),
        {"61": "Kalimantan Barat", "61.01": "Kabupaten, Sambas"},
    )
    back = load(write_inventory(inventory, register, tmp_path))
    assert back == replace(inventory, register_file=str(tmp_path / "register.csv"))
    assert load_register(tmp_path / "register.csv") == register
    assert (tmp_path / "register.csv").read_text(encoding="utf-8") == register_csv(register)


@pytest.mark.parametrize(
    "text",
    ["Mon-Fri 07:30-15:30", "Mon-Sun 00:00-24:00", "Mon 08:00-12:00; Wed-Sat 08:00-12:00"],
)
def test_hours_text(text: str) -> None:
    """Service hours are written as people write them."""
    assert hours_text(ServiceHours.parse(text)) == text


def test_usual_values_stay_with_the_kind(tmp_path: Path) -> None:
    """A table repeats nothing that the kind says, so that a changed kind changes its sites."""
    path = write_inventory(load(EXAMPLE), None, tmp_path)
    text = path.read_text(encoding="utf-8")
    changed = text.replace("interval_seconds: 300", "interval_seconds: 120")
    path.write_text(changed, encoding="utf-8")
    assert load(path).by_id["semparuk-kd"].interval_seconds == 120


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """Where nothing can be written, the error says what to look at."""
    with pytest.raises(UnavailableError, match="check space and permissions"):
        write_inventory(load(EXAMPLE), None, tmp_path / "nowhere")
