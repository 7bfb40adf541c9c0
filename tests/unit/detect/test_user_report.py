"""What somebody reported is a finding about the post or account reported."""

from tests.synthetic.builders import event_of, make_account

from nightlight.detect.user_report import UserReport
from nightlight.model.context import Context
from nightlight.model.event import PostCreated, UserReportCreated
from nightlight.model.signal import Subject, SubjectKind

POST_REPORT = event_of(
    UserReportCreated(user_report_id="r", account_id="b", post_id="post-1", reason="child_safety")
)
ACCOUNT_REPORT = event_of(
    UserReportCreated(user_report_id="r", account_id="b", target_account_id="account-1")
)


def test_report_of_a_post_is_a_finding_about_the_post_and_its_author() -> None:
    [signal] = UserReport().detect(POST_REPORT, Context(account=make_account()))
    assert signal.subject == Subject(kind=SubjectKind.POST, id="post-1")
    assert signal.account_id == "account-1"
    assert dict(signal.facts) == {"user_reported": True, "user_report_reason": "child_safety"}


def test_report_of_a_post_nobody_knows_is_still_a_finding() -> None:
    [signal] = UserReport().detect(POST_REPORT, Context())
    assert signal.subject.id == "post-1"
    assert signal.account_id == ""


def test_report_of_an_account_is_a_finding_about_it_even_if_unknown() -> None:
    [signal] = UserReport().detect(ACCOUNT_REPORT, Context())
    assert signal.subject == Subject(kind=SubjectKind.ACCOUNT, id="account-1")
    assert signal.account_id == "account-1"


def test_reporter_is_not_the_one_the_finding_is_about() -> None:
    [signal] = UserReport().detect(ACCOUNT_REPORT, Context(account=make_account()))
    assert "b" not in (signal.account_id, signal.subject.id)


def test_other_events_are_no_user_report() -> None:
    post = event_of(PostCreated(post_id="post-1", account_id="account-1"))
    assert list(UserReport().detect(post, Context())) == []


def test_facts_are_declared_with_the_type_they_carry() -> None:
    [signal] = UserReport().detect(POST_REPORT, Context())
    declared = {name: type(value) for name, value in UserReport.facts.items()}
    assert {name: type(value) for name, value in signal.facts.items()} == declared
