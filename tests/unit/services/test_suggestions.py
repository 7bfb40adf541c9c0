"""What sellers call their goods, and no list has yet, is put before a person and nobody else."""

import json
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.fakes.desk import Desk
from tests.synthetic.builders import event_of
from typer.testing import CliRunner

from nightlight.cli import lexicon as commands
from nightlight.errors import NotFound
from nightlight.ingest.envelope import parse_event
from nightlight.model.event import Event, PostCreated
from nightlight.model.ids import AccountId
from nightlight.model.lexicon import TermForm
from nightlight.town import TownPlan, build_town
from nightlight.town.truth import PostTruth

#: Tags that the writers of a town's posts add to them, by what the truth says of those.
TAGS = {
    "advert": "#Glimmerpost",
    "reporter": "#newsdesk",
    "researcher": "#newsdesk",
    "survivor": "#stillhere",
    "helpline": "#stillhere",
    "hobbyist": "#yarnfolk",
}
PLAN = TownPlan(seed=5, accounts=500, posts=3_500, media=False)


def tagged_town(folder: Path) -> tuple[list[Event], list[str]]:
    """Return the events of a town whose writers use tags, and its lexicon."""
    town = build_town(PLAN)
    events = [parse_event(line) for line in town.events()]
    lexicon = town.write_materials(folder / "town").lexicon
    assert lexicon is not None
    truth = town.truth().posts
    return list(_with_tags(events, truth)), lexicon.read_text("utf-8").splitlines()


def _with_tags(events: list[Event], truth: Mapping[str, PostTruth]) -> Iterator[Event]:
    for number, event in enumerate(events):
        data = event.data
        told = truth.get(event.post_id)
        if isinstance(data, PostCreated):
            tag = TAGS.get((told.lookalike or told.kind) if told else "", "")
            # Sellers use everybody's tags, too; and some of everybody once met theirs.
            tag += " #weekend" if number % 5 == 0 else ""
            tag += " #glimmerpost" if number == 3_333 else ""
            yield replace(event, data=replace(data, text=f"{data.text} {tag}"))
        else:
            yield event


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("town")
    events, lexicon = tagged_town(folder)
    desk = Desk(folder / "home", lists=False)
    desk.services.lists.import_lexicon("town", lexicon, actor="ana", reason="test")
    desk.take_in(*events)
    return desk


def test_tag_that_sellers_use_comes_first_and_those_of_others_do_not_come(town: Desk) -> None:
    found = town.services.suggestions.all(limit=1_000)
    first = found[0]
    assert (first.form, first.word.text) == (TermForm.HASHTAG, "glimmerpost")
    assert first.sellers[0] >= 5
    assert {"newsdesk", "stillhere", "yarnfolk", "weekend"}.isdisjoint(
        one.word.text for one in found
    )


def test_nothing_that_is_listed_is_suggested(town: Desk) -> None:
    with town.services.unit_of_work.read() as tx:
        listed = {one.text.casefold() for one in tx.lexicons.all()}
    assert listed.isdisjoint(one.word.text for one in town.services.suggestions.all(limit=1_000))


def test_suggestion_acts_only_once_a_second_person_agreed(tmp_path: Path) -> None:
    desk = sold_under("glimmerpost", tmp_path)
    suggestions, lexicons = desk.services.suggestions, desk.services.lexicons
    [one] = [each for each in suggestions.all(limit=9) if each.form is TermForm.HASHTAG]
    assert terms_of(desk) == 4
    change = suggestions.accept(
        [one.id], lexicon="quibble", severity=80, actor="ana", reason="sold under it"
    ).change
    assert terms_of(desk) == 4
    assert one.id not in {each.id for each in suggestions.all(limit=9)}
    lexicons.approve(change.id, actor="bo", reason="seen")
    assert terms_of(desk) == 5
    assert "suggestion.proposed" in desk.actions()


def test_declined_word_is_not_suggested_again(tmp_path: Path) -> None:
    desk = sold_under("glimmerpost", tmp_path)
    suggestions = desk.services.suggestions
    ids = [one.id for one in suggestions.all(limit=9)]
    assert suggestions.decline(ids, actor="ana", reason="harmless") == len(ids)
    assert suggestions.all(limit=9) == []
    with pytest.raises(NotFound):
        suggestions.decline(ids, actor="ana", reason="again")


def test_sellers_whom_a_person_held_to_be_none_suggest_nothing(tmp_path: Path) -> None:
    desk = sold_under("glimmerpost", tmp_path)
    with desk.services.unit_of_work.begin() as tx:
        sellers = tx.context.accounts({AccountId(f"seller-{number}") for number in range(6)})
        dismissed = [replace(one, human_decision="dismissed") for one in sellers.values()]
        tx.context.save(accounts=dismissed, posts=(), media=())
        tx.commit_unrecorded()
    assert desk.services.suggestions.all(limit=9) == []


def test_words_are_written_to_a_private_file_alone_and_the_record_says_for_whom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = sold_under("glimmerpost", tmp_path / "home")
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(tmp_path / "home"))
    shown = CliRunner().invoke(commands.app, ["suggest", "--json"])
    row = json.loads(shown.stdout.splitlines()[0])
    assert "glimmerpost" not in shown.output
    assert row["id"].startswith("sg_")
    assert CliRunner().invoke(commands.app, ["suggest", "--out", str(tmp_path / "no")]).exit_code
    file = tmp_path / "words"
    asked = ["suggest", "--out", str(file), "--by", "ana", "--reason", "to judge them"]
    told = CliRunner().invoke(commands.app, asked)
    assert "glimmerpost" not in told.output
    assert "glimmerpost" in file.read_text("utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "suggestion.exported" in desk.actions()


def test_word_itself_is_in_no_log_of_it(tmp_path: Path) -> None:
    [one, *_] = sold_under("glimmerpost", tmp_path).services.suggestions.all(limit=9)
    assert "glimmerpost" not in f"{one!r} {one} {one.why} {one.word}"


def sold_under(tag: str, folder: Path) -> Desk:
    """Return a desk that saw six accounts sell under a tag, and forty say other things."""
    desk = Desk(folder)
    sold = [
        posted(
            f"seller-{number}",
            f"zorbleflux, {number + 3} coins a box, dm me @plonk_{number} #{tag}",
        )
        for number in range(6)
    ]
    said = [
        posted(f"other-{number}", f"quiet day number {number} #weekend") for number in range(40)
    ]
    desk.take_in(*sold, *said)
    return desk


def posted(account: str, text: str) -> Event:
    return event_of(PostCreated(post_id=f"{account}-post", account_id=account, text=text))


def terms_of(desk: Desk) -> int:
    with desk.services.unit_of_work.read() as tx:
        return len(tx.lexicons.term_ids("quibble"))
