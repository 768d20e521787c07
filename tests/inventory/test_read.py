"""Reading an inventory: every rule has a bad file with the exact message beside it."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from inventory import settings
from inventory.read import load
from model.definition import Definition
from model.errors import InputError
from model.site import Access, PowerSource

INVENTORIES = Path(__file__).parents[1] / "data" / "inventories"
BAD = sorted((INVENTORIES / "bad").glob("*.yaml"))
EXAMPLE = Path(__file__).parents[2] / "inventory.yaml"
MINIMAL = (INVENTORIES / "good.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly the expected mistakes are named, all of them, in order."""
    monkeypatch.chdir(path.parent)
    with pytest.raises(InputError) as caught:
        load(Path(path.name))
    expected = path.with_suffix(".expected.txt").read_text(encoding="utf-8")
    assert str(caught.value) + "\n" == expected


def test_every_bad_file_has_a_partner() -> None:
    """No expectation stands without its file, and the folder is not empty."""
    assert {p.name.removesuffix(".expected.txt") for p in (INVENTORIES / "bad").glob("*.txt")} == {
        path.stem for path in BAD
    }
    assert len(BAD) > 80


def test_example() -> None:
    """The example at the root holds every standard kind, all 14 kabupaten/kota and the guest."""
    inventory = load(EXAMPLE)
    assert {site.kind for site in inventory.sites} == set(settings.standard_kinds())
    own = {k.code for k in inventory.kabupaten if k.code.startswith("61.")}
    assert len(own) == 14
    assert {site.village[:5] for site in inventory.sites} == {*own, "64.02"}
    assert sum(k.desa_count or 0 for k in inventory.kabupaten) == 2046
    assert sum(k.kelurahan_count or 0 for k in inventory.kabupaten) == 99
    assert sum(k.kecamatan_count or 0 for k in inventory.kabupaten) == 174
    assert sum(k.population or 0 for k in inventory.kabupaten) == 5_646_268
    semparuk = inventory.by_id["semparuk-kd"]
    assert (semparuk.village, semparuk.access) == ("61.01.13.2002", Access.FIBRE)
    assert inventory.upstream_chain(semparuk) == ("pop-sambas", "pop-singkawang", "pop-pontianak")
    guest = inventory.by_id["kota-bangun-ii-kd"]
    assert (guest.village, guest.timezone) == ("64.02.19.2005", "Asia/Makassar")
    addresses = [check.address for check in inventory.centre_checks()]
    assert all(address.startswith("127.61.") for address in addresses)


def test_example_spells_the_default_definition() -> None:
    """The definition in the example is the default, to its hash."""
    assert load(EXAMPLE).definition == Definition()
    assert load(EXAMPLE).definition.hash == Definition().hash


def write(folder: Path, text: str) -> Path:
    """An inventory in a folder of its own."""
    path = folder / "inventory.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_of_a_site(tmp_path: Path) -> None:
    """What a site does not say comes from its kind and its province."""
    site = load(write(tmp_path, MINIMAL)).by_id["semparuk-kd"]
    kind = settings.standard_kinds()["kantor_desa"]
    assert (site.timezone, site.service_hours) == ("Asia/Pontianak", kind.service_hours)
    assert (site.service_critical, site.interval_seconds) == (True, 300)
    assert (site.power, site.has_probe, site.lat) == (PowerSource.GRID, False, None)
    assert site.in_service_from == date(2026, 1, 12)


@pytest.mark.parametrize("name", ["no", "1e3", "0x1F", "2026-01-12", "61.10", "12:30:00"])
@pytest.mark.parametrize("quoted", [False, True])
def test_text_stays_text(tmp_path: Path, name: str, quoted: bool) -> None:
    """A text that YAML would take for something else is the text, with quotes or without."""
    written = f'"{name}"' if quoted else name
    text = MINIMAL.replace("Kantor Desa Semparuk", written)
    assert load(write(tmp_path, text)).by_id["semparuk-kd"].name == name


def test_code_keeps_its_zero(tmp_path: Path) -> None:
    """61.10 without quotes is Melawi and not 61.1."""
    text = MINIMAL.replace("code: 61.01", "code: 61.10").replace("61.01.13.2002", "61.10.13.2002")
    inventory = load(write(tmp_path, text))
    assert inventory.kabupaten[0].code == "61.10"
    assert inventory.sites[0].village == "61.10.13.2002"


def test_new_and_changed_kinds(tmp_path: Path) -> None:
    """A new kind needs no code; a standard kind keeps what is not changed; unused ones stay out."""
    text = MINIMAL.replace("kind: kantor_desa", "kind: school") + (
        "kinds:\n"
        "  school: {name_id: Sekolah, name_en: School, service_hours: Mon-Sat 07:00-13:00,"
        " service_critical: false, interval_seconds: 120}\n"
        "  mpp: {interval_seconds: 30}\n"
    )
    inventory = load(write(tmp_path, text))
    assert inventory.by_id["semparuk-kd"].interval_seconds == 120
    standard = settings.standard_kinds()["mpp"]
    assert inventory.kinds["mpp"].service_hours == standard.service_hours
    assert inventory.kinds["mpp"].interval_seconds == 30
    assert set(inventory.kinds) == {"school", "mpp"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-28 22:00", datetime(2026, 11, 28, 15, tzinfo=UTC)),
        ("2026-11-28T22:00:30", datetime(2026, 11, 28, 15, 0, 30, tzinfo=UTC)),
        ("2026-11-28T15:00Z", datetime(2026, 11, 28, 15, tzinfo=UTC)),
        ("2026-11-28T23:00:00.250+08:00", datetime(2026, 11, 28, 15, 0, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_moments(tmp_path: Path, written: str, meant: datetime) -> None:
    """A moment without a zone is the province's local time; one with a zone is what it says."""
    text = MINIMAL + (
        f"maintenance:\n  - {{from: '{written}', to: '2026-12-01 00:00', reason: Work,"
        " upstreams: [pop]}\n"
    )
    (work,) = load(write(tmp_path, text)).maintenance
    assert work.interval.start_ms == round(meant.timestamp() * 1000)
    assert work.upstreams == {"pop"}


def test_definition_changed_key_by_key(tmp_path: Path) -> None:
    """A threshold that is not said keeps its default; the hash tells the change."""
    text = MINIMAL + "definition: {target_weeks: 4, thresholds: {4g: {availability_min: 0.9}}}\n"
    definition = load(write(tmp_path, text)).definition
    assert definition.thresholds[Access.CELLULAR].availability_min == 0.9
    assert definition.thresholds[Access.CELLULAR].loss_p95_max == 0.05
    assert definition.thresholds[Access.GEO] == Definition().thresholds[Access.GEO]
    assert definition.target_weeks == 4
    assert definition.hash != Definition().hash


def test_register_that_does_not_cover_a_guest(tmp_path: Path) -> None:
    """A register of one province says nothing of a guest from another."""
    guest = (
        "  kota-bangun: {name: Kota Bangun II, kind: kantor_desa, village: 64.02.19.2005,"
        " access: fibre, provider: serat, in_service_from: 2026-01-12, timezone: Asia/Makassar}\n"
    )
    text = MINIMAL.replace("sites:", "  # guest\nsites:") + guest
    text = text.replace("providers:", "  - {code: 64.02, name: Kutai Kartanegara}\nproviders:")
    text += f"register_file: '{INVENTORIES / 'register.csv'}'\n"
    inventory = load(write(tmp_path, text))
    assert inventory.by_id["kota-bangun"].timezone == "Asia/Makassar"
    assert inventory.register_file == str(INVENTORIES / "register.csv")


def test_many_mistakes_end_somewhere(tmp_path: Path) -> None:
    """The list of mistakes stops at its limit and says so."""
    rows = "".join(f"Site_{n},x\n" for n in range(3000))
    (tmp_path / "sites.csv").write_text("id,name\n" + rows, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load(write(tmp_path, MINIMAL + "sites_file: sites.csv\n"))
    lines = str(caught.value).splitlines()
    assert len(lines) <= 1002
    assert "reading stopped after 1000 mistakes" in lines[-1]
