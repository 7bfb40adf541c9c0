"""Checkpoints are signed notes: anybody can verify them, nobody else can make one."""

import base64
import hashlib
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec.structs import replace
from tests.fakes.record_stores import FORMER_ANCHOR, KEY
from tests.synthetic.builders import NOON

from nightlight.audit.checkpoint import AuditKey, read_note

ORIGIN = "example.test/record"
HEAD = "ab" * 32
KEYS = AuditKey(KEY, origin=ORIGIN)


def made(seq: int = 12) -> str:
    return KEYS.checkpoint(seq=seq, head=HEAD, at=NOON).note


def test_checkpoint_is_a_signed_note_that_the_public_key_verifies() -> None:
    name, key_id, encoded = KEYS.verifier_key.split("+", 2)
    raw = base64.b64decode(encoded)
    text, _, signature = made().partition("\n\n")
    text += "\n"
    shown = base64.b64encode(bytes.fromhex(HEAD)).decode()
    assert text == f"{ORIGIN}\n12\n{shown}\n2026-03-01T12:00:00Z\n"
    assert signature.startswith(f"\N{EM DASH} {ORIGIN} ")
    signed = base64.b64decode(signature.split(" ")[2])
    expected_id = hashlib.sha256(f"{name}\n".encode() + raw).digest()[:4]
    assert (name, raw[:1]) == (ORIGIN, b"\x01")
    assert signed[:4] == expected_id == bytes.fromhex(key_id)
    public = Ed25519PublicKey.from_public_bytes(raw[1:])
    public.verify(signed[4:], text.encode())
    with pytest.raises(InvalidSignature):
        public.verify(signed[4:], text.replace("12", "13").encode())


def test_checkpoint_is_genuine_and_read_back_as_it_was_made() -> None:
    anchor = KEYS.checkpoint(seq=12, head=HEAD, at=NOON + timedelta(microseconds=7))
    assert read_note(anchor.note) == anchor
    assert anchor.at == NOON
    assert KEYS.is_genuine(anchor)


def test_checkpoint_stays_genuine_when_the_record_gets_another_name() -> None:
    assert AuditKey(KEY, origin="elsewhere.test").is_genuine(read_note(made()))


def test_checkpoint_under_another_key_is_not_genuine() -> None:
    assert not AuditKey(b"other", origin=ORIGIN).is_genuine(read_note(made()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n12\n", "\n13\n"),
        ("12:00:00Z", "12:00:01Z"),
        ("example.test/record\n", "example.test/recorc\n"),
        ("\N{EM DASH} example", "- example"),
        ("q6s=", "q6o="),
    ],
)
def test_changed_checkpoint_is_not_genuine(old: str, new: str) -> None:
    note = made()
    assert note.count(old) == 1
    assert not KEYS.is_genuine(read_note(note.replace(old, new)))


def test_checkpoint_with_a_changed_signature_is_not_genuine() -> None:
    note = made()
    assert note.endswith("YgE=\n")
    for changed in (
        note[:-8] + "AAAAAA=\n",
        note.replace("YgE=", "YgF="),
        note[:-9] + "\n",
        note.replace(" ", "  "),
    ):
        assert not KEYS.is_genuine(replace(read_note(note), note=changed))


def test_checkpoint_that_says_another_place_than_its_note_is_not_genuine() -> None:
    assert not KEYS.is_genuine(replace(read_note(made()), seq=11))


@pytest.mark.parametrize(
    "note",
    [
        "",
        "a\n1\nq6ur\n2026-03-01T12:00:00Z\n\nx\n",
        made().replace("\n12\n", "\n012\n"),
        made().replace("\n12\n", "\ntwelve\n"),
        made().replace("T12", "T1"),
        made() + "more\n",
        made().replace(ORIGIN, ""),
    ],
)
def test_what_states_no_checkpoint_is_refused(note: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_note(note)


def test_anchor_of_the_former_kind_stays_genuine_under_its_key_alone() -> None:
    assert KEYS.is_genuine(FORMER_ANCHOR)
    assert not AuditKey(b"other", origin=ORIGIN).is_genuine(FORMER_ANCHOR)
    for change in ({"seq": 1}, {"hash": HEAD}, {"at": NOON}, {"seal": ""}):
        assert not KEYS.is_genuine(replace(FORMER_ANCHOR, **change))
