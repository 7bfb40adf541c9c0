"""The simulated platform over real HTTP, in a process of its own."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook
from tests.fakes.simulators import Simulator

SECRET = f"whsec_{base64.b64encode(b'a secret for tests only').decode()}"
OTHER_SECRET = f"whsec_{base64.b64encode(b'another secret').decode()}"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    folder = tmp_path_factory.mktemp("platform")
    media = folder / "media"
    media.mkdir()
    (media / "square.png").write_bytes(b"harmless picture")
    (folder / "private.txt").write_text("not to be served")
    (media / "link.txt").symlink_to(folder / "private.txt")
    with Simulator("platform", "--secret", SECRET, "--media-root", str(media)) as running:
        yield running


def body_for(kind: str, subject: tuple[str, str], effect_id: str) -> bytes:
    return json.dumps(
        {
            "type": "effect.requested",
            "timestamp": datetime.now(UTC).isoformat(),
            "data": {
                "effect_id": effect_id,
                "kind": kind,
                "subject": {"kind": subject[0], "id": subject[1]},
                "decision_id": "decision-1",
                "case_id": None,
            },
        }
    ).encode()


def send(
    platform: Simulator, webhook_id: str, body: bytes, *, secret: str = SECRET
) -> httpx.Response:
    now = datetime.now(UTC)
    signature = Webhook(secret).sign(msg_id=webhook_id, timestamp=now, data=body.decode())
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    url = f"{platform.url}/nightlight"
    return httpx.post(url, content=body, headers=headers, trust_env=False)


def ask(platform: Simulator, kind: str, subject: tuple[str, str], effect_id: str) -> httpx.Response:
    return send(platform, effect_id, body_for(kind, subject, effect_id))


def effects_of(platform: Simulator, subject_id: str) -> list[dict[str, Any]]:
    effects: list[dict[str, Any]] = platform.state()["effects"]
    return [effect for effect in effects if effect["subject"]["id"] == subject_id]


@pytest.mark.parametrize(
    ("kind", "group", "state"),
    [
        ("limit_reach", "posts", "limited"),
        ("hide", "posts", "hidden"),
        ("remove", "posts", "removed"),
        ("restore", "posts", "visible"),
        ("hold", "media", "held"),
        ("lock", "accounts", "locked"),
        ("suspend", "accounts", "suspended"),
        ("reinstate", "accounts", "active"),
    ],
)
def test_an_effect_changes_its_subject(
    platform: Simulator, kind: str, group: str, state: str
) -> None:
    subject = (group.removesuffix("s"), f"subject-of-{kind}")
    assert ask(platform, kind, subject, f"effect-{kind}").status_code == 204
    assert platform.state()[group][subject[1]] == state


def test_a_repeated_webhook_is_counted_and_not_carried_out_again(platform: Simulator) -> None:
    post = ("post", "post-repeated")
    ask(platform, "hide", post, "effect-once")
    ask(platform, "restore", post, "effect-after")
    assert ask(platform, "hide", post, "effect-once").status_code == 204
    assert platform.state()["posts"]["post-repeated"] == "visible"
    told = effects_of(platform, "post-repeated")
    assert [(effect["effect_id"], effect["repeats"]) for effect in told] == [
        ("effect-once", 1),
        ("effect-after", 0),
    ]


def test_a_webhook_id_cannot_stand_for_another_effect(platform: Simulator) -> None:
    ask(platform, "hide", ("post", "post-a"), "effect-taken")
    changed = body_for("remove", ("post", "post-a"), "effect-taken")
    assert send(platform, "effect-taken", changed).status_code == 409
    assert platform.state()["posts"]["post-a"] == "hidden"


def test_a_wrong_signature_changes_nothing(platform: Simulator) -> None:
    body = body_for("hide", ("post", "post-forged"), "effect-forged")
    assert send(platform, "effect-forged", body, secret=OTHER_SECRET).status_code == 401
    assert effects_of(platform, "post-forged") == []


@pytest.mark.parametrize("signature", ["", "v1", "v1,!", "v2,abcd"])
def test_a_malformed_signature_is_refused(platform: Simulator, signature: str) -> None:
    headers = {
        "webhook-id": "effect-odd",
        "webhook-timestamp": str(int(datetime.now(UTC).timestamp())),
        "webhook-signature": signature,
    }
    url = f"{platform.url}/nightlight"
    answer = httpx.post(url, content=b"{}", headers=headers, trust_env=False)
    assert answer.status_code == 401


@pytest.mark.parametrize("body", [b"{}", b"[1", b'{"type":"effect.requested"}'])
def test_a_signed_body_that_is_no_effect_is_refused(platform: Simulator, body: bytes) -> None:
    assert send(platform, "effect-none", body).status_code == 422


@pytest.mark.parametrize("kind", ["preserve", "review", "explode"])
def test_an_effect_that_is_not_for_platforms_is_refused(platform: Simulator, kind: str) -> None:
    assert ask(platform, kind, ("post", "post-x"), f"effect-{kind}").status_code == 422


def test_a_lost_answer_still_takes_effect_once(platform: Simulator) -> None:
    platform.fault(path="/nightlight", kind="drop_answer")
    with pytest.raises(httpx.TransportError):
        ask(platform, "hide", ("post", "post-lost"), "effect-lost")
    assert platform.state()["posts"]["post-lost"] == "hidden"
    assert ask(platform, "hide", ("post", "post-lost"), "effect-lost").status_code == 204
    assert [effect["repeats"] for effect in effects_of(platform, "post-lost")] == [1]


def test_a_lost_request_takes_no_effect(platform: Simulator) -> None:
    platform.fault(path="/nightlight", kind="drop_request")
    with pytest.raises(httpx.TransportError):
        ask(platform, "hide", ("post", "post-unseen"), "effect-unseen")
    assert effects_of(platform, "post-unseen") == []


@pytest.mark.parametrize("status", [410, 429, 503])
def test_a_status_can_be_asked_for(platform: Simulator, status: int) -> None:
    platform.fault(path="/nightlight", kind="code", code=status)
    answer = ask(platform, "hide", ("post", "post-status"), f"effect-{status}")
    assert answer.status_code == status
    assert effects_of(platform, "post-status") == []


def test_a_killed_platform_keeps_what_it_confirmed(tmp_path: Path) -> None:
    arguments = ("platform", "--secret", SECRET, "--state", str(tmp_path / "platform.sqlite"))
    with Simulator(*arguments) as running:
        ask(running, "suspend", ("account", "account-1"), "effect-1")
        running.kill()
        running.start()
        assert running.state()["accounts"] == {"account-1": "suspended"}
        ask(running, "suspend", ("account", "account-1"), "effect-1")
        assert [effect["repeats"] for effect in running.state()["effects"]] == [1]


def test_media_is_served_with_its_type(platform: Simulator) -> None:
    answer = platform.get("/media/square.png")
    assert answer.content == b"harmless picture"
    assert answer.headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    "name",
    ["absent.png", "", "../private.txt", "..%2Fprivate.txt", "%2Fetc%2Fhostname", "link.txt",
     "a%00b"],
)  # fmt: skip
def test_nothing_outside_the_media_root_is_served(platform: Simulator, name: str) -> None:
    answer = platform.get(f"/media/{name}")
    assert answer.status_code == 404
    assert "not to be served" not in answer.text


def test_the_page_says_that_it_is_simulated_and_escapes_what_it_shows(
    platform: Simulator,
) -> None:
    ask(platform, "hide", ("post", "<b>post</b>"), "effect-page")
    page = platform.get("/").text
    assert "SIMULATED platform: nobody is affected" in page
    assert "&lt;b&gt;post&lt;/b&gt;" in page


def test_a_platform_without_a_usable_secret_does_not_start() -> None:
    with pytest.raises(AssertionError, match="did not start"):
        Simulator("platform", "--secret", "whsec_").start()


def test_a_platform_ends_cleanly_when_asked(tmp_path: Path) -> None:
    with Simulator("platform", "--secret", SECRET, "--media-root", str(tmp_path)) as running:
        assert running.stop() == 0
