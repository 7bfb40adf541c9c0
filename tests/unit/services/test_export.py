"""Evidence leaves only by two people, whole, signed, and openable by its recipient alone."""

import hashlib
import io
import tarfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pyrage
import pytest
from tests.fakes.blobs import ACCESS
from tests.fakes.cybertip_store import HandClock
from tests.fakes.evidence_room import WHO, EvidenceRoom
from tests.ports.builders import ENTRY

from nightlight.adapters.package_age import AgePacker, open_package, verify_package
from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.errors import (
    Conflict,
    IntegrityFailure,
    InvalidInput,
    NotFound,
    NotPermitted,
    Unavailable,
)
from nightlight.model.case import CaseState
from nightlight.model.custody import EXPORT_STANDS, CustodyRequest, KeptPost, RequestState
from nightlight.model.ids import AccountId, CaseId, EventKey, PostId
from nightlight.preserve.package import Packed, SigningKey
from nightlight.preserve.ports import KeyRing
from nightlight.services.export import PASSPHRASE, Exports
from nightlight.services.requests import Requests

CASE = CaseId("case-1")
CONTENTS = {"file-1": b"quibble" * 1000, "file-2": b"", "file-3": bytes(range(256)) * 9000}
AUDIT_KEY = b"an audit key that is thirty-two."
IDENTITY = pyrage.x25519.Identity.generate()
RECIPIENT = str(IDENTITY.to_public())
WORDS = "a long passphrase of nonsense"


@pytest.fixture
def room(unit_of_work: SqlUnitOfWork, clock: HandClock, keys: KeyRing) -> EvidenceRoom:
    room = EvidenceRoom(unit_of_work, clock, keys)
    room.case(state=CaseState.CONFIRMED)
    for name, content in CONTENTS.items():
        room.seal(name, content=content)
    return room


@pytest.fixture
def exports(room: EvidenceRoom) -> Exports:
    return Exports(
        unit_of_work=room.unit_of_work,
        vault=room.vault,
        packer=AgePacker(),
        key=SigningKey(AUDIT_KEY),
        clock=room.clock,
    )


def propose(exports: Exports, **more: Any) -> CustodyRequest:
    asked = {"recipient": RECIPIENT, "reference": "warrant 7", **WHO, **more}
    return exports.propose(CASE, **asked)


@pytest.fixture
def package(exports: Exports, tmp_path: Path) -> Path:
    to = tmp_path / "package.tar"
    request = propose(exports)
    exports.approve(request.id, person="bo", reason="checked")
    exports.write(request.id, to, person="ana")
    return to


def opened(package: Path, exports: Exports, **key: str) -> Path:
    to = package.parent / "opened"
    how = key or {"identity": str(IDENTITY)}
    open_package(package, public=exports.public_key, to=to, **how)
    return to


def test_the_recipient_gets_every_byte_and_how_it_was_kept(
    package: Path, exports: Exports, room: EvidenceRoom
) -> None:
    folder = opened(package, exports)
    told = msgspec.json.decode((folder / "contents.json").read_bytes())
    got = {one["id"]: (folder / one["member"]).read_bytes() for one in told["evidence"]}
    assert got == CONTENTS
    assert (told["reference"], told["proposed_by"], told["approved_by"]) == (
        "warrant 7",
        "ana",
        "bo",
    )
    assert {one["id"]: one["byte_count"] for one in told["evidence"]} == {
        name: len(content) for name, content in CONTENTS.items()
    }
    actions = [one["action"] for one in told["custody"]]
    assert actions == ["custody.proposed", "custody.approved", "evidence.exported"]
    with room.unit_of_work.read() as tx:
        hashes = {one.hash for one in tx.audit.entries()}
    assert {one["hash"] for one in told["custody"]} <= hashes


def test_a_package_tells_one_authority_nothing_of_what_another_asked_for(
    exports: Exports, room: EvidenceRoom, tmp_path: Path
) -> None:
    other = propose(exports, reference="secret-warrant", person="quib", reason="secret-why")
    exports.approve(other.id, person="zor", reason="secret-check")
    exports.write(other.id, tmp_path / "other.tar", person="quib")
    room.holds.place(
        CASE, reference="secret-letter", until=None, person="quib", reason="secret-hold"
    )
    room.desk.view("file-1", ACCESS, on_platform=True)
    request = propose(exports)
    exports.approve(request.id, person="bo", reason="checked")
    exports.write(request.id, tmp_path / "package.tar", person="ana")
    folder = opened(tmp_path / "package.tar", exports)
    contents = (folder / "contents.json").read_text()
    assert not [one for one in ("secret", 'quib"', "zor", other.id) if one in contents]
    assert [one["action"] for one in msgspec.json.decode(contents)["custody"]] == [
        "evidence.exported",
        "hold.placed",
        "evidence.viewed",
        "custody.proposed",
        "custody.approved",
        "evidence.exported",
    ]


def test_the_package_shows_neither_content_nor_hash_nor_id_to_who_has_no_key(
    package: Path, room: EvidenceRoom
) -> None:
    body = package.read_bytes()
    assert b"quibblequibble" not in body
    assert not any(room.evidence(one).digest.encode() in body for one in CONTENTS)
    assert not any(one.encode() in body for one in (*CONTENTS, CASE))
    assert package.stat().st_mode & 0o777 == 0o600


def test_tar_and_age_alone_open_it(package: Path) -> None:
    with tarfile.open(package) as tar:
        sealed = tar.extractfile("evidence-1.age")
        assert sealed is not None
        assert pyrage.decrypt(sealed.read(), [IDENTITY]) == CONTENTS["file-1"]


def test_a_package_verifies_without_being_opened(package: Path, exports: Exports) -> None:
    manifest = verify_package(package, public=exports.public_key)
    assert [one.name for one in manifest.members] == [
        "contents.json.age", "evidence-1.age", "evidence-2.age", "evidence-3.age",
    ]  # fmt: skip
    assert manifest.recipient == RECIPIENT


def test_a_passphrase_opens_what_was_encrypted_to_it(exports: Exports, tmp_path: Path) -> None:
    request = propose(exports, recipient=PASSPHRASE, only=["file-1"])
    exports.approve(request.id, person="bo", reason="checked")
    to = tmp_path / "package.tar"
    with pytest.raises(InvalidInput, match="12 characters"):
        exports.write(request.id, to, person="ana", passphrase="short")
    exports.write(request.id, to, person="bo", passphrase=WORDS)
    with pytest.raises(InvalidInput, match="does not open"):
        opened(to, exports, passphrase="another long passphrase")
    folder = opened(to, exports, passphrase=WORDS)
    assert sorted(one.name for one in folder.iterdir()) == ["contents.json", "evidence-1"]


def test_nothing_leaves_by_one_person(exports: Exports, tmp_path: Path) -> None:
    request, to = propose(exports), tmp_path / "package.tar"
    with pytest.raises(Conflict, match="second person"):
        exports.write(request.id, to, person="ana")
    with pytest.raises(NotPermitted, match="another person"):
        exports.approve(request.id, person="ANA", reason="sure")
    exports.approve(request.id, person="bo", reason="sure")
    with pytest.raises(NotPermitted, match="proposed or approved"):
        exports.write(request.id, to, person="cy")
    with pytest.raises(Conflict, match="approved before"):
        exports.approve(request.id, person="bo", reason="sure")
    assert not to.exists()


def test_a_rejected_export_is_never_written(
    exports: Exports, room: EvidenceRoom, tmp_path: Path
) -> None:
    request = propose(exports)
    requests = Requests(unit_of_work=room.unit_of_work, clock=room.clock)
    assert requests.reject(request.id, person="ana", reason="a mistake") == requests.get(request.id)
    assert requests.newest(9) == [requests.get(request.id)]
    with pytest.raises(Conflict, match="rejected"):
        exports.write(request.id, tmp_path / "package.tar", person="ana")


def test_every_writing_is_recorded_before_it_happens(
    exports: Exports, room: EvidenceRoom, tmp_path: Path
) -> None:
    request = propose(exports)
    exports.approve(request.id, person="bo", reason="checked")
    with pytest.raises(InvalidInput, match="cannot be made"):
        exports.write(request.id, tmp_path / "none" / "package.tar", person="bo")
    [entry] = room.entries("evidence.exported")
    assert (entry.actor, entry.detail["recipient"]) == ("bo", RECIPIENT)
    exports.write(request.id, tmp_path / "package.tar", person="bo")
    with pytest.raises(InvalidInput, match="cannot be made"):
        exports.write(request.id, tmp_path / "package.tar", person="bo")
    assert len(room.entries("evidence.exported")) == 3


DAY = timedelta(days=1)


def due_tomorrow(room: EvidenceRoom) -> None:
    room.move("case-1", CaseState.DISMISSED)
    room.clock.at += 365 * DAY


def go_on(exports: Exports, request: CustodyRequest, folder: Path, *, approved: bool) -> None:
    if approved:
        exports.write(request.id, folder / "package.tar", person="ana")
    else:
        exports.approve(request.id, person="bo", reason="checked")


@pytest.mark.parametrize("approved", [True, False])
def test_what_is_to_be_exported_is_kept_until_the_request_lapses(
    exports: Exports, room: EvidenceRoom, tmp_path: Path, *, approved: bool
) -> None:
    due_tomorrow(room)
    request = propose(exports, only=["file-1"])
    if approved:
        room.clock.at += 20 * DAY
        assert room.retention.run_due().destroyed == 0
        exports.approve(request.id, person="bo", reason="checked")
    room.clock.at += EXPORT_STANDS - DAY
    assert room.retention.run_due().destroyed == 0
    [rule] = {one.kept.rule for one in room.retention.of_case(CASE)}
    assert rule == "export warrant 7"
    room.clock.at += DAY
    with pytest.raises(Conflict, match="lapsed"):
        go_on(exports, request, tmp_path, approved=approved)
    assert room.retention.run_due().destroyed == len(CONTENTS)


def test_two_people_cannot_destroy_early_what_is_to_be_exported(
    exports: Exports, room: EvidenceRoom
) -> None:
    room.move("case-1", CaseState.DISMISSED)
    room.clock.at += DAY
    asked = propose(exports)
    with pytest.raises(NotPermitted, match="an export"):
        room.early_destruction.propose(["file-1"], reference="", **WHO)
    revoke(room, asked)
    room.early_destruction.propose(["file-1"], reference="", **WHO)


def revoke(room: EvidenceRoom, request: CustodyRequest) -> CustodyRequest:
    requests = Requests(unit_of_work=room.unit_of_work, clock=room.clock)
    return requests.revoke(request.id, person="cy", reason="the court withdrew it")


@pytest.mark.parametrize("approved", [True, False])
def test_a_revoked_export_is_never_written_and_keeps_nothing(
    exports: Exports, room: EvidenceRoom, tmp_path: Path, *, approved: bool
) -> None:
    due_tomorrow(room)
    request = propose(exports)
    if approved:
        exports.approve(request.id, person="bo", reason="checked")
    assert revoke(room, request).state is RequestState.REVOKED
    [entry] = room.entries("custody.revoked")
    assert (entry.actor, entry.subject, entry.reason) == ("cy", request.id, "the court withdrew it")
    for act in (
        lambda: exports.write(request.id, tmp_path / "package.tar", person="ana"),
        lambda: exports.approve(request.id, person="bo", reason="checked"),
        lambda: revoke(room, request),
    ):
        with pytest.raises(Conflict):
            act()
    room.clock.at += DAY
    assert room.retention.run_due().destroyed == len(CONTENTS)


def test_an_export_keeps_nothing_any_more_once_its_package_is_written(
    exports: Exports, room: EvidenceRoom, tmp_path: Path
) -> None:
    due_tomorrow(room)
    request = propose(exports)
    exports.approve(request.id, person="bo", reason="checked")
    exports.write(request.id, tmp_path / "package.tar", person="ana")
    exports.write(request.id, tmp_path / "again.tar", person="bo")
    room.clock.at += DAY
    assert room.retention.run_due().destroyed == len(CONTENTS)
    with pytest.raises(Conflict, match="was destroyed"):
        exports.write(request.id, tmp_path / "third.tar", person="bo")


def test_an_export_that_is_revoked_while_it_is_written_leaves_no_package(
    exports: Exports, room: EvidenceRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, to = propose(exports), tmp_path / "package.tar"
    exports.approve(request.id, person="bo", reason="checked")
    real = AgePacker.pack

    def pack(self: AgePacker, *where: Any, **how: Any) -> Any:
        revoke(room, request)
        return real(self, *where, **how)

    monkeypatch.setattr(AgePacker, "pack", pack)
    with pytest.raises(Conflict, match="is revoked"):
        exports.write(request.id, to, person="ana")
    assert not to.exists()
    assert room.entries("evidence.packed") == []


def test_what_is_to_be_exported_is_kept_where_it_moves_with_its_findings(
    exports: Exports, room: EvidenceRoom
) -> None:
    due_tomorrow(room)
    propose(exports, only=["file-1"])
    room.case("case-2")
    with room.unit_of_work.begin() as tx:
        tx.events.offset()
        tx.evidence.move([room.evidence("file-1").decision_id], CaseId("case-2"))
        tx.commit(ENTRY)
    room.clock.at += 29 * DAY
    room.retention.run_due()
    assert room.destroyed_at("file-1") is None


def test_evidence_of_a_deleted_post_is_exported_like_any(
    exports: Exports, room: EvidenceRoom, tmp_path: Path
) -> None:
    kept = KeptPost(
        id=CaseId("kept-1"),
        post_id=PostId("post-1"),
        account_id=AccountId("account-7"),
        event_key=EventKey("event-1"),
        deleted_at=room.clock.now(),
        noticed_at=room.clock.now(),
        next_at=None,
        complete=True,
    )
    with room.unit_of_work.begin() as tx:
        tx.kept_posts.add([kept])
        tx.commit(ENTRY)
    room.seal("file-k", "kept-1", b"plimquat")
    request = exports.propose(kept.id, recipient=RECIPIENT, reference="warrant 7", **WHO)
    exports.approve(request.id, person="bo", reason="checked")
    exports.write(request.id, tmp_path / "package.tar", person="ana")
    folder = opened(tmp_path / "package.tar", exports)
    assert (folder / "evidence-1").read_bytes() == b"plimquat"
    told = msgspec.json.decode((folder / "contents.json").read_bytes())
    assert told["account_id"] == "account-7"


def test_evidence_that_is_named_twice_is_packed_once(exports: Exports, tmp_path: Path) -> None:
    request = propose(exports, only=["file-1", "file-2", "file-1"])
    assert request.evidence_ids == ("file-1", "file-2")
    exports.approve(request.id, person="bo", reason="checked")
    exports.write(request.id, tmp_path / "package.tar", person="ana")
    verify_package(tmp_path / "package.tar", public=exports.public_key)


WRONG: dict[str, dict[str, Any]] = {
    "no person": {"person": " "},
    "no reason": {"reason": ""},
    "no request": {"reference": ""},
    "no key": {"recipient": "age1quibble"},
    "foreign evidence": {"only": ["file-9"]},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_not_said_whole_is_not_proposed(
    exports: Exports, room: EvidenceRoom, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput):
        propose(exports, **wrong)
    assert room.entries("custody.proposed") == []


def test_an_export_needs_its_case_and_its_request(exports: Exports, room: EvidenceRoom) -> None:
    with pytest.raises(NotFound):
        exports.propose(CaseId("none"), recipient=RECIPIENT, reference="7", **WHO)
    with pytest.raises(NotFound):
        exports.approve("none", person="bo", reason="x")
    room.case("case-2")
    room.seal("other", "case-2")
    request = room.early_destruction.propose(["other"], reference="", **WHO)
    with pytest.raises(InvalidInput, match="no request to export"):
        exports.approve(request.id, person="bo", reason="x")
    with pytest.raises(InvalidInput, match="no request to destroy"):
        room.early_destruction.approve(propose(exports).id, person="bo", reason="x")


def test_what_was_changed_in_the_vault_makes_no_package(
    exports: Exports, room: EvidenceRoom, tmp_path: Path
) -> None:
    name = room.vault.name_of(room.evidence("file-3").digest)
    room.blobs.kept[name] = room.blobs.kept[name][:-1] + b"x"
    request, to = propose(exports), tmp_path / "package.tar"
    exports.approve(request.id, person="bo", reason="checked")
    with pytest.raises(IntegrityFailure):
        exports.write(request.id, to, person="ana")
    assert list(tmp_path.glob("*.tar")) == []


def test_another_identity_opens_nothing(package: Path, exports: Exports) -> None:
    with pytest.raises(InvalidInput, match="does not open"):
        opened(package, exports, identity=str(pyrage.x25519.Identity.generate()))
    assert not (package.parent / "opened").exists()
    with pytest.raises(InvalidInput, match="does not open"):
        opened(package, exports, identity="quibble")


def test_another_signer_is_found(package: Path) -> None:
    other = SigningKey(b"another audit key, thirty-two by")
    with pytest.raises(IntegrityFailure, match="another key"):
        verify_package(package, public=other.public)
    with pytest.raises(InvalidInput, match="not a public key"):
        verify_package(package, public="quibble")


def test_every_truncation_is_found(package: Path, exports: Exports) -> None:
    body = package.read_bytes()
    # What follows the last member is padding of the tar format, and says nothing.
    end = body.rindex(b"manifest.sig") + 512 + 64
    for length in {0, 1, 511, 512, 5_000, end - 1, *range(0, end, max(1, end // 60))}:
        package.write_bytes(body[:length])
        with pytest.raises(IntegrityFailure):
            verify_package(package, public=exports.public_key)


def test_every_changed_byte_of_what_is_kept_is_found(package: Path, exports: Exports) -> None:
    body = package.read_bytes()
    with tarfile.open(package) as tar:
        kept = [(one.offset_data, one.size) for one in tar.getmembers() if one.size]
    for start, size in kept:
        for place in {start, start + size // 2, start + size - 1}:
            changed = bytearray(body)
            changed[place] ^= 1
            package.write_bytes(bytes(changed))
            with pytest.raises(IntegrityFailure):
                verify_package(package, public=exports.public_key)


def added_at(place: int, what: bytes) -> Callable[[bytes], bytes]:
    return lambda body: body[:place] + what + body[place + len(what) :]


ADDED: dict[str, Callable[[bytes], bytes]] = {
    "bytes after its end": lambda body: body + b"zorbleflux" * 5_000,
    "one byte after its end": lambda body: body + b"x",
    "zeros after its end": lambda body: body + bytes(10_240),
    "a whole package after its end": lambda body: body + body,
    "bytes between its last member and its end": added_at(-700, b"zorbleflux"),
    "bytes after a short member": lambda body: added_at(
        body.rindex(b"manifest.sig") + 512 + 70, b"zorble"
    )(body),
    "a block between two members": lambda body: (
        body[: body.rindex(b"manifest.sig")] + bytes(512) + body[body.rindex(b"manifest.sig") :]
    ),
    "an end that is cut off": lambda body: body[:-512],
}  # fmt: skip


@pytest.mark.parametrize("change", ADDED.values(), ids=ADDED)
def test_whatever_is_put_into_a_package_is_found(
    package: Path, exports: Exports, change: Callable[[bytes], bytes]
) -> None:
    changed = change(package.read_bytes())
    assert changed != package.read_bytes()
    package.write_bytes(changed)
    with pytest.raises(IntegrityFailure):
        verify_package(package, public=exports.public_key)
    with pytest.raises(IntegrityFailure):
        opened(package, exports)


def test_the_record_names_a_package_by_its_digest(
    package: Path, exports: Exports, room: EvidenceRoom
) -> None:
    [entry] = room.entries("evidence.packed")
    assert entry.actor == "ana"
    assert entry.detail["sha256"] == hashlib.sha256(package.read_bytes()).hexdigest()
    manifest = verify_package(package, public=exports.public_key)
    assert entry.detail["package"] == manifest.package


def test_a_package_that_the_record_cannot_name_is_not_left_there(
    exports: Exports, room: EvidenceRoom, tmp_path: Path
) -> None:
    request = propose(exports)
    exports.approve(request.id, person="bo", reason="checked")

    class Closing(AgePacker):
        """Lets the database go away once the package is written."""

        def pack(self, to: Path, **more: Any) -> Packed:
            packed = super().pack(to, **more)
            exports._unit_of_work = Gone()  # type: ignore[assignment]  # as if it did not answer
            return packed

    class Gone:
        def begin(self) -> NoReturn:
            raise Unavailable("the database does not answer")

    exports._packer = Closing()
    with pytest.raises(Unavailable):
        exports.write(request.id, tmp_path / "package.tar", person="ana")
    assert not (tmp_path / "package.tar").exists()
    assert len(room.entries("evidence.exported")) == 1


def rebuilt(package: Path, change: Callable[[list[tuple[str, bytes]]], Any]) -> None:
    """Write the package again with its members changed, as somebody without the key could."""
    with tarfile.open(package) as tar:
        members = [(one.name, tar.extractfile(one).read()) for one in tar.getmembers()]  # type: ignore[union-attr]  # all are files
    with tarfile.open(package, "w") as tar:
        for name, data in change(members):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


REBUILT: dict[str, Callable[[list[tuple[str, bytes]]], Any]] = {
    "a member is missing": lambda all_: all_[1:],
    "two are exchanged": lambda all_: [
        (all_[1][0], all_[0][1]), (all_[0][0], all_[1][1]), *all_[2:],
    ],
    "one is added": lambda all_: [("more.age", b"x"), *all_],
    "one is twice": lambda all_: [all_[0], *all_],
    "one is changed": lambda all_: [(all_[0][0], all_[0][1] + b"x"), *all_[1:]],
    "another signature": lambda all_: [*all_[:-1], (all_[-1][0], bytes(64))],
    "a short signature": lambda all_: [*all_[:-1], (all_[-1][0], b"x")],
    "no signature": lambda all_: all_[:-1],
    "the manifest is changed": lambda all_: [
        *all_[:-2], (all_[-2][0], all_[-2][1].replace(b"evidence-1", b"evidence-9")), all_[-1],
    ],
}  # fmt: skip


@pytest.mark.parametrize("change", REBUILT.values(), ids=REBUILT)
def test_a_rebuilt_package_is_found(
    package: Path, exports: Exports, change: Callable[[list[tuple[str, bytes]]], Any]
) -> None:
    rebuilt(package, change)
    with pytest.raises(IntegrityFailure):
        verify_package(package, public=exports.public_key)
    with pytest.raises(IntegrityFailure):
        opened(package, exports)


def test_what_is_no_package_is_refused(tmp_path: Path, exports: Exports) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        verify_package(tmp_path / "none", public=exports.public_key)
    (tmp_path / "text").write_text("quibble")
    with pytest.raises(IntegrityFailure, match="no package"):
        verify_package(tmp_path / "text", public=exports.public_key)
