"""Coverage: how far a province is from "every village has stable internet".

Law: every village of the register stands in the denominator, measured or not, and every count
carries its denominator. A village is as good as its best service-critical site; it meets the target
when it was stable in enough of the last weeks (both numbers are the definition's).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from model.definition import Definition, State
from model.inventory import Inventory
from model.region import Level, RegionCode, Register, Village, VillageKind, level
from model.site import Site
from model.summary import SiteWeek, WeekRecord
from model.week import Week

_RANK = {state: rank for rank, state in enumerate(State)}
_AVAILABLE = frozenset({State.STABLE, State.FAIR})


@dataclass(frozen=True, slots=True)
class VillageWeek:
    """One village in one week. ``best`` is the site that gave the state; None where there is none
    (not connected) or none that is service-critical (then nothing says how its services fare)."""

    state: State
    best: SiteWeek | None = None


@dataclass(frozen=True, slots=True)
class VillageCoverage:
    """One village: its weeks in the order of ``Coverage.weeks`` and whether it meets the target in
    each of them, counting only weeks that are known (so an early week can be too low, never too
    high: see ``Coverage.window_known``)."""

    village: Village
    weeks: tuple[VillageWeek, ...]
    meets_target: tuple[bool, ...]

    @property
    def state(self) -> State:
        """The state in the last week."""
        return self.weeks[-1].state


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of villages in one week. ``states`` has all six states and adds up to ``registered``.

    ``population`` sums what is known; it is known for ``population_known`` villages, and a share of
    people may be printed only beside that number.
    """

    registered: int
    states: Mapping[State, int]
    meets_target: int
    population: int
    population_meets_target: int
    population_known: int

    @property
    def share(self) -> float | None:
        """Villages that meet the target / registered villages, 0 to 1; None of none."""
        return self.meets_target / self.registered if self.registered else None

    @property
    def population_share(self) -> float | None:
        """People in villages that meet the target / people, where every village's are known."""
        if not self.population or self.population_known < self.registered:
            return None
        return self.population_meets_target / self.population


@dataclass(frozen=True, slots=True)
class RegionCoverage:
    """A kecamatan, kabupaten or province: one Tally a week, and the same for each kind of village
    that the region has (desa and kelurahan are never mixed without being shown apart)."""

    code: RegionCode
    level: Level
    weeks: tuple[Tally, ...]
    by_kind: Mapping[VillageKind, tuple[Tally, ...]]

    @property
    def now(self) -> Tally:
        """The last week."""
        return self.weeks[-1]


@dataclass(frozen=True, slots=True)
class Funnel:
    """From the register to stable: each number counts a part of the villages of the one before.

    connected: has a site in service; monitored: one of them is looked at; reporting: something was
    seen of one in the week; available: enough was seen and availability passes; stable: all passes.
    """

    registered: int
    connected: int
    monitored: int
    reporting: int
    available: int
    stable: int


@dataclass(frozen=True, slots=True)
class Change:
    """What moved since a number of weeks ago. ``meets_target`` is None where the earlier figure
    rests on weeks that are not known."""

    stable: int
    meets_target: int | None


@dataclass(frozen=True)
class Coverage:
    """The coverage of a province over consecutive weeks; the last one is the week reported on.

    ``sites_outside_register`` have a village code that the register lacks: they count nowhere.
    ``villages_without_critical_site`` have sites, but none that a service depends on.
    ``weeks_of_other_definition`` were graded with other thresholds than ``definition``.
    """

    province: RegionCode
    register_version: str
    definition: Definition
    weeks: tuple[Week, ...]
    revision: int
    generated_at_ms: int
    data_until_ms: int | None
    villages: tuple[VillageCoverage, ...]
    regions: Mapping[RegionCode, RegionCoverage]
    funnel: Funnel
    sites_outside_register: tuple[str, ...]
    villages_without_critical_site: tuple[RegionCode, ...]
    weeks_of_other_definition: tuple[Week, ...]

    @property
    def week(self) -> Week:
        """The week reported on."""
        return self.weeks[-1]

    @property
    def total(self) -> RegionCoverage:
        """The province."""
        return self.regions[self.province]

    @cached_property
    def by_village(self) -> Mapping[RegionCode, VillageCoverage]:
        return {item.village.code: item for item in self.villages}

    def window_known(self, index: int) -> bool:
        """Whether all weeks on which the target of week ``index`` rests are known."""
        return index >= self.definition.target_window_weeks - 1

    def change(self, weeks_back: int, code: RegionCode | None = None) -> Change | None:
        """The last week against ``weeks_back`` earlier; None when that week is not known."""
        then = len(self.weeks) - 1 - weeks_back
        if weeks_back < 1 or then < 0:
            return None
        tallies = self.regions[code or self.province].weeks
        return Change(
            stable=tallies[-1].states[State.STABLE] - tallies[then].states[State.STABLE],
            meets_target=tallies[-1].meets_target - tallies[then].meets_target
            if self.window_known(then)
            else None,
        )


def coverage(register: Register, inventory: Inventory, weeks: Sequence[WeekRecord]) -> Coverage:
    """Grade every village of the register and roll up.

    ``weeks``: consecutive weeks, oldest first, at least one; more than the target's window for the
    target's own history. Raises ValueError when they are not consecutive.
    """
    if not weeks:
        raise ValueError("coverage needs at least one week")
    for earlier, later in pairwise(weeks):
        if earlier.week.plus(1) != later.week:
            raise ValueError(f"{later.week} does not follow {earlier.week}")
    by_village: dict[RegionCode, list[Site]] = {}
    for site in inventory.sites:
        by_village.setdefault(site.village, []).append(site)
    site_weeks = [{item.site: item for item in record.site_weeks} for record in weeks]
    sundays = [record.week.sunday for record in weeks]
    villages = []
    for village in register.villages:
        sites = by_village.get(village.code, [])
        states = tuple(
            _village_week([site for site in sites if site.in_service_from <= sunday], found)
            for sunday, found in zip(sundays, site_weeks, strict=True)
        )
        villages.append(VillageCoverage(village, states, _target(inventory.definition, states)))
    return Coverage(
        province=inventory.province.code,
        register_version=register.version,
        definition=inventory.definition,
        weeks=tuple(record.week for record in weeks),
        revision=weeks[-1].revision,
        generated_at_ms=weeks[-1].generated_at_ms,
        data_until_ms=weeks[-1].data_until_ms,
        villages=tuple(villages),
        regions=_regions(inventory.province.code, villages, len(weeks)),
        funnel=_funnel(villages, by_village, weeks[-1], site_weeks[-1]),
        sites_outside_register=tuple(
            site.id for site in inventory.sites if site.village not in register.by_code
        ),
        villages_without_critical_site=tuple(
            code
            for code, sites in sorted(by_village.items())
            if code in register.by_code and not any(site.service_critical for site in sites)
        ),
        weeks_of_other_definition=tuple(
            record.week for record in weeks if record.definition_hash != inventory.definition.hash
        ),
    )


def _village_week(sites: Sequence[Site], found: Mapping[str, SiteWeek]) -> VillageWeek:
    if not sites:
        return VillageWeek(State.NOT_CONNECTED)
    seen = [found[site.id] for site in sites if site.service_critical and site.id in found]
    if not seen:
        return VillageWeek(State.NOT_OBSERVED)
    best = min(seen, key=lambda item: (_RANK[item.state], -(item.service.availability or 0)))
    return VillageWeek(best.state, best)


def _target(definition: Definition, weeks: Sequence[VillageWeek]) -> tuple[bool, ...]:
    stable = [week.state is State.STABLE for week in weeks]
    window = definition.target_window_weeks
    return tuple(
        sum(stable[max(0, last + 1 - window) : last + 1]) >= definition.target_weeks
        for last in range(len(stable))
    )


def _regions(
    province: RegionCode, villages: Sequence[VillageCoverage], weeks: int
) -> dict[RegionCode, RegionCoverage]:
    members: dict[RegionCode, list[VillageCoverage]] = {province: []}
    for item in villages:
        # A set: the whole of a report may be a kabupaten, which then comes once.
        for code in {province, item.village.kabupaten, item.village.kecamatan}:
            members.setdefault(code, []).append(item)
    return {
        code: RegionCoverage(
            code,
            level(code),
            _tallies(inside, weeks),
            {
                kind: _tallies(of_kind, weeks)
                for kind in VillageKind
                if (of_kind := [item for item in inside if item.village.kind is kind])
            },
        )
        for code, inside in sorted(members.items())
    }


def _tallies(villages: Sequence[VillageCoverage], weeks: int) -> tuple[Tally, ...]:
    people = [item.village.population for item in villages]
    known = [number for number in people if number is not None]
    found = []
    for index in range(weeks):
        states = Counter(item.weeks[index].state for item in villages)
        meets = [item.meets_target[index] for item in villages]
        found.append(
            Tally(
                registered=len(villages),
                states={state: states[state] for state in State},
                meets_target=sum(meets),
                population=sum(known),
                population_meets_target=sum(
                    number or 0 for number, met in zip(people, meets, strict=True) if met
                ),
                population_known=len(known),
            )
        )
    return tuple(found)


def _funnel(
    villages: Iterable[VillageCoverage],
    by_village: Mapping[RegionCode, Sequence[Site]],
    record: WeekRecord,
    found: Mapping[str, SiteWeek],
) -> Funnel:
    counts: Counter[str] = Counter()
    for item in villages:
        sites = [
            site
            for site in by_village.get(item.village.code, [])
            if site.in_service_from <= record.week.sunday
        ]
        watched = [site for site in sites if site.address is not None or site.has_probe]
        heard = [s for s in watched if s.id in found and found[s.id].raw.observed_share > 0]
        steps = (
            ("registered", True),
            ("connected", bool(sites)),
            ("monitored", bool(watched)),
            ("reporting", bool(heard)),
            ("available", item.state in _AVAILABLE),
            ("stable", item.state is State.STABLE),
        )
        for name, reached in steps:
            if not reached:
                break
            counts[name] += 1
    return Funnel(
        counts["registered"],
        counts["connected"],
        counts["monitored"],
        counts["reporting"],
        counts["available"],
        counts["stable"],
    )
