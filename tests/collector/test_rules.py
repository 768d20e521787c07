"""Each rule of blame: one case in which it finds its evidence, one in which it says nothing."""

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collector import rules
from collector.facts import Boot, Loss, Volts
from collector.rules import Case, Rule, Together
from collector.rungs import Rungs
from collector.settings import BlameSettings
from model.outage import Cause
from model.site import Access
from model.timeline import Interval
from tests.collector.sites import a_site

SETTINGS = BlameSettings()
HOUR_MS = 3_600_000
OUTAGE = Interval(10 * HOUR_MS, 11 * HOUR_MS)
SITE = a_site(interval_seconds=300)
GEO = replace(SITE, access=Access.GEO)
BARE = Case(
    site=SITE,
    interval=OUTAGE,
    open=False,
    maintenance=None,
    rungs=Rungs(),
    booted=None,
    survived=False,
    feeder=None,
    feeder_out_already=False,
    upstream=None,
    provider=None,
    region=None,
    volts=None,
    on_battery=False,
    port_changed=False,
    same_hour_days=1,
    loss=None,
    fading_neighbours=0,
)


def boot(reason: int) -> Boot:
    """A start of the device at the end of the outage."""
    return Boot(OUTAGE.end_ms - 60_000, OUTAGE.end_ms, OUTAGE.end_ms, reason)


def found(rule: Rule, **known: Any) -> set[Cause]:
    """The causes that a rule speaks for when this much is known."""
    return {evidence.cause for evidence in rule(replace(BARE, **known), SETTINGS)}


FINDS = [
    (rules.announced_maintenance, {"maintenance": "new mast"}, Cause.MAINTENANCE),
    (rules.probe_measured_on, {"rungs": Rungs(lived=True, isp_answered=True)}, Cause.UPSTREAM),
    (rules.probe_measured_on, {"rungs": Rungs(lived=True, isp_answered=False)}, Cause.LINK),
    (rules.own_network_failed, {"rungs": Rungs(lived=True, lan_answered=False)}, Cause.LAN),
    (
        rules.portal_in_the_way,
        {"rungs": Rungs(lived=True, isp_answered=True, portal="quota used up")},
        Cause.CAPTIVE_PORTAL,
    ),
    (
        rules.names_failed,
        {"rungs": Rungs(lived=True, isp_answered=True, names_failed=True)},
        Cause.DNS,
    ),
    (rules.port_changed, {"port_changed": True}, Cause.LINK),
    (rules.device_started, {"booted": boot(1)}, Cause.POWER),
    (rules.device_started, {"booted": boot(2)}, Cause.DEVICE),
    (rules.device_started, {"booted": boot(0)}, Cause.POWER),
    (rules.device_survived, {"survived": True}, Cause.LINK),
    (rules.fell_with_upstream, {"upstream": Together("pop", 3, 5)}, Cause.UPSTREAM),
    (rules.fell_with_feeder, {"feeder": Together("f", 2, 5)}, Cause.POWER),
    (
        rules.fell_with_feeder,
        {"feeder": Together("f", 1, 5), "feeder_out_already": True},
        Cause.POWER,
    ),
    (rules.fell_with_region, {"region": Together("61.01", 6, 10)}, Cause.POWER),
    (
        rules.fell_with_region,
        {"region": Together("61.01", 6, 20), "provider": Together("isp in 61.01", 5, 6)},
        Cause.UPSTREAM,
    ),
    (rules.ups_carried, {"on_battery": True}, Cause.POWER),
    (rules.supply_fell, {"volts": Volts(11.2, 12.6)}, Cause.POWER),
    (
        rules.power_by_the_hour,
        {"site": replace(SITE, power_hours_a_day=12), "same_hour_days": 3},
        Cause.POWER,
    ),
    (rules.rain_fade, {"site": GEO, "loss": Loss(30, 100, 0.01)}, Cause.SATELLITE_FADE),
    (rules.rain_fade, {"site": GEO, "fading_neighbours": 2}, Cause.SATELLITE_FADE),
]

SAYS_NOTHING = [
    (rules.announced_maintenance, {}),
    (rules.probe_measured_on, {}),
    (rules.probe_measured_on, {"rungs": Rungs(lived=False)}),
    (rules.probe_measured_on, {"rungs": Rungs(lived=True)}),  # no look at the provider's first hop
    # Something nearer explains why nothing beyond answered.
    (rules.probe_measured_on, {"rungs": Rungs(True, lan_answered=False, isp_answered=False)}),
    (rules.probe_measured_on, {"rungs": Rungs(True, isp_answered=True, portal="captive portal")}),
    (rules.probe_measured_on, {"rungs": Rungs(True, isp_answered=True, names_failed=True)}),
    (rules.own_network_failed, {}),
    (rules.own_network_failed, {"rungs": Rungs(lived=True, lan_answered=True)}),
    (rules.portal_in_the_way, {"rungs": Rungs(lived=True, isp_answered=True)}),
    # The way to the provider is gone, and its resolver with it.
    (rules.names_failed, {"rungs": Rungs(True, isp_answered=False, names_failed=True)}),
    (rules.names_failed, {"rungs": Rungs(lived=True, isp_answered=True)}),
    (rules.port_changed, {}),
    (rules.port_changed, {"port_changed": True, "booted": boot(1)}),  # a start takes ports up
    (rules.device_started, {}),
    (rules.device_started, {"booted": boot(3)}),  # people restart a router whatever is wrong
    (rules.device_survived, {}),
    (rules.device_survived, {"survived": True, "rungs": Rungs(lived=True)}),  # its rungs say more
    (rules.fell_with_upstream, {}),
    (rules.fell_with_upstream, {"upstream": Together("pop", 2, 2)}),  # too few
    (rules.fell_with_upstream, {"upstream": Together("pop", 3, 6)}),  # half of them live
    (rules.fell_with_feeder, {}),
    (rules.fell_with_feeder, {"feeder": Together("f", 1, 1)}),
    (rules.fell_with_feeder, {"feeder": Together("f", 2, 6)}),
    (rules.fell_with_region, {}),
    (rules.fell_with_region, {"region": Together("61.01", 4, 4)}),  # too few to be a region
    (rules.fell_with_region, {"provider": Together("isp in 61.01", 5, 9)}),
    (rules.ups_carried, {}),
    (rules.supply_fell, {}),
    (rules.supply_fell, {"volts": Volts(12.4, 12.6)}),
    (rules.power_by_the_hour, {"same_hour_days": 7}),  # it has power all day
    (
        rules.power_by_the_hour,
        {"site": replace(SITE, power_hours_a_day=12), "same_hour_days": 2},
    ),
    (rules.rain_fade, {"site": GEO}),
    (rules.rain_fade, {"loss": Loss(30, 100, 0.01), "fading_neighbours": 3}),  # not a satellite
    (rules.rain_fade, {"site": GEO, "loss": Loss(30, 100, 0.25)}),  # it always loses so much
    (rules.rain_fade, {"site": GEO, "loss": Loss(2, 10, 0.0)}),  # two lost echoes are chance
    (rules.rain_fade, {"site": GEO, "loss": Loss(30, 100, 0.01), "booted": boot(1)}),
    (
        rules.rain_fade,
        {"site": GEO, "loss": Loss(30, 100, 0.01), "interval": Interval(0, 4 * HOUR_MS)},
    ),
]


@pytest.mark.parametrize(("rule", "known", "cause"), FINDS)
def test_rule_finds(rule: Rule, known: dict[str, Any], cause: Cause) -> None:
    """The rule speaks for its cause, and for no other, when its evidence is there."""
    assert found(rule, **known) == {cause}


@pytest.mark.parametrize(("rule", "known"), SAYS_NOTHING)
def test_rule_says_nothing(rule: Rule, known: dict[str, Any]) -> None:
    """Without its evidence, or just short of it, the rule is silent."""
    assert found(rule, **known) == set()


def test_every_rule_is_judged_both_ways() -> None:
    """Every rule of the table but the prior has a case of either sort."""
    judged = set(rules.RULES) - {rules.what_is_usual}
    assert {rule for rule, *_ in FINDS} == judged == {rule for rule, *_ in SAYS_NOTHING}


def test_evidence_is_checkable() -> None:
    """Evidence names what an engineer can look up: the node and the count, the volts, the time."""
    cases = [
        (rules.fell_with_upstream, {"upstream": Together("pop-9", 3, 5)}, ["3 of 5", "pop-9"]),
        (rules.supply_fell, {"volts": Volts(11.2, 12.6)}, ["11.2 V", "12.6 V"]),
        (rules.device_started, {"booted": boot(1)}, ["59 min"]),
        (rules.rain_fade, {"site": GEO, "loss": Loss(30, 100, 0.01)}, ["30%", "1.0%"]),
        (rules.announced_maintenance, {"maintenance": "new mast"}, ["new mast"]),
    ]
    for rule, known, words in cases:
        texts = [one.text for one in rule(replace(BARE, **known), SETTINGS)]
        assert any(all(word in text for word in words) for text in texts), (words, texts)


def test_the_prior_is_the_weakest() -> None:
    """What is usual decides only where no rule found anything."""
    priors = [evidence.weight for evidence in rules.what_is_usual(BARE, SETTINGS)]
    others = [
        one.weight for rule, known, _ in FINDS for one in rule(replace(BARE, **known), SETTINGS)
    ]
    assert max(priors) < min(others)


@pytest.mark.parametrize("name", ["rules", "rungs", "blame", "blind", "verdict", "accounting"])
def test_no_number_outside_the_settings(name: str) -> None:
    """A threshold in a rule would be a number nobody can find: only identities and units of time
    stand in the code (beside them: a code of METRICS' boot_reason in the rules, the p90's own name
    in the accounts, in blame the tail of a partition and the digits of a printed confidence)."""
    allowed = {
        0, 1, 24, 60, 1000, 3600, 60_000, 86_400,
        *{"rules": (2,), "accounting": (0.9,), "blame": (2, 3)}.get(name, ()),
    }  # fmt: skip
    source = Path(rules.__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    literals = [
        (node.lineno, node.value)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and type(node.value) in (int, float)
    ]
    assert [found for found in literals if found[1] not in allowed] == []
