"""The forecast: what it says, what it refuses to say, and how often its band is right."""

import random
from itertools import accumulate

import pytest

from maps.forecast import BAND, WEEKS_MIN, Outlook, forecast


def steady(weeks: int, start: int = 100, gain: int = 10) -> list[int]:
    """Progress of about ``gain`` a week, one more and one less by turns."""
    return [start + gain * week + week % 2 for week in range(weeks)]


def test_steady_progress_has_a_date_and_a_narrow_band() -> None:
    """100 villages to go at 10 a week are 10 weeks, and the band stays near."""
    history = steady(12)
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
    """However good the weeks look, fewer than eight say nothing; none at all neither."""
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


@pytest.mark.parametrize(("drift", "scatter", "weeks"), [(8, 4, 10), (8, 8, 12), (12, 10, 20)])
def test_the_band_holds_what_it_promises(drift: float, scatter: float, weeks: int) -> None:
    """Of 1,500 walks whose gains share three weeks of data, the band holds the true date in
    about 80 %: between 72 and 88."""
    rng = random.Random(20261116)  # noqa: S311 - data of a test
    inside = dated = 0
    for _ in range(1500):
        raw = [rng.gauss(drift, scatter) for _ in range(300)]
        shared = [sum(raw[at : at + 3]) / 3 for at in range(len(raw) - 3)]
        walk = list(accumulate(shared, initial=300.0))
        total = round(300 + drift * weeks + 8 * drift)
        history = [round(value) for value in walk[:weeks]]
        found = forecast(history, max(total, history[-1] + 1), 4)
        if found.early is None or found.late is None:
            continue
        dated += 1
        true = next((at for at, v in enumerate(walk[weeks:], 1) if v >= total), None)
        inside += true is not None and found.early <= true <= found.late
    assert dated > 1200
    assert abs(inside / dated - BAND) < 0.08
