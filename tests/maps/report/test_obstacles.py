"""What stands in the way: every village to go in exactly one row, and the decision it asks for."""

from collections.abc import Callable

import pytest

from maps.coverage import coverage
from maps.report.obstacles import Obstacle, Standing, obstacles
from model.definition import Definition, State
from model.inventory import Inventory
from model.outage import Cause
from model.region import Register
from tests.maps.made import LAST_WEEK, make_record, make_site, make_site_week
from tests.maps.report.province import random_province, random_records

PASAR = "61.01.01.1001"


@pytest.mark.parametrize("seed", range(10))
def test_the_rows_add_up_to_the_villages_to_go(seed: int) -> None:
    """In any province the obstacles are as many as the villages short of the target, and those
    that only wait come last."""
    register, inventory = random_province(seed)
    result = coverage(register, inventory, random_records(inventory, seed, 4))
    now, found = result.total.now, obstacles(result)
    assert sum(one.villages for one in found) == now.registered - now.meets_target
    waits = [one.obstacle is Obstacle.WAITING for one in found]
    assert waits == sorted(waits)


@pytest.mark.parametrize(
    ("state", "cause", "expected"),
    [
        (State.STABLE, None, Obstacle.WAITING),
        (State.FAIR, Cause.POWER, Obstacle.QUALITY),
        (State.NOT_OBSERVED, None, Obstacle.NOT_OBSERVED),
        (State.UNSTABLE, Cause.POWER, Obstacle.POWER),
        (State.CUT_OFF, Cause.UPSTREAM, Obstacle.PROVIDER),
        (State.CUT_OFF, Cause.LAN, Obstacle.EQUIPMENT),
        (State.UNSTABLE, Cause.UNKNOWN, Obstacle.OTHER),
        (State.UNSTABLE, None, Obstacle.OTHER),
    ],
)
def test_each_village_by_its_state_and_main_cause(
    state: State,
    cause: Cause | None,
    expected: Obstacle,
    register: Register,
    make_inventory: Callable[..., Inventory],
) -> None:
    """A village that is up is judged by its state, one that is down by what took most time; the
    other four of the register have no site."""
    outages = [(1, 1, Cause.LINK), (5, 6, cause)] if cause else []
    record = make_record(LAST_WEEK, [make_site_week("a", LAST_WEEK, state, outages)], Definition())
    result = coverage(register, make_inventory(make_site("a", PASAR)), [record])
    assert set(obstacles(result)) == {Standing(expected, 1), Standing(Obstacle.NOT_CONNECTED, 4)}
