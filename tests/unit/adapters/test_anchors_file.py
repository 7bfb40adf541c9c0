"""Anchors are kept one a line, and a damaged line is a fault rather than a gap."""

from pathlib import Path

from tests.synthetic.builders import NOON, at

from nightlight.adapters.anchors_file import FileAnchorStore
from nightlight.audit.chain import GENESIS, Anchor

KEY = b"quibble-key"


def anchor(seq: int) -> Anchor:
    return Anchor.make(seq=seq, head=GENESIS, at=at(seq), key=KEY)


def test_anchors_are_had_back_in_order_and_still_genuine(tmp_path: Path) -> None:
    path = tmp_path / "audit" / "anchors.ndjson"
    for seq in (1, 2, 3):
        FileAnchorStore(path).append(anchor(seq))
    kept = FileAnchorStore(path).all()
    assert kept == [anchor(1), anchor(2), anchor(3)]
    assert all(one.is_genuine(KEY) for one in kept)


def test_no_file_is_no_anchors(tmp_path: Path) -> None:
    assert FileAnchorStore(tmp_path / "none").all() == []


def test_damaged_line_is_an_anchor_that_is_not_genuine(tmp_path: Path) -> None:
    path = tmp_path / "anchors.ndjson"
    store = FileAnchorStore(path)
    store.append(anchor(1))
    path.write_bytes(path.read_bytes() + b"\n{\xff\nquibble\n")
    store.append(anchor(2))
    assert [one.is_genuine(KEY) for one in store.all()] == [True, False, False, True]


def test_line_cut_off_by_a_crash_does_not_swallow_the_next_anchor(tmp_path: Path) -> None:
    path = tmp_path / "anchors.ndjson"
    store = FileAnchorStore(path)
    store.append(anchor(1))
    path.write_bytes(path.read_bytes()[:-20])
    store.append(anchor(2))
    assert store.all()[-1] == anchor(2)
    assert store.all()[-1].at == at(2) > NOON
