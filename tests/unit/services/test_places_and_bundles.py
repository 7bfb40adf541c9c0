"""What is added to a report reaches every place that has it; the most urgent case says when."""

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.fakes.desk import KNOWN_MD5
from tests.fakes.drafting import drafting_of
from tests.unit.services.test_report_decisions import (
    TWO_PLACES,
    Bureau,
    advert,
    changed_policy,
    confirmed,
    upload,
)
from typer.testing import CliRunner

from nightlight.cli.report import app
from nightlight.model.case import CaseStep
from nightlight.model.cybertip import Destination
from nightlight.model.filing import TipState
from nightlight.model.ids import CaseId, TipId
from nightlight.review.resolve import Resolution
from nightlight.services.filing import StoredTips

_DAY = timedelta(days=1)
_DANGER = "a child is in danger now"
PATIENT_AND_URGENT = changed_policy(
    ("[confirmed.advert]", "bundle = true\nreport_after_minutes = 1440"),
    ("[confirmed.known_media]", f'bundle = true\nurgent = "{_DANGER}"'),
)


def settle(bureau: Bureau, tip_id: TipId, state: TipState, remote_id: str = "") -> None:
    tips = StoredTips(
        unit_of_work=bureau.services.unit_of_work,
        clock=bureau.services.clock,
        drafting=drafting_of(bureau.services),
    )
    _, filing = tips.load(tip_id)
    after = replace(filing, state=state, remote_id=remote_id, revision=filing.revision + 1)
    tips.save(after, action=f"tip.{state.value}")


def test_a_supplement_goes_to_every_place_that_has_the_report_and_is_told_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bureau = Bureau(tmp_path, policy=TWO_PLACES)
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(tmp_path))
    case_id = confirmed(bureau, advert("ada"))
    with bureau.services.unit_of_work.read() as tx:
        first = {one.destination: one.tip_id for one in tx.tips.of_case(case_id)}
    settle(bureau, first[Destination.NCMEC], TipState.FILED, "7000001")
    settle(bureau, first[Destination.HOTLINE], TipState.REFUSED)
    who = ("--by", "lena", "--reason", "the law")
    done = CliRunner().invoke(app, ["supplement", case_id, "--note", "One thing.", *who])
    assert "to be filed with ncmec" in done.stdout
    assert "with hotline" not in done.stdout
    assert f"hotline has no report of {first[Destination.HOTLINE]}, which is refused" in done.stderr
    settle(bureau, first[Destination.HOTLINE], TipState.DRAFTED)
    settle(bureau, first[Destination.HOTLINE], TipState.FILED)
    found = bureau.services.tip_desk.supplement(case_id, "More.", by="lena", reason="the law")
    at = {one.destination: one for one in found.tips}
    assert set(at) == {Destination.NCMEC, Destination.HOTLINE}
    assert (
        f"It follows package(s) {first[Destination.HOTLINE]}."
        in at[Destination.HOTLINE].narrative.splitlines()
    )
    assert "package" not in at[Destination.NCMEC].narrative


def test_an_urgent_case_waits_for_no_patient_one_that_it_joins_or_leaves(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path, policy=PATIENT_AND_URGENT)
    patient = confirmed(bureau, advert("ada"))

    def waits(case_id: CaseId) -> timedelta:
        with bureau.services.unit_of_work.read() as tx:
            found = [one.filing for one in tx.tips.of_case(case_id)]
        [filing] = [one for one in found if one.state is TipState.DRAFTED]
        assert filing.next_attempt_at is not None
        return filing.next_attempt_at - bureau.services.clock.now()

    assert waits(patient) > _DAY / 2
    urgent = confirmed(bureau, upload("ada"))
    assert waits(urgent) <= timedelta(0)
    with bureau.services.unit_of_work.read() as tx:
        [stored] = tx.tips.of_case(urgent)
        tip, _ = tx.tips.load(stored.tip_id)
    assert (tip.cases, tip.high_priority) == ((patient, urgent), _DANGER)
    appeal = Resolution(step=CaseStep.APPEAL, reviewer="the owner", reason="a quibble")
    bureau.services.review.decide(patient, appeal)
    assert waits(urgent) <= timedelta(0)


def test_a_file_that_was_told_by_its_hash_alone_is_in_the_document(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path)
    case_id = confirmed(bureau, upload("ada"))
    with bureau.services.unit_of_work.read() as tx:
        [stored] = tx.tips.of_case(case_id)
    found = bureau.services.tip_desk.preview(stored.tip_id)
    assert found.tip.files == ()
    assert b"File media-of-ada is not attached" in found.document
    assert KNOWN_MD5.encode() in found.document
