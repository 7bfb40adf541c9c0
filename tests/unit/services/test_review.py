"""A person's decision changes state, effects, tip and record together, or not at all."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from msgspec.structs import replace
from tests.fakes.cybertip_store import HandClock
from tests.fakes.desk import KNOWN_MD5, Desk
from tests.fakes.drafting import drafting_of
from tests.synthetic.builders import TEXT, event_of
from tests.synthetic.ncmec_schema import SCHEMAS
from tests.synthetic.pictures import as_file, drawn

from nightlight.errors import Conflict, InvalidInput, NotFound
from nightlight.model.audit import AuditEntry
from nightlight.model.case import Case, CaseState, CaseStep
from nightlight.model.cybertip import CyberTip
from nightlight.model.effect import DeliveryState, EffectKind
from nightlight.model.event import (
    AccountCreated,
    AccountUpdated,
    Event,
    MediaUploaded,
    PostCreated,
    UserReportCreated,
)
from nightlight.model.filing import TipState
from nightlight.model.ids import AccountId, CaseId, EffectId, PostId
from nightlight.model.incident import Annotation, Chat, IncidentType, WebPage
from nightlight.model.person import CaptureKind, Disabled
from nightlight.report.document import report_xml
from nightlight.report.reporter import Contact, Reporter
from nightlight.report.schema import validate
from nightlight.review.resolve import Resolution
from nightlight.services.deadlines import Deadlines
from nightlight.services.filing import StoredTips
from nightlight.services.review import Review
from nightlight.services.rules import default_policy

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


def filed_as(desk: Desk) -> CyberTip:
    """Return the tip as it would be filed now."""
    tips = StoredTips(
        unit_of_work=desk.services.unit_of_work,
        clock=desk.services.clock,
        drafting=drafting_of(desk.services),
    )
    return tips.load(tip_of(desk).id)[0]


def let_the_platform_confirm(desk: Desk, *kinds: EffectKind) -> datetime:
    """Deliver the effects of these kinds that wait, refuse the others; return when."""
    now = desk.services.clock.now() + timedelta(days=1)
    with desk.services.unit_of_work.begin() as tx:
        while claimed := tx.outbox.claim(now=now, lease_s=0, limit=99):
            for one in claimed:
                arrived = one.effect.kind in kinds
                state = DeliveryState.DELIVERED if arrived else DeliveryState.DEAD
                at = now if arrived else None
                tx.outbox.settle([replace(one, state=state, delivered_at=at)])
        tx.commit_unrecorded()
    return now


def test_tip_does_not_state_a_suspension_that_the_platform_has_not_confirmed(desk: Desk) -> None:
    decide(desk, open_case(desk, advert()), CaseStep.CONFIRM)
    assert filed_as(desk).reported[0].disabled is None
    let_the_platform_confirm(desk, KIND.REMOVE)
    assert filed_as(desk).reported[0].disabled is None


def test_tip_states_since_when_the_account_is_suspended_and_that_it_can_be_lifted(
    desk: Desk,
) -> None:
    decide(desk, open_case(desk, advert()), CaseStep.CONFIRM)
    at = let_the_platform_confirm(desk, KIND.REMOVE, KIND.SUSPEND)
    assert filed_as(desk).reported[0].disabled == Disabled(permanently=False, at=at)


def test_tip_states_no_suspension_that_was_lifted(desk: Desk) -> None:
    decide(desk, open_case(desk, advert()), CaseStep.CONFIRM)
    let_the_platform_confirm(desk, KIND.SUSPEND)
    with desk.services.unit_of_work.begin() as tx:
        [suspension] = [
            one.effect for one in tx.outbox.newest(9) if one.effect.kind is KIND.SUSPEND
        ]
        lifted = replace(suspension, id=EffectId("lifted"), kind=KIND.REINSTATE)
        tx.outbox.put([lifted], at=desk.services.clock.now() + timedelta(hours=1))
        tx.commit_unrecorded()
    let_the_platform_confirm(desk, KIND.REINSTATE)
    assert filed_as(desk).reported[0].disabled is None


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
        assert len(tx.tips.due(later, 9, destination="ncmec")) == 1
    for step, who in ((CaseStep.APPEAL, "the owner"), (CaseStep.OVERTURN, "ben")):
        decide(desk, case, step, by=who)
        with desk.services.unit_of_work.read() as tx:
            assert tx.tips.due(later, 9, destination="ncmec") == []


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


def report_policy(more: str) -> bytes:
    """Return the built-in policy with more said of what follows for confirmed adverts."""
    text = default_policy().decode()
    return text.replace("[confirmed.advert]\n", f"[confirmed.advert]\n{more}\n").encode()


def confirm_two_adverts(desk: Desk) -> list[CyberTip]:
    """Return the tips after two cases of one account were confirmed one after the other."""
    decide(desk, open_case(desk, advert()), CaseStep.CONFIRM)
    desk.take_in(advert("post-2"))
    [second] = [one for one in desk.outcome().cases if one.state is CaseState.OPEN]
    decide(desk, second, CaseStep.CONFIRM)
    with desk.services.unit_of_work.read() as tx:
        return [tx.tips.load(one.tip_id)[0] for one in reversed(tx.tips.newest(9))]


def test_a_further_case_of_a_reported_account_is_a_further_tip_that_names_the_first(
    desk: Desk,
) -> None:
    decide(desk, open_case(desk, advert()), CaseStep.CONFIRM)
    file_first(desk, "7000001")
    desk.take_in(advert("post-2"))
    [second] = [one for one in desk.outcome().cases if one.state is CaseState.OPEN]
    decide(desk, second, CaseStep.CONFIRM)
    with desk.services.unit_of_work.read() as tx:
        [stored] = tx.tips.of_case(second.id)
        tip = tx.tips.load(stored.tip_id)[0]
    assert tip.reported[0].prior_reports == (7000001,)
    assert "follows CyberTipline report(s) 7000001" in tip.narrative


def file_first(desk: Desk, remote_id: str) -> None:
    """Let the only tip be filed under a report id."""
    with desk.services.unit_of_work.begin() as tx:
        [stored] = tx.tips.newest(9)
        filed = replace(
            stored.filing, state=TipState.FILED, remote_id=remote_id,
            revision=stored.filing.revision + 1,
        )  # fmt: skip
        tx.tips.save(filed, at=desk.services.clock.now())
        tx.commit(AuditEntry(actor="test", action="tip.filed", subject=stored.tip_id))


def test_a_tip_names_the_reports_that_were_filed_after_it_was_drafted(desk: Desk) -> None:
    first, second = confirm_two_adverts(desk)
    assert second.reported[0].prior_reports == ()
    with desk.services.unit_of_work.begin() as tx:
        _, filing = tx.tips.load(first.id)
        filed = replace(filing, state=TipState.FILED, remote_id="77", revision=filing.revision + 1)
        tx.tips.save(filed, at=desk.services.clock.now())
        tx.commit(AuditEntry(actor="test", action="tip.filed", subject=first.id))
    tips = StoredTips(
        unit_of_work=desk.services.unit_of_work,
        clock=desk.services.clock,
        drafting=drafting_of(desk.services),
    )
    assert tips.load(second.id)[0].reported[0].prior_reports == (77,)
    assert tips.load(first.id)[0].reported[0].prior_reports == ()


def test_cases_of_an_account_join_a_tip_that_waits_where_the_policy_says_so(desk: Desk) -> None:
    more = 'bundle = true\nurgent = "A nonsense danger."\nannotations = ["spam"]'
    desk.services.lists.activate_policy(report_policy(more), actor="ana", reason="test")
    [tip] = confirm_two_adverts(desk)
    assert len(tip.cases) == 2
    assert tip.high_priority == "A nonsense danger."
    assert tip.annotations == (Annotation.CSAM_SOLICITATION, Annotation.SPAM)
    assert desk.actions().count("tip.bundled") == 1


def test_what_is_left_of_a_bundle_is_reported_where_one_case_of_it_is_overturned(
    desk: Desk,
) -> None:
    desk.services.lists.activate_policy(report_policy("bundle = true"), actor="ana", reason="t")
    [tip] = confirm_two_adverts(desk)
    first, second = tip.cases
    with desk.services.unit_of_work.read() as tx:
        case = tx.cases.get(first)
    decide(desk, case, CaseStep.APPEAL)
    decide(desk, case, CaseStep.OVERTURN, by="bea")
    with desk.services.unit_of_work.read() as tx:
        states = {one.case_id: one.filing.state for one in tx.tips.newest(9)}
    assert states == {first: TipState.WITHDRAWN, second: TipState.DRAFTED}


def test_a_supplement_keeps_the_type_that_was_filed_whatever_the_policy_says_since(
    desk: Desk,
) -> None:
    def report_as(line: str) -> None:
        before, after = default_policy().decode().split("[confirmed.advert]\n", 1)
        after = after.replace('report = "csam"', line, 1)
        text = f"{before}[confirmed.advert]\n{after}"
        desk.services.lists.activate_policy(text.encode(), actor="ana", reason="t")

    report_as('report = "enticement"')
    case = open_case(desk, advert())
    decide(desk, case, CaseStep.CONFIRM)
    file_first(desk, "7000001")
    report_as("")
    [told] = desk.services.tip_desk.supplement(case.id, "a quibble", by="lena", reason="r").tips
    assert told.incident_type is IncidentType.ENTICEMENT


def test_no_case_joins_a_supplement(desk: Desk) -> None:
    desk.services.lists.activate_policy(report_policy("bundle = true"), actor="ana", reason="t")
    first = open_case(desk, advert())
    decide(desk, first, CaseStep.CONFIRM)
    file_first(desk, "7000001")
    [told] = desk.services.tip_desk.supplement(first.id, "a quibble", by="lena", reason="r").tips
    desk.take_in(advert("post-2"))
    [second] = [one for one in desk.outcome().cases if one.state is CaseState.OPEN]
    decide(desk, second, CaseStep.CONFIRM)
    with desk.services.unit_of_work.read() as tx:
        assert tx.tips.load(told.id)[0] == told
        assert [one.case_id for one in tx.tips.of_case(second.id)] == [second.id]


def test_no_case_joins_a_tip_that_waits_for_an_appeal(desk: Desk) -> None:
    desk.services.lists.activate_policy(report_policy("bundle = true"), actor="ana", reason="t")
    first = open_case(desk, advert())
    decide(desk, first, CaseStep.CONFIRM)
    desk.take_in(advert("post-2"))
    [second] = [one for one in desk.outcome().cases if one.state is CaseState.OPEN]
    decide(desk, first, CaseStep.APPEAL)
    decide(desk, second, CaseStep.CONFIRM)
    with desk.services.unit_of_work.read() as tx:
        due = tx.tips.due(desk.services.clock.now(), 9, destination="ncmec")
        assert [tx.tips.load(one)[0].cases for one in due] == [(second.id,)]


@pytest.mark.parametrize(
    ("end", "states"),
    [
        (TipState.FILED, [TipState.FILED]),
        (TipState.WITHDRAWN, [TipState.WITHDRAWN, TipState.DRAFTED]),
    ],
)
def test_what_may_be_filed_is_redrafted_only_once_it_is_certain_that_it_is_not(
    desk: Desk, end: TipState, states: list[TipState]
) -> None:
    desk.services.lists.activate_policy(report_policy("bundle = true"), actor="ana", reason="t")
    [tip] = confirm_two_adverts(desk)
    tips = StoredTips(
        unit_of_work=desk.services.unit_of_work,
        clock=desk.services.clock,
        drafting=drafting_of(desk.services),
    )

    def save(state: TipState) -> None:
        _, filing = tips.load(tip.id)
        after = replace(filing, state=state, remote_id="77", revision=filing.revision + 1)
        tips.save(after, action="tip.finish_requested")

    save(TipState.FINISHING)
    with desk.services.unit_of_work.read() as tx:
        case = tx.cases.get(tip.case_id)
        [before] = tx.tips.newest(9)
    decide(desk, case, CaseStep.APPEAL)
    decide(desk, case, CaseStep.OVERTURN, by="bea")
    with desk.services.unit_of_work.read() as tx:
        assert [one.filing.state for one in tx.tips.newest(9)] == [TipState.WITHDRAWING]
    save(end)
    with desk.services.unit_of_work.read() as tx:
        stored = sorted(tx.tips.newest(9), key=lambda one: one.tip_id != tip.id)
    assert [one.filing.state for one in stored] == states
    assert {one.deadline_at for one in stored} == {before.deadline_at}


def test_what_is_under_appeal_is_not_lost_when_its_bundle_is_withdrawn(desk: Desk) -> None:
    desk.services.lists.activate_policy(report_policy("bundle = true"), actor="ana", reason="t")
    [tip] = confirm_two_adverts(desk)
    first, second = tip.cases
    with desk.services.unit_of_work.read() as tx:
        cases = {name: tx.cases.get(name) for name in tip.cases}
    for case in cases.values():
        decide(desk, case, CaseStep.APPEAL)
    decide(desk, cases[first], CaseStep.OVERTURN, by="bea")
    with desk.services.unit_of_work.read() as tx:
        states = {one.case_id: one.filing.state for one in tx.tips.newest(9)}
    assert states == {first: TipState.WITHDRAWN, second: TipState.DRAFTED}


def test_a_tip_waits_as_long_as_the_policy_says_and_has_a_deadline(desk: Desk) -> None:
    policy = report_policy("report_after_minutes = 30")
    desk.services.lists.activate_policy(policy, actor="ana", reason="test")
    decide(desk, open_case(desk, advert()), CaseStep.CONFIRM)
    with desk.services.unit_of_work.read() as tx:
        [stored] = tx.tips.newest(9)
        now = desk.services.clock.now()
        assert tx.tips.due(now, 9, destination="ncmec") == []
        assert len(tx.tips.due(now + timedelta(minutes=31), 9, destination="ncmec")) == 1
    assert stored.deadline_at is not None
    assert timedelta(hours=70) < stored.deadline_at - now < timedelta(hours=72)


def test_a_tip_that_is_late_is_told_of_once(desk: Desk) -> None:
    decide(desk, open_case(desk, advert()), CaseStep.CONFIRM)
    clock = HandClock(desk.services.clock.now() + timedelta(days=9))
    deadlines = Deadlines(unit_of_work=desk.services.unit_of_work, clock=clock)
    assert len(deadlines.notice()) == 1
    assert deadlines.notice() == []
    assert desk.actions().count("tip.overdue") == 1


def test_recipients_of_a_message_and_who_was_harmed_are_named(desk: Desk) -> None:
    sent = PostCreated(
        post_id="post-1", account_id="account-1", text=TEXT, recipients=("account-2", "account-1")
    )
    told = UserReportCreated(
        user_report_id="r", account_id="account-3", post_id="post-1", harmed=True
    )
    known = AccountCreated(account_id="account-2", handle="zib", profile_url="https://z.test/zib")
    desk.take_in(ACCOUNT, event_of(known, minutes=-8), event_of(sent), event_of(told, minutes=2))
    [case] = [one for one in desk.outcome().cases if one.account_id == "account-1"]
    decide(desk, case, CaseStep.CONFIRM)
    tip = tip_of(desk)
    assert [(one.account_id, one.handle) for one in tip.recipients] == [("account-2", "zib")]
    assert [one.account_id for one in tip.victims] == ["account-3"]
    assert isinstance(tip.places[0], Chat)


def test_an_account_that_shows_the_same_and_was_confirmed_is_associated(desk: Desk) -> None:
    bio = "fresh zorbleflux and plonks, write to quibbledesk99 at zorblemail for more of them"
    for name in ("account-0", "account-1"):
        created = AccountCreated(account_id=name, handle=f"quib-{name}", bio=bio, device="d-1")
        desk.take_in(event_of(created, minutes=-9))
    first = PostCreated(post_id="post-0", account_id="account-0", text=TEXT)
    desk.take_in(event_of(first))
    for case in desk.outcome().cases:
        decide(desk, case, CaseStep.CONFIRM)
    desk.take_in(advert())
    [case] = [one for one in desk.outcome().cases if one.account_id == "account-1"]
    decide(desk, case, CaseStep.CONFIRM)
    with desk.services.unit_of_work.read() as tx:
        [stored] = tx.tips.of_case(case.id)
        [associated] = tx.tips.load(stored.tip_id)[0].reported[0].associated
    assert (associated.account_id, associated.handle) == ("account-0", "quib-account-0")
    assert "device" in associated.info


def test_a_tip_names_address_and_device_of_the_posts_where_they_are_kept(desk: Desk) -> None:
    data = PostCreated(
        post_id="post-1",
        account_id="account-1",
        text=TEXT,
        device="blip-9000",
        network=" 192.0.2.77",
    )
    case = open_case(desk, event_of(data, minutes=1))
    decide(desk, case, CaseStep.CONFIRM)
    [reported] = tip_of(desk).reported
    [capture] = reported.ip_captures
    assert (capture.address, capture.at) == ("192.0.2.77", event_of(data, minutes=1).time)
    assert [one.id_value for one in reported.devices] == ["blip-9000"]


def test_a_network_that_is_no_address_is_not_named_as_one(desk: Desk) -> None:
    data = PostCreated(post_id="post-1", account_id="account-1", text=TEXT, network="AS64496")
    case = open_case(desk, event_of(data, minutes=1))
    decide(desk, case, CaseStep.CONFIRM)
    [reported] = tip_of(desk).reported
    assert (reported.ip_captures, reported.devices) == ((), ())


def test_a_tip_says_from_where_the_account_registered_changed_its_profile_and_uploaded(
    desk: Desk,
) -> None:
    created = AccountCreated(account_id="account-1", handle="q", device="b", network="192.0.2.1")
    changed = AccountUpdated(account_id="account-1", bio="quib", network="192.0.2.2")
    other = AccountCreated(account_id="account-2", handle="z", network="192.0.2.9")
    sent = PostCreated(
        post_id="post-1",
        account_id="account-1",
        text=TEXT,
        media_ids=("media-1",),
        network="2001:db8::3",
    )
    told = [
        event_of(created, minutes=-9),
        event_of(changed, minutes=-8),
        event_of(other, minutes=-7),
    ]
    desk.take_in(*told, upload(url="a.png"), event_of(sent, minutes=1))
    [case] = desk.outcome().cases
    decide(desk, case, CaseStep.CONFIRM)
    tip = tip_of(desk)
    document = report_xml(tip, reporter=Reporter(person=Contact(email="d@example.test")))
    for schema in SCHEMAS:
        validate(document, schema)
    captures = etree.fromstring(document).iter("ipCaptureEvent")
    assert [
        (one.findtext("ipAddress"), one.findtext("eventName"), one.findtext("dateTime"))
        for one in captures
    ] == [
        ("192.0.2.1", "Registration", "2026-03-01T11:51:00.000+00:00"),
        ("192.0.2.2", "Other", "2026-03-01T11:52:00.000+00:00"),
        ("2001:db8::3", "Upload", "2026-03-01T12:01:00.000+00:00"),
    ]
    [device] = tip.reported[0].devices
    assert (device.id_value, device.event) == ("b", CaptureKind.REGISTRATION)


@pytest.mark.parametrize(
    ("told", "platform", "place"),
    [
        ("GB", "", "hotline"),
        ("SE", "GB", "ncmec"),
        ("", "GB", "hotline"),
        ("", "", "ncmec"),
    ],
)
def test_an_account_is_reported_where_its_country_says(
    desk: Desk, told: str, platform: str, place: str
) -> None:
    route = '\n[[report_routes]]\ncountry = "GB"\nreport_to = ["hotline"]\n'
    desk.services.lists.activate_policy(default_policy() + route.encode(), actor="ana", reason="t")
    first = AccountCreated(account_id="account-1", handle="quib", country="SE")
    moved = AccountUpdated(account_id="account-1", country=told)
    desk.take_in(event_of(first, minutes=-9), event_of(moved, minutes=-8), advert())
    [case] = desk.outcome().cases
    drafting = drafting_of(desk.services, platform_country=platform)
    review = Review(
        unit_of_work=desk.services.unit_of_work, clock=desk.services.clock, drafting=drafting
    )
    review.decide(case.id, Resolution(step=CaseStep.CONFIRM, reviewer="ana", reason="r"))
    assert tip_of(desk).destination == place
