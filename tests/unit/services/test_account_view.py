"""One page an account: deleted things stay, roles come from confirmed cases, content never."""

from pathlib import Path

import pytest
from tests.fakes.desk import KNOWN_MD5, Desk
from tests.synthetic.builders import TEXT, event_of

from nightlight.errors import NotFound
from nightlight.model.case import CaseStep
from nightlight.model.event import (
    AccountCreated,
    EngagementCreated,
    Event,
    EventData,
    MediaUploaded,
    PostCreated,
    PostDeleted,
    UserReportCreated,
)
from nightlight.model.ids import AccountId, CaseId
from nightlight.model.role import AccountRole, Knowledge, Role
from nightlight.review.resolve import Resolution
from nightlight.services.account_view import AccountView, view_account
from nightlight.services.roles import role_of_account, roles_in_case
from nightlight.web.console.graph import draw
from nightlight.web.console.neighbours import neighbours_of


def told(data: EventData, minutes: float) -> Event:
    return event_of(data, minutes=minutes)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A seller whose offer was deleted and posted again, and people around it."""
    desk = Desk(tmp_path)
    desk.take_in(
        told(AccountCreated(account_id="seller", handle="s"), 0),
        told(PostCreated(post_id="first", account_id="seller", text=TEXT), 1),
        told(EngagementCreated(account_id="fan", kind="bookmark", post_id="first"), 2),
        told(PostDeleted(post_id="first", account_id="seller", deleted_by="author"), 6),
        told(PostCreated(post_id="second", account_id="seller", text=TEXT), 9),
        told(EngagementCreated(account_id="fan", kind="repost", post_id="second"), 10),
        told(EngagementCreated(account_id="late", kind="follow", target_account_id="seller"), 11),
        told(
            PostCreated(
                post_id="answer",
                account_id="buyer",
                reply_to="second",
                text="zorbleflux for me, please",
            ),
            12,
        ),
        told(
            PostCreated(
                post_id="price", account_id="asker", reply_to="second", text="how much for two?"
            ),
            12.5,
        ),
        told(
            PostCreated(post_id="shock", account_id="passer", reply_to="second", text="what is it"),
            13,
        ),
        told(
            UserReportCreated(
                user_report_id="r", account_id="helper", post_id="second", reason="child_safety"
            ),
            14,
        ),
    )
    return desk


def case_of(desk: Desk, account: str) -> CaseId:
    with desk.services.unit_of_work.read() as tx:
        return tx.cases.of_account(AccountId(account))[-1].id


def decide(desk: Desk, step: CaseStep) -> CaseId:
    case_id = case_of(desk, "seller")
    with desk.services.unit_of_work.begin() as tx:
        shown = len(tx.cases.get(case_id).decisions)
    resolution = Resolution(step=step, reviewer="ana", reason="seen", findings_shown=shown)
    desk.services.review.decide(case_id, resolution)
    return case_id


def view(desk: Desk, account: str) -> AccountView:
    with desk.services.unit_of_work.read() as tx:
        return view_account(tx, AccountId(account))


def roles(desk: Desk, case_id: CaseId) -> dict[str, AccountRole]:
    with desk.services.unit_of_work.begin() as tx:
        return {one.account_id: one for one in roles_in_case(tx, case_id)}


def test_deleted_post_stays_on_the_timeline_with_how_long_it_was_up(desk: Desk) -> None:
    moments = view(desk, "seller").timeline
    first = next(one for one in moments if one.about == "first" and one.what == "posted")
    assert first.is_gone
    assert first.note.startswith("up for 5 min")
    gone = next(one for one in moments if one.what == "deleted by author")
    assert gone.note == "posted again as second"
    assert [one.at for one in moments] == sorted((one.at for one in moments), reverse=True)


def test_nothing_of_a_view_holds_what_was_posted(desk: Desk) -> None:
    assert "zorbleflux" not in repr(view(desk, "seller"))


def test_case_that_waits_gives_nobody_a_role(desk: Desk) -> None:
    assert roles(desk, case_of(desk, "seller")) == {}
    assert view(desk, "seller").role is None


def test_confirmed_case_gives_everybody_touched_a_role(desk: Desk) -> None:
    told_roles = roles(desk, decide(desk, CaseStep.CONFIRM))
    assert {name: one.role for name, one in told_roles.items()} == {
        "seller": Role.ADVERTISER,
        "fan": Role.ENGAGER,
        "late": Role.ENGAGER,
        "buyer": Role.ENGAGER,
        "asker": Role.ENGAGER,
        "passer": Role.BYSTANDER,
        "helper": Role.BYSTANDER,
    }
    assert {Knowledge.OFFERED, Knowledge.POSTED_AGAIN} <= set(told_roles["seller"].knowledge_for)
    assert set(told_roles["fan"].knowledge_for) == {Knowledge.SHOWED_ON, Knowledge.KEPT}
    assert told_roles["buyer"].knowledge_for == (Knowledge.ASKED,)
    assert told_roles["asker"].knowledge_for == (Knowledge.ASKED,)


def test_each_account_is_told_its_own_role_as_the_case_tells_it(desk: Desk) -> None:
    told_roles = roles(desk, decide(desk, CaseStep.CONFIRM))
    with desk.services.unit_of_work.read() as tx:
        own = {name: role_of_account(tx, AccountId(name)) for name in told_roles}
    assert {name: one.role for name, one in own.items() if one} == {
        name: one.role for name, one in told_roles.items()
    }


def test_dismissed_case_gives_no_role_and_its_findings_count_for_nothing(desk: Desk) -> None:
    before = view(desk, "seller").score
    decide(desk, CaseStep.DISMISS)
    after = view(desk, "seller")
    assert after.role is None
    assert before.value > 0
    assert after.score.value == 0
    assert after.score.left_out == sum(part.findings for part in before.parts)


def test_confirmed_account_scores_ninety_nine_or_more(desk: Desk) -> None:
    decide(desk, CaseStep.CONFIRM)
    assert view(desk, "seller").score.value >= 99


def test_neighbours_show_what_kind_of_thing_both_show_and_never_what(desk: Desk) -> None:
    handle = "plonk_seller_77"
    for name in ("seller", "twin"):
        text = f"{TEXT}, dm @{handle}"
        desk.take_in(told(PostCreated(post_id=f"of-{name}", account_id=name, text=text), 20))
    with desk.services.unit_of_work.read() as tx:
        [twin] = [
            one
            for one in neighbours_of(tx, view_account(tx, AccountId("seller")))
            if one.account_id == "twin"
        ]
    assert set(twin.ties) == {"same off platform handle", "same template"}
    assert handle not in str(draw("seller", [twin]))


def test_neighbours_are_those_who_engaged_the_strongest_first(desk: Desk) -> None:
    with desk.services.unit_of_work.read() as tx:
        found = neighbours_of(tx, view_account(tx, AccountId("seller")))
    assert found[0].account_id == "fan"
    assert {"fan", "buyer", "passer"} <= {one.account_id for one in found}


def test_drawing_escapes_what_a_platform_names_its_accounts(desk: Desk) -> None:
    with desk.services.unit_of_work.read() as tx:
        found = neighbours_of(tx, view_account(tx, AccountId("seller")))
    drawn = draw("<script>seller", found)
    assert "<script>" not in drawn
    assert drawn.count("<circle") == len(found) + 1
    assert draw("seller", []) == ""


def test_account_that_no_event_named_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        view(desk, "nobody")


def test_suspended_account_shows_what_was_decided_about_reporting_it(desk: Desk) -> None:
    media = MediaUploaded(media_id="media-9", account_id="locked", md5=KNOWN_MD5)
    born = AccountCreated(account_id="locked", handle="quibblelock")
    desk.take_in(event_of(born), event_of(media, minutes=1))
    with desk.services.unit_of_work.read() as tx:
        [one] = view_account(tx, AccountId("locked")).account_actions
    assert (one.action.effect, one.decision.state) == ("lock", "undecided")
