"""The forecast in words: months counted from the week's end, and a reason where there is none."""

from dataclasses import replace

import pytest

from maps.forecast import WEEKS_MIN, Forecast, Outlook
from maps.report.leader import forecast_says
from maps.words import LANGUAGES, load
from model.definition import State
from tests.maps.report.province import random_report

DATED = Forecast(Outlook.DATED, 15, 2.0, early=5, middle=10, late=20)


def test_a_date_is_three_months_and_says_what_it_does_not_know() -> None:
    """5, 10 and 20 weeks after Sunday 15 November are 20 December, 24 January and 4 April; the
    villages without a line are named, for no trend builds one."""
    report = replace(random_report(1, weeks=2), forecast=DATED)
    unbuilt = report.coverage.total.now.states[State.NOT_CONNECTED]
    assert unbuilt > 1
    said = forecast_says(report, load("id"))
    assert "antara Desember 2026 dan April 2027, paling mungkin sekitar Januari 2027" in said
    assert f"kapan {unbuilt} desa yang belum tersambung" in said
    assert f"when the {unbuilt} villages that are not connected" in forecast_says(
        report, load("en")
    )


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("outlook", [one for one in Outlook if one is not Outlook.DATED])
def test_every_reason_has_its_sentence(outlook: Outlook, lang: str) -> None:
    """No two outlooks read alike, and one week is one week."""
    report = random_report(1, weeks=2)
    words = load(lang)
    said = {
        one: forecast_says(replace(report, forecast=Forecast(one, 1)), words)
        for one in Outlook
        if one is not Outlook.DATED
    }
    assert list(said.values()).count(said[outlook]) == 1
    assert str(WEEKS_MIN) in said[Outlook.TOO_FEW]
    assert "1 weeks" not in said[Outlook.TOO_FEW]
