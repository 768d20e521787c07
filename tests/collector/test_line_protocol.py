"""Line protocol: what is right is read exactly, what is wrong is named, nothing takes long."""

import math
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.line_protocol import LineError, Series, decode, split, survey, to_block

HEAD = "ping,site=a,target=site,vantage=centre"


def test_a_look_is_read() -> None:
    """Series, time, outcome, numbers and the reason of a usual line."""
    line = decode(
        b"dns,site=desa-1,target=dns,vantage=village outcome=0i,sent=5i,"
        b'rtt_median_seconds=0.25,up=t,reason="no, \\"answer\\"" 1790000000123'
    )
    assert line.series == Series("desa-1", "village", "dns", "dns")
    assert (line.at_ms, line.outcome) == (1790000000123, 0)
    assert line.values() == (
        {"sent": 5, "rtt_median_seconds": 0.25, "up": 1.0},
        {"reason": 'no, "answer"'},
    )
    assert decode(line.text()) == line


@pytest.mark.parametrize(
    ("precision", "stamp", "at_ms"),
    [
        ("ns", 1790000000123456789, 1790000000123),
        ("us", 1790000000123999, 1790000000123),
        ("ms", 5, 5),
        ("s", 1790000000, 1790000000000),
        ("ns", -1, -1),
    ],
)
def test_precisions(precision: str, stamp: int, at_ms: int) -> None:
    """Time stamps of every unit become whole milliseconds, rounded down."""
    assert decode(f"{HEAD} outcome=1i {stamp}", precision).at_ms == at_ms


def test_escapes_and_a_missing_time() -> None:
    """Escaped spaces, commas and equals signs belong to the name; no time is None."""
    line = decode(r"http,site=a,target=application:si\,ap\ 2\=3,vantage=centre outcome=1i")
    assert line.series.target == "application:si,ap 2=3"
    assert line.at_ms is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "not line protocol"),
        (b"\xff\xfe", "not UTF-8"),
        (b"ping", "not line protocol"),
        (b"ping,site=a,vantage=centre outcome=1i", "no tag target"),
        (b"ping outcome=1i", "no tag site and no tag vantage and no tag target"),
        (b"ping,site=A/..,target=site,vantage=centre outcome=1i", "not a site id"),
        (b"ping,site=a,site=b,target=site,vantage=centre outcome=1i", "comes twice"),
        (b"ping,site=a,target=,vantage=centre outcome=1i", "no value"),
        (b"Ping,site=a,target=site,vantage=centre outcome=1i", "lower-case"),
        (HEAD.encode() + b" sent=1i", "outcome must be"),
        (HEAD.encode() + b" outcome=3i", "outcome must be"),
        (HEAD.encode() + b" outcome=1i,x=nan", "not name=value"),
        (HEAD.encode() + b" outcome=1i,x=1e999", "not name=value"),
        (HEAD.encode() + b" outcome=1i,x=9999999999999999999i", "64 bits"),
        (HEAD.encode() + b" outcome=1i,x=1_0", "not name=value"),
        (HEAD.encode() + b" outcome=1i,", "not name=value"),
        (HEAD.encode() + b' outcome=1i,reason="open 5', "not line protocol"),
        (HEAD.encode() + b" outcome=1i 12345678901234567890", "not line protocol"),
        (b"ping,x=" + b"y" * 600 + b",site=a outcome=1i", "512 characters"),
        (b"ping,site=a,target=" + b"y" * 101 + b",vantage=centre outcome=1i", "100 characters"),
    ],
)
def test_what_is_wrong_is_named(line: bytes, reason: str) -> None:
    """Each kind of bad line is refused with its own reason."""
    with pytest.raises(LineError, match=reason):
        decode(line)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_line_or_refused(raw: bytes) -> None:
    """No input raises anything but LineError, and what is accepted reads back the same."""
    try:
        line = decode(raw)
    except LineError:
        return
    line.values()
    assert decode(line._replace(at_ms=line.at_ms or 0).text()).series == line.series


@given(st.from_regex(r'[a,= "\\itf0-9.eE+-]{0,80}', fullmatch=True))
def test_any_fields_are_numbers_or_refused(fields: str) -> None:
    """Fields of hostile shape are refused or give finite numbers."""
    try:
        numbers, _ = decode(f"{HEAD} outcome=1i,{fields}").values()
    except LineError:
        return
    assert all(math.isfinite(value) for value in numbers.values())


@pytest.mark.parametrize("filler", ["a", "\\", '"', " ", ",", "=", 'x="', "x=1,"])
def test_hostile_lines_cost_linear_time(filler: str) -> None:
    """A line of a million characters is dealt with at once, whatever it consists of."""
    line = f"{HEAD} outcome=1i,{filler * (1_000_000 // len(filler))}"
    before = time.process_time()
    with pytest.raises(LineError):
        decode(line + "!")
    assert time.process_time() - before < 2


def test_only_lines_with_content_count() -> None:
    """Empty lines and comments have no place in the count that sequence numbers follow."""
    assert split(b"a\r\n\n# note\n  \nb") == [b"a", b"b"]


def test_columns_of_lines() -> None:
    """Lines become a block: coded text, NaN where a line lacks a reading, no unknown metric."""
    block = to_block(
        [
            decode(f"{HEAD} outcome=1i,sent=5i,strange=1 10"),
            decode(f'{HEAD} outcome=0i,rtt_max_seconds=0.5,reason="no answer" 20'),
        ]
    )
    columns = block.columns
    assert block.rows == 2
    assert "strange" not in columns
    assert list(columns["at_ms"]) == [10, 20]
    assert list(columns["outcome"]) == [1, 0]
    assert columns["sent"][0] == 5
    assert math.isnan(columns["sent"][1])
    reasons = columns["reason"]
    assert [reasons.names[code] for code in reasons.codes] == ["", "no answer"]


def usual_and_mutants() -> list[str]:
    """A line such as our probes send, and the same with one character changed anywhere."""
    usual = (
        "ping,site=a,target=site,vantage=centre outcome=1i,sent=5i,rtt_max_seconds=0.0421,"
        'x=1.5e-05,reason="no answer" 17900'
    )
    lines = [usual]
    for at in range(len(usual)):
        for letter in '0-+.eiu,= \\"x\r\n':
            lines += [usual[:at] + letter + usual[at + 1 :], usual[:at] + letter + usual[at:]]
    return lines


def test_a_survey_says_what_the_lines_say() -> None:
    """A body is surveyed as a whole only when each of its lines is right by itself, and then the
    number, the sites and the times are those of the lines."""
    usual = f"{HEAD.replace('site=a', 'site=b')} outcome=0i,monotonic_ms=7i 3"
    surveyed = 0
    for mutant in usual_and_mutants():
        for ending in ("", "\n"):
            body = f"{usual}\n{mutant}{ending}".encode()
            seen = survey(body)
            if seen is not None:
                lines = [decode(raw) for raw in split(body)]
                times = [line.at_ms or 0 for line in lines]
                assert seen.rows == len(lines)
                assert seen.sites == {line.series.site for line in lines}
                assert (seen.first_ms, seen.last_ms, seen.aged) == (min(times), max(times), True)
                surveyed += 1
    assert surveyed > 100
    assert survey(b"") is survey(b"# note") is survey(f"{HEAD} outcome=1i".encode()) is None
    assert survey(b"ping,site=a,x=" + b"y" * 600 + b",target=t,vantage=v outcome=1i 5") is None


def test_the_quick_way_says_what_the_careful_way_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Usual lines, and the same with one character changed anywhere, decode or fail alike whether
    they are checked in one go or step by step."""
    lines = usual_and_mutants()

    def told(line: str) -> object:
        try:
            return decode(line), decode(line).values()
        except LineError:
            return None

    quick = [told(line) for line in lines]
    monkeypatch.setattr("collector.line_protocol._USUAL", re.compile("(?!)"))
    assert [told(line) for line in lines] == quick
    assert quick.count(None) not in (0, len(quick))
