"""Who uses which words, as keyed hashes of words; of so many accounts as fit, chosen fairly.

Adaptive sampling (Wegman's, as described in Flajolet, "On adaptive sampling", Computing 43, 1990):
every account has a place by a keyed hash of its id; those up to a ceiling are counted, and where
they become too many the ceiling is halved. Whoever is counted was counted from the beginning.
"""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, func, select

from nightlight.adapters.sql.rows import among, put_new, put_over, to_json, to_us
from nightlight.adapters.sql.schema import account, counter, word_answer, word_use, word_user
from nightlight.model.ids import AccountId, EventKey
from nightlight.model.lexicon import TermForm
from nightlight.model.word_use import Answered, Counted, Users, Word, WordUse
from nightlight.preserve.ports import KeyRing

#: Accounts whose words are kept, of each kind.
MOST: Mapping[Users, int] = MappingProxyType(
    {Users.SELLERS: 2_048, Users.WRITERS: 512, Users.OTHERS: 512}
)
#: Words that are kept of an account.
_MOST_WORDS = 400
#: An account that has not been heard of for so long makes room for others where room is short.
_KEPT_FOR = timedelta(days=180)
_ALL = 1 << 40
_EXAMPLES = 3

_answered = msgspec.json.Decoder(Answered)


class SqlWordUseStore:
    """Counts who used what."""

    def __init__(self, connection: Connection, keys: KeyRing) -> None:
        self._connection = connection
        self._naming_key = keys.naming_key
        self._keyed_hash: hmac.HMAC | None = None
        self._ceilings: dict[Users, int] | None = None
        self._places: dict[str, int] = {}

    def is_counted(self, users: Users, account_id: AccountId) -> bool:
        """Return whether an account is among those of its kind whose words are kept."""
        if not account_id:
            return False
        ceiling = self._known_ceilings()[users]
        return ceiling == _ALL or self._place(account_id) < ceiling

    def add(self, uses: Iterable[WordUse]) -> None:
        """Add to what accounts used; beyond what fits, fewer accounts are counted from now on."""
        of: defaultdict[Users, list[WordUse]] = defaultdict(list)
        for one in uses:
            if self.is_counted(one.users, one.account_id):
                of[one.users].append(one)
        for users, told in of.items():
            self._add(users, told)
            self._make_room(users)

    def _add(self, users: Users, told: list[WordUse]) -> None:
        last: dict[AccountId, int] = {}
        for one in told:
            last[one.account_id] = max(last.get(one.account_id, 0), to_us(one.at))
        known: defaultdict[str, set[int]] = defaultdict(set)
        own = among(self._connection, word_use.c.account_id, last)
        wanted = select(word_use.c.account_id, word_use.c.token)
        for name, token in self._connection.execute(wanted.where(word_use.c.users == users, own)):
            known[name].add(token)
        rows = []
        for one in told:
            tokens = known[one.account_id]
            for word in one.words:
                token = self.token_of(word)
                if token not in tokens and len(tokens) < _MOST_WORDS:
                    tokens.add(token)
                    rows.append(
                        {
                            "users": users.value,
                            "account_id": one.account_id,
                            "token": token,
                            "form": word.form.value,
                            "event_key": one.event_key,
                        }
                    )
        put_new(self._connection, word_use, rows)
        put_over(
            self._connection,
            word_user,
            [
                {
                    "users": users.value,
                    "account_id": name,
                    "place": self._place(name),
                    "last_us": at,
                }
                for name, at in last.items()
            ],
        )

    def _make_room(self, users: Users) -> None:
        """Count fewer accounts where there are more than fit."""
        own = word_user.c.users == users
        if self._count(users) <= MOST[users]:
            return
        newest = select(func.max(word_user.c.last_us)).where(own)
        latest = self._connection.execute(newest).scalar_one()
        self._forget(users, word_user.c.last_us < latest - _KEPT_FOR // timedelta(microseconds=1))
        ceilings = self._known_ceilings()
        while self._count(users) > MOST[users]:
            ceilings[users] //= 2
            self._forget(users, word_user.c.place >= ceilings[users])
        row = {"name": _counter(users), "value": ceilings[users]}
        put_over(self._connection, counter, [row])

    def _forget(self, users: Users, which: ColumnElement[bool]) -> None:
        gone = select(word_user.c.account_id).where(word_user.c.users == users, which)
        of_them = and_(word_use.c.users == users, word_use.c.account_id.in_(gone))
        self._connection.execute(delete(word_use).where(of_them))
        self._connection.execute(delete(word_user).where(word_user.c.users == users, which))

    def _count(self, users: Users) -> int:
        wanted = select(func.count()).select_from(word_user).where(word_user.c.users == users)
        return self._connection.execute(wanted).scalar_one()

    def token_of(self, word: Word) -> int:
        """Return the keyed hash of a word."""
        return self._keyed(f"{word.form.value}\x1f{word.text}")

    def totals(self) -> Mapping[Users, int]:
        """Return how many accounts of each kind are counted; who sells is of that kind alone."""
        no_seller = word_user.c.account_id.not_in(_sellers())
        wanted = (
            select(word_user.c.users, func.count())
            .where(word_user.c.users != Users.SELLERS, no_seller)
            .group_by(word_user.c.users)
        )
        found = {Users(name): count for name, count in self._connection.execute(wanted)}
        sellers = select(func.count()).select_from(_sellers().subquery())
        found[Users.SELLERS] = self._connection.execute(sellers).scalar_one()
        return {users: found.get(users, 0) for users in Users}

    def counted(self, *, least: int) -> list[Counted]:
        """Return what at least so many accounts of sellers used, in no order."""
        by_sellers = word_use.c.account_id.in_(_sellers())
        how_many = func.count(word_use.c.account_id.distinct())
        sold = (
            select(word_use.c.token, how_many.label("count"))
            .where(by_sellers)
            .group_by(word_use.c.token)
            .having(how_many >= least)
        )
        by = {
            token: {**dict.fromkeys(Users, 0), Users.SELLERS: count}
            for token, count in self._connection.execute(sold)
        }
        among_these = word_use.c.token.in_(select(sold.subquery().c.token))
        others = (
            select(word_use.c.token, word_use.c.users, func.count())
            .where(among_these, ~by_sellers, word_use.c.users != Users.SELLERS)
            .group_by(word_use.c.token, word_use.c.users)
        )
        for token, users, count in self._connection.execute(others):
            by[token][Users(users)] = count
        examples: defaultdict[int, list[EventKey]] = defaultdict(list)
        forms: dict[int, TermForm] = {}
        posts = (
            select(word_use.c.token, word_use.c.form, word_use.c.event_key)
            .where(among_these, by_sellers)
            .order_by(word_use.c.account_id, word_use.c.users)
        )
        for token, form, event_key in self._connection.execute(posts):
            forms[token] = TermForm(form)
            if len(examples[token]) < _EXAMPLES:
                examples[token].append(EventKey(event_key))
        return [
            Counted(token=token, form=form, by=by[token], event_keys=tuple(examples[token]))
            for token, form in forms.items()
        ]

    def answer(self, answers: Iterable[Answered]) -> None:
        """Remember what a person made of words, over what was made of them before."""
        rows = [{"token": one.token, "body": to_json(one)} for one in answers]
        put_over(self._connection, word_answer, rows)

    def answered(self) -> list[Answered]:
        """Return every word that a person looked at."""
        wanted = select(word_answer.c.body).order_by(word_answer.c.token)
        return [_answered.decode(body) for body in self._connection.execute(wanted).scalars()]

    def _known_ceilings(self) -> dict[Users, int]:
        if self._ceilings is None:
            names = {_counter(users): users for users in Users}
            wanted = select(counter.c.name, counter.c.value).where(counter.c.name.in_(names))
            self._ceilings = dict.fromkeys(Users, _ALL)
            for name, value in self._connection.execute(wanted):
                self._ceilings[names[name]] = value
        return self._ceilings

    def _place(self, account_id: str) -> int:
        place = self._places.get(account_id)
        if place is None:
            place = self._places[account_id] = self._keyed(f"account\x1f{account_id}") % _ALL
        return place

    def _keyed(self, text: str) -> int:
        if self._keyed_hash is None:
            key = hmac.new(self._naming_key(), b"nightlight/words", hashlib.sha256).digest()
            self._keyed_hash = hmac.new(key, digestmod=hashlib.blake2b)
        keyed = self._keyed_hash.copy()
        keyed.update(text.encode("utf-8", "surrogatepass"))
        return int.from_bytes(keyed.digest()[:8], "big", signed=True)


def _counter(users: Users) -> str:
    return f"word users: {users.value}"


def _sellers() -> Select[tuple[str]]:
    """Return the accounts of sellers, without those that a person held to be none."""
    dismissed = exists().where(
        account.c.account_id == word_user.c.account_id, account.c.human_decision == "dismissed"
    )
    return select(word_user.c.account_id).where(word_user.c.users == Users.SELLERS, ~dismissed)
