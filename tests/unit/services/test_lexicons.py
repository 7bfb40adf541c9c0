"""A lexicon changes when two people want it, and the record says who, never what."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.fakes.desk import LEXICON, Desk
from tests.ports.builders import ENTRY
from tests.synthetic.builders import TEXT, event_of

from nightlight.errors import Conflict, InvalidInput, NotFound, NotPermitted
from nightlight.model.case import CaseStep
from nightlight.model.event import Event, PostCreated
from nightlight.model.lexicon import ChangeState, LexiconChange
from nightlight.review.resolve import Resolution
from nightlight.services.lexicons import Lexicons


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, lists=False)


def propose(desk: Desk, name: str = "words", *, by: str = "ana") -> LexiconChange:
    lexicons = desk.services.lexicons
    return lexicons.propose_import(name, LEXICON, actor=by, reason="new words").change


def advert(name: str) -> Event:
    return event_of(PostCreated(post_id=name, account_id="account-1", text=TEXT))


def test_proposed_terms_are_looked_for_once_another_person_approves(desk: Desk) -> None:
    change = propose(desk)
    [before] = desk.take_in(advert("p1"))
    desk.services.lexicons.approve(change.id, actor="bo", reason="I looked")
    [after] = desk.take_in(advert("p2"))
    assert [bool(batch.signals) for batch in (before, after)] == [False, True]


@pytest.mark.parametrize("approver", ["ana", " Ana "])
def test_who_proposed_cannot_approve(desk: Desk, approver: str) -> None:
    change = propose(desk)
    with pytest.raises(NotPermitted, match="proposed"):
        desk.services.lexicons.approve(change.id, actor=approver, reason="me again")
    assert desk.services.lexicons.changes(limit=1)[0].state is ChangeState.PROPOSED


def test_withdrawal_needs_a_second_person_too(desk: Desk) -> None:
    lexicons = desk.services.lexicons
    lexicons.approve(propose(desk).id, actor="bo", reason="x")
    proposed = lexicons.propose_withdrawal("words", actor="bo", reason="too old").change
    assert desk.services.lists.summaries()[1]
    done = lexicons.approve(proposed.id, actor="ana", reason="indeed")
    assert (done.removed, done.version) == (len(LEXICON), 2)
    assert not desk.services.lists.summaries()[1]


def test_rejected_change_never_takes_effect_and_its_terms_are_gone(desk: Desk) -> None:
    lexicons = desk.services.lexicons
    change = propose(desk)
    lexicons.reject(change.id, actor="bo", reason="no source")
    with pytest.raises(Conflict):
        lexicons.approve(change.id, actor="bo", reason="after all")
    with desk.services.unit_of_work.read() as tx:
        assert tx.lexicon_changes.proposed_terms(change.id) == []
        assert list(tx.lexicons.all()) == []


def test_change_is_approved_once(desk: Desk) -> None:
    change = propose(desk)
    desk.services.lexicons.approve(change.id, actor="bo", reason="x")
    with pytest.raises(Conflict):
        desk.services.lexicons.approve(change.id, actor="cy", reason="x")


def test_who_decides_can_read_what_is_proposed_and_the_record_says_so(desk: Desk) -> None:
    change = propose(desk)
    terms = desk.services.lexicons.export_proposed(change.id, actor="bo", reason="to decide")
    assert len(terms) == len(LEXICON)
    assert desk.actions() == ["lexicon.proposed", "lexicon.exported"]


def test_every_change_has_a_version_with_counts_and_a_digest(desk: Desk) -> None:
    lexicons = desk.services.lexicons
    lexicons.approve(propose(desk).id, actor="bo", reason="x")
    more = lexicons.propose_import("words", ['{"text":"plonk"}'], actor="bo", reason="y").change
    lexicons.approve(more.id, actor="ana", reason="z")
    second, first = lexicons.changes(lexicon="words", limit=9)
    assert (first.version, first.added, second.version, second.added) == (1, len(LEXICON), 2, 1)
    assert (first.proposed_by, first.decided_by, first.alone) == ("ana", "bo", False)
    assert len({first.digest, second.digest, ""}) == 3


def term_line(severity: int, text: str = "plonk") -> str:
    return f'{{"text": "{text}", "severity": {severity}}}'


def propose_lines(desk: Desk, *lines: str, by: str = "ana") -> LexiconChange:
    lexicons = desk.services.lexicons
    return lexicons.propose_import("words", lines, actor=by, reason="x").change


def severities(desk: Desk) -> dict[str, int]:
    with desk.services.unit_of_work.read() as tx:
        return {one.text: one.severity for one in tx.lexicons.terms("words")}


@pytest.mark.parametrize("is_new", [True, False])
def test_second_of_two_changes_of_one_term_is_refused_by_its_id(
    desk: Desk, *, is_new: bool
) -> None:
    lexicons = desk.services.lexicons
    if not is_new:
        lexicons.approve(propose_lines(desk, term_line(10)).id, actor="bo", reason="x")
    first, second = propose_lines(desk, term_line(20)), propose_lines(desk, term_line(30))
    lexicons.approve(first.id, actor="bo", reason="x")
    with pytest.raises(Conflict, match=r"term tm_\w+ of 'words' was changed after") as caught:
        lexicons.approve(second.id, actor="bo", reason="x")
    assert "propose anew" in caught.value.hint
    assert "plonk" not in str(caught.value)
    assert severities(desk) == {"plonk": 20}
    lexicons.reject(second.id, actor="bo", reason="overtaken")
    anew = propose_lines(desk, term_line(30))
    lexicons.approve(anew.id, actor="bo", reason="y")
    assert severities(desk) == {"plonk": 30}


def test_two_changes_of_different_terms_or_to_the_same_both_take_effect(desk: Desk) -> None:
    lexicons = desk.services.lexicons
    changes = [
        propose_lines(desk, term_line(20)),
        propose_lines(desk, term_line(30, "quibble")),
        propose_lines(desk, term_line(20), term_line(40, "plimquat")),
    ]
    for one in changes:
        lexicons.approve(one.id, actor="bo", reason="x")
    assert severities(desk) == {"plonk": 20, "quibble": 30, "plimquat": 40}


def test_withdrawal_of_what_has_grown_since_is_refused(desk: Desk) -> None:
    lexicons = desk.services.lexicons
    lexicons.approve(propose(desk).id, actor="bo", reason="x")
    withdrawal = lexicons.propose_withdrawal("words", actor="ana", reason="old").change
    lexicons.approve(propose_lines(desk, term_line(20)).id, actor="bo", reason="x")
    with pytest.raises(Conflict, match="lexicon 'words' was changed"):
        lexicons.approve(withdrawal.id, actor="bo", reason="x")
    assert "plonk" in severities(desk)


def test_change_of_a_term_that_was_withdrawn_since_is_refused(desk: Desk) -> None:
    lexicons = desk.services.lexicons
    lexicons.approve(propose_lines(desk, term_line(10)).id, actor="bo", reason="x")
    change = propose_lines(desk, term_line(30))
    withdrawal = lexicons.propose_withdrawal("words", actor="ana", reason="old").change
    lexicons.approve(withdrawal.id, actor="bo", reason="x")
    with pytest.raises(Conflict, match="was changed"):
        lexicons.approve(change.id, actor="bo", reason="x")


def propose_as_before(desk: Desk, severity: int) -> LexiconChange:
    """Store a proposal as an older Nightlight did, which knew no base."""
    now = propose_lines(desk, term_line(severity))
    change = replace(now, id=f"lc-{severity}", base=None)
    with desk.services.unit_of_work.begin() as tx:
        tx.lexicon_changes.propose(change, tx.lexicon_changes.proposed_terms(now.id))
        tx.commit(ENTRY)
    return change


def test_change_proposed_before_an_upgrade_counts_only_if_nothing_changed_since(
    desk: Desk,
) -> None:
    lexicons = desk.services.lexicons
    first, second = propose_as_before(desk, 20), propose_as_before(desk, 30)
    lexicons.approve(first.id, actor="bo", reason="x")
    with pytest.raises(Conflict, match="lexicon 'words' was changed"):
        lexicons.approve(second.id, actor="bo", reason="x")


SPELT = '{"text": "zorbleflux", "severity": 90, "variants": ["zawbleflux"]}'


def test_term_imported_again_with_another_spelling_is_changed_by_two_and_hunted(
    desk: Desk,
) -> None:
    lexicons = desk.services.lexicons
    lexicons.approve(propose(desk).id, actor="bo", reason="x")
    post = PostCreated(post_id="p1", account_id="account-1", text="ask for the list: zawbleflux")
    [before] = desk.take_in(event_of(post))
    again = (SPELT, *LEXICON[1:])
    change = lexicons.propose_import("words", again, actor="ana", reason="spelling").change
    assert (change.added, change.changed) == (0, 1)
    done = lexicons.approve(change.id, actor="bo", reason="y")
    assert (done.added, done.changed, done.digest) == (0, 1, change.digest)
    with desk.services.unit_of_work.read() as tx:
        entry = [chained.entry for chained in tx.audit.entries()][-1]
        terms = {one.text: one for one in tx.lexicons.terms("words")}
    assert (entry.detail["added"], entry.detail["changed"]) == (0, 1)
    assert "zawbleflux" not in repr(entry)
    assert (len(terms), terms["zorbleflux"].variants) == (len(LEXICON), ("zawbleflux",))
    hunt = desk.services.hunts.step()
    assert hunt is not None
    assert (bool(before.signals), len(hunt.terms), hunt.found) == (False, 1, 1)
    with pytest.raises(InvalidInput, match="nothing"):
        lexicons.propose_import("words", again, actor="ana", reason="once more")


def test_one_person_is_told_how_many_terms_changed(desk: Desk) -> None:
    lexicons = desk.services.lexicons
    lexicons.import_alone("mine", LEXICON, actor="ana", reason="trying")
    other = [SPELT, LEXICON[1].replace("70", "80"), LEXICON[2], '{"text": "plonk"}']
    done = lexicons.import_alone("mine", other, actor="ana", reason="trying more")
    assert (done.read, done.added, done.changed) == (4, 1, 2)


def test_digest_foretold_is_the_one_that_comes_true(desk: Desk) -> None:
    change = propose(desk)
    done = desk.services.lexicons.approve(change.id, actor="bo", reason="x")
    assert done.digest == change.digest


def test_record_names_both_people_and_no_term(desk: Desk) -> None:
    desk.services.lexicons.approve(propose(desk).id, actor="bo", reason="I looked")
    with desk.services.unit_of_work.read() as tx:
        entries = [chained.entry for chained in tx.audit.entries()]
    assert [(one.actor, one.action) for one in entries] == [
        ("ana", "lexicon.proposed"),
        ("bo", "lexicon.imported"),
    ]
    assert entries[1].detail["proposed_by"] == "ana"
    assert entries[1].detail["alone"] is False
    assert "zorbleflux" not in repr(entries)


def test_one_person_may_change_lists_until_two_have(desk: Desk) -> None:
    lexicons = desk.services.lexicons
    assert lexicons.import_alone("mine", LEXICON, actor="ana", reason="trying").added
    lexicons.approve(propose(desk).id, actor="bo", reason="x")
    with pytest.raises(NotPermitted, match="two people"):
        lexicons.import_alone("mine", ['{"text":"plonk"}'], actor="ana", reason="quickly")
    with pytest.raises(NotPermitted):
        lexicons.withdraw_alone("mine", actor="ana", reason="quickly")


def test_another_person_cannot_act_alone_too(desk: Desk) -> None:
    lexicons = desk.services.lexicons
    lexicons.import_alone("mine", LEXICON, actor="ana", reason="trying")
    with pytest.raises(NotPermitted, match="more than one person"):
        lexicons.import_alone("mine", ['{"text":"plonk"}'], actor="bo", reason="quickly")
    assert lexicons.import_alone("mine", ['{"text":"plonk"}'], actor=" Ana", reason="x").added


@pytest.mark.parametrize("reviewer", ["bo", "ana"])
def test_reviewer_who_decided_a_case_is_a_second_person(desk: Desk, reviewer: str) -> None:
    lexicons = desk.services.lexicons
    lexicons.import_alone("mine", LEXICON, actor="ana", reason="trying")
    desk.take_in(advert("p1"))
    [case] = desk.outcome().cases
    step = Resolution(step=CaseStep.DISMISS, reviewer=reviewer, reason="a quibble")
    desk.services.review.decide(case.id, step)
    if reviewer == "bo":
        with pytest.raises(NotPermitted):
            lexicons.withdraw_alone("mine", actor="ana", reason="quickly")
    else:
        assert lexicons.withdraw_alone("mine", actor="ana", reason="done trying")


def test_what_one_person_alone_made_is_told_until_another_looked(desk: Desk) -> None:
    lexicons = desk.services.lexicons
    lexicons.import_alone("words", ['{"text":"plonk"}'], actor="ana", reason="trying")
    assert [one.lexicon for one in lexicons.made_alone()] == ["words"]
    with desk.services.unit_of_work.read() as tx:
        assert next(iter(tx.audit.entries())).entry.detail["alone"] is True
    lexicons.approve(propose(desk).id, actor="bo", reason="I looked")
    assert lexicons.made_alone() == []
    assert lexicons.people() == ["ana", "bo"]


def test_program_counts_as_no_person(desk: Desk) -> None:
    lexicons, program = desk.services.lexicons, "nightlight run --truth"
    lexicons.import_alone("TRUTH", LEXICON, actor=program, reason="named")
    lexicons.import_alone("mine", ['{"text":"plonk"}'], actor="ana", reason="trying")
    lexicons.import_alone("TRUTH", ['{"text":"plonk"}'], actor=program, reason="named")
    assert lexicons.people() == ["ana"]


def test_one_person_may_always_where_the_settings_say_so(desk: Desk) -> None:
    desk.services.lexicons.approve(propose(desk).id, actor="bo", reason="x")
    allowed = Lexicons(
        unit_of_work=desk.services.unit_of_work,
        clock=desk.services.clock,
        id_key=b"key",
        one_person=True,
    )
    assert allowed.import_alone("mine", ['{"text":"plonk"}'], actor="ana", reason="x").added == 1


def test_proposal_with_nothing_new_is_refused(desk: Desk) -> None:
    desk.services.lexicons.approve(propose(desk).id, actor="bo", reason="x")
    with pytest.raises(InvalidInput, match="nothing to add"):
        propose(desk)


def test_lexicon_that_does_not_exist_cannot_be_withdrawn_or_written(desk: Desk) -> None:
    lexicons = desk.services.lexicons
    with pytest.raises(NotFound):
        lexicons.propose_withdrawal("nowhere", actor="ana", reason="x")
    with pytest.raises(NotFound):
        lexicons.export("nowhere", actor="ana", reason="x")
    with pytest.raises(NotFound):
        lexicons.approve("lc_nowhere", actor="ana", reason="x")


def test_approval_begins_a_hunt_for_what_is_stored(desk: Desk) -> None:
    desk.take_in(advert("p1"))
    change = propose(desk)
    assert desk.services.hunts.newest(5) == []
    desk.services.lexicons.approve(change.id, actor="bo", reason="x")
    assert [hunt.name for hunt in desk.services.hunts.newest(5)] == ["words"]
