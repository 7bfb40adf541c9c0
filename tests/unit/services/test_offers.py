"""Weights are fitted to what people decided, put in force by a person, and told in the record."""

from pathlib import Path

import msgspec
import pytest
from tests.fakes.desk import Desk
from tests.synthetic.builders import event_of

from nightlight.detect.offer_weights import OfferWeights, shipped_weights
from nightlight.errors import InvalidInput
from nightlight.model.event import Event, PostCreated

LEXICON = (
    '{"text": "plimquat", "kind": "term", "severity": 90}',
    '{"text": "glimpcoin", "kind": "cue"}',
)
SELLS = "plimquat, 30 coins each, dm me"
TELLS = "our newspaper report on plimquat, read it here"
WHO = {"actor": "ana", "reason": "our own cases"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path, lists=False)
    made.services.lists.import_lexicon("town", LEXICON, actor="ana", reason="first")
    return made


def post(name: str, text: str) -> Event:
    return event_of(PostCreated(post_id=name, account_id=f"by-{name}", text=text))


def lines(offers: int, others: int) -> list[str]:
    texts = [(SELLS, True)] * offers + [(TELLS, False)] * others
    return [msgspec.json.encode({"text": text, "offer": yes}).decode() for text, yes in texts]


def test_the_shipped_weights_hold_until_others_are_put_in_force(desk: Desk) -> None:
    offers = desk.services.offers
    assert offers.in_force() == shipped_weights()

    mine = OfferWeights(weights={"price": 9.0}, bias=0.0)
    offers.activate(msgspec.json.encode(mine), **WHO)

    assert offers.in_force() == mine
    with desk.services.unit_of_work.read() as tx:
        (newest,) = tx.audit.newest(1)
    assert (newest.entry.action, newest.entry.subject) == ("offer.activated", mine.version)


def test_running_processes_judge_by_the_new_weights(desk: Desk) -> None:
    before, after = post("before", SELLS), post("after", SELLS)
    desk.take_in(before)
    never = OfferWeights(weights={}, bias=-50.0)
    desk.services.offers.activate(msgspec.json.encode(never), **WHO)
    desk.take_in(after)

    found = {
        one.subject.id for one in desk.outcome([before, after]).signals if "offer" in one.facts
    }
    assert found == {"before"}


def test_wrong_weights_leave_those_before_in_force(desk: Desk) -> None:
    with pytest.raises(InvalidInput):
        desk.services.offers.activate(b'{"weights": {"charm": 1}, "bias": 0}', **WHO)

    assert desk.services.offers.in_force() == shipped_weights()


def test_fitting_to_labelled_texts_changes_nothing_by_itself(desk: Desk) -> None:
    done = desk.services.offers.fit_to_lines([*lines(40, 40), ""])

    assert (done.fitted, done.kept) == (64, 16)
    assert (done.precision, done.recall) == (1.0, 1.0)
    assert desk.services.offers.in_force() == shipped_weights()


def test_a_wrong_line_is_told_by_its_number_and_not_by_its_text(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="line 2") as refused:
        desk.services.offers.fit_to_lines([*lines(1, 0), '{"text": "secret plimquat"}'])

    assert "plimquat" not in str(refused.value)


def test_texts_without_a_listed_word_teach_nothing(desk: Desk) -> None:
    other = msgspec.json.encode({"text": "plum jam, 30 coins, dm me", "offer": True}).decode()

    with pytest.raises(InvalidInput, match="0 offers are too few"):
        desk.services.offers.fit_to_lines([other] * 50)


def test_fitting_to_cases_uses_what_people_decided(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="0 offers are too few"):
        desk.services.offers.fit_to_cases()
    sold = [post(f"s{number}", SELLS) for number in range(25)]
    told = [post(f"t{number}", TELLS) for number in range(25)]
    desk.take_in(*sold, *told)
    with desk.services.unit_of_work.begin() as tx:
        posts = tx.context.posts([one.post_id for one in (*sold, *told)])
        decided = [
            msgspec.structs.replace(
                one, human_decision="confirmed" if one.post_id[0] == "s" else "dismissed"
            )
            for one in posts.values()
        ]
        tx.context.save(accounts=[], posts=decided, media=[])
        tx.commit_unrecorded()

    done = desk.services.offers.fit_to_cases()

    assert done.fitted + done.kept == 50
    assert done.precision == 1.0
    assert done.weights.fitted_to.startswith("50 posts that people decided about")


def test_a_text_is_explained_without_repeating_it(desk: Desk) -> None:
    told = desk.services.offers.explain(SELLS)

    assert (told.offer, told.terms) == (True, 1)
    assert any("a price" in reason for reason in told.why)
    assert "plimquat" not in str(told)
    assert desk.services.offers.explain("plum jam, dm me").why == ("no listed term stands in it",)
