"""Stopped accounts that share something with a new one are known when it is judged."""

from collections.abc import Sequence

from msgspec.structs import replace
from tests.fakes.context_store import MemoryContextStore
from tests.synthetic.builders import TEXT, event_of

from nightlight.detect.known import Known
from nightlight.detect.linked import MOST_HOLDERS
from nightlight.model.context import Context
from nightlight.model.event import AccountCreated, Event, PostCreated
from nightlight.model.ids import AccountId
from nightlight.model.link import LinkKind

A_DAY = 24 * 60.0
OFFER = f"{TEXT}, dm @zorbleflux_9"


def take_in(store: MemoryContextStore, events: Sequence[Event]) -> list[Context]:
    known = Known()
    known.load(events, store)
    contexts = []
    for event in events:
        contexts.append(known.context_for(event))
        known.tie(event, ())
        known.advance(event)
    known.save(store)
    known.save_ties(store)
    return contexts


def registered(name: str, *, day: float = 0, handle: str = "") -> Event:
    data = AccountCreated(account_id=name, handle=handle or f"{name}quibble")
    return event_of(data, minutes=day * A_DAY)


def posted(name: str, *, day: float = 0, text: str = OFFER) -> Event:
    data = PostCreated(post_id=f"{name}-{day}", account_id=name, text=text)
    return event_of(data, minutes=day * A_DAY)


def stop(store: MemoryContextStore, name: str) -> None:
    row = store.account_rows[AccountId(name)]
    store.account_rows[AccountId(name)] = replace(row, suspended=True)


def test_new_account_is_tied_to_a_stopped_one_by_contact_and_wording() -> None:
    store = MemoryContextStore()
    take_in(store, [registered("ana"), posted("ana")])
    stop(store, "ana")
    *_, context = take_in(store, [registered("bo", day=1), posted("bo", day=2)])
    [linked] = context.linked
    assert linked.account.account_id == "ana"
    assert {(one.kind, one.holders) for one in linked.shared} == {
        (LinkKind.OFF_PLATFORM_HANDLE, 2),
        (LinkKind.TEMPLATE, 2),
    }
    assert context.template_accounts == 1


def test_variant_of_a_stopped_handle_is_seen_at_registration() -> None:
    store = MemoryContextStore()
    take_in(store, [registered("ana", handle="zorbleflux77")])
    stop(store, "ana")
    [context] = take_in(store, [registered("bo", day=1, handle="the.zorble_flux77")])
    assert [one.account.account_id for one in context.linked] == ["ana"]


def test_account_that_nobody_stopped_is_not_told() -> None:
    store = MemoryContextStore()
    take_in(store, [registered("ana"), posted("ana")])
    *_, context = take_in(store, [registered("bo", day=1), posted("bo", day=2)])
    assert context.linked == ()


def test_account_of_long_standing_is_not_compared_when_it_posts() -> None:
    store = MemoryContextStore()
    take_in(store, [registered("bo"), registered("ana"), posted("ana")])
    stop(store, "ana")
    [context] = take_in(store, [posted("bo", day=100)])
    assert context.linked == ()


def test_what_many_show_ties_nobody() -> None:
    store = MemoryContextStore()
    crowd = [posted(f"one-{number}", text=OFFER) for number in range(MOST_HOLDERS)]
    take_in(store, [registered("ana"), posted("ana"), *crowd])
    stop(store, "ana")
    *_, context = take_in(store, [registered("bo", day=1), posted("bo", day=2)])
    assert context.linked == ()
    assert context.template_accounts > MOST_HOLDERS // 2


def test_wording_that_others_used_more_than_a_week_ago_does_not_count() -> None:
    store = MemoryContextStore()
    take_in(store, [posted("ana"), posted("cy", day=3)])
    [context] = take_in(store, [posted("bo", day=8)])
    assert context.template_accounts == 1


def test_what_is_known_of_ties_does_not_depend_on_batches() -> None:
    events = [registered("ana"), posted("ana"), registered("bo", day=1), posted("bo", day=2)]
    together, one_by_one = MemoryContextStore(), MemoryContextStore()
    contexts = take_in(together, events)
    assert [take_in(one_by_one, [event])[0] for event in events] == contexts
    assert together.links.rows == one_by_one.links.rows
