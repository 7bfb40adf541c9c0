"""Two years on a simulated clock: what is due is destroyed then, and never a second before."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from msgspec import Struct
from tests.fakes.cybertip_store import NOON, HandClock
from tests.fakes.evidence_room import WHO, EvidenceRoom

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.model.case import CaseState
from nightlight.model.ids import CaseId
from nightlight.preserve.ports import KeyRing

DAYS = 2 * 365 + 30
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
YEAR = timedelta(days=366)
_NEVER = datetime.max.replace(tzinfo=NOON.tzinfo)
#: Few contents for many files: most bytes are needed by several cases.
CONTENTS = tuple(f"zorbleflux {number}".encode() for number in range(9))


class Life(Struct, kw_only=True):
    """What happens to one case, told apart from what Nightlight makes of it.

    Attributes:
        sealed: content of each file.
        decided, filed: days; ``filed`` is None where nothing is reported.
        appeal: the day of an appeal and of its answer.
        holds: from which day up to which, and whether somebody releases it then.
    """

    name: str
    opened: int
    decided: int
    sealed: dict[str, bytes]
    filed: int | None = None
    appeal: tuple[int, int] | None = None
    holds: list[tuple[int, int, bool]]

    def due(self) -> datetime:
        """Return when all of it is due."""
        start = self.decided if self.filed is None else self.filed
        if self.appeal is not None and self.filed is None:
            start = self.appeal[1]
        due = NOON + start * DAY + YEAR
        while True:
            ends = [
                NOON + end * DAY
                for begin, end, _ in self.holds
                if NOON + begin * DAY <= due < NOON + end * DAY
            ]
            if self.appeal is not None and NOON + self.appeal[0] * DAY <= due:
                ends += [NOON + self.appeal[1] * DAY]
            later = max([one for one in ends if one > due], default=due)
            if later == due:
                return due
            due = later


def lives(chance: random.Random) -> list[Life]:
    found = []
    for number in range(25):
        opened = chance.randrange(200)
        decided = opened + chance.randrange(1, 40)
        filed = decided + chance.choice([0, 1, 30]) if chance.random() < 0.6 else None
        last = decided if filed is None else filed
        appeal = None
        if chance.random() < 0.3:
            begun = last + chance.randrange(1, 300)
            appeal = (begun, begun + chance.choice([5, 40, 200]))
        holds = []
        for _ in range(chance.choice([0, 0, 1, 2])):
            begin = last + chance.randrange(1, 350)
            holds.append((begin, begin + chance.randrange(10, 400), chance.random() < 0.5))
        name = f"case-{number}"
        files = range(chance.randrange(1, 4))
        found.append(
            Life(
                name=name,
                opened=opened,
                decided=decided,
                filed=filed,
                appeal=appeal,
                sealed={f"{name}-file-{file}": chance.choice(CONTENTS) for file in files},
                holds=holds,
            )
        )
    return found


def diary(room: EvidenceRoom, life: Life) -> dict[int, list[Callable[[], object]]]:
    """Return what is to be done for a case, by day."""
    plan: dict[int, list[Callable[[], object]]] = {}

    def on(day: int, act: Callable[[], object]) -> None:
        plan.setdefault(day, []).append(act)

    def begin() -> None:
        room.case(life.name, CaseState.OPEN)
        for evidence_id, content in life.sealed.items():
            room.seal(evidence_id, life.name, content)

    on(life.opened, begin)
    reported = life.filed is not None
    on(life.decided, lambda: room.move(life.name, CaseState.CONFIRMED))
    if life.filed is not None:
        on(life.decided, lambda: room.draft(life.name))
        on(life.filed, lambda: room.file(life.name))
    if life.appeal is not None:
        answer = CaseState.UPHELD if reported else CaseState.OVERTURNED
        on(life.appeal[0], lambda: room.move(life.name, CaseState.APPEALED))
        on(life.appeal[1], lambda: room.move(life.name, answer))
    for number, when in enumerate(life.holds):
        _hold(room, life.name, f"letter {number}", on, when)
    return plan


def _hold(
    room: EvidenceRoom,
    case: str,
    reference: str,
    on: Callable[[int, Callable[[], object]], None],
    when: tuple[int, int, bool],
) -> None:
    """Place a hold: without an end and released, or up to half its time and then extended."""
    begin, end, is_released = when
    half = (begin + end) // 2
    ids: list[str] = []

    def place() -> None:
        until = None if is_released else NOON + half * DAY
        hold = room.holds.place(CaseId(case), reference=reference, until=until, **WHO)
        ids.append(hold.id)

    on(begin, place)
    if is_released:
        on(end, lambda: room.holds.release(ids[0], **WHO))
    else:
        on(half, lambda: room.holds.extend(ids[0], until=NOON + end * DAY, **WHO))


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(more, marks=pytest.mark.soak) for more in range(2, 12))]
)
def test_for_two_years_everything_is_destroyed_on_its_day_and_shared_bytes_survive(
    unit_of_work: SqlUnitOfWork, clock: HandClock, keys: KeyRing, seed: int
) -> None:
    room = EvidenceRoom(unit_of_work, clock, keys)
    all_lives = lives(random.Random(seed))  # noqa: S311  not for secrets
    plans = [diary(room, life) for life in all_lives]
    due = {one: life.due() for life in all_lives for one in life.sealed}
    content = {one: data for life in all_lives for one, data in life.sealed.items()}
    gone: dict[str, datetime] = {}
    shared = 0
    due_days = set(due.values())
    for day in range(DAYS):
        if NOON + day * DAY in due_days:
            clock.at = NOON + day * DAY - SECOND
            assert room.retention.run_due().destroyed == 0, "not a second before"
        clock.at = NOON + day * DAY
        for plan in plans:
            for act in plan.get(day, ()):
                act()
        done = room.retention.run_due()
        shared += done.shared
        if done.destroyed:
            sealed = [one for life in all_lives if life.opened <= day for one in life.sealed]
            gone |= {one: clock.at for one in sealed if room.destroyed_at(one) == clock.at}
            # The bytes are there exactly as long as anybody's evidence is them.
            needed = {
                room.vault.name_of(room.evidence(one).digest) for one in sealed if one not in gone
            }
            assert set(room.blobs.kept) == needed
    assert gone == {one: at for one, at in due.items() if at < NOON + DAYS * DAY}
    assert len(gone) > len(content) / 2
    assert shared > 0
    certificates = room.entries("evidence.destroyed")
    assert sorted(one.subject for one in certificates) == sorted(gone)
