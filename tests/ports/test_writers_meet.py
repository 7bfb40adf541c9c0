"""What a person does and a batch under way never undo or miss each other."""

from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from msgspec.structs import replace
from tests.fakes.bank_desk import Told
from tests.fakes.cybertip_store import HandClock
from tests.fakes.drafting import empty_vault
from tests.ports.builders import ENTRY, make_account, make_case, make_decision, make_post

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.model.case import CaseState, CaseStep
from nightlight.model.ids import AccountId, CaseId, DecisionId, PostId
from nightlight.preserve.ports import KeyRing
from nightlight.review.resolve import Resolution
from nightlight.services.banks import Banks
from nightlight.services.drafting import Drafting
from nightlight.services.hunts import Hunts
from nightlight.services.lexicons import Lexicons
from nightlight.services.matching import Matcher
from nightlight.services.review import Review

_ACCOUNT = AccountId("account-1")
_POST = PostId("post-one")
_LONG_ENOUGH_S = 1.0
_KEY = b"quibble" * 5
_DISMISSAL = Resolution(step=CaseStep.DISMISS, reviewer="a reviewer", reason="a helpline")


def review_of(unit_of_work: SqlUnitOfWork, clock: HandClock, keys: KeyRing) -> Review:
    drafting = Drafting(
        platform_name="Zorbleflux", classify=False, machines=empty_vault(unit_of_work, keys)
    )
    return Review(unit_of_work=unit_of_work, clock=clock, drafting=drafting)


def prepare(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.begin() as tx:
        tx.events.offset()
        tx.context.save(accounts=[make_account(_ACCOUNT)], posts=[make_post(_POST)], media=[])
        tx.decisions.add([make_decision("one")])
        tx.cases.save(
            make_case("case-1", account_id=_ACCOUNT, decisions=(DecisionId("decision-one"),))
        )
        tx.commit(ENTRY)


def test_a_decision_made_while_a_batch_is_judged_outlives_the_batch(
    unit_of_work: SqlUnitOfWork, clock: HandClock, keys: KeyRing
) -> None:
    prepare(unit_of_work)
    review = review_of(unit_of_work, clock, keys)
    with ThreadPoolExecutor(1) as pool:
        with unit_of_work.begin() as tx:
            tx.events.offset()
            account = tx.context.accounts([_ACCOUNT])[_ACCOUNT]
            post = tx.context.posts([_POST])[_POST]
            deciding = pool.submit(review.decide, CaseId("case-1"), _DISMISSAL)
            # Without a lock in common the reviewer would be done by now, and overwritten.
            wait([deciding], timeout=_LONG_ENOUGH_S)
            tx.context.save(
                accounts=[replace(account, posts=account.posts + 1)],
                posts=[replace(post, views=7)],
                media=[],
            )
            tx.commit(ENTRY)
        deciding.result()
    with unit_of_work.read() as tx:
        account = tx.context.accounts([_ACCOUNT])[_ACCOUNT]
        post = tx.context.posts([_POST])[_POST]
        (case,) = tx.cases.queue(None, 5)
    assert (account.human_decision, account.posts) == ("dismissed", 1)
    assert (post.human_decision, post.views) == ("dismissed", 7)
    assert case.state is CaseState.DISMISSED


def test_of_two_reviewers_at_once_one_decides(
    unit_of_work: SqlUnitOfWork, clock: HandClock, keys: KeyRing
) -> None:
    prepare(unit_of_work)
    review = review_of(unit_of_work, clock, keys)
    confirmation = replace(_DISMISSAL, step=CaseStep.CONFIRM, reviewer="another reviewer")
    with ThreadPoolExecutor(2) as pool:
        asked = [
            pool.submit(review.decide, CaseId("case-1"), resolution)
            for resolution in (_DISMISSAL, confirmation)
        ]
        failures = [one.exception() for one in asked]
    assert sum(failure is None for failure in failures) == 1
    with unit_of_work.read() as tx:
        (case,) = tx.cases.queue(None, 5)
        account = tx.context.accounts([_ACCOUNT])[_ACCOUNT]
        # A confirmation drafts a report besides.
        steps = [one.entry.action for one in tx.audit.entries()].count(f"case.{case.state}")
        assert steps == 1
    assert account.human_decision == case.state.value


def test_hunt_for_new_terms_goes_up_to_the_end_of_the_batch_under_way(
    unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    lexicons = Lexicons(unit_of_work=unit_of_work, clock=clock, id_key=_KEY)
    line = '{"text": "zorbleflux", "kind": "term"}'
    with ThreadPoolExecutor(1) as pool:
        with unit_of_work.begin() as tx:
            tx.events.offset()
            coming = pool.submit(lexicons.import_alone, "q", [line], actor="ana", reason="news")
            # Without a lock in common the terms would be there by now, and the batch, judged
            # without them, in no hunt.
            wait([coming], timeout=_LONG_ENOUGH_S)
            tx.events.advance(5)
            tx.commit(ENTRY)
        coming.result()
    with unit_of_work.read() as tx:
        assert [one.to_seq for one in tx.hunts.newest(5)] == [5]


def test_hunt_for_new_hashes_goes_up_to_the_end_of_the_batch_under_way(
    unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    banks = Banks(unit_of_work=unit_of_work, clock=clock, id_key=_KEY, known=Told())
    line = f'{{"kind": "md5", "value": "{"11" * 16}", "id": "entry-1"}}'
    banks.import_entries("q", [line], actor="ana", reason="news")
    judges_nothing: Any = None
    matcher = Matcher(unit_of_work=unit_of_work, clock=clock)
    hunts = Hunts(unit_of_work=unit_of_work, clock=clock, pipeline=judges_nothing, matcher=matcher)
    with ThreadPoolExecutor(1) as pool:
        with unit_of_work.begin() as tx:
            tx.events.offset()
            noticing = pool.submit(hunts.notice_new_hashes)
            wait([noticing], timeout=_LONG_ENOUGH_S)
            tx.events.advance(5)
            tx.commit(ENTRY)
        hunt = noticing.result()
    assert hunt is not None
    assert hunt.to_seq == 5
