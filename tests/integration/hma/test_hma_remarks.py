"""What HMA's clients say of what they add stays with it: notes and metadata."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.in_process import BEARER, client_of, fresh_services
from tests.fakes.pictures import drawn, png

from nightlight.services import Services

CONTENTS = "/c/bank/QUIBBLES/content"
PDQ = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
SAID: dict[str, Any] = {
    "content_id": "upload-7",
    "content_uri": "https://media.example.test/upload-7",
    "json": {"queue": "zorbleflux", "nested": {"deep": [1, None]}},
}


@pytest.fixture
def services(tmp_path: Path) -> Services:
    (tmp_path / "known.png").write_bytes(png(drawn()))
    return fresh_services(tmp_path, hma_api="true", media_root=str(tmp_path))


@pytest.fixture
def client(services: Services) -> Iterator[httpx.Client]:
    with client_of(services) as connected:
        connected.headers.update(BEARER)
        assert connected.post("/c/banks", json={"name": "QUIBBLES"}).status_code == 201
        yield connected


def number_of(answer: httpx.Response) -> int:
    assert answer.status_code == 200, answer.text
    number = answer.json()["id"]
    assert isinstance(number, int)
    return number


def add(client: httpx.Client, **body: Any) -> int:
    return number_of(client.post("/c/bank/QUIBBLES/signal", json={"pdq": PDQ, **body}))


def shown(client: httpx.Client, number: int, **params: str) -> Any:
    answer = client.get(f"{CONTENTS}/{number}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_note_is_shown_changed_and_taken_away(client: httpx.Client) -> None:
    number = add(client, note="seen by ana")
    assert shown(client, number)["note"] == "seen by ana"

    for note, then in (("seen by ben", "seen by ben"), ("🚩" * 255, "🚩" * 255), ("", None)):
        told = client.put(f"{CONTENTS}/{number}", json={"note": note})
        assert (told.status_code, told.json().get("note")) == (200, then)
        assert shown(client, number).get("note") == then
    add(client, note="again")
    client.put(f"{CONTENTS}/{number}", json={"note": None})
    assert "note" not in shown(client, number)


def test_a_note_that_is_none_changes_nothing(client: httpx.Client) -> None:
    number = add(client, note="before")

    for note in ("x" * 256, 5, ["x"]):
        later = {"disable_until_ts": 1, "note": note}
        assert client.put(f"{CONTENTS}/{number}", json=later).status_code == 400

    after = shown(client, number)
    assert (after["note"], after["disable_until_ts"]) == ("before", 0)


def test_a_note_stays_where_only_the_time_is_changed(client: httpx.Client) -> None:
    number = add(client, note="before")

    told = client.put(f"{CONTENTS}/{number}", json={"disable_until_ts": 1}).json()

    assert (told["note"], told["disable_until_ts"]) == ("before", 1)
    client.put(f"{CONTENTS}/{number}", json={"note": "after"})
    assert shown(client, number)["disable_until_ts"] == 1


def test_a_note_is_recorded_without_its_words(client: httpx.Client, services: Services) -> None:
    number = add(client)

    client.put(f"{CONTENTS}/{number}", json={"note": "zorbleflux"})

    with services.unit_of_work.read() as tx:
        entries = [one.entry for one in tx.audit.entries()]
    [change] = [one for one in entries if one.action == "bank.entry_changed"]
    assert change.detail["noted"] is True
    assert "zorbleflux" not in json.dumps(change.detail)


def test_metadata_stays_with_what_it_says_it_of(client: httpx.Client) -> None:
    params = {"url": "known.png", "content_type": "photo"}
    number = number_of(client.post(CONTENTS, params=params, json={"metadata": SAID}))

    assert shown(client, number)["metadata"] == SAID
    assert "metadata" not in shown(client, number, include_metadata="false")
    # Added again: what is not said takes nothing away, what is said takes its place.
    assert number_of(client.post(CONTENTS, params=params)) == number
    assert shown(client, number)["metadata"] == SAID
    client.post(CONTENTS, params=params, json={"metadata": {"content_id": "upload-8"}})
    assert shown(client, number)["metadata"] == {"content_id": "upload-8"}


def test_nothing_is_shown_where_nothing_was_said(client: httpx.Client) -> None:
    for metadata in (None, {}, {"content_id": None}):
        number = add(client, metadata=metadata)
        assert not {"note", "metadata"} & set(shown(client, number))


FORMS: list[tuple[dict[str, str], dict[str, Any]]] = [
    # FetLife's client sends all of it as one field, Coop's in three.
    ({"metadata": json.dumps(SAID)}, SAID),
    (
        {
            "content_id": SAID["content_id"],
            "content_uri": SAID["content_uri"],
            "metadata": json.dumps(SAID["json"]),
        },
        SAID,
    ),
    ({"content_id": "upload-7", "note": "x"}, {"content_id": "upload-7"}),
]


def test_metadata_is_taken_from_a_form_and_an_address_too(client: httpx.Client) -> None:
    sent = {"photo": ("x.png", png(drawn()), "image/png")}
    for fields, said in FORMS:
        in_form = number_of(client.post(CONTENTS, data=fields, files=sent))
        assert shown(client, in_form)["metadata"] == said
        assert client.delete(f"{CONTENTS}/{in_form}").json() == {"deleted": 1}

        in_address = number_of(client.post(CONTENTS, params={"url": "known.png", **fields}))
        assert shown(client, in_address)["metadata"] == said
        assert shown(client, in_address).get("note") == fields.get("note")
        client.delete(f"{CONTENTS}/{in_address}")


NONE = ["x", 5, {"zorble": 1}, {"content_id": 5}, {"json": "x"}, {"json": {"x": "y" * (1 << 16)}}]


def test_metadata_that_is_none_is_refused(client: httpx.Client) -> None:
    for metadata in NONE:
        answer = client.post("/c/bank/QUIBBLES/signal", json={"pdq": PDQ, "metadata": metadata})
        assert answer.status_code == 400
    sent = {"photo": ("x.png", png(drawn()), "image/png")}
    assert client.post(CONTENTS, data={"metadata": "{"}, files=sent).status_code == 400

    assert client.get("/m/index/status").json()["pdq"]["size"] == 0


def test_what_is_said_goes_with_what_it_says_it_of(
    client: httpx.Client, services: Services
) -> None:
    one = add(client, metadata=SAID)
    other = number_of(
        client.post("/c/bank/QUIBBLES/signal", json={"pdq": "5" * 64, "metadata": SAID})
    )
    client.delete(f"{CONTENTS}/{one}")
    assert kept(services, one, other) == {other}

    again = add(client)
    assert "metadata" not in shown(client, again)
    client.delete("/c/bank/QUIBBLES")

    assert kept(services, one, other, again) == set()


def test_what_is_said_stays_until_the_last_hash_goes(
    client: httpx.Client, services: Services
) -> None:
    number = add(client, video_md5="0" * 32, metadata=SAID)
    entries = [one.id for one in services.banks.content("QUIBBLES", number).entries]

    for entry, then in zip(entries, ({number}, set()), strict=True):
        services.banks.withdraw_entry("QUIBBLES", entry, actor="ana", reason="to see")
        assert kept(services, number) == then


def kept(services: Services, *numbers: int) -> set[int]:
    with services.unit_of_work.read() as tx:
        return {number for number in numbers if tx.banks.described(number)}
