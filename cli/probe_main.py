"""``jangkau-probe``: the same probe as one file, for devices with Python and little room.

Law: nothing beyond the standard library, so that the whole fits into a zipapp of some hundred
kilobytes. Exit codes as everywhere: 0 fine, 1 found trouble, 2 your input, 3 our bug.
"""

import argparse
import logging
import sys
import traceback
from getpass import getpass
from pathlib import Path

from cli.probe_edition import VERSION, Edition, become
from cli.probe_health import examine, shown_status
from model.errors import InputError, UnavailableError

HOME = Path("/var/lib/jangkau")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("jangkau-probe", description="The village probe of Jangkau.")
    parser.add_argument("--version", action="version", version=f"jangkau-probe {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (
        ("enrol", "spend a single-use token (asked for, or from standard input) for a key"),
        ("run", "look and deliver until SIGTERM"),
        ("status", "what the probe did last"),
        ("doctor", "examine the device"),
        ("upgrade", "bring a newer edition of this file; it is on trial from the next start on"),
    ):
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument("--home", type=Path, default=HOME, help=f"its folder [{HOME}]")
        if name == "enrol":
            command.add_argument("collector", help="https://host of the collector")
            command.add_argument("--probe", help="only as this probe [what the token says]")
            command.add_argument("--ca-file", type=Path, help="trust only this authority (PEM)")
        if name == "run":
            command.add_argument("--flush", type=float, default=180.0, help="s of a write [180]")
            command.add_argument(
                "--every", type=float, default=0.0, help="s between deliveries [0]"
            )
            command.add_argument("--sos", help="say it by DNS under this name when HTTPS fails")
            command.add_argument("--user", help="become this user (as root)")
        if name == "upgrade":
            command.add_argument("file", type=Path, help="the newer jangkau-probe.pyz")
        if name == "status":
            command.add_argument("--json", action="store_true")
    return parser


def _run(given: argparse.Namespace) -> int:
    if given.command == "status":
        sys.stdout.write(shown_status(given.home, as_json=given.json) + "\n")
        return 0
    if given.command == "doctor":
        findings = examine(given.home, None, None)
        for finding in findings:
            mark = "ok  " if finding.good else "BAD "
            sys.stdout.write(f"{mark} {finding.what}: {finding.detail}\n")
        return 0 if all(finding.good for finding in findings) else 1
    from cli.probe_service import drop_privileges, enrol_home, plan_of_home, serve

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    if given.command == "upgrade":
        said = Edition(given.home).install(given.file)
        sys.stdout.write(f"{said} is on trial from the next start on\n")
        return 0
    if given.command == "enrol":
        token = getpass("Token: ") if sys.stdin.isatty() else sys.stdin.readline()
        home = enrol_home(given.home, given.collector, token.strip(), given.probe, given.ca_file)
        sys.stdout.write(f"{home.probe} is enrolled for {home.site}\n")
        return 0
    plan = plan_of_home(given.home, given.flush, given.every, given.sos)
    if given.user is not None:
        drop_privileges(given.user, [plan.state])
    become(given.home)  # after the drop: the folder is its user's, not root's
    serve(plan)
    return 0


def main() -> None:
    """Run; every exit code is decided here."""
    given = _parser().parse_args()
    try:
        sys.exit(_run(given))
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except UnavailableError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    except Exception:  # noqa: BLE001 - the last net: whatever lands here is our bug
        traceback.print_exc()
        sys.stderr.write("This is a bug in Jangkau, not in your input. Please report it.\n")
        sys.exit(3)


if __name__ == "__main__":
    main()
