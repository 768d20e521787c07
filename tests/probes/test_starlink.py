"""The dish: what it says is read, what it cannot say is a bad answer, and nothing is changed."""

import struct

import pytest

from model.kinds import Starlink
from model.measurement import Outcome, Reason
from probes.protobuf import read_message
from probes.starlink import REQUEST, framed
from simulator.dish import Dish
from simulator.services import Handler, page, serving
from tests.probes.looking import Look, look_at


def seen(handler: Handler) -> Look:
    return look_at(serving(handler), Starlink)


def test_healthy_dish() -> None:
    """State, drop share, obstruction, alerts, uptime and firmware of a dish that is well."""
    found = seen(Dish(ping_drop_share=0.01, obstructed_share=0.002).handler())
    assert found.outcome is Outcome.UP
    assert found.readings["dish_ping_drop_share"] == pytest.approx(0.01)
    assert found.readings["dish_obstructed_share"] == pytest.approx(0.002)
    assert found.readings["dish_ping_seconds"] == pytest.approx(0.035)
    assert found.readings["uptime_seconds"] == 86_400
    assert found.readings["dish_firmware"] == 20260608
    assert found.readings["dish_alerts"] == 0


def test_dish_in_trouble() -> None:
    """An outage that the dish names is DOWN with its name; alerts are counted."""
    dish = Dish(obstructed=True, alerts=(2, 15), outage_cause=6)
    found = seen(dish.handler())
    assert (found.outcome, found.reason) == (Outcome.DOWN, f"dish: {Reason.OBSTRUCTED}")
    assert (found.readings["dish_alerts"], found.readings["dish_obstructed"]) == (2, 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0\0\0\0",
        framed(b"\xff" * 20),
        framed(b"\0" * 4)[:-1],
        struct.pack(">BI", 0, 2**32 - 1),
        framed(b"\xa2\x7d\x02\x08"),
        b"<html>",
    ],
)
def test_what_is_no_answer(body: bytes) -> None:
    """Frames and messages that are cut or malformed are a bad answer, never a crash."""
    found = seen(page(body))
    assert (found.outcome, found.reason) == (Outcome.DOWN, Reason.BAD_ANSWER)


def test_grpc_error_and_http_error() -> None:
    """A refusal is told by its number: of gRPC or of HTTP (old firmware has no gRPC-Web)."""
    refused = page(framed(b"grpc-status: 7\r\n", 0x80))
    assert seen(refused).reason == "dish: gRPC status 7"
    assert seen(page(b"", status="404 Not Found")).reason == "wrong status 404"


def test_the_only_question() -> None:
    """What is sent is get_status (field 1004, empty) and nothing else."""
    assert read_message(REQUEST[5:]) == {1004: b""}
