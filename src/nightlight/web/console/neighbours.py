"""Whom an account is tied to, ready to be drawn."""

from collections import defaultdict

from nightlight.model.case import STANDING, CaseState
from nightlight.model.engagement import Engaged
from nightlight.model.ids import AccountId
from nightlight.services.account_view import AccountView
from nightlight.services.networks import linked_accounts
from nightlight.transaction import Transaction
from nightlight.web.console.graph import MOST, Neighbour

_POSTS, _ACTS = 200, 200
#: What dozens of accounts show, such as a bio that people copy, would hide the ties that matter.
_LEAST_DRAWN = 0.1
#: How much an act towards somebody ties the two together.
_STRENGTH = {
    Engaged.LIKE: 0.1,
    Engaged.REPLY: 0.15,
    Engaged.FOLLOW: 0.2,
    Engaged.BOOKMARK: 0.2,
    Engaged.REPOST: 0.25,
}


def neighbours_of(tx: Transaction, view: AccountView) -> list[Neighbour]:
    """Return the accounts that this one is tied to, the strongest first."""
    own = view.account.account_id
    ties: defaultdict[AccountId, dict[str, float]] = defaultdict(dict)
    flagged = [post.post_id for post in view.posts[:_POSTS] if post.flagged]
    towards = [
        (one.account_id, f"{one.kind.value} of its flagged posts", one)
        for one in tx.engagements.with_posts(flagged)
    ]
    away = [
        (one.target_id, f"{one.kind.value} by it", one)
        for one in tx.engagements.by(own, _ACTS)
        if one.target_id
    ]
    for other, said, act in (*towards, *away):
        if other and other != own and act.kind in _STRENGTH:
            strengths = ties[other]
            strengths[said] = 1 - (1 - strengths.get(said, 0.0)) * (1 - _STRENGTH[act.kind])
    for linked in linked_accounts(tx, own, MOST):
        for tie in linked.ties:
            if tie.weight < _LEAST_DRAWN:
                continue
            ties[linked.account_id][f"same {tie.kind.value.replace('_', ' ')}"] = tie.weight
    strongest = sorted(ties, key=lambda one: (-_together(ties[one]), one))[:MOST]
    known = tx.context.accounts(strongest)
    return [
        Neighbour(
            account_id=one,
            ties=tuple(sorted(ties[one], key=ties[one].__getitem__, reverse=True)),
            strength=_together(ties[one]),
            tone=_tone(tx, one, is_suspended=one in known and known[one].suspended),
        )
        for one in strongest
    ]


def _together(strengths: dict[str, float]) -> float:
    nothing = 1.0
    for strength in strengths.values():
        nothing *= 1 - strength
    return 1 - nothing


def _tone(tx: Transaction, account_id: AccountId, *, is_suspended: bool) -> str:
    states = {case.state for case in tx.cases.of_account(account_id)}
    if is_suspended or states & STANDING:
        return "bad"
    return "warn" if CaseState.OPEN in states else "quiet"
