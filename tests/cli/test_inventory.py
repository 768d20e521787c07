"""``jangkau inventory``: what it prints, what it writes, how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.inventory import app
from inventory.read import load
from inventory.register import load_register
from model.errors import InputError

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "inventory.yaml"
GOOD = ROOT / "tests" / "data" / "inventories" / "good.yaml"
HEAD = "id,name,kind,village,access,provider,in_service_from\n"
JAWAI = "jawai-kd,Kantor Desa,kantor_desa,{},4g,serat,2026-01-12\n"


def run(*arguments: object) -> str:
    """Run a command that must end well; gives its output."""
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_check(capfd: pytest.CaptureFixture[str]) -> None:
    """The summary names the counts, the cost of a site and the totals."""
    output = run("check", EXAMPLE) + capfd.readouterr().out
    assert "no mistake. 41 sites, 1 of them without an address" in " ".join(output.split())
    assert "760,320" in output
    assert "Kabupaten Kapuas Hulu" in output


def test_check_json() -> None:
    """One document with the same figures for programs."""
    document = json.loads(run("check", EXAMPLE, "--json"))
    assert document["sites"] == sum(document["counts"]["kind"].values()) == 41
    assert document["counts"]["access"]["geo"] == 6
    echoes = {"packets": 6 * 2880, "bytes": 6 * 126_720, "reserved_bytes": 0}
    assert document["day_cost_by_site"]["semparuk-kd"] == echoes  # the centre's, and five targets
    by_site = document["day_cost_by_site"].values()
    assert document["day_cost"]["bytes"] == sum(cost["bytes"] for cost in by_site)


MAIN = "from cli.main import main; main()"


def test_check_of_a_bad_file() -> None:
    """All mistakes go to standard error, and the command ends with 2."""
    bad = ROOT / "tests" / "data" / "inventories" / "bad" / "everything_at_once.yaml"
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "inventory", "check", str(bad)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    expected = bad.with_suffix(".expected.txt").read_text(encoding="utf-8")
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.replace(f"{bad.parent}/", "") == expected


def test_import_register(tmp_path: Path) -> None:
    """A list becomes a register; a dry run reports the same and writes nothing."""
    villages = tmp_path / "villages.csv"
    villages.write_text("code,name,extra\n61.01.13.2002,Semparuk,1\n61.01.13.1003,Kota,2\n")
    out = tmp_path / "register.csv"
    arguments = ("import", "register", villages, "--version", "300/2025", "--out", out)
    output = run(*arguments, "--dry-run")
    assert "2 villages (1 desa, 1 kelurahan) in 1 kecamatan" in output
    assert "2 without a polygon: 61.01.13.1003, 61.01.13.2002" in output
    assert "1 columns not used: extra" in output
    assert not out.exists()
    run(*arguments)
    assert load_register(out).version == "300/2025"


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """A small inventory that may be changed."""
    path = tmp_path / "inventory.yaml"
    path.write_text(GOOD.read_text(encoding="utf-8"), encoding="utf-8")
    return path


def test_import_sites(inventory: Path, tmp_path: Path) -> None:
    """Sites with BPS codes come in through the mapping: dry, into another table, for good."""
    new, pairs, out = tmp_path / "new.csv", tmp_path / "pairs.csv", tmp_path / "out.csv"
    new.write_text(HEAD + JAWAI.format("6101030005"))
    pairs.write_text("bps_code,kemendagri_code\n6101030005,61.01.04.2017\n")
    arguments = ("import", "sites", new, "--scheme", "bps", "--mapping", pairs, "--into", inventory)
    assert "1 new sites (1 kantor_desa), 2 in all" in run(*arguments, "--dry-run")
    assert len(load(inventory).sites) == 1
    run(*arguments, "--out", out)
    assert "61.01.04.2017" in out.read_text()
    assert len(load(inventory).sites) == 1
    run(*arguments)
    assert load(inventory).by_id["jawai-kd"].village == "61.01.04.2017"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--scheme", "bps"), "cannot be computed"),
        (("--scheme", "guess"), "write kemendagri or bps"),
        (("--scheme", "kemendagri", "--mapping", "x.csv"), "leave it out"),
    ],
)
def test_schemes(inventory: Path, options: tuple[str, ...], message: str) -> None:
    """A scheme is told, never guessed, and BPS codes need their mapping."""
    with pytest.raises(InputError, match=message):
        run("import", "sites", GOOD, "--into", inventory, *options)


def test_diff(inventory: Path) -> None:
    """No change ends with 0, a change with 1 and its line."""
    assert run("diff", GOOD, inventory) == ""
    text = inventory.read_text(encoding="utf-8").replace("access: fibre", "access: fwa")
    inventory.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["diff", str(GOOD), str(inventory)])
    assert (result.exit_code, result.output) == (1, "~ sites.semparuk-kd.access: fibre -> fwa\n")
