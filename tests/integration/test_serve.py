"""``nightlight serve`` and ``nightlight token`` as an operator runs them, over a real socket."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.patience import until
from tests.fakes.pictures import drawn, png

import nightlight

SOURCES = str(Path(nightlight.__file__).parent.parent)
START_LIMIT_S = 90
TOKEN = "a-token-of-the-serve-tests"


def environment(home: Path, **settings: str) -> dict[str, str]:
    own = {f"NIGHTLIGHT_{name.upper()}": value for name, value in settings.items()}
    return {
        **os.environ,
        "PYTHONPATH": SOURCES,
        "NIGHTLIGHT_HOME": str(home),
        "NIGHTLIGHT_API_TOKEN": TOKEN,
        **own,
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serve") / "home"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("said") / "stderr"


@pytest.fixture(scope="module")
def client(home: Path, said: Path) -> Iterator[httpx.Client]:
    url = f"http://127.0.0.1:{free_port()}"
    port = url.rpartition(":")[2]
    with said.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "nightlight", "serve", "--no-worker", "--port", port],
            env=environment(home, hma_api="true", hma_test_hooks="true"),
            stderr=errors,
        )
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as connected:
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and process.poll() is None:
            try:
                connected.get("/status").raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.1)
            else:
                break
        yield connected
    process.terminate()
    assert process.wait(timeout=20) == 0


def run(home: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nightlight", *arguments],
        env=environment(home, **settings),
        capture_output=True,
        text=True,
        check=False,
    )


def token(home: Path, *arguments: str) -> Any:
    done = run(home, "token", *arguments, "--by", "a tester", "--reason", "to see", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_hooks_are_warned_of(client: httpx.Client, said: Path) -> None:
    assert client.get("/livez").status_code == 200
    assert "TEST HOOKS ARE ON" in said.read_text("utf-8")


def test_a_test_on_this_machine_banks_and_finds_a_picture(client: httpx.Client) -> None:
    files = {"photo": ("x.png", png(drawn()), "image/png")}
    client.post("/dev/factory_reset").raise_for_status()
    client.post("/c/banks", json={"name": "SERVED"}).raise_for_status()
    added = client.post("/c/bank/SERVED/content", files=files).raise_for_status().json()

    found = client.post("/m/lookup", files=files).json()

    assert found == {"pdq": {"SERVED": [{"bank_content_id": added["id"], "distance": "0"}]}}


def test_a_page_of_another_origin_cannot_use_the_hooks(client: httpx.Client) -> None:
    answer = client.post("/dev/factory_reset", headers={"Origin": "http://evil.example.test"})

    assert answer.status_code == 401


def test_a_token_is_good_from_when_it_is_made_until_it_is_revoked(
    client: httpx.Client, home: Path
) -> None:
    made = token(home, "make", "--name", "a client", "--scope", "match", "--scope", "hash")
    asked = {"signal": "0" * 64, "signal_type": "pdq"}
    headers = {"Authorization": f"Bearer {made['token']}"}

    def answers(status: int) -> bool:
        told = client.get("/m/lookup", params=asked, headers=headers).status_code
        assert told in (200, 401)
        return told == status

    until(lambda: answers(200), "the new token is good")
    assert client.get("/c/banks", headers=headers).status_code == 403

    token(home, "revoke", made["id"])

    until(lambda: answers(401), "the revoked token is refused")


def test_tokens_are_listed_without_what_opens_the_api(home: Path) -> None:
    made = token(home, "make", "--name", "listed", "--scope", "read", "--per-second", "5")

    listed = run(home, "token", "list")

    assert made["id"] in listed.stdout
    assert made["token"] not in listed.stdout


def test_hooks_are_not_served_to_other_machines(tmp_path: Path) -> None:
    done = run(tmp_path, "serve", "--host", "192.0.2.1", hma_api="true", hma_test_hooks="true")

    assert done.returncode == 2
    assert "NIGHTLIGHT_HMA_TEST_HOOKS" in done.stderr


def test_hooks_need_the_interface(tmp_path: Path) -> None:
    done = run(tmp_path, "token", "list", hma_test_hooks="true")

    assert done.returncode == 2
    assert "needs NIGHTLIGHT_HMA_API" in done.stderr
