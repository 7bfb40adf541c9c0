"""Whom an account is tied to by what both show, and which stopped account it may continue.

Kinds of things are named and counted; what they are is not known here, only their keyed hashes.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from nightlight.detect.linked import MOST_HOLDERS
from nightlight.detect.links import handle_variants
from nightlight.detect.predecessors import (
    Candidate,
    Predecessor,
    Tie,
    rank,
    ties_of,
    together,
)
from nightlight.errors import NotFound
from nightlight.model.case import STANDING, CaseState
from nightlight.model.context import AccountContext, Shared
from nightlight.model.ids import AccountId
from nightlight.model.link import Link, LinkKind, LinkToken
from nightlight.transaction import Transaction

#: Things of one account that are looked up, newest first: wordings are many and weigh less.
_OTHER_THINGS, _WORDINGS = 400, 200
#: Accounts that are looked at closely, those with the weightiest ties.
_CLOSELY = 24
_NO_WORDING = tuple(kind for kind in LinkKind if kind is not LinkKind.TEMPLATE)


class Linked(Struct, frozen=True, kw_only=True):
    """Another account that shows the same things, and how strongly that ties the two."""

    account_id: AccountId
    strength: float
    ties: tuple[Tie, ...]


def known_account(tx: Transaction, account_id: AccountId) -> AccountContext:
    """Return what is known of an account.

    Raises:
        NotFound: no event ever named it.
    """
    account = tx.context.accounts([account_id]).get(account_id)
    if account is None:
        raise NotFound(f"no account {account_id!r}", hint="ids are those of the platform's events")
    return account


def things_of(tx: Transaction, account_id: AccountId) -> list[Link]:
    """Return what an account showed, as tokens."""
    return [
        *tx.links.of_account(account_id, _OTHER_THINGS, kinds=_NO_WORDING),
        *tx.links.of_account(account_id, _WORDINGS, kinds=[LinkKind.TEMPLATE]),
    ]


def linked_accounts(tx: Transaction, account_id: AccountId, limit: int) -> list[Linked]:
    """Return the accounts that show the same things as this one, the strongest ties first."""
    tokens = [one.token for one in things_of(tx, account_id)]
    found = [_linked(other, shared) for other, shared in _sharing(tx, account_id, tokens).items()]
    return sorted(found, key=lambda one: (-one.strength, one.account_id))[:limit]


def predecessors_of(tx: Transaction, account_id: AccountId, limit: int) -> list[Predecessor]:
    """Return the accounts that this one may continue, the likeliest first.

    All that came before count; those that a person confirmed, that were suspended, flagged or fell
    silent before this one began count more.

    Raises:
        NotFound: no event ever named this account.
    """
    account = known_account(tx, account_id)
    tokens = [one.token for one in things_of(tx, account_id)]
    tokens += tx.links.keyed(handle_variants(account.handle))
    sharing = _sharing(tx, account_id, tokens)
    closest = sorted(sharing, key=lambda one: (-_strength(sharing[one]), one))[:_CLOSELY]
    accounts = tx.context.accounts(closest)
    flagged = _flagged(tx, closest)
    candidates = [
        Candidate(
            account=accounts[one],
            shared=tuple(sharing[one]),
            flagged=one in flagged,
            last_at=_last_at(tx, accounts[one]),
        )
        for one in closest
        if one in accounts
    ]
    return rank(account, candidates)[:limit]


def _sharing(
    tx: Transaction, account_id: AccountId, tokens: Sequence[LinkToken]
) -> Mapping[AccountId, list[Shared]]:
    """Return who else shows these things; what many show ties nobody."""
    kinds = {token.value: token.kind for token in tokens}
    sharing: defaultdict[AccountId, list[Shared]] = defaultdict(list)
    for value, holders in tx.links.holders(kinds, most=MOST_HOLDERS).items():
        others = [one.account_id for one in holders if one.account_id != account_id]
        if len(others) < MOST_HOLDERS:
            for other in others:
                sharing[other].append(Shared(kinds[value], len(others) + 1))
    return sharing


def _linked(account_id: AccountId, shared: Sequence[Shared]) -> Linked:
    ties = ties_of(shared)
    return Linked(
        account_id=account_id, strength=together(tie.weight for tie in ties), ties=tuple(ties)
    )


def _strength(shared: Sequence[Shared]) -> float:
    return together(tie.weight for tie in ties_of(shared))


def _flagged(tx: Transaction, ids: Collection[AccountId]) -> set[AccountId]:
    """Return the accounts about which a finding waits, or stands."""
    waiting = STANDING | {CaseState.OPEN}
    return {one for one in ids if any(case.state in waiting for case in tx.cases.of_account(one))}


def _last_at(tx: Transaction, account: AccountContext) -> datetime | None:
    """Return when an account last posted, or last told of itself."""
    times = [one.posted_at for one in tx.context.posts_of(account.account_id, 1)]
    known = [one for one in (*times, account.profile_at) if one is not None]
    return max(known, default=None)
