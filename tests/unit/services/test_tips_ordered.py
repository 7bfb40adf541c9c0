"""A person orders the tip of a confirmed case that has none, however long ago it was confirmed."""

import json
import shutil
from pathlib import Path

import pytest
import typer
from tests.fakes.in_process import BEARER, TOKEN, client_of
from tests.unit.services.test_report_decisions import (
    FIRST_RULE,
    Bureau,
    advert,
    confirmed,
    policy,
    rule,
    upload,
)
from typer.testing import CliRunner

from nightlight.cli.case import app as case_app
from nightlight.cli.report import app as report_app
from nightlight.errors import Conflict, InvalidInput
from nightlight.model.case import CaseStep
from nightlight.model.cybertip import CyberTip, Destination
from nightlight.model.incident import IncidentType
from nightlight.model.report_decision import ReportState
from nightlight.report.account_actions import PersonsWord
from nightlight.review.resolve import Resolution
from nightlight.services.report_decisions import Waiting

_ADVERT = '[confirmed.advert]\nasks = ["preserve", "remove", "suspend"]\n'
#: Adverts are suspended and not reported: their advertisers stay below the threshold.
UNREPORTED = policy(
    rule("advertised", "role == 'advertiser'", "not", "below_threshold"), version="1b"
).replace(f'{_ADVERT}report = "csam"\n'.encode(), _ADVERT.encode())


@pytest.fixture(scope="module")
def unreported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home to be copied: Ada's advert was confirmed while the policy reported none."""
    home = tmp_path_factory.mktemp("unreported") / "home"
    bureau = Bureau(home, policy=UNREPORTED)
    confirmed(bureau, advert("ada"))
    assert bureau.accounted("ada").decision.reason == "below_threshold"
    return home


@pytest.fixture
def home(unreported: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "home"
    shutil.copytree(unreported, copied)
    return copied


@pytest.fixture
def bureau(home: Path) -> Bureau:
    return Bureau(home, lists=False)


def order(
    bureau: Bureau,
    *,
    of: str = "ada",
    kind: IncidentType | None = None,
    by: str = "lena",
    reason: str = "the law",
) -> list[CyberTip]:
    return bureau.services.tip_desk.order(bureau.case_of(of).id, kind, by=by, reason=reason)


def say(bureau: Bureau, reason: str, *, of: str = "ada") -> None:
    action_id = bureau.accounted(of).action.id
    word = PersonsWord(action_id=action_id, reason=reason, by="lena", note="a quibble")
    bureau.services.report_decisions.decide(word)


def waiting(bureau: Bureau) -> Waiting:
    [found] = bureau.services.report_decisions.undecided(9)
    return found


def test_a_threshold_that_reports_more_leads_to_a_receipt(bureau: Bureau) -> None:
    bureau.activate(policy(FIRST_RULE, version="2b"))
    [flip] = bureau.services.report_decisions.reconsider(by="ana", note="a quibble")
    case_id = bureau.case_of("ada").id
    found = waiting(bureau)
    assert found.one.action == flip.one.action
    assert found.wanted.what == "a tip"
    assert found.wanted.command == f"nightlight report draft {case_id} --by WHO --reason WHY"
    with pytest.raises(Conflict, match="nothing about this case is filed") as refused:
        bureau.services.tip_desk.supplement(case_id, "x", by="lena", reason="the law")
    assert f"nightlight report draft {case_id}" in refused.value.hint
    [tip] = order(bureau)
    assert (tip.cases, tip.incident_type) == ((case_id,), IncidentType.CSAM)
    assert waiting(bureau).tip is not None
    assert bureau.actions()[-1] == "tip.ordered"
    bureau.file()
    one = bureau.accounted("ada")
    assert (one.decision.state, one.decision.tip_id) == (ReportState.REPORTED, tip.id)
    bureau.check()


def test_a_person_who_says_report_is_told_the_command_with_the_type_that_it_lacks(
    bureau: Bureau,
) -> None:
    say(bureau, "")
    case_id = bureau.case_of("ada").id
    command = waiting(bureau).wanted.command
    assert command == f"nightlight report draft {case_id} --as TYPE --by WHO --reason WHY"
    with pytest.raises(InvalidInput, match="does not report"):
        order(bureau)
    [tip] = order(bureau, kind=IncidentType.ENTICEMENT)
    assert tip.incident_type is IncidentType.ENTICEMENT
    bureau.file()
    assert bureau.accounted("ada").decision.state is ReportState.REPORTED


def test_what_the_policy_reports_is_reported_as_it_says(bureau: Bureau) -> None:
    bureau.activate(policy(FIRST_RULE, version="2b"))
    say(bureau, "")
    with pytest.raises(InvalidInput, match="as csam"):
        order(bureau, kind=IncidentType.ENTICEMENT)
    assert order(bureau, kind=IncidentType.CSAM)


def test_what_is_explained_is_not_reported_before_a_person_says_so(bureau: Bureau) -> None:
    bureau.activate(policy(FIRST_RULE, version="2b"))
    say(bureau, "reported_elsewhere")
    with pytest.raises(Conflict, match="reported_elsewhere") as refused:
        order(bureau)
    action_id = bureau.accounted("ada").action.id
    assert f"report decide {action_id} --report" in refused.value.hint
    say(bureau, "")
    assert order(bureau)


def test_a_place_is_reported_to_once_and_one_that_was_added_later_too(bureau: Bureau) -> None:
    bureau.activate(policy(FIRST_RULE, version="2b"))
    say(bureau, "")
    [tip] = order(bureau)
    with pytest.raises(Conflict, match=tip.id):
        order(bureau)
    places = f'{_ADVERT}report_to = ["ncmec", "hotline"]\n'
    bureau.activate(policy(FIRST_RULE, version="2c").replace(_ADVERT.encode(), places.encode()))
    [other] = order(bureau)
    assert other.destination is Destination.HOTLINE


def test_only_what_stands_is_reported_and_a_person_says_why(bureau: Bureau) -> None:
    bureau.activate(policy(FIRST_RULE, version="2b"))
    say(bureau, "")
    for by, reason in (("", "the law"), ("lena", " ")):
        with pytest.raises(InvalidInput):
            order(bureau, by=by, reason=reason)
    bureau.services.review.decide(
        bureau.case_of("ada").id,
        Resolution(step=CaseStep.APPEAL, reviewer="the owner", reason="a quibble"),
    )
    assert "nightlight case answer" in waiting(bureau).wanted.command
    with pytest.raises(Conflict, match="appealed"):
        order(bureau)


def test_what_nobody_has_confirmed_waits_for_its_case(bureau: Bureau) -> None:
    bureau.take_in(upload("bo"))
    case_id = bureau.case_of("bo").id
    assert waiting(bureau).wanted.what == "a person"
    assert f"nightlight case decide {case_id}" in waiting(bureau).wanted.command
    say(bureau, "", of="bo")
    assert waiting(bureau).wanted.command.startswith(f"nightlight case decide {case_id} --confirm")
    with pytest.raises(Conflict, match="open"):
        order(bureau, of="bo")


def test_each_command_on_the_way_to_a_receipt_names_the_next_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bureau = Bureau(home, lists=False)
    bureau.activate(policy(FIRST_RULE, version="2b"))
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(home))
    who = ("--by", "lena", "--reason", "the law")

    def run(app: typer.Typer, *arguments: str) -> str:
        done = CliRunner().invoke(app, list(arguments))
        assert done.exit_code == 0, done.output
        return done.stdout

    case_id = bureau.case_of("ada").id
    command = f"nightlight report draft {case_id} --by WHO --reason WHY"
    assert command not in run(report_app, "reconsider", "--dry-run")
    assert command in run(report_app, "reconsider", *who)
    assert command in run(report_app, "undecided")
    assert command in run(case_app, "show", case_id)
    with client_of(bureau.services) as client:
        client.get("/", params={"token": TOKEN})
        page = client.get(f"/cases/{case_id}", headers=BEARER).text
        assert command in page
        assert command in client.get("/reports/reconciliation", headers=BEARER).text
    drafted = json.loads(run(report_app, "draft", case_id, "--json", *who))
    assert drafted["destination"] == "ncmec"
    shown = run(case_app, "show", case_id)
    assert command not in shown
    assert f"tip {drafted['tip']}, ncmec: drafted" in shown
