"""Which words and hashtags who uses: those who sell, those who write about it, and others.

What sellers use and others do not may be a coded word that no list has yet. Kept as keyed hashes
beside the account, of a bounded number of accounts each: ``ports.WordUseStore``. What is scored
and how, ``suggesting`` says; nothing acts on it but a person.
"""

import re
from collections.abc import Sequence

from nightlight.detect.contacts import may_have_contacts, without_contacts
from nightlight.detect.folding import skeleton
from nightlight.detect.linked import is_stopped
from nightlight.detect.offer import POSSIBLE, Offer
from nightlight.detect.ports import WordUseStore
from nightlight.detect.term_match import TermMatch
from nightlight.detect.words import is_in_unspaced_script
from nightlight.model.context import AccountContext
from nightlight.model.event import Event, PostCreated, PostEdited
from nightlight.model.lexicon import TermForm
from nightlight.model.signal import Signal
from nightlight.model.word_use import Users, Word, WordUse

_TAG = re.compile(r"(?<![\w#&/])#(\w{2,60})(?!\w)")
_WORD = re.compile(r"(?<!\w)(?=\d{0,8}[^\W\d_])[^\W_]{3,40}(?!\w)")
#: Of one post, the first so many: a post that lists hundreds says nothing of each.
_MOST = 48
#: A text is read this far.
_LONGEST = 2_000


class WordUses:
    """What the events of a batch used."""

    def __init__(self) -> None:
        self._store: WordUseStore | None = None
        self._told: list[WordUse] = []

    def load(self, store: WordUseStore) -> None:
        """Begin a batch."""
        self._store = store

    def tell(self, event: Event, account: AccountContext | None, signals: Sequence[Signal]) -> None:
        """Remember the words of a judged post, if its account is among those that are counted."""
        data = event.data
        if not isinstance(data, PostCreated | PostEdited) or self._store is None:
            return
        users = users_of(account, signals)
        if users is not None and self._store.is_counted(users, event.account_id):
            self._told.append(
                WordUse(
                    users=users,
                    account_id=event.account_id,
                    at=event.time,
                    event_key=event.key,
                    words=words_in(data.text),
                )
            )

    def save(self, store: WordUseStore) -> None:
        """Store what was told."""
        store.add([one for one in self._told if one.words])


def users_of(account: AccountContext | None, signals: Sequence[Signal]) -> Users | None:
    """Return whose words those of a post are; None where that is not sure."""
    found = {one.detector for one in signals}
    dismissed = account is not None and account.human_decision == "dismissed"
    if account is not None and is_stopped(account) and not dismissed:
        return Users.SELLERS
    if Offer.name in found:
        return None if dismissed else Users.SELLERS
    if POSSIBLE in found:
        return None
    return Users.WRITERS if TermMatch.name in found else Users.OTHERS


def words_in(text: str) -> tuple[Word, ...]:
    """Return the hashtags and words of a post, each once; no links, handles and codes.

    Words of scripts that put no spaces between them are left out; their hashtags are not.
    """
    text = text[:_LONGEST]
    if may_have_contacts(text):
        text = without_contacts(text)
    folded = skeleton(text)
    tags = dict.fromkeys(_TAG.findall(folded))
    plain = _TAG.sub(" ", folded) if tags else folded
    words = dict.fromkeys(one for one in _WORD.findall(plain) if not is_in_unspaced_script(one))
    found = (
        *(Word(form=TermForm.HASHTAG, text=one) for one in tags),
        *(Word(form=TermForm.WORD, text=one) for one in words),
    )
    return found[:_MOST]
