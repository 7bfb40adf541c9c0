"""What a decision asks for, less what people decided and what quotas no longer allow."""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from nightlight.decide.policy import Policy
from nightlight.detect.known import Known
from nightlight.enforce.plan import Plan, human_decisions, plan_effects
from nightlight.model.decision import Decision
from nightlight.model.effect import EffectKind
from nightlight.model.ids import PostId
from nightlight.model.signal import Subject, SubjectKind
from nightlight.pipeline.judging import Judgement
from nightlight.transaction import Transaction

_A_DAY = timedelta(days=1)


class Planned(Struct, frozen=True, kw_only=True):
    """A decision with its plan, not stored yet."""

    judgement: Judgement
    decision: Decision
    plan: Plan


class Planner:
    """Plans the decisions of one batch in order; each uses up quotas and is known to the next."""

    def __init__(self, tx: Transaction, policy: Policy, known: Known, *, now: datetime) -> None:
        """Look up how many more of each limited effect may be asked for today."""
        self._known = known
        self._left = {
            quota.effect: quota.per_day - tx.outbox.count_since(quota.effect, now - _A_DAY)
            for quota in policy.quotas
        }

    def plan(self, judgement: Judgement, decision: Decision) -> Planned:
        """Return what is to be done; from now on it counts as asked for."""
        human, account_human = human_decisions(decision, judgement.context)
        plan = plan_effects(
            decision,
            human_decision=human,
            account_human_decision=account_human,
            over_quota=[kind for kind, more in self._left.items() if more <= 0],
            shown_in=_shown_in(judgement, decision),
        )
        for effect in plan.effects:
            if effect.kind in self._left:
                self._left[effect.kind] -= 1
        if decision.subject.kind is SubjectKind.POST:
            self._known.flag_post(PostId(decision.subject.id))
        account = self._known.accounts.get(decision.account_id)
        if account is not None and plan.asks_for(EffectKind.SUSPEND):
            self._known.keep_account(replace(account, suspended=True))
        return Planned(judgement=judgement, decision=decision, plan=plan)


def _shown_in(judgement: Judgement, decision: Decision) -> Subject | None:
    """Return the post that showed a file before the file was announced, if there is one.

    In the usual order the post comes later and gets a decision of its own.
    """
    post = judgement.context.post
    if decision.subject.kind is not SubjectKind.MEDIA or post is None or post.posted_at is None:
        return None
    return Subject(kind=SubjectKind.POST, id=post.post_id)
