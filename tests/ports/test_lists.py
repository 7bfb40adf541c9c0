"""Lexicons and policies: counted, withdrawn, and unreadable to a thief."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from tests.fakes.cybertip_store import NOON
from tests.ports.builders import ENTRY
from tests.ports.raw import raw_bytes

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.model.bank import BankEntry, HashKind
from nightlight.model.lexicon import Term, TermKind

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
    put_terms(unit_of_work, "nonsense", term("t-1", "zorbleflux quibbleton"))
    stored = raw_bytes(engine)
    assert b"nonsense" in stored, "the search would find what is there"
    for secret in (b"zorbleflux", b"quibbleton"):
        assert secret not in stored


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
