"""Lexicons: an operator's lists of terms for text, kept secret, and the changes made to them."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field

from nightlight.model.masked import Masked

#: ISO 15924 codes of the scripts that a term may ask for.
SCRIPTS = frozenset(
    (
        *("Arab", "Armn", "Beng", "Cyrl", "Deva", "Ethi", "Geor", "Grek", "Gujr", "Guru"),
        *("Hang", "Hani", "Hans", "Hant", "Hebr", "Hira", "Jpan", "Kana", "Khmr", "Knda"),
        *("Kore", "Laoo", "Latn", "Mlym", "Mymr", "Sinh", "Taml", "Telu", "Thai", "Tibt"),
    )
)


class TermKind(StrEnum):
    """What it means when a term stands in a text."""

    TERM = "term"  # a coded word of the trade
    CUE = "cue"  # selling structure: price words, contact words, payment words
    EXCLUSION = "exclusion"  # words of those who write about it: news, research, help


class TermForm(StrEnum):
    """How a term is written, and so how it is looked for."""

    WORD = "word"
    """One or more words, also when they are disguised."""
    ABBREVIATION = "abbreviation"
    """A word by itself, as it is written but for look-alike letters: it has too few to disguise."""
    HASHTAG = "hashtag"
    """A word, also disguised, that counts only in a hashtag."""
    EMOJI = "emoji"
    """Pictures in this order, with or without spaces."""


class Beside(StrEnum):
    """What else must stand in the text for a term to count."""

    NOTHING = ""
    PRICE = "price"
    HANDLE = "handle"
    """A handle at another service."""
    LINK = "link"


class Term(Masked, frozen=True, kw_only=True, omit_defaults=True):
    """One entry; ``id`` is opaque and may be shown, ``text`` only on the reviewer's screen.

    Attributes:
        severity: 0 to 100, the operator's judgement of how much the term alone says.
        language: BCP 47 tag, "" for any: it counts where a text's language is unknown or this.
        script: ISO 15924 code such as "Cyrl", "" for any: the text must have letters of it.
        variants: other spellings, such as those that sound alike; found as this term.
        case_sensitive: of an abbreviation, whether it counts only in capitals as given.
        near: another text that must stand in the same post or field, "" for none.
        beside: what else must stand there.
        within: how many words away ``near`` or ``beside`` may be, 0 for anywhere.
        licence, source: under which terms and from whom the operator has it; for people.
    """

    id: str
    kind: TermKind = TermKind.TERM
    text: str
    severity: int = 50
    language: str = ""
    script: str = ""
    form: TermForm = TermForm.WORD
    variants: tuple[str, ...] = ()
    case_sensitive: bool = False
    near: str = ""
    beside: Beside = field(default=Beside.NOTHING, name="with")
    within: int = 0
    licence: str = ""
    source: str = ""

    def __repr__(self) -> str:
        return f"<Term {self.id}: masked>"


class Lexicon(Struct, frozen=True, kw_only=True):
    """A named, versioned list of terms."""

    name: str
    version: int
    terms: tuple[Term, ...]


class ChangeAction(StrEnum):
    """What a change does to a lexicon."""

    IMPORT = "import"
    WITHDRAW = "withdraw"


class ChangeState(StrEnum):
    """Whether a change took effect."""

    PROPOSED = "proposed"
    """It waits for a second person."""
    IN_EFFECT = "in effect"
    REJECTED = "rejected"


class LexiconChange(Struct, frozen=True, kw_only=True):
    """A change of a lexicon as it may be shown: who, when, why and how much, never what.

    Attributes:
        version: the lexicon's version from this change on, 0 while it is not in effect.
        added, changed, removed: how many terms it adds, brings up to date and takes away; of a
            proposal, as of then.
        raised, lowered: of those it brought up to date, how many became severer and less severe.
        digest: stands for all terms of the lexicon after the change, in effect or not.
        base: the lexicon's version when it was proposed, None where an older Nightlight did.
        alone: whether one person made it without a second.
    """

    id: str
    lexicon: str
    action: ChangeAction
    state: ChangeState
    proposed_by: str
    proposed_at: datetime
    reason: str
    version: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    raised: int = 0
    lowered: int = 0
    digest: str = ""
    base: int | None = None
    decided_by: str = ""
    decided_at: datetime | None = None
    decision_reason: str = ""
    alone: bool = False
