"""The sentence as a whole: what comes in, what follows, and that nothing else decides it."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec import Struct
from tests.fakes.desk import KNOWN_MD5, Desk, Outcome
from tests.synthetic.builders import TEXT, event_of, make_account, policy_text

from nightlight.ingest.envelope import parse_event
from nightlight.model.case import CaseStep, EvidenceKind
from nightlight.model.context import Context
from nightlight.model.effect import EffectKind
from nightlight.model.event import (
    Event,
    MediaUploaded,
    PostCreated,
    PostDeleted,
    PostEdited,
)
from nightlight.model.signal import SubjectKind
from nightlight.pipeline import judge
from nightlight.review.resolve import Resolution
from nightlight.town import TownPlan, build_town
from nightlight.town.materials import Materials

KIND = EffectKind
ADVERT = TEXT  # holds a listed term and a cue


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "home")


def post(name: str = "post-1", *, minutes: float = 0, text: str = ADVERT, media: str = "") -> Event:
    data = PostCreated(
        post_id=name,
        account_id="account-1",
        text=text,
        media_ids=(media,) if media else (),
        url=f"https://zorbleflux.example.test/{name}",
    )
    return event_of(data, minutes=minutes)


def known_file(name: str = "media-1") -> Event:
    return event_of(MediaUploaded(media_id=name, account_id="account-1", md5=KNOWN_MD5))


def kinds(outcome: Outcome) -> list[EffectKind]:
    return [effect.kind for effect in outcome.effects]


def test_ordinary_post_leaves_nothing_but_a_record_that_it_was_seen(desk: Desk) -> None:
    [batch] = desk.take_in(post(text="an ordinary tale about umbrellas"))
    assert (batch.events, batch.signals, batch.judged) == (1, (), ())
    assert desk.outcome() == Outcome(signals=[], decisions=[], effects=[], cases=[])
    assert desk.actions()[-1] == "events.accepted"


def test_advert_is_limited_sealed_and_shown_to_a_person(desk: Desk) -> None:
    desk.take_in(post())
    outcome = desk.outcome()
    assert kinds(outcome) == [KIND.LIMIT_REACH]
    [case] = outcome.cases
    assert case.decisions == (outcome.decisions[0].id,)
    assert outcome.effects[0].case_id == case.id
    assert {one.kind for one in desk.evidence(case.id)} == {EvidenceKind.POST}
    assert "decision.made" in desk.actions()


def test_event_told_twice_is_judged_once(desk: Desk) -> None:
    desk.take_in(post())
    [again] = desk.take_in(post(), post())
    assert (again.events, again.duplicates) == (0, 2)
    assert len(desk.outcome().decisions) == 1


def test_known_file_is_hidden_and_its_account_locked(desk: Desk) -> None:
    desk.take_in(known_file())
    outcome = desk.outcome()
    assert [(one.kind, one.subject.kind) for one in outcome.effects] == [
        (KIND.HIDE, SubjectKind.MEDIA),
        (KIND.LOCK, SubjectKind.ACCOUNT),
    ]


def test_file_that_nobody_could_fetch_is_held_and_not_passed(desk: Desk) -> None:
    lost = event_of(MediaUploaded(media_id="lost", account_id="account-1", url="lost.png"))
    [batch] = desk.take_in(lost)
    assert batch.unscanned == 1
    assert kinds(desk.outcome()) == [KIND.HOLD]
    assert len(desk.outcome().cases) == 1


def test_findings_about_one_account_make_one_case(desk: Desk) -> None:
    desk.take_in(post("post-1"), post("post-2", minutes=1))
    desk.take_in(known_file())
    [case] = desk.outcome().cases
    assert len(case.decisions) == 3
    assert case.category == "known_media"


def test_dismissed_post_is_not_limited_again(desk: Desk) -> None:
    desk.take_in(post())
    [case] = desk.outcome().cases
    dismissal = Resolution(step=CaseStep.DISMISS, reviewer="ana", reason="a quibble")
    desk.services.review.decide(case.id, dismissal)
    edit = PostEdited(post_id="post-1", account_id="account-1", text=ADVERT + " today")
    [batch] = desk.take_in(event_of(edit, minutes=9))
    [judged] = batch.judged
    assert [effect.kind for effect in judged.plan.effects] == [KIND.PRESERVE, KIND.REVIEW]
    assert judged.plan.withheld == ("limit_reach: a person dismissed this before",)


def test_effects_above_their_quota_become_review(tmp_path: Path) -> None:
    rule = {"asks": ["hide"], "category": "advert"}
    quota = '[[quotas]]\neffect = "hide"\nper_day = 2\n'
    desk = Desk(tmp_path, policy=policy_text(rule, more=quota))
    [first] = desk.take_in(post("p1"), post("p2"), post("p3"))
    [second] = desk.take_in(post("p4"))
    asked = [
        [effect.kind for effect in one.plan.effects] for one in (*first.judged, *second.judged)
    ]
    assert asked == [[KIND.HIDE], [KIND.HIDE], [KIND.REVIEW], [KIND.REVIEW]]


def test_post_that_repeats_a_deleted_one_is_found(desk: Desk) -> None:
    deletion = PostDeleted(post_id="post-1", account_id="account-1", deleted_by="author")
    events = [post(), event_of(deletion, minutes=5), post("post-2", minutes=9)]
    for size in (1, 3):
        desk.take_in(*events, size=size)
        rules = [reason.rule for reason in desk.outcome().decisions[-1].reasons]
        assert rules == ["advert", "advert-posted-again"]


@pytest.mark.parametrize("size", [1, 3])
def test_repost_is_found_though_the_deletion_arrives_after_it(desk: Desk, size: int) -> None:
    deletion = PostDeleted(post_id="post-1", account_id="account-1", deleted_by="author")
    late = event_of(deletion, minutes=5)
    desk.take_in(post(), post("post-2", minutes=9), late, size=size)
    [signal] = desk.outcome([late]).signals
    assert (signal.detector, signal.subject.id) == ("delete_repost", "post-2")


def test_same_event_and_context_are_judged_the_same_on_every_replay(desk: Desk) -> None:
    rules = desk.services.rules()
    context = Context(account=make_account(posts=3))
    first, second = (judge(post(), context, rules.detectors, rules.judge) for _ in range(2))
    assert first == second
    assert first.decision is not None


class Story(Struct, frozen=True, kw_only=True):
    """A stream of the town with its lists."""

    events: list[Event]
    folder: Path
    materials: Materials


def told(folder: Path, *, posts: int) -> Story:
    town = build_town(TownPlan(seed=7, accounts=100, posts=posts))
    lines = list(town.events())
    materials = town.write_materials(folder / "events")
    return Story(events=[parse_event(line) for line in lines], folder=folder, materials=materials)


def judged_in_batches(story: Story, events: Sequence[Event], home: Path, size: int) -> Outcome:
    desk = Desk(home, media_root=story.folder, lists=False)
    bank, lexicon = story.materials.bank, story.materials.lexicon
    assert bank is not None
    assert lexicon is not None
    desk.import_lists(bank.read_text().splitlines(), lexicon.read_text().splitlines())
    desk.take_in(*events, size=size)
    assert desk.services.record.verify().intact
    return desk.outcome(events)


def busiest(events: Sequence[Event], most: int) -> list[Event]:
    """Return the events of the accounts that delete, upload and report most, in their order."""
    weight: dict[str, int] = {}
    for event in events:
        if isinstance(event.data, PostDeleted | MediaUploaded):
            weight[event.account_id] = weight.get(event.account_id, 0) + 1
    chosen: set[str] = set()
    for account_id in sorted(weight, key=lambda one: (-weight[one], one)):
        chosen.add(account_id)
        if sum(event.account_id in chosen for event in events) >= most:
            break
    return [event for event in events if event.account_id in chosen]


def test_batches_of_any_size_give_the_same_decisions(tmp_path: Path) -> None:
    story = told(tmp_path, posts=500)
    events = busiest(story.events, 100)
    whole = judged_in_batches(story, events, tmp_path / "whole", 1000)
    assert len(whole.decisions) > 10
    for size in (1, 7):
        assert judged_in_batches(story, events, tmp_path / str(size), size) == whole


@pytest.mark.soak
def test_batches_of_any_size_give_the_same_decisions_in_a_long_stream(tmp_path: Path) -> None:
    story = told(tmp_path, posts=1500)
    whole = judged_in_batches(story, story.events, tmp_path / "whole", 1000)
    assert len(whole.decisions) > 100
    for size in (1, 7, 100):
        assert judged_in_batches(story, story.events, tmp_path / str(size), size) == whole
