"""What a threshold says, and that doubt is a person's."""

import pytest
from msgspec.structs import replace

from nightlight.decide.policy import DEFAULT_THRESHOLD
from nightlight.errors import InvalidInput
from nightlight.model.effect import EffectKind
from nightlight.model.report_decision import NOT_TOLD, Part, Says, Threshold, ThresholdRule
from nightlight.model.role import Knowledge, Role
from nightlight.report import threshold as module
from nightlight.report.threshold import Answer, Asked, CompiledThreshold, compiled


def asked(part: Part = NOT_TOLD, *, category: str = "advert") -> Asked:
    return Asked(category=category, severity=70, effect=EffectKind.SUSPEND, part=part)


def rule(
    when: str, says: Says = Says.REPORT, *, name: str = "r", reason: str = ""
) -> ThresholdRule:
    return ThresholdRule(name=name, when=when, says=says, reason=reason)


def made(*rules: ThresholdRule, other_matters: tuple[str, ...] = ()) -> Threshold:
    return replace(DEFAULT_THRESHOLD, rules=rules, other_matters=other_matters)


@pytest.mark.parametrize("role", [Role.CREATOR, Role.DISTRIBUTOR, Role.ADVERTISER])
def test_default_reports_whoever_published_it(role: Role) -> None:
    answer = compiled(DEFAULT_THRESHOLD).ask(asked(Part(role=role.value)))
    assert answer == Answer(says=Says.REPORT, rule="published")


@pytest.mark.parametrize("role", [Role.ENGAGER.value, Role.BYSTANDER.value, "", "of tomorrow"])
def test_default_leaves_anybody_else_to_a_person(role: str) -> None:
    assert compiled(DEFAULT_THRESHOLD).ask(asked(Part(role=role))).says is Says.PERSON


def test_default_never_says_not() -> None:
    assert Says.NOT not in {one.says for one in DEFAULT_THRESHOLD.rules}


def test_first_rule_that_holds_counts() -> None:
    known = Part(
        role="engager",
        acts=3,
        knowledge_for=(Knowledge.KEPT, Knowledge.ASKED),
        knowledge_against=(Knowledge.ONCE,),
    )
    threshold = made(
        rule("kept && speaks_for == 1", name="one-thing"),
        rule("asked && once && speaks_against == 1 && acts == 3", name="that"),
        rule("role == 'engager'", Says.NOT, name="late", reason="below_threshold"),
    )
    assert CompiledThreshold(threshold).ask(asked(known)).rule == "that"
    passing = Part(role="engager")
    answer = CompiledThreshold(threshold).ask(asked(passing))
    assert answer == Answer(says=Says.NOT, rule="late", reason="below_threshold")


def test_nothing_is_explained_before_a_person_confirmed_what_the_account_did() -> None:
    careless = CompiledThreshold(made(rule("true", Says.NOT, reason="below_threshold")))
    assert careless.ask(asked(NOT_TOLD)).says is Says.PERSON


def test_rule_that_cannot_be_evaluated_leaves_it_to_a_person_and_asks_no_further() -> None:
    threshold = made(
        rule("1 / acts > 0", name="broken"), rule("true", Says.NOT, reason="below_threshold")
    )
    answer = CompiledThreshold(threshold).ask(asked(Part(role="engager", acts=0)))
    assert answer == Answer(says=Says.PERSON, rule="broken")


def test_other_matters_are_explained_by_name_and_nothing_else_is() -> None:
    threshold = CompiledThreshold(made(other_matters=("spam",)))
    answer = threshold.ask(asked(category="spam"))
    assert (answer.says, answer.reason) == (Says.NOT, "other_matter")
    assert threshold.ask(asked(category="spam-like")).says is Says.PERSON


@pytest.mark.parametrize("when", ["role ==", "rolle == 'x'", "acts", "acts == 'three'"])
def test_rule_that_is_no_yes_or_no_over_known_facts_is_refused(when: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        CompiledThreshold(made(rule(when)))
    assert caught.value.field == "policy.reporting.rules.r.when"


def test_answers_are_the_same_whether_remembered_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 2)
    threshold = CompiledThreshold(made(rule("acts > 2")))
    several = [asked(Part(role="engager", acts=acts)) for acts in range(5)]
    first = [threshold.ask(one).says for one in several]
    assert first == [threshold.ask(one).says for one in several]
    assert first == [Says.PERSON] * 3 + [Says.REPORT] * 2
