"""A policy file is right before anything is judged by it; a wrong one says what to do."""

import pytest
from msgspec import structs
from tests.synthetic.builders import make_policy, policy_text

from nightlight.decide.evaluate import Judge
from nightlight.decide.policy import Mode, parse_policy
from nightlight.errors import InvalidInput
from nightlight.model.effect import EffectKind
from nightlight.model.incident import IncidentType
from nightlight.services.rules import default_policy

FIELDS = "docs/reference/policy.md says what every field takes"
WHOLE = "docs/reference/policy.md shows a whole one"
KEEP = 'add "preserve": nothing is deleted before it is preserved'

FAULTS = {
    "not UTF-8": (
        b"\xff\xfe",
        (
            f"policy: not a TOML file: 'utf-8' codec can't decode byte 0xff in position 0:"
            f" invalid start byte ({WHOLE})"
        ),
    ),
    "not TOML": (
        b"rules = [",
        f"policy: not a TOML file: Invalid value (at end of document) ({WHOLE})",
    ),
    "empty": (b"", f"policy: Object missing required field `name` ({FIELDS})"),
    "when is missing": (
        policy_text({"when": None}),
        f"policy.rules[0]: Object missing required field `when` ({FIELDS})",
    ),
    "misspelt field": (
        policy_text({"becuase": "quibble"}),
        f"policy.rules[0]: Object contains unknown field `becuase` ({FIELDS})",
    ),
    "no reason": (
        policy_text({"because": ""}),
        f"policy.rules[0].because: Expected `str` of length >= 1 ({FIELDS})",
    ),
    "severity too high": (
        policy_text({"severity": 101}),
        f"policy.rules[0].severity: Expected `int` <= 100 ({FIELDS})",
    ),
    "severity is text": (
        policy_text({"severity": "high"}),
        f"policy.rules[0].severity: Expected `int`, got `str` ({FIELDS})",
    ),
    "unknown effect": (
        policy_text({"asks": ["review", "zorble"]}),
        f"policy.rules[0].asks[1]: Invalid enum value 'zorble' ({FIELDS})",
    ),
    "unknown mode": (
        policy_text({"mode": "perhaps"}),
        f"policy.rules[0].mode: Invalid enum value 'perhaps' ({FIELDS})",
    ),
    "name in capitals": (
        policy_text({"name": "Loud"}),
        (
            "policy.rules[0].name: Expected `str` matching regex"
            f" '^[a-z][a-z0-9_-]{{0,63}}$' ({FIELDS})"
        ),
    ),
    "rule twice": (
        policy_text({"name": "same"}, {"name": "same"}),
        "policy.rules: rule 'same' stands twice (give each its own name)",
    ),
    "category missing": (
        policy_text({"category": "zorble"}),
        (
            "policy.confirmed: rule 'rule-0' has category 'zorble', which [confirmed] lacks"
            " (add [confirmed.zorble])"
        ),
    ),
    "asks for nothing": (
        policy_text({"asks": []}),
        (
            "policy.rules.rule-0.asks: rule 'rule-0' acts but asks for nothing"
            ' (ask for an effect, or set mode = "shadow")'
        ),
    ),
    "remove without preserve": (
        policy_text({"asks": ["remove"]}),
        f"policy.rules.rule-0.asks: asks for remove without preserve ({KEEP})",
    ),
    "suspend without preserve": (
        policy_text({"asks": ["suspend", "review"]}),
        f"policy.rules.rule-0.asks: asks for suspend without preserve ({KEEP})",
    ),
    "confirmed removes without preserve": (
        policy_text(more='asks = ["remove"]\n'),
        f"policy.confirmed.advert.asks: asks for remove without preserve ({KEEP})",
    ),
    "unknown incident type": (
        policy_text(more='report = "zorble"\n'),
        f"policy.confirmed[...].report: Invalid enum value 'zorble' ({FIELDS})",
    ),
    "two quotas": (
        policy_text(more='[[quotas]]\neffect = "lock"\nper_day = 1\n' * 2),
        "policy.quotas: effect 'lock' has two quotas (keep one)",
    ),
    "negative quota": (
        policy_text(more='[[quotas]]\neffect = "lock"\nper_day = -1\n'),
        f"policy.quotas[0].per_day: Expected `int` >= 0 ({FIELDS})",
    ),
}


#: A whole [reporting] section, as lines to change.
REPORTING = """
[reporting]
name = "zorble-line"
version = "1"
other_matters = ["spam"]

[[reporting.rules]]
name = "first"
when = "acts > 1"
says = "report"

[[reporting.rules]]
name = "second"
when = "true"
says = "not"
reason = "taken_back"

[[reporting.reasons]]
name = "taken_back"
because = "It did not hold."

[[reporting.reasons]]
name = "other_matter"
because = "It is about something else."

[[reporting.deadlines]]
from_severity = 0
hours = 72
"""
THRESHOLD_FAULTS = {
    "rule twice": ('"second"', '"first"', "policy.reporting.rules: rule 'first' stands twice"),
    "reason twice": (
        '"other_matter"',
        '"taken_back"',
        "policy.reporting.reasons: reason 'taken_back' stands twice",
    ),
    "a reason that Nightlight gives is missing": (
        '"other_matter"',
        '"another_matter"',
        "policy.reporting.reasons: the list of reasons lacks 'other_matter'",
    ),
    "no deadline for all": (
        "from_severity = 0",
        "from_severity = 1",
        "policy.reporting.deadlines: no deadline is for severity 0",
    ),
    "not, without a reason": (
        'reason = "taken_back"',
        "",
        "policy.reporting.rules.second.reason: says not to report without a reason from the list",
    ),
    "not, for an unlisted reason": (
        'reason = "taken_back"',
        'reason = "because"',
        "policy.reporting.rules.second.reason: says not to report without a reason from the list",
    ),
    "report, with a reason": (
        'says = "report"',
        'says = "report"\nreason = "taken_back"',
        "policy.reporting.rules.first.reason: gives a reason not to report, but says report",
    ),
    "an answer there is not": (
        'says = "report"',
        'says = "perhaps"',
        "policy.reporting.rules[0].says: Invalid enum value 'perhaps'",
    ),
}


def test_whole_threshold_is_taken_as_it_stands() -> None:
    threshold = make_policy(more=REPORTING).reporting
    assert threshold.full_name == "zorble-line@1"
    assert threshold.other_matters == ("spam",)


@pytest.mark.parametrize(
    ("right", "wrong", "text"), THRESHOLD_FAULTS.values(), ids=THRESHOLD_FAULTS
)
def test_wrong_threshold_names_the_field(right: str, wrong: str, text: str) -> None:
    assert right in REPORTING
    with pytest.raises(InvalidInput) as caught:
        make_policy(more=REPORTING.replace(right, wrong, 1))
    assert str(caught.value).startswith(text)


def test_categories_that_lead_to_a_report_are_told() -> None:
    policy = parse_policy(default_policy())
    assert policy.reportable == {"known_media", "advert", "user_report"}


def test_policy_without_a_threshold_gets_the_one_of_the_default_policy() -> None:
    assert make_policy().reporting == parse_policy(default_policy()).reporting


@pytest.mark.parametrize(("body", "text"), FAULTS.values(), ids=FAULTS)
def test_wrong_policy_names_the_field_and_the_remedy(body: bytes, text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_policy(body)
    assert str(caught.value) == text


def test_deeply_nested_policy_is_refused_without_harm() -> None:
    with pytest.raises(InvalidInput, match="not a TOML file"):
        parse_policy(b"rules = " + b"[" * 100_000)


RULE_FAULTS = {
    "undeclared fact": (
        "zorble_count >= 1",
        "1:1: undeclared reference to 'zorble_count' (declared facts: {known})",
    ),
    "unlike types": (
        "term_count == 'many'",
        (
            "1:12: found no matching overload for '_==_' applied to '(int, string)'"
            " (declared facts: {known})"
        ),
    ),
    "not an expression": (
        "term_count >",
        (
            "1:13: Syntax error: mismatched input '<EOF>' expecting"
            " {{'[', '{{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT,"
            " NUM_UINT, STRING, BYTES, IDENTIFIER}} (declared facts: {known})"
        ),
    ),
    "nested too deep": (
        "(" * 400 + "true" + ")" * 400,
        "Expression recursion limit exceeded. limit: 32 (declared facts: {known})",
    ),
    "no yes-or-no": (
        "term_count + 1",
        "the expression is not a yes-or-no (compare, as in `fact >= 1`)",
    ),
}


@pytest.mark.parametrize(("when", "text"), RULE_FAULTS.values(), ids=RULE_FAULTS)
def test_wrong_rule_names_its_field_and_the_declared_facts(when: str, text: str) -> None:
    known = (
        "account_age_hours, account_confirmed, account_deletions, account_posts,"
        " account_suspended, account_user_reports, event_type, post_views, term_count"
    )
    with pytest.raises(InvalidInput) as caught:
        Judge(policy=make_policy({"when": when}), detectors_facts=[{"term_count": 0}])
    assert str(caught.value) == f"policy.rules.rule-0.when: {text.format(known=known)}"


def test_fact_that_two_detectors_declare_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'term_count' is declared twice"):
        Judge(policy=make_policy(), detectors_facts=[{"term_count": 0}, {"term_count": 0}])


def test_policy_says_what_follows_a_confirmed_case() -> None:
    policy = make_policy(more='asks = ["preserve", "remove"]\nreport = "csam"\n')
    outcome = policy.confirmed["advert"]
    assert outcome.asks == (EffectKind.PRESERVE, EffectKind.REMOVE)
    assert outcome.report is IncidentType.CSAM


def test_rule_on_trial_may_ask_for_nothing() -> None:
    assert make_policy({"asks": [], "mode": "shadow"}).rules[0].mode is Mode.SHADOW


def test_version_names_the_exact_content() -> None:
    once, again = parse_policy(policy_text()), parse_policy(policy_text() + b"\n# a remark\n")
    assert once.version.startswith("quibble@1:")
    assert once.version != again.version
    assert once.version == parse_policy(policy_text()).version


def test_default_policy_needs_no_change_to_be_loaded() -> None:
    policy = parse_policy(default_policy())
    assert policy.name == "default"
    assert "unknown" in policy.confirmed


@pytest.mark.parametrize(("severity", "hours"), [(0, 72), (79, 72), (80, 24), (100, 24)])
def test_severe_cases_are_filed_sooner(severity: int, hours: int) -> None:
    assert make_policy().filing_hours(severity) == hours


def test_without_deadlines_there_is_none() -> None:
    assert structs.replace(make_policy(), filing_deadlines=()).filing_hours(50) is None


def test_an_unknown_place_to_report_to_is_refused() -> None:
    with pytest.raises(InvalidInput):
        make_policy(more='report_to = ["elsewhere"]\n')


ROUTES = """
[[report_routes]]
country = "GB"
report_to = ["hotline"]
"""


@pytest.mark.parametrize(
    ("country", "places"),
    [("GB", ("hotline",)), (" gb", ("hotline",)), ("SE", ("ncmec",)), ("", ("ncmec",))],
)
def test_accounts_of_a_country_are_reported_where_its_route_says(
    country: str, places: tuple[str, ...]
) -> None:
    policy = make_policy(more=ROUTES)
    assert policy.places(policy.confirmed["advert"], country) == places


@pytest.mark.parametrize(
    "wrong",
    [
        ROUTES * 2,
        ROUTES.replace("GB", "gb"),
        ROUTES.replace("GB", "GBR"),
        ROUTES.replace('["hotline"]', "[]"),
        ROUTES.replace("hotline", "elsewhere"),
    ],
)
def test_a_route_that_cannot_be_meant_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidInput):
        make_policy(more=wrong)
