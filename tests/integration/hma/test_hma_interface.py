"""HMA's interface as its own tests and clients use it: paths, shapes, status codes, messages."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import ImageOps
from tests.fakes.in_process import BEARER, TOKEN, client_of, fresh_services
from tests.fakes.pictures import drawn, flat, png

from nightlight.exchange.sample import _MD5, _PDQ
from nightlight.services import Services

BANK = "TEST_BANK"
PDQ = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
FAR = "5" * 64


@pytest.fixture
def services(tmp_path: Path) -> Services:
    (tmp_path / "known.png").write_bytes(png(drawn()))
    return fresh_services(tmp_path, hma_api="true", hma_test_hooks="true", media_root=str(tmp_path))


@pytest.fixture
def client(services: Services) -> Iterator[httpx.Client]:
    with client_of(services) as connected:
        connected.headers.update(BEARER)
        yield connected


@pytest.fixture
def bank(client: httpx.Client) -> str:
    assert client.post("/c/banks", json={"name": BANK}).status_code == 201
    return BANK


def add(client: httpx.Client, value: str = PDQ, *, bank: str = BANK, kind: str = "pdq") -> int:
    answer = client.post(f"/c/bank/{bank}/signal", json={kind: value})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    assert told["signals"] == {kind: value.lower()}
    number = told["id"]
    assert isinstance(number, int)
    return number


def lookup(client: httpx.Client, signal: str = PDQ, kind: str = "pdq", **more: str) -> Any:
    answer = client.get("/m/lookup", params={"signal": signal, "signal_type": kind, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def raw(client: httpx.Client, signal: str = PDQ, kind: str = "pdq", **more: str) -> Any:
    answer = client.get("/m/raw_lookup", params={"signal": signal, "signal_type": kind, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["matches"]


def photo(body: bytes) -> dict[str, Any]:
    return {"files": {"photo": ("x.png", body, "image/png")}}


def test_it_is_not_there_unless_it_is_switched_on(tmp_path: Path) -> None:
    with client_of(fresh_services(tmp_path)) as client:
        for path in ("/status", "/c/banks", "/m/lookup", "/h/hash", "/dev/factory_reset"):
            assert client.get(path, headers=BEARER).status_code in (404, 405)


def test_the_hooks_are_not_there_unless_they_are_switched_on(tmp_path: Path) -> None:
    with client_of(fresh_services(tmp_path, hma_api="true")) as client:
        assert client.get("/status").text == "I-AM-ALIVE"
        assert client.post("/dev/factory_reset", headers=BEARER).status_code == 404
        assert client.get("/c/exchanges/apis", headers=BEARER).json() == [
            "ncmec",
            "stop_ncii",
            "fb_threatexchange",
        ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/status", "I-AM-ALIVE"),
        ("/status/live", "I-AM-ALIVE"),
        ("/livez", "OK"),
        ("/readyz", "READY"),
    ],
)
def test_a_probe_is_answered(client: httpx.Client, path: str, text: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.text) == (200, text)


def test_the_site_map_lists_the_paths(client: httpx.Client) -> None:
    paths = client.get("/site-map").json()

    assert {"/m/lookup", "/h/hash", "/c/banks", "/status"} <= set(paths)


def test_there_are_no_banks_at_first(client: httpx.Client) -> None:
    assert client.get("/c/banks").json() == []


@pytest.mark.parametrize("name", ["01_TEST_BANK", "my_test_bank", "A B", "", 5])
def test_a_bank_of_another_name_is_refused(client: httpx.Client, name: object) -> None:
    answer = client.post("/c/banks", json={"name": name})

    assert answer.status_code == 400
    assert answer.json() == {"message": "Bank names must be UPPER_WITH_UNDERSCORE"}


@pytest.mark.parametrize(
    ("asked", "ratio"),
    [
        ({}, 1.0),
        ({"enabled_ratio": 0.5}, 0.5),
        ({"enabled_ratio": "0.25"}, 0.25),
        ({"enabled": False}, 0.0),
        ({"enabled": "true", "matching_enabled_ratio": 1.0}, 1.0),
    ],
)
def test_a_bank_is_made(client: httpx.Client, asked: dict[str, object], ratio: float) -> None:
    answer = client.post("/c/banks", json={"name": "MY_TEST_BANK_01", **asked})

    expected = {"name": "MY_TEST_BANK_01", "matching_enabled_ratio": ratio}
    assert (answer.status_code, answer.json()) == (201, expected)
    assert client.get("/c/banks").json() == [expected]
    assert client.get("/c/bank/MY_TEST_BANK_01").json() == expected


def test_a_bank_is_made_once(client: httpx.Client, bank: str) -> None:
    answer = client.post("/c/banks", json={"name": bank})

    assert (answer.status_code, answer.json()) == (403, {"message": "Bank already exists"})


def test_a_bank_is_changed(client: httpx.Client, bank: str) -> None:
    assert client.put(f"/c/bank/{bank}", json={"name": "1_invalid"}).status_code == 400
    renamed = client.put(f"/c/bank/{bank}", json={"name": "RENAMED"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "RENAMED")
    disabled = client.put("/c/bank/RENAMED", json={"enabled": False}).json()
    assert disabled["matching_enabled_ratio"] == 0

    half = client.put("/c/bank/RENAMED", json={"enabled_ratio": 0.5}).json()

    assert half == {"name": "RENAMED", "matching_enabled_ratio": 0.5}
    assert client.get("/c/banks").json() == [half]


def test_a_bank_takes_a_name_that_was_used_before(client: httpx.Client, bank: str) -> None:
    client.put(f"/c/bank/{bank}", json={"name": "RENAMED"})
    assert client.put("/c/bank/RENAMED", json={"name": bank}).status_code == 200
    # As Coop renames: one is made, the other deleted; and then the name is wanted back.
    add(client)
    assert client.post("/c/banks", json={"name": "LATER", "enabled_ratio": "1"}).status_code == 201
    assert client.delete(f"/c/bank/{bank}").status_code == 200
    assert client.put("/c/bank/LATER", json={"name": bank}).status_code == 200
    assert lookup(client) == {}

    number = add(client)

    assert lookup(client) == {bank: [{"bank_content_id": number, "distance": "0"}]}


def test_a_bank_keeps_its_contents_under_another_name(client: httpx.Client, bank: str) -> None:
    number = add(client)

    client.put(f"/c/bank/{bank}", json={"name": "RENAMED"})

    assert lookup(client) == {"RENAMED": [{"bank_content_id": number, "distance": "0"}]}


def test_a_bank_that_is_not_there_is_not_found(client: httpx.Client) -> None:
    answer = client.get("/c/bank/NOT_HERE")

    assert (answer.status_code, answer.json()) == (404, {"message": "bank 'NOT_HERE' not found"})
    assert client.put("/c/bank/NOT_HERE", json={"enabled": True}).status_code == 404
    assert client.post("/c/bank/NOT_HERE/signal", json={"pdq": PDQ}).status_code == 404


def test_a_bank_is_deleted_however_often(client: httpx.Client, bank: str) -> None:
    add(client)
    for _ in range(2):
        answer = client.delete(f"/c/bank/{bank}")
        assert (answer.status_code, answer.json()) == (200, {"message": "Done"})

    assert client.get("/c/banks").json() == []
    assert raw(client) == []


def test_a_picture_is_added_by_its_address(client: httpx.Client, bank: str) -> None:
    answer = client.post(f"/c/bank/{bank}/content", params={"url": "known.png"})

    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["id"] == 1
    assert list(told["signals"]) == ["pdq"]
    assert raw(client, told["signals"]["pdq"]) == [1]


def test_a_picture_is_added_as_a_file(client: httpx.Client, bank: str) -> None:
    told = client.post(f"/c/bank/{bank}/content", **photo(png(drawn()))).json()

    assert client.post("/m/lookup", **photo(png(drawn()))).json() == {
        "pdq": {bank: [{"bank_content_id": told["id"], "distance": "0"}]}
    }


def test_contents_are_numbered_from_one(client: httpx.Client, bank: str) -> None:
    numbers = [
        client.post(f"/c/bank/{bank}/content", **photo(png(drawn(shift)))).json()["id"]
        for shift in (1, 2)
    ]

    assert numbers == [1, 2]


def test_metadata_is_checked(client: httpx.Client, bank: str) -> None:
    def put(metadata: object) -> httpx.Response:
        params = {"url": "known.png", "content_type": "photo"}
        return client.post(f"/c/bank/{bank}/content", params=params, json={"metadata": metadata})

    assert put({"invalid_metadata": 5}).status_code == 400
    assert put("x").json() == {"message": "metadata should be a json object"}
    assert put({"content_id": "1197", "json": {"asdf": {}}}).status_code == 200


@pytest.mark.parametrize("note", ["x" * 256, 5])
def test_a_note_is_short(client: httpx.Client, bank: str, note: object) -> None:
    answer = client.post(f"/c/bank/{bank}/signal", json={"pdq": PDQ, "note": note})

    assert answer.status_code == 400


def test_a_video_is_known_by_its_bytes(client: httpx.Client, bank: str) -> None:
    body = b"a video, for all that its hash knows"
    digest = hashlib.md5(body, usedforsecurity=False).hexdigest()

    told = client.post(
        f"/c/bank/{bank}/content", files={"video": ("x.mp4", body, "video/mp4")}
    ).json()

    assert told["signals"] == {"video_md5": digest}
    found = client.post("/m/lookup", files={"video": ("x.mp4", body, "video/mp4")}).json()
    assert [list(banks) for banks in found.values()] == [[bank]]
    assert raw(client, digest, "video_md5") == [told["id"]]


def test_signals_of_one_thing_are_one_content(client: httpx.Client, bank: str) -> None:
    answer = client.post(f"/c/bank/{bank}/signal", json={"pdq": PDQ, "video_md5": "0" * 32})
    number = answer.json()["id"]

    assert raw(client) == [number]
    assert raw(client, "0" * 32, "video_md5") == [number]
    assert client.delete(f"/c/bank/{bank}/content/{number}").json() == {"deleted": 1}
    assert raw(client, "0" * 32, "video_md5") == []


@pytest.mark.parametrize(
    ("signals", "message"),
    [
        ({}, "No signals given"),
        ({"zorble": PDQ}, "No such signal type zorble"),
        ({"pdq": "zz"}, "Invalid pdq signal: pdq is 64 hex digits"),
        ({"pdq": 5}, "Invalid pdq signal: pdq is 64 hex digits"),
        ({"video_md5": PDQ}, "Invalid video_md5 signal: md5 is 32 hex digits"),
    ],
)
def test_a_signal_that_is_none_is_refused(
    client: httpx.Client, bank: str, signals: dict[str, object], message: str
) -> None:
    answer = client.post(f"/c/bank/{bank}/signal", json=signals)

    assert (answer.status_code, answer.json()) == (400, {"message": message})


def test_a_content_is_shown_without_its_hash_unless_asked(client: httpx.Client, bank: str) -> None:
    number = add(client)
    path = f"/c/bank/{bank}/content/{number}"

    told = client.get(path).json()

    assert told == {
        "id": number,
        "disable_until_ts": 0,
        "collab_metadata": {},
        "original_media_uri": None,
        "bank": {"name": bank, "matching_enabled_ratio": 1.0},
    }
    asked = client.get(path, params={"include_signals": "true"}).json()
    assert asked["signals"] == {"pdq": PDQ}
    assert client.get(path, params={"signal_type": "pdq"}).json()["signals"] == {"pdq": PDQ}
    assert client.get(path, params={"signal_type": "video_md5"}).json()["signals"] == {}
    refused = client.get(path, params={"signal_type": "invalid"})
    assert refused.status_code == 400
    assert "No such signal type" in refused.json()["message"]


def test_a_content_that_is_not_there_is_not_found(client: httpx.Client, bank: str) -> None:
    for path in (f"/c/bank/{bank}/content/1", "/c/bank/NOT_HERE/content/1"):
        assert client.get(path).status_code == 404
    assert client.delete(f"/c/bank/{bank}/content/1").json() == {"deleted": 0}
    assert client.get(f"/c/bank/{bank}/content/x").status_code == 404


def test_a_content_is_disabled_until_a_time(
    client: httpx.Client, services: Services, bank: str
) -> None:
    path = f"/c/bank/{bank}/content/{add(client)}"
    later = int(services.clock.now().timestamp()) + 1000

    told = client.put(path, json={"disable_until_ts": later})

    assert (told.status_code, told.json()["disable_until_ts"]) == (200, later)
    assert client.get(path).json()["disable_until_ts"] == later
    assert lookup(client) == {}
    client.put(path, json={"disable_until_ts": 0})
    assert lookup(client) != {}


@pytest.mark.parametrize("value", [9_999_999_999, -1, "x", None])
def test_a_time_that_is_none_is_refused(client: httpx.Client, bank: str, value: object) -> None:
    path = f"/c/bank/{bank}/content/{add(client)}"

    assert client.put(path, json={"disable_until_ts": value}).status_code == 400


def test_a_deleted_content_matches_no_more(client: httpx.Client, bank: str) -> None:
    number = add(client)

    assert client.delete(f"/c/bank/{bank}/content/{number}").json() == {"deleted": 1}

    assert raw(client) == []
    assert client.get(f"/c/bank/{bank}/content/{number}").status_code == 404


def test_every_example_is_found_by_itself(client: httpx.Client, bank: str) -> None:
    for value in _PDQ:
        add(client, value)
    status = client.get("/m/index/status", params={"signal_type": "pdq"}).json()
    assert status["pdq"]["present"] is True
    assert status["pdq"]["size"] == len(_PDQ)
    assert status["pdq"]["built_to"] > 0

    assert raw(client, _PDQ[-1]) == [16]
    assert lookup(client, _PDQ[-1]) == {bank: [{"bank_content_id": 16, "distance": "0"}]}
    assert raw(client, _PDQ[-1], include_distance="true") == [
        {"bank_content_id": 16, "distance": "0"}
    ]
    assert lookup(client, FAR) == {}


def test_an_index_of_nothing_says_so(client: httpx.Client) -> None:
    nothing = {"present": False, "built_to": -1, "size": 0}
    assert client.get("/m/index/status").json() == {"pdq": nothing, "video_md5": nothing}
    refused = client.get("/m/index/status", params={"signal_type": "zorble"})
    assert (refused.status_code, refused.json()) == (
        400,
        {"message": "No such signal type 'zorble'"},
    )


@pytest.mark.parametrize("path", ["/m/lookup", "/m/raw_lookup"])
def test_a_lookup_can_be_restricted_to_banks(client: httpx.Client, path: str) -> None:
    for name in ("BANK_A", "BANK_B", "BANK_C"):
        client.post("/c/banks", json={"name": name})
        add(client, bank=name)
    sizes = {}
    for banks in ("", "BANK_A", "BANK_A,BANK_C", "NOT_HERE"):
        told = client.get(path, params={"signal": PDQ, "signal_type": "pdq", "banks": banks}).json()
        sizes[banks] = len(told.get("matches", told))

    assert sizes == {"": 3, "BANK_A": 1, "BANK_A,BANK_C": 2, "NOT_HERE": 0}


def test_a_bank_that_is_not_enabled_does_not_match_unless_asked_raw(
    client: httpx.Client, bank: str
) -> None:
    number = add(client)
    client.put(f"/c/bank/{bank}", json={"enabled_ratio": 0})

    assert lookup(client) == {}
    assert raw(client) == [number]
    assert list(lookup(client, bypass_coinflip="true")) == [bank]


def test_pictures_and_exact_hashes_too_are_asked_for_whatever_the_ratio(
    client: httpx.Client, bank: str
) -> None:
    picture = client.post(f"/c/bank/{bank}/content", **photo(png(drawn()))).json()["id"]
    video = client.post(f"/c/bank/{bank}/signal", json={"video_md5": "0a" * 16}).json()["id"]
    client.put(f"/c/bank/{bank}", json={"enabled_ratio": 0})
    asked = {"signal": "0a" * 16, "signal_type": "video_md5"}

    assert client.post("/m/lookup", **photo(png(drawn()))).json() == {"pdq": {}}
    found = client.post("/m/lookup", params={"bypass_coinflip": "true"}, **photo(png(drawn())))
    assert [one["bank_content_id"] for one in found.json()["pdq"][bank]] == [picture]
    assert client.get("/m/raw_lookup", params=asked).json() == {"matches": [video]}


def test_a_lookup_by_address_gives_signal_types_unless_one_is_named(
    client: httpx.Client, bank: str
) -> None:
    number = client.post(f"/c/bank/{bank}/content", **photo(png(drawn()))).json()["id"]
    match = {bank: [{"bank_content_id": number, "distance": "0"}]}

    assert client.get("/m/lookup", params={"url": "known.png"}).json() == {"pdq": match}
    named = {"url": "known.png", "signal_type": "pdq", "content_type": "photo"}
    assert client.get("/m/lookup", params=named).json() == match


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        ("/m/raw_lookup", {"signal_type": "pdq"}, "signal is required"),
        ("/m/raw_lookup", {"signal": PDQ}, "signal_type is required"),
        ("/m/raw_lookup", {"signal": PDQ, "signal_type": "x"}, "No such SignalType 'x'"),
        ("/m/lookup", {"signal": PDQ, "signal_type": "x"}, "No such SignalType 'x'"),
        ("/m/lookup", {}, "Either url or both signal and signal_type are required"),
        (
            "/m/lookup",
            {"signal": "0", "signal_type": "pdq"},
            "invalid signal: pdq is 64 hex digits",
        ),
        ("/h/hash", {}, "url is required"),
        ("/h/hash", {"url": "known.png", "content_type": "x"}, "no such content_type: 'x'"),
        (
            "/h/hash",
            {"url": "known.png", "types": "video_md5"},
            "signal type 'video_md5' doesn't exist or is disabled",
        ),
        ("/h/hash", {"url": "known.png", "types": ","}, "empty signal type selection"),
    ],
)
def test_a_question_that_is_none_is_refused_in_words(
    client: httpx.Client, path: str, params: dict[str, str], message: str
) -> None:
    answer = client.get(path, params=params)

    assert (answer.status_code, answer.json()) == (400, {"message": message})


def test_a_file_is_hashed(client: httpx.Client) -> None:
    told = client.get("/h/hash", params={"url": "known.png"}).json()

    assert list(told) == ["pdq"]
    assert client.post("/h/hash", **photo(png(drawn()))).json() == told
    video = {"video": ("x", b"bytes", "video/mp4")}
    digest = hashlib.md5(b"bytes", usedforsecurity=False).hexdigest()
    assert client.post("/h/hash", files=video).json() == {"video_md5": digest}


def test_further_hashes_are_given_where_they_are_named(client: httpx.Client) -> None:
    body = png(drawn())
    params = {"types": "pdq,sha256", "include_quality": "true"}

    told = client.post("/h/hash", params=params, **photo(body)).json()

    assert told["sha256"] == hashlib.sha256(body).hexdigest()
    assert told["quality"] > 50


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (None, "Missing multipart/form-data file upload"),
        ([("photo", b"x"), ("video", b"x")], "Only one file allowed per request"),
        ([("photo", b"x"), ("photo", b"x")], "Only one file allowed per request"),
        ([("zorble", b"x")], "no such content_type: 'zorble'"),
    ],
)
@pytest.mark.parametrize("path", ["/h/hash", "/m/lookup"])
def test_a_form_that_is_none_is_refused(
    client: httpx.Client, path: str, files: list[tuple[str, bytes]] | None, message: str
) -> None:
    sent = [(name, ("x", body)) for name, body in files] if files else None

    answer = client.post(path, files=sent)

    assert (answer.status_code, answer.json()) == (400, {"message": message})


def test_hashes_are_compared(client: httpx.Client) -> None:
    other = f"{int(PDQ, 16) ^ 0b111:064x}"

    told = client.post("/m/compare", json={"pdq": [PDQ, other], "video_md5": ["0" * 32, "1" * 32]})

    assert told.json() == {"pdq": [True, {"distance": 3}], "video_md5": [False, {}]}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"pdq": "x"}, "Comparison hashes for pdq was not a list"),
        ({"pdq": [PDQ]}, "Comparison hash list length must be exactly 2"),
        ({"pdq": [PDQ, "x"]}, "Invalid pdq hash: pdq is 64 hex digits"),
        ({"x": [PDQ, PDQ]}, "No such SignalType 'x'"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    client: httpx.Client, asked: dict[str, object], message: str
) -> None:
    answer = client.post("/m/compare", json=asked)

    assert (answer.status_code, answer.json()) == (400, {"message": message})


def test_signal_and_content_types_are_listed(client: httpx.Client) -> None:
    assert client.get("/c/signal_type").json() == [
        {"name": "pdq", "enabled_ratio": 1.0},
        {"name": "video_md5", "enabled_ratio": 1.0},
    ]
    assert client.get("/c/content_type").json() == [
        {"name": "photo", "enabled": True},
        {"name": "video", "enabled": True},
    ]
    assert client.put("/c/signal_type/pdq", json={"enabled_ratio": 1.0}).status_code == 204
    assert client.put("/c/signal_type/pdq", json={"enabled_ratio": 5}).status_code == 400
    assert client.put("/c/signal_type/pdq", json={"enabled_ratio": 0.5}).status_code == 501
    index = client.get("/c/signal_type/index").json()
    assert index["pdq"] == {
        "db_size": 0,
        "index_size": 0,
        "index_out_of_date": False,
        "newest_db_item": -1,
        "index_built_to": -1,
    }


def sample(client: httpx.Client, name: str = "SAMPLE") -> None:
    answer = client.post("/c/exchanges", json={"bank": name, "api": "sample", "api_json": {}})
    assert (answer.status_code, answer.json()) == (201, {"message": "Created successfully"})


def test_the_sample_exchange_brings_the_published_examples(client: httpx.Client) -> None:
    sample(client)
    before = client.get("/c/exchange/SAMPLE/status").json()
    assert before == {
        "checkpoint_ts": None,
        "running_fetch_start_ts": None,
        "last_fetch_complete_ts": None,
        "last_fetch_succeeded": None,
        "up_to_date": False,
        "fetched_items": 0,
    }

    assert client.post("/dev/run_fetch").status_code == 200

    after = client.get("/c/exchange/SAMPLE/status").json()
    assert (after["last_fetch_succeeded"], after["up_to_date"]) == (True, True)
    assert after["fetched_items"] == len(_PDQ) + len(_MD5)
    for signal, kind in ((_PDQ[0], "pdq"), (_MD5[0], "video_md5")):
        found = lookup(client, signal, kind)
        assert list(found) == ["SAMPLE"]
        assert {"bank_content_id", "distance"} == set(found["SAMPLE"][0])
        assert len(raw(client, signal, kind)) == len(
            raw(client, signal, kind, include_distance="True")
        )


def test_an_exchange_is_shown_switched_and_deleted(client: httpx.Client) -> None:
    sample(client)
    assert client.get("/c/exchanges").json() == ["SAMPLE"]
    shown = client.get("/c/exchange/SAMPLE").json()
    assert shown == {
        "name": "SAMPLE",
        "api": "sample",
        "enabled": True,
        "credential_status": {
            "supports_auth": False,
            "has_credentials": False,
            "source": None,
        },
    }
    assert client.put("/c/exchange/SAMPLE", json={"enabled": False}).json()["enabled"] is False

    assert client.delete("/c/exchange/SAMPLE").json() == {"message": "Exchange deleted"}

    gone = client.get("/c/exchange/SAMPLE")
    assert (gone.status_code, gone.json()) == (404, {"message": "Exchange 'SAMPLE' not found"})
    assert client.get("/c/banks").json() == []
    assert client.delete("/c/exchange/SAMPLE").status_code == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"api": "sample"}, "bank is required"),
        ({"bank": "my bank", "api": "sample"}, "Field `bank` must match /^[A-Z0-9_]+$/"),
        ({"bank": "B"}, "Field `api_type` is required"),
        ({"bank": "B", "api": "zorble"}, "No such exchange type 'zorble'"),
        ({"bank": "B", "api": "sample", "api_json": 5}, "Field `api_json` must be object"),
        (
            {"bank": "B", "api": "fb_threatexchange", "api_json": {}},
            "Failed to parse `api_json` - verify all fields are supplied.",
        ),
    ],
)
def test_an_exchange_that_is_none_is_refused(
    client: httpx.Client, body: dict[str, object], message: str
) -> None:
    answer = client.post("/c/exchanges", json=body)

    assert (answer.status_code, answer.json()) == (400, {"message": message})
    assert client.get("/c/exchanges").json() == []


def stop_ncii(**fields: Any) -> dict[str, Any]:
    keys = {"subscription_key": "x", "fetch_function_key": "y"}
    return {"bank": "EX", "api": "stop_ncii", "credential_json": keys, **fields}


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8420/v1",
        "https://localhost/v1",
        "https://10.1.2.3/v1",
        "https://169.254.169.254/v1",
        "https://[::1]/v1",
        "https://2130706433/v1",
    ],
)
def test_a_token_cannot_send_an_exchange_to_an_address_inside(tmp_path: Path, url: str) -> None:
    with client_of(fresh_services(tmp_path, hma_api="true")) as client:
        client.headers.update(BEARER)
        as_option = stop_ncii(api_json={"environment": url})
        as_secret = stop_ncii(api_json={})
        as_secret["credential_json"]["base_url_override"] = url
        for body in (as_option, as_secret):
            assert client.post("/c/exchanges", json=body).status_code == 400
        assert client.get("/c/exchanges").json() == []


def test_an_address_that_a_token_set_stays_a_public_one(tmp_path: Path) -> None:
    services = fresh_services(tmp_path, hma_api="true")
    with client_of(services) as client:
        client.headers.update(BEARER)
        body = stop_ncii(api_json={"url": "https://8.8.8.8/v1"})
        assert client.post("/c/exchanges", json=body).status_code == 201
    with services.unit_of_work.read() as tx:
        assert tx.exchanges.get("EX")[0].public_only
    # An address on the command line is the operator's own act.
    own = {"url": "http://127.0.0.1:9/v1"}
    services.exchanges.change("EX", options=own, actor="ana", reason="to see")
    with services.unit_of_work.read() as tx:
        assert not tx.exchanges.get("EX")[0].public_only


def test_what_opens_a_whole_api_does_not_go_where_a_token_says(tmp_path: Path) -> None:
    with client_of(fresh_services(tmp_path, hma_api="true")) as client:
        client.headers.update(BEARER)
        keys = {"credential_json": {"subscription_key": "x", "fetch_function_key": "y"}}
        assert client.post("/c/exchanges/api/stop_ncii", json=keys).status_code == 200
        body = {"bank": "EX", "api": "stop_ncii", "api_json": {"url": "https://8.8.8.8/v1"}}
        assert client.post("/c/exchanges", json=body).status_code == 400
        assert client.post("/c/exchanges", json={**body, "api_json": {}}).status_code == 201


def test_credentials_of_an_api_are_set_and_taken_away(client: httpx.Client) -> None:
    path = "/c/exchanges/api/fb_threatexchange"
    assert client.get("/c/exchanges/api/sample").json() == {
        "supports_authentification": False,
        "has_set_authentification": False,
    }
    assert client.get(path).json()["has_set_authentification"] is False
    secret = "12345789|000000000000"

    told = client.post(path, json={"credential_json": {"api_token": secret}})

    assert told.json() == {"supports_authentification": True, "has_set_authentification": True}
    assert client.get(path).json()["has_set_authentification"] is True
    unset = client.post(path, json={"credential_json": {}}).json()
    assert unset["has_set_authentification"] is False
    assert client.get("/c/exchanges/api/zorble").json() == {
        "message": "no such Exchange API 'zorble'"
    }


def test_credentials_of_an_exchange_are_its_own_and_never_told(client: httpx.Client) -> None:
    secret = "a-secret-of-a-test"
    body = {
        "bank": "EX_A",
        "api": "ncmec",
        "api_json": {
            "environment": "https://exttest.cybertip.org/hashsharing",
            "only_esp_ids": [1],
        },
        "credential_json": {"user": "x", "password": secret},
    }
    assert client.post("/c/exchanges", json=body).status_code == 201

    shown = client.get("/c/exchange/EX_A")

    assert shown.json()["credential_status"]["source"] == "exchange"
    assert secret not in shown.text
    refused = client.post(
        "/c/exchange/EX_A/credentials", json={"credential_json": {secret: secret}}
    )
    assert refused.status_code == 400
    assert secret not in refused.text
    assert client.post("/c/exchange/EX_A/credentials", json={}).status_code == 400
    assert client.get("/c/exchange/NONE/credentials").status_code == 404


def test_what_an_api_needs_is_told(client: httpx.Client) -> None:
    schema = client.get("/c/exchanges/api/ncmec/schema").json()

    names = [field["name"] for field in schema["credentials_schema"]["fields"]]
    assert names == ["user", "password"]
    assert all(
        set(field) == {"name", "type", "required", "default", "help", "choices"}
        for field in schema["config_schema"]["fields"]
    )
    assert client.get("/c/exchanges/api/sample/schema").json() == {
        "config_schema": {"fields": []},
        "credentials_schema": None,
    }


def test_a_factory_reset_leaves_nothing_and_numbers_begin_again(
    client: httpx.Client, bank: str
) -> None:
    sample(client)
    client.post("/dev/run_fetch")
    add(client)

    assert client.post("/dev/factory_reset").status_code == 200

    assert client.get("/c/banks").json() == []
    assert client.get("/c/exchanges").json() == []
    assert raw(client) == []
    client.post("/c/banks", json={"name": bank})
    assert add(client, FAR) == 1
    assert raw(client, FAR) == [1]
    assert raw(client) == []


Ask = Callable[[httpx.Client], httpx.Response]
EVERY_ROUTE: list[Ask] = [
    lambda client: client.get("/m/lookup", params={"signal": PDQ, "signal_type": "pdq"}),
    lambda client: client.get("/m/raw_lookup", params={"signal": PDQ, "signal_type": "pdq"}),
    lambda client: client.get("/m/lookup", params={"url": "known.png"}),
    lambda client: client.post("/m/lookup", **photo(png(drawn()))),
    lambda client: client.post("/m/compare", json={}),
    lambda client: client.get("/m/index/status"),
    lambda client: client.get("/h/hash", params={"url": "known.png"}),
    lambda client: client.post("/h/hash", **photo(png(drawn()))),
    lambda client: client.get("/c/banks"),
    lambda client: client.post("/c/banks", json={"name": "X"}),
    lambda client: client.get(f"/c/bank/{BANK}"),
    lambda client: client.put(f"/c/bank/{BANK}", json={}),
    lambda client: client.delete(f"/c/bank/{BANK}"),
    lambda client: client.post(f"/c/bank/{BANK}/content", params={"url": "known.png"}),
    lambda client: client.post(f"/c/bank/{BANK}/signal", json={"pdq": PDQ}),
    lambda client: client.get(f"/c/bank/{BANK}/content/1"),
    lambda client: client.put(f"/c/bank/{BANK}/content/1", json={}),
    lambda client: client.delete(f"/c/bank/{BANK}/content/1"),
    lambda client: client.get("/c/exchanges/apis"),
    lambda client: client.get("/c/exchanges/api/sample"),
    lambda client: client.post("/c/exchanges/api/sample", json={}),
    lambda client: client.get("/c/exchanges/api/sample/schema"),
    lambda client: client.get("/c/exchanges"),
    lambda client: client.post("/c/exchanges", json={"bank": "B", "api": "sample"}),
    lambda client: client.get("/c/exchange/X"),
    lambda client: client.put("/c/exchange/X", json={}),
    lambda client: client.delete("/c/exchange/X"),
    lambda client: client.get("/c/exchange/X/status"),
    lambda client: client.get("/c/exchange/X/credentials"),
    lambda client: client.post("/c/exchange/X/credentials", json={}),
    lambda client: client.get("/c/signal_type"),
    lambda client: client.get("/c/signal_type/index"),
    lambda client: client.put("/c/signal_type/pdq", json={}),
    lambda client: client.get("/c/content_type"),
    lambda client: client.get("/site-map"),
    lambda client: client.post("/dev/factory_reset"),
    lambda client: client.post("/dev/run_fetch"),
]


def test_every_route_needs_a_token(services: Services) -> None:
    with client_of(services) as client:
        # Not the address that a program on this machine would have.
        client.headers["Origin"] = "http://evil.example.test"
        told = [ask(client) for ask in EVERY_ROUTE[:15]]
        assert {answer.status_code for answer in told} == {401}
        assert all("token" in answer.json()["message"] for answer in told)
    for start in (15, 30):
        with client_of(services) as client:
            client.headers["Origin"] = "http://evil.example.test"
            answers = {ask(client).status_code for ask in EVERY_ROUTE[start : start + 15]}
            assert answers == {401}


def test_a_client_whose_address_ends_in_a_slash_is_answered(
    client: httpx.Client, bank: str
) -> None:
    base = "http://127.0.0.1:8420//"
    number = add(client)

    assert client.get(f"{base}c/bank/{bank}").json()["name"] == bank
    assert client.post(f"{base}c/banks", json={"name": "ANOTHER"}).status_code == 201
    found = client.get(f"{base}m/lookup", params={"signal": PDQ, "signal_type": "pdq"}).json()
    assert found == {bank: [{"bank_content_id": number, "distance": "0"}]}
    refused = client.get(f"{base}c/banks", headers={"Authorization": "Bearer wrong"})
    assert refused.status_code == 401


def test_a_password_is_taken_for_a_token(services: Services) -> None:
    told = base64.b64encode(f"x:{TOKEN}".encode()).decode()
    with client_of(services) as client:
        answer = client.get("/c/banks", headers={"Authorization": f"Basic {told}"})

    assert answer.status_code == 200


def test_tests_on_this_machine_need_no_token(services: Services) -> None:
    with client_of(services) as client:
        assert client.get("/c/banks").status_code == 200
        assert client.get("/c/banks", headers={"Host": "evil.example.test"}).status_code == 401
        assert client.get("/c/banks", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 401


def test_without_hooks_this_machine_needs_a_token_too(tmp_path: Path) -> None:
    with client_of(fresh_services(tmp_path, hma_api="true")) as client:
        assert client.get("/c/banks").status_code == 401


def test_a_turned_picture_is_found(client: httpx.Client, bank: str) -> None:
    client.post(f"/c/bank/{bank}/content", **photo(png(drawn())))

    found = client.post("/m/lookup", **photo(png(ImageOps.mirror(drawn())))).json()

    assert list(found["pdq"]) == [bank]


def test_a_flat_picture_is_found_by_its_bytes_alone(client: httpx.Client, bank: str) -> None:
    told = client.post("/h/hash", params={"include_quality": "true"}, **photo(flat()))
    assert (told.status_code, told.json()["quality"]) == (200, 0)
    assert client.post("/m/lookup", **photo(flat())).json() == {"pdq": {}}
    number = client.post(f"/c/bank/{bank}/content", **photo(flat())).json()["id"]

    found = client.post("/m/lookup", **photo(flat()))

    assert found.json() == {"pdq": {bank: [{"bank_content_id": number, "distance": "0"}]}}
