"""Tokens with scopes against the real application over a real SQLite file."""

import base64
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.fakes.in_process import TOKEN, client_of, fresh_services
from tests.fakes.patience import until

from nightlight.errors import InvalidInput, NotFound
from nightlight.services import Services
from nightlight.services.tokens import MadeToken, Scope, Tokens


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return fresh_services(tmp_path)


@pytest.fixture
def client(services: Services) -> Iterator[httpx.Client]:
    with client_of(services) as connected:
        yield connected


def tokens_of(services: Services) -> Tokens:
    return Tokens(unit_of_work=services.unit_of_work, clock=services.clock)


def made(services: Services, *scopes: Scope, per_second: float = 0.0) -> MadeToken:
    return tokens_of(services).make(
        "a client", scopes=scopes, per_second=per_second, actor="a tester", reason="to see"
    )


def send(client: httpx.Client, **headers: str) -> httpx.Response:
    kind = {"Content-Type": "application/x-ndjson"}
    return client.post("/v1/events", content=b"not an event\n", headers={**kind, **headers})


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def basic(secret: str, *, user: str = "x") -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{secret}'.encode()).decode()}"}


def test_a_token_made_for_it_is_let_in(client: httpx.Client, services: Services) -> None:
    token = made(services, Scope.EVENTS)

    assert send(client, **bearer(token.secret)).status_code == 202


def test_a_token_is_also_taken_as_a_password(client: httpx.Client, services: Services) -> None:
    token = made(services, Scope.EVENTS)

    assert send(client, **basic(token.secret)).status_code == 202
    assert send(client, **basic(token.secret, user="")).status_code == 202
    assert send(client, **basic(TOKEN)).status_code == 202


def test_a_token_as_the_name_of_a_user_is_not_one(client: httpx.Client, services: Services) -> None:
    token = made(services, Scope.EVENTS)
    told = base64.b64encode(f"{token.secret}:".encode()).decode()

    assert send(client, Authorization=f"Basic {told}").status_code == 401


def test_a_token_in_the_address_is_not_looked_at(client: httpx.Client, services: Services) -> None:
    token = made(services, Scope.EVENTS)

    answer = client.post("/v1/events", params={"token": token.secret}, content=b"{}")

    assert answer.status_code == 401


def test_a_token_made_for_something_else_is_refused(
    client: httpx.Client, services: Services
) -> None:
    token = made(services, *(scope for scope in Scope if scope is not Scope.EVENTS))

    answer = send(client, **bearer(token.secret))

    assert answer.status_code == 403
    assert "events" in answer.json()["detail"]


def test_a_revoked_token_is_soon_refused(client: httpx.Client, services: Services) -> None:
    token = made(services, Scope.EVENTS)
    assert send(client, **bearer(token.secret)).status_code == 202
    tokens_of(services).revoke(token.token.id, actor="a tester", reason="to see")
    before = [send(client, **bearer(token.secret)).status_code]

    until(lambda: send(client, **bearer(token.secret)).status_code == 401, "the token is refused")
    assert before[0] in (202, 401)


def test_a_token_that_asks_too_often_is_told_when_to_come_again(
    client: httpx.Client, services: Services
) -> None:
    token = made(services, Scope.EVENTS, per_second=0.01)
    assert send(client, **bearer(token.secret)).status_code == 202

    answer = send(client, **bearer(token.secret))

    assert answer.status_code == 429
    assert 90 <= int(answer.headers["Retry-After"]) <= 100
    assert send(client, **bearer(TOKEN)).status_code == 202


def test_an_address_that_guesses_is_refused_but_its_good_token_is_not(
    client: httpx.Client, services: Services
) -> None:
    known, unknown = made(services, Scope.EVENTS), made(services, Scope.EVENTS)
    assert send(client, **bearer(known.secret)).status_code == 202
    told = {send(client, **bearer(f"guess-{number}")).status_code for number in range(25)}
    assert told == {401, 429}

    assert send(client, **bearer(known.secret)).status_code == 202
    assert send(client, **bearer(unknown.secret)).status_code == 429


def test_guessing_at_the_sign_in_is_slowed_down_too(client: httpx.Client) -> None:
    told = {client.post("/sign-in", data={"token": "wrong"}).status_code for _ in range(25)}

    assert told == {401, 429}


def test_tokens_that_cannot_be_checked_are_not_let_in(
    client: httpx.Client, services: Services
) -> None:
    token = made(services, Scope.EVENTS)
    with services.unit_of_work.begin() as tx:
        tx._connection.exec_driver_sql("DROP TABLE api_token")  # type: ignore[attr-defined]  # ruined
        tx.commit_unrecorded()

    assert send(client, **bearer(token.secret)).status_code == 503


def test_making_and_revoking_stand_in_the_record_and_the_secret_does_not(
    services: Services,
) -> None:
    token = made(services, Scope.MATCH)
    tokens_of(services).revoke(token.token.id, actor="a tester", reason="it leaked")

    with services.unit_of_work.read() as tx:
        entries = [one.entry for one in tx.audit.entries()]
    assert [one.action for one in entries] == ["token.made", "token.revoked"]
    assert token.secret not in repr(entries)
    assert token.token.digest not in repr(entries)
    assert token.secret not in repr(token)


@pytest.mark.parametrize(
    ("name", "scopes", "per_second"),
    [
        ("", ["match"], 1),
        ("x\n", ["match"], 1),
        ("x", [], 1),
        ("x", ["all"], 1),
        ("x", ["match"], -1),
    ],
)
def test_what_is_no_token_is_refused(
    services: Services, name: str, scopes: list[str], per_second: float
) -> None:
    with pytest.raises(InvalidInput):
        tokens_of(services).make(
            name, scopes=scopes, per_second=per_second, actor="a tester", reason="to see"
        )


def test_a_token_is_revoked_once(services: Services) -> None:
    token = made(services, Scope.MATCH)
    tokens_of(services).revoke(token.token.id, actor="a tester", reason="to see")
    with pytest.raises(NotFound):
        tokens_of(services).revoke(token.token.id, actor="a tester", reason="to see")
