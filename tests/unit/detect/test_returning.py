"""An account that seems to continue a stopped one is found; who shares little is not."""

import pytest
from tests.synthetic.builders import at, event_of, make_account

from nightlight.detect.returning import Returning
from nightlight.model.context import AccountContext, Context, LinkedAccount, Shared
from nightlight.model.event import AccountCreated, Event, PostCreated
from nightlight.model.link import LinkKind
from nightlight.model.signal import Signal, Subject, SubjectKind

STOPPED = make_account("old", handle="zorbleflux", created_at=at(-9_000), suspended=True)
REGISTERED = event_of(AccountCreated(account_id="new", handle="zorbleflux_"))
POSTED = event_of(PostCreated(post_id="p", account_id="new"), minutes=60)


def signals(
    *shared: tuple[LinkKind, int],
    event: Event = POSTED,
    stopped: AccountContext = STOPPED,
    account: AccountContext | None = None,
) -> list[Signal]:
    linked = LinkedAccount(account=stopped, shared=tuple(Shared(*one) for one in shared))
    return list(Returning().detect(event, Context(account=account, linked=(linked,))))


def test_contact_that_only_a_stopped_account_showed_is_found() -> None:
    account = make_account("new", handle="plonk", created_at=at(0))
    [found] = signals((LinkKind.CONTACT, 2), account=account)
    assert found.subject == Subject(kind=SubjectKind.ACCOUNT, id="new")
    assert dict(found.facts) == {"returning": True, "return_score": 0.95, "return_ties": 1}
    assert found.evidence["predecessors"] == ["old"]
    assert found.evidence["shared"] == ["contact"]


def test_like_handle_and_name_are_found_when_the_account_registers() -> None:
    [found] = signals((LinkKind.HANDLE, 2), (LinkKind.NAME, 3), event=REGISTERED)
    assert found.account_id == "new"


@pytest.mark.parametrize(
    "shared",
    [(LinkKind.NAME, 2), (LinkKind.BIO, 2), (LinkKind.NETWORK, 2), (LinkKind.CONTACT, 40)],
    ids=["a name", "a bio", "a network", "a contact that forty show"],
)
def test_sharing_what_is_ordinary_is_no_return(shared: tuple[LinkKind, int]) -> None:
    assert signals(shared) == []


def test_account_that_was_there_before_the_stopped_one_does_not_return() -> None:
    account = make_account("new", handle="zorbleflux_", created_at=at(-99_000))
    assert signals((LinkKind.CONTACT, 2), account=account) == []


def test_nothing_shared_is_nothing_found() -> None:
    assert Returning().detect(POSTED, Context()) == ()
