"""What ties accounts is kept as keyed hashes, widened and counted, and found both ways."""

from datetime import timedelta

from sqlalchemy import Engine
from tests.fakes.cybertip_store import NOON
from tests.ports.builders import ENTRY
from tests.ports.raw import raw_bytes

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.model.ids import AccountId
from nightlight.model.link import Link, LinkKind, LinkMark, LinkToken

HOUR = timedelta(hours=1)


def link(
    account: str, token: int = 7, *, hours: int = 0, kind: LinkKind = LinkKind.CONTACT
) -> Link:
    at = NOON + hours * HOUR
    return Link(
        token=LinkToken(kind=kind, value=token),
        account_id=AccountId(account),
        first_at=at,
        last_at=at,
    )


def add(unit_of_work: SqlUnitOfWork, *links: Link) -> None:
    with unit_of_work.begin() as tx:
        tx.links.add(links)
        tx.commit(ENTRY)


def test_times_widen_and_counts_add_up_within_and_across_transactions(
    unit_of_work: SqlUnitOfWork,
) -> None:
    add(unit_of_work, link("ana", hours=3), link("ana", hours=5))
    add(unit_of_work, link("ana", hours=1))
    with unit_of_work.read() as tx:
        [found] = tx.links.of_account(AccountId("ana"), 9)
    assert (found.first_at, found.last_at, found.count) == (NOON + HOUR, NOON + 5 * HOUR, 3)


def test_holders_of_a_token_come_in_order_and_one_more_than_asked_says_too_many(
    unit_of_work: SqlUnitOfWork,
) -> None:
    add(unit_of_work, *(link(name) for name in ("dan", "ana", "cy", "bo")), link("ana", 8))
    with unit_of_work.read() as tx:
        found = tx.links.holders([7, 8, 9], most=2)
    assert {token: [one.account_id for one in links] for token, links in found.items()} == {
        7: ["ana", "bo", "cy"],
        8: ["ana"],
    }


def test_links_of_an_account_come_newest_first_and_of_the_kinds_asked_for(
    unit_of_work: SqlUnitOfWork,
) -> None:
    add(
        unit_of_work,
        link("ana", 1, hours=1),
        link("ana", -2, hours=2, kind=LinkKind.HANDLE),
        link("ana", 3, hours=3, kind=LinkKind.BIO),
        link("bo", 4),
    )
    with unit_of_work.read() as tx:
        values = [one.token.value for one in tx.links.of_account(AccountId("ana"), 2)]
        [handle] = tx.links.of_account(AccountId("ana"), 9, kinds=[LinkKind.HANDLE])
    assert values == [3, -2]
    assert handle == link("ana", -2, hours=2, kind=LinkKind.HANDLE)


def test_what_is_not_committed_is_not_there(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.begin() as tx:
        tx.links.add([link("ana")])
    with unit_of_work.read() as tx:
        assert tx.links.of_account(AccountId("ana"), 9) == []


def test_equal_marks_give_equal_tokens_and_nothing_of_them_is_stored(
    unit_of_work: SqlUnitOfWork, engine: Engine
) -> None:
    mark = LinkMark(kind=LinkKind.CONTACT, text="zorbleflux@example.test")
    other = LinkMark(kind=LinkKind.PAYMENT, text="zorbleflux@example.test")
    with unit_of_work.read() as tx:
        first, again, of_other_kind = tx.links.keyed([mark, mark, other])
    assert first == again
    assert first.value != of_other_kind.value
    add(unit_of_work, link("ana", first.value))
    assert b"zorbleflux" not in raw_bytes(engine)
