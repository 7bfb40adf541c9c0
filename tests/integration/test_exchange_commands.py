"""``nightlight exchange`` from setting up to removal, against a simulated partner."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.exchanges import SimulatedExchange
from typer.testing import CliRunner, Result

from nightlight.cli.exchange import app
from nightlight.cli.services import open_services
from nightlight.errors import Conflict, InvalidInput, NotFound, NotPermitted, Unavailable

_WHO = ("--by", "ana", "--reason", "to see")
_PASSWORD = "snorkelwhack-of-tests"

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def ncmec() -> Iterator[SimulatedExchange]:
    with SimulatedExchange("ncmec-hashes", "--password", _PASSWORD) as running:
        yield running


@pytest.fixture
def exchange(ncmec: SimulatedExchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``nightlight exchange`` in a state folder of its own."""
    ncmec.reset()
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NIGHTLIGHT_INDEX_DIRECTORY", "none")

    def run(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(app, list(arguments), input=stdin)

    return run


@pytest.fixture
def added(exchange: Run, ncmec: SimulatedExchange) -> Run:
    """Set one up."""
    done = exchange(
        *("add", "Exampleton", "--api", "ncmec", "--bank", "quibble", "--credentials", "-", *_WHO),
        *("--option", f"url={ncmec.url}/hashsharing"),
        stdin=f"# ours\nuser=sim\npassword={_PASSWORD}\n",
    )
    assert done.exit_code == 0, done.output
    return exchange


def rows(done: Result) -> list[dict[str, Any]]:
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_exchange_is_set_up_fetched_listed_and_removed(added: Run) -> None:
    assert "140 added" in added("fetch", "Exampleton").stdout
    (listed,) = rows(added("list", "--json"))
    assert (listed["fetched"], listed["up_to_date"], listed["failure"]) == (140, True, "")
    assert "up to date" in added("list").stdout
    assert "140 entries withdrawn" in added("remove", "Exampleton", "--with-bank", *_WHO).stdout
    assert rows(added("list", "--json")) == []


def test_what_opens_an_exchange_is_never_printed(added: Run) -> None:
    told = "".join(
        added(*arguments).output
        for arguments in (
            ("show", "Exampleton"),
            ("show", "Exampleton", "--json"),
            ("list",),
            ("list", "--json"),
            ("fetch", "--all"),
            ("set", "Exampleton", "--every", "600", *_WHO),
        )
    )
    assert "Exampleton" in told
    assert _PASSWORD not in told


def test_every_enabled_exchange_is_fetched_at_once(added: Run) -> None:
    (done,) = rows(added("fetch", "--all", "--json"))
    assert done["added"] == 140
    added("disable", "Exampleton", *_WHO)
    assert "No exchange is enabled" in added("fetch", "--all").stderr
    added("enable", "Exampleton", *_WHO)
    assert len(rows(added("fetch", "--all", "--json"))) == 1


def test_other_credentials_take_the_place_of_those_before(added: Run) -> None:
    assert (
        added("set", "Exampleton", "--credentials", "-", *_WHO, stdin="password=x").exit_code == 0
    )
    assert isinstance(added("fetch", "Exampleton").exception, NotPermitted)
    assert "credentials refused" in added("list").stdout
    added("set", "Exampleton", "--credentials", "-", *_WHO, stdin=f"password={_PASSWORD}")
    assert added("fetch", "Exampleton").exit_code == 0


def test_a_partner_that_does_not_answer_is_told_by_the_exit_code(
    added: Run, ncmec: SimulatedExchange
) -> None:
    ncmec.fault(kind="status", path="/v2/status", status=404, times=9)
    assert isinstance(added("fetch", "Exampleton").exception, Unavailable)
    assert added("fetch", "--all").exit_code == 3


def test_what_is_quarantined_or_not_matched_is_said(added: Run, ncmec: SimulatedExchange) -> None:
    ncmec.fault(kind="corrupt_entry", path="/entries?")
    said = added("fetch", "Exampleton").stderr
    assert "1 could not be read and are quarantined" in said
    assert "40 hashes of kind PDNA are not matched here" in said


def test_an_opinion_is_given_sent_and_listed(added: Run, ncmec: SimulatedExchange) -> None:
    added("fetch", "Exampleton")
    assert rows(added("votes", "--json")) == []
    entry_id = _an_entry_id()
    assert "pending" in added("vote", "quibble", entry_id, "positive", *_WHO).stdout
    assert "sent" in added("send").stdout
    assert "No opinion is due" in added("send").stderr
    (listed,) = rows(added("votes", "--json"))
    assert (listed["entry_id"], listed["state"]) == (entry_id, "sent")
    assert len(ncmec.state()["feedback"]) == 1


def _an_entry_id() -> str:
    with open_services().unit_of_work.read() as tx:
        entry_id: str = next(iter(tx.banks.entries(bank="quibble", limit=1))).id
    return entry_id


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("show", "nobody"), NotFound),
        (("fetch",), InvalidInput),
        (("fetch", "Exampleton", "--all"), InvalidInput),
        (("set", "Exampleton", "--option", "quibble", *_WHO), InvalidInput),
        (("set", "Exampleton", "--option", "quibble=1", *_WHO), InvalidInput),
        (("set", "Exampleton", "--credentials", "/nowhere", *_WHO), InvalidInput),
        (("add", "Exampleton", "--api", "ncmec", "--bank", "b", *_WHO), Conflict),
        (("add", "New", "--api", "quibble", "--bank", "b", *_WHO), NotFound),
        (("add", "New", "--api", "ncmec", "--bank", "b", *_WHO), InvalidInput),
    ],
)
def test_wrong_use_is_refused(
    added: Run, arguments: tuple[str, ...], error: type[Exception]
) -> None:
    assert isinstance(added(*arguments).exception, error)


def test_the_kinds_of_exchanges_and_what_they_need_are_listed(exchange: Run) -> None:
    assert [one["name"] for one in rows(exchange("apis", "--json"))] == [
        "ncmec",
        "stop_ncii",
        "fb_threatexchange",
    ]
    assert "privacy_group" in exchange("apis").stdout
