"""The private authority: probes that know it or the pin come in, nobody else is taken for us."""

import datetime
import shutil
import ssl
import stat
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector import certificates
from collector.server import listen, serve, url_of
from collector.web import application
from model.errors import InputError

NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    certificates.make(folder, ["127.0.0.1", "collector.example"], NOW)
    return folder


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    """A listener with that certificate, in a process of its own (it handles signals)."""
    import os  # noqa: PLC0415 - only here
    import signal  # noqa: PLC0415 - only here

    bound = listen("127.0.0.1:0", encrypted=True)
    child = os.fork()
    if child == 0:
        serve(application([]), bound, folder / "server.pem", folder / "server-key.pem")
        os._exit(0)
    yield url_of(bound, encrypted=True)
    os.kill(child, signal.SIGTERM)
    assert os.waitpid(child, 0)[1] == 0
    bound.close()


def test_who_knows_the_authority_comes_in(url: str, folder: Path) -> None:
    """Verified with our authority the listener answers, with a date by which a probe without a
    clock can set itself; with the world's authorities it is refused."""
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with urllib.request.urlopen(f"{url}/healthz", context=context, timeout=10) as answer:  # noqa: S310 - our own https
        assert answer.status == 200
        assert answer.headers["Date"]
    with pytest.raises(OSError, match="certificate verify failed"):
        urllib.request.urlopen(f"{url}/healthz", context=ssl.create_default_context(), timeout=10)  # noqa: S310 - as above


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_pin_is_what_curl_wants(url: str, folder: Path) -> None:
    """The printed pin opens for curl, one digit of it changed does not; the key stays when the
    certificate is renewed, and so does the pin."""
    pin = certificates.make(folder, ["127.0.0.1"], NOW)
    wrong = pin[:8] + ("A" if pin[8] != "A" else "B") + pin[9:]
    codes = [
        subprocess.run(
            [str(shutil.which("curl")), "-s", "-k", "--pinnedpubkey", one, f"{url}/healthz"],
            check=False, capture_output=True, timeout=20,
        ).returncode
        for one in (pin, wrong)
    ]  # fmt: skip
    assert codes == [0, 90]  # 90: pinned public key mismatch


def test_keys_are_for_their_owner_alone(folder: Path) -> None:
    """Private keys are 0600, whatever the umask."""
    for name in ("ca-key.pem", "server-key.pem"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_mistakes_are_named(tmp_path: Path) -> None:
    """No name, a name that is none, files that are no keys: said, and nothing is overwritten."""
    with pytest.raises(InputError, match="--name"):
        certificates.make(tmp_path, [], NOW)
    with pytest.raises(InputError, match="neither"):
        certificates.make(tmp_path, ["a" * 70 + ".b"], NOW)
    (tmp_path / "ca-key.pem").write_text("mine")
    with pytest.raises(InputError, match="no private key"):
        certificates.make(tmp_path, ["c"], NOW)
    assert (tmp_path / "ca-key.pem").read_text() == "mine"
