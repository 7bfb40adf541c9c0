"""Words and hashtags that may be terms, put before a person; none of them acts by itself.

A suggestion is shown by an opaque id and its numbers. The word is read again, from a post in which
a seller used it, only for who asks for it in writing, and the record says who did.
"""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from nightlight.audit.clock import Clock
from nightlight.detect.selling import marks_in
from nightlight.detect.suggesting import LEAST_SELLERS, Suggested, rank
from nightlight.detect.term_finder import TermFinder
from nightlight.detect.word_use import words_in
from nightlight.errors import InvalidInput, NotFound
from nightlight.model.audit import AuditEntry
from nightlight.model.event import Event, PostCreated, PostEdited
from nightlight.model.ids import PostId
from nightlight.model.lexicon import Term, TermForm, TermKind
from nightlight.model.masked import Masked
from nightlight.model.word_use import Answer, Answered, Users, Word
from nightlight.services.lexicons import Lexicons, Proposed
from nightlight.transaction import Transaction, UnitOfWork

#: What is looked at of the ranking, the likeliest first.
_LOOKED_AT = 2_000
_ID_BITS = 64
_ANSWERED = {
    Answer.PROPOSED: "suggestion.proposed",
    Answer.DECLINED: "suggestion.declined",
}


class Suggestion(Masked, frozen=True, kw_only=True):
    """A word that may be a term, by an opaque id, and why; of the word itself only its kind.

    Attributes:
        sellers, writers, others: how many accounts of each kind use it, of how many counted.
        score: how far from chance that is (G2).
        posts: a few in which sellers use it.
        word: for who asks for it in writing alone.
    """

    id: str
    form: TermForm
    sellers: tuple[int, int]
    writers: tuple[int, int]
    others: tuple[int, int]
    score: float
    posts: tuple[PostId, ...]
    word: Word

    def __repr__(self) -> str:
        return f"<Suggestion {self.id}: masked>"

    @property
    def why(self) -> str:
        """Say in words why it is suggested."""
        return (
            f"{_of(self.sellers)} accounts that sell use it, {_of(self.writers)} that write about"
            f" the trade, {_of(self.others)} others"
        )


class Suggestions:
    """Lists, tells and answers what may be terms."""

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock, lexicons: Lexicons) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._lexicons = lexicons

    def all(self, *, limit: int) -> list[Suggestion]:
        """Return what may be terms, the likeliest first; nothing listed, nothing answered."""
        with self._unit_of_work.read() as tx:
            return _suggested(tx, limit)

    def export(self, *, limit: int, actor: str, reason: str) -> list[Suggestion]:
        """Return the same, whose words the caller writes out; the record says who had them."""
        with self._unit_of_work.begin() as tx:
            found = _suggested(tx, limit)
            tx.commit(
                AuditEntry(
                    actor=actor,
                    action="suggestion.exported",
                    subject="suggested words",
                    reason=reason,
                    detail={"suggestions": [one.id for one in found]},
                )
            )
        return found

    def accept(
        self, ids: Collection[str], *, lexicon: str, severity: int, actor: str, reason: str
    ) -> Proposed:
        """Return the change that waits for a second person to add these words to a lexicon.

        Raises:
            NotFound: one of these is not suggested.
        """
        with self._unit_of_work.read() as tx:
            chosen = _chosen(_suggested(tx, _LOOKED_AT), ids)
        lines = [_line(one, severity) for one in chosen]
        proposed = self._lexicons.propose_import(lexicon, lines, actor=actor, reason=reason)
        self._answer(chosen, Answer.PROPOSED, actor, reason, change=proposed.change.id)
        return proposed

    def decline(self, ids: Collection[str], *, actor: str, reason: str) -> int:
        """Return how many words will not be suggested again.

        Raises:
            NotFound: one of these is not suggested.
        """
        with self._unit_of_work.read() as tx:
            chosen = _chosen(_suggested(tx, _LOOKED_AT), ids)
        self._answer(chosen, Answer.DECLINED, actor, reason)
        return len(chosen)

    def _answer(
        self,
        chosen: Sequence[Suggestion],
        answer: Answer,
        actor: str,
        reason: str,
        *,
        change: str = "",
    ) -> None:
        now = self._clock.now()
        with self._unit_of_work.begin() as tx:
            tx.word_uses.answer(
                Answered(
                    token=tx.word_uses.token_of(one.word),
                    answer=answer,
                    by=actor,
                    at=now,
                    reason=reason,
                )
                for one in chosen
            )
            tx.commit(
                AuditEntry(
                    actor=actor,
                    action=_ANSWERED[answer],
                    subject="suggested words",
                    reason=reason,
                    detail={"suggestions": [one.id for one in chosen], "change": change},
                )
            )


def _suggested(tx: Transaction, limit: int) -> list[Suggestion]:
    answered = {one.token for one in tx.word_uses.answered()}
    totals = tx.word_uses.totals()
    ranked = rank(tx.word_uses.counted(least=LEAST_SELLERS), totals)
    ranked = [one for one in ranked if one.counted.token not in answered][:_LOOKED_AT]
    if not ranked:
        return []
    events = tx.events.find([key for one in ranked for key in one.counted.event_keys])
    listed = _Listed(tx.lexicons.all())
    found: list[Suggestion] = []
    for one in ranked:
        own = [events[key] for key in one.counted.event_keys if key in events]
        word = _read(tx, one, own)
        if word is not None and not listed.knows(word):
            by = one.counted.by
            sellers, writers, others = ((by[users], totals[users]) for users in Users)
            found.append(
                Suggestion(
                    id=_id_of(one.counted.token),
                    form=one.counted.form,
                    sellers=sellers,
                    writers=writers,
                    others=others,
                    score=round(one.score, 1),
                    posts=tuple(event.post_id for event in own),
                    word=word,
                )
            )
        if len(found) == limit:
            break
    return found


class _Listed:
    """What need not be suggested: what is listed, parts of it, and ordinary words of selling."""

    def __init__(self, terms: Iterable[Term]) -> None:
        terms = list(terms)
        self._finder = TermFinder(terms)
        self._parts = {
            part.text
            for term in terms
            for text in (term.text, *term.variants, term.near)
            for part in words_in(text)
        }

    def knows(self, word: Word) -> bool:
        said = f"#{word.text}" if word.form is TermForm.HASHTAG else word.text
        if word.text in self._parts or any(self._finder.find_in("text", said)):
            return True
        return bool(marks_in([word.text]))


def _read(tx: Transaction, one: Suggested, events: Iterable[Event]) -> Word | None:
    """Return the word that a token stands for, None where no post can be read that holds it."""
    for event in events:
        if isinstance(event.data, PostCreated | PostEdited):
            for word in words_in(event.data.text):
                if tx.word_uses.token_of(word) == one.counted.token:
                    return word
    return None


def _chosen(suggested: Iterable[Suggestion], ids: Collection[str]) -> list[Suggestion]:
    by_id = {one.id: one for one in suggested}
    missing = [one for one in ids if one not in by_id]
    if missing:
        raise NotFound(f"{missing[0]!r} is not suggested", hint="`nightlight lexicon suggest`")
    if not ids:
        raise InvalidInput("no suggestion is named", field="suggestions")
    return [by_id[one] for one in dict.fromkeys(ids)]


def _line(one: Suggestion, severity: int) -> str:
    form = "hashtag" if one.form is TermForm.HASHTAG else TermKind.TERM.value
    row = {"text": one.word.text, "kind": form, "severity": severity, "source": one.id}
    return msgspec.json.encode(row).decode()


def _id_of(token: int) -> str:
    return f"sg_{token % (1 << _ID_BITS):016x}"


def _of(counts: tuple[int, int]) -> str:
    return f"{counts[0]:,} of {counts[1]:,}"
