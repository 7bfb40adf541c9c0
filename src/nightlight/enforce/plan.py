"""A decision becomes effects; what may not happen unseen becomes review instead. Pure."""

from collections.abc import Collection

from msgspec import Struct

from nightlight.model.context import Context
from nightlight.model.decision import Decision
from nightlight.model.effect import ACCOUNT_EFFECTS, LIMITING_EFFECTS, Effect, EffectKind
from nightlight.model.ids import EffectId, derive_id
from nightlight.model.signal import Subject, SubjectKind


class Plan(Struct, frozen=True, kw_only=True):
    """The effects of a decision, and what was withheld from automation and why."""

    effects: tuple[Effect, ...] = ()
    withheld: tuple[str, ...] = ()

    def asks_for(self, kind: EffectKind) -> bool:
        """Return whether an effect of this kind is among them."""
        return any(effect.kind is kind for effect in self.effects)


def plan_effects(
    decision: Decision,
    *,
    human_decision: str = "",
    account_human_decision: str = "",
    over_quota: Collection[EffectKind] = (),
    shown_in: Subject | None = None,
) -> Plan:
    """Return the effects of a policy's decision.

    A person who dismissed this subject, or this account's case, outranks the policy: the effects
    concerned are withheld and a person is asked again. So are effects over their quota, and those
    on an account that nobody has named.

    Args:
        decision: what the policy asks for.
        human_decision: what a person last decided about the subject, "" if nobody did.
        account_human_decision: the same for the account.
        over_quota: effect kinds whose quota is used up.
        shown_in: the published post that shows the subject; what limits the one limits the other.
    """
    effects: list[Effect] = []
    withheld: list[str] = []
    for ask in decision.asks:
        kind = EffectKind(ask)
        on_account = kind in ACCOUNT_EFFECTS
        if on_account and not decision.account_id:
            withheld.append(f"{kind}: the account is not known")
            continue
        if kind in over_quota:
            withheld.append(f"{kind}: today's quota is used up")
            continue
        human = account_human_decision if on_account else human_decision
        if human == "dismissed" and kind not in (EffectKind.PRESERVE, EffectKind.REVIEW):
            withheld.append(f"{kind}: a person dismissed this before")
            continue
        effects.append(make_effect(decision, kind))
        if shown_in is not None and kind in LIMITING_EFFECTS:
            effects.append(make_effect(decision, kind, shown_in))
    if withheld and not any(effect.kind is EffectKind.REVIEW for effect in effects):
        effects.append(make_effect(decision, EffectKind.REVIEW))
    return Plan(effects=tuple(effects), withheld=tuple(withheld))


def make_effect(decision: Decision, kind: EffectKind, subject: Subject | None = None) -> Effect:
    """Return one effect of a decision, with the id that makes it happen once."""
    about = subject or decision.subject
    if kind in ACCOUNT_EFFECTS:
        about = Subject(kind=SubjectKind.ACCOUNT, id=decision.account_id)
    return Effect(
        id=EffectId(derive_id("eff", decision.id, kind, about.kind, about.id)),
        decision_id=decision.id,
        kind=kind,
        subject=about,
    )


#: What takes the place of an effect that needs sealed evidence: it can be taken back.
_MILDER = {EffectKind.REMOVE: EffectKind.HIDE, EffectKind.SUSPEND: EffectKind.LOCK}


def without_preservation(plan: Plan, decision: Decision) -> Plan:
    """Return the plan for when evidence could not be sealed.

    Nothing is destroyed: content is hidden instead of removed, an account locked instead of
    suspended, and a person is asked.
    """
    kept = [effect for effect in plan.effects if effect.kind not in _MILDER]
    withheld = [effect.kind for effect in plan.effects if effect.kind in _MILDER]
    there = {effect.kind for effect in kept}
    instead = (*(_MILDER[kind] for kind in withheld), EffectKind.REVIEW)
    kept.extend(make_effect(decision, kind) for kind in instead if kind not in there)
    why = [f"{kind}: the evidence could not be preserved" for kind in withheld]
    return Plan(effects=tuple(kept), withheld=(*plan.withheld, *why))


def milder(kind: EffectKind) -> EffectKind:
    """Return what takes the place of an effect while its evidence is not sealed."""
    return _MILDER.get(kind, kind)


def human_decisions(decision: Decision, context: Context) -> tuple[str, str]:
    """Return what people last decided about a decision's subject and about its account."""
    account = context.account.human_decision if context.account else ""
    about = decision.subject
    if about.kind is SubjectKind.ACCOUNT:
        return account, account
    known: list[tuple[str, str]] = [(one.media_id, one.human_decision) for one in context.media]
    if about.kind is SubjectKind.POST:
        posts = (context.post, *context.later_posts)
        known = [(one.post_id, one.human_decision) for one in posts if one is not None]
    return next((human for name, human in known if name == about.id), ""), account
