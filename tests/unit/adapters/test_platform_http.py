"""Effects go out signed, one webhook each, and an answer means what it says."""

import base64
from datetime import datetime

import msgspec
import pytest
from standardwebhooks import Webhook
from tests.fakes.http_server import LoopbackServer
from tests.synthetic.builders import make_effect

from nightlight.adapters.clock import SystemClock
from nightlight.adapters.platform_http import HttpPlatform
from nightlight.errors import InvalidInput, Unavailable

SECRET = "whsec_" + base64.b64encode(b"quibble-quibble-quibble!").decode()


def now() -> datetime:
    """Return the time of this very test: a receiver refuses what is minutes old."""
    return SystemClock().now()


def platform_at(server: LoopbackServer) -> HttpPlatform:
    return HttpPlatform(url=f"{server.origin}/effects", secret=SECRET, timeout_s=2)


def test_effect_is_sent_signed_under_its_own_id(server: LoopbackServer) -> None:
    platform_at(server).deliver(make_effect(), at=now())
    [asked] = server.asked
    body = Webhook(SECRET).verify(asked.body, asked.headers)
    assert (asked.method, asked.path) == ("POST", "/effects")
    assert asked.headers["webhook-id"] == "effect-1"
    assert body["data"] == {
        "effect_id": "effect-1",
        "kind": "hide",
        "subject": {"kind": "post", "id": "post-1"},
        "decision_id": "decision-1",
        "case_id": None,
    }


def test_next_attempt_repeats_the_same_id(server: LoopbackServer) -> None:
    platform = platform_at(server)
    at = now()
    platform.deliver(make_effect(), at=at)
    platform.deliver(make_effect(), at=at)
    first, again = server.asked
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert msgspec.json.decode(first.body) == msgspec.json.decode(again.body)


@pytest.mark.parametrize("status", [400, 404, 410, 413, 422])
def test_refusal_for_good_is_not_repeated(server: LoopbackServer, status: int) -> None:
    server.status = status
    with pytest.raises(InvalidInput, match=f"refuses the effect with {status}"):
        platform_at(server).deliver(make_effect(), at=now())


@pytest.mark.parametrize("status", [301, 302, 401, 403, 408, 409, 425, 429, 500, 502, 503])
def test_answer_that_may_pass_is_tried_again(server: LoopbackServer, status: int) -> None:
    server.status, server.headers = status, {"location": "/elsewhere"}
    with pytest.raises(Unavailable, match=f"answers {status}"):
        platform_at(server).deliver(make_effect(), at=now())
    assert [asked.path for asked in server.asked] == ["/effects"]


def test_platform_that_is_gone_is_unavailable_and_not_reachable() -> None:
    platform = HttpPlatform(url="http://127.0.0.1:1/effects", secret=SECRET, timeout_s=2)
    with pytest.raises(Unavailable, match="does not answer: ConnectError"):
        platform.deliver(make_effect(), at=now())
    assert not platform.is_reachable()


def test_platform_that_answers_anything_is_reachable(server: LoopbackServer) -> None:
    server.status = 405
    assert platform_at(server).is_reachable()


def test_what_the_platform_answers_is_not_quoted(server: LoopbackServer) -> None:
    server.status, server.body = 422, b"zorbleflux"
    with pytest.raises(InvalidInput) as caught:
        platform_at(server).deliver(make_effect(), at=now())
    assert "zorbleflux" not in str(caught.value)
