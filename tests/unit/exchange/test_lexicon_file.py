"""Lexicon files are read line by line; what is wrong is said without saying the term."""

from collections.abc import Callable, Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlight.exchange.lexicon_file import (
    format_lexicon,
    format_lexicon_csv,
    parse_lexicon,
)
from nightlight.model.ids import derive_id
from nightlight.model.lexicon import Beside, Term, TermForm, TermKind

SECRET = "zorbleflux"


def faults(*lines: str) -> list[str]:
    return parse_lexicon(lines, name="town")[1]


def test_json_lines_become_terms() -> None:
    line = '{"text":"zorb","kind":"cue","severity":70,"language":"en","id":"t-1"}\n'
    expected = Term(id="t-1", kind=TermKind.CUE, text="zorb", severity=70, language="en")
    assert parse_lexicon([line], name="town") == ([expected], [])


def test_csv_with_a_header_becomes_the_same_terms() -> None:
    lines = ["\ufeffText,kind,severity,language,id\n", "\n", '"zorb, flux",cue,70,en,t-1\n']
    expected = Term(id="t-1", kind=TermKind.CUE, text="zorb, flux", severity=70, language="en")
    assert parse_lexicon(lines, name="town") == ([expected], [])


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("abbreviation", TermForm.ABBREVIATION),
        ("Hashtag", TermForm.HASHTAG),
        ("emoji", TermForm.EMOJI),
    ],
)
def test_kind_may_say_the_form_of_a_term(kind: str, form: TermForm) -> None:
    [one], _ = parse_lexicon(["text,kind", f"\N{ZEBRA FACE},{kind}"], name="town")
    assert (one.kind, one.form) == (TermKind.TERM, form)


def test_pattern_is_a_term_that_needs_company() -> None:
    lines = ["text,kind,near,within,with", "zorb,pattern,plonk,5,", "zorb,pattern,,,price"]
    terms, wrong = parse_lexicon(lines, name="town")
    assert [(one.kind, one.near, one.within, one.beside) for one in terms] == [
        (TermKind.TERM, "plonk", 5, Beside.NOTHING),
        (TermKind.TERM, "", 0, Beside.PRICE),
    ]
    assert wrong == []
    assert terms[0].id != terms[1].id


@pytest.mark.parametrize("lines", [['{"text":"zorb"}'], ["text,kind", "zorb,"]])
def test_what_is_left_out_has_its_default(lines: list[str]) -> None:
    expected = Term(id=derive_id("tm", "town", "term", "zorb"), kind=TermKind.TERM, text="zorb")
    assert parse_lexicon(lines, name="town") == ([expected], [])


def test_empty_file_has_no_terms() -> None:
    assert parse_lexicon(["", "\n"], name="town") == ([], [])


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"text":"zorbleflux"', "line 2: is no JSON object"),
        ('["zorbleflux"]', "line 2: is no JSON object"),
        ('{"text":""}', "line 2: text: has nothing to look for"),
        ('{"text":7}', "line 2: text: has nothing to look for"),
        ('{"text":"..."}', "line 2: text: has nothing to look for"),
        ('{"text":"' + 21 * "zorbleflux" + '"}', "line 2: text: is too long for a term"),
        ('{"text":"x","kind":"zorbleflux"}', "line 2: kind: is no kind of term"),
        ('{"text":"zorbleflux","severity":101}', "line 2: severity: is no whole number in range"),
        ('{"text":"zorbleflux","severity":true}', "line 2: severity: is no whole number in range"),
        ('{"text":"zorbleflux","severity":"-1"}', "line 2: severity: is no whole number in range"),
        ('{"text":"zorbleflux","severity":1.5}', "line 2: severity: is no whole number in range"),
        ('{"text":"x","language":"zorbleflux!"}', "line 2: language: is no language tag"),
        ('{"text":"x","language":null}', "line 2: language: is no language tag"),
        ('{"text":"x","id":"zorbleflux!"}', "line 2: id: is no id"),
        ('{"text":"zorbleflux","id":"tm-Zorbleflux"}', "line 2: id: tells the term"),
        ('{"text":"x","zorbleflux":1}', "line 2: has a field that terms do not have"),
        ('{"text":"first"}', "line 2: repeats an earlier line"),
        ('{"text":"x","variants":"zorbleflux|..."}', "line 2: variants: has nothing to look for"),
        ('{"text":"x","variants":7}', "line 2: variants: are no list of spellings"),
        ('{"text":"x","variants":["zorble|flux"]}', "line 2: variants: hold a |"),
        ('{"text":"x","form":"zorbleflux"}', "line 2: form: is none of what it may be"),
        ('{"text":"x","with":"zorbleflux"}', "line 2: with: is none of what it may be"),
        ('{"text":"x","within":3}', "line 2: within: has nothing to be near"),
        ('{"text":"x","near":"y","within":101}', "line 2: within: is no whole number in range"),
        ('{"text":"x","near":"..."}', "line 2: near: has nothing to look for"),
        ('{"text":"x","kind":"pattern"}', "line 2: near: is missing for a pattern"),
        ('{"text":"x","script":"Zorb"}', "line 2: script: is no script that is known"),
        ('{"text":"x","case_sensitive":"zorb"}', "line 2: case_sensitive: is no yes or no"),
        ('{"text":"x","case_sensitive":true}', "line 2: case_sensitive: is for abbreviations only"),
        ('{"text":"zorbleflux","kind":"emoji"}', "line 2: text: holds letters"),
        ('{"text":"x","source":7}', "line 2: source: is no short text"),
        ('{"text":"x","variants":["qzorb"],"id":"t-qzorb"}', "line 2: id: tells the term"),
    ],
)
def test_bad_line_is_named_with_a_remedy_and_never_quoted(line: str, fault: str) -> None:
    found = faults('{"text":"first"}', line)
    assert len(found) == 1
    assert found[0].startswith(fault)
    assert found[0].endswith(")")
    assert SECRET not in found[0].lower()


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("zorbleflux,term,extra", "line 2: has 3 cells under 2 columns"),
        ('"zorbleflux,term', "line 2: is not readable as CSV"),
    ],
)
def test_bad_line_of_csv_is_named_and_never_quoted(line: str, fault: str) -> None:
    found = faults("text,kind", line)
    assert found[0].startswith(fault)
    assert SECRET not in found[0]


@pytest.mark.parametrize("header", ["zorbleflux", "words,kind", '"zorbleflux'])
def test_file_without_a_header_is_refused_as_a_whole(header: str) -> None:
    terms, found = parse_lexicon([header, "zorb,term"], name="town")
    assert (terms, len(found)) == ([], 1)
    assert SECRET not in found[0]


def test_good_lines_are_kept_beside_bad_ones() -> None:
    terms, found = parse_lexicon(['{"text":"zorb"}', "{", '{"text":"flux"}'], name="town")
    assert ([term.text for term in terms], len(found)) == (["zorb", "flux"], 1)


@pytest.mark.parametrize("write", [format_lexicon, format_lexicon_csv])
def test_every_field_is_written_and_read_back(
    write: Callable[[Iterable[Term]], Iterator[str]],
) -> None:
    whole = Term(
        id="t-1",
        kind=TermKind.CUE,
        text='zorb, "flux"',
        severity=7,
        language="en",
        script="Latn",
        form=TermForm.ABBREVIATION,
        variants=("sorb", "zohrb"),
        case_sensitive=True,
        near="plonk",
        beside=Beside.LINK,
        within=4,
        licence="for this platform",
        source="nobody, for tests",
    )
    plain = Term(id="t-2", text="zorb")
    assert parse_lexicon(write([whole, plain]), name="town") == ([whole, plain], [])


@given(
    st.lists(
        st.builds(
            lambda text, kind, severity: Term(
                id=derive_id("tm", "town", kind.value, text),
                kind=kind,
                text=text,
                severity=severity,
            ),
            st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).map(
                lambda text: "z" + text + "b"
            ),
            st.sampled_from(TermKind),
            st.integers(0, 100),
        ),
        unique_by=lambda term: term.id,
        max_size=5,
    )
)
def test_written_lexicon_reads_back_as_it_was(terms: list[Term]) -> None:
    assert parse_lexicon(format_lexicon(terms), name="another name") == (terms, [])
