"""When the centre is not to be believed, and when it was not looking."""

from collector.blind import not_looking, own_line_down, targets_down
from collector.islands import Island, Series
from collector.settings import VerdictSettings
from model.inventory import CENTRE_SITE
from model.measurement import Outcome
from model.timeline import Interval

MIN = 60_000
SETTINGS = VerdictSettings()


def series(site: str, text: str, *, vantage: str = "centre", target: str = "site") -> Series:
    """One look a minute: ``U`` up, ``D`` down, ``?`` unknown, ``.`` not looked."""
    outcomes = {"U": Outcome.UP, "D": Outcome.DOWN, "?": Outcome.UNKNOWN}
    islands: list[Island] = []
    for minute, letter in enumerate(text):
        if letter == ".":
            continue
        last = islands[-1] if islands else None
        if last and last.outcome is outcomes[letter] and last.last_ms == (minute - 1) * MIN:
            islands[-1] = Island(last.first_ms, minute * MIN, last.outcome, "", last.looks + 1, MIN)
        else:
            islands.append(Island(minute * MIN, minute * MIN, outcomes[letter], "", 1, MIN))
    return Series(site, vantage, "ping", target, tuple(islands))


def anchor(name: str, text: str) -> Series:
    return series(CENTRE_SITE, text, target=f"anchor:{name}")


def minutes(intervals: list[Interval]) -> list[tuple[int, int]]:
    return [(start // MIN, end // MIN) for start, end in intervals]


def test_all_anchors_down_is_blind_from_the_good_look_before() -> None:
    """The line may have failed anywhere after the last good look: the stretch reaches back to it
    and on to the next good one."""
    both = [anchor("a", "UUUDDUUU"), anchor("b", "UUUDDUUU")]
    assert minutes(own_line_down(both, SETTINGS)) == [(2, 5)]


def test_one_good_anchor_proves_the_line() -> None:
    """While any anchor answers, the centre's line is up."""
    assert own_line_down([anchor("a", "UUUDDUUU"), anchor("b", "UUUUUUUU")], SETTINGS) == []


def test_only_the_time_that_all_share_is_blind() -> None:
    """Anchors that fail one after the other blind only where their failures overlap."""
    pair = [anchor("a", "UDDDDUUUU"), anchor("b", "UUUDDDDUU")]
    assert minutes(own_line_down(pair, SETTINGS)) == [(2, 5)]


def test_villages_own_anchors_do_not_count() -> None:
    """A village's line says nothing about the centre's."""
    village = series("v", "UDDDU", vantage="village", target="anchor:a")
    assert own_line_down([village], SETTINGS) == []


def sites(down: int, total: int) -> list[Series]:
    return [series(f"s{n:02d}", "UUDDUU" if n < down else "UUUUUU") for n in range(total)]


def test_mass_silence_is_blindness() -> None:
    """More than the share of all sites down at once: the centre doubts itself."""
    assert minutes(own_line_down(sites(9, 10), SETTINGS)) == [(1, 4)]


def test_a_large_blackout_is_believed() -> None:
    """At the share itself the living sites are believed."""
    assert own_line_down(sites(8, 10), SETTINGS) == []


def test_few_sites_cannot_outvote() -> None:
    """Below the smallest number of sites, all down may well be all down."""
    assert own_line_down(sites(9, 9), SETTINGS) == []


def test_not_looking_is_when_nothing_at_all_was_heard() -> None:
    """One living series from the centre, or its anchor, is enough to be looking; what villages say
    for themselves is not."""
    window = Interval(0, 10 * MIN)
    heard = [series("a", "UUU....UUU"), anchor("x", "UU.....UUU")]
    probe = series("v", "UUUUUUUUUU", vantage="village", target="national")
    assert minutes(not_looking([*heard, probe], window)) == [(3, 7)]
    assert not_looking([*heard, series("b", "DDDDDDDDDD")], window) == []
    assert minutes(not_looking([probe], window)) == [(0, 10)]


def test_not_looking_stays_in_the_window() -> None:
    """Silence before the first look and after the last is cut at the window's bounds."""
    looked = [series("a", "..UUU.....")]
    assert minutes(not_looking(looked, Interval(0, 8 * MIN))) == [(0, 2), (5, 8)]
    assert minutes(not_looking(looked, Interval(3 * MIN, 4 * MIN))) == []


def test_a_target_that_fails_everywhere_failed_itself() -> None:
    """Nine of ten villages cannot reach the national target: it is down, and it alone; eight of
    ten may well be cut off."""
    villages = [
        series(f"v{n}", "UUDDUU" if n < 9 else "UUUUUU", vantage="village", target="national")
        for n in range(10)
    ]
    others = [series(f"v{n}", "UUUUUU", vantage="village", target="isp_gateway") for n in range(10)]
    found = targets_down([*villages, *others], SETTINGS)
    assert {target: minutes(spans) for target, spans in found.items()} == {
        "national": [(1, 4)],
        "isp_gateway": [],
    }
    assert targets_down(villages[1:], SETTINGS) == {}
