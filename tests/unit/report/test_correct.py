"""A person corrects a tip by the names that the preview gives."""

import pytest
from msgspec import structs
from tests.fakes.cybertip_store import MemoryMedia, make_tip
from tests.synthetic.tips import generated_tip

from nightlight.errors import InvalidInput
from nightlight.model.cybertip import CyberTip, Destination
from nightlight.model.ids import AccountId
from nightlight.model.incident import Annotation, Chat, IncidentType
from nightlight.model.person import IpCapture
from nightlight.model.reported_file import Classification, FileAnnotation
from nightlight.report.correct import corrected
from nightlight.report.plain import fields, summary


def tip() -> CyberTip:
    return make_tip(MemoryMedia(), files=2)


def test_fields_are_corrected_at_any_depth() -> None:
    fresh = corrected(
        tip(),
        [
            ("narrative", "What [really] happened."),
            ("incident_type", "enticement"),
            ("annotations", '["sextortion"]'),
            ("reported.0.bio", "another"),
            ("reported.0.ip_captures", '[{"address": "192.0.2.1", "port": 443}]'),
            ("reported.0.ip_captures.0.port", "8443"),
            ("reported.0.display_names.1", "Also"),
            ("reported.0.compromised", "true"),
            ("files.1.classification", "B1"),
            ("files.0.annotations.0", "viral"),
            ("places.0", '{"type": "chat", "client": "Zorbleflux"}'),
        ],
    )
    assert fresh.narrative == "What [really] happened."
    assert fresh.incident_type is IncidentType.ENTICEMENT
    assert fresh.annotations == (Annotation.SEXTORTION,)
    [party] = fresh.reported
    assert (party.bio, party.compromised) == ("another", True)
    assert party.display_names == ("Quibble Ton", "Also")
    assert party.ip_captures == (IpCapture(address="192.0.2.1", port=8443),)
    assert fresh.files[1].classification is Classification.B1
    assert fresh.files[0].annotations == (FileAnnotation.VIRAL,)
    assert fresh.places == (Chat(client="Zorbleflux"),)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reported.0.account_id", "somebody-else"),
        ("reported.0.account_id", ""),
        ("reported", "[]"),
        ("reported.0", '{"handle": "quib"}'),
        ("reported.0.service", "Another"),
        ("reported.1", '{"account_id": "ACCOUNT", "service": "Zorbleflux"}'),
    ],
)
def test_a_tip_goes_on_to_be_about_its_account(field: str, value: str) -> None:
    before = tip()
    with pytest.raises(InvalidInput, match="goes on to name it once") as refused:
        corrected(before, [(field, value.replace("ACCOUNT", before.account_id))])
    assert refused.value.hint.startswith("add others as reported.1")


def test_others_may_be_reported_besides_and_of_no_account_anybody() -> None:
    second = ("reported.1", '{"account_id": "second"}')
    assert [one.account_id for one in corrected(tip(), [second]).reported][1:] == ["second"]
    nobody = structs.replace(tip(), account_id=AccountId(""), reported=())
    assert len(corrected(nobody, [("reported.0", second[1])]).reported) == 1


@pytest.mark.parametrize("said", ["[Name withheld] offered it.", "{sic}", "[1]", "true", "null"])
def test_a_text_may_look_like_anything(said: str) -> None:
    assert corrected(tip(), [("narrative", said)]).narrative == said


def test_what_should_be_json_and_is_not_is_said_to_be_none() -> None:
    with pytest.raises(InvalidInput, match="no JSON"):
        corrected(tip(), [("annotations", '["sextortion"')])


def test_a_time_is_shown_in_the_zone_that_it_says() -> None:
    before = corrected(tip(), [("incident_at", "2026-01-01T12:00:00+05:00")])
    assert "2026-01-01 07:00 UTC" in summary(before)[0]
    assert dict(fields(before))["incident_at"] == "2026-01-01T07:00:00+00:00"


def test_a_field_can_be_emptied() -> None:
    assert corrected(tip(), [("reported.0.handle", "")]).reported[0].handle == ""
    assert corrected(tip(), [("places", "[]")]).places == ()


@pytest.mark.parametrize(
    "field",
    [
        "id",
        "case_id",
        "account_id",
        "destination",
        "bundled",
        "bundled.0",
        "unread",
        "files",
        "files.0",
        "files.0.viewed",
        "files.0.exif_viewed",
        "files.1.digest",
        "files.0.hashes.0.value",
        "files.0.match",
    ],
)
def test_who_viewed_what_and_what_was_sealed_is_not_a_persons_to_correct(field: str) -> None:
    with pytest.raises(InvalidInput, match="not a person's"):
        corrected(tip(), [(field, "true")])


@pytest.mark.parametrize(
    "field",
    [
        "nowhere",
        "reported.0.nowhere",
        "reported.7.bio",
        "reported.x.bio",
        "narrative.0",
        "places.9",
    ],
)
def test_an_unknown_field_is_refused(field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        corrected(tip(), [(field, "quibble")])
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("incident_type", "zorbleflux"),
        ("incident_at", "yesterday"),
        ("files.0.classification", "C9"),
        ("annotations", "[zorbleflux"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_not_quoted(field: str, value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        corrected(tip(), [(field, value)])
    assert refused.value.field == field
    assert value not in str(refused.value.args[0])


def test_every_field_of_every_tip_has_a_name_that_corrects_it() -> None:
    for seed in range(40):
        one = generated_tip(seed)
        for name, _ in fields(one):
            value = dict(fields(one))[name]
            if name.endswith(".type") or value in {"yes", "no"}:
                continue
            try:
                fresh = corrected(one, [(name, value)])
            except InvalidInput as refused:
                assert "not a person's" in str(refused)  # noqa: PT017  what else is a fault
                continue
            assert dict(fields(fresh)).get(name) == value


def test_a_summary_says_to_whom_what_and_about_whom() -> None:
    lines = "\n".join(summary(tip()))
    assert "To NCMEC's CyberTipline: material of child sexual abuse, on Zorbleflux" in lines
    assert "About account account-of-tip-1, from 1 case(s): case-of-tip-1." in lines
    assert "2 file(s); a person viewed 1 of them whole." in lines


def test_a_summary_says_what_is_special() -> None:
    party = structs.replace(tip().reported[0], prior_reports=(9, 7))
    special = structs.replace(
        tip(),
        files=(),
        account_id="",
        high_priority="A nonsense danger.",
        destination=Destination.HOTLINE,
        reported=(party,),
    )
    lines = "\n".join(summary(special))
    assert "To the hotline" in lines
    assert "No file was found: what was written is reported." in lines
    assert "About account unknown" in lines
    assert "reported before: 7, 9." in lines
    assert "URGENT, a child may be in danger: A nonsense danger." in lines
