"""Verdicts: what several vantages saw -> one timeline without holes and its outages."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.islands import Island, Series
from collector.settings import VerdictSettings
from collector.verdict import Blindness, SiteLooks, verdict
from model.measurement import Outcome, Reason
from model.timeline import Interval, Run

MIN = 60_000
SETTINGS = VerdictSettings()
SEEING = Blindness()
LETTERS = {Outcome.UP: "U", Outcome.DOWN: "D", Outcome.UNKNOWN: "?"}
OUTCOMES = {letter: outcome for outcome, letter in LETTERS.items()}


def looks(step: int = 1, **seen: str) -> SiteLooks:
    """A look every ``step`` minutes, by vantage: a letter per look, ``.`` not looked."""
    found = SiteLooks()
    targets = {"centre": "site", "village": "national"}
    for vantage, text in seen.items():
        islands: list[Island] = []
        for number, letter in enumerate(text):
            at = number * step * MIN
            if letter == ".":
                continue
            last = islands[-1] if islands else None
            if last and LETTERS[last.outcome] == letter and at - last.last_ms <= 2.5 * step * MIN:
                islands[-1] = Island(
                    last.first_ms, at, last.outcome, "", last.looks + 1, step * MIN
                )
            else:
                islands.append(Island(at, at, OUTCOMES[letter], "", 1, step * MIN))
        found.add(Series("a", vantage, "ping", targets[vantage], tuple(islands)))
    return found


def conclude(
    seen: SiteLooks, minutes: int, blindness: Blindness = SEEING
) -> tuple[str, list[tuple[int, int]]]:
    """The timeline as a letter per minute, and the outages in minutes."""
    runs, outages = verdict(seen, Interval(0, minutes * MIN), blindness, SETTINGS)
    text = "".join(
        next(LETTERS[run.outcome] for run in runs if run.start_ms <= minute * MIN < run.end_ms)
        for minute in range(minutes)
    )
    return text, [(start // MIN, end // MIN) for start, end in outages]


def check(seen: SiteLooks, timeline: str, outages: list[tuple[int, int]]) -> None:
    """The conclusion is this timeline and these outages."""
    assert conclude(seen, len(timeline)) == (timeline, outages)


@pytest.mark.parametrize(
    ("centre", "timeline", "outages"),
    [
        ("UUUUUUUUUU", "UUUUUUUUUU", []),
        ("UUDUUUUUUU", "UUUUUUUUUU", []),  # a lost look
        ("UUDDDDUUUU", "UUUUUUUUUU", []),  # a reboot of four minutes
        ("UUDDDDDUUU", "UUDDDDDUUU", [(2, 7)]),  # five minutes, from the first miss
        ("DDDDDUUUUU", "DDDDDUUUUU", [(0, 5)]),
        ("UUUUUDDDDD", "UUUUUDDDDD", [(5, 10)]),
        ("UUUUUUDDDD", "UUUUUUUUUU", []),  # not confirmed yet
        ("UDDDDDUUUUDDDDDU", "UDDDDDDDDDDDDDDU", [(1, 15)]),  # good for four minutes only
        ("UDDDDDUUUUUDDDDDU", "UDDDDDUUUUUDDDDDU", [(1, 6), (11, 16)]),  # good for five
        ("UDDUDDUDDU", "UDDDDDDDDU", [(1, 9)]),  # flapping is one outage
        ("UDUDUDUDUD", "UUUUUUUUUU", []),  # every other look lost: loss, not an outage
        ("UU......UU", "UU??????UU", []),  # a look holds for one interval
        ("UU..UUUUUU", "UU??UUUUUU", []),  # three intervals are a gap ...
        ("UU.UUUUUUU", "UUUUUUUUUU", []),  # ... two are not
        ("....D.....", "??????????", []),  # a lone bad look proves nothing
        ("UUUUD.....", "UUUUU?????", []),
        ("....DU....", "????UU????", []),
        ("..........", "??????????", []),
        ("UUU????UUU", "UUU????UUU", []),  # looks that could not be made
        ("UDDDDD????DDDDDU", "UDDDDD????DDDDDU", [(1, 15)]),  # nothing says it had ended
        ("UDDDDD....DDDDDU", "UDDDDD????DDDDDU", [(1, 15)]),
    ],
)
def test_one_vantage(centre: str, timeline: str, outages: list[tuple[int, int]]) -> None:
    """The centre alone: what is an outage, what is good time, what nobody knows."""
    check(looks(centre=centre), timeline, outages)


@pytest.mark.parametrize(
    ("centre", "village", "timeline", "outages"),
    [
        ("UDDDDDDDDU", "UUUUUUUUUU", "UUUUUUUUUU", []),  # a good look from anywhere proves it
        ("UUUUUUUUUU", "UDDDDDDDDU", "UUUUUUUUUU", []),
        ("UDDDDDDDDU", "UDDDDDDDDU", "UDDDDDDDDU", [(1, 9)]),
        ("UDDDDDDDDU", "U........U", "UDDDDDDDDU", [(1, 9)]),  # a silent probe proves nothing
        ("U........U", "UDDDDDDDDU", "UDDDDDDDDU", [(1, 9)]),
        ("U........U", "UUUUUUUUUU", "UUUUUUUUUU", []),
        # One good look of the village in the middle; the rest begins with its own failed look.
        ("UDDDDDDDDDDDDDDU", "......U.........", "UDDDDDDDDDDDDDDU", [(1, 15)]),
    ],
)
def test_two_vantages(
    centre: str, village: str, timeline: str, outages: list[tuple[int, int]]
) -> None:
    """Two vantages: good looks outweigh failed ones, silence weighs nothing."""
    check(looks(centre=centre, village=village), timeline, outages)


def test_own_line_down_takes_the_failed_looks_only() -> None:
    """While the centre's line is down its failed looks are unknown, and the reason is named."""
    blindness = Blindness(own_line_down=[Interval(2 * MIN, 8 * MIN)])
    seen = looks(centre="UUUDDDDDUUUU")
    assert conclude(seen, 12, blindness) == ("UUU?????UUUU", [])
    runs, _ = verdict(seen, Interval(0, 12 * MIN), blindness, SETTINGS)
    assert [run.reason for run in runs] == ["", Reason.OWN_LINE_DOWN, ""]


def test_a_target_that_is_down_cuts_no_village_off() -> None:
    """While the national target itself is down, a village that fails to reach it is unknown."""
    blindness = Blindness(targets_down={"national": [Interval(2 * MIN, 8 * MIN)]})
    seen = looks(village="UUUDDDDDUUUU")
    assert conclude(seen, 12, blindness) == ("UUU?????UUUU", [])
    runs, _ = verdict(seen, Interval(0, 12 * MIN), blindness, SETTINGS)
    assert [run.reason for run in runs] == ["", Reason.TARGET_DOWN, ""]


def test_the_village_is_not_blinded_by_the_centre_s_line() -> None:
    """A village's own failed looks count while the centre is blind."""
    blindness = Blindness(own_line_down=[Interval(0, 12 * MIN)])
    assert conclude(looks(village="UUDDDDDDUUUU"), 12, blindness) == ("UUDDDDDDUUUU", [(2, 8)])


def test_a_known_gap_names_its_reason() -> None:
    """What the spool dropped is unknown for that reason, and only as far as it says."""
    seen = looks(village="UU.........U")
    seen.known_gaps.append((Interval(3 * MIN, 8 * MIN), Reason.SPOOL_OVERFLOW))
    runs, _ = verdict(seen, Interval(0, 12 * MIN), SEEING, SETTINGS)
    assert [(run.start_ms // MIN, run.end_ms // MIN, run.reason) for run in runs] == [
        (0, 2, ""),
        (2, 3, Reason.PROBE_SILENT),
        (3, 8, Reason.SPOOL_OVERFLOW),
        (8, 11, Reason.PROBE_SILENT),
        (11, 12, ""),
    ]


def test_two_looks_confirm_where_looks_are_sparse() -> None:
    """At one look in five minutes a single miss is five minutes long and still only one miss."""
    check(looks(5, centre="UDUU"), "U" * 20, [])
    check(looks(5, centre="UDDU"), "U" * 5 + "D" * 10 + "U" * 5, [(5, 15)])


TEXT = st.text("UD?.", max_size=40)


@given(TEXT, TEXT, st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=3))
def test_a_timeline_has_no_hole_and_nothing_twice(
    centre: str, village: str, blind: list[tuple[int, int]]
) -> None:
    """Whatever was seen: the runs tile the window, each outage lies in runs that are not up at its
    ends, a moment with a good look is never down for longer than flapping is bridged."""
    window = Interval(0, 45 * MIN)
    spans = [Interval(start * MIN, (start + length) * MIN) for start, length in blind]
    blindness = Blindness(own_line_down=spans[:1], not_looking=spans[1:2])
    runs, outages = verdict(looks(centre=centre, village=village), window, blindness, SETTINGS)
    assert runs[0].start_ms == window.start_ms
    assert runs[-1].end_ms == window.end_ms
    assert all(a.end_ms == b.start_ms for a, b in pairwise(runs))
    assert all(run.start_ms < run.end_ms for run in runs)
    assert all(bool(run.reason) == (run.outcome is not Outcome.UP) for run in runs)
    for outage in outages:
        inside = [run for run in runs if run.interval.clip(outage)]
        assert {inside[0].outcome, inside[-1].outcome} == {Outcome.DOWN}
        assert Outcome.UP not in {run.outcome for run in inside}
    down = sum(_length(run) for run in runs if run.outcome is Outcome.DOWN)
    assert down <= sum(outage.length_ms for outage in outages)


def _length(run: Run) -> int:
    return run.end_ms - run.start_ms
