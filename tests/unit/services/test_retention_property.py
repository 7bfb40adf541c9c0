"""Whatever happens in whatever order: needed bytes are there, and others are not."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes.blobs import ACCESS
from tests.fakes.cybertip_store import HandClock
from tests.fakes.evidence_room import WHO, EvidenceRoom

from nightlight.adapters.sql.database import SqlUnitOfWork, open_engine
from nightlight.errors import Unavailable
from nightlight.model.case import CaseState
from nightlight.model.hold import Hold
from nightlight.model.ids import CaseId
from nightlight.preserve.ports import KeyRing

CASES = ("case-0", "case-1", "case-2")
CONTENTS = (b"quibble", b"zorbleflux")
STEP = st.one_of(
    st.tuples(st.just("seal"), st.sampled_from(CASES), st.sampled_from(CONTENTS)),
    st.tuples(st.just("settle"), st.sampled_from(CASES), st.booleans()),
    st.tuples(st.just("hold"), st.sampled_from(CASES), st.sampled_from([None, 30, 500])),
    st.tuples(st.just("release"), st.sampled_from(CASES), st.none()),
    st.tuples(st.just("wait"), st.none(), st.sampled_from([1, 200, 366])),
    st.tuples(st.just("fail"), st.none(), st.none()),
)


@pytest.fixture
def new_room(
    migrated: Callable[[str], str], tmp_path: Path, keys: KeyRing
) -> Callable[[], EvidenceRoom]:
    template = migrated("sqlite").removeprefix("sqlite:///")
    path = tmp_path / "room.db"

    def room() -> EvidenceRoom:
        for old in tmp_path.glob("room.db*"):
            old.unlink()
        shutil.copyfile(template, path)
        clock = HandClock()
        work = SqlUnitOfWork(engine=open_engine(f"sqlite:///{path}"), clock=clock, keys=keys)
        return EvidenceRoom(work, clock, keys)

    return room


@given(steps=st.lists(STEP, min_size=4, max_size=14))
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_bytes_are_kept_exactly_as_long_as_some_evidence_is_them(
    new_room: Callable[[], EvidenceRoom], steps: list[tuple[str, str | None, object]]
) -> None:
    room = new_room()
    for name in CASES:
        room.case(name, CaseState.OPEN)
    contents: dict[str, bytes] = {}
    for number, step in enumerate(steps):
        match step:
            case "seal", str(name), bytes(content):
                contents[room.seal(f"file-{len(contents)}", name, content)] = content
            case "settle", str(name), bool(is_reported):
                _settle(room, name, is_reported=is_reported)
            case "hold", str(name), days:
                until = room.clock.now() + timedelta(days=days) if isinstance(days, int) else None
                room.holds.place(CaseId(name), reference=f"letter {number}", until=until, **WHO)
            case "release", str(name), _:
                for hold in _standing(room, name):
                    room.holds.release(hold.id, **WHO)
            case "wait", _, int(days):
                room.clock.advance(days=days)
                room.retention.run_due()
            case _:
                _fail_once(room)
        _check(room, contents)


def _settle(room: EvidenceRoom, name: str, *, is_reported: bool) -> None:
    with room.unit_of_work.begin() as tx:
        is_open = tx.cases.get(CaseId(name)).state is CaseState.OPEN
    if not is_open:
        return
    room.move(name, CaseState.CONFIRMED if is_reported else CaseState.DISMISSED)
    if is_reported:
        room.draft(name)
        room.file(name)


def _standing(room: EvidenceRoom, name: str) -> list[Hold]:
    return [one for one in room.holds.of_case(CaseId(name)) if one.released_at is None]


def _fail_once(room: EvidenceRoom) -> None:
    """Let the vault fail while something may be due: nothing is said to be gone."""
    room.blobs.full = True
    try:
        room.retention.run_due()
    except Unavailable:
        pass
    finally:
        room.blobs.full = False


def _check(room: EvidenceRoom, contents: dict[str, bytes]) -> None:
    now = room.clock.now()
    kept = {one: room.evidence(one) for one in contents if room.destroyed_at(one) is None}
    assert set(room.blobs.kept) == {room.vault.name_of(one.digest) for one in kept.values()}
    for one, evidence in kept.items():
        assert room.vault.open(evidence.digest, ACCESS) == contents[one]
    for gone in set(contents) - set(kept):
        case = room.evidence(gone).case_id
        with room.unit_of_work.begin() as tx:
            assert tx.cases.get(case).state is not CaseState.OPEN
        destroyed_at = room.destroyed_at(gone)
        assert destroyed_at is not None
        assert now >= destroyed_at
        assert not any(
            hold.placed_at < destroyed_at
            and (hold.until is None or hold.until > destroyed_at)
            and (hold.released_at is None or hold.released_at > destroyed_at)
            for hold in room.holds.of_case(case)
        )
