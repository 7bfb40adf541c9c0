"""Turns the fields of one line of a lexicon file into a term, and a term into cells.

What is wrong with a field is said by its name and remedy, never with its value.
"""

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from nightlight.errors import InvalidInput
from nightlight.model.ids import derive_id
from nightlight.model.lexicon import SCRIPTS, Beside, Term, TermForm, TermKind

Row: TypeAlias = Mapping[str, object] | InvalidInput
_Choice = TypeVar("_Choice", bound=StrEnum)

FIELDS = (
    *("text", "kind", "severity", "language", "id", "form", "variants", "case_sensitive"),
    *("near", "with", "within", "script", "licence", "source"),
)
#: Words under "kind" that say a form, or that a term needs company; what they find is a term.
_FORMS = {one.value: one for one in TermForm if one is not TermForm.WORD}
_PATTERN = "pattern"
_DEFAULT_SEVERITY = 50
_MOST_SEVERE = 100
_LONGEST_TEXT = 200
_LONGEST_NOTE = 300
_MOST_VARIANTS = 50
_MOST_WORDS = 100
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_DERIVED_ID = re.compile(r"tm_[0-9a-f]{24}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_YES_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}


class _Kind(Struct, frozen=True, kw_only=True):
    kind: TermKind
    form: TermForm | None = None
    needs_company: bool = False


def term_of(row: Row, lexicon: str) -> Term:
    """Return the term that a row of a lexicon holds.

    Raises:
        InvalidInput: a field is wrong; names it, never what it holds.
    """
    if isinstance(row, InvalidInput):
        raise row
    if not row.keys() <= set(FIELDS):
        hint = f"the fields are {', '.join(FIELDS)}"
        raise InvalidInput("has a field that terms do not have", hint=hint)
    said = _kind(row.get("kind", TermKind.TERM.value))
    form = _choice(row.get("form", ""), TermForm, "form") or said.form or TermForm.WORD
    term = Term(
        id="",
        kind=said.kind,
        text=_text(row.get("text", "")),
        severity=_number(
            row.get("severity", _DEFAULT_SEVERITY), "severity", _MOST_SEVERE, _DEFAULT_SEVERITY
        ),
        language=_language(row.get("language", "")),
        script=_script(row.get("script", "")),
        form=form,
        variants=_variants(row.get("variants", ())),
        case_sensitive=_yes_no(row.get("case_sensitive", False)),
        near=_text(row["near"], "near") if row.get("near") else "",
        beside=_choice(row.get("with", ""), Beside, "with") or Beside.NOTHING,
        within=_number(row.get("within", 0), "within", _MOST_WORDS, 0),
        licence=_note(row.get("licence", ""), "licence"),
        source=_note(row.get("source", ""), "source"),
    )
    _check_whole(term, needs_company=said.needs_company)
    given = _id(row.get("id"), (term.text, *term.variants, term.near))
    return replace(term, id=given or made_id(term, lexicon))


def made_id(term: Term, lexicon: str) -> str:
    """Return the id that a term of a lexicon has where the file gives none."""
    parts = [lexicon, term.kind.value, term.text]
    if term.form is not TermForm.WORD or term.near or term.beside:
        parts += [term.form.value, term.near, term.beside.value, str(term.within)]
    return derive_id("tm", *parts)


def cells_of(term: Term) -> list[str]:
    """Return a term as a line of CSV has it, in the order of ``FIELDS``."""
    values: dict[str, object] = {
        **{name: getattr(term, name) for name in FIELDS if name != "with"},
        "with": term.beside.value,
        "variants": "|".join(term.variants),
        "case_sensitive": "true" if term.case_sensitive else "",
        "within": term.within or "",
    }
    return [str(values[name]) for name in FIELDS]


def _check_whole(term: Term, *, needs_company: bool) -> None:
    """Check what single fields do not show.

    Raises:
        InvalidInput: fields contradict each other.
    """
    if needs_company and not (term.near or term.beside):
        hint = "give near (another text) or with (price, handle or link)"
        raise InvalidInput("is missing for a pattern", field="near", hint=hint)
    if term.within and not (term.near or term.beside):
        raise InvalidInput("has nothing to be near", field="within", hint="give near or with")
    if term.case_sensitive and term.form is not TermForm.ABBREVIATION:
        hint = "leave it out, or let form be abbreviation"
        raise InvalidInput("is for abbreviations only", field="case_sensitive", hint=hint)
    written = "".join((term.text, *term.variants))
    if term.form is TermForm.EMOJI and any(unicodedata.category(one)[0] == "L" for one in written):
        hint = "give only emoji, or let form be word"
        raise InvalidInput("holds letters", field="text", hint=hint)
    if any("|" in one for one in term.variants):
        raise InvalidInput("hold a |", field="variants", hint="it parts spellings: leave it out")


def _text(value: object, field: str = "text") -> str:
    text = value.strip() if isinstance(value, str) else ""
    # A letter, digit or symbol such as an emoji: what is left once a text is normalised.
    if not any(unicodedata.category(char)[0] in "LNS" for char in text):
        hint = "give at least one letter, digit or emoji"
        raise InvalidInput("has nothing to look for", field=field, hint=hint)
    if len(text) > _LONGEST_TEXT:
        hint = f"shorten it to {_LONGEST_TEXT} characters"
        raise InvalidInput("is too long for a term", field=field, hint=hint)
    return text


def _variants(value: object) -> tuple[str, ...]:
    """Return other spellings: a list in JSON, parted by "|" in CSV."""
    if isinstance(value, str):
        value = [one for one in value.split("|") if one.strip()]
    if not isinstance(value, list | tuple) or len(value) > _MOST_VARIANTS:
        hint = f"list up to {_MOST_VARIANTS} spellings, in CSV with | between them"
        raise InvalidInput("are no list of spellings", field="variants", hint=hint)
    return tuple(dict.fromkeys(_text(one, "variants") for one in value))


def _kind(value: object) -> _Kind:
    said = value.strip().lower() if isinstance(value, str) else ""
    if said in _FORMS:
        return _Kind(kind=TermKind.TERM, form=_FORMS[said])
    if said == _PATTERN:
        return _Kind(kind=TermKind.TERM, needs_company=True)
    for kind in TermKind:
        if said == kind.value:
            return _Kind(kind=kind)
    hint = f"write one of {', '.join((*TermKind, *_FORMS, _PATTERN))}"
    raise InvalidInput("is no kind of term", field="kind", hint=hint)


def _choice(value: object, choices: type[_Choice], field: str) -> _Choice | None:
    said = value.strip().lower() if isinstance(value, str) else None
    if said == "":
        return None
    for one in choices:
        if said == one.value:
            return one
    hint = f"write one of {', '.join(filter(None, choices))}, or leave it out"
    raise InvalidInput("is none of what it may be", field=field, hint=hint)


def _number(value: object, field: str, most: int, default: int) -> int:
    number = value.strip() if isinstance(value, str) else value
    if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) <= 3:  # noqa: PLR2004  100 has three digits
        number = int(number)
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= most:
        return number
    hint = f"write 0 to {most}, or leave it out for {default}"
    raise InvalidInput("is no whole number in range", field=field, hint=hint)


def _yes_no(value: object) -> bool:
    if isinstance(value, bool):
        return value
    said = value.strip().lower() if isinstance(value, str) else "?"
    if said not in _YES_NO:
        raise InvalidInput("is no yes or no", field="case_sensitive", hint="write true or false")
    return _YES_NO[said]


def _language(value: object) -> str:
    language = value.strip() if isinstance(value, str) else None
    if language is None or (language and not _LANGUAGE.fullmatch(language)):
        hint = "write a BCP 47 tag such as en, or leave it out for any"
        raise InvalidInput("is no language tag", field="language", hint=hint)
    return language


def _script(value: object) -> str:
    script = value.strip().title() if isinstance(value, str) else None
    if script is None or (script and script not in SCRIPTS):
        hint = "write an ISO 15924 code such as Latn or Cyrl, or leave it out for any"
        raise InvalidInput("is no script that is known", field="script", hint=hint)
    return script


def _note(value: object, field: str) -> str:
    note = value.strip() if isinstance(value, str) else None
    if note is None or len(note) > _LONGEST_NOTE:
        hint = f"write up to {_LONGEST_NOTE} characters, or leave it out"
        raise InvalidInput("is no short text", field=field, hint=hint)
    return note


def _id(value: object, texts: tuple[str, ...]) -> str:
    """Return the given id, "" where none is given; ids are shown, so they may not tell the text."""
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        hint = "use up to 64 letters, digits and . _ : -, or leave it out"
        raise InvalidInput("is no id", field="id", hint=hint)
    told = any(text and text.casefold() in value.casefold() for text in texts)
    if told and not _DERIVED_ID.fullmatch(value):
        raise InvalidInput("tells the term", field="id", hint="use an opaque id, or leave it out")
    return value
