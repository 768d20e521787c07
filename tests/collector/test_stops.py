"""Stops: when a service failed although its line worked, and why."""

import ast
from pathlib import Path

import pytest

from collector import stop_rules
from collector.islands import Island, Series
from collector.rules import Together
from collector.settings import BlameSettings, TruthSettings, VerdictSettings
from collector.stop_rules import STOP_RULES, Failure, StopCase, StopRule
from collector.stops import Claims, Stops, carrying, claims_of
from model.measurement import Outcome
from model.outage import Cause
from model.timeline import Interval, Run

MIN = 60_000
HOUR = 60 * MIN
UP, DOWN, UNKNOWN = Outcome.UP, Outcome.DOWN, Outcome.UNKNOWN
DAY = Interval(0, 24 * HOUR)


def series(
    target: str, *islands: tuple[int, int, Outcome, str], site: str = "a", vantage: str = "village"
) -> Series:
    """Islands as (from, to, outcome, reason) in minutes, looks every five minutes."""
    made = tuple(
        Island(start * MIN, (end - 5) * MIN, outcome, reason, (end - start) // 5, 5 * MIN)
        for start, end, outcome, reason in islands
    )
    return Series(site, vantage, "http", target, made)


def stops(
    by_site: dict[str, list[Series]], up: dict[str, list[Interval]] | None = None,
    black_holes: dict[str, list[Interval]] | None = None,
) -> Stops:  # fmt: skip
    claims = {
        site: [claims_of(one, carrying(one, some), VerdictSettings()) for one in some]
        for site, some in by_site.items()
    }
    targets = {site: [one.target for one in some] for site, some in by_site.items()}
    lines = up if up is not None else {site: [DAY] for site in by_site}
    return Stops(claims, targets, lines, black_holes or {}, TruthSettings())


def case(
    *failures: tuple[str, str], together: Together | None = None, holes: bool = False
) -> StopCase:
    return StopCase("a", DAY, tuple(Failure(*one) for one in failures), together, holes)


APP = ("application:siap", "wrong status 502")
FINDS: list[tuple[StopRule, StopCase, Cause]] = [
    (stop_rules.own_network, case(("lan:router", "no answer")), Cause.LAN),
    (stop_rules.names, case(("dns:resolver", "no answer")), Cause.DNS),
    (stop_rules.names, case(("application:siap", "name not resolved")), Cause.DNS),
    (stop_rules.portal, case(("national:hotspot", "captive portal")), Cause.CAPTIVE_PORTAL),
    (stop_rules.portal, case(("application:siap", "quota used up")), Cause.CAPTIVE_PORTAL),
    (stop_rules.large_packets, case(APP, holes=True), Cause.UPSTREAM),
    (stop_rules.failed_for_many, case(APP, together=Together("siap", 3, 6)), Cause.SERVICE),
    (stop_rules.application, case(APP), Cause.SERVICE),
]
SAYS_NOTHING: list[tuple[StopRule, StopCase]] = [
    (stop_rules.own_network, case(APP)),
    (stop_rules.names, case(APP)),
    (stop_rules.portal, case(APP)),
    (stop_rules.large_packets, case(APP)),
    (stop_rules.large_packets, case(("dns:resolver", "no answer"), holes=True)),
    (stop_rules.failed_for_many, case(APP)),
    (stop_rules.failed_for_many, case(APP, together=Together("siap", 2, 2))),  # two are too few
    (stop_rules.failed_for_many, case(APP, together=Together("siap", 4, 9))),  # most can use it
    (stop_rules.application, case(("application:siap", "name not resolved"))),
    (stop_rules.application, case(("national:hotspot", "captive portal"))),
]


@pytest.mark.parametrize(("rule", "one", "cause"), FINDS)
def test_rule_finds(rule: StopRule, one: StopCase, cause: Cause) -> None:
    """The rule speaks for its cause, and for no other, when its evidence is there."""
    assert {evidence.cause for evidence in rule(one, BlameSettings())} == {cause}


@pytest.mark.parametrize(("rule", "one"), SAYS_NOTHING)
def test_rule_says_nothing(rule: StopRule, one: StopCase) -> None:
    """Without its evidence, or just short of it, the rule is silent."""
    assert list(rule(one, BlameSettings())) == []


def test_every_rule_is_judged_both_ways() -> None:
    """Every rule of the table has a case of either sort."""
    assert {rule for rule, *_ in FINDS} == set(STOP_RULES) == {rule for rule, *_ in SAYS_NOTHING}


def test_a_stop_is_made_of_looks_as_an_outage_is() -> None:
    """Two failed looks make one; good moments shorter than five minutes belong to it; a lone failed
    look makes none."""
    app = series(
        "application:siap",
        (0, 60, UP, ""),
        (60, 70, DOWN, "no answer"),
        (70, 120, UP, ""),
        (120, 125, DOWN, "no answer"),
        (125, 1440, UP, ""),
    )
    found = stops({"a": [app]}).of("a")
    assert [one.interval for one in found] == [Interval(60 * MIN, 70 * MIN)]
    assert [one.cause for one in found] == [Cause.SERVICE]
    assert not found[0].open


def test_a_stop_that_nobody_saw_end_is_open() -> None:
    """What failed until the last look is open; what was good again since is not."""
    app = series("application:siap", (0, 60, UP, ""), (60, 180, DOWN, "no answer"))
    well = series("application:rekam", (0, 600, UP, ""))
    assert [one.open for one in stops({"a": [app, well]}).of("a")] == [True]
    again = series("application:siap", (0, 60, UP, ""), (60, 180, DOWN, "x"), (180, 200, UP, ""))
    assert [one.open for one in stops({"a": [again, well]}).of("a")] == [False]


def test_what_the_line_explains_is_no_stop() -> None:
    """Only the time counts in which the line was up; a failure inside an outage is that outage."""
    app = series("application:siap", (0, 60, UP, ""), (60, 180, DOWN, "x"), (180, 1440, UP, ""))
    line = [Interval(0, 90 * MIN), Interval(150 * MIN, 24 * HOUR)]
    found = stops({"a": [app]}, {"a": line})
    assert [one.interval for one in found.of("a")] == [
        Interval(60 * MIN, 90 * MIN),
        Interval(150 * MIN, 180 * MIN),
    ]
    assert found.timeline("a", DAY) == [
        Run(0, 60 * MIN, UP),
        Run(60 * MIN, 90 * MIN, DOWN),
        Run(90 * MIN, 150 * MIN, UNKNOWN),
        Run(150 * MIN, 180 * MIN, DOWN),
        Run(180 * MIN, 24 * HOUR, UP),
    ]
    assert stops({"a": [app]}, {"a": []}).of("a") == ()


def test_the_innermost_failure_is_the_cause() -> None:
    """A dead resolver explains the application that was not reached; both at once are one stop."""
    dns = series("dns:resolver", (0, 60, UP, ""), (60, 180, DOWN, "no answer"), (180, 1440, UP, ""))
    app = series(
        "application:siap",
        (0, 62, UP, ""),
        (62, 182, DOWN, "name not resolved"),
        (182, 1440, UP, ""),
    )
    (found,) = stops({"a": [dns, app]}).of("a")
    assert (found.cause, found.interval) == (Cause.DNS, Interval(60 * MIN, 182 * MIN))
    assert found.evidence[0].text == "names failed: dns:resolver: no answer"


def test_a_router_that_never_answers_is_not_broken() -> None:
    """While something beyond it answers the site's own network works, whatever the router says."""
    mute = series("lan:router", (0, 1440, DOWN, "no answer"))
    app = series("application:siap", (0, 600, UP, ""), (600, 660, DOWN, "x"), (660, 1440, UP, ""))
    carried = carrying(mute, [mute, app])
    claims = claims_of(mute, carried, VerdictSettings())
    assert claims == Claims([Interval(0, 600 * MIN), Interval(660 * MIN, 1440 * MIN)], claims.bad)
    assert [claim.interval for claim in claims.bad] == [Interval(600 * MIN, 660 * MIN)]
    assert carrying(app, [mute, app]) == []


def test_company_makes_it_the_services_own() -> None:
    """Three of four sites that fail at one target at once: the confidence grows, and it says so."""
    down = ((0, 60, UP, ""), (60, 180, DOWN, "no answer"), (180, 1440, UP, ""))
    sites = {name: [series("application:siap", *down, site=name)] for name in ("a", "b", "c")}
    well = [series("application:siap", (0, 1440, UP, ""), site="d")]
    (alone,) = stops({"a": sites["a"], "d": well}).of("a")
    (together,) = stops({**sites, "d": well}).of("a")
    assert together.confidence > alone.confidence
    assert "3 of 4 sites" in together.evidence[0].text


@pytest.mark.parametrize("name", ["stop_rules", "stops", "services"])
def test_no_number_outside_the_settings(name: str) -> None:
    """Thresholds stand in the settings; only identities, units and a place in a list stand here."""
    source = Path(stop_rules.__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    literals = [
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and type(node.value) in (int, float)
    ]
    assert {value for value in literals if value not in (0, 1, 1000, 1_000_000, 3_600_000)} == set()
