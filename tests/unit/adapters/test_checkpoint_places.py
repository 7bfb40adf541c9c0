"""Checkpoints are posted as they are, and a place that does not take them says so."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.fakes.http_server import LoopbackServer
from tests.synthetic.builders import NOON

from nightlight.adapters.checkpoint_places import CheckpointAddress, CheckpointFolder
from nightlight.audit.checkpoint import AuditKey
from nightlight.errors import InvalidInput, Unavailable

MADE = AuditKey(b"quibble", origin="example.test").checkpoint(seq=3, head="ab" * 32, at=NOON)


def test_checkpoint_is_posted_as_plain_text_with_its_token(server: LoopbackServer) -> None:
    CheckpointAddress(f"{server.origin}/notes", token="zorble").publish(MADE)
    [asked] = server.asked
    assert (asked.method, asked.path) == ("POST", "/notes")
    assert asked.body.decode() == MADE.note
    assert asked.headers["authorization"] == "Bearer zorble"
    assert asked.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_second_checkpoint_of_an_entry_lies_beside_the_first(tmp_path: Path) -> None:
    keys = AuditKey(b"quibble", origin="example.test")
    other = keys.checkpoint(seq=3, head="cd" * 32, at=NOON + timedelta(hours=1))
    for one in (MADE, MADE, other):
        CheckpointFolder(tmp_path).publish(one)
    kept = sorted(one.read_text() for one in (tmp_path / f"{NOON:%Y-%m}").iterdir())
    assert kept == sorted([MADE.note, other.note])
    assert (tmp_path / "latest.txt").read_text() == other.note


def test_without_a_token_none_is_sent(server: LoopbackServer) -> None:
    CheckpointAddress(server.origin).publish(MADE)
    assert "authorization" not in server.asked[0].headers


@pytest.mark.parametrize(
    ("status", "kind"), [(500, Unavailable), (302, Unavailable), (403, InvalidInput)]
)
def test_refusal_is_told_by_its_kind(
    server: LoopbackServer, status: int, kind: type[Exception]
) -> None:
    server.status = status
    with pytest.raises(kind, match=str(status)):
        CheckpointAddress(server.origin).publish(MADE)


def test_address_that_does_not_answer_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        CheckpointAddress("http://127.0.0.1:9/").publish(MADE)
