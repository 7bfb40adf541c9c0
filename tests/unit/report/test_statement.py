"""A statement of reasons says what was restricted and why, and names nobody."""

from datetime import date

import pytest
from msgspec.structs import replace
from tests.synthetic.builders import NOON

from nightlight.model.context import AccountContext, MediaContext, PostContext
from nightlight.model.decision import Decision, Reason
from nightlight.model.effect import Effect, EffectKind
from nightlight.model.ids import AccountId, DecisionId, EffectId, EventKey, MediaId, PostId
from nightlight.model.incident import IncidentType
from nightlight.model.media import Scan, ScanState
from nightlight.model.signal import Subject, SubjectKind
from nightlight.model.statement import ContentKind, Statement
from nightlight.report.statement import (
    RESTRICTIONS,
    Restricted,
    is_about_minors,
    needs_statement,
    statement_of,
)
from nightlight.report.statement_document import StatementOptions, document_of
from nightlight.simulate.dsa_rules import errors_in

DECISION = Decision(
    id=DecisionId("dec_1"),
    event_key=EventKey("e" * 32),
    account_id=AccountId("zorble-account"),
    subject=Subject(kind=SubjectKind.POST, id="zorble-post"),
    decided_by="policy",
    policy_version="zorble@1",
    category="known_media",
    severity=90,
    asks=("hide",),
    reasons=(Reason(rule="zorble-rule", text="zorble words"),),
    time=NOON,
)
POST = PostContext(post_id=PostId("zorble-post"), account_id=AccountId("a"), posted_at=NOON)
FILE = MediaContext(
    media_id=MediaId("zorble-file"),
    account_id=AccountId("a"),
    scan=Scan(state=ScanState.SCANNED),
    uploaded_at=NOON.replace(year=2024),
    content_type="image/png",
    url="https://zorble.example.test/x",
)


def effect(kind: EffectKind, of: SubjectKind = SubjectKind.POST) -> Effect:
    return Effect(
        id=EffectId(f"eff_{kind}"),
        decision_id=DECISION.id,
        kind=kind,
        subject=Subject(kind=of, id="zorble-subject"),
    )


def made(
    kind: EffectKind = EffectKind.HIDE,
    of: SubjectKind = SubjectKind.POST,
    *detectors: str,
    by: str = "policy",
    restricted: Restricted | None = None,
    incident: IncidentType | None = IncidentType.CSAM,
) -> Statement:
    return statement_of(
        effect(kind, of),
        decision=replace(DECISION, decided_by=by),
        incident=incident,
        detectors=detectors or ("hash_match",),
        restricted=restricted or Restricted(post=POST, media=(FILE,)),
        applied_at=NOON.replace(day=2),
    )


@pytest.mark.parametrize(
    ("by", "incident", "detectors", "stated"),
    [
        ("policy", IncidentType.CSAM, ["scan_health"], False),
        ("policy", IncidentType.CSAM, [], False),
        ("ana", None, ["scan_health"], False),
        ("ana", IncidentType.CSAM, ["scan_health"], True),
        ("policy", None, ["scan_health", "user_report"], True),
        ("policy", None, ["term_match"], True),
    ],
)
def test_what_nobody_could_look_at_is_not_said_to_be_about_minors(
    by: str, incident: IncidentType | None, detectors: list[str], *, stated: bool
) -> None:
    assert is_about_minors(replace(DECISION, decided_by=by), incident, detectors) is stated


def test_every_restriction_needs_a_statement_and_nothing_else_does() -> None:
    needed = {kind for kind in EffectKind if needs_statement(effect(kind))}
    assert needed == set(RESTRICTIONS)
    assert not needed & {EffectKind.RESTORE, EffectKind.REINSTATE, EffectKind.REVIEW}


@pytest.mark.parametrize(
    ("kind", "of", "field", "value"),
    [
        (EffectKind.LIMIT_REACH, SubjectKind.POST, "decision_visibility", ["DEMOTED"]),
        (EffectKind.HIDE, SubjectKind.POST, "decision_visibility", ["DISABLED"]),
        (EffectKind.HOLD, SubjectKind.MEDIA, "decision_visibility", ["DISABLED"]),
        (EffectKind.REMOVE, SubjectKind.MEDIA, "decision_visibility", ["REMOVED"]),
        (EffectKind.LOCK, SubjectKind.ACCOUNT, "decision_provision", "PARTIAL_SUSPENSION"),
        (EffectKind.SUSPEND, SubjectKind.ACCOUNT, "decision_account", "SUSPENDED"),
    ],
)
def test_document_says_in_the_databases_words_what_an_effect_does(
    kind: EffectKind, of: SubjectKind, field: str, value: str | list[str]
) -> None:
    document = document_of(made(kind, of), StatementOptions())
    said = document[field]
    wanted = value if isinstance(value, str) else value[0]
    assert (said if isinstance(said, str) else said[0]).endswith(wanted)
    assert errors_in(document) == {}
    others = {"decision_visibility", "decision_provision", "decision_account"} - {field}
    assert not others & set(document)


@pytest.mark.parametrize("by", ["policy", "ana zorble"])
@pytest.mark.parametrize("kind", sorted(RESTRICTIONS))
@pytest.mark.parametrize("of", list(SubjectKind))
@pytest.mark.parametrize(
    "detectors",
    [("hash_match",), ("scan_health",), ("user_report",), ("user_report", "offer"), ("new_one",)],
)
def test_every_document_is_valid_and_names_nobody(
    by: str, kind: EffectKind, of: SubjectKind, detectors: tuple[str, ...]
) -> None:
    document = document_of(made(kind, of, *detectors, by=by), StatementOptions())
    assert errors_in(document) == {}
    assert "zorble" not in str(document)


def test_what_a_policy_did_is_fully_automated_and_breaks_the_rules() -> None:
    document = document_of(made(), StatementOptions(terms_ground="rule 7"))
    assert document["automated_detection"] == "Yes"
    assert document["automated_decision"] == "AUTOMATED_DECISION_FULLY"
    assert document["decision_ground"] == "DECISION_GROUND_INCOMPATIBLE_CONTENT"
    assert document["incompatible_content_ground"] == "rule 7"
    assert document["incompatible_content_illegal"] == "Yes"
    assert "illegal_content_legal_ground" not in document
    assert "without a person" in str(document["decision_facts"])


def test_what_a_person_decided_is_not_automated_and_illegal() -> None:
    document = document_of(made(by="ana"), StatementOptions(legal_ground="law 9"))
    assert document["automated_detection"] == "Yes"
    assert document["automated_decision"] == "AUTOMATED_DECISION_NOT_AUTOMATED"
    assert document["illegal_content_legal_ground"] == "law 9"
    assert "incompatible_content_ground" not in document
    assert "A person looked at it" in str(document["decision_facts"])


@pytest.mark.parametrize("by", ["policy", "ana"])
@pytest.mark.parametrize("incident", [None, *IncidentType])
def test_only_what_is_reported_as_abuse_material_is_called_that(
    incident: IncidentType | None, by: str
) -> None:
    document = document_of(made(by=by, incident=incident), StatementOptions())
    assert errors_in(document) == {}
    keywords = {
        IncidentType.CSAM: ["KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL"],
        IncidentType.ENTICEMENT: ["KEYWORD_GROOMING_SEXUAL_ENTICEMENT_MINORS"],
    }
    assert document.get("category_specification") == (keywords.get(incident) if incident else None)
    why = str(document.get("illegal_content_explanation", ""))
    assert ("abuse material" in why) == (incident is IncidentType.CSAM and by == "ana")
    assert bool(why) == (incident is not None and by == "ana")


def test_what_only_a_user_reported_was_notified_and_found_by_no_machine() -> None:
    reported = made(EffectKind.HIDE, SubjectKind.POST, "user_report")
    document = document_of(reported, StatementOptions())
    assert document["source_type"] == "SOURCE_TYPE_OTHER_NOTIFICATION"
    assert document["automated_detection"] == "No"
    assert "category_specification" not in document
    both = made(EffectKind.HIDE, SubjectKind.POST, "user_report", "hash_match")
    assert document_of(both, StatementOptions())["source_type"] == "SOURCE_VOLUNTARY"


def test_without_any_signal_nothing_was_found_by_machine() -> None:
    statement = statement_of(
        effect(EffectKind.SUSPEND, SubjectKind.ACCOUNT),
        decision=replace(DECISION, decided_by="ana"),
        incident=IncidentType.CSAM,
        detectors=(),
        restricted=Restricted(),
        applied_at=NOON,
    )
    assert not statement.found_by_machine
    assert "signs of child sexual exploitation" in statement.facts
    assert statement.child_abuse_material


def test_file_that_could_not_be_examined_is_not_called_abuse_material() -> None:
    held = made(EffectKind.HOLD, SubjectKind.MEDIA, "scan_health")
    document = document_of(held, StatementOptions())
    assert "category_specification" not in document
    assert document["incompatible_content_illegal"] == "No"


def test_content_and_dates_are_those_of_the_subject() -> None:
    post = made(EffectKind.HIDE, SubjectKind.POST)
    assert post.content == (ContentKind.TEXT, ContentKind.IMAGE)
    assert (post.content_date, post.applied_on) == (NOON.date(), date(2026, 3, 2))
    file = made(EffectKind.HIDE, SubjectKind.MEDIA)
    assert (file.content, file.content_date) == ((ContentKind.IMAGE,), date(2024, 3, 1))
    odd = replace(FILE, content_type="application/zip")
    assert made(restricted=Restricted(media=(odd,))).content[-1] is ContentKind.OTHER
    created = AccountContext(account_id=AccountId("a"), created_at=NOON.replace(year=1999))
    account = made(EffectKind.LOCK, SubjectKind.ACCOUNT, restricted=Restricted(account=created))
    assert (account.content, account.content_date) == ((ContentKind.ACCOUNT,), date(2000, 1, 1))
    document = document_of(account, StatementOptions(territories=("DE", "FR")))
    assert document["content_type_other"] == "account"
    assert document["territorial_scope"] == ["DE", "FR"]


@pytest.mark.parametrize("of", list(SubjectKind))
def test_subject_that_is_not_known_has_the_decisions_date(of: SubjectKind) -> None:
    statement = made(EffectKind.HIDE, of, restricted=Restricted())
    assert statement.content_date == NOON.date()
    assert statement.content


def test_statement_of_an_effect_is_always_the_same_one() -> None:
    assert made().id == made().id
    assert made().id != made(EffectKind.REMOVE).id
