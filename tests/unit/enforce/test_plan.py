"""A decision becomes effects; what may not happen unseen becomes review."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.synthetic.builders import (
    make_account,
    make_decision,
    make_media,
    make_post,
    subject_of,
)

from nightlight.enforce.plan import (
    Plan,
    human_decisions,
    make_effect,
    milder,
    plan_effects,
    without_preservation,
)
from nightlight.model.context import Context
from nightlight.model.effect import ACCOUNT_EFFECTS, DESTRUCTIVE_EFFECTS, EffectKind
from nightlight.model.signal import SubjectKind

KIND = EffectKind
ASKS_A_PERSON = {KIND.PRESERVE, KIND.REVIEW}


def kinds(plan: Plan) -> list[EffectKind]:
    return [effect.kind for effect in plan.effects]


def test_effects_follow_the_decision_in_its_order() -> None:
    plan = plan_effects(make_decision(KIND.PRESERVE, KIND.HIDE, KIND.LOCK, KIND.REVIEW))
    assert kinds(plan) == [KIND.PRESERVE, KIND.HIDE, KIND.LOCK, KIND.REVIEW]
    assert plan.withheld == ()


def test_account_effects_are_about_the_account_and_others_about_the_subject() -> None:
    hide, lock = plan_effects(make_decision(KIND.HIDE, KIND.LOCK)).effects
    assert hide.subject == subject_of()
    assert lock.subject == subject_of(SubjectKind.ACCOUNT, "account-1")


def test_dismissed_subject_is_not_limited_again_and_a_person_is_asked() -> None:
    decision = make_decision(KIND.PRESERVE, KIND.LIMIT_REACH, KIND.HIDE)
    plan = plan_effects(decision, human_decision="dismissed")
    assert kinds(plan) == [KIND.PRESERVE, KIND.REVIEW]
    assert plan.withheld == (
        "limit_reach: a person dismissed this before",
        "hide: a person dismissed this before",
    )


def test_dismissed_account_is_not_suspended_again_while_its_new_post_is_hidden() -> None:
    decision = make_decision(KIND.PRESERVE, KIND.HIDE, KIND.SUSPEND)
    plan = plan_effects(decision, account_human_decision="dismissed")
    assert kinds(plan) == [KIND.PRESERVE, KIND.HIDE, KIND.REVIEW]


def test_confirmed_subject_is_limited_as_any_other() -> None:
    plan = plan_effects(make_decision(KIND.HIDE), human_decision="confirmed")
    assert kinds(plan) == [KIND.HIDE]


def test_effect_over_its_quota_becomes_review() -> None:
    decision = make_decision(KIND.PRESERVE, KIND.SUSPEND)
    plan = plan_effects(decision, over_quota=[KIND.SUSPEND])
    assert kinds(plan) == [KIND.PRESERVE, KIND.REVIEW]
    assert plan.withheld == ("suspend: today's quota is used up",)


def test_effect_on_an_account_that_nobody_named_becomes_review() -> None:
    plan = plan_effects(make_decision(KIND.LOCK, account_id=""))
    assert kinds(plan) == [KIND.REVIEW]
    assert plan.withheld == ("lock: the account is not known",)


def test_review_is_asked_for_once_however_much_is_withheld() -> None:
    decision = make_decision(KIND.HIDE, KIND.REVIEW)
    assert kinds(plan_effects(decision, human_decision="dismissed")) == [KIND.REVIEW]


def test_without_sealed_evidence_content_is_hidden_instead_of_removed() -> None:
    decision = make_decision(KIND.PRESERVE, KIND.REMOVE)
    plan = without_preservation(plan_effects(decision), decision)
    assert kinds(plan) == [KIND.PRESERVE, KIND.HIDE, KIND.REVIEW]
    assert plan.withheld == ("remove: the evidence could not be preserved",)


def test_without_sealed_evidence_an_account_is_locked_instead_of_suspended() -> None:
    decision = make_decision(KIND.PRESERVE, KIND.SUSPEND, KIND.REVIEW)
    plan = without_preservation(plan_effects(decision), decision)
    assert kinds(plan) == [KIND.PRESERVE, KIND.REVIEW, KIND.LOCK]


def test_without_sealed_evidence_a_dismissed_post_is_still_not_hidden() -> None:
    decision = make_decision(KIND.PRESERVE, KIND.REMOVE, KIND.SUSPEND)
    plan = plan_effects(decision, human_decision="dismissed")
    assert KIND.HIDE not in kinds(without_preservation(plan, decision))


def test_without_sealed_evidence_what_destroys_nothing_goes_on() -> None:
    decision = make_decision(KIND.PRESERVE, KIND.HIDE, KIND.REVIEW)
    plan = plan_effects(decision)
    assert without_preservation(plan, decision) == plan


def test_milder_effects_destroy_nothing_and_others_stay() -> None:
    assert {milder(kind) for kind in EffectKind} == set(EffectKind) - DESTRUCTIVE_EFFECTS


any_asks = st.lists(st.sampled_from(EffectKind), max_size=6)
any_human = st.sampled_from(["", "confirmed", "dismissed"])


@given(any_asks, any_human, any_human, st.sets(st.sampled_from(EffectKind)))
def test_whatever_is_withheld_somebody_is_asked(
    asks: list[EffectKind], human: str, account_human: str, over_quota: set[EffectKind]
) -> None:
    decision = make_decision(*asks)
    plan = plan_effects(
        decision,
        human_decision=human,
        account_human_decision=account_human,
        over_quota=over_quota,
    )
    done, rest = set(kinds(plan)), set(asks) - set(kinds(plan))
    assert not done & over_quota - {KIND.REVIEW}
    assert (not rest) or KIND.REVIEW in done
    if human == "dismissed":
        assert done <= ACCOUNT_EFFECTS | ASKS_A_PERSON
    if account_human == "dismissed":
        assert not done & ACCOUNT_EFFECTS


@given(any_asks)
def test_nothing_is_destroyed_without_sealed_evidence(asks: list[EffectKind]) -> None:
    decision = make_decision(*asks)
    plan = without_preservation(plan_effects(decision), decision)
    assert DESTRUCTIVE_EFFECTS.isdisjoint(kinds(plan))
    assert plan.asks_for(KIND.REVIEW)


def test_effect_keeps_its_id_when_planned_again() -> None:
    first, again = make_decision(KIND.HIDE), make_decision(KIND.HIDE)
    assert plan_effects(first) == plan_effects(again)


def test_effects_of_one_decision_have_different_ids() -> None:
    plan = plan_effects(make_decision(*EffectKind))
    assert len({effect.id for effect in plan.effects}) == len(EffectKind)


def test_effect_may_be_about_another_subject_of_the_decision() -> None:
    effect = make_effect(make_decision(), KIND.REMOVE, subject_of(name="post-2"))
    assert effect.subject.id == "post-2"


DISMISSED: dict[str, Any] = {"human_decision": "dismissed"}


@pytest.mark.parametrize(
    ("kind", "name", "context", "expected"),
    [
        (SubjectKind.POST, "post-1", Context(post=make_post(**DISMISSED)), "dismissed"),
        (SubjectKind.POST, "post-1", Context(post=make_post("other", **DISMISSED)), ""),
        (
            SubjectKind.POST,
            "late",
            Context(later_posts=(make_post("late", **DISMISSED),)),
            "dismissed",
        ),
        (SubjectKind.POST, "post-1", Context(), ""),
        (SubjectKind.MEDIA, "media-1", Context(media=(make_media(**DISMISSED),)), "dismissed"),
        (SubjectKind.MEDIA, "other", Context(media=(make_media(**DISMISSED),)), ""),
    ],
    ids=["post", "another post", "later post", "unknown post", "media", "another file"],
)
def test_what_people_decided_is_asked_of_the_very_subject(
    kind: SubjectKind, name: str, context: Context, expected: str
) -> None:
    assert human_decisions(make_decision(subject=subject_of(kind, name)), context) == (expected, "")


def test_what_people_decided_about_the_account_counts_for_account_subjects() -> None:
    decision = make_decision(subject=subject_of(SubjectKind.ACCOUNT, "account-1"))
    context = Context(account=make_account(human_decision="confirmed"))
    assert human_decisions(decision, context) == ("confirmed", "confirmed")


def test_what_limits_a_file_limits_the_post_that_shows_it_and_nothing_else_does() -> None:
    post = subject_of(SubjectKind.POST, "shows-it")
    decision = make_decision(KIND.PRESERVE, KIND.HIDE, KIND.LOCK)
    effects = plan_effects(decision, shown_in=post).effects
    assert [(one.kind, one.subject == post) for one in effects] == [
        (KIND.PRESERVE, False),
        (KIND.HIDE, False),
        (KIND.HIDE, True),
        (KIND.LOCK, False),
    ]
