"""The HTTP API against the real application over a real SQLite file; only the socket is missing."""

import asyncio
import json
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from nightlight.bootstrap import build_services
from nightlight.errors import IntegrityFailure
from nightlight.ingest.schemas import schemas
from nightlight.services import Services
from nightlight.settings import Settings, read_settings
from nightlight.web.api.events import MAX_BODY_BYTES
from nightlight.web.app import create_app
from nightlight.web.auth import ensure_token
from nightlight.web.console.live import PARTS, Live
from nightlight.web.console.render import Renderer
from nightlight.web.problems import PROBLEM_TYPE

TOKEN = "a token of the tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
BATCH = "application/cloudevents-batch+json"
SINGLE = "application/cloudevents+json"
LINES = "application/x-ndjson"


class InProcess(httpx.BaseTransport):
    """Hands requests to an application without a socket."""

    def __init__(self, app: Any) -> None:
        self._transport = httpx.ASGITransport(app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        body = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=body)


def client_of(
    services: Services, *, token: str = TOKEN, host_names: tuple[str, ...] = ()
) -> httpx.Client:
    app = create_app(services, token, host_names=host_names)
    return httpx.Client(transport=InProcess(app), base_url="http://127.0.0.1:8420")


def settings_in(home: Path) -> Settings:
    return read_settings({"NIGHTLIGHT_HOME": str(home)})


@pytest.fixture(scope="module")
def fresh_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with its schema in place, to be copied: migrating takes longer than a test."""
    home = tmp_path_factory.mktemp("fresh") / "home"
    build_services(settings_in(home))
    return home


@pytest.fixture
def services(tmp_path: Path, fresh_home: Path) -> Services:
    home = tmp_path / "home"
    shutil.copytree(fresh_home, home)
    return build_services(settings_in(home))


@pytest.fixture
def client(services: Services) -> Iterator[httpx.Client]:
    with client_of(services) as connected:
        yield connected


def event(number: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "//town.example.test",
        "type": "post.created",
        "time": "2026-01-31T12:00:00Z",
        "data": {"post_id": f"post-{number}", "account_id": "acc-1", "text": "A zorbleflux."},
    }


def post(
    client: httpx.Client, body: bytes | object, kind: str = BATCH, **headers: str
) -> tuple[int, dict[str, Any]]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.post(
        "/v1/events", content=raw, headers={"Content-Type": kind, **BEARER, **headers}
    )
    told: dict[str, Any] = answer.json()
    return answer.status_code, told


def stored_events(services: Services) -> int:
    with services.unit_of_work.read() as tx:
        return tx.events.head()


def actions(services: Services) -> list[str]:
    with services.unit_of_work.read() as tx:
        return [one.entry.action for one in tx.audit.entries()]


def test_a_batch_is_durable_before_the_answer(client: httpx.Client, services: Services) -> None:
    status, told = post(client, [event(1), event(2)])

    assert (status, told) == (202, {"accepted": 2, "duplicates": 0, "quarantined": []})
    assert stored_events(services) == 2
    assert actions(services) == ["events.accepted"]


def test_an_event_sent_twice_enters_once(client: httpx.Client, services: Services) -> None:
    post(client, [event(1)])

    status, told = post(client, [event(1), event(2), event(2)])

    assert (status, told["accepted"], told["duplicates"]) == (202, 1, 2)
    assert stored_events(services) == 2


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (SINGLE, json.dumps(event(1)).encode()),
        (f"{SINGLE}; charset=utf-8", json.dumps(event(1)).encode()),
        (LINES, json.dumps(event(1)).encode() + b"\n\n"),
    ],
)
def test_single_events_and_lines_are_accepted(client: httpx.Client, kind: str, body: bytes) -> None:
    status, told = post(client, body, kind)

    assert (status, told["accepted"]) == (202, 1)


def test_an_unreadable_element_is_quarantined_and_the_others_are_accepted(
    client: httpx.Client, services: Services
) -> None:
    status, told = post(client, [event(1), {"id": "no event"}, event(3)])

    assert (status, told["accepted"]) == (202, 2)
    (held,) = told["quarantined"]
    assert held["index"] == 1
    assert held["reason"]
    assert "events.quarantined" in actions(services)
    with services.unit_of_work.read() as tx:
        assert [one.reason for one in tx.events.quarantined(5)] == [held["reason"]]


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ({"data": {"network": "192.0.2.7"}}, "data.account_id"),
        ({"data": {"account_id": "a\nb"}}, "data.account_id"),
        ({"data": {"account_id": "a", "device": 7}}, "data.device"),
        ({"data": {"account_id": "a", "network": None}}, "data.network"),
        ({"data": []}, "data"),
        ({"time": "2026-01-31T12:00:00"}, "time"),
    ],
)
def test_a_broken_sign_in_is_quarantined_and_the_answer_names_the_field(
    client: httpx.Client, services: Services, broken: dict[str, Any], field: str
) -> None:
    whole = {"type": "account.signed_in", "data": {"account_id": "a", "network": "192.0.2.7"}}
    status, told = post(client, [event(1) | whole | broken, event(2) | whole])

    assert (status, told["accepted"]) == (202, 1)
    assert told["quarantined"][0]["reason"].startswith(f"element 1 of the array: {field}: ")
    with services.unit_of_work.read() as tx:
        assert tx.events.quarantine_size() == 1


def test_a_quarantined_line_is_named_by_its_line(client: httpx.Client) -> None:
    status, told = post(client, json.dumps(event(1)).encode() + b"\n{broken\n", LINES)

    assert (status, told["accepted"]) == (202, 1)
    assert told["quarantined"][0]["line"] == 2


def test_what_was_quarantined_is_not_repeated_in_the_answer(client: httpx.Client) -> None:
    _, told = post(client, b'{"text": "a secret zorbleflux", broken', LINES)

    assert "zorbleflux" not in json.dumps(told)


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"]
)
def test_events_without_the_token_are_refused(
    client: httpx.Client, services: Services, authorization: str
) -> None:
    answer = client.post(
        "/v1/events", json=[event(1)], headers={"Authorization": authorization} | {"Accept": "*/*"}
    )

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Content-Type"] == PROBLEM_TYPE
    assert stored_events(services) == 0


def test_the_consoles_cookie_does_not_open_the_api(
    client: httpx.Client, services: Services
) -> None:
    client.get(f"/?token={TOKEN.replace(' ', '%20')}")
    assert client.cookies

    answer = client.post("/v1/events", json=[event(1)], headers={"Content-Type": BATCH})

    assert answer.status_code == 401
    assert stored_events(services) == 0


def test_an_empty_body_is_refused(client: httpx.Client) -> None:
    status, told = post(client, b" \n")

    assert (status, told["status"]) == (400, 400)


def test_a_batch_that_is_no_array_is_refused_whole(
    client: httpx.Client, services: Services
) -> None:
    status, told = post(client, b"{")

    assert (status, told["code"]) == (400, "invalid_input")
    assert actions(services) == []


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
def test_another_media_type_is_refused_with_those_that_are_read(
    client: httpx.Client, kind: str
) -> None:
    status, told = post(client, [event(1)], kind)

    assert status == 415
    assert BATCH in told["hint"]


def test_an_encoded_body_is_refused_instead_of_quarantined(
    client: httpx.Client, services: Services
) -> None:
    answer = client.post(
        "/v1/events",
        content=b"\x1f\x8b",
        headers={**BEARER, "Content-Type": LINES, "Content-Encoding": "gzip"},
    )

    assert answer.status_code == 415
    assert actions(services) == []


def test_a_body_over_the_limit_is_refused(client: httpx.Client, services: Services) -> None:
    status, _ = post(client, b" " * (MAX_BODY_BYTES + 1))

    assert status == 413
    assert stored_events(services) == 0


def test_a_body_that_hides_its_length_is_refused_over_the_limit(client: httpx.Client) -> None:
    chunks = (b" " * (1 << 20) for _ in range((MAX_BODY_BYTES >> 20) + 1))

    answer = client.post("/v1/events", content=chunks, headers={**BEARER, "Content-Type": LINES})

    assert answer.status_code == 413


def test_every_schema_can_be_fetched_without_a_token(client: httpx.Client) -> None:
    listed = client.get("/v1/schemas").json()["schemas"]

    assert set(listed) == set(schemas())
    told = {name: client.get(path).json() for name, path in listed.items()}
    assert told == json.loads(msgspec.json.encode(schemas()))


def test_an_unknown_schema_is_not_found(client: httpx.Client) -> None:
    answer = client.get("/v1/schemas/zorbleflux.created")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_health_is_degraded_while_no_worker_was_seen(client: httpx.Client) -> None:
    post(client, [event(1)])

    told = client.get("/healthz").json()

    assert (told["status"], told["backlog"], told["worker_seen_s"]) == ("degraded", 1, None)


def test_health_is_ok_while_a_worker_lives(client: httpx.Client, services: Services) -> None:
    with services.unit_of_work.begin() as tx:
        tx.heartbeats.beat("worker", at=services.clock.now())
        tx.commit_unrecorded()

    told = client.get("/healthz").json()

    assert (told["status"], told["backlog"]) == ("ok", 0)
    assert told["worker_seen_s"] >= 0


def test_health_says_plainly_that_the_database_fails(
    client: httpx.Client, services: Services
) -> None:
    break_database(services)

    answer = client.get("/healthz")

    assert answer.status_code == 503
    assert answer.json()["reason"] == "the database does not answer"
    assert "no such table" not in answer.text


def test_events_are_not_taken_while_the_database_fails(
    client: httpx.Client, services: Services
) -> None:
    break_database(services)

    answer = client.post(
        "/v1/events", content=json.dumps(event(1)), headers={**BEARER, "Content-Type": SINGLE}
    )

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_pages_that_load_scripts_from_elsewhere_are_off(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/decisions",
        "/cases",
        "/cases/x",
        "/reports",
        "/reports/reconciliation",
        "/record",
        "/lists",
        "/measure",
    ],
)
def test_a_page_without_signing_in_shows_nothing_but_the_form(
    client: httpx.Client, path: str
) -> None:
    answer = client.get(path)

    assert answer.status_code == 401
    assert "API token" in answer.text
    assert "Newest" not in answer.text


@pytest.mark.parametrize("path", ["/console/live", "/quarantine"])
def test_other_parts_of_the_console_are_closed_too(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 401


def test_the_link_with_the_token_signs_in_and_takes_the_token_out_of_the_address(
    client: httpx.Client,
) -> None:
    answer = client.get("/", params={"token": TOKEN})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert client.get("/").status_code == 200


def test_the_form_signs_in(client: httpx.Client) -> None:
    answer = client.post("/sign-in", data={"token": f" {TOKEN}"})

    assert answer.status_code == 303
    assert client.get("/").status_code == 200


def test_signing_out_closes_the_console(client: httpx.Client) -> None:
    client.get("/", params={"token": TOKEN})

    client.post("/sign-out")

    assert client.get("/").status_code == 401


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1]])
def test_a_wrong_token_does_not_sign_in(client: httpx.Client, token: str) -> None:
    by_link = client.get("/", params={"token": token})
    by_form = client.post("/sign-in", data={"token": token})

    assert (by_link.status_code, by_form.status_code) == (401, 401)
    assert client.get("/").status_code == 401


def test_a_cookie_from_another_token_does_not_sign_in(
    client: httpx.Client, services: Services
) -> None:
    with client_of(services, token="another token") as other:
        other.get("/", params={"token": "another token"})
        assert other.get("/").status_code == 200
        client.cookies = other.cookies

    assert client.get("/").status_code == 401


@pytest.mark.parametrize("host", ["evil.example.test", "evil.example.test:80", "", "127.0.0.1.x"])
def test_the_console_does_not_answer_to_a_foreign_name(client: httpx.Client, host: str) -> None:
    client.get("/", params={"token": TOKEN})

    assert client.get("/", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:8420", "localhost", "LOCALHOST:1", "[::1]:8420"])
def test_the_console_answers_to_loopback_names(client: httpx.Client, host: str) -> None:
    assert client.get("/static/lamp.svg", headers={"Host": host}).status_code == 200


def test_the_console_answers_to_the_names_it_was_given(services: Services) -> None:
    with client_of(services, host_names=("Console.example.test",)) as named:
        answer = named.get("/static/lamp.svg", headers={"Host": "console.example.test:8420"})

    assert answer.status_code == 200


def test_every_answer_tells_browsers_what_they_may_not_do(client: httpx.Client) -> None:
    for path in ("/", "/static/console.css", "/healthz", "/nowhere"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert client.get("/").headers["Cache-Control"] == "no-store"


def test_a_stream_begins_with_every_part(services: Services) -> None:
    live = Live(services, Renderer(services))

    told = asyncio.run(first_of(live, 1 + len(PARTS)))

    assert [one.splitlines()[0] for one in told[1:]] == [f"event: {name}" for name in PARTS]


def test_a_stream_says_so_when_the_database_fails(services: Services) -> None:
    break_database(services)

    told = asyncio.run(first_of(Live(services, Renderer(services)), 2))

    assert "does not answer" in told[1]


def test_a_stream_ends_when_the_server_stops(services: Services) -> None:
    live = Live(services, Renderer(services))

    live.end()

    assert len(asyncio.run(first_of(live, 99))) == 1


def test_an_unknown_case_is_not_found(client: httpx.Client) -> None:
    client.get("/", params={"token": TOKEN})

    answer = client.get("/cases/case_none")

    assert answer.status_code == 404
    assert "nightlight case list" in answer.text


def test_a_made_token_is_kept_for_its_owner_only_and_stays(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)

    token = ensure_token(settings)

    assert len(token) >= 32
    assert ensure_token(settings) == token
    assert stat.S_IMODE(settings.token_file.stat().st_mode) == 0o600
    assert list(settings.token_file.parent.iterdir()) == [settings.token_file]


def test_a_configured_token_is_used_and_none_is_made(tmp_path: Path) -> None:
    settings = read_settings(
        {"NIGHTLIGHT_HOME": str(tmp_path), "NIGHTLIGHT_API_TOKEN": "configured for the tests"}
    )

    assert ensure_token(settings) == "configured for the tests"
    assert not settings.token_file.exists()


def test_an_empty_token_file_is_no_token(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    settings.token_file.parent.mkdir(parents=True)
    settings.token_file.touch()

    with pytest.raises(IntegrityFailure):
        ensure_token(settings)


async def first_of(live: Live, count: int) -> list[str]:
    told: list[str] = []
    async for said in live.stream():
        told.append(said)
        if len(told) == count:
            break
    return told


def break_database(services: Services) -> None:
    with closing(sqlite3.connect(services.settings.home / "nightlight.db")) as database:
        database.execute("DROP TABLE counter")
        database.commit()
