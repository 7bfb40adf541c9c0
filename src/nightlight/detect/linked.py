"""Which accounts have something in common with the one that is judged.

Chosen for each event as the store would choose them, so that it does not matter which events
shared a batch with it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TypeAlias

from msgspec import Struct

from nightlight.detect.links import handle_variants, is_whole_template, marks_after, marks_of
from nightlight.detect.ports import KnownStores, LinkStore
from nightlight.model.context import AccountContext, LinkedAccount, PostContext, Shared
from nightlight.model.event import AccountCreated, AccountUpdated, Event
from nightlight.model.ids import AccountId, EventKey
from nightlight.model.link import Link, LinkKind, LinkMark, LinkToken
from nightlight.model.signal import Signal

#: What more accounts than these show ties none of them to another.
MOST_HOLDERS = 64
_CONTACTS = frozenset(
    {LinkKind.LINK_TARGET, LinkKind.OFF_PLATFORM_HANDLE, LinkKind.CONTACT, LinkKind.PAYMENT}
)
#: An account younger than this is compared with those that were stopped.
_NEW_FOR = timedelta(days=90)
_TEMPLATE_WINDOW = timedelta(days=7)
#: One wording in two bands, or letter for letter, is the same; in one band it may be chance.
_SAME_TEMPLATE = 2

_Profile = (AccountCreated, AccountUpdated)
Accounts: TypeAlias = Mapping[AccountId, AccountContext]


class _Shown(Struct, frozen=True):
    """What an event shows, and what is looked up for it besides."""

    tokens: tuple[LinkToken, ...]
    variants: tuple[LinkToken, ...]
    whole_templates: frozenset[int]


class Linked:
    """What a batch of events shows, and who else showed it."""

    def __init__(self) -> None:
        self._shown: dict[EventKey, _Shown] = {}
        self._holders: dict[int, dict[AccountId, Link]] = {}
        self._stopped: dict[AccountId, AccountContext] = {}
        self._told: list[Link] = []
        self._links: LinkStore | None = None

    def load(self, events: Sequence[Event], stores: KnownStores) -> None:
        """Fetch who showed before what the events show."""
        self._links = stores.links
        for event in events:
            marks = marks_of(event)
            if marks:
                self._shown[event.key] = _shown(event, marks, stores.links)
        wanted = {
            token.value for one in self._shown.values() for token in (*one.tokens, *one.variants)
        }
        found = stores.links.holders(wanted, most=MOST_HOLDERS)
        self._holders = {
            value: {one.account_id: one for one in links} for value, links in found.items()
        }
        telling = [one for one in self._holders.values() if len(one) <= MOST_HOLDERS]
        self._stopped = stores.context.stopped({account for one in telling for account in one})

    def ties_for(
        self, event: Event, account_id: AccountId, accounts: Accounts
    ) -> tuple[tuple[LinkedAccount, ...], int]:
        """Return the stopped accounts that share something, and how many share the wording."""
        shown = self._shown.get(event.key)
        if shown is None:
            return (), 0
        linked: tuple[LinkedAccount, ...] = ()
        if isinstance(event.data, _Profile) or _is_new(accounts.get(account_id), event):
            linked = self._linked(shown, account_id, accounts)
        return linked, self._same_template(shown, event, account_id)

    def _linked(
        self, shown: _Shown, account_id: AccountId, accounts: Accounts
    ) -> tuple[LinkedAccount, ...]:
        shared: defaultdict[AccountId, list[Shared]] = defaultdict(list)
        for token, others in self._others((*shown.tokens, *shown.variants), account_id):
            for other in others:
                shared[other].append(Shared(token.kind, len(others) + 1))
        known = {one: accounts.get(one) or self._stopped.get(one) for one in sorted(shared)}
        return tuple(
            LinkedAccount(account=account, shared=tuple(shared[one]))
            for one, account in known.items()
            if account is not None and is_stopped(account)
        )

    def _same_template(self, shown: _Shown, event: Event, account_id: AccountId) -> int:
        alike: defaultdict[AccountId, int] = defaultdict(int)
        oldest = event.time - _TEMPLATE_WINDOW
        for token in shown.tokens:
            if token.kind is LinkKind.TEMPLATE:
                weight = _SAME_TEMPLATE if token.value in shown.whole_templates else 1
                for other, link in self._holders.get(token.value, {}).items():
                    if (
                        other != account_id
                        and link.first_at <= event.time
                        and link.last_at >= oldest
                    ):
                        alike[other] += weight
        return sum(count >= _SAME_TEMPLATE for count in alike.values())

    def _others(
        self, tokens: Sequence[LinkToken], account_id: AccountId
    ) -> Iterator[tuple[LinkToken, list[AccountId]]]:
        for token in tokens:
            others = [one for one in self._holders.get(token.value, ()) if one != account_id]
            if 0 < len(others) < MOST_HOLDERS:
                yield token, others

    def tokens_of(self, event: Event) -> tuple[LinkToken, ...]:
        """Return what the event shows."""
        shown = self._shown.get(event.key)
        return shown.tokens if shown else ()

    def contacts_of(self, event: Event) -> tuple[LinkKind, ...]:
        """Return the kinds of ways to reach or pay the author that the event shows."""
        kinds = dict.fromkeys(token.kind for token in self.tokens_of(event))
        return tuple(kind for kind in kinds if kind in _CONTACTS)

    def tell(
        self,
        event: Event,
        account_id: AccountId,
        post: PostContext | None,
        signals: Sequence[Signal],
    ) -> None:
        """Remember what a judged event showed."""
        after = marks_after(event, post, signals)
        shown = self._shown.get(event.key)
        if not account_id or self._links is None or not (after or shown):
            return
        tokens = dict.fromkeys(shown.tokens if shown else ())
        tokens |= dict.fromkeys(self._links.keyed(after))
        for token in tokens:
            link = Link(token=token, account_id=account_id, first_at=event.time, last_at=event.time)
            self._told.append(link)
            self._hold(link)

    def _hold(self, link: Link) -> None:
        holders = self._holders.setdefault(link.token.value, {})
        before = holders.get(link.account_id, link)
        holders[link.account_id] = Link(
            token=link.token,
            account_id=link.account_id,
            first_at=min(before.first_at, link.first_at),
            last_at=max(before.last_at, link.last_at),
        )

    def save(self, store: LinkStore) -> None:
        """Store what was told."""
        store.add(self._told)


def is_stopped(account: AccountContext) -> bool:
    """Return whether an account was suspended, or confirmed by a person."""
    return account.suspended or account.human_decision == "confirmed"


def _shown(event: Event, marks: tuple[LinkMark, ...], links: LinkStore) -> _Shown:
    tokens = links.keyed(marks)
    data = event.data
    variants = handle_variants(data.handle or "") if isinstance(data, _Profile) else ()
    return _Shown(
        tokens=tokens,
        variants=links.keyed(variants),
        whole_templates=frozenset(
            token.value
            for mark, token in zip(marks, tokens, strict=True)
            if is_whole_template(mark)
        ),
    )


def _is_new(account: AccountContext | None, event: Event) -> bool:
    born = None if account is None else account.created_at or account.first_seen
    return born is None or event.time - born <= _NEW_FOR
