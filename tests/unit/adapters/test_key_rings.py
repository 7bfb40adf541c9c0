"""What every key ring does, whether its keys lie in clear or a key service covers them."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from tests.fakes.cybertip_store import NOON
from tests.fakes.simulators import Simulator

from nightlight.adapters.keyring_file import FileKeyRing, KeyCover, PlainCover, cover_file
from nightlight.adapters.keyring_kms import TransitCover
from nightlight.errors import (
    Conflict,
    IntegrityFailure,
    InvalidInput,
    NotFound,
    NotPermitted,
    Unavailable,
)

DATA_KEY = b"quibble-data-key-of-32-bytes-len"
TOKEN = "quibble-token"
NEW = "0a0b0c0d"
Rings = Callable[[], FileKeyRing]


@pytest.fixture(scope="module")
def service() -> Iterator[Simulator]:
    with Simulator("kms", "--token", TOKEN) as running:
        yield running


def transit(service: Simulator, **more: str) -> TransitCover:
    made = {"url": f"{service.url}/v1/transit", "key": "nightlight", "token": TOKEN, **more}
    return TransitCover(**made)  # type: ignore[arg-type]  # all of them are text


@pytest.fixture(params=["in clear", "covered"])
def cover(request: pytest.FixtureRequest) -> KeyCover:
    if request.param == "in clear":
        return PlainCover()
    return transit(request.getfixturevalue("service"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "keys.json"


@pytest.fixture
def ring(path: Path, cover: KeyCover) -> Rings:
    """Open the ring as a new process would."""
    return lambda: FileKeyRing(path, cover=cover)


def test_what_was_wrapped_is_unwrapped_after_a_restart(ring: Rings) -> None:
    wrapped = ring().wrap(DATA_KEY)
    assert ring().unwrap(wrapped) == DATA_KEY
    assert (ring().naming_key(), ring().audit_key()) == (ring().naming_key(), ring().audit_key())


def test_a_fresh_key_wraps_and_the_older_one_still_unwraps(ring: Rings) -> None:
    before = ring().wrap(DATA_KEY)
    [old] = ring().master_keys()
    ring().add(NEW, at=NOON)
    after = ring().wrap(DATA_KEY)
    assert (ring().key_of(before), ring().key_of(after)) == (old.id, NEW)
    assert ring().unwrap(before) == ring().unwrap(after) == DATA_KEY
    assert [one.id for one in ring().master_keys()] == [old.id, NEW]
    assert ring().master_keys()[-1].made_at == NOON


def test_a_running_process_opens_what_another_sealed_under_a_fresh_key(ring: Rings) -> None:
    running = ring()
    ring().add(NEW, at=NOON)
    assert running.unwrap(ring().wrap(DATA_KEY)) == DATA_KEY
    assert running.key_of(running.wrap(DATA_KEY)) == NEW


def test_a_key_that_was_taken_out_opens_nothing_more(ring: Rings) -> None:
    running = ring()
    wrapped = running.wrap(DATA_KEY)
    [old] = running.master_keys()
    ring().add(NEW, at=NOON)
    ring().remove(old.id)
    with pytest.raises(IntegrityFailure, match="master key"):
        ring().unwrap(wrapped)
    assert [one.id for one in running.master_keys()] == [NEW]


def test_a_running_process_takes_up_no_key_file_from_before_the_newest_key(
    ring: Rings, path: Path
) -> None:
    old = path_of(ring, path).read_bytes()
    ring().add(NEW, at=NOON)
    running = ring()
    newest = running.wrap(DATA_KEY)
    put(path, old)
    assert [one.id for one in running.master_keys()][-1] == NEW, "looked at just now"
    assert running.key_of(running.wrap(DATA_KEY)) == NEW
    assert running.unwrap(newest) == DATA_KEY


def test_nor_one_whose_only_key_was_retired_before_it_began(ring: Rings, path: Path) -> None:
    old = path_of(ring, path).read_bytes()
    [first] = ring().master_keys()
    ring().add(NEW, at=NOON)
    ring().remove(first.id)
    running = ring()
    put(path, old)
    assert [one.id for one in running.master_keys()] == [NEW]


def test_nor_that_of_another_home(ring: Rings, path: Path, tmp_path: Path, cover: KeyCover) -> None:
    running = ring()
    naming, keys = running.naming_key(), running.master_keys()
    FileKeyRing(tmp_path / "other.json", cover=cover)
    put(path, (tmp_path / "other.json").read_bytes())
    assert (running.naming_key(), running.master_keys()) == (naming, keys)


def test_a_running_process_takes_the_newest_file_up_once_it_is_back(
    ring: Rings, path: Path
) -> None:
    old = path_of(ring, path).read_bytes()
    ring().add(NEW, at=NOON)
    running = ring()
    there = path.read_bytes()
    put(path, old)
    running.master_keys()
    put(path, there)
    ring().add("0a0b0c0e", at=NOON)
    assert running.key_of(running.wrap(DATA_KEY)) == NEW, "looked at within the second"
    assert running.master_keys()[-1].id == "0a0b0c0e"


def test_keys_that_were_rotated_and_retired_unnoticed_are_taken_up(ring: Rings) -> None:
    [first] = ring().master_keys()
    ring().add(NEW, at=NOON)
    ring().remove(first.id)
    running = ring()
    ring().add("0a0b0c0e", at=NOON + timedelta(days=1))
    ring().remove(NEW)
    assert [one.id for one in running.master_keys()] == ["0a0b0c0e"]


def path_of(ring: Rings, path: Path) -> Path:
    """Return the key file, made by a first start."""
    ring()
    return path


def put(path: Path, body: bytes) -> None:
    """Put another file in the place of the key file, as a restored backup is."""
    beside = path.with_suffix(".restored")
    beside.write_bytes(body)
    beside.rename(path)


def test_the_key_in_use_and_unknown_ones_cannot_be_taken_out(ring: Rings) -> None:
    [used] = ring().master_keys()
    with pytest.raises(Conflict, match="in use"):
        ring().remove(used.id)
    with pytest.raises(NotFound):
        ring().remove(NEW)
    with pytest.raises(Conflict, match="with this id"):
        ring().add(used.id, at=NOON)
    with pytest.raises(InvalidInput, match="8 hex digits"):
        ring().add("quibble", at=NOON)


def test_changing_keys_leaves_nothing_beside_the_key_file(ring: Rings, path: Path) -> None:
    ring().add(NEW, at=NOON)
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_covered_file_opens_nothing_without_the_service(
    service: Simulator, path: Path, tmp_path: Path
) -> None:
    wrapped = FileKeyRing(path, cover=transit(service)).wrap(DATA_KEY)
    with pytest.raises(InvalidInput, match="covered by transit:nightlight"):
        FileKeyRing(path)
    stored = json.loads(path.read_text())
    assert all(
        one.startswith("vault:v1:") for one in [*stored["master"].values(), stored["naming"]]
    )
    with pytest.raises(InvalidInput):
        FileKeyRing(path, cover=transit(service, key="another"))
    stolen = tmp_path / "stolen.json"
    stolen.write_text(path.read_text())
    assert FileKeyRing(stolen, cover=transit(service)).unwrap(wrapped) == DATA_KEY


def test_keys_covered_before_the_service_rotated_its_own_still_open(
    service: Simulator, path: Path
) -> None:
    wrapped = FileKeyRing(path, cover=transit(service)).wrap(DATA_KEY)
    address = f"{service.url}/v1/transit/keys/nightlight/rotate"
    assert httpx.post(address, headers={"X-Vault-Token": TOKEN}).status_code == httpx.codes.OK
    ring = FileKeyRing(path, cover=transit(service))
    ring.add(NEW, at=NOON)
    assert ring.unwrap(wrapped) == DATA_KEY
    assert json.loads(path.read_text())["master"][NEW].startswith("vault:v2:")


def test_a_file_in_clear_is_covered_with_the_keys_it_has(service: Simulator, path: Path) -> None:
    ring = FileKeyRing(path)
    wrapped, naming = ring.wrap(DATA_KEY), ring.naming_key()
    cover_file(path, before=PlainCover(), after=transit(service))
    covered = FileKeyRing(path, cover=transit(service))
    assert (covered.unwrap(wrapped), covered.naming_key()) == (DATA_KEY, naming)
    with pytest.raises(InvalidInput, match="covered"):
        cover_file(path, before=PlainCover(), after=transit(service))


def test_a_service_that_takes_no_token_is_told_apart_from_one_that_is_gone(
    service: Simulator, path: Path
) -> None:
    FileKeyRing(path, cover=transit(service))
    with pytest.raises(NotPermitted, match="token"):
        FileKeyRing(path, cover=transit(service, token="other"))
    with pytest.raises(Unavailable, match="key service"):
        FileKeyRing(path, cover=transit(service, url="http://127.0.0.1:9/v1/transit"))


@pytest.mark.parametrize("kind", ["error_500", "drop_request", "truncate"])
def test_a_service_that_fails_leaves_the_file_as_it_was(
    service: Simulator, path: Path, kind: str
) -> None:
    FileKeyRing(path)
    before = path.read_bytes()
    fault = {"path": "/encrypt/nightlight", "kind": kind, "times": 1}
    httpx.post(f"{service.url}/_faults", json=fault).raise_for_status()
    with pytest.raises(Unavailable):
        cover_file(path, before=PlainCover(), after=transit(service))
    assert path.read_bytes() == before


def test_what_another_service_covered_is_an_integrity_failure(
    service: Simulator, path: Path
) -> None:
    FileKeyRing(path, cover=transit(service))
    stored = json.loads(path.read_text())
    stored["naming"] = "vault:v1:" + "A" * 80
    path.write_text(json.dumps(stored))
    with pytest.raises(IntegrityFailure, match="did not cover"):
        FileKeyRing(path, cover=transit(service))
