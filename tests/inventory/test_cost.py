"""The cost of a day is counted as the line counts it."""

from pathlib import Path

import pytest

from inventory.cost import DayCost, check_cost, day_costs, total
from inventory.read import load
from model.check import Check
from model.inventory import CENTRE_SITE

EXAMPLE = Path(__file__).parents[2] / "inventory.yaml"


@pytest.mark.parametrize(
    ("address", "interval_seconds", "count", "packets", "byte_count"),
    [
        ("127.61.1.13", 300, 5, 2880, 2880 * 84),
        ("2001:db8::13", 300, 5, 2880, 2880 * 104),
        ("127.61.1.13", 86_400, 1, 2, 168),
        ("127.61.1.13", 50_000, 1, 4, 336),
    ],
)
def test_check_cost(
    address: str, interval_seconds: int, count: int, packets: int, byte_count: int
) -> None:
    """Headers and payload, both ways, for every look that begins within a day."""
    check = Check("s", "centre", "ping", "site", address, interval_seconds, count=count)
    assert check_cost(check) == DayCost(packets, byte_count)


def test_day_costs() -> None:
    """Every site has its cost; a site without an address costs nothing; nothing is left out."""
    inventory = load(EXAMPLE)
    costs = day_costs(inventory)
    assert set(costs) == {CENTRE_SITE, *inventory.by_id}
    assert costs["semparuk-kd"] == DayCost(2880, 241_920)
    assert costs["martinus-kd"] == DayCost()
    assert total(costs.values()) == total(map(check_cost, inventory.centre_checks()))
