"""What fails above a broken rung is UNKNOWN because of it, and below is asked once a round."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import pytest

from model.check import Check
from model.ladder import LADDER, below, state
from model.measurement import Outcome, Reason, Rung
from probes.ladder import FRESH_SECONDS, Ladder
from probes.look import Look

UP, DOWN, UNKNOWN = Outcome.UP, Outcome.DOWN, Outcome.UNKNOWN
RUNGS = (Rung.LAN, Rung.ISP_GATEWAY, Rung.DNS, Rung.NATIONAL, Rung.INTERNATIONAL, Rung.APPLICATION)


@dataclass
class World:
    """Answers for each target, counts who was asked, and turns its own clock."""

    outcomes: dict[str, Outcome]
    asked: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    async def __call__(self, check: Check) -> Look:
        await asyncio.sleep(0)  # others get their turn, as with a socket
        self.asked[check.target] += 1
        outcome = self.outcomes[check.target]
        return Look(outcome, {}, Reason.NO_ANSWER if outcome is DOWN else "")

    def ladder(self) -> tuple[Ladder, list[Check]]:
        checks = [Check("v-1", "village", "k", target, "", 300) for target in self.outcomes]
        return Ladder(checks, {"k": self}, lambda: self.seconds), checks


def world(**broken: Outcome) -> World:
    return World({rung: broken.get(rung, UP) for rung in RUNGS})


def look_at_all(one: World) -> dict[str, Look]:
    """One round: all checks at once."""

    async def run() -> dict[str, Look]:
        ladder, checks = one.ladder()
        looks = await asyncio.gather(*(ladder.look(check) for check in checks))
        return {check.target: look for check, look in zip(checks, looks, strict=True)}

    return asyncio.run(run())


def test_all_is_well() -> None:
    """Nothing is asked twice when nothing fails."""
    one = world()
    assert {look.outcome for look in look_at_all(one).values()} == {UP}
    assert set(one.asked.values()) == {1}


def test_broken_gateway() -> None:
    """A dead gateway is DOWN; all above it is UNKNOWN with its name; each asked once a round."""
    one = world(isp_gateway=DOWN, dns=DOWN, national=DOWN, international=DOWN, application=DOWN)
    found = look_at_all(one)
    assert found["isp_gateway"] == Look(DOWN, {}, Reason.NO_ANSWER)
    for rung in ("dns", "national", "international", "application"):
        assert found[rung] == Look(UNKNOWN, {}, "below: isp_gateway")
    assert max(one.asked.values()) <= 2  # its own look, and one question from above
    assert one.asked["application"] == 1


def test_silent_gateway_of_a_working_line() -> None:
    """A gateway that answers no echoes takes no blame while something above it answers."""
    one = world(isp_gateway=DOWN, application=DOWN)
    found = look_at_all(one)
    assert found["application"].outcome is DOWN
    assert found["national"].outcome is UP


def test_data_centre_alone() -> None:
    """Internet works and the data centre does not: DOWN, and nobody below is to blame."""
    found = look_at_all(world(application=DOWN, international=DOWN))
    assert found["application"].outcome is DOWN
    assert found["international"].outcome is DOWN


def test_below_is_asked_at_the_time_of_the_failure() -> None:
    """A gateway that was well a while ago is asked again when something above it fails."""
    one = world()
    ladder, checks = one.ladder()
    by_target = {check.target: check for check in checks}

    async def run() -> Look:
        await ladder.look(by_target["isp_gateway"])
        one.seconds += FRESH_SECONDS
        one.outcomes.update(isp_gateway=DOWN, dns=DOWN, national=DOWN, lan=UP)
        return await ladder.look(by_target["national"])

    assert asyncio.run(run()).reason == "below: isp_gateway"
    assert one.asked["isp_gateway"] == 2


def test_unknown_below_accuses_nobody() -> None:
    """A lower rung that we could not look at is no reason: the failure stays what it is."""
    found = look_at_all(world(lan=UNKNOWN, isp_gateway=UNKNOWN, application=DOWN))
    assert found["application"].outcome is DOWN


def test_several_targets_of_a_rung() -> None:
    """A rung is broken when all of its targets are silent, not when one of them is."""
    one = World({"national": DOWN, "national:two": UP, "application": DOWN})
    assert look_at_all(one)["application"].outcome is DOWN
    one = World({"national": DOWN, "national:two": DOWN, "application": DOWN})
    assert look_at_all(one)["application"].reason == "below: national"


def test_the_centre_looks_through_the_site() -> None:
    """From the centre a camera stands on its site's line."""
    one = World({"site": DOWN, "application:camera": DOWN})
    assert look_at_all(one)["application:camera"].reason == "below: site"


def test_sites_do_not_answer_for_each_other() -> None:
    """A broken rung of one site says nothing of another."""
    one = World({"lan": DOWN, "application": DOWN})
    ladder = Ladder(
        [Check(site, "village", "k", "application", "", 60) for site in ("a", "b")]
        + [Check("a", "village", "k", "lan", "", 60)],
        {"k": one},
    )
    found = asyncio.run(ladder.look(Check("b", "village", "k", "application", "", 60)))
    assert found.outcome is DOWN


@pytest.mark.parametrize("rung", LADDER)
def test_every_rung_has_its_place(rung: Rung) -> None:
    """Nothing stands on itself or on what lies farther out; all but the first stand somewhere."""
    assert all(LADDER.index(lower) < LADDER.index(rung) for lower in below(rung))
    assert bool(below(rung)) is (rung is not LADDER[0])


def test_state() -> None:
    """The lowest broken rung, and the outermost that works."""
    found = state({Rung.LAN: UP, Rung.DNS: DOWN, Rung.NATIONAL: UP, Rung.APPLICATION: UNKNOWN})
    assert (found.broken, found.works) == (Rung.DNS, Rung.NATIONAL)
    assert state({}).broken is None
