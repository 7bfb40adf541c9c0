"""Accounts that word alike are seen together, and those who do by chance or trade are not."""

import json
from pathlib import Path

import pytest
from tests.fakes.desk import Desk
from tests.synthetic.builders import event_of
from typer.testing import CliRunner

from nightlight.cli import account as commands
from nightlight.errors import NotFound
from nightlight.model.case import CaseStep
from nightlight.model.event import AccountCreated, Event, PostCreated
from nightlight.model.ids import AccountId
from nightlight.review.resolve import Resolution
from nightlight.services import clusters as services
from nightlight.services.clusters import Cluster, Found, cluster_of, clusters

SOLD = (
    "zorbleflux, {n} coins a box, fresh every friday evening, write to @{name}_plonk and be quick"
)
NEWS = (
    "Our long read about quiet trade on the harbour is out today https://press.example.test/{name}"
)


def post(name: str, text: str, *, minutes: float = 0.0) -> Event:
    post_id = f"{name}-{minutes:.0f}"
    return event_of(
        PostCreated(post_id=post_id, account_id=name, text=text.format(n=len(name) + 3, name=name)),
        minutes=minutes,
    )


def sellers(count: int, *, start: int = 0) -> list[Event]:
    return [
        post(f"seller-{number}", SOLD, minutes=number) for number in range(start, start + count)
    ]


def found(desk: Desk) -> list[Cluster]:
    with desk.services.unit_of_work.read() as tx:
        return clusters(tx, limit=9)


def test_sellers_in_one_template_are_a_cluster_and_say_how_far_they_are(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take_in(*sellers(5), post("seller-1", SOLD, minutes=90), post("ana", "a quiet day"))
    case = next(one for one in desk.outcome().cases if one.account_id == "seller-3")
    resolution = Resolution(step=CaseStep.CONFIRM, reviewer="ana", reason="nonsense is sold")
    desk.services.review.decide(case.id, resolution)
    [one] = found(desk)
    assert [(each.account_id, each.found.value) for each in one.members] == [
        ("seller-3", "confirmed"),
        *((f"seller-{number}", "waiting") for number in (0, 1, 2, 4)),
    ]
    assert (one.posts, one.is_whole) == (6, True)
    assert (one.last_at - one.first_at).total_seconds() == 90 * 60


def test_cluster_grows_as_events_come_whatever_their_batches(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take_in(*sellers(2))
    before = found(desk)
    desk.take_in(*sellers(3, start=2), size=1)
    assert [len(one.members) for one in (*before, *found(desk))] == [2, 5]


def test_newsrooms_that_word_alike_are_no_cluster_of_their_own(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take_in(*(post(f"press-{number}", NEWS) for number in range(6)))
    assert found(desk) == []
    with desk.services.unit_of_work.read() as tx:
        around = cluster_of(tx, AccountId("press-1"))
        assert around is not None
        assert around.count(Found.NOTHING) == len(around.members)


def test_who_quotes_a_seller_is_shown_and_leads_no_further(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lists=False)
    desk.take_in(
        post("copycat", SOLD), post("copycat", NEWS, minutes=5), post("press-1", NEWS, minutes=9)
    )
    desk.import_lists((), ('{"text": "zorbleflux", "kind": "term", "severity": 90}',))
    desk.take_in(*sellers(3, start=20))
    [one] = found(desk)
    assert {each.account_id for each in one.members if each.found is Found.NOTHING} == {"copycat"}


def test_wording_that_everybody_uses_ties_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)
    same = "zorbleflux, nine coins a box, fresh every friday evening, dm me and be quick"
    desk.take_in(*(post(f"seller-{number}", same) for number in range(9)))
    assert [len(one.members) for one in found(desk)] == [9]
    monkeypatch.setattr(services, "MOST_HOLDERS", 8)
    assert found(desk) == []


def test_what_the_command_says_names_accounts_and_nothing_they_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Desk(tmp_path).take_in(*sellers(3))
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(tmp_path))
    told = CliRunner().invoke(commands.app, ["clusters", "--json"])
    around = CliRunner().invoke(commands.app, ["clusters", "--around", "seller-2"])
    assert len(json.loads(told.stdout)["members"]) == 3
    assert "seller-" in around.output
    assert "zorbleflux" not in told.output + around.output


def test_nobody_is_the_cluster_of_who_words_like_nobody(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lists=False)
    desk.take_in(event_of(AccountCreated(account_id="ana", handle="ana_quibble")))
    with desk.services.unit_of_work.read() as tx:
        assert cluster_of(tx, AccountId("ana")) is None
        with pytest.raises(NotFound):
            cluster_of(tx, AccountId("nobody"))
