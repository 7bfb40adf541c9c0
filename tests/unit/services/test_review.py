"""A person's decision changes state, effects, tip and record together, or not at all."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.desk import KNOWN_MD5, Desk
from tests.synthetic.builders import TEXT, event_of
from tests.synthetic.pictures import as_file, drawn

from nightlight.errors import Conflict, InvalidInput, NotFound
from nightlight.model.case import Case, CaseState, CaseStep
from nightlight.model.cybertip import CyberTip
from nightlight.model.effect import EffectKind
from nightlight.model.event import (
    AccountCreated,
    Event,
    MediaUploaded,
    PostCreated,
    UserReportCreated,
)
from nightlight.model.ids import AccountId, CaseId, PostId
from nightlight.model.incident import WebPage
from nightlight.review.resolve import Resolution

KIND = EffectKind


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    root = tmp_path / "media"
    root.mkdir()
    (root / "a.png").write_bytes(as_file(drawn(1)))
    return Desk(tmp_path / "home", media_root=root)


ACCOUNT = event_of(AccountCreated(account_id="account-1", handle="quib"), minutes=-9)


def upload(*, url: str) -> Event:
    return event_of(
        MediaUploaded(media_id="media-1", account_id="account-1", url=url, md5=KNOWN_MD5)
    )


def advert(name: str = "post-1", *, media: tuple[str, ...] = ()) -> Event:
    data = PostCreated(
        post_id=name,
        account_id="account-1",
        text=TEXT,
        media_ids=media,
        url=f"https://zorbleflux.example.test/{name}",
    )
    return event_of(data, minutes=1)


def open_case(desk: Desk, *events: Event) -> Case:
    desk.take_in(ACCOUNT, *events)
    [case] = desk.outcome().cases
    return case


def decide(
    desk: Desk, case: Case, step: CaseStep, *, dry_run: bool = False, by: str = "ana", **more: Any
) -> list[EffectKind]:
    """Return the effects that the step asked for."""
    resolution = Resolution(step=step, reviewer=by, reason="a quibble", **more)
    resolved = desk.services.review.decide(case.id, resolution, dry_run=dry_run)
    effects = desk.outcome().effects
    return [one.kind for one in effects if one.decision_id == resolved.decision.id]


def tip_of(desk: Desk) -> CyberTip:
    with desk.services.unit_of_work.read() as tx:
        [stored] = tx.tips.newest(9)
        return tx.tips.load(stored.tip_id)[0]


def state_of(desk: Desk) -> CaseState:
    [case] = desk.outcome().cases
    return case.state


def test_confirmed_advert_is_removed_and_reported(desk: Desk) -> None:
    asked = decide(desk, open_case(desk, advert()), CaseStep.CONFIRM)
    assert asked == [KIND.REMOVE, KIND.SUSPEND]
    assert state_of(desk) is CaseState.CONFIRMED
    tip = tip_of(desk)
    assert tip.reported[0].handle == "quib"
    assert tip.places == (WebPage(urls=("https://zorbleflux.example.test/post-1",)),)
    assert desk.actions()[-1] == "case.confirmed"


def test_tip_does_not_state_a_suspension_that_nobody_has_confirmed(desk: Desk) -> None:
    decide(desk, open_case(desk, advert()), CaseStep.CONFIRM)
    assert tip_of(desk).reported[0].disabled is None


def test_file_that_was_never_sealed_is_hidden_instead_of_removed(desk: Desk) -> None:
    case = open_case(desk, upload(url=""))
    assert decide(desk, case, CaseStep.CONFIRM) == [KIND.HIDE, KIND.LOCK]


def test_post_that_shows_an_unsealed_file_is_hidden_instead_of_removed(desk: Desk) -> None:
    case = open_case(desk, advert(media=("lost",)))
    assert decide(desk, case, CaseStep.CONFIRM) == [KIND.HIDE, KIND.LOCK]


def test_post_that_shows_a_sealed_file_is_removed(desk: Desk) -> None:
    picture = MediaUploaded(media_id="media-1", account_id="account-1", url="a.png")
    case = open_case(desk, event_of(picture), advert(media=("media-1",)))
    assert decide(desk, case, CaseStep.CONFIRM) == [KIND.REMOVE, KIND.SUSPEND]
    [file] = tip_of(desk).files
    assert not file.viewed


def test_dry_run_stores_nothing(desk: Desk) -> None:
    case = open_case(desk, advert())
    before = desk.actions()
    assert decide(desk, case, CaseStep.CONFIRM, dry_run=True) == []
    assert state_of(desk) is CaseState.OPEN
    assert desk.actions() == before


def test_dismissal_takes_back_and_reports_nothing(desk: Desk) -> None:
    asked = decide(desk, open_case(desk, advert()), CaseStep.DISMISS)
    assert asked == [KIND.RESTORE], "nothing was asked of the account, so nothing is taken back"
    with desk.services.unit_of_work.read() as tx:
        assert tx.tips.newest(9) == []


def test_appeal_that_is_granted_takes_back(desk: Desk) -> None:
    case = open_case(desk, advert())
    decide(desk, case, CaseStep.CONFIRM)
    assert decide(desk, case, CaseStep.APPEAL) == []
    answer = decide(desk, case, CaseStep.OVERTURN, by="ben")
    assert sorted(answer) == [KIND.REINSTATE, KIND.RESTORE]
    with desk.services.unit_of_work.read() as tx:
        [account] = tx.context.accounts([case.account_id]).values()
    assert (account.human_decision, account.suspended) == ("dismissed", False)


def test_case_is_decided_once(desk: Desk) -> None:
    case = open_case(desk, advert())
    decide(desk, case, CaseStep.DISMISS)
    with pytest.raises(Conflict):
        decide(desk, case, CaseStep.CONFIRM)


def test_case_that_does_not_exist_is_not_found(desk: Desk) -> None:
    resolution = Resolution(step=CaseStep.CONFIRM, reviewer="ana", reason="x")
    with pytest.raises(NotFound):
        desk.services.review.decide(CaseId("nowhere"), resolution)


def test_refused_decision_leaves_nothing_behind(desk: Desk) -> None:
    case = open_case(desk, advert())
    before = desk.actions()
    resolution = Resolution(step=CaseStep.CONFIRM, reviewer="ana", reason=" ")
    with pytest.raises(InvalidInput):
        desk.services.review.decide(case.id, resolution)
    assert desk.actions() == before
    assert state_of(desk) is CaseState.OPEN


def test_case_about_a_post_of_nobody_known_suspends_nobody(desk: Desk) -> None:
    report = UserReportCreated(
        user_report_id="r", account_id="account-9", post_id="post-9", reason="child_safety"
    )
    case = open_case(desk, event_of(report))
    assert case.account_id == ""
    assert decide(desk, case, CaseStep.CONFIRM) == [KIND.HIDE]


def reported(name: str, post: str) -> Event:
    """Return a user report that asks for review whatever it is about."""
    data = UserReportCreated(
        user_report_id=name, account_id="account-9", post_id=post, reason="child_safety"
    )
    return event_of(data, minutes=5)


def open_now(desk: Desk) -> Case:
    [case] = [one for one in desk.outcome().cases if one.state is CaseState.OPEN]
    return case


def test_dismissing_a_later_case_takes_nothing_back_that_another_case_confirmed(
    desk: Desk,
) -> None:
    decide(desk, open_case(desk, advert()), CaseStep.CONFIRM)
    desk.take_in(reported("r1", "post-1"))
    assert decide(desk, open_now(desk), CaseStep.DISMISS, by="ben") == []
    with desk.services.unit_of_work.read() as tx:
        [account] = tx.context.accounts([AccountId("account-1")]).values()
        [post] = tx.context.posts([PostId("post-1")]).values()
    assert (account.human_decision, account.suspended) == ("confirmed", True)
    assert post.human_decision == "confirmed"


def test_confirming_is_about_the_case_and_leaves_other_findings_open(desk: Desk) -> None:
    unscanned = event_of(MediaUploaded(media_id="holiday", account_id="account-1"))
    case = open_case(desk, unscanned, upload(url=""))
    assert len(case.decisions) == 2
    resolution = Resolution(step=CaseStep.CONFIRM, reviewer="ana", reason="known")
    resolved = desk.services.review.decide(case.id, resolution)
    assert {one.subject.id for one in resolved.effects} == {"media-1", "account-1"}
    assert "holiday" not in tip_of(desk).narrative
    left = open_now(desk)
    assert (left.category, len(left.decisions)) == ("unscanned", 1)
    with desk.services.unit_of_work.read() as tx:
        assert {one.content_id for one in tx.evidence.of_case(left.id)} >= {"account-1"}
        kept = {one.decision_id for one in tx.evidence.of_case(case.id)}
    assert kept.isdisjoint(left.decisions)


def test_finding_that_came_in_unseen_is_not_confirmed(desk: Desk) -> None:
    case = open_case(desk, advert())
    desk.take_in(advert("post-2"))
    with pytest.raises(Conflict, match="more came in meanwhile"):
        decide(desk, case, CaseStep.CONFIRM, findings_shown=1)
    assert state_of(desk) is CaseState.OPEN


def test_only_the_named_findings_are_decided(desk: Desk) -> None:
    case = open_case(desk, advert(), advert("post-2"))
    decide(desk, case, CaseStep.DISMISS, findings=(case.decisions[0],))
    assert open_now(desk).decisions == case.decisions[1:]


def test_tip_waits_while_its_case_is_appealed_and_for_good_once_it_is_overturned(
    desk: Desk,
) -> None:
    case = open_case(desk, advert())
    decide(desk, case, CaseStep.CONFIRM)
    later = desk.services.clock.now() + timedelta(days=9)
    with desk.services.unit_of_work.read() as tx:
        assert len(tx.tips.due(later, 9)) == 1
    for step, who in ((CaseStep.APPEAL, "the owner"), (CaseStep.OVERTURN, "ben")):
        decide(desk, case, step, by=who)
        with desk.services.unit_of_work.read() as tx:
            assert tx.tips.due(later, 9) == []


def test_appeal_does_not_change_who_decided_and_another_person_answers_it(desk: Desk) -> None:
    case = open_case(desk, advert())
    decide(desk, case, CaseStep.CONFIRM)
    decide(desk, case, CaseStep.APPEAL, by="the owner")
    [appealed] = desk.outcome().cases
    assert appealed.decided_by == "ana"
    with pytest.raises(Conflict, match="another person"):
        decide(desk, case, CaseStep.OVERTURN)


def test_post_that_a_user_reported_is_sealed_so_that_it_can_be_removed(desk: Desk) -> None:
    plain = PostCreated(post_id="post-7", account_id="account-1", text="an ordinary post")
    case = open_case(desk, event_of(plain, minutes=1), reported("r1", "post-7"))
    assert decide(desk, case, CaseStep.CONFIRM) == [KIND.REMOVE, KIND.SUSPEND]


def test_post_that_came_before_its_picture_is_hidden_with_it(desk: Desk) -> None:
    early = PostCreated(post_id="post-8", account_id="account-1", media_ids=("media-1",))
    late = MediaUploaded(
        media_id="media-1", account_id="account-1", post_id="post-8", md5=KNOWN_MD5
    )
    open_case(desk, event_of(early, minutes=1), event_of(late, minutes=2))
    hidden = {one.subject.id for one in desk.outcome().effects if one.kind is KIND.HIDE}
    assert hidden == {"media-1", "post-8"}


def test_finding_that_the_case_lacks_is_refused(desk: Desk) -> None:
    case = open_case(desk, advert())
    with pytest.raises(InvalidInput, match="not a finding of this case"):
        decide(desk, case, CaseStep.CONFIRM, findings=("dec_elsewhere",))
    assert state_of(desk) is CaseState.OPEN
