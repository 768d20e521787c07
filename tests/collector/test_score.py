"""The score punishes wrong conclusions, each in its own figure."""

import pytest

from collector.islands import Island, Series
from collector.score import Score, look_intervals, naive_outages, naive_runs, score, settle_truth
from collector.settings import VerdictSettings
from model.measurement import Outcome
from model.outage import Cause, Outage
from model.timeline import Interval, Run, subtract

MIN = 60_000
WINDOW = Interval(0, 10_000 * MIN)
SETTINGS = VerdictSettings()


def outage(start: float, end: float, cause: Cause = Cause.LINK, site: str = "a") -> Outage:
    return Outage(site, round(start * MIN), round(end * MIN), False, cause, 1.0)


def timeline(down: list[Outage], unknown: list[Interval] | None = None) -> list[Run]:
    """Runs that are up wherever they are not down or unknown."""
    dark = sorted(one.interval for one in down)
    blind = unknown or []
    up = subtract(subtract([WINDOW], dark), blind)
    runs = [Run(*one, Outcome.DOWN) for one in dark] + [Run(*one, Outcome.UP) for one in up]
    runs += [Run(*one, Outcome.UNKNOWN, "x") for one in blind]
    return sorted(runs, key=lambda run: run.start_ms)


def judged(
    truth: list[Outage], found: list[Outage], blind: list[Interval] | None = None, **more: object
) -> Score:
    """The score of one site looked at every minute."""
    runs = timeline(found, more.get("unknown"))  # type: ignore[arg-type] # only unknown is given
    return score({"a": truth}, {"a": found}, {"a": runs}, WINDOW, blind or [], {"a": MIN}, SETTINGS)


TRUTH = [outage(100, 160), outage(2000, 2100, Cause.POWER)]


def test_the_truth_scores_full_marks() -> None:
    """Concluding what happened: no error anywhere."""
    perfect = judged(TRUTH, TRUTH)
    assert perfect.availability_error_p99 == 0
    assert (perfect.false_outages, perfect.missed_outages, perfect.true_outages) == (0, 0, 2)
    assert (perfect.start_error_p95, perfect.end_error_p95, perfect.cause_macro_f1) == (0, 0, 1)


def test_a_missed_outage_is_counted() -> None:
    """100 of 10,000 minutes missed: one missed outage and one percentage point."""
    result = judged(TRUTH, TRUTH[:1])
    assert (result.missed_outages, result.unseen_outages, result.false_outages) == (1, 0, 0)
    assert result.availability_error_p99 == pytest.approx(1.0)


def test_a_false_outage_is_counted() -> None:
    """An outage where nothing happened is false, and costs its share."""
    result = judged(TRUTH, [*TRUTH, outage(5000, 5050)])
    assert (result.false_outages, result.missed_outages) == (1, 0)
    assert result.false_per_1000_weeks == 1000
    assert result.availability_error_p99 == pytest.approx(0.5)


def test_an_outage_out_of_a_reboot_is_false() -> None:
    """A restart of three minutes is no outage: concluding fifty minutes from it is false."""
    reboot = outage(5000, 5003, Cause.DEVICE)
    assert judged([*TRUTH, reboot], [*TRUTH, outage(5000, 5050)]).false_outages == 1
    assert judged([*TRUTH, reboot], TRUTH).missed_outages == 0


def test_wrong_bounds_are_measured_in_intervals() -> None:
    """Ten minutes late and five minutes long are ten and five intervals."""
    result = judged(TRUTH[:1], [outage(110, 165)])
    assert (result.start_error_median, result.end_error_median) == (10, 5)


def test_wrong_causes_lower_the_f1() -> None:
    """Calling everything link: link is right half of the time, power never; the mean of the
    two F1 (2 x 1 / (1 + 2) = 2/3 and 0) is 1/3."""
    result = judged(TRUTH, [outage(100, 160), outage(2000, 2100, Cause.LINK)])
    assert result.cause_macro_f1 == pytest.approx(1 / 3)
    assert result.confusion == {("link", "link"): 1, ("power", "link"): 1}


def test_down_while_the_centre_was_blind_is_charged() -> None:
    """Downtime concluded while the centre was blind, where nothing was down, in seconds."""
    blind = [Interval(5000 * MIN, 5100 * MIN)]
    assert judged(TRUTH, TRUTH, blind).blind_charged_seconds == 0
    charged = judged(TRUTH, [*TRUTH, outage(5050, 5110)], blind)
    assert charged.blind_charged_seconds == 50 * 60


def test_what_nobody_could_see_is_counted_apart() -> None:
    """A true outage within unknown time is unseen, not missed."""
    result = judged(TRUTH, TRUTH[:1], unknown=[Interval(1990 * MIN, 2110 * MIN)])
    assert (result.unseen_outages, result.missed_outages) == (1, 0)


def test_what_nobody_saw_is_no_error_of_what_was_seen() -> None:
    """100 of 10,000 minutes down in a blind stretch of 120: no error over the 9,880 minutes that
    were seen (60 of them down), and |60/9,880 - 160/10,000| over the whole window."""
    result = judged(TRUTH, TRUTH[:1], unknown=[Interval(1990 * MIN, 2110 * MIN)])
    assert result.availability_error_p99 == 0
    assert result.whole_week_error_p99 == pytest.approx(100 * abs(60 / 9880 - 160 / 10_000))


def test_a_site_is_judged_by_how_often_it_was_looked_at() -> None:
    """Fifteen minutes are three looks of a probe that looks every five: nothing was missed."""
    series = [
        Series("a", "village", "ping", "national", (Island(0, MIN, Outcome.UP, "", 2, 5 * MIN),)),
        Series("a", "centre", "device", "device", (Island(0, MIN, Outcome.UP, "", 2, MIN),)),
        Series("b", "village", "ping", "national", (Island(0, MIN, Outcome.UP, "", 2, 5 * MIN),)),
        Series("b", "centre", "ping", "site", (Island(0, MIN, Outcome.UP, "", 2, MIN),)),
    ]
    assert look_intervals(series) == {"a": 5 * MIN, "b": MIN}


def test_truth_is_settled_by_the_same_definition() -> None:
    """Good moments under five minutes are bridged, interruptions under five minutes dropped."""
    parts = [outage(0, 10), outage(14, 40, Cause.POWER), outage(100, 104), outage(200, 206)]
    found = settle_truth(parts, SETTINGS)
    assert [(one.start_ms // MIN, one.end_ms // MIN, one.cause) for one in found] == [
        (0, 40, Cause.POWER),
        (200, 206, Cause.LINK),
    ]


def test_the_naive_rule_calls_every_silence_down() -> None:
    """One lost look and a gap without data: two outages for the naive rule, none for ours."""
    looks = (
        Island(0, 9 * MIN, Outcome.UP, "", 10, MIN),
        Island(10 * MIN, 10 * MIN, Outcome.DOWN, "", 1, MIN),
        Island(11 * MIN, 20 * MIN, Outcome.UP, "", 10, MIN),
    )
    series = [Series("a", "centre", "ping", "site", looks)]
    runs = naive_runs(series, ["a", "b"], Interval(0, 30 * MIN))
    found = naive_outages(runs)
    assert [(one.start_ms // MIN, one.end_ms // MIN) for one in found["a"]] == [(10, 11), (21, 30)]
    assert [(one.start_ms // MIN, one.end_ms // MIN) for one in found["b"]] == [(0, 30)]
