"""A deletion never destroys a finding: where any signal fired, the post is sealed."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from tests.fakes.cybertip_store import HandClock
from tests.fakes.desk import Desk
from tests.ports.builders import ENTRY, make_case, make_decision
from tests.synthetic.builders import at, event_of, policy_text

from nightlight.errors import Unavailable
from nightlight.model.case import CaseState, Evidence, EvidenceKind
from nightlight.model.custody import TRIES, Access, KeptPost
from nightlight.model.event import (
    Event,
    MediaUploaded,
    PostCreated,
    PostDeleted,
    PostEdited,
    UserReportCreated,
)
from nightlight.model.ids import AccountId, CaseId
from nightlight.model.media import Scan, ScanState
from nightlight.preserve.seal import Finding, Sealed, Sealer
from nightlight.services.destroying import Destroying
from nightlight.services.kept_posts import KeptPosts
from nightlight.services.retention import Retention

MENTION = "he said zorbleflux once"
#: Nothing that the tests do makes this rule act.
QUIET = policy_text({"when": "term_count >= 99"})


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Desk:
    return Desk(tmp_path / "home", policy=QUIET, database_url=database_url)


def post(name: str = "p", said: str = MENTION, *, media: str = "", minutes: float = 0) -> Event:
    files = (media,) if media else ()
    data = PostCreated(post_id=name, account_id="ana", text=said, media_ids=files)
    return event_of(data, minutes=minutes)


def deleted(name: str = "p", *, minutes: float = 9) -> Event:
    return event_of(PostDeleted(post_id=name, account_id="ana"), minutes=minutes)


def edited(said: str, *, minutes: float = 5) -> Event:
    return event_of(PostEdited(post_id="p", account_id="ana", text=said), minutes=minutes)


def kept(desk: Desk) -> list[KeptPost]:
    desk.services.kept_posts.run_due()
    return desk.services.kept_posts.newest(100)


def sealed(desk: Desk) -> set[str]:
    """Return the words of every kept post that the vault holds."""
    opened: set[str] = set()
    for one in kept(desk):
        for evidence in desk.evidence(one.id):
            if evidence.kind is EvidenceKind.POST:
                parts = desk.services.evidence.open(evidence.id, Access(person="a", purpose="t"))
                opened.add(json.loads(b"".join(parts.parts))["data"]["text"])
    return opened


@pytest.mark.parametrize("size", [1000, 1])
def test_deleted_post_with_a_signal_is_sealed_though_no_rule_asked(desk: Desk, size: int) -> None:
    desk.take_in(post(), deleted(), size=size)
    assert desk.outcome().cases == []
    assert sealed(desk) == {MENTION}
    [one] = kept(desk)
    assert (one.post_id, one.account_id, one.complete, one.attempts) == ("p", "ana", True, 1)
    assert desk.actions()[-2:] == ["evidence.sealed", "evidence.opened"]


@pytest.mark.parametrize("size", [1000, 1])
def test_deleted_post_without_a_signal_is_not_sealed(desk: Desk, size: int) -> None:
    desk.take_in(post("q", "tea at noon"), deleted("q"), post(), size=size)
    assert kept(desk) == []


@pytest.mark.parametrize("size", [1000, 1])
def test_deletion_that_is_told_first_is_no_way_out(desk: Desk, size: int) -> None:
    desk.take_in(deleted(), post(), size=size)
    assert sealed(desk) == {MENTION}


def test_words_that_an_edit_took_away_are_sealed_with_the_last_ones(desk: Desk) -> None:
    desk.take_in(post(), edited("tea at noon"))
    desk.take_in(deleted(), deleted(minutes=12))
    assert sealed(desk) == {MENTION, "tea at noon"}
    assert len(kept(desk)) == 2


def test_user_report_on_a_deleted_post_seals_it(desk: Desk) -> None:
    report = UserReportCreated(user_report_id="r", account_id="ben", post_id="p", reason="x")
    desk.take_in(post(said="tea at noon"), deleted(), event_of(report, minutes=20))
    assert sealed(desk) == {"tea at noon"}


def test_hunt_that_finds_what_is_gone_seals_it(desk: Desk) -> None:
    desk.take_in(post(said="one plimquat"), deleted())
    assert kept(desk) == []
    line = '{"text": "plimquat", "kind": "term"}'
    desk.services.lists.import_lexicon("late", [line], actor="ana", reason="news")
    while desk.services.hunts.step() is not None:
        pass
    assert sealed(desk) == {"one plimquat"}


def test_what_was_sealed_for_a_case_is_not_sealed_again(tmp_path: Path, database_url: str) -> None:
    desk = Desk(tmp_path / "home", policy=policy_text(), database_url=database_url)
    desk.take_in(post(), deleted())
    assert len(desk.outcome().cases) == 1
    assert kept(desk) == []


def test_deletion_that_could_not_be_judged_seals_the_post_for_its_case(desk: Desk) -> None:
    desk.take_in(post())
    desk.services.pipeline.accept([deleted()])
    desk.services.pipeline.set_aside(why="a test")
    [case] = desk.outcome().cases
    assert post().key in {one.content_id for one in desk.evidence(case.id)}
    assert kept(desk) == []


def test_it_is_kept_from_its_sealing_on_and_then_destroyed(desk: Desk) -> None:
    desk.take_in(post(), deleted())
    [one] = kept(desk)
    retained = desk.services.retention.of_case(one.id)[0]
    due = retained.kept.due_at
    assert due == retained.evidence.sealed_at + timedelta(days=366)
    assert retained.kept.rule == "366 days from its sealing; no rule asked for anything"
    assert {r.evidence.case_id for r in desk.services.retention.due(at=due)} == {one.id}
    then = HandClock(due + timedelta(days=1))
    services = desk.services
    destroying = Destroying(unit_of_work=services.unit_of_work, vault=services.vault, clock=then)
    retention = Retention(unit_of_work=services.unit_of_work, destroying=destroying, clock=then)
    assert retention.run_due().destroyed == 2  # the post and the profile
    desk.take_in(deleted(minutes=20))
    assert kept(desk) == [one]
    assert desk.evidence(one.id) == []


def open_case(desk: Desk, state: CaseState) -> None:
    with desk.services.unit_of_work.begin() as tx:
        tx.decisions.add([make_decision("1", account_id=AccountId("ana"))])
        tx.cases.save(make_case("1", account_id=AccountId("ana"), state=state))
        tx.commit(ENTRY)


@pytest.mark.parametrize(
    ("state", "because"),
    [(CaseState.OPEN, ("a case of its account is not settled",)), (CaseState.DISMISSED, ())],
)
def test_unsettled_case_of_its_account_keeps_it(
    desk: Desk, state: CaseState, because: tuple[str, ...]
) -> None:
    desk.take_in(post(), deleted())
    open_case(desk, state)
    [one] = kept(desk)
    retained = desk.services.retention.of_case(one.id)[0]
    assert retained.kept.because == because


def test_legal_hold_keeps_it(desk: Desk) -> None:
    desk.take_in(post(), deleted())
    [one] = kept(desk)
    desk.services.holds.place(one.id, reference="letter 9", until=None, person="ana", reason="law")
    retained = desk.services.retention.of_case(one.id)[0]
    assert retained.kept.because == ("hold letter 9",)


def keeper(
    desk: Desk, clock: HandClock, fetch: Callable[[str], Scan], sealer: Sealer | None = None
) -> KeptPosts:
    sealer = sealer or Sealer(vault=desk.services.vault, clock=clock)
    return KeptPosts(
        unit_of_work=desk.services.unit_of_work, sealer=sealer, fetch=fetch, clock=clock
    )


def test_file_is_asked_for_again_and_given_up_only_after_two_days(desk: Desk) -> None:
    file = MediaUploaded(media_id="m", account_id="ana", url="m.png", md5="22" * 16)
    desk.take_in(event_of(file), post(media="m"), deleted())
    asked: list[str] = []

    def fetch(url: str) -> Scan:
        asked.append(url)
        return Scan(state=ScanState.UNREACHABLE)

    with desk.services.unit_of_work.read() as tx:
        [first] = tx.kept_posts.newest(1)
    clock = HandClock()
    clock.at = first.noticed_at
    posts = keeper(desk, clock, fetch)
    while posts.run_due():
        [one] = posts.newest(1)
        clock.at = one.next_at or clock.at
    assert len(asked) == one.attempts == TRIES
    assert clock.at - first.noticed_at > timedelta(days=1)
    assert {e.kind for e in desk.evidence(one.id)} == {EvidenceKind.POST, EvidenceKind.PROFILE}
    with desk.services.unit_of_work.read() as tx:
        assert tx.kept_posts.given_up() == 1


class Patchy(Sealer):
    """Seals what it is let seal."""

    def __init__(self, desk: Desk, instead: Callable[[Finding], Sealed | None]) -> None:
        super().__init__(vault=desk.services.vault, clock=desk.services.clock)
        self._instead = instead

    def seal(self, finding: Finding, *, fetched: Mapping[str, Scan]) -> Sealed:
        return self._instead(finding) or super().seal(finding, fetched=fetched)


def test_post_is_never_given_up_while_the_vault_is_away(desk: Desk) -> None:
    desk.take_in(post(), deleted())
    clock = HandClock()
    [one] = desk.services.kept_posts.newest(1)
    clock.at = one.noticed_at
    nothing = Patchy(desk, lambda _: Sealed(evidence=(), complete=False))
    away = keeper(desk, clock, lambda _: Scan(state=ScanState.UNREACHABLE), nothing)
    for _ in range(TRIES + 3):
        assert away.run_due() == 1
        [one] = away.newest(1)
        assert one.next_at is not None
        clock.at = one.next_at
    back = keeper(desk, clock, lambda _: Scan(state=ScanState.UNREACHABLE))
    assert back.run_due() == 1
    assert sealed(desk) == {MENTION}


def fail_for_plonk(finding: Finding) -> None:
    data = finding.events[0].data
    if isinstance(data, PostCreated) and "plonk" in data.text:
        raise Unavailable("a quibble")


def test_one_that_fails_keeps_no_other_waiting(desk: Desk) -> None:
    bad = post("bad", "zorbleflux plonk")
    desk.take_in(bad, deleted("bad"), post(), deleted())
    clock = HandClock()
    clock.at = desk.services.clock.now()
    failing = Patchy(desk, fail_for_plonk)
    with pytest.raises(Unavailable):
        keeper(desk, clock, lambda _: Scan(state=ScanState.UNREACHABLE), failing).run_due()
    found = {one.post_id: one.complete for one in desk.services.kept_posts.newest(9)}
    assert found == {"bad": False, "p": True}
    assert sealed(desk) == {MENTION, "zorbleflux plonk"}


def test_evidence_of_an_account_alone_is_told(desk: Desk) -> None:
    desk.take_in(post(), deleted())
    desk.services.kept_posts.run_due()
    posts = desk.services.kept_posts
    assert [one.post_id for one in posts.newest(5, account_id="ana")] == ["p"]
    assert posts.newest(5, account_id="ben") == []
    [one] = posts.newest(5)
    assert one.deleted_at == at(9)
    assert isinstance(desk.evidence(CaseId(one.id))[0], Evidence)
