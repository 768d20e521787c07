"""``jangkau services`` and ``jangkau score`` on a province whose truth is known."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import application
from model.week import Week
from simulator.truth import read_truth

WEEK = Week(2026, 46)
KABUPATEN = 4


def run(*words: str) -> str:
    """Run a command as a user would; its errors are raised."""
    result = CliRunner().invoke(application(words[0]), words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three hundred villages and a week of their history."""
    path = tmp_path_factory.mktemp("box")
    size = ("--seed", "5", "--villages", "300", "--kabupaten", str(KABUPATEN))
    run("simulate", "province", "--out", str(path / "province"), *size)
    place = ("--province", str(path / "province"), "--data", str(path / "data"))
    run("simulate", "history", *place, "--weeks", "1")
    return path


def services(box: Path, *words: str) -> str:
    place = ("--inventory", str(box / "province" / "inventory.yaml"), "--data", str(box / "data"))
    return run("services", *place, "--week", str(WEEK), *words)


def test_hours_add_up_and_malls_are_counted_by_kabupaten(box: Path) -> None:
    """Each kind's ready, stopped and unknown hours are its service hours; malls are x of all
    kabupaten, their two lines one place."""
    listed: list[dict[str, Any]] = json.loads(services(box, "--json"))
    kinds = {row["kind"]: row for row in listed}
    assert {"mpp", "disdukcapil", "kantor_desa", "pos_layanan_desa_digital", "public_wifi",
            "cctv"} <= kinds.keys()  # fmt: skip
    for row in listed:
        parts = row["ready_seconds"] + row["stopped_seconds"] + row["unknown_seconds"]
        assert parts == pytest.approx(row["service_seconds"])
        assert row["stopped_seconds"] == pytest.approx(
            sum(one["seconds"] for one in row["stopped"])
        )
        assert 0 <= row["ready"] <= row["places"]
        assert 0 <= row["unused_seconds"] <= row["ready_seconds"]
    deserted = kinds["public_wifi"]
    assert deserted["unused_seconds"] > 0.05 * deserted["ready_seconds"]
    assert kinds["mpp"]["places"] == KABUPATEN
    assert kinds["mpp"]["service_seconds"] == 40 * 3600  # one mall, Monday to Friday
    assert kinds["cctv"]["service_seconds"] == 168 * 3600


def test_every_stop_that_was_seen_is_the_truth(box: Path) -> None:
    """Stops lie where the truth has them, under its cause; those that it has are found unless
    nobody saw."""
    truth = read_truth(box / "province" / "truth.jsonl")
    listed: list[dict[str, Any]] = json.loads(services(box, "--by", "stop", "--json"))
    week = WEEK.interval("Asia/Pontianak")
    happened = [stop for stop in truth.stops if stop.interval.clip(week)]
    assert len(happened) >= 8
    told = {(row["site"], row["cause"]) for row in listed}
    true = {(stop.site, stop.cause.value) for stop in happened}
    assert told <= true
    assert len(told) >= 0.8 * len(true)
    assert all(row["evidence"] for row in listed)


def test_one_row_per_place_as_csv(box: Path) -> None:
    """Every site in service is in the table once, a mall once for both lines; what stopped it is
    plain text."""
    found = list(csv.DictReader(io.StringIO(services(box, "--by", "site", "--csv"))))
    assert len({row["site"] for row in found}) == len(found)
    malls = [row for row in found if row["kind"] == "mpp"]
    assert len(malls) == 1
    stopped = [row["stopped"] for row in found if row["stopped"]]
    assert any(" s)" in text for text in stopped)
    assert not any("{" in text for text in stopped)


def test_the_score_counts_stops_apart(box: Path) -> None:
    """Stops of services have figures of their own beside those of the lines' outages."""
    place = ("--province", str(box / "province"), "--data", str(box / "data"))
    scored = json.loads(run("score", *place, "--week", str(WEEK), "--json"))
    stops = scored["stops"]
    assert stops["true_outages"] >= 8
    assert stops["false_outages"] == stops["missed_outages"] == 0
    assert stops["cause_macro_f1"] > 0.9
    assert scored["jangkau"]["true_outages"] > 10 * stops["true_outages"]
    assert "Stops of services" in run("score", *place, "--week", str(WEEK))


def test_a_region_shows_its_own(box: Path) -> None:
    """Asked for one kabupaten, only its places are counted."""
    whole = json.loads(services(box, "--by", "site", "--json"))
    part = json.loads(services(box, "--by", "site", "--json", "--region", "99.01"))
    assert {row["site"] for row in part} < {row["site"] for row in whole}
    assert all("-99-01-" in row["site"] for row in part)
