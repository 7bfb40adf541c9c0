"""Lists and policies come in with a record that says who brought them and never what is in."""

from pathlib import Path

import pytest
from tests.fakes.desk import BANK, LEXICON, Desk
from tests.synthetic.builders import TEXT, event_of, policy_text

from nightlight.errors import InvalidInput, NotFound
from nightlight.model.event import Event, PostCreated
from nightlight.services.lists import check_policy, read_list
from nightlight.services.rules import declared_facts, default_policy


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, lists=False)


def advert(name: str) -> Event:
    return event_of(PostCreated(post_id=name, account_id="account-1", text=TEXT))


def test_lexicon_is_used_from_the_next_event_on_and_no_longer_once_withdrawn(desk: Desk) -> None:
    lists = desk.services.lists
    [before] = desk.take_in(advert("p1"))
    lists.import_lexicon("quibble", LEXICON, actor="ana", reason="new words")
    [during] = desk.take_in(advert("p2"))
    assert lists.remove_lexicon("quibble", actor="ana", reason="wrong words") == len(LEXICON)
    [after] = desk.take_in(advert("p3"))
    assert [len(batch.signals) for batch in (before, during, after)] == [0, 2, 0]


def test_record_says_who_and_how_many_but_not_what(desk: Desk) -> None:
    lists = desk.services.lists
    lists.import_lexicon("words", [*LEXICON, "{}"], actor="bo", reason="newer")
    lists.remove_lexicon("words", actor="bo", reason="old")
    with desk.services.unit_of_work.read() as tx:
        entries = [chained.entry for chained in tx.audit.entries()]
    assert [(one.actor, one.action, one.subject, one.reason) for one in entries] == [
        ("bo", "lexicon.imported", "words", "newer"),
        ("bo", "lexicon.withdrawn", "words", "old"),
    ]
    counts = {"read": 4, "added": 4, "rejected": 1, "version": 1, "alone": True}
    assert counts.items() <= entries[0].detail.items()
    assert "zorbleflux" not in repr(entries)


def test_importing_again_adds_nothing(desk: Desk) -> None:
    lists = desk.services.lists
    assert lists.import_lexicon("words", LEXICON, actor="ana", reason="x").added == len(LEXICON)
    assert lists.import_lexicon("words", LEXICON, actor="ana", reason="x").added == 0


def test_banks_and_lexicons_are_counted(desk: Desk) -> None:
    desk.import_lists(BANK, LEXICON)
    banks, lexicons = desk.services.lists.summaries()
    assert [(one.name, one.entries) for one in banks] == [("quibble", 2)]
    assert [(one.name, one.entries) for one in lexicons] == [("quibble", 4)]


def test_lexicon_that_does_not_exist_cannot_be_withdrawn(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.services.lists.remove_lexicon("nowhere", actor="ana", reason="x")


def test_activated_policy_judges_from_the_next_event_on(desk: Desk) -> None:
    lists = desk.services.lists
    lists.import_lexicon("quibble", LEXICON, actor="ana", reason="x")
    policy = lists.activate_policy(policy_text({"asks": ["hide"]}), actor="ana", reason="try")
    [batch] = desk.take_in(advert("p1"))
    assert batch.judged[0].decision.policy_version == policy.version
    assert desk.actions().count("policy.activated") == 1


def test_wrong_policy_leaves_the_one_before_in_force(desk: Desk) -> None:
    with pytest.raises(InvalidInput):
        desk.services.lists.activate_policy(
            policy_text({"when": "zorble > 1"}), actor="ana", reason="x"
        )
    assert desk.services.rules().judge.policy.name == "default"


def test_default_policy_compiles_against_the_facts_that_detectors_declare() -> None:
    assert check_policy(default_policy()).name == "default"
    assert {name for name, _ in declared_facts()} == {
        "hash_match",
        "scan_health",
        "term_match",
        "offer",
        "delete_repost",
        "user_report",
        "behaviour",
        "returning",
    }


def test_list_file_is_read_with_or_without_its_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    path.write_bytes(b"\xef\xbb\xbftext,kind\nquibble,term\n")
    assert read_list(path) == ["text,kind", "quibble,term"]


def test_list_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name, why in (("missing", "No such file"), ("binary", "not a UTF-8 text file")):
        with pytest.raises(InvalidInput, match=why):
            read_list(tmp_path / name)
