"""Coverage: states of villages, the target, the roll-up and the funnel."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from maps.coverage import Change, Funnel, coverage
from model.definition import State
from model.inventory import Inventory
from model.region import Register, VillageKind
from model.summary import WeekRecord
from tests.maps.made import make_site

S, F, U, X, N = State.STABLE, State.FAIR, State.UNSTABLE, State.CUT_OFF, State.NOT_OBSERVED
MakeInventory = Callable[..., Inventory]
MakeRecords = Callable[..., tuple[WeekRecord, ...]]
PASAR, DALAM, LUBUK = "61.01.01.1001", "61.01.01.2002", "61.01.02.2001"


def test_every_village_is_counted(
    register: Register, make_inventory: MakeInventory, make_records: MakeRecords
) -> None:
    """Villages without any site stand in the denominator, as not connected."""
    result = coverage(register, make_inventory(make_site("a", PASAR)), make_records({"a": [S]}))
    now = result.total.now
    assert now.registered == sum(now.states.values()) == len(register.villages) == 5
    assert now.states[State.NOT_CONNECTED] == 4
    assert result.regions["61.06"].now.registered == 1


@pytest.mark.parametrize(
    ("sites", "expected"),
    [
        ([(U, True), (F, True)], F),
        ([(X, True), (S, False)], X),
        ([(S, False)], N),
        ([(N, True), (X, True)], X),
    ],
)
def test_a_village_is_as_good_as_its_best_critical_site(
    sites: list[tuple[State, bool]],
    expected: State,
    register: Register,
    make_inventory: MakeInventory,
    make_records: MakeRecords,
) -> None:
    """The best service-critical site decides; a public Wi-Fi alone says nothing of the services."""
    inventory = make_inventory(
        *(make_site(f"s{n}", PASAR, critical=critical) for n, (_, critical) in enumerate(sites))
    )
    records = make_records({f"s{n}": [state] for n, (state, _) in enumerate(sites)})
    result = coverage(register, inventory, records)
    assert result.by_village[PASAR].state is expected
    no_critical = not any(critical for _, critical in sites)
    assert result.villages_without_critical_site == ((PASAR,) if no_critical else ())


@pytest.mark.parametrize(
    ("states", "meets"),
    [
        ([S, S, S, X], [False, False, True, True]),
        ([S, S, X, X, S], [False, False, False, False, False]),
        ([S, S, S, S, X, X], [False, False, True, True, True, False]),
        ([F, F, F, F], [False, False, False, False]),
    ],
)
def test_the_target_is_three_of_the_last_four_weeks(
    states: list[State],
    meets: list[bool],
    register: Register,
    make_inventory: MakeInventory,
    make_records: MakeRecords,
) -> None:
    """Each week looks back over its own window; weeks that are not known never count as stable."""
    result = coverage(register, make_inventory(make_site("a", PASAR)), make_records({"a": states}))
    assert list(result.by_village[PASAR].meets_target) == meets
    assert [tally.meets_target for tally in result.total.weeks] == [int(met) for met in meets]
    assert result.window_known(3)
    assert not result.window_known(2)


def test_roll_up_keeps_kinds_and_people_apart(
    register: Register, make_inventory: MakeInventory, make_records: MakeRecords
) -> None:
    """Desa and kelurahan are tallied apart; a share of people exists only where all are known."""
    inventory = make_inventory(make_site("a", PASAR), make_site("b", DALAM))
    result = coverage(register, inventory, make_records({"a": [S, S, S], "b": [S, X, S]}))
    sambas = result.regions["61.01"]
    assert sambas.now.meets_target == 1
    assert sambas.now.share == pytest.approx(1 / 4)
    assert sambas.now.population_share == pytest.approx(1000 / 2000)
    assert sambas.by_kind[VillageKind.KELURAHAN][-1].meets_target == 1
    assert sambas.by_kind[VillageKind.DESA][-1].registered == 3
    assert result.total.now.population_share is None
    assert result.total.now.population_known == 4


def test_change_is_none_where_the_past_is_not_known(
    register: Register, make_inventory: MakeInventory, make_records: MakeRecords
) -> None:
    """A change of the target needs the earlier week's whole window; one of states only the week."""
    inventory = make_inventory(make_site("a", PASAR), make_site("b", DALAM))
    states = {"a": [S, S, X, S, S], "b": [X, X, X, X, S]}
    result = coverage(register, inventory, make_records(states))
    assert result.change(1) == Change(stable=1, meets_target=0)
    assert result.change(4) == Change(stable=1, meets_target=None)
    assert result.change(5) is None
    assert result.change(1, "61.06") == Change(stable=0, meets_target=0)


def test_the_funnel_never_widens(
    register: Register, make_inventory: MakeInventory, make_records: MakeRecords
) -> None:
    """Each step counts a part of the villages of the step before it."""
    inventory = make_inventory(
        make_site("a", PASAR),
        make_site("b", DALAM),
        make_site("c", LUBUK, address=None),
        make_site("d", "61.01.02.2002"),
    )
    result = coverage(register, inventory, make_records({"a": [S], "b": [F], "c": [N], "d": [N]}))
    assert result.funnel == Funnel(5, 4, 3, 2, 2, 1)


def test_a_site_counts_from_its_first_day(
    register: Register, make_inventory: MakeInventory, make_records: MakeRecords
) -> None:
    """Before its site is in service a village is not connected, whatever was measured."""
    site = make_site("a", PASAR, in_service_from=date(2026, 11, 10))
    result = coverage(register, make_inventory(site), make_records({"a": [S, S]}))
    states = [week.state for week in result.by_village[PASAR].weeks]
    assert states == [State.NOT_CONNECTED, S]


def test_what_does_not_fit_is_named(
    register: Register, make_inventory: MakeInventory, make_records: MakeRecords
) -> None:
    """Sites elsewhere and weeks graded otherwise are listed, and count nowhere."""
    inventory = make_inventory(make_site("a", PASAR), make_site("far", "64.02.19.2005"))
    first, last = make_records({"a": [S, S], "far": [S, S]})
    result = coverage(register, inventory, [replace(first, definition_hash="0" * 12), last])
    assert result.sites_outside_register == ("far",)
    assert result.weeks_of_other_definition == (first.week,)
    assert result.total.now.states[S] == 1


def test_weeks_must_follow_each_other(
    register: Register, make_inventory: MakeInventory, make_records: MakeRecords
) -> None:
    """A hole in the weeks would shift the window of the target, so it is refused."""
    first, _, last = make_records({"a": [S, S, S]})
    with pytest.raises(ValueError, match="does not follow"):
        coverage(register, make_inventory(make_site("a", PASAR)), [first, last])
    with pytest.raises(ValueError, match="at least one week"):
        coverage(register, make_inventory(), [])
