"""Exchanges as HMA's clients set them up: their names for fields, credentials that come later."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from tests.fakes.in_process import BEARER, client_of, fresh_services

from nightlight.exchange.registry import Credentials
from nightlight.services import Services

SECRET = "a-secret-of-a-test"
KEYS = {"user": "x", "password": SECRET}


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return fresh_services(tmp_path, hma_api="true", hma_test_hooks="true")


@pytest.fixture
def client(services: Services) -> Iterator[httpx.Client]:
    with client_of(services) as connected:
        connected.headers.update(BEARER)
        yield connected


def set_up(client: httpx.Client, api: str = "ncmec", **body: Any) -> httpx.Response:
    return client.post("/c/exchanges", json={"bank": "EX", "api": api, **body})


def test_a_form_is_told_which_fields_are_numbers(client: httpx.Client) -> None:
    def kinds(api: str) -> dict[str, str]:
        schema = client.get(f"/c/exchanges/api/{api}/schema").json()
        return {field["name"]: field["type"] for field in schema["config_schema"]["fields"]}

    assert kinds("fb_threatexchange")["privacy_group"] == "number"
    assert kinds("ncmec")["environment"] == "string"
    assert kinds("ncmec")["only_esp_ids"] == "set_of_number"
    assert "only_members" not in kinds("ncmec")


TOLD: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "ncmec",
        {"environment": "https://exttest.cybertip.org/hashsharing", "only_esp_ids": [3, 1]},
        {"environment": "https://exttest.cybertip.org/hashsharing", "only_esp_ids": [3, 1]},
    ),
    (
        "ncmec",
        {"only_members": "3, x"},
        {"environment": "https://report.cybertip.org/hashsharing", "only_esp_ids": [3, "x"]},
    ),
    ("fb_threatexchange", {"privacy_group": 77}, {"privacy_group": 77}),
    ("fb_threatexchange", {"privacy_group": "77", "url": ""}, {"privacy_group": 77}),
]


def test_an_exchange_is_shown_in_the_names_it_was_told(client: httpx.Client) -> None:
    its_own = {"name", "api", "enabled", "credential_status"}
    for api, told, shown in TOLD:
        assert set_up(client, api, api_json=told).status_code == 201
        answer = client.get("/c/exchange/EX").json()
        assert {name: value for name, value in answer.items() if name not in its_own} == shown
        client.delete("/c/exchange/EX")


def test_credentials_may_come_later(client: httpx.Client) -> None:
    def source() -> Any:
        return client.get("/c/exchange/EX/credentials").json()["source"]

    assert set_up(client, api_json={}).status_code == 201
    assert source() is None
    shared = "/c/exchanges/api/ncmec"
    assert client.post(shared, json={"credential_json": KEYS}).status_code == 200
    assert source() == "api"
    own = "/c/exchange/EX/credentials"
    assert client.post(own, json={"credential_json": KEYS}).json()["source"] == "exchange"
    assert client.post(own, json={"credential_json": {}}).json()["source"] == "api"
    client.post(shared, json={"credential_json": {}})

    assert source() is None
    assert client.post(own, json={"credential_json": KEYS}).json()["source"] == "exchange"
    assert client.post(own, json={"credential_json": None}).json()["source"] is None


def test_an_exchange_with_an_address_of_its_own_is_not_said_to_have_those_of_its_api(
    client: httpx.Client, services: Services
) -> None:
    assert set_up(client, api_json={}).status_code == 201
    shared = "/c/exchanges/api/ncmec"
    assert client.post(shared, json={"credential_json": KEYS}).status_code == 200
    with services.unit_of_work.begin() as tx:
        before, _ = tx.exchanges.get("EX")
        options = {**before.options, "url": "https://exchange.example.test/v2"}
        tx.exchanges.save(
            replace(before, options=options, public_only=True), Credentials(values={})
        )
        tx.commit_unrecorded()

    told = client.get("/c/exchange/EX/credentials").json()

    assert (told["has_credentials"], told["source"]) == (False, None)
    assert client.put("/c/exchange/EX", json={"enabled": False}).json()["enabled"] is False


def test_an_exchange_without_credentials_says_that_it_fails_and_keeps_none_from_fetching(
    client: httpx.Client, services: Services
) -> None:
    assert set_up(client, api_json={}).status_code == 201
    sample = {"bank": "SAMPLE", "api": "sample", "api_json": {}}
    assert client.post("/c/exchanges", json=sample).status_code == 201

    told = client.post("/dev/run_fetch")

    assert (told.status_code, told.json()["fetched"]) == (200, ["SAMPLE"])
    status = client.get("/c/exchange/EX/status").json()
    assert (status["last_fetch_succeeded"], status["up_to_date"]) == (False, False)
    assert "missing" in services.exchanges.status("EX").failure


NO_CREDENTIALS: list[object] = [
    {"user": SECRET},
    {"user": [SECRET], "password": "x"},
    {"user": {"x": SECRET}, "password": "x"},
    {"user": "", "password": ""},
    {"user": None, "password": None},
    {"user": SECRET, "password": ""},
    {"user": SECRET + "\0", "password": "x"},
    {"user": SECRET * 1000, "password": "x"},
    {**KEYS, "unexpected": SECRET},
    {SECRET: SECRET},
    [SECRET],
    SECRET,
]


def test_credentials_that_are_none_change_nothing_and_are_not_repeated(
    client: httpx.Client,
) -> None:
    for credentials in NO_CREDENTIALS:
        refused = set_up(client, api_json={}, credential_json=credentials)
        assert (refused.status_code, SECRET in refused.text) == (400, False)
    assert client.get("/c/exchange/EX").status_code == 404
    assert client.get("/c/banks").json() == []
    assert set_up(client, api_json={}, credential_json=KEYS).status_code == 201

    for credentials in NO_CREDENTIALS:
        for path in ("/c/exchange/EX/credentials", "/c/exchanges/api/ncmec"):
            refused = client.post(path, json={"credential_json": credentials})
            assert (refused.status_code, SECRET in refused.text) == (400, False)

    assert client.get("/c/exchange/EX/credentials").json()["source"] == "exchange"


def test_an_api_that_needs_no_credentials_takes_none(client: httpx.Client) -> None:
    refused = set_up(client, "sample", api_json={}, credential_json={"token": SECRET})

    assert (refused.status_code, SECRET in refused.text) == (400, False)
    assert set_up(client, "sample", api_json={}).status_code == 201
    given = {"credential_json": {"token": SECRET}}
    assert client.post("/c/exchange/EX/credentials", json=given).status_code == 400
