"""``POST /v1/screen`` against the real application: what fails is held, never let through."""

import hashlib
import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from PIL import Image, ImageDraw
from tests.fakes.in_process import BEARER, client_of, fresh_services
from tests.fakes.patience import until

from nightlight.adapters.sandbox import Sandbox
from nightlight.adapters.sandbox_hasher import SandboxedHasher
from nightlight.adapters.spool import Spool
from nightlight.detect.bank_index import BankIndex, Looked
from nightlight.model.bank import BankEntry, EntryState, HashKind
from nightlight.model.case import CaseState, CaseStep
from nightlight.model.media import ScanState
from nightlight.review.resolve import Resolution
from nightlight.services import Services
from nightlight.services.following import Following
from nightlight.services.screening import About, Screened
from nightlight.services.tokens import Scope, Tokens

BANK = "quibbles"
WHO = {"actor": "a tester", "reason": "to see"}


def drawn(shift: int = 0) -> bytes:
    """Return a drawn picture that PDQ can tell from others."""
    picture = Image.new("RGB", (320, 240), "white")
    draw = ImageDraw.Draw(picture)
    for step in range(24):
        x, y = (step * 53 + shift * 97) % 300, (step * 31 + shift * 41) % 220
        draw.ellipse((x, y, x + 12 + step * 3, y + 10 + step * 2), fill=(step * 10, 90, 255 - step))
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


KNOWN = drawn()
OTHER = drawn(7)


def flat() -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 64), "navy").save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def services(tmp_path: Path) -> Services:
    made = fresh_services(tmp_path, media_root=str(tmp_path))
    put(made, "sha256", hashlib.sha256(KNOWN).hexdigest())
    (tmp_path / "known.png").write_bytes(KNOWN)
    (tmp_path / "other.png").write_bytes(OTHER)
    return made


@pytest.fixture
def client(services: Services) -> Iterator[httpx.Client]:
    with client_of(services) as connected:
        connected.headers.update(BEARER)
        yield connected


def put(services: Services, kind: str, value: str, *, bank: str = BANK) -> None:
    line = json.dumps({"kind": kind, "value": value, "classification": "A1"})
    services.banks.import_entries(bank, [line], **WHO)


def screen(client: httpx.Client, body: bytes, kind: str = "image/png", **params: str) -> Any:
    answer = client.post("/v1/screen", content=body, headers={"Content-Type": kind}, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ask(client: httpx.Client, **asked: object) -> httpx.Response:
    return client.post("/v1/screen", json=asked)


def ruin(services: Services, table: str) -> None:
    with services.unit_of_work.begin() as tx:
        tx._connection.exec_driver_sql(f"DROP TABLE {table}")  # type: ignore[attr-defined]  # ruined
        tx.commit_unrecorded()


def test_a_known_file_is_blocked_and_the_answer_says_why(client: httpx.Client) -> None:
    told = screen(client, KNOWN)

    assert told["decision"] == "block"
    (match,) = told["matches"]
    assert (match["bank"], match["kind"], match["distance_bits"]) == (BANK, "sha256", 0)
    assert match["classification"] == "A1"
    assert told["scan"]["state"] == "scanned"
    assert told["policy"].startswith("default@")
    assert told["version"] > 0
    assert told["reasons"]
    assert hashlib.sha256(KNOWN).hexdigest() not in json.dumps(told)


def test_another_file_is_allowed_and_leaves_no_trace(
    client: httpx.Client, services: Services
) -> None:
    told = screen(client, OTHER)

    assert (told["decision"], told["matches"], told["recorded"]) == ("allow", [], False)
    with services.unit_of_work.read() as tx:
        assert tx.events.head() == 0


def test_a_form_with_a_file_is_screened(client: httpx.Client) -> None:
    answer = client.post("/v1/screen", files={"file": ("x.png", KNOWN, "image/png")})

    assert answer.json()["decision"] == "block"


def test_hashes_alone_are_screened_whatever_their_case(client: httpx.Client) -> None:
    told = ask(client, hashes={"sha256": hashlib.sha256(KNOWN).hexdigest().upper()}).json()

    assert told["decision"] == "block"


def test_a_near_picture_is_found_by_its_hash(client: httpx.Client, services: Services) -> None:
    put(services, "pdq", "f0" * 32)
    near = "f0" * 30 + "ffff"

    told = ask(client, hashes={"pdq": near, "quality": 90}).json()

    assert [one["distance_bits"] for one in told["matches"]] == [8]
    assert told["decision"] == "block"


def test_a_picture_of_which_pdq_says_nothing_is_not_matched_by_it(
    client: httpx.Client, services: Services
) -> None:
    put(services, "pdq", "f0" * 32)

    told = ask(client, hashes={"pdq": "f0" * 32, "quality": 10}).json()

    assert (told["decision"], told["matches"]) == ("allow", [])


def test_a_flat_picture_is_no_error(client: httpx.Client) -> None:
    told = screen(client, flat())

    assert (told["decision"], told["scan"]["state"], told["matches"]) == ("allow", "scanned", [])


def test_an_address_that_is_allowed_is_fetched(client: httpx.Client) -> None:
    assert ask(client, url="known.png").json()["decision"] == "block"
    assert ask(client, url="other.png").json()["decision"] == "allow"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/x.png",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/x.png",
        "http://[::1]/x.png",
        "file:///etc/hostname",
        "../secret.png",
        "gone.png",
    ],
)
def test_an_address_that_is_not_allowed_is_held_and_not_fetched(
    client: httpx.Client, url: str
) -> None:
    told = ask(client, url=url).json()

    assert (told["decision"], told["scan"]["state"]) == ("hold", "unreachable")


@pytest.mark.parametrize(
    "body", [b"no picture at all", KNOWN[:200], b"\x89PNG\r\n\x1a\n" + b"x" * 50]
)
def test_what_cannot_be_decoded_is_held(client: httpx.Client, body: bytes) -> None:
    told = screen(client, body)

    assert (told["decision"], told["scan"]["state"]) == ("hold", "failed")


def test_a_policy_that_says_nothing_of_unscanned_files_does_not_let_them_through(
    client: httpx.Client, services: Services
) -> None:
    policy = b'name = "empty"\nrevision = "1"\nrules = []\n[confirmed.unknown]\nasks = []\n'
    services.lists.activate_policy(policy, **WHO)

    assert screen(client, b"no picture")["decision"] == "hold"


def test_the_policy_in_force_decides(client: httpx.Client, services: Services) -> None:
    policy = b"""name = "mild"
revision = "1"
[[rules]]
name = "known"
when = "hash_matched"
because = "It is known."
category = "known_media"
severity = 50
asks = ["limit_reach"]
[confirmed.known_media]
asks = ["hide"]
"""
    services.lists.activate_policy(policy, **WHO)

    told = screen(client, KNOWN)

    assert (told["decision"], told["asks"]) == ("limit", ["limit_reach"])
    assert told["policy"].startswith("mild@")


def test_a_used_up_quota_holds(client: httpx.Client, services: Services) -> None:
    policy = b"""name = "scarce"
revision = "1"
[[rules]]
name = "known"
when = "hash_matched"
because = "It is known."
category = "known_media"
severity = 50
asks = ["hide"]
[confirmed.known_media]
asks = ["hide"]
[[quotas]]
effect = "hide"
per_day = 0
"""
    services.lists.activate_policy(policy, **WHO)

    assert screen(client, KNOWN)["decision"] == "hold"


def test_an_entry_counts_for_the_next_question(client: httpx.Client, services: Services) -> None:
    assert screen(client, OTHER)["decision"] == "allow"
    put(services, "md5", hashlib.md5(OTHER, usedforsecurity=False).hexdigest())

    until(lambda: screen(client, OTHER)["decision"] == "block", "the entry counts")


@pytest.mark.parametrize("table", ["counter", "bank_entry", "bank"])
def test_lists_that_cannot_be_read_hold(
    client: httpx.Client, services: Services, table: str
) -> None:
    ruin(services, table)

    answer = client.post("/v1/screen", content=OTHER, headers={"Content-Type": "image/png"})

    assert (answer.status_code, answer.json()["decision"]) == (503, "hold")
    assert answer.headers["Retry-After"]
    assert answer.json()["matches"] == []


def test_accounts_that_cannot_be_read_hold(client: httpx.Client, services: Services) -> None:
    assert screen(client, OTHER)["decision"] == "allow"
    ruin(services, "account")

    answer = ask(client, hashes={"md5": "00" * 16}, media_id="m", account_id="a")

    assert (answer.status_code, answer.json()["decision"]) == (503, "hold")


def test_a_recorded_match_becomes_a_case_with_the_file_sealed(
    client: httpx.Client, services: Services
) -> None:
    told = screen(client, KNOWN, media_id="media-1", account_id="account-1")
    assert told["recorded"]

    services.processor.catch_up()

    with services.unit_of_work.read() as tx:
        (case,) = tx.cases.queue(CaseState.OPEN, 5)
        evidence = tx.evidence.of_case(case.id)
        actions = [one.entry.action for one in tx.audit.entries()]
    assert case.account_id == "account-1"
    assert "media" in {one.kind.value for one in evidence}
    assert "media.screened" in actions
    assert services.vault.has(hashlib.sha256(KNOWN).hexdigest())


def test_the_same_upload_is_recorded_once(client: httpx.Client, services: Services) -> None:
    for _ in range(2):
        screen(client, KNOWN, media_id="media-1", account_id="account-1")

    with services.unit_of_work.read() as tx:
        assert tx.events.head() == 1


def test_what_is_not_evidence_is_not_sealed(client: httpx.Client, services: Services) -> None:
    screen(client, OTHER, media_id="media-1", account_id="account-1")
    services.processor.catch_up()

    assert not services.vault.has(hashlib.sha256(OTHER).hexdigest())
    with services.unit_of_work.read() as tx:
        assert tx.cases.queue(None, 5) == []


class Moving(BankIndex):
    """An index of which an entry is withdrawn, or that gets one, just after it was asked."""

    def __init__(self, services: Services, entry: BankEntry) -> None:
        with services.unit_of_work.read() as tx:
            super().__init__(tx.banks.entries(), banks=tx.banks.banks(), numbers=tx.banks.numbers())
            self.version = tx.banks.version()
            self.mark = tx.banks.mark(self.version)
        self._next = [entry]
        services.matcher._following = Following(self)

    def look(self, *asked: Any, **how: Any) -> Looked:
        looked = super().look(*asked, **how)
        while self._next:
            self.apply([self._next.pop()])
            self.version += 1
        return looked


def screened_file(services: Services, file: bytes) -> Screened:
    """Return the answer about a file of an account, asked before its index moves."""
    rules = services.rules()
    with services.screening.receive() as incoming:
        incoming.write(file)
        with incoming.finish() as whole:
            about = About(media_id="media-1", account_id="account-1")
            return services.screening.screen_file(whole, about, rules)


def test_what_matched_is_sealed_told_and_judged_though_it_is_withdrawn_meanwhile(
    services: Services,
) -> None:
    with services.unit_of_work.read() as tx:
        (entry,) = tx.banks.entries()
    index = Moving(services, replace(entry, state=EntryState.WITHDRAWN, value=""))
    version = index.version
    told = screened_file(services, KNOWN)
    assert (told.decision, len(told.matches), told.version) == ("block", 1, version)
    assert told.scan.sealed_digest


def test_what_comes_while_a_file_is_looked_up_is_not_said_to_have_been_asked(
    services: Services,
) -> None:
    value = hashlib.sha256(OTHER).hexdigest()
    fresh = BankEntry(id="e-9", bank=BANK, kind=HashKind.SHA256, value=value, number=99)
    index = Moving(services, fresh)
    version = index.version
    told = screened_file(services, OTHER)
    assert (told.decision, told.matches, told.version) == ("allow", (), version)
    assert not told.scan.sealed_digest


def test_what_a_person_dismissed_stays_dismissed(client: httpx.Client, services: Services) -> None:
    screen(client, KNOWN, media_id="media-1", account_id="account-1")
    services.processor.catch_up()
    with services.unit_of_work.read() as tx:
        (case,) = tx.cases.queue(CaseState.OPEN, 5)
    services.review.decide(
        case.id, Resolution(step=CaseStep.DISMISS, reviewer="a tester", reason="It is harmless.")
    )

    told = screen(client, KNOWN, media_id="media-1", account_id="account-1")

    assert told["decision"] == "allow"


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"url": "x.png", "hashes": {"md5": "00" * 16}},
        {"hashes": {}},
        {"hashes": {"md5": "zz" * 16}},
        {"hashes": {"md5": "00"}},
        {"hashes": {"pdq": 5}},
        {"hashes": {"md5": "00" * 16}, "more": 1},
        {"hashes": {"md5": "00" * 16}, "media_id": "x\n"},
        {"hashes": {"md5": "00" * 16}, "account_id": "x" * 600},
    ],
)
def test_a_question_that_is_none_is_refused(client: httpx.Client, asked: dict[str, Any]) -> None:
    answer = ask(client, **asked)

    assert answer.status_code == 400
    assert "zz" * 16 not in answer.text


@pytest.mark.parametrize("kind", ["text/plain", "", "application/xml"])
def test_another_media_type_is_refused(client: httpx.Client, kind: str) -> None:
    answer = client.post("/v1/screen", content=KNOWN, headers={"Content-Type": kind})

    assert answer.status_code == 415


def test_an_empty_file_is_refused(client: httpx.Client) -> None:
    answer = client.post("/v1/screen", content=b"", headers={"Content-Type": "image/png"})

    assert answer.status_code == 400


def test_a_compressed_body_is_refused(client: httpx.Client) -> None:
    answer = client.post(
        "/v1/screen",
        content=b"\x1f\x8b",
        headers={"Content-Type": "image/png", "Content-Encoding": "gzip"},
    )

    assert answer.status_code == 415


def test_a_file_over_the_limit_is_refused_while_it_comes_in(
    client: httpx.Client, services: Services
) -> None:
    services.screening.receive = lambda: Spool(max_bytes=1 << 20)
    pieces = (b" " * (1 << 18) for _ in range(5))

    answer = client.post("/v1/screen", content=pieces, headers={"Content-Type": "video/mp4"})

    assert answer.status_code == 400
    assert "larger than allowed" in answer.text


@pytest.mark.parametrize("scope", [None, Scope.EVENTS, Scope.MATCH, Scope.READ])
def test_nobody_learns_what_is_known_without_the_scope(
    services: Services, scope: Scope | None
) -> None:
    headers = {"Content-Type": "image/png"}
    if scope is not None:
        tokens = Tokens(unit_of_work=services.unit_of_work, clock=services.clock)
        made = tokens.make("a client", scopes=[scope], per_second=0, **WHO)
        headers["Authorization"] = f"Bearer {made.secret}"
    with client_of(services) as client:
        known = client.post("/v1/screen", content=KNOWN, headers=headers)
        other = client.post("/v1/screen", content=OTHER, headers=headers)

    assert known.status_code == (401 if scope is None else 403)
    assert (known.status_code, known.text) == (other.status_code, other.text)


def test_a_video_that_is_not_decoded_in_time_is_held_and_kept(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    slow = Sandbox(decoder="tests.fakes.hostile_decoder", workers=2, memory_mib=200)
    services.screening._hasher = SandboxedHasher(sandbox=slow)
    about, rules = About(media_id="m-1", account_id="a-1"), services.rules()
    with Spool(max_bytes=1 << 20) as spool:
        spool.write(b"OggS sleep 600")
        with spool.finish() as file:
            told = services.screening.screen_file(file, about, rules, until_s=monotonic() + 2)
    slow.close()
    assert (told.decision, told.scan.state, told.is_recorded) == ("hold", ScanState.FAILED, True)
    assert any("longer" in reason or "in time" in reason for reason in told.reasons)
    assert told.scan.sealed_digest
