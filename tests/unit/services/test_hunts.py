"""What comes onto a list is looked for in everything stored, once, however often interrupted."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.fakes.desk import KNOWN_MD5, KNOWN_PDQ, Desk
from tests.ports.builders import ENTRY
from tests.synthetic.builders import at, event_of, make_signal, policy_text

from nightlight.detect.hunting import Hunt, HuntKind, HuntState
from nightlight.errors import Conflict, InvalidInput, NotFound
from nightlight.model.bank import Bank, BankEntry, BankPurpose, EntryState, HashKind
from nightlight.model.effect import EffectKind
from nightlight.model.event import (
    AccountCreated,
    Event,
    EventData,
    MediaUploaded,
    PostCreated,
    PostDeleted,
    ViewsCounted,
)
from nightlight.model.ids import PostId
from nightlight.services.banks import Banks
from nightlight.services.looking import Occurrence, known_before

WORD = '{"text": "plimquat", "kind": "term", "severity": 90}'
CUE = '{"text": "price list", "kind": "cue"}'
OFFER = "fresh plimquat in stock today, 30 coins each, price list on request, dm me"

WHO: dict[str, Any] = {"actor": "ana", "reason": "a test"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, lists=False)


def told(data: EventData, minutes: float = 0) -> Event:
    return event_of(data, minutes=minutes)


def post(name: str, text: str = OFFER, *, minutes: float = 0) -> Event:
    return told(PostCreated(post_id=name, account_id=f"by-{name}", text=text), minutes)


def arrive(desk: Desk, *lines: str, name: str = "late") -> None:
    desk.services.lists.import_lexicon(name, lines or (WORD, CUE), actor="ana", reason="news")


def carry_out(desk: Desk, *, limit: int = 100) -> Hunt:
    while (hunt := desk.services.hunts.step(limit=limit)) is not None:
        if hunt.state is HuntState.DONE:
            return hunt
    raise AssertionError("no hunt waited")


def test_earlier_posts_are_found_with_how_long_they_were_up(desk: Desk) -> None:
    deleted = told(PostDeleted(post_id="gone", account_id="by-gone", deleted_by="author"), 30)
    views = told(ViewsCounted(post_id="up", views=41), 40)
    desk.take_in(post("gone"), post("up", minutes=10), post("other", "tea at noon"), deleted, views)
    arrive(desk)
    hunt = carry_out(desk)
    _, findings = desk.services.hunts.get(hunt.id, findings=10)
    found = {one.subject.id: one for one in findings}
    assert found.keys() == {"gone", "up"}
    assert (found["gone"].up_from, found["gone"].up_until) == (at(0), at(30))
    assert (found["up"].up_from, found["up"].up_until, found["up"].views) == (at(10), None, 41)
    assert (hunt.looked_at, hunt.found, hunt.known_before) == (3, 2, 0)


def test_each_finding_is_decided_and_reviewed_and_what_is_gone_is_not_limited(desk: Desk) -> None:
    deleted = told(PostDeleted(post_id="gone", account_id="by-gone", deleted_by="author"), 30)
    desk.take_in(post("gone"), post("up"), deleted)
    arrive(desk)
    hunt = carry_out(desk)
    outcome = desk.outcome()
    effects = {(one.subject.id, one.kind) for one in outcome.effects}
    assert ("up", EffectKind.LIMIT_REACH) in effects
    assert not any(name == "gone" for name, _ in effects)
    assert {case.account_id for case in outcome.cases} == {"by-gone", "by-up"}
    evidence = [one.content_id for case in outcome.cases for one in desk.evidence(case.id)]
    assert {post("gone").key, post("up").key} <= set(evidence)
    signals = desk.outcome([post("gone"), post("up")]).signals
    assert {one.evidence["hunt"] for one in signals} == {hunt.id}


def test_what_was_found_when_it_happened_is_counted_and_not_decided_again(desk: Desk) -> None:
    arrive(desk, name="first")
    desk.take_in(post("one"))
    before = desk.outcome().decisions
    desk.services.hunts.ask(lexicon="first", bank="", actor="ana", reason="to be sure")
    hunt = carry_out(desk)
    assert (hunt.found, hunt.known_before) == (1, 1)
    assert desk.outcome().decisions == before


def weighing(severity: int) -> str:
    return f'{{"text": "plimquat", "kind": "term", "severity": {severity}}}'


SEVERE = policy_text(
    {"when": "term_severity >= 80", "severity": 80, "asks": ["preserve", "review", "hide"]},
    {"when": "term_severity >= 30", "severity": 30, "asks": ["preserve", "review"]},
)


def weighed(desk: Desk, first: int, then: int) -> Hunt:
    """Judge a post and a deleted one by a term that then weighs otherwise; return its hunt."""
    desk.services.lists.activate_policy(SEVERE, **WHO)
    arrive(desk, weighing(first))
    gone = told(PostDeleted(post_id="gone", account_id="by-gone", deleted_by="author"), 30)
    desk.take_in(post("up"), post("gone"), post("other", "tea"), gone)
    arrive(desk, weighing(then))
    return carry_out(desk)


def hidden(desk: Desk) -> set[str]:
    return {one.subject.id for one in desk.outcome().effects if one.kind is EffectKind.HIDE}


@pytest.mark.parametrize("first", [10, 40])
def test_raised_severity_decides_anew_what_was_found_before(desk: Desk, first: int) -> None:
    hunt = weighed(desk, first, 90)
    assert (hunt.found, hunt.known_before, hunt.graver) == (2, 2, 2)
    assert hidden(desk) == {"up"}  # what is gone is preserved and reviewed, no more
    assert sorted(one.severity for one in desk.outcome().decisions)[-2:] == [80, 80]
    _, findings = desk.services.hunts.get(hunt.id, findings=9)
    decided = {one.id for one in desk.outcome().decisions if one.severity == 80}
    assert {one.decision_id for one in findings} == decided


def test_raised_severity_that_changes_nothing_decides_nothing(desk: Desk) -> None:
    hunt = weighed(desk, 40, 50)
    assert (hunt.known_before, hunt.graver) == (2, 0)
    assert len(desk.outcome().decisions) == 2
    _, findings = desk.services.hunts.get(hunt.id, findings=9)
    assert {one.decision_id for one in findings} == {one.id for one in desk.outcome().decisions}


def test_lowered_severity_takes_nothing_back_and_is_listed(desk: Desk) -> None:
    hunt = weighed(desk, 90, 10)
    assert (len(hunt.raised), len(hunt.lowered), hunt.graver) == (0, 1, 0)
    assert hidden(desk) == {"up", "gone"}
    assert len(desk.outcome().decisions) == 2
    _, findings = desk.services.hunts.get(hunt.id, findings=9)
    assert {one.decision_id for one in findings} == {one.id for one in desk.outcome().decisions}


@pytest.mark.parametrize("said", ["dismissed", "confirmed"])
def test_raised_severity_never_undoes_what_a_person_decided(desk: Desk, said: str) -> None:
    desk.services.lists.activate_policy(SEVERE, **WHO)
    arrive(desk, weighing(40))
    desk.take_in(post("up"))
    with desk.services.unit_of_work.begin() as tx:
        known = tx.context.posts([PostId("up")]).values()
        tx.context.save(
            accounts=[], posts=[replace(one, human_decision=said) for one in known], media=[]
        )
        tx.commit(ENTRY)
    arrive(desk, weighing(90))
    hunt = carry_out(desk)
    assert (hunt.known_before, hunt.graver) == (1, 0)
    assert hidden(desk) == set()
    assert len(desk.outcome().decisions) == 1


def test_raised_severity_is_decided_once_however_often_interrupted(
    desk: Desk, tmp_path: Path
) -> None:
    desk.services.lists.activate_policy(SEVERE, **WHO)
    arrive(desk, weighing(40))
    desk.take_in(*(post(f"p{n}", minutes=n) for n in range(5)))
    arrive(desk, weighing(90))
    desk.services.hunts.step(limit=2)
    again = Desk(tmp_path, lists=False)
    hunt = carry_out(again, limit=2)
    assert (hunt.known_before, hunt.graver) == (5, 5)
    arrive(again, weighing(95))
    assert carry_out(again).graver == 0


def test_term_of_more_languages_finds_what_it_passed_over(desk: Desk) -> None:
    only = '{"text": "plimquat", "severity": 90, "language": "fr"}'
    arrive(desk, only, CUE)
    data = PostCreated(post_id="up", account_id="by-up", text=OFFER, language="de")
    desk.take_in(told(data))
    assert desk.outcome().decisions == []
    arrive(desk, WORD, CUE)
    hunt = carry_out(desk)
    assert (hunt.found, hunt.known_before) == (1, 0)


def test_profiles_and_descriptions_of_media_are_searched_too(desk: Desk) -> None:
    desk.take_in(
        told(AccountCreated(account_id="a", handle="h", bio="plimquat, price list")),
        told(
            MediaUploaded(media_id="m", account_id="b", md5="22" * 16, description="a plimquat"),
            1,
        ),
    )
    arrive(desk)
    hunt = carry_out(desk)
    _, findings = desk.services.hunts.get(hunt.id, findings=10)
    assert {one.subject.id for one in findings} == {"a", "m"}


def test_new_hashes_find_files_that_came_before(desk: Desk) -> None:
    upload = MediaUploaded(media_id="file", account_id="b", post_id="shows", md5=KNOWN_MD5)
    shows = PostCreated(post_id="shows", account_id="b", text="look", media_ids=("file",))
    desk.take_in(told(upload), told(shows, 1), post("other", "tea"))
    desk.services.hunts.notice_new_hashes()
    line = f'{{"kind": "md5", "value": "{KNOWN_MD5}", "id": "entry-9"}}'
    desk.services.banks.import_entries("late", [line], actor="ana", reason="news")
    asked = desk.services.hunts.notice_new_hashes()
    assert asked is not None
    hunt = carry_out(desk)
    _, findings = desk.services.hunts.get(hunt.id, findings=10)
    assert {one.subject.id for one in findings} == {"file", "shows"}
    assert "known_media" in {one.category for one in desk.outcome().decisions}
    assert desk.services.hunts.notice_new_hashes() is None


def uploads(count: int) -> list[Event]:
    return [
        told(MediaUploaded(media_id=f"m{n}", account_id=f"by-{n}", md5=KNOWN_MD5), n)
        for n in range(count)
    ]


def list_the_file(desk: Desk, bank: str) -> Hunt | None:
    line = f'{{"kind": "md5", "value": "{KNOWN_MD5}", "id": "entry-{bank}"}}'
    desk.services.banks.import_entries(bank, [line], actor="ana", reason="news")
    return desk.services.hunts.notice_new_hashes()


def test_a_stored_entry_that_is_no_hash_keeps_no_other_from_being_hunted(desk: Desk) -> None:
    desk.take_in(*uploads(1))
    good = BankEntry(id="good", bank="late", kind=HashKind.MD5, value=KNOWN_MD5)
    bad = BankEntry(id="bad", bank="late", kind=HashKind.VPDQ, value="c3" * 32 + "7f" + "00" * 4)
    with desk.services.unit_of_work.begin() as tx:
        tx.banks.put([bad, good], at=at(0))
        tx.commit(ENTRY)
    desk.services.hunts.ask(lexicon="", bank="late", actor="ana", reason="to be sure")
    assert carry_out(desk).found == 1


def run_hunts(desk: Desk) -> list[Hunt]:
    """Carry out what is due, as the worker does, and return the hunts that ended."""
    desk.services.banks.wake_due()
    desk.services.hunts.notice_new_hashes()
    ended: list[Hunt] = []
    while (hunt := desk.services.hunts.step()) is not None:
        ended += [hunt] if hunt.state is HuntState.DONE else []
    return ended


def pdq_upload(bits: int, name: str = "near") -> Event:
    """Return a file that many bits away from the listed picture."""
    value = f"{int(KNOWN_PDQ, 16) ^ ((1 << bits) - 1):064x}"
    data = MediaUploaded(media_id=name, account_id=f"by-{name}", pdq=value, pdq_quality=100)
    return told(data)


def a_bank(desk: Desk, name: str, kind: str, value: str, **settings: Any) -> None:
    banks, who = desk.services.banks, {"actor": "ana", "reason": "a test"}
    banks.create(Bank(name=name, **settings), **who)
    line = f'{{"kind": "{kind}", "value": "{value}", "id": "e-{name}"}}'
    assert banks.import_entries(name, [line], **who).rejected == ()


def known_files(desk: Desk) -> set[str]:
    return {one.subject.id for one in desk.outcome().decisions if one.category == "known_media"}


def test_widened_threshold_finds_what_was_too_far_away_before(desk: Desk) -> None:
    a_bank(desk, "late", "pdq", KNOWN_PDQ, threshold_bits=8)
    desk.take_in(pdq_upload(12))
    run_hunts(desk)
    assert known_files(desk) == set()
    desk.services.banks.change("late", threshold_bits=14, anyway=True, **WHO)
    [hunt] = run_hunts(desk)
    assert (hunt.name, hunt.found, known_files(desk)) == ("late", 1, {"near"})
    desk.services.banks.change("late", threshold_bits=10, **WHO)
    desk.services.banks.change("late", provenance="a quibble", **WHO)
    assert run_hunts(desk) == []


def test_raised_share_of_files_finds_what_was_not_asked_about(desk: Desk) -> None:
    a_bank(desk, "late", "md5", KNOWN_MD5, enabled_ratio=0.0)
    desk.take_in(*uploads(1))
    run_hunts(desk)
    desk.services.banks.change("late", enabled_ratio=1.0, anyway=True, **WHO)
    [hunt] = run_hunts(desk)
    assert (hunt.name, hunt.found, known_files(desk)) == ("late", 1, {"m0"})


def vetoed(desk: Desk) -> None:
    """Let a file come in that a bank lists and a negative bank takes back."""
    a_bank(desk, "late", "md5", KNOWN_MD5)
    a_bank(desk, "aside", "md5", KNOWN_MD5, purpose=BankPurpose.NEGATIVE)
    desk.take_in(*uploads(2))
    run_hunts(desk)
    assert known_files(desk) == set()


def test_bank_that_becomes_one_of_known_media_is_hunted(desk: Desk) -> None:
    a_bank(desk, "aside", "md5", KNOWN_MD5, purpose=BankPurpose.NEGATIVE)
    desk.take_in(*uploads(2))
    run_hunts(desk)
    desk.services.banks.change("aside", purpose=BankPurpose.KNOWN, anyway=True, **WHO)
    [hunt] = run_hunts(desk)
    assert (hunt.found, known_files(desk)) == (2, {"m0", "m1"})


LIFTS: dict[str, Callable[[Banks], object]] = {
    "withdrawn": lambda banks: banks.withdraw_entry("aside", "e-aside", **WHO),
    "disabled": lambda banks: banks.disable_entry("aside", "e-aside", None, **WHO),
    "bank withdrawn": lambda banks: banks.remove("aside", **WHO),
    "bank asked less": lambda banks: banks.change("aside", enabled_ratio=0.0, **WHO),
}


@pytest.mark.parametrize("how", LIFTS)
def test_lifted_veto_finds_what_was_taken_back(desk: Desk, how: str) -> None:
    vetoed(desk)
    LIFTS[how](desk.services.banks)
    [hunt] = run_hunts(desk)
    assert (hunt.name, hunt.found, known_files(desk)) == ("all banks", 2, {"m0", "m1"})
    assert run_hunts(desk) == []


def test_many_lifted_vetoes_make_one_hunt_that_waits(desk: Desk) -> None:
    vetoed(desk)
    hunts = desk.services.hunts
    desk.services.banks.disable_entry("aside", "e-aside", None, **WHO)
    first = hunts.notice_new_hashes()
    assert first is not None
    desk.take_in(post("more"))
    desk.services.banks.withdraw_entry("aside", "e-aside", **WHO)
    second = hunts.notice_new_hashes()
    assert second is not None
    assert (second.id, second.to_seq) == (first.id, first.to_seq + 1)
    assert [one.state for one in hunts.newest(9)].count(HuntState.WAITING) == 1
    [hunt] = run_hunts(desk)
    assert hunt.found == 2


def test_bank_that_is_renamed_finds_nothing_anew(desk: Desk) -> None:
    a_bank(desk, "late", "md5", KNOWN_MD5)
    desk.take_in(*uploads(2))
    run_hunts(desk)
    before = desk.outcome().decisions
    desk.services.banks.change("late", new_name="later", **WHO)
    [hunt] = run_hunts(desk)
    assert (hunt.found, hunt.known_before) == (2, 2)
    assert desk.outcome().decisions == before


@pytest.mark.parametrize("is_known", [True, False])
def test_match_of_a_signal_from_before_entries_had_numbers_is_known_by_name(
    *, is_known: bool
) -> None:
    event = uploads(1)[0]
    evidence = {"banks": ["late"], "bank_entries": ["e-1" if is_known else "e-2"]}
    signal = make_signal(detector="hash_match", event_key=event.key)
    signal = replace(signal, evidence=evidence)
    found = Occurrence(event=event, ids=frozenset({"7"}), names={"7": "late/e-1"})
    known = known_before(HuntKind.HASHES, [found], [signal])
    assert known == ({event.key} if is_known else set())


def test_entry_that_is_enabled_is_hunted(desk: Desk) -> None:
    a_bank(desk, "late", "md5", KNOWN_MD5)
    desk.services.banks.disable_entry("late", "e-late", None, **WHO)
    desk.take_in(*uploads(2))
    assert run_hunts(desk) == []
    desk.services.banks.enable_entry("late", "e-late", **WHO)
    [hunt] = run_hunts(desk)
    assert (hunt.found, known_files(desk)) == (2, {"m0", "m1"})


@pytest.mark.parametrize("is_over", [True, False])
def test_entry_that_wakes_is_hunted_and_one_that_sleeps_is_not(
    desk: Desk, *, is_over: bool
) -> None:
    a_bank(desk, "late", "md5", KNOWN_MD5)
    until = desk.services.clock.now() + timedelta(hours=1)
    desk.services.banks.disable_entry("late", "e-late", until, **WHO)
    desk.take_in(*uploads(2))
    assert run_hunts(desk) == []
    if is_over:
        asleep(desk, until - timedelta(hours=2))
    hunts = run_hunts(desk)
    assert [one.found for one in hunts] == ([2] if is_over else [])
    assert known_files(desk) == ({"m0", "m1"} if is_over else set())
    assert run_hunts(desk) == []
    state = desk.services.banks.entry("e-late").state
    assert state is (EntryState.ACTIVE if is_over else EntryState.DISABLED)


def asleep(desk: Desk, until: datetime) -> None:
    """Let the entry have been disabled until a time that has passed, without anybody noticing."""
    with desk.services.unit_of_work.begin() as tx:
        entry = next(iter(tx.banks.entries(ids=["e-late"])))
        tx.banks.change([entry.number], state=EntryState.DISABLED, disabled_until=until)
        tx.commit(ENTRY)


@pytest.mark.parametrize("is_asked", [True, False])
def test_file_that_a_negative_bank_takes_back_is_no_finding(desk: Desk, *, is_asked: bool) -> None:
    desk.take_in(*uploads(2))
    aside = Bank(name="aside", purpose=BankPurpose.NEGATIVE)
    desk.services.banks.create(aside, actor="ana", reason="harmless")
    list_the_file(desk, "aside")
    while desk.services.hunts.step() is not None:
        pass
    list_the_file(desk, "late")
    if is_asked:
        desk.services.hunts.ask(lexicon="", bank="late", actor="ana", reason="to be sure")
    hunts = [carry_out(desk) for _ in range(1 + is_asked)]
    assert [(one.looked_at, one.found) for one in hunts] == [(2, 0)] * len(hunts)
    assert desk.outcome().effects == []


def test_entry_withdrawn_between_two_steps_finds_nothing_more(desk: Desk) -> None:
    desk.take_in(*uploads(4))
    list_the_file(desk, "late")
    first = desk.services.hunts.step(limit=1)
    assert first is not None
    assert first.found == 1
    desk.services.banks.withdraw_entry("late", "entry-late", actor="ana", reason="harmless")
    hunt = carry_out(desk)
    assert (hunt.looked_at, hunt.found) == (4, 1)
    assert len(desk.outcome().decisions) == 1


def test_hunt_goes_on_where_it_was_and_finds_nothing_twice(desk: Desk, tmp_path: Path) -> None:
    desk.take_in(*(post(f"p{n}", minutes=n) for n in range(7)))
    arrive(desk)
    first = desk.services.hunts.step(limit=3)
    assert first is not None
    assert (first.state, first.looked_at, first.found) == (HuntState.RUNNING, 3, 3)
    again = Desk(tmp_path, lists=False)  # as after a restart
    hunt = carry_out(again, limit=3)
    assert (hunt.looked_at, hunt.found) == (7, 7)
    _, findings = again.services.hunts.get(hunt.id, findings=10)
    assert len(findings) == 7
    assert len(again.outcome().decisions) == 7


def test_person_who_dismissed_a_post_is_not_overruled(desk: Desk) -> None:
    desk.take_in(post("one"))
    with desk.services.unit_of_work.begin() as tx:
        known = tx.context.posts([PostId("one")])
        posts = [replace(one, human_decision="dismissed") for one in known.values()]
        tx.context.save(accounts=[], posts=posts, media=[])
        tx.commit(ENTRY)
    arrive(desk)
    carry_out(desk)
    assert desk.outcome().effects == []
    assert len(desk.outcome().cases) == 1


def test_terms_that_come_before_any_event_ask_for_no_hunt(desk: Desk) -> None:
    arrive(desk)
    assert desk.services.hunts.newest(10) == []
    assert desk.services.hunts.step() is None


def test_selling_words_alone_ask_for_no_hunt(desk: Desk) -> None:
    desk.take_in(post("one"))
    arrive(desk, CUE)
    assert desk.services.hunts.newest(10) == []


def test_cancelled_hunt_goes_no_further_and_keeps_what_it_found(desk: Desk) -> None:
    desk.take_in(*(post(f"p{n}", minutes=n) for n in range(4)))
    arrive(desk)
    begun = desk.services.hunts.step(limit=1)
    assert begun is not None
    desk.services.hunts.cancel(begun.id, actor="ana", reason="wrong list")
    assert desk.services.hunts.step() is None
    hunt, findings = desk.services.hunts.get(begun.id, findings=10)
    assert (hunt.state, len(findings)) == (HuntState.CANCELLED, 1)
    with pytest.raises(Conflict):
        desk.services.hunts.cancel(begun.id, actor="ana", reason="again")


def test_record_tells_of_the_hunt_and_never_of_the_term(desk: Desk) -> None:
    desk.take_in(post("one"))
    arrive(desk)
    carry_out(desk)
    with desk.services.unit_of_work.read() as tx:
        entries = [chained.entry for chained in tx.audit.entries()]
    assert "hunt.ended" in [one.action for one in entries]
    assert "plimquat" not in repr([one for one in entries if one.action.startswith("hunt.")])


@pytest.mark.parametrize(
    ("lexicon", "bank"), [("", ""), ("one", "two"), ("nowhere", ""), ("", "nowhere")]
)
def test_hunt_needs_one_list_that_is_there(desk: Desk, lexicon: str, bank: str) -> None:
    with pytest.raises(InvalidInput):
        desk.services.hunts.ask(lexicon=lexicon, bank=bank, actor="ana", reason="x")


def test_unknown_hunt_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.services.hunts.get("none", findings=1)


def test_share_done_of_an_empty_window_is_all_of_it() -> None:
    hunt = Hunt(
        id="h",
        kind=HuntKind.TERMS,
        name="n",
        asked_by="a",
        asked_at=at(0),
        to_seq=0,
    )
    assert hunt.share_done == 1.0
