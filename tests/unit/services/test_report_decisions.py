"""Whoever is locked or suspended, by whatever path, has a report decision at that moment."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.fakes.cybertip_store import HandClock
from tests.fakes.desk import BANK, KNOWN_MD5, LEXICON, Desk
from tests.fakes.drafting import drafting_of
from tests.ports.builders import ENTRY, close, make_effect
from tests.synthetic.builders import TEXT, event_of

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.errors import Conflict, InvalidInput
from nightlight.model.case import Case, CaseState, CaseStep
from nightlight.model.effect import CLOSING_EFFECTS, EffectKind
from nightlight.model.event import Event, MediaUploaded, PostCreated, UserReportCreated
from nightlight.model.filing import TipState
from nightlight.model.ids import AccountId, CaseId
from nightlight.model.report_decision import Accounted, ReportState, Says
from nightlight.report.account_actions import PersonsWord
from nightlight.review.resolve import Resolution
from nightlight.services.filing import StoredTips
from nightlight.services.report_decisions import ReportDecisions
from nightlight.services.rules import default_policy

FIRST_RULE = """
[[reporting.rules]]
name = "published"
when = "role in ['creator', 'distributor', 'advertiser']"
says = "report"
"""


def policy(*rules: str, version: str, more: str = "") -> bytes:
    """Return the built-in policy with another threshold."""
    said = default_policy().decode().replace(FIRST_RULE, "\n".join(rules))
    said = said.replace('\nversion = "1"', f'\nversion = "{version}"')
    return said.replace("other_matters = []", more or "other_matters = []").encode()


def rule(name: str, when: str, says: str, reason: str = "") -> str:
    why = f'\nreason = "{reason}"' if reason else ""
    return f'[[reporting.rules]]\nname = "{name}"\nwhen = "{when}"\nsays = "{says}"{why}\n'


NOT_ADVERTS = policy(
    rule("advertised", "role == 'advertiser'", "not", "below_threshold"),
    rule("published", "role != ''", "report"),
    version="2",
)
REPORT_ALL = policy(rule("all", "true", "report"), version="3")


class Bureau(Desk):
    """A desk whose every suspension must add up."""

    def accounted(self, account: str) -> Accounted:
        with self.services.unit_of_work.read() as tx:
            return tx.report_decisions.of_account(AccountId(account))[-1]

    def case_of(self, account: str) -> Case:
        [case] = [
            one
            for one in self.outcome().cases
            if one.account_id == account and one.state is not CaseState.DISMISSED
        ]
        return case

    def decide(self, account: str, *steps: CaseStep) -> None:
        for step, by in zip(steps, ("ana", "the owner", "ben"), strict=False):
            resolution = Resolution(step=step, reviewer=by, reason="a quibble")
            self.services.review.decide(self.case_of(account).id, resolution)

    def file(self) -> None:
        """Note every tip as filed."""
        tips = StoredTips(
            unit_of_work=self.services.unit_of_work,
            clock=self.services.clock,
            drafting=drafting_of(self.services),
        )
        for tip_id in tips.due(self.services.clock.now(), 99, destination="ncmec"):
            _, filing = tips.load(tip_id)
            after = replace(filing, state=TipState.FILED, revision=filing.revision + 1)
            tips.save(after, action="tip.filed")

    def activate(self, body: bytes) -> None:
        self.services.lists.activate_policy(body, actor="ana", reason="another threshold")

    def check(self) -> None:
        """Every lock and suspension in the outbox belongs to an account action, and all add up."""
        closing = [one for one in self.outcome().effects if one.kind in CLOSING_EFFECTS]
        with self.services.unit_of_work.read() as tx:
            linked = tx.report_decisions.linked([one.id for one in closing])
            entries = [one.entry for one in tx.audit.entries()]
        assert {one.id for one in closing} == linked
        total = self.services.report_decisions.reconcile().total
        assert total.unexplained == 0
        assert total.suspended == total.reported + total.explained + total.undecided
        # What the record tells comes to the same, month by month and without the database.
        actioned = [one.detail for one in entries if one.action == "account.actioned"]
        last = {
            one.detail["account_action"]: one.detail["state"]
            for one in entries
            if one.action == "report.decided"
        }
        assert len(actioned) == len(last) == total.suspended
        states = [total.reported, total.explained, total.undecided]
        told = list(last.values())
        assert states == [told.count(one) for one in ("reported", "explained", "undecided")]


@pytest.fixture
def bureau(tmp_path: Path) -> Bureau:
    return Bureau(tmp_path)


def upload(account: str) -> Event:
    media = MediaUploaded(media_id=f"media-of-{account}", account_id=account, md5=KNOWN_MD5)
    return event_of(media, event_id=f"upload {account}")


def advert(account: str, name: str = "") -> Event:
    post = PostCreated(post_id=f"post-of-{account}{name}", account_id=account, text=TEXT)
    return event_of(post, event_id=f"post {account}{name}")


def test_reported_words_make_nobody_a_creator(bureau: Bureau) -> None:
    post = PostCreated(post_id="words", account_id="ada", text="write to me, friend")
    reports = [
        event_of(
            UserReportCreated(
                user_report_id=f"report-{n}",
                account_id=f"reader-{n}",
                target_account_id="ada",
                post_id="words",
                reason="child_safety",
            ),
            event_id=f"report-{n}",
        )
        for n in range(2)
    ]
    bureau.take_in(event_of(post, event_id="words"), *reports)
    bureau.decide("ada", CaseStep.CONFIRM)
    decision = bureau.accounted("ada").decision
    assert (decision.part.role, decision.says) == ("author", Says.PERSON)


def test_an_offer_is_one_whatever_the_policy_calls_its_category(tmp_path: Path) -> None:
    named = default_policy().replace(b'category = "advert"', b'category = "sale"')
    bureau = Bureau(tmp_path, policy=named.replace(b"[confirmed.advert]", b"[confirmed.sale]"))
    bureau.take_in(advert("ada"))
    bureau.decide("ada", CaseStep.CONFIRM)
    assert bureau.accounted("ada").decision.part.role == "advertiser"


def test_every_path_that_locks_or_suspends_accounts_for_it(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path, lists=False)
    bureau.import_lists(BANK[:1], LEXICON)
    bureau.take_in(upload("policy"))  # the policy locks
    bureau.check()
    assert bureau.accounted("policy").action.asked_by == "policy"
    bureau.take_in(advert("person"))
    bureau.decide("person", CaseStep.CONFIRM)  # a person suspends
    bureau.check()
    assert bureau.accounted("person").action.asked_by == "ana"
    bureau.take_in(upload("dismissed"))
    bureau.decide("dismissed", CaseStep.DISMISS)  # a person takes the lock back
    bureau.check()
    bureau.take_in(advert("appeal"))
    bureau.decide("appeal", CaseStep.CONFIRM, CaseStep.APPEAL, CaseStep.OVERTURN)
    bureau.check()
    bureau.take_in(advert("upheld"))
    bureau.decide("upheld", CaseStep.CONFIRM, CaseStep.APPEAL, CaseStep.UPHOLD)
    bureau.check()
    other = MediaUploaded(media_id="m", account_id="hunted", md5="22" * 16)
    bureau.take_in(event_of(other, event_id="hunted"))
    bureau.services.banks.import_entries(
        "late", [f'{{"kind": "md5", "value": "{"22" * 16}"}}'], actor="ana", reason="news"
    )
    bureau.services.hunts.notice_new_hashes()
    bureau.services.hunts.step()  # a hunt locks
    bureau.check()
    assert bureau.accounted("hunted").action.effect == "lock"
    bureau.take_in(advert("policy"), upload("policy"))
    bureau.file()
    bureau.check()
    found = bureau.services.report_decisions.reconcile()
    assert (found.total.suspended, found.total.reported) == (6, 2)
    assert found.explained_by_reason == {"taken_back": 2}


def test_locked_by_policy_waits_for_a_person_and_its_role_is_not_told(bureau: Bureau) -> None:
    bureau.take_in(upload("ada"))
    decision = bureau.accounted("ada").decision
    assert (decision.state, decision.says, decision.part.role) == ("undecided", "person", "")


def test_confirmed_is_to_be_reported_and_reported_only_once_it_is_filed(bureau: Bureau) -> None:
    bureau.take_in(advert("ada"))
    bureau.decide("ada", CaseStep.CONFIRM)
    decision = bureau.accounted("ada").decision
    assert (decision.state, decision.says) == (ReportState.UNDECIDED, Says.REPORT)
    assert decision.part.role == "advertiser"
    [waiting] = bureau.services.report_decisions.undecided(9)
    assert waiting.tip is not None
    bureau.file()
    decision = bureau.accounted("ada").decision
    assert (decision.state, decision.tip_id) == (ReportState.REPORTED, waiting.tip[0])
    assert bureau.services.report_decisions.undecided(9) == []


def test_overturned_after_it_was_filed_stays_reported(bureau: Bureau) -> None:
    bureau.take_in(advert("ada"))
    bureau.decide("ada", CaseStep.CONFIRM)
    bureau.file()
    for step, by in ((CaseStep.APPEAL, "the owner"), (CaseStep.OVERTURN, "ben")):
        resolution = Resolution(step=step, reviewer=by, reason="a quibble")
        bureau.services.review.decide(bureau.case_of("ada").id, resolution)
    one = bureau.accounted("ada")
    assert one.decision.state is ReportState.REPORTED
    assert one.action.ended_at is not None
    bureau.check()


def confirmed(desk: Bureau, event: Event) -> CaseId:
    """Return the case that an event opened, confirmed."""
    desk.take_in(event)
    [case] = [one for one in desk.outcome().cases if one.state is CaseState.OPEN]
    resolution = Resolution(step=CaseStep.CONFIRM, reviewer="ana", reason="a quibble")
    desk.services.review.decide(case.id, resolution)
    return case.id


def overturn(desk: Bureau, case_id: CaseId) -> None:
    for step, by in ((CaseStep.APPEAL, "the owner"), (CaseStep.OVERTURN, "ben")):
        resolution = Resolution(step=step, reviewer=by, reason="a quibble")
        desk.services.review.decide(case_id, resolution)


def changed_policy(*changes: tuple[str, str]) -> bytes:
    """Return the built-in policy with more said under headings."""
    text = default_policy().decode()
    for heading, more in changes:
        assert f"{heading}\n" in text
        text = text.replace(f"{heading}\n", f"{heading}\n{more}\n")
    return text.encode()


TWO_PLACES = changed_policy(("[confirmed.advert]", 'report_to = ["ncmec", "hotline"]'))


def test_another_filed_case_reports_no_action_whose_own_case_is_not_filed(
    bureau: Bureau,
) -> None:
    advert_only = default_policy().replace(
        b'[confirmed.advert]\nasks = ["preserve", "remove", "suspend"]',
        b'[confirmed.advert]\nasks = ["preserve", "remove"]',
    )
    bureau.activate(advert_only)
    bureau.take_in(upload("ada"))  # locked for this, and nobody has looked
    bureau.take_in(advert("ada"))
    [case] = bureau.outcome().cases
    with bureau.services.unit_of_work.read() as tx:
        found = tx.decisions.get(case.decisions)
    names = tuple(one.id for one in found if one.category == "advert")
    bureau.services.review.decide(
        case.id, Resolution(step=CaseStep.CONFIRM, reviewer="ana", reason="x", findings=names)
    )
    bureau.file()
    bureau.check()
    assert bureau.accounted("ada").decision.state is ReportState.UNDECIDED
    [left] = [one for one in bureau.outcome().cases if one.state is CaseState.OPEN]
    bureau.services.review.decide(
        left.id, Resolution(step=CaseStep.CONFIRM, reviewer="ana", reason="x")
    )
    assert bureau.accounted("ada").decision.state is ReportState.UNDECIDED
    bureau.file()
    assert bureau.accounted("ada").decision.state is ReportState.REPORTED
    bureau.check()


def test_an_action_whose_own_case_came_to_nothing_is_reported_by_another_case(
    bureau: Bureau,
) -> None:
    bureau.take_in(upload("ada"), advert("ada"))
    [case] = bureau.outcome().cases
    with bureau.services.unit_of_work.read() as tx:
        found = tx.decisions.get(case.decisions)
    names = tuple(one.id for one in found if one.category == "advert")
    bureau.services.review.decide(
        case.id, Resolution(step=CaseStep.CONFIRM, reviewer="ana", reason="x", findings=names)
    )
    bureau.file()
    action = bureau.accounted("ada").action
    word = PersonsWord(action_id=action.id, reason="wrong_account", by="ana", note="x")
    with pytest.raises(Conflict, match="is filed for it"):
        bureau.services.report_decisions.decide(word)
    assert bureau.accounted("ada").decision.state is ReportState.UNDECIDED
    [left] = [one for one in bureau.outcome().cases if one.state is CaseState.OPEN]
    bureau.services.review.decide(
        left.id, Resolution(step=CaseStep.DISMISS, reviewer="ana", reason="x")
    )
    assert bureau.accounted("ada").decision.state is ReportState.REPORTED
    bureau.check()


def test_overturned_when_one_of_two_places_has_its_report_is_reported(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path, policy=TWO_PLACES)
    case_id = confirmed(bureau, advert("ada"))
    bureau.file()  # with NCMEC, and not with the hotline
    assert bureau.accounted("ada").decision.state is ReportState.UNDECIDED
    overturn(bureau, case_id)
    one = bureau.accounted("ada")
    assert one.action.ended_at is not None
    assert (one.decision.state, one.decision.reason) == (ReportState.REPORTED, "")
    bureau.check()


def test_overturned_before_any_place_has_its_report_is_explained(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path, policy=TWO_PLACES)
    overturn(bureau, confirmed(bureau, advert("ada")))
    assert bureau.accounted("ada").decision.reason == "taken_back"
    bureau.check()


def test_an_ended_action_is_reported_when_its_part_of_a_bundle_turns_out_to_be_filed(
    tmp_path: Path,
) -> None:
    more = ("[confirmed.known_media]", 'bundle = true\nreport_to = ["ncmec", "hotline"]')
    body = changed_policy(("[confirmed.advert]", "bundle = true"), more)
    bureau = Bureau(tmp_path, policy=body)
    first = confirmed(bureau, advert("ada"))
    second = confirmed(bureau, upload("ada"))
    tips = StoredTips(
        unit_of_work=bureau.services.unit_of_work,
        clock=bureau.services.clock,
        drafting=drafting_of(bureau.services),
    )
    [tip_id] = tips.due(bureau.services.clock.now(), 9, destination="ncmec")
    tip, filing = tips.load(tip_id)
    assert set(tip.cases) == {first, second}
    asked = replace(filing, state=TipState.FINISHING, remote_id="7", revision=1 + filing.revision)
    tips.save(asked, action="tip.finish_requested")
    overturn(bureau, first)
    overturn(bureau, second)
    assert bureau.accounted("ada").decision.reason == "taken_back"
    bureau.check()
    filed = replace(tips.load(tip_id)[1], state=TipState.FILED)
    tips.save(replace(filed, revision=1 + filed.revision), action="tip.filed")
    one = bureau.accounted("ada")
    assert (one.decision.state, one.decision.tip_id) == (ReportState.REPORTED, tip_id)
    bureau.check()


def test_person_decides_what_is_left(bureau: Bureau) -> None:
    bureau.take_in(upload("ada"))
    service, action = bureau.services.report_decisions, bureau.accounted("ada").action
    word = PersonsWord(action_id=action.id, reason="wrong_account", by="ana", note="taken over")
    assert service.decide(word).decision.state is ReportState.EXPLAINED
    assert service.reconcile().explained_by_reason == {"wrong_account": 1}
    one, versions = service.history(action.id)
    assert [each.state.value for each in versions] == ["undecided", "explained"]
    assert one.decision == versions[-1]
    bureau.check()


def test_person_cannot_explain_what_is_about_to_be_filed(bureau: Bureau) -> None:
    bureau.take_in(advert("ada"))
    bureau.decide("ada", CaseStep.CONFIRM)
    word = PersonsWord(
        action_id=bureau.accounted("ada").action.id, reason="wrong_account", by="ana", note="x"
    )
    with pytest.raises(Conflict, match="on its way"):
        bureau.services.report_decisions.decide(word)


def test_another_threshold_lists_who_would_now_be_reportable_and_changes_nothing(
    bureau: Bureau,
) -> None:
    # Confirmed in a category that is not reported: only the threshold speaks.
    quiet = NOT_ADVERTS.replace(
        b'[confirmed.advert]\nasks = ["preserve", "remove", "suspend"]\nreport = "csam"',
        b'[confirmed.advert]\nasks = ["preserve", "remove", "suspend"]',
    )
    bureau.activate(quiet)
    bureau.take_in(advert("ada"), upload("bo"))
    bureau.decide("ada", CaseStep.CONFIRM)
    before = bureau.accounted("ada")
    assert (before.decision.reason, before.decision.threshold) == (
        "below_threshold",
        "own-material@2",
    )
    assert bureau.services.report_decisions.compare() == []
    bureau.activate(REPORT_ALL)
    [flip] = bureau.services.report_decisions.compare()
    assert (flip.one, flip.is_reportable, flip.answer.rule) == (before, True, "all")
    with bureau.services.unit_of_work.read() as tx:
        [newest] = tx.audit.newest(1)
    assert newest.entry.detail["now_reportable"] == 1
    assert newest.entry.detail["threshold"] == "own-material@3"
    assert bureau.accounted("ada") == before
    [again] = bureau.services.report_decisions.reconsider(by="ana", note="a lower threshold")
    assert again.one == before
    decision = bureau.accounted("ada").decision
    assert (decision.state, decision.says) == (ReportState.UNDECIDED, Says.REPORT)
    assert bureau.services.report_decisions.reconsider(by="ana", note="again") == []
    bureau.check()


def test_what_would_no_longer_be_reported_is_listed_and_stays(bureau: Bureau) -> None:
    bureau.take_in(advert("ada"))
    bureau.decide("ada", CaseStep.CONFIRM)
    bureau.file()
    bureau.activate(NOT_ADVERTS)
    [flip] = bureau.services.report_decisions.compare()
    assert not flip.is_reportable
    assert bureau.services.report_decisions.reconsider(by="ana", note="see") == []
    assert bureau.accounted("ada").decision.state is ReportState.REPORTED


def test_what_no_rule_explains_any_longer_is_put_before_a_person(bureau: Bureau) -> None:
    bureau.activate(NOT_ADVERTS)
    bureau.take_in(advert("ada"), upload("bo"))
    bureau.decide("ada", CaseStep.CONFIRM)
    before = bureau.accounted("ada")
    assert before.decision.reason == "below_threshold"
    silent = policy(rule("files", "role == 'creator'", "report"), version="4")
    bureau.activate(silent)
    [flip] = bureau.services.report_decisions.compare()
    assert (flip.one, flip.asks_a_person, flip.is_reportable) == (before, True, False)
    with bureau.services.unit_of_work.read() as tx:
        [newest] = tx.audit.newest(1)
    assert newest.entry.detail["now_for_a_person"] == 1
    bureau.services.report_decisions.reconsider(by="ana", note="the rule is gone")
    decision = bureau.accounted("ada").decision
    assert (decision.state, decision.says) == (ReportState.UNDECIDED, Says.PERSON)
    assert decision.due_at is not None
    assert bureau.services.report_decisions.compare() == []
    bureau.check()


def test_what_is_no_other_matter_any_longer_is_put_before_a_person(bureau: Bureau) -> None:
    other = default_policy().replace(b"other_matters = []", b'other_matters = ["known_media"]')
    bureau.activate(other.replace(b'\nversion = "1"', b'\nversion = "2"'))
    bureau.take_in(upload("ada"))
    assert bureau.accounted("ada").decision.reason == "other_matter"
    bureau.activate(default_policy().replace(b'\nversion = "1"', b'\nversion = "3"'))
    [flip] = bureau.services.report_decisions.reconsider(by="ana", note="it is about children")
    assert flip.asks_a_person
    assert bureau.accounted("ada").decision.state is ReportState.UNDECIDED


def test_what_a_person_explained_is_not_put_before_one_again(bureau: Bureau) -> None:
    bureau.take_in(upload("ada"))
    action = bureau.accounted("ada").action.id
    bureau.services.report_decisions.decide(
        PersonsWord(action_id=action, reason="below_threshold", by="ben", note="seen")
    )
    bureau.activate(default_policy().replace(b'\nversion = "1"', b'\nversion = "2"'))
    assert bureau.services.report_decisions.compare() == []


def test_what_a_person_dismissed_no_threshold_brings_back(bureau: Bureau) -> None:
    bureau.take_in(advert("ada"))
    bureau.decide("ada", CaseStep.CONFIRM, CaseStep.APPEAL, CaseStep.OVERTURN)
    bureau.activate(REPORT_ALL)
    assert bureau.services.report_decisions.compare() == []


def test_other_content_needs_another_version(bureau: Bureau) -> None:
    bureau.activate(NOT_ADVERTS)
    bureau.activate(NOT_ADVERTS)
    with pytest.raises(InvalidInput, match="own-material@2 has other content"):
        bureau.activate(policy(rule("all", "true", "report"), version="2"))


def test_reconsidering_needs_a_person_and_words(bureau: Bureau) -> None:
    with pytest.raises(InvalidInput):
        bureau.services.report_decisions.reconsider(by="ana", note=" ")


def test_categories_named_as_another_matter_are_explained_at_once(tmp_path: Path) -> None:
    body = policy(FIRST_RULE, version="4", more='other_matters = ["known_media"]')
    bureau = Bureau(tmp_path, policy=body)
    bureau.take_in(upload("ada"))
    assert bureau.accounted("ada").decision.reason == "other_matter"
    bureau.check()


def test_nothing_overdue_is_nothing_to_escalate(bureau: Bureau) -> None:
    bureau.take_in(upload("ada"))
    assert bureau.services.report_decisions.escalate() == 0
    assert bureau.services.report_decisions.overdue() == 0


def test_overdue_is_escalated_once_and_stays_overdue(
    unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    service = ReportDecisions(unit_of_work=unit_of_work, clock=clock)
    with unit_of_work.begin() as tx:
        closed = make_effect("e1", EffectKind.SUSPEND, of="ada", about="account")
        tx.commit(*close(tx, closed), ENTRY)
    clock.advance(hours=49)
    assert (service.overdue(), service.escalate(), service.escalate()) == (1, 1, 0)
    assert service.overdue() == 1
    with unit_of_work.read() as tx:
        [newest] = tx.audit.newest(1)
    assert newest.entry.action == "report.escalated"
