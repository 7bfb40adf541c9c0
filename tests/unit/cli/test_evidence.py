"""``nightlight evidence`` gives bytes only where they were asked for, and to one person alone."""

import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.fakes.desk import Desk
from tests.synthetic.builders import TEXT, event_of
from typer.testing import CliRunner, Result

from nightlight.cli.evidence import app
from nightlight.errors import Conflict, InvalidInput
from nightlight.model.event import PostCreated

Run = Callable[..., Result]
WHO = ("--by", "ana", "--purpose", "a look")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A case about one post."""
    desk = Desk(tmp_path / "home")
    desk.take_in(event_of(PostCreated(post_id="post-1", account_id="account-1", text=TEXT)))
    return desk


@pytest.fixture
def evidence(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``nightlight evidence`` in the desk's home."""
    assert desk.outcome().cases
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NIGHTLIGHT_INDEX_DIRECTORY", "none")
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def a_post(desk: Desk) -> str:
    [case] = desk.outcome().cases
    return next(one.id for one in desk.evidence(case.id) if one.kind == "post")


def test_opened_bytes_go_into_a_new_file_for_its_owner_alone(
    desk: Desk, evidence: Run, tmp_path: Path
) -> None:
    to = tmp_path / "look.json"
    done = evidence("open", a_post(desk), *WHO, "--out", str(to))
    assert done.exit_code == 0
    assert TEXT in to.read_text()
    assert TEXT not in done.output
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    again = evidence("open", a_post(desk), *WHO, "--out", str(to))
    assert isinstance(again.exception, InvalidInput)


def test_nothing_is_left_where_opening_was_refused(
    desk: Desk, evidence: Run, tmp_path: Path
) -> None:
    to = tmp_path / "look.json"
    done = evidence(
        "open", a_post(desk), "--by", "nightlight", "--purpose", "a look", "--out", str(to)
    )
    assert isinstance(done.exception, InvalidInput)
    assert not to.exists()


def test_bytes_go_to_stdout_where_asked_and_the_log_tells(desk: Desk, evidence: Run) -> None:
    assert TEXT in evidence("open", a_post(desk), *WHO, "--out", "-").stdout
    assert evidence("viewed", a_post(desk), "--by", "ana", "--exif").exit_code == 0
    log = evidence("log", a_post(desk), "--json").stdout
    assert [word in log for word in ("opened", '"viewed"', "exif_viewed")] == [True] * 3


def test_a_list_tells_no_digest(desk: Desk, evidence: Run) -> None:
    [case] = desk.outcome().cases
    listed = evidence("list", case.id, "--json").stdout
    assert a_post(desk) in listed
    assert not any(one.digest in listed for one in desk.evidence(case.id))


def test_who_was_not_given_the_last_byte_cannot_say_to_have_viewed_it_here(
    desk: Desk, evidence: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = tmp_path / "look.json"

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("nightlight.cli.evidence.os.fsync", full)
        done = evidence("open", a_post(desk), *WHO, "--out", str(to))
    assert isinstance(done.exception, InvalidInput)
    assert not to.exists()
    said = evidence("viewed", a_post(desk), "--by", "ana")
    assert isinstance(said.exception, Conflict)


@pytest.mark.parametrize("command", ["place", "extend"])
def test_a_hold_until_a_day_holds_all_of_that_day_everywhere(
    desk: Desk, evidence: Run, command: str
) -> None:
    [case] = desk.outcome().cases
    who = ("--by", "ana", "--reason", "letter")
    first = "2028-06-30" if command == "place" else "2028-01-31"
    done = evidence("hold", case.id, "--reference", "7", "--until", first, *who)
    [hold] = desk.services.holds.of_case(case.id)
    if command == "extend":
        assert evidence("extend", hold.id, "--until", "2028-06-30", *who).exit_code == 0
        [hold] = desk.services.holds.of_case(case.id)
    assert done.exit_code == 0
    assert hold.until == datetime(2028, 7, 1, 12, tzinfo=UTC)


def test_a_day_too_far_away_to_count_is_refused_with_what_to_say_instead(
    desk: Desk, evidence: Run
) -> None:
    [case] = desk.outcome().cases
    who = ("--reference", "7", "--by", "ana", "--reason", "letter")
    done = evidence("hold", case.id, "--until", "9999-12-31", *who)
    assert isinstance(done.exception, InvalidInput)
    assert "--until released" in str(done.exception)
    assert isinstance(evidence("due", "--at", "9999-12-31").exception, InvalidInput)


def test_an_approved_export_is_revoked_by_anybody_who_says_why(desk: Desk, evidence: Run) -> None:
    [case] = desk.outcome().cases
    request = desk.services.exports.propose(
        case.id, recipient="passphrase", reference="7", person="ana", reason="asked"
    )
    desk.services.exports.approve(request.id, person="bo", reason="checked")
    done = evidence("revoke", request.id, "--by", "cy", "--reason", "withdrawn")
    assert "is revoked" in done.stdout
    assert "revoked" in evidence("requests").stdout
    again = evidence("revoke", request.id, "--by", "cy", "--reason", "withdrawn", "--json")
    assert isinstance(again.exception, Conflict)
