"""Readable weeks of villages: what was seen, and what must be concluded, to the second."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from collector.services import service_weeks
from collector.weeks import week_records
from model.measurement import Outcome
from model.outage import Cause, Outage
from model.summary import SiteWeek, Summary, WeekRecord
from tests.collector.scenario_player import (
    Scenario,
    duration_ms,
    read_scenario,
    summary_of,
)

FOLDER = Path(__file__).parents[1] / "scenarios"
PATHS = sorted(FOLDER.glob("*.toml"))
TABLES = ("expect_before", "expect", "expect_next")
KEYS = {"outages", "raw", "service", "sla", "state", "unknown", "mttr", "mttr_median", "count",
        "mtbf", "loss_p95", "rtt_ms", "exists", "stops", "ready"}  # fmt: skip
OUTAGE_KEYS = {"from", "to", "cause", "open", "parent", "rules"}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_scenario(path: Path, tmp_path: Path) -> None:
    """The week's record is what an engineer works out by hand from the same looks."""
    scenario = read_scenario(path)
    scenario.write(tmp_path, late=False)
    if "expect_before" in scenario.raw:
        _compare(scenario, "expect_before", _records(scenario, tmp_path)[0])
    if scenario.rows(late=True):
        scenario.write(tmp_path, late=True)
    _compare(scenario, "expect", (records := _records(scenario, tmp_path))[0])
    _compare_services(scenario, tmp_path)
    if "expect_next" in scenario.raw:
        _compare(scenario, "expect_next", records[1])
        _same_names(scenario, records)


def test_a_nation_is_concluded_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario of several sites says the same when it is read one site after the other."""
    scenario = max(map(read_scenario, PATHS), key=lambda one: len(one.site_tables))
    assert len(scenario.site_tables) >= 3
    scenario.write(tmp_path, late=False)
    whole = _records(scenario, tmp_path)[0]
    shutil.rmtree(tmp_path / "weeks")
    monkeypatch.setattr("collector.engine._SITES_AT_ONCE", 1)
    assert _records(scenario, tmp_path)[0] == whole


def test_every_scenario_is_played_and_says_what_it_is_for() -> None:
    """Each file has a title, says which trap it guards, and expects something of every site."""
    assert len(PATHS) >= 40
    for path in PATHS:
        scenario = read_scenario(path)
        assert scenario.raw["title"], path.name
        assert scenario.raw["trap"], path.name
        assert set(scenario.expected("expect")) == {t["id"] for t in scenario.site_tables}


def test_causes_that_rules_can_find_have_a_scenario() -> None:
    """Every cause that the looks of a line and its device can show is expected somewhere."""
    found = {
        outage["cause"]
        for path in PATHS
        for content in read_scenario(path).expected("expect").values()
        for outage in content.get("outages", ())
    }
    assert found >= {
        Cause.POWER, Cause.DEVICE, Cause.LINK, Cause.UPSTREAM, Cause.SATELLITE_FADE,
        Cause.MAINTENANCE, Cause.LAN, Cause.DNS, Cause.CAPTIVE_PORTAL,
    }  # fmt: skip
    stops = {
        stop["cause"]
        for path in PATHS
        for content in read_scenario(path).expected("expect").values()
        for stop in content.get("stops", ())
    }
    assert stops >= {Cause.SERVICE, Cause.DNS, Cause.LAN, Cause.CAPTIVE_PORTAL, Cause.UPSTREAM}


def _same_names(scenario: Scenario, records: Sequence[WeekRecord]) -> None:
    """An outage that goes on beyond the week's end bears one id in both weeks."""
    first, second = ({one.site: one for one in record.site_weeks} for record in records)
    for site, week in first.items():
        end_ms = scenario.week.interval(scenario.inventory.by_id[site].timezone).end_ms
        cut = [one for one in week.outages if one.end_ms == end_ms]
        gone_on = [one for one in second[site].outages if one.start_ms == end_ms]
        assert [one.id for one in cut] == [one.id for one in gone_on]


def _records(scenario: Scenario, data: Path) -> list[WeekRecord]:
    weeks = [scenario.week]
    if "expect_next" in scenario.raw:
        weeks.append(scenario.week.plus(1))
    return week_records(data, scenario.inventory, weeks, now_ms=scenario.now_ms)


def _compare_services(scenario: Scenario, data: Path) -> None:
    """Stops of services and their ready hours, of the sites of which the file speaks so."""
    speaks = {site: one for site, one in scenario.expected("expect").items() if "ready" in one}
    if not speaks:
        return
    found = service_weeks(data, scenario.inventory, scenario.week, now_ms=scenario.now_ms)
    for one in found:
        expected = speaks[one.site]
        zone = scenario.inventory.by_id[one.site].timezone
        pairs = list(zip(one.stops, expected["stops"], strict=True))
        assert [_outage(stop, wanted) for stop, wanted in pairs] == [
            _wanted_outage(wanted, scenario, zone) for _, wanted in pairs
        ]
        assert Summary(one.ready_ms, one.stopped_ms, one.unknown_ms) == summary_of(
            expected["ready"].replace("ready", "up").replace("stopped", "down")
        )


def _compare(scenario: Scenario, table: str, record: WeekRecord) -> None:
    found = {site_week.site: site_week for site_week in record.site_weeks}
    for site, expected in scenario.expected(table).items():
        assert set(expected) <= KEYS, f"{scenario.path.name}: keys that nobody compares"
        where = f"[{table}.{site}]"
        if expected.get("exists", True) is False:
            assert site not in found, where
            continue
        assert {"outages", "raw", "service", "sla", "state"} <= set(expected), where
        zone = scenario.inventory.by_id[site].timezone
        assert _concluded(found[site], expected, scenario, zone) == _wanted(
            expected, scenario, zone
        ), where


def _concluded(
    week: SiteWeek, expected: Mapping[str, Any], scenario: Scenario, zone: str
) -> dict[str, Any]:
    """What was concluded, in the words of the file, as far as the file speaks of it."""
    seen: dict[str, Any] = {
        "outages": [
            _outage(outage, wanted)
            for outage, wanted in zip(
                week.outages,
                [*expected["outages"], *[{}] * len(week.outages)][: len(week.outages)],
                strict=True,
            )
        ],
        "raw": week.raw,
        "service": week.service,
        "sla": week.sla,
        "state": week.state.value,
        "unknown": [
            (run.start_ms, run.end_ms, run.reason)
            for run in week.runs
            if run.outcome is Outcome.UNKNOWN
        ],
        "mttr": week.repair.mttr_mean_seconds,
        "mttr_median": week.repair.mttr_median_seconds,
        "mtbf": week.repair.mtbf_seconds,
        "count": week.repair.count,
        "loss_p95": week.quality.loss_p95 and round(week.quality.loss_p95, 6),
        "rtt_ms": week.quality.rtt_median_seconds and round(1000 * week.quality.rtt_median_seconds),
    }
    return {key: seen[key] for key in expected if key in seen}


def _outage(outage: Outage, wanted: Mapping[str, Any]) -> dict[str, Any]:
    seen: dict[str, Any] = {
        "from": outage.start_ms,
        "to": outage.end_ms,
        "cause": outage.cause.value,
        "open": outage.open,
        "parent": outage.parent,
    }
    if "rules" in wanted:
        supporting = {one.rule for one in outage.evidence if one.cause is outage.cause}
        seen["rules"] = sorted(supporting - {"prior"})
    return seen


def _wanted(expected: Mapping[str, Any], scenario: Scenario, zone: str) -> dict[str, Any]:
    """The file's words as values."""
    wanted = {key: value for key, value in expected.items() if key not in ("stops", "ready")}
    for name in ("raw", "service", "sla"):
        wanted[name] = summary_of(expected[name])
    for name in ("mttr", "mttr_median", "mtbf"):
        if name in expected:
            wanted[name] = duration_ms(expected[name]) / 1000 if expected[name] != "none" else None
    wanted["outages"] = [_wanted_outage(one, scenario, zone) for one in expected["outages"]]
    if "unknown" in expected:
        wanted["unknown"] = [
            (scenario.moment(start, zone), scenario.moment(end, zone), reason)
            for start, end, reason in expected["unknown"]
        ]
    return wanted


def _wanted_outage(one: Mapping[str, Any], scenario: Scenario, zone: str) -> dict[str, Any]:
    assert set(one) <= OUTAGE_KEYS, f"{scenario.path.name}: {one}"
    wanted = {
        "from": scenario.moment(one["from"], zone),
        "to": scenario.moment(one["to"], zone),
        "cause": one["cause"],
        "open": one.get("open", False),
        "parent": None,
    }
    if "parent" in one:
        node, _, when = one["parent"].partition("@")
        wanted["parent"] = f"{node}@{scenario.moment(when, zone) // 1000}"
    if "rules" in one:
        wanted["rules"] = sorted(one["rules"])
    return wanted
