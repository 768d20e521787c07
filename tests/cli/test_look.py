"""``jangkau look`` as a user runs it."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from cli.main import main
from simulator.services import page, serving


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """The command in this process: its exit code, what it printed, what it complained about."""
    with pytest.raises(SystemExit) as ended:
        main(["look", *words])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_a_page() -> None:
    """UP ends with 0 and one JSON document; a wrong page with 1 and its reason."""

    async def served() -> None:
        async with serving(page()) as port:
            for wanted, code, reason in (("halo", 0, ""), ("siap", 1, "wrong body")):
                process = await asyncio.create_subprocess_exec(
                    str(Path(sys.executable).with_name("jangkau")),
                    *("look", "http", f"http://127.0.0.1:{port}/", "--json"),
                    *("--set", f"body_contains={wanted}"),
                    stdout=asyncio.subprocess.PIPE,
                )
                out, _ = await process.communicate()
                said = json.loads(out)
                assert (process.returncode, said["reason"]) == (code, reason)
                assert said["readings"]["http_status"] == 200

    asyncio.run(served())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("sonar", "127.0.0.1"), "'sonar' is not a kind of look"),
        (("tcp", "127.0.0.1"), "port=... is missing"),
        (("tcp", "127.0.0.1", "--set", "prt=1"), "did you mean"),
        (("tcp", "169.254.1.1", "--set", "port=1"), "link-local"),
        (("http", "file:///etc/passwd"), "not an http or https address"),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str) -> None:
    """A mistake ends with 2 and says what to do."""
    code, _, said = run(capsys, *words)
    assert code == 2
    assert message in said
