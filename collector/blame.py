"""Outages and evidence -> one cause each, with a confidence and what decided it.

Law: the evidence of all rules is weighed together, never the first that matches. Findings of the
same rule do not add up; those of different rules do (noisy or), and the causes then compete.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from collector.facts import Boot, Facts
from collector.neighbours import Neighbours, Silence
from collector.rules import RULES, Case, loss_climbed
from collector.rungs import rungs_of
from collector.settings import BlameSettings
from collector.verdict import SiteLooks
from model.inventory import Inventory
from model.outage import Cause, Evidence, Outage
from model.timeline import Interval


def blame(
    silences: Sequence[Silence],
    inventory: Inventory,
    looks: Mapping[str, SiteLooks],
    facts: Facts,
    settings: BlameSettings,
) -> list[Outage]:
    """Give each silence its cause. Two passes: what a neighbour's outage was called in the first
    is evidence in the second (a battery that runs down after the grid failed)."""
    climbed = frozenset(
        number for number, loss in facts.loss.items() if loss_climbed(loss, settings)
    )
    watched = frozenset(site for site, seen in looks.items() if seen.deciding)
    neighbours = Neighbours(inventory, watched, silences, climbed, settings)
    outages: list[Outage] = []
    cases: list[Case] = []
    for number, silence in enumerate(silences):
        case = _case(number, silence, inventory, looks, facts, neighbours, settings)
        cases.append(case)
        outages.append(_judge(case, settings))
    dark = _dark_feeders(cases, outages)
    for number, case in enumerate(cases):
        feeder = case.site.feeder
        if feeder is not None and _covers(dark.get(feeder, ()), case, settings):
            cases[number] = replace(case, feeder_out_already=True)
            outages[number] = _judge(cases[number], settings)
    return _with_parents(cases, outages, settings)


def _judge(case: Case, settings: BlameSettings) -> Outage:
    found = [evidence for rule in RULES for evidence in rule(case, settings)]
    cause, confidence, ordered = weigh(found, settings)
    return Outage(
        site=case.site.id,
        start_ms=case.interval.start_ms,
        end_ms=case.interval.end_ms,
        open=case.open,
        cause=cause,
        confidence=confidence,
        evidence=ordered,
    )


def weigh(
    found: Sequence[Evidence], settings: BlameSettings
) -> tuple[Cause, float, tuple[Evidence, ...]]:
    """The cause that the evidence speaks for, how surely (0 to 1), and the evidence with what
    decided first. Raises ValueError without any."""
    doubt: dict[Cause, dict[str, float]] = defaultdict(dict)
    for evidence in found:
        by_rule = doubt[evidence.cause]
        by_rule[evidence.rule] = min(by_rule.get(evidence.rule, 1.0), 1 - evidence.weight)
    for narrow, wide in _NARROWER.items():
        if narrow in doubt:
            doubt[narrow] |= {rule: left for rule, left in doubt[wide].items() if rule != "prior"}
    belief = {cause: 1 - math.prod(by_rule.values()) for cause, by_rule in doubt.items()}
    cause = max(belief, key=lambda one: belief[one])
    # What speaks for other causes takes from the confidence as much as it deserves itself.
    against = max((value for other, value in belief.items() if other is not cause), default=0.0)
    confidence = belief[cause] * (1 - against * (1 - belief[cause]))
    if confidence < settings.confidence_min:
        cause = Cause.UNKNOWN
    ordered = sorted(found, key=lambda one: (one.cause is not cause, -one.weight))
    return cause, round(confidence, 3), tuple(ordered)


_NARROWER = {Cause.SATELLITE_FADE: Cause.LINK}
"""A narrower cause is a case of the wider one: what speaks for the wider speaks for it too."""


def _case(
    number: int,
    silence: Silence,
    inventory: Inventory,
    looks: Mapping[str, SiteLooks],
    facts: Facts,
    neighbours: Neighbours,
    settings: BlameSettings,
) -> Case:
    site, interval = silence.site, silence.interval
    boots = facts.boots.get(site.id, ())
    return Case(
        site=site,
        interval=interval,
        open=silence.open,
        maintenance=_maintenance(inventory, silence, settings),
        rungs=rungs_of(looks[site.id], interval),
        booted=_boot_within(boots, interval, settings),
        survived=any(
            boot.first_ms <= interval.start_ms and boot.last_ms >= interval.end_ms for boot in boots
        ),
        feeder=neighbours.feeder(silence),
        feeder_out_already=False,
        upstream=neighbours.upstream(silence),
        provider=neighbours.provider(silence),
        region=neighbours.region(silence),
        volts=facts.volts.get(number),
        on_battery=number in facts.on_battery,
        port_changed=number in facts.port_changes,
        same_hour_days=neighbours.same_hour_days(silence),
        loss=facts.loss.get(number),
        fading_neighbours=neighbours.fading(silence),
    )


def _boot_within(boots: Sequence[Boot], interval: Interval, settings: BlameSettings) -> Boot | None:
    """The device's start that falls into the outage."""
    slack = settings.boot_slack_seconds * 1000
    for boot in boots:
        if interval.start_ms - slack <= boot.started_ms <= interval.end_ms + slack:
            return boot
    return None


def _maintenance(inventory: Inventory, silence: Silence, settings: BlameSettings) -> str | None:
    """The reason of announced work on the site or its upstreams that covers the outage."""
    slack = settings.maintenance_slack_seconds * 1000
    for work in inventory.maintenance_of(silence.site):
        window = Interval(work.interval.start_ms - slack, work.interval.end_ms + slack)
        covered = silence.interval.clip(window)
        share = (covered.length_ms if covered else 0) / silence.interval.length_ms
        if share >= settings.maintenance_overlap_min:
            return work.reason
    return None


def _dark_feeders(cases: Sequence[Case], outages: Sequence[Outage]) -> dict[str, list[Interval]]:
    """When each feeder was without power, as far as several of its sites say so together."""
    dark: dict[str, list[Interval]] = defaultdict(list)
    for case, outage in zip(cases, outages, strict=True):
        shared = any(evidence.rule == "feeder" for evidence in outage.evidence)
        if case.site.feeder is not None and outage.cause is Cause.POWER and shared:
            dark[case.site.feeder].append(case.interval)
    return dark


def _covers(dark: Sequence[Interval], case: Case, settings: BlameSettings) -> bool:
    """Whether the feeder was dark when this outage began, from before it."""
    start = case.interval.start_ms
    early = start - settings.together_seconds * 1000
    return any(item.start_ms < early and start <= item.end_ms for item in dark)


def _with_parents(
    cases: Sequence[Case], outages: Sequence[Outage], settings: BlameSettings
) -> list[Outage]:
    """Name the outage that owns each child: the failure of the node it fell with, by its first
    child's start. A child whose battery held for a while belongs to the failure that goes on."""
    owned = [_shared_node(case, outage) for case, outage in zip(cases, outages, strict=True)]
    parents: list[Outage] = list(outages)
    latest: dict[str, tuple[str, int]] = {}
    for number in sorted(range(len(outages)), key=lambda one: outages[one].start_ms):
        node, outage = owned[number], outages[number]
        if node is None:
            continue
        reach = (settings.together_seconds + cases[number].site.interval_seconds) * 1000
        parent, last_start = latest.get(node, ("", 0))
        battery = cases[number].feeder_out_already and outage.cause is Cause.POWER
        if not parent or (outage.start_ms - last_start > reach and not battery):
            parent = f"{node}@{outage.start_ms // 1000}"
        latest[node] = (parent, last_start if battery else outage.start_ms)
        parents[number] = replace(outage, parent=parent)
    return parents


def _shared_node(case: Case, outage: Outage) -> str | None:
    """The node whose failure took the site down, if the deciding evidence names one."""
    rules = {evidence.rule for evidence in outage.evidence if evidence.cause is outage.cause}
    if outage.cause is Cause.UPSTREAM and "upstream" in rules and case.upstream is not None:
        return f"upstream:{case.upstream.node}"
    if outage.cause is Cause.POWER and "feeder" in rules and case.feeder is not None:
        return f"feeder:{case.feeder.node}"
    return None
