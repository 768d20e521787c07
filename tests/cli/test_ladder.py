"""Ladders in words: what works, and the lowest rung that does not."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli.ladder import FRESH_SECONDS, documents, ladder_state, sentence
from cli.look import look
from model.errors import InputError
from model.ladder import LADDER
from model.measurement import Outcome

UP, DOWN, UNKNOWN = Outcome.UP, Outcome.DOWN, Outcome.UNKNOWN
app = typer.Typer()
app.command()(look)


@pytest.mark.parametrize(
    ("outcomes", "said", "in_english"),
    [
        (
            {"isp_gateway": UP, "dns": UP, "international": UP, "application:siap": DOWN},
            "internet berfungsi, pusat data provinsi tidak terjangkau",
            "the internet works, the provincial data centre cannot be reached",
        ),
        (
            {"device": UP, "isp_gateway": DOWN, "dns": UNKNOWN, "application:siap": UNKNOWN},
            "perangkat menyala, jaringan penyedia tidak terjangkau",
            "the device is on, the provider's network cannot be reached",
        ),
        (
            {"isp_gateway": DOWN, "dns": DOWN, "international": UP},
            "internet berfungsi, DNS tidak menjawab",
            "the internet works, DNS does not answer",
        ),
        (
            {"application:siap": UP, "application:kependudukan": DOWN},
            "layanan aplikasi terjangkau",
            "the service can be reached",
        ),
        ({"site": DOWN}, "lokasi tidak terjangkau", "the site cannot be reached"),
        ({"dns": UNKNOWN}, "", ""),
        ({"somebody's own": DOWN}, "", ""),
    ],
)
def test_sentences(outcomes: dict[str, Outcome], said: str, in_english: str) -> None:
    """The lowest broken rung in words, after the outermost that works; nothing where none knows."""
    found = ladder_state(outcomes.items())
    assert sentence(found, "id") == said
    assert sentence(found, "en") == in_english


@pytest.mark.parametrize("lang", ["id", "en"])
def test_every_rung_has_its_words(lang: str) -> None:
    """Each rung can be the one that works and the one that is broken."""
    for rung in LADDER:
        for outcome in (UP, DOWN):
            assert sentence(ladder_state([(rung, outcome)]), lang)


def test_an_unknown_language() -> None:
    """A language that there is not is the user's mistake."""
    with pytest.raises(InputError):
        sentence(ladder_state([("dns", UP)]), "xx")


def newest(target: str, outcome: str, at_ms: int = 0, vantage: str = "village") -> dict[str, Any]:
    return {"site": "d", "vantage": vantage, "target": target, "outcome": outcome, "at_ms": at_ms}


def test_what_is_old_says_nothing() -> None:
    """A look from long before the site's newest is of another day; anchors are on no ladder."""
    now_ms = FRESH_SECONDS * 1000 + 1
    found = documents(
        [newest("dns", "UP", now_ms), newest("application", "DOWN"), newest("anchor:a", "DOWN")],
        "id",
    )
    assert found == [
        {"site": "d", "vantage": "village", "broken": None, "works": "dns", "state": "DNS menjawab"}
    ]


def test_each_vantage_has_its_ladder() -> None:
    """The centre's claim and the village's proof stand side by side."""
    found = documents([newest("site", "DOWN", vantage="centre"), newest("national", "UP")], "en")
    assert [one["state"] for one in found] == ["the site cannot be reached", "the internet works"]


INVENTORY = """
province: {code: 61, name: Kalimantan Barat, timezone: Asia/Pontianak}
kabupaten: [{code: 61.01, name: Kabupaten Sambas}]
providers: {p: {name: P}}
sites:
  desa: {name: Desa, kind: kantor_desa, village: 61.01.13.2002, access: fibre, provider: p,
         in_service_from: 2026-01-01, has_probe: true}
village_targets: [{name: national, rung: national, address: 127.0.0.1}]
checks:
  siap: {kind: tcp, address: 127.0.0.1, port: 1, sites: [desa]}
  rate: {kind: throughput, url: 'http://127.0.0.1:1/', sites: [desa]}
"""


def test_a_whole_ladder_at_once(tmp_path: Path) -> None:
    """``jangkau look ladder`` looks at every rung but the throughput test, says what it amounts to
    and ends with 1 when a rung is broken."""
    file = tmp_path / "inventory.yaml"
    file.write_text(INVENTORY)
    words = ["ladder", "desa", "--inventory", str(file)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1
    assert "desa: internet berfungsi, pusat data provinsi tidak terjangkau" in result.stdout
    document = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert (document["broken"], document["works"]) == ("application", "national")
    assert [one["outcome"] for one in document["looks"]] == ["UP", "DOWN"]


def test_a_ladder_of_nothing(tmp_path: Path) -> None:
    """A site whose probe is told of no target is the inventory's mistake."""
    file = tmp_path / "inventory.yaml"
    file.write_text(INVENTORY.partition("village_targets")[0])
    result = CliRunner().invoke(app, ["ladder", "desa", "--inventory", str(file)])
    assert isinstance(result.exception, InputError)
    assert "village_targets" in str(result.exception)
