"""A person's decision changes state, effects, tip and record together, or not at all."""

from pathlib import Path

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
from nightlight.model.ids import CaseId
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


def decide(desk: Desk, case: Case, step: CaseStep, *, dry_run: bool = False) -> list[EffectKind]:
    """Return the effects that the step asked for."""
    resolution = Resolution(step=step, reviewer="ana", reason="a quibble")
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
    assert (tip.handle, tip.urls) == ("quib", ("https://zorbleflux.example.test/post-1",))
    assert desk.actions()[-1] == "case.confirmed"


def test_tip_does_not_state_a_suspension_that_nobody_has_confirmed(desk: Desk) -> None:
    decide(desk, open_case(desk, advert()), CaseStep.CONFIRM)
    assert tip_of(desk).suspended_at is None


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
    assert asked == [KIND.REINSTATE, KIND.RESTORE]
    with desk.services.unit_of_work.read() as tx:
        assert tx.tips.newest(9) == []


def test_appeal_that_is_granted_takes_back(desk: Desk) -> None:
    case = open_case(desk, advert())
    decide(desk, case, CaseStep.CONFIRM)
    assert decide(desk, case, CaseStep.APPEAL) == []
    assert decide(desk, case, CaseStep.OVERTURN) == [KIND.REINSTATE, KIND.RESTORE]
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
