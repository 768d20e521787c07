"""The forecast: what it says, what it refuses to say, and how often its band is right."""

import random
from itertools import accumulate

import pytest

from maps.forecast import BAND, WEEKS_MIN, Outlook, forecast


def steady(weeks: int, start: int = 100, gain: int = 10) -> list[int]:
    """Progress of about ``gain`` a week, one more and one less by turns."""
    return [start + gain * week + week % 2 for week in range(weeks)]


def walk(rng: random.Random, drift: float, scatter: float, weeks: int) -> list[float]:
    """Villages on target for so many weeks, whose gains are means over the four weeks of a window,
    as those of the target are."""
    raw = [rng.gauss(drift, scatter) for _ in range(weeks + 3)]
    gains = [sum(raw[at : at + 4]) / 4 for at in range(weeks - 1)]
    return list(accumulate(gains, initial=500.0))


def test_steady_progress_has_a_date_and_a_narrow_band() -> None:
    """100 villages to go at 10 a week are 10 weeks, and the band stays near."""
    history = steady(WEEKS_MIN)
    found = forecast(history, history[-1] + 100, 4)
    assert found.outlook is Outlook.DATED
    assert found.early is not None
    assert found.late is not None
    assert found.early <= 10 <= found.late
    assert found.late - found.early <= 6
    assert found.gain == pytest.approx(111 / 11)


def test_all_on_target_is_reached() -> None:
    """Nothing is forecast of what is done, even in the first week."""
    assert forecast([300], 300, 4).outlook is Outlook.REACHED


@pytest.mark.parametrize("weeks", range(WEEKS_MIN))
def test_too_few_weeks_have_no_date(weeks: int) -> None:
    """However good the weeks look, fewer than twelve say nothing; none at all neither."""
    found = forecast(steady(weeks), 1000, 4)
    assert found.outlook is Outlook.TOO_FEW
    assert found.middle is None
    assert found.path == ()


@pytest.mark.parametrize("history", [[200] * 12, [200 - week for week in range(12)]])
def test_no_progress_has_no_date(history: list[int]) -> None:
    """Standing still and falling back lead nowhere."""
    assert forecast(history, 300, 4).outlook is Outlook.NO_PROGRESS


def test_a_date_beyond_the_reach_is_not_given() -> None:
    """One village a week and 2,000 to go: the trend is clear, the date is not for twelve weeks."""
    assert forecast(list(range(100, 112)), 2112, 4).outlook is Outlook.TOO_FAR


def test_an_empty_register_is_never_reached() -> None:
    """No village, no date, no error."""
    assert forecast([0] * 12, 0, 4).outlook is not Outlook.REACHED


def test_the_band_of_the_drawing_stays_between_none_and_all() -> None:
    """No band draws fewer villages than none or more than all; it widens with the weeks."""
    rng = random.Random(7)  # noqa: S311 - data of a test
    history = list(accumulate([rng.randint(-5, 15) for _ in range(12)], initial=50))
    path = forecast(history, 400, 4).path
    assert all(0 <= low <= high <= 400 for _, low, high in path)
    widths = [high - low for _, low, high in path if low > 0 and high < 400]
    assert widths == sorted(widths)


@pytest.mark.parametrize(("drift", "scatter", "weeks"), [(8, 4, 12), (8, 8, 16), (12, 10, 26)])
def test_the_band_holds_what_it_promises(drift: float, scatter: float, weeks: int) -> None:
    """Of 800 walks with clear progress most have a date; the band holds the true one in 90 % at
    least, and it comes after the band in 5 % at most (2 % for chance)."""
    rng = random.Random(20261116)  # noqa: S311 - data of a test
    inside = late = dated = 0
    for _ in range(800):
        whole = walk(rng, drift, scatter, weeks + 120)
        history = [round(value) for value in whole[:weeks]]
        total = history[-1] + 10 * round(drift)
        found = forecast(history, total, 4)
        if found.early is None or found.late is None:
            continue
        dated += 1
        true = next((at for at, v in enumerate(whole[weeks:], 1) if v >= total), 10**6)
        inside += found.early <= true <= found.late
        late += true > found.late
    assert dated > 600
    assert inside / dated > BAND - 0.02
    assert late / dated < (1 - BAND) / 2 + 0.02


@pytest.mark.parametrize("weeks", [12, 26])
@pytest.mark.parametrize("drift", [0, 0.5, 1])
def test_little_or_no_progress_gives_hardly_ever_a_false_date(weeks: int, drift: float) -> None:
    """Where weeks scatter by eight villages and gain one or none, at most one report in twenty
    promises a date that is not kept, however few villages are missing."""
    rng = random.Random(20261117)  # noqa: S311 - data of a test
    false = 0
    for _ in range(600):
        whole = walk(rng, drift, 8, weeks + 200)
        history = [round(value) for value in whole[:weeks]]
        total = history[-1] + rng.choice([30, 100, 300])
        found = forecast(history, total, 4)
        false += found.late is not None and max(whole[weeks : weeks + found.late + 1]) < total
    assert false / 600 <= 0.05
