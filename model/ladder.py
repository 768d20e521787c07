"""The check ladder of a site: which rung stands on which, and which one is broken.

Law: a good look is proof, a failed one a claim. A rung on which something stands that works is not
broken, whatever it answers; a failure above a broken rung says nothing of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from model.measurement import Outcome, Rung

LADDER = (
    Rung.SITE,
    Rung.POWER,
    Rung.DEVICE,
    Rung.LAN,
    Rung.WAN,
    Rung.ISP_GATEWAY,
    Rung.DNS,
    Rung.NATIONAL,
    Rung.INTERNATIONAL,
    Rung.APPLICATION,
)
"""From the inside outward; ``SITE`` is all of the inside, as the centre sees it."""

_NOT_NEEDED = {
    (Rung.DNS, Rung.NATIONAL),  # national and international targets are addresses, not names
    (Rung.DNS, Rung.INTERNATIONAL),
    (Rung.INTERNATIONAL, Rung.APPLICATION),  # the provincial data centre is not abroad
}
"""(lower, higher): the higher rung can work without the lower one."""


def below(rung: Rung) -> tuple[Rung, ...]:
    """The rungs that a rung stands on, from the inside outward; none for what is on no ladder."""
    if rung not in LADDER:
        return ()
    under = LADDER[: LADDER.index(rung)]
    return tuple(lower for lower in under if (lower, rung) not in _NOT_NEEDED)


def rung_of(target: str) -> Rung | None:
    """The rung of a measurement's target (``application:siap`` is ``application``); None for a
    target of somebody else's making."""
    name = target.partition(":")[0]
    return Rung(name) if name in set(Rung) else None


@dataclass(frozen=True, slots=True)
class LadderState:
    """The lowest broken rung, and the outermost one that works; None where there is none."""

    broken: Rung | None
    works: Rung | None


def state(outcomes: Mapping[Rung, Outcome]) -> LadderState:
    """What the outcomes of a ladder's rungs, looked at at one time, amount to."""
    up = [rung for rung in LADDER if outcomes.get(rung) == Outcome.UP]
    carried = {lower for rung in up for lower in below(rung)}
    broken = [rung for rung in LADDER if outcomes.get(rung) == Outcome.DOWN and rung not in carried]
    return LadderState(broken[0] if broken else None, up[-1] if up else None)


def rung_outcome(outcomes: list[Outcome]) -> Outcome:
    """Of a rung with several targets: UP when one of them answers, DOWN when all are silent."""
    if Outcome.UP in outcomes:
        return Outcome.UP
    return Outcome.UNKNOWN if Outcome.UNKNOWN in outcomes or not outcomes else Outcome.DOWN
