"""Anchors are kept one a line, and a damaged line is a fault rather than a gap."""

import signal
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit
from signal import SIGXFSZ

import pytest
from tests.fakes.record_stores import FORMER_ANCHOR, KEY
from tests.synthetic.builders import NOON, at

from nightlight.adapters.anchors_file import FileAnchorStore
from nightlight.audit.chain import GENESIS
from nightlight.audit.checkpoint import Anchor, AuditKey
from nightlight.errors import Unavailable

KEYS = AuditKey(KEY, origin="example.test")


def anchor(seq: int) -> Anchor:
    return KEYS.checkpoint(seq=seq, head=GENESIS, at=at(seq))


def test_anchors_are_had_back_in_order_and_still_genuine(tmp_path: Path) -> None:
    path = tmp_path / "audit" / "anchors.ndjson"
    for seq in (1, 2, 3):
        FileAnchorStore(path).append(anchor(seq))
    kept = list(FileAnchorStore(path).all())
    assert kept == [anchor(1), anchor(2), anchor(3)]
    assert all(KEYS.is_genuine(one) for one in kept)


def test_no_file_is_no_anchors(tmp_path: Path) -> None:
    assert list(FileAnchorStore(tmp_path / "none").all()) == []
    assert FileAnchorStore(tmp_path / "none").last() is None


def test_damaged_line_is_an_anchor_that_is_not_genuine(tmp_path: Path) -> None:
    path = tmp_path / "anchors.ndjson"
    store = FileAnchorStore(path)
    store.append(anchor(1))
    path.write_bytes(path.read_bytes() + b"\n{\xff\nquibble\n")
    store.append(anchor(2))
    assert [KEYS.is_genuine(one) for one in store.all()] == [True, False, False, True]


def test_line_cut_off_by_a_crash_does_not_swallow_the_next_anchor(tmp_path: Path) -> None:
    path = tmp_path / "anchors.ndjson"
    store = FileAnchorStore(path)
    store.append(anchor(1))
    path.write_bytes(path.read_bytes()[:-20])
    store.append(anchor(2))
    assert list(store.all())[-1] == anchor(2)
    assert store.last() == anchor(2)
    assert anchor(2).at == at(2) > NOON


def test_anchors_of_the_former_kind_are_had_back_beside_checkpoints(tmp_path: Path) -> None:
    path = tmp_path / "anchors.ndjson"
    path.write_text(
        f'{{"seq":2,"hash":"{FORMER_ANCHOR.hash}","at":"2026-03-01T12:00:02Z",'
        f'"seal":"{FORMER_ANCHOR.seal}"}}\n'
    )
    store = FileAnchorStore(path)
    assert store.last() == FORMER_ANCHOR
    store.append(anchor(3))
    store.append(FORMER_ANCHOR)
    assert list(store.all()) == [FORMER_ANCHOR, anchor(3), FORMER_ANCHOR]


def test_newest_anchor_is_none_where_its_line_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "anchors.ndjson"
    for body in ("", "quibble\n", '{"note":"x"}\n', '{"seq":5,"more":1}\n'):
        path.write_text(body)
        assert FileAnchorStore(path).last() is None


def test_anchors_are_laid_aside_whole(tmp_path: Path) -> None:
    path = tmp_path / "anchors.ndjson"
    store = FileAnchorStore(path)
    for seq in (1, 2, 3):
        store.append(anchor(seq))
    store.set_aside([anchor(1), FORMER_ANCHOR], at=NOON)
    assert list(store.all()) == [anchor(1), FORMER_ANCHOR]
    aside = tmp_path / f"anchors-until-{NOON:%Y%m%dT%H%M%S.%fZ}.ndjson"
    assert list(FileAnchorStore(aside).all()) == [anchor(1), anchor(2), anchor(3)]


def test_anchors_that_cannot_be_laid_aside_stay(tmp_path: Path) -> None:
    path = tmp_path / "anchors.ndjson"
    FileAnchorStore(path).append(anchor(1))
    (tmp_path / f"anchors-until-{NOON:%Y%m%dT%H%M%S.%fZ}.ndjson").touch()
    with pytest.raises(Unavailable):
        FileAnchorStore(path).set_aside([], at=NOON)
    assert list(FileAnchorStore(path).all()) == [anchor(1)]
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("torn", [False, True], ids=["whole", "torn before"])
def test_a_full_disk_leaves_no_half_of_an_anchor(tmp_path: Path, *, torn: bool) -> None:
    path = tmp_path / "anchors.ndjson"
    store = FileAnchorStore(path)
    store.append(anchor(1))
    if torn:
        path.write_bytes(path.read_bytes() + b"{")
    before = path.read_bytes()
    allowed, at_exceeding = getrlimit(RLIMIT_FSIZE), signal.signal(SIGXFSZ, signal.SIG_IGN)
    setrlimit(RLIMIT_FSIZE, (len(before) + 20, allowed[1]))
    try:
        with pytest.raises(Unavailable, match="cannot be written"):
            store.append(anchor(2))
    finally:
        setrlimit(RLIMIT_FSIZE, allowed)
        signal.signal(SIGXFSZ, at_exceeding)
    assert path.read_bytes() == before
    store.append(anchor(3))
    assert list(store.all())[-1] == anchor(3)


def test_anchors_that_cannot_be_written_at_all_are_unavailable(tmp_path: Path) -> None:
    (tmp_path / "audit").touch()
    with pytest.raises(Unavailable):
        FileAnchorStore(tmp_path / "audit" / "anchors.ndjson").append(anchor(1))
