"""Groups of accounts that post in the same wordings or tell the same of themselves.

Read from the ties that are kept as events are judged, beginning at accounts about which something
was found, so the work is bounded however large the platform. What hundreds of accounts word alike
ties nobody; accounts without a finding are shown where they share wordings with one that has, and
lead no further: newsrooms and shops word alike, too.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from nightlight.model.case import STANDING, CaseState
from nightlight.model.ids import AccountId
from nightlight.model.link import Link, LinkKind
from nightlight.services.networks import known_account
from nightlight.transaction import Transaction

_KINDS = (LinkKind.TEMPLATE, LinkKind.BIO)
#: Bands that two accounts share at least; one may be chance.
_SAME = 2
#: Wordings of an account that are looked up, accounts of a cluster, and cases to begin from.
_WORDINGS, _ACCOUNTS, _BEGUN_FROM = 200, 200, 400
#: A wording that more accounts use is everybody's: a chain letter, a shop's share button. A bio is
#: so sooner: people copy them, and many say the same in three words.
MOST_HOLDERS, _MOST_BIOS = 256, 12


class Found(StrEnum):
    """What was found about an account of a cluster."""

    CONFIRMED = "confirmed"
    SUSPENDED = "suspended"
    WAITING = "waiting"
    """A case is open."""
    NOTHING = "nothing"


class Member(Struct, frozen=True, kw_only=True):
    """An account of a cluster.

    Attributes:
        alike: how many others of the cluster it shares wordings with.
        posts: how many of its posts or profiles showed the wording that it showed most.
    """

    account_id: AccountId
    found: Found
    alike: int
    posts: int
    first_at: datetime
    last_at: datetime


class Cluster(Struct, frozen=True, kw_only=True):
    """Accounts that word alike, those about whom most was found first.

    Attributes:
        posts: at least so many posts and profiles in shared wordings.
        first_at, last_at: when a shared wording was shown first and last.
        is_whole: False where the cluster is larger than is looked at.
    """

    members: tuple[Member, ...]
    posts: int
    first_at: datetime
    last_at: datetime
    is_whole: bool

    def count(self, *found: Found) -> int:
        """Return about how many accounts this was found."""
        return sum(one.found in found for one in self.members)


def clusters(tx: Transaction, *, limit: int) -> list[Cluster]:
    """Return clusters in which something was found about two accounts or more, largest first."""
    began = [one.account_id for one in tx.cases.queue(None, _BEGUN_FROM) if one.account_id]
    seen: set[AccountId] = set()
    found: list[Cluster] = []
    for account_id in dict.fromkeys(began):
        if account_id not in seen:
            cluster = _grown(tx, account_id)
            if cluster is not None:
                seen.update(one.account_id for one in cluster.members)
                found.append(cluster)
    telling = [one for one in found if len(one.members) - one.count(Found.NOTHING) > 1]
    telling.sort(key=lambda one: (one.count(Found.NOTHING) - len(one.members), -one.posts))
    return telling[:limit]


def cluster_of(tx: Transaction, account_id: AccountId) -> Cluster | None:
    """Return the cluster around an account, whatever was found; None where it words like nobody.

    Raises:
        NotFound: no event ever named it.
    """
    known_account(tx, account_id)
    return _grown(tx, account_id)


class _Wordings(Struct):
    """What the accounts of a growing cluster showed that others showed, too."""

    shown: defaultdict[AccountId, dict[int, Link]]
    alike: defaultdict[AccountId, set[AccountId]]


def _grown(tx: Transaction, first: AccountId) -> Cluster | None:
    found: dict[AccountId, Found] = {first: _found(tx, first)}
    wordings = _Wordings(defaultdict(dict), defaultdict(set))
    ahead, is_whole = deque([first]), True
    while ahead:
        account_id = ahead.popleft()
        for other in _alike(tx, account_id, wordings):
            if other in found:
                continue
            if len(found) == _ACCOUNTS:
                is_whole = False
                break
            found[other] = _found(tx, other)
            if found[other] is not Found.NOTHING:
                ahead.append(other)
    if len(found) == 1:
        return None
    members = [_member(one, what, wordings) for one, what in found.items()]
    members.sort(key=lambda one: (list(Found).index(one.found), -one.alike, one.account_id))
    return Cluster(
        members=tuple(members),
        posts=sum(one.posts for one in members),
        first_at=min(one.first_at for one in members),
        last_at=max(one.last_at for one in members),
        is_whole=is_whole,
    )


def _alike(tx: Transaction, account_id: AccountId, wordings: _Wordings) -> list[AccountId]:
    """Return who shares bands enough with an account, those who share most first."""
    own = tx.links.of_account(account_id, _WORDINGS, kinds=_KINDS)
    kinds = {one.token.value: one.token.kind for one in own}
    shared: Counter[tuple[AccountId, LinkKind]] = Counter()
    holders = {
        token: links
        for token, links in tx.links.holders(kinds, most=MOST_HOLDERS).items()
        if 1 < len(links) <= (_MOST_BIOS if kinds[token] is LinkKind.BIO else MOST_HOLDERS)
    }
    for token, links in holders.items():
        shared.update((one.account_id, kinds[token]) for one in links)
    enough = [one for one, count in shared.most_common() if count >= _SAME]
    others = [one for one in dict.fromkeys(name for name, _ in enough) if one != account_id]
    for other in others:
        wordings.alike[account_id].add(other)
        wordings.alike[other].add(account_id)
    _remember(holders.values(), {account_id, *others}, wordings)
    return others


def _remember(
    holders: Iterable[Iterable[Link]], accounts: Collection[AccountId], wordings: _Wordings
) -> None:
    for links in holders:
        alike = [one for one in links if one.account_id in accounts]
        if len(alike) > 1:
            for one in alike:
                wordings.shown[one.account_id][one.token.value] = one


def _member(account_id: AccountId, found: Found, wordings: _Wordings) -> Member:
    shown = wordings.shown[account_id].values()
    return Member(
        account_id=account_id,
        found=found,
        alike=len(wordings.alike[account_id]),
        posts=max(one.count for one in shown),
        first_at=min(one.first_at for one in shown),
        last_at=max(one.last_at for one in shown),
    )


def _found(tx: Transaction, account_id: AccountId) -> Found:
    states = {case.state for case in tx.cases.of_account(account_id)}
    if states & STANDING:
        return Found.CONFIRMED
    account = tx.context.accounts([account_id]).get(account_id)
    if account is not None and account.suspended:
        return Found.SUSPENDED
    return Found.WAITING if CaseState.OPEN in states else Found.NOTHING
