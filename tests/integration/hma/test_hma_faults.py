"""Faults of HMA that are not copied, each from its failing side."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.fakes.in_process import BEARER, client_of, fresh_services
from tests.fakes.patience import until
from tests.fakes.pictures import drawn, png

from nightlight.services import Services

PDQ = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
ASKED = {"signal": PDQ, "signal_type": "pdq"}


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return fresh_services(tmp_path, hma_api="true")


@pytest.fixture
def client(services: Services) -> Iterator[httpx.Client]:
    with client_of(services) as connected:
        connected.headers.update(BEARER)
        for name in ("BANK_A", "BANK_B"):
            assert connected.post("/c/banks", json={"name": name}).status_code == 201
        yield connected


def add(client: httpx.Client, value: str = PDQ, bank: str = "BANK_A") -> int:
    number = client.post(f"/c/bank/{bank}/signal", json={"pdq": value}).json()["id"]
    assert isinstance(number, int)
    return number


def test_a_change_counts_for_the_very_next_question(client: httpx.Client) -> None:
    for _ in range(20):
        number = add(client)
        assert client.get("/m/raw_lookup", params=ASKED).json() == {"matches": [number]}
        client.delete(f"/c/bank/BANK_A/content/{number}")
        assert client.get("/m/raw_lookup", params=ASKED).json() == {"matches": []}


def test_a_change_of_another_process_soon_counts(client: httpx.Client, services: Services) -> None:
    assert client.get("/m/raw_lookup", params=ASKED).json() == {"matches": []}
    line = f'{{"kind": "pdq", "value": "{PDQ}"}}'
    services.banks.import_entries("BANK_B", [line], actor="a tester", reason="to see")

    until(
        lambda: len(client.get("/m/raw_lookup", params=ASKED).json()["matches"]) == 1,
        "the change counts",
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8420/status",
        "http://localhost/x.png",
        "http://[::1]/x.png",
        "http://0.0.0.0/x.png",
        "http://169.254.169.254/latest/meta-data/",
        "http://192.168.0.1/x.png",
        "http://10.1.2.3/x.png",
        "http://[::ffff:127.0.0.1]/x.png",
        "http://2130706433/x.png",
        "http://user:password@127.0.0.1/x.png",
        "file:///etc/hostname",
        "ftp://example.test/x.png",
        "gopher://127.0.0.1/x",
        "/etc/hostname",
        "not a url",
    ],
)
@pytest.mark.parametrize("path", ["/h/hash", "/m/lookup"])
def test_addresses_of_this_machine_and_its_network_are_refused(
    client: httpx.Client, path: str, url: str
) -> None:
    answer = client.get(path, params={"url": url, "content_type": "photo"})

    assert answer.status_code == 400
    assert set(answer.json()) == {"message"}


@pytest.mark.parametrize("body", [b"no picture", png(drawn())[:300], b""])
@pytest.mark.parametrize("path", ["/h/hash", "/m/lookup", "/c/bank/BANK_A/content"])
def test_what_cannot_be_decoded_is_said_to_be_so(
    client: httpx.Client, path: str, body: bytes
) -> None:
    answer = client.post(path, files={"photo": ("x.png", body, "image/png")})

    assert answer.status_code == 400
    assert "cannot be hashed as a photo" in answer.json()["message"]


def test_a_content_is_not_reached_through_another_banks_path(client: httpx.Client) -> None:
    number = add(client, bank="BANK_A")
    path = f"/c/bank/BANK_B/content/{number}"

    told = [
        client.get(path),
        client.put(path, json={"disable_until_ts": 1}),
        client.delete(path),
    ]

    assert [answer.status_code for answer in told] == [404, 404, 404]
    assert client.get("/m/raw_lookup", params=ASKED).json() == {"matches": [number]}


@pytest.mark.parametrize("ratio", [5, -0.1, "nan", "x", True, [1]])
def test_a_ratio_that_is_none_is_refused(client: httpx.Client, ratio: object) -> None:
    made = client.post("/c/banks", json={"name": "BANK_C", "enabled_ratio": ratio})
    changed = client.put("/c/bank/BANK_A", json={"enabled_ratio": ratio})

    assert (made.status_code, changed.status_code) == (400, 400)
    assert client.get("/c/bank/BANK_A").json()["matching_enabled_ratio"] == 1.0


def test_a_hash_is_read_in_either_case(client: httpx.Client) -> None:
    number = add(client, PDQ.upper())

    for signal in (PDQ, PDQ.upper(), f" {PDQ} "):
        asked = {"signal": signal, "signal_type": "pdq"}
        assert client.get("/m/raw_lookup", params=asked).json() == {"matches": [number]}


def test_a_hash_that_is_refused_is_not_repeated(client: httpx.Client) -> None:
    asked = {"signal": "zz" + PDQ, "signal_type": "pdq"}

    assert PDQ not in client.get("/m/raw_lookup", params=asked).text


def test_changes_go_into_the_index_that_is_there_and_make_no_other(
    client: httpx.Client, services: Services
) -> None:
    index = services.matcher.refresh()
    for number in range(30):
        add(client, f"{number:064x}")

    assert services.matcher.refresh() is index
    assert len(index) == 30


def test_a_database_that_fails_is_told_and_nothing_matches_in_its_place(
    client: httpx.Client, services: Services
) -> None:
    add(client)
    with services.unit_of_work.begin() as tx:
        tx._connection.exec_driver_sql("DROP TABLE counter")  # type: ignore[attr-defined]  # ruined
        tx.commit_unrecorded()

    until(
        lambda: client.get("/m/raw_lookup", params=ASKED).status_code == 503,
        "the failure is told",
    )
    status = client.get("/status")
    assert (status.status_code, status.text) == (503, "INDEX-STALE")


def test_an_index_that_was_never_read_is_said_to_be_so(tmp_path: Path) -> None:
    services = fresh_services(tmp_path, hma_api="true")
    with services.unit_of_work.begin() as tx:
        tx._connection.exec_driver_sql("DROP TABLE counter")  # type: ignore[attr-defined]  # ruined
        tx.commit_unrecorded()
    with client_of(services) as client:
        answer = client.get("/status")
        live = client.get("/status/live")

    assert (answer.status_code, answer.text) == (503, "INDEX-NOT-LOADED")
    assert live.status_code == 200


def test_nothing_in_the_package_unpickles() -> None:
    import nightlight  # noqa: PLC0415

    sources = Path(nightlight.__file__).parent.rglob("*.py")
    assert [path for path in sources if "import pickle" in path.read_text("utf-8")] == []
