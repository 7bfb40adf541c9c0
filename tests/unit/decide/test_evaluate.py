"""Judging: which rules hold, what cannot be told, and the one decision that follows."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.synthetic.builders import (
    at,
    event_of,
    make_account,
    make_policy,
    make_post,
    make_signal,
    subject_of,
)

from nightlight.decide.evaluate import Judge, in_order
from nightlight.model.context import Context
from nightlight.model.decision import Decision
from nightlight.model.effect import EffectKind
from nightlight.model.event import PostCreated
from nightlight.model.signal import Fact, Signal

FACTS: Mapping[str, Fact] = {"term_count": 0, "exact": False, "score": 0.0, "bank": ""}
EVENT = event_of(PostCreated(post_id="post-1", account_id="account-1"))


def judge_of(*rules: Mapping[str, object]) -> Judge:
    return Judge(policy=make_policy(*rules), detectors_facts=[FACTS])


def decide(
    *rules: Mapping[str, object],
    facts: Mapping[str, Fact] | None = None,
    context: Context | None = None,
) -> Decision | None:
    signal = make_signal(facts if facts is not None else {"term_count": 1})
    return judge_of(*rules).decide(EVENT, context or Context(), [signal])


def test_rule_that_holds_decides_with_its_reason() -> None:
    decision = decide({"asks": ["review", "limit_reach"], "severity": 42})
    assert decision is not None
    assert decision.asks == ("limit_reach", "review")
    assert decision.severity == 42
    assert decision.category == "advert"
    assert decision.decided_by == "policy"
    assert decision.time == EVENT.time
    assert decision.subject == subject_of()
    assert [(one.rule, one.text) for one in decision.reasons] == [
        ("rule-0", "Nonsense stood there.")
    ]


def test_rule_that_does_not_hold_decides_nothing() -> None:
    assert decide({"when": "term_count >= 2"}) is None


def test_without_a_signal_nothing_is_judged() -> None:
    assert judge_of({"when": "true"}).decide(EVENT, Context(), []) is None


def test_rules_add_up_and_the_gravest_names_the_category() -> None:
    decision = decide({"severity": 10, "asks": ["review"]}, {"severity": 60, "asks": ["hide"]})
    assert decision is not None
    assert decision.asks == ("hide", "review")
    assert decision.severity == 60
    assert [reason.rule for reason in decision.reasons] == ["rule-0", "rule-1"]


CANNOT_BE_TOLD = {
    "division by zero": "1 / account_posts > 0",
    "remainder of zero": "1 % account_posts > 0",
    "too large a number": "9223372036854775807 + term_count > 0",
    "bad pattern": "bank.matches(bank + '[')",
    "no number": "int(bank) > 0",
}


@pytest.mark.parametrize("when", CANNOT_BE_TOLD.values(), ids=CANNOT_BE_TOLD)
def test_rule_that_cannot_be_told_asks_a_person(when: str) -> None:
    decision = decide({"when": when, "asks": ["hide"]})
    assert decision is not None
    assert decision.asks == ("preserve", "review")
    assert decision.category == "unknown"
    assert decision.severity == 50
    assert [(one.rule, one.text) for one in decision.reasons] == [
        ("rule-0", "The rule could not be evaluated: a person decides.")
    ]


def test_rule_that_cannot_be_told_does_not_weaken_one_that_holds() -> None:
    decision = decide({"asks": ["hide"], "severity": 20}, {"when": "1 / account_posts > 0"})
    assert decision is not None
    assert decision.asks == ("preserve", "hide", "review")
    assert (decision.category, decision.severity) == ("advert", 20)


def test_fact_of_the_wrong_type_asks_a_person() -> None:
    decision = decide({"when": "term_count >= 1"}, facts={"term_count": "many"})
    assert decision is not None
    assert decision.category == "unknown"


def test_shadow_rule_asks_for_nothing() -> None:
    assert decide({"mode": "shadow", "asks": ["hide"]}) is None


def test_shadow_rule_that_cannot_be_told_asks_for_nothing() -> None:
    assert decide({"mode": "shadow", "when": "1 / account_posts > 0"}) is None


def test_shadow_rule_gives_a_decision_neither_reason_nor_severity() -> None:
    decision = decide({"severity": 1}, {"mode": "shadow", "severity": 99, "asks": ["hide"]})
    assert decision is not None
    assert decision.severity == 1
    assert decision.asks == ("review",)
    assert [reason.rule for reason in decision.reasons] == ["rule-0"]


def test_rule_in_review_mode_only_asks_a_person() -> None:
    decision = decide({"mode": "review", "asks": ["preserve", "remove"]})
    assert decision is not None
    assert decision.asks == ("preserve", "review")


def test_same_event_under_the_same_policy_is_the_same_decision() -> None:
    first, second = decide({}), decide({})
    assert first == second
    other = decide({"severity": 51})
    assert first is not None
    assert other is not None
    assert first.id != other.id


def test_facts_of_the_context_may_be_used() -> None:
    account = make_account(
        created_at=at(-150),
        posts=4,
        deletions=2,
        user_reports=3,
        suspended=True,
        human_decision="confirmed",
    )
    when = (
        "event_type == 'post.created' && account_age_hours == 2 && account_posts == 4"
        " && account_deletions == 2 && account_user_reports == 3 && account_suspended"
        " && account_confirmed && post_views == 9"
    )
    context = Context(account=account, post=make_post(views=9))
    assert decide({"when": when}, context=context) is not None


def test_account_seen_first_after_its_event_is_not_younger_than_nothing() -> None:
    context = Context(account=make_account(first_seen=at(90)))
    assert decide({"when": "account_age_hours == 0"}, context=context) is not None


def test_account_of_unknown_age_counts_as_new() -> None:
    context = Context(account=make_account())
    assert decide({"when": "account_age_hours == 0"}, context=context) is not None


def test_first_signal_tells_the_facts_and_the_subject() -> None:
    first = make_signal({"term_count": 1}, subject=subject_of(name="first"))
    second = make_signal({"term_count": 5, "exact": True}, subject=subject_of(name="second"))
    judge = judge_of({"when": "term_count == 1 && exact"})
    decision = judge.decide(EVENT, Context(), [first, second])
    assert decision is not None
    assert decision.subject.id == "first"


def test_effects_happen_once_each_and_keep_before_they_take_away() -> None:
    asked = in_order([*reversed(EffectKind), EffectKind.REMOVE])
    assert sorted(asked) == sorted(EffectKind)
    assert asked[0] is EffectKind.PRESERVE
    assert asked[-1] is EffectKind.REVIEW


some_facts = st.fixed_dictionaries(
    {
        "term_count": st.integers(-1, 2) | st.booleans() | st.sampled_from([0.0, 1.0]),
        "exact": st.booleans() | st.integers(0, 1),
        "score": st.sampled_from([0.0, -0.0, 1.0]) | st.integers(0, 1),
        "bank": st.sampled_from(["", "quibble"]),
    }
)
REMEMBERING = judge_of(
    {"when": "term_count > 0"},
    {"when": "exact && bank != ''"},
    {"when": "1.0 / score > 0.0"},
    {"when": "10 / term_count > 5"},
)


@given(some_facts)
@settings(max_examples=300, deadline=None)
def test_remembered_answer_is_the_fresh_answer(facts: dict[str, Fact]) -> None:
    whole = {**REMEMBERING._neutral, **facts}
    assert REMEMBERING.holds(whole) == REMEMBERING._evaluate(whole)


def test_memory_of_answers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightlight.decide.evaluate._REMEMBERED", 3)
    judge = judge_of({})
    for count in range(9):
        signals: list[Signal] = [make_signal({"term_count": count})]
        judge.decide(EVENT, Context(), signals)
    assert len(judge._held) == 3
