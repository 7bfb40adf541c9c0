"""A tip that its destination will never take is given up by a person, and nothing stays stuck."""

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.fakes.drafting import drafting_of
from tests.unit.services.test_report_decisions import TWO_PLACES, Bureau, advert, confirmed
from typer.testing import CliRunner

from nightlight.cli.report import app
from nightlight.errors import Conflict, InvalidInput
from nightlight.model.case import CaseState
from nightlight.model.cybertip import Destination
from nightlight.model.filing import Filing, TipState
from nightlight.model.ids import TipId
from nightlight.model.report_decision import Accounted, ReportState
from nightlight.report.account_actions import PersonsWord
from nightlight.services.filing import StoredTips

WHO = ("--by", "lena", "--reason", "they do not take it")
Tips = dict[Destination, TipId]


@pytest.fixture(scope="module")
def two_places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home to be copied: Ada's case is confirmed, with a tip for each of two places."""
    home = tmp_path_factory.mktemp("two") / "home"
    confirmed(Bureau(home, policy=TWO_PLACES), advert("ada"))
    return home


@pytest.fixture
def bureau(two_places: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bureau:
    home = tmp_path / "home"
    shutil.copytree(two_places, home)
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(home))
    return Bureau(home, lists=False)


def tips(bureau: Bureau) -> Tips:
    with bureau.services.unit_of_work.read() as tx:
        return {one.destination: one.tip_id for one in tx.tips.newest(9)}


def become(bureau: Bureau, tip_id: TipId, state: TipState, **more: object) -> None:
    store = StoredTips(
        unit_of_work=bureau.services.unit_of_work,
        clock=bureau.services.clock,
        drafting=drafting_of(bureau.services),
    )
    _, filing = store.load(tip_id)
    retry = TipState.DRAFTED if state is TipState.REFUSED else None
    after = replace(filing, state=state, retry_from=retry, revision=filing.revision + 1)
    store.save(replace(after, **more), action=f"tip.{state.value}")


def test_what_was_being_taken_back_is_not_given_up(bureau: Bureau) -> None:
    tip_id = tips(bureau)[Destination.NCMEC]
    become(bureau, tip_id, TipState.REFUSED, taken_back_for="an appeal")
    with pytest.raises(Conflict, match="being taken back"):
        bureau.services.tip_desk.abandon(tip_id, by="lena", reason="no")


def say(bureau: Bureau, reason: str) -> Accounted:
    word = PersonsWord(
        action_id=bureau.accounted("ada").action.id, reason=reason, by="lena", note="form 123"
    )
    return bureau.services.report_decisions.decide(word)


def abandon(bureau: Bureau, tip_id: TipId) -> Filing:
    return bureau.services.tip_desk.abandon(tip_id, by="lena", reason="they do not take it")


def test_what_one_place_has_counts_once_the_refused_tip_of_the_other_is_given_up(
    bureau: Bureau,
) -> None:
    at = tips(bureau)
    become(bureau, at[Destination.NCMEC], TipState.FILED, remote_id="7000001")
    become(bureau, at[Destination.HOTLINE], TipState.REFUSED)
    [waiting] = bureau.services.report_decisions.undecided(9)
    assert waiting.tip == (at[Destination.HOTLINE], TipState.REFUSED)
    with pytest.raises(Conflict, match=f"{at[Destination.NCMEC]} is filed") as refused:
        say(bureau, "reported_elsewhere")
    assert f"nightlight report abandon {at[Destination.HOTLINE]}" in refused.value.hint
    done = CliRunner().invoke(app, ["abandon", at[Destination.HOTLINE], *WHO])
    assert "is given up" in done.stdout
    decision = bureau.accounted("ada").decision
    assert (decision.state, decision.tip_id) == (ReportState.REPORTED, at[Destination.NCMEC])
    assert bureau.case_of("ada").state is CaseState.REPORTED
    bureau.check()
    with bureau.services.unit_of_work.read() as tx:
        entries = [one.entry for one in tx.audit.entries() if one.entry.action == "tip.abandoned"]
    assert [(one.actor, one.reason) for one in entries] == [("lena", "they do not take it")]


def test_what_was_reported_by_hand_is_never_filed_again_by_a_retry(bureau: Bureau) -> None:
    for tip_id in tips(bureau).values():
        become(bureau, tip_id, TipState.REFUSED)
    assert say(bureau, "reported_elsewhere").decision.state is ReportState.EXPLAINED
    first, second = tips(bureau).values()
    desk = bureau.services.tip_desk
    with pytest.raises(Conflict, match="reported_elsewhere") as refused:
        desk.retry(first, by="lena", reason="again")
    assert f"nightlight report abandon {first}" in refused.value.hint
    with bureau.services.unit_of_work.read() as tx:
        assert len(tx.tips.refused()) == 2
    abandon(bureau, first)
    abandon(bureau, second)
    with pytest.raises(Conflict, match="withdrawn"):
        desk.retry(first, by="lena", reason="again")
    with bureau.services.unit_of_work.read() as tx:
        assert not tx.tips.refused()
        assert tx.tips.load(first)[1].failure.startswith("a person abandoned it")
    assert bureau.case_of("ada").state is CaseState.CONFIRMED
    assert bureau.accounted("ada").decision.state is ReportState.EXPLAINED


def test_what_is_abandoned_unreported_waits_for_a_new_tip_or_another_way(bureau: Bureau) -> None:
    for tip_id in tips(bureau).values():
        become(bureau, tip_id, TipState.REFUSED)
        abandon(bureau, tip_id)
    [waiting] = bureau.services.report_decisions.undecided(9)
    assert waiting.wanted.command.startswith("nightlight report draft ")
    bureau.check()


def test_only_a_refused_tip_that_is_certainly_not_filed_is_abandoned_and_by_somebody(
    bureau: Bureau,
) -> None:
    at = tips(bureau)
    with pytest.raises(Conflict, match="drafted"):
        abandon(bureau, at[Destination.NCMEC])
    become(bureau, at[Destination.NCMEC], TipState.REFUSED, finish_asked=True, remote_id="7")
    with pytest.raises(Conflict, match="7 may have been finished"):
        abandon(bureau, at[Destination.NCMEC])
    for by, reason in (("", "r"), ("lena", " ")):
        with pytest.raises(InvalidInput):
            bureau.services.tip_desk.abandon(at[Destination.HOTLINE], by=by, reason=reason)
