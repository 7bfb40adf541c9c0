"""Lexicons and policies: counted, withdrawn, and unreadable to a thief."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.fakes.cybertip_store import NOON
from tests.ports.builders import ENTRY
from tests.ports.raw import raw_bytes

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.errors import NotFound
from nightlight.model.bank import BankEntry, HashKind
from nightlight.model.lexicon import (
    Beside,
    ChangeAction,
    ChangeState,
    LexiconChange,
    Term,
    TermForm,
    TermKind,
)

_PDQ = "0123456789abcdef" * 4


def entry(name: str, *, bank: str = "quibbles", value: str = _PDQ) -> BankEntry:
    return BankEntry(id=name, bank=bank, kind=HashKind.PDQ, value=value, classification="B2")


def term(name: str, body: str = "zorbleflux") -> Term:
    return Term(id=name, kind=TermKind.TERM, text=body, severity=80, language="en")


def put(unit_of_work: SqlUnitOfWork, *entries: BankEntry) -> None:
    with unit_of_work.begin() as tx:
        tx.banks.put(entries, at=NOON)
        tx.commit(ENTRY)


def put_terms(unit_of_work: SqlUnitOfWork, lexicon: str, *terms: Term) -> int:
    with unit_of_work.begin() as tx:
        added = tx.lexicons.put(lexicon, terms, at=NOON)
        tx.commit(ENTRY)
    return added


def test_terms_come_back_as_they_were_put(unit_of_work: SqlUnitOfWork) -> None:
    terms = [term("t-1"), Term(id="t-2", kind=TermKind.CUE, text="\N{SNOWMAN} quibble")]
    assert put_terms(unit_of_work, "nonsense", *terms) == 2
    assert put_terms(unit_of_work, "nonsense", *terms) == 0
    with unit_of_work.read() as tx:
        assert list(tx.lexicons.all()) == terms


def test_everything_of_a_term_comes_back(unit_of_work: SqlUnitOfWork) -> None:
    whole = Term(
        id="t-1",
        text="zorbleflux",
        variants=("sorbleflux",),
        form=TermForm.HASHTAG,
        near="plonk",
        within=4,
        beside=Beside.PRICE,
        script="Latn",
        licence="for this platform",
        source="nobody",
    )
    put_terms(unit_of_work, "nonsense", whole, term("t-2"))
    with unit_of_work.read() as tx:
        assert list(tx.lexicons.terms("nonsense")) == [whole, term("t-2")]
        assert list(tx.lexicons.terms("other")) == []


def test_a_withdrawn_lexicon_is_gone_and_others_stay(unit_of_work: SqlUnitOfWork) -> None:
    put_terms(unit_of_work, "nonsense", term("t-1"), term("t-2"))
    put_terms(unit_of_work, "other", term("t-1"))
    with unit_of_work.begin() as tx:
        assert tx.lexicons.remove_lexicon("nonsense") == 2
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert [(one.name, one.entries) for one in tx.lexicons.summaries()] == [("other", 1)]


@pytest.mark.parametrize("change", ["banks", "lexicons", "policies", "withdrawn", "nothing"])
def test_the_version_changes_exactly_when_a_list_does(
    unit_of_work: SqlUnitOfWork, change: str
) -> None:
    put(unit_of_work, entry("zero", bank="other"))
    with unit_of_work.read() as tx:
        before = tx.lists_version()
    with unit_of_work.begin() as tx:
        match change:
            case "banks":
                tx.banks.put([entry("one")], at=NOON)
            case "lexicons":
                tx.lexicons.put("nonsense", [term("t-1")], at=NOON)
            case "policies":
                tx.policies.activate("v1", b"body", at=NOON)
            case "withdrawn":
                tx.banks.remove_bank("other")
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert (tx.lists_version() != before) == (change != "nothing")


def test_terms_stand_nowhere_in_the_database(unit_of_work: SqlUnitOfWork, engine: Engine) -> None:
    secret = term("t-1", "zorbleflux quibbleton")
    put_terms(unit_of_work, "nonsense", secret, replace(secret, id="t-2", variants=("quibbleton",)))
    with unit_of_work.begin() as tx:
        tx.lexicon_changes.propose(change(), [secret])
        tx.commit(ENTRY)
    stored = raw_bytes(engine)
    assert b"nonsense" in stored, "the search would find what is there"
    for word in (b"zorbleflux", b"quibbleton"):
        assert word not in stored


def change(state: ChangeState = ChangeState.PROPOSED, *, version: int = 0) -> LexiconChange:
    return LexiconChange(
        id=f"lc_{version}",
        lexicon="nonsense",
        action=ChangeAction.IMPORT,
        state=state,
        proposed_by="ana",
        proposed_at=NOON + timedelta(seconds=version),
        reason="x",
        version=version,
    )


def test_what_is_proposed_is_kept_until_it_is_settled(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.begin() as tx:
        tx.lexicon_changes.propose(change(), [term("t-1")], replaces=[term("t-1", "older")])
        assert tx.lexicon_changes.replaced_terms("lc_0") == [term("t-1", "older")]
        assert tx.lexicon_changes.get("lc_0") == change()
        assert tx.lexicon_changes.proposed_terms("lc_0") == [term("t-1")]
        tx.lexicon_changes.settle(change(ChangeState.REJECTED))
        assert tx.lexicon_changes.get("lc_0").state is ChangeState.REJECTED
        assert tx.lexicon_changes.proposed_terms("lc_0") == []
        assert tx.lexicon_changes.replaced_terms("lc_0") == []
        with pytest.raises(NotFound):
            tx.lexicon_changes.get("lc_1")
        tx.commit(ENTRY)


def test_versions_and_who_made_them_are_told(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.begin() as tx:
        changes = tx.lexicon_changes
        changes.settle(replace(change(ChangeState.IN_EFFECT, version=1), alone=True))
        assert (changes.version("nonsense"), changes.people()) == (1, {"ana"})
        changes.settle(replace(change(ChangeState.IN_EFFECT, version=2), decided_by="bo"))
        assert (changes.version("nonsense"), changes.people()) == (2, {"ana", "bo"})
        assert changes.version("other") == 0
        assert [one.version for one in changes.newest(lexicon="", limit=9)] == [2, 1]
        assert changes.newest(lexicon="other", limit=9) == []
        tx.commit(ENTRY)


def activate(unit_of_work: SqlUnitOfWork, version: str, *, after_s: float) -> None:
    with unit_of_work.begin() as tx:
        tx.policies.activate(version, version.encode(), at=NOON + timedelta(seconds=after_s))
        tx.commit(ENTRY)


def test_without_activation_there_is_no_policy(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.read() as tx:
        assert tx.policies.active() is None
        assert tx.policies.find("v1") is None


def test_the_policy_activated_last_is_active_and_earlier_ones_are_found(
    unit_of_work: SqlUnitOfWork,
) -> None:
    for second, version in enumerate(("v1", "v2", "v1")):
        activate(unit_of_work, version, after_s=second)
    with unit_of_work.read() as tx:
        assert tx.policies.active() == b"v1"
        assert tx.policies.find("v2") == b"v2"
