"""What every store of vault files does, in a folder and in a bucket."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from msgspec.structs import replace
from tests.fakes.blobs import ACCESS, fresh_keys
from tests.fakes.simulators import Simulator

from nightlight.adapters.vault_directory import DirectoryBlobStore
from nightlight.adapters.vault_s3 import MARKER, Bucket, S3BlobStore
from nightlight.bootstrap import build_services
from nightlight.errors import IntegrityFailure, NotFound, NotPermitted, Unavailable
from nightlight.preserve.ports import BlobStore
from nightlight.preserve.vault import Vault
from nightlight.settings import read_settings

NAMES = [f"{number:02x}" * 32 for number in range(5)]
PART = 5 << 20
LARGE = bytes(range(256)) * (40 << 10)
SECRET = "quibble-secret"


@pytest.fixture(scope="module")
def server() -> Iterator[Simulator]:
    with Simulator(
        "s3", "--bucket", "vault", "--access-key", "quibble", "--secret-key", SECRET, "--page", "2"
    ) as running:
        yield running


@pytest.fixture
def bucket(server: Simulator) -> Bucket:
    """A bucket of the server, in a folder of its own."""
    return Bucket(
        name="vault",
        prefix=f"test/{uuid4().hex}",
        endpoint=server.url,
        region="us-east-1",
        access_key="quibble",
        secret_key=SECRET,
        timeout_s=5.0,
        retries=0,
    )


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "folder":
        return DirectoryBlobStore(tmp_path / "vault")
    return S3BlobStore(request.getfixturevalue("bucket"), part_bytes=PART)


def state(server: Simulator) -> dict[str, object]:
    found: dict[str, object] = httpx.get(f"{server.url}/_state").json()
    return found


def fault(server: Simulator, kind: str, **more: object) -> None:
    asked = {"path": "", "kind": kind, **more}
    httpx.post(f"{server.url}/_faults", json=asked).raise_for_status()


def read_whole(store: BlobStore, name: str) -> bytes:
    with store.open(name) as file:
        return file.read()


@pytest.mark.parametrize("data", [b"", b"sealed", LARGE], ids=["empty", "small", "large"])
def test_what_was_put_is_had_back(store: BlobStore, data: bytes) -> None:
    parts = [data[at : at + (1 << 20)] for at in range(0, len(data), 1 << 20)]
    store.put_parts(NAMES[0], parts)
    assert store.has(NAMES[0])
    assert store.get(NAMES[0]) == read_whole(store, NAMES[0]) == data


def test_a_reader_gives_as_many_bytes_as_were_asked_for(store: BlobStore) -> None:
    store.put_parts(NAMES[0], [LARGE])
    with store.open(NAMES[0]) as file:
        found = [file.read(4), file.read(1 << 20), file.read(7), file.read()]
    assert [len(one) for one in found[:3]] == [4, 1 << 20, 7]
    assert b"".join(found) == LARGE


@pytest.mark.parametrize("data", [b"other", LARGE[1:]], ids=["small", "large"])
def test_what_is_already_there_stays(store: BlobStore, data: bytes) -> None:
    store.put(NAMES[0], b"first")
    store.put(NAMES[0], data)
    assert store.get(NAMES[0]) == b"first"


def test_what_was_never_put_is_not_found(store: BlobStore) -> None:
    assert not store.has(NAMES[0])
    with pytest.raises(NotFound):
        store.get(NAMES[0])
    with pytest.raises(NotFound):
        store.open(NAMES[0])
    with pytest.raises(NotFound):
        store.replace_parts(NAMES[0], [b"new"])
    store.destroy(NAMES[0])


def broken(first: bytes) -> Iterator[bytes]:
    yield first
    raise IntegrityFailure("a file changed")


@pytest.mark.parametrize("first", [b"some", LARGE], ids=["small", "large"])
def test_nothing_is_kept_of_parts_that_fail(store: BlobStore, first: bytes) -> None:
    with pytest.raises(IntegrityFailure, match="a file changed"):
        store.put_parts(NAMES[0], broken(first))
    assert not store.has(NAMES[0])
    store.put(NAMES[0], b"old")
    with pytest.raises(IntegrityFailure, match="a file changed"):
        store.replace_parts(NAMES[0], broken(first))
    assert store.get(NAMES[0]) == b"old"


@pytest.mark.parametrize("data", [b"newer", LARGE], ids=["small", "large"])
def test_what_is_replaced_is_the_new_whole(store: BlobStore, data: bytes) -> None:
    store.put(NAMES[0], b"old")
    store.replace_parts(NAMES[0], [data[:3], data[3:]])
    assert store.get(NAMES[0]) == data


def test_what_was_destroyed_while_it_is_replaced_does_not_come_back(store: BlobStore) -> None:
    store.put(NAMES[0], b"old")

    def parts() -> Iterator[bytes]:
        yield b"new"
        store.destroy(NAMES[0])

    with pytest.raises(NotFound):
        store.replace_parts(NAMES[0], parts())
    assert not store.has(NAMES[0])


@pytest.mark.parametrize("data", [b"older", LARGE], ids=["small", "large"])
def test_only_the_file_that_is_read_is_replaced_where_that_is_asked(
    store: BlobStore, data: bytes
) -> None:
    store.put(NAMES[0], b"old")

    def mended() -> None:
        store.replace_parts(NAMES[0], [b"mended"])

    def parts() -> Iterator[bytes]:
        with ThreadPoolExecutor(1) as somebody:  # on a thread of their own, as another process is
            yield data
            somebody.submit(mended).result()

    with store.open(NAMES[0]) as before:
        with pytest.raises(NotFound):
            store.replace_parts(NAMES[0], parts(), instead_of=before)
        assert store.get(NAMES[0]) == b"mended"
        with pytest.raises(NotFound):
            store.replace_parts(NAMES[0], [data], instead_of=before)
    assert store.get(NAMES[0]) == b"mended"
    with store.open(NAMES[0]) as now:
        store.replace_parts(NAMES[0], [data], instead_of=now)
    assert store.get(NAMES[0]) == data


def test_who_reads_the_beginning_of_a_file_in_a_bucket_has_not_the_whole(bucket: Bucket) -> None:
    store = S3BlobStore(bucket, part_bytes=PART)
    store.put(NAMES[0], LARGE)
    with store.open(NAMES[0]) as file:
        file.read(4)
        assert len(file._left) < len(LARGE) // 4  # type: ignore[attr-defined]  # what it took


def test_what_is_destroyed_is_gone_and_the_rest_is_not(store: BlobStore) -> None:
    for name in NAMES:
        store.put(name, name.encode())
    assert sorted(store.names()) == NAMES
    store.destroy(NAMES[0])
    assert not store.has(NAMES[0])
    assert sorted(store.names()) == NAMES[1:]
    store.put(NAMES[0], b"again")
    assert store.get(NAMES[0]) == b"again"


def test_a_vault_seals_opens_wraps_again_and_destroys(store: BlobStore, tmp_path: Path) -> None:
    vault = Vault(blobs=store, keys=fresh_keys(tmp_path))
    digest = vault.seal(b"quibble")
    assert vault.open(digest, ACCESS) == b"quibble"
    assert vault.key_of(vault.name_of(digest)) == vault.key_of(next(vault.names()))
    assert not vault.rewrap(vault.name_of(digest))
    vault.destroy(digest)
    with pytest.raises(NotFound):
        vault.open(digest, ACCESS)


@pytest.mark.parametrize("broken", [b"", b"NLV1", b"zorbleflux" * 9], ids=["0", "4", "90"])
def test_a_vault_seals_over_what_does_not_open(
    store: BlobStore, tmp_path: Path, broken: bytes
) -> None:
    vault = Vault(blobs=store, keys=fresh_keys(tmp_path))
    name = vault.name_of(hashlib.sha256(b"quibble").hexdigest())
    store.put(name, broken)
    digest = vault.seal(b"quibble")
    assert vault.open(digest, ACCESS) == b"quibble"
    assert vault.mended() == (name,)


def test_settings_put_the_vault_into_a_bucket(server: Simulator, tmp_path: Path) -> None:
    prefix = uuid4().hex
    home = tmp_path / "home"
    services = build_services(
        read_settings(
            {
                "NIGHTLIGHT_HOME": str(home),
                "NIGHTLIGHT_VAULT_URL": f"s3://vault/{prefix}",
                "NIGHTLIGHT_VAULT_ENDPOINT": server.url,
                "NIGHTLIGHT_VAULT_ACCESS_KEY": "quibble",
                "NIGHTLIGHT_VAULT_SECRET_KEY": SECRET,
            }
        )
    )
    digest = services.vault.seal(b"quibble")
    assert services.vault.open(digest, ACCESS) == b"quibble"
    assert not (home / "vault").exists()
    objects = state(server)["objects"]
    assert isinstance(objects, dict)
    assert {one for one in objects if one.startswith(prefix)} == {
        f"{prefix}/{services.vault.name_of(digest)}",
        f"{prefix}/{MARKER}",
    }


WRONG: dict[str, Callable[[Bucket], Bucket]] = {
    "another secret": lambda one: replace(one, secret_key="other"),
    "an unknown key": lambda one: replace(one, access_key="other"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_requests_are_signed_and_a_wrong_signature_is_told_apart(
    bucket: Bucket, wrong: Callable[[Bucket], Bucket]
) -> None:
    store = S3BlobStore(wrong(bucket))
    with pytest.raises(NotPermitted, match="credentials"):
        store.put(NAMES[0], b"sealed")
    with pytest.raises(NotPermitted) as caught:
        store.get(NAMES[0])
    assert SECRET not in f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize("kind", ["error_500", "drop_request"])
def test_a_store_that_fails_is_unavailable_and_keeps_what_it_had(
    server: Simulator, bucket: Bucket, kind: str
) -> None:
    store = S3BlobStore(bucket)
    store.put(NAMES[0], b"sealed")
    for act in (
        lambda: store.put(NAMES[1], b"more"),
        lambda: store.get(NAMES[0]),
        lambda: store.has(NAMES[0]),
        lambda: list(store.names()),
        lambda: store.destroy(NAMES[0]),
        lambda: store.replace_parts(NAMES[0], [b"new"]),
    ):
        fault(server, kind)
        with pytest.raises(Unavailable):
            act()
    assert store.get(NAMES[0]) == b"sealed"


def test_an_answer_that_is_lost_is_asked_for_again(server: Simulator, bucket: Bucket) -> None:
    store = S3BlobStore(replace(bucket, retries=2))
    fault(server, "error_500", times=1)
    store.put(NAMES[0], b"sealed")
    assert store.get(NAMES[0]) == b"sealed"


def test_a_body_that_is_cut_off_is_never_taken_for_whole(
    server: Simulator, bucket: Bucket, tmp_path: Path
) -> None:
    vault = Vault(blobs=S3BlobStore(bucket), keys=fresh_keys(tmp_path))
    digest = vault.seal(b"quibble" * 1000)
    fault(server, "truncate")
    with pytest.raises((Unavailable, IntegrityFailure)):
        vault.open(digest, ACCESS)
    assert vault.open(digest, ACCESS) == b"quibble" * 1000


def test_an_upload_that_failed_leaves_no_parts_behind(server: Simulator, bucket: Bucket) -> None:
    before = state(server)["uploads"]
    store = S3BlobStore(bucket, part_bytes=PART)
    with pytest.raises(IntegrityFailure):
        store.put_parts(NAMES[0], broken(LARGE))
    assert state(server)["uploads"] == before


def test_a_server_that_is_gone_is_unavailable(bucket: Bucket) -> None:
    store = S3BlobStore(replace(bucket, endpoint="http://127.0.0.1:9", timeout_s=1.0))
    with pytest.raises(Unavailable, match="NIGHTLIGHT_VAULT_URL"):
        store.put(NAMES[0], b"sealed")


@pytest.fixture(params=["folder", "bucket"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """An empty place where evidence is known to be kept."""
    if request.param == "folder":
        (tmp_path / "mount").mkdir()
        return DirectoryBlobStore(tmp_path / "mount", may_be_new=lambda: False)
    return S3BlobStore(request.getfixturevalue("bucket"), may_be_new=lambda: False)


def test_an_empty_place_is_not_taken_for_the_vault_that_is_in_use(elsewhere: BlobStore) -> None:
    for act in (
        lambda: elsewhere.put(NAMES[0], b"more"),
        lambda: elsewhere.has(NAMES[0]),
        lambda: elsewhere.get(NAMES[0]),
        lambda: elsewhere.open(NAMES[0]),
        lambda: list(elsewhere.names()),
        lambda: elsewhere.destroy(NAMES[0]),
        lambda: elsewhere.has(NAMES[0]),
    ):
        with pytest.raises(Unavailable, match="is not there"):
            act()


def test_a_vault_stays_one_once_the_last_of_it_is_destroyed(
    store: BlobStore, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    store.put(NAMES[0], b"sealed")
    used: BlobStore = (
        DirectoryBlobStore(tmp_path / "vault", may_be_new=lambda: False)
        if isinstance(store, DirectoryBlobStore)
        else S3BlobStore(request.getfixturevalue("bucket"), may_be_new=lambda: False)
    )
    used.destroy(NAMES[0])
    used.destroy(NAMES[0])
    assert not used.has(NAMES[0])
    assert list(used.names()) == []
