"""The command line as a person or a script uses it: real processes, real files, exit codes."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.synthetic.pictures import as_file, drawn

from nightlight.settings import environment_with

_STREAMS = Path(__file__).parent.parent / "synthetic" / "streams"
_LIMIT_S = 120

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def nightlight(home: Path) -> Run:
    """Run a command in a state folder of its own."""

    def run(
        *arguments: str, stdin: str = "", **settings: str
    ) -> "subprocess.CompletedProcess[str]":
        environment = environment_with({"NIGHTLIGHT_HOME": str(home), **settings})
        return subprocess.run(
            [sys.executable, "-m", "nightlight", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            env=environment,
            check=False,
        )

    return run


def _decisions(done: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def _event(kind: str, number: int, data: dict[str, Any], minute: int = 0) -> str:
    return json.dumps(
        {
            "specversion": "1.0",
            "id": f"e{number}",
            "source": "//town.example.test",
            "type": kind,
            "time": f"2026-03-01T12:{minute:02}:00Z",
            "data": data,
        }
    )


def _post(number: int, text: str, *, author: str = "a1", minute: int = 0) -> str:
    data = {"post_id": f"p{number}", "account_id": author, "text": text}
    return _event("post.created", number, data, minute)


@pytest.fixture
def lexicon(nightlight: Run, tmp_path: Path) -> None:
    lines = [
        {"text": "zorbleflux", "kind": "term", "severity": 80},
        {"text": "price list", "kind": "cue"},
        {"text": "investigation", "kind": "exclusion"},
    ]
    file = tmp_path / "lexicon.ndjson"
    file.write_text("\n".join(json.dumps(line) for line in lines))
    arguments = ("--name", "TEST", "--by", "a tester", "--reason", "a test", "--alone")
    assert nightlight("lexicon", "import", str(file), *arguments).returncode == 0


@pytest.mark.usefixtures("lexicon")
def test_an_advert_on_a_pipe_is_decided_and_its_look_alike_is_not(nightlight: Run) -> None:
    lines = [
        _post(1, "fresh z0rblefl\u03c5x today, price list by dm", author="seller"),
        _post(2, "Investigation: who sells zorbleflux, and for which price list?", author="press"),
        _post(3, "a quiet evening in the garden", author="somebody"),
    ]
    done = nightlight("run", "-", stdin="\n".join(lines))
    assert done.returncode == 0, done.stderr
    decided = _decisions(done)
    assert [one["subject"] for one in decided] == ["post:p1"]
    assert decided[0]["effects"] == ["preserve", "limit_reach", "review"]
    assert "zorbleflux" not in done.stdout + done.stderr


@pytest.mark.usefixtures("lexicon")
def test_an_advert_deleted_and_posted_again_is_linked_and_its_first_text_is_kept(
    nightlight: Run,
) -> None:
    text = "zorbleflux again, 30 coins each, the newest price list, dm me"
    gone = {"post_id": "p1", "account_id": "a1", "deleted_by": "author"}
    lines = [
        _post(1, text),
        _event("post.deleted", 2, gone, minute=3),
        _post(3, text, minute=9),
    ]
    decided = _decisions(nightlight("run", "-", stdin="\n".join(lines)))
    assert "advert-posted-again" in decided[-1]["rules"]
    shown = json.loads(nightlight("case", "show", decided[-1]["case"], "--json").stdout)
    posts = {one["content_id"] for one in shown["evidence"] if one["kind"] == "post"}
    assert len(posts) == 2, "the deleted post and the one that repeats it"


def test_a_file_read_twice_is_processed_once(nightlight: Run, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(_post(n, f"ordinary words number {n}") for n in range(5)))
    nightlight("run", str(file))
    again = nightlight("run", str(file))
    assert "0 events" in again.stderr
    assert "5 seen before" in again.stderr


def test_a_bad_line_is_quarantined_with_its_reason_and_the_rest_goes_on(nightlight: Run) -> None:
    lines = [_post(1, "one"), '{"specversion": "1.0", "secretword": ', _post(2, "two")]
    done = nightlight("run", "-", stdin="\n".join(lines))
    assert done.returncode == 0
    assert "2 events" in done.stderr
    assert "1 quarantined" in done.stderr
    assert "secretword" not in done.stderr


def test_a_jetstream_file_goes_through_every_stage(nightlight: Run, home: Path) -> None:
    done = nightlight("run", str(_STREAMS / "jetstream.jsonl"))
    assert done.returncode == 0, done.stderr
    decided = _decisions(done)
    assert decided, "its pictures have no configured source, so they are held"
    assert {tuple(one["effects"]) for one in decided} == {("preserve", "hold", "review")}
    with sqlite3.connect(home / "nightlight.db") as database:
        types = {row[0] for row in database.execute("SELECT DISTINCT type FROM event_log")}
    assert {"post.created", "engagement.created", "media.uploaded"} <= types
    assert json.loads(nightlight("audit", "verify", "--json").stdout)["intact"] is True


def test_mastodon_files_of_every_form_go_through_every_stage(nightlight: Run, home: Path) -> None:
    names = ("mastodon_timeline.json", "mastodon.sse", "mastodon_streaming.jsonl")
    done = nightlight("run", *(str(_STREAMS / name) for name in names))
    assert done.returncode == 0, done.stderr
    assert _decisions(done)
    with sqlite3.connect(home / "nightlight.db") as database:
        sources = {row[0] for row in database.execute("SELECT DISTINCT source FROM event_log")}
        types = {row[0] for row in database.execute("SELECT DISTINCT type FROM event_log")}
    assert {"post.created", "post.edited", "post.deleted", "account.updated"} <= types
    assert sources


def test_a_known_picture_is_found_hidden_reviewed_and_drafted_as_a_tip(
    nightlight: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    (folder / "one.jpg").write_bytes(as_file(drawn(3, (320, 240)), "JPEG", quality=90))
    hashes = json.loads(nightlight("hash", str(folder / "one.jpg")).stdout)
    bank = tmp_path / "bank.csv"
    bank.write_text(f"kind,value,classification\nmd5,{hashes['md5']},A1\n")
    who = ("--by", "a tester", "--reason", "a test")
    assert nightlight("bank", "import", str(bank), "--name", "TEST", *who).returncode == 0
    data = {"media_id": "m1", "account_id": "a1", "url": "one.jpg", "content_type": "image/jpeg"}
    event = _event("media.uploaded", 1, data)
    done = nightlight("run", "-", "--media-root", str(folder), stdin=event)
    (decided,) = _decisions(done)
    assert decided["rules"] == ["known-media-exact"]
    confirm = ("case", "decide", decided["case"], "--confirm", "--reviewer", "R. Viewer")
    confirmed = (*confirm, "--reason", "known file")
    dry = nightlight(*confirmed, "--dry-run")
    assert "dry run" in dry.stderr
    assert (
        json.loads(nightlight("case", "show", decided["case"], "--json").stdout)["state"] == "open"
    )
    assert nightlight(*confirmed).returncode == 0
    (tip,) = [json.loads(x) for x in nightlight("report", "list", "--json").stdout.splitlines()]
    document = nightlight("report", "preview", tip["tip_id"], "--xml").stdout
    assert "<incidentType>Child Pornography" in document
    again = nightlight(*confirmed)
    assert again.returncode == 1
    assert "a case that is confirmed cannot confirm" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("run", "/no/such/file"), 2, "cannot be opened"),
        (("run", "-", "--scorecard", "x.json"), 2, "give --truth"),
        (("case", "show", "case_none"), 2, "no case case_none"),
        (("bank", "withdraw", "NONE", "--by", "x", "--reason", "y"), 2, "no hash bank"),
        (("policy", "check", "/no/such/file"), 2, "cannot be read"),
        (("report", "file"), 2, "no place to file tips is configured"),
        (("simulate",), 2, "Usage"),
    ],
)
def test_wrong_use_says_what_to_do_and_leaves_with_2(
    nightlight: Run, arguments: tuple[str, ...], status: int, says: str
) -> None:
    done = nightlight(*arguments)
    assert done.returncode == status
    assert says in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_a_database_that_does_not_answer_leaves_with_3(nightlight: Run) -> None:
    url = "postgresql://nobody:nothing@127.0.0.1:9/none"
    done = nightlight("case", "list", NIGHTLIGHT_DATABASE_URL=url)
    assert done.returncode == 3
    assert "nothing@" not in done.stderr


def test_a_name_that_looks_like_markup_is_shown_as_it_is(nightlight: Run) -> None:
    done = nightlight("run", "[/nope].ndjson")
    assert done.returncode == 2
    assert "[/nope].ndjson: cannot be opened" in done.stderr


def test_a_home_whose_keys_are_gone_is_not_given_new_ones(nightlight: Run, home: Path) -> None:
    nightlight("run", "-", stdin=_post(1, "ordinary"))
    (home / "keys" / "keys.json").unlink()
    done = nightlight("case", "list")
    assert done.returncode == 2
    assert "restore the key file from its backup" in done.stderr
    assert not (home / "keys" / "keys.json").exists()


def test_a_database_of_a_newer_version_is_left_alone(nightlight: Run, home: Path) -> None:
    nightlight("run", "-", stdin=_post(1, "ordinary"))
    with sqlite3.connect(home / "nightlight.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    done = nightlight("case", "list")
    assert done.returncode == 2
    assert "made by a newer Nightlight" in done.stderr


def test_every_wrong_setting_is_named_at_once(nightlight: Run) -> None:
    done = nightlight(
        "case", "list", NIGHTLIGHT_PLATFORM_URL="ftp://x", NIGHTLIGHT_MEDIA_ROOT="/no/such"
    )
    assert done.returncode == 2
    assert "NIGHTLIGHT_PLATFORM_URL" in done.stderr
    assert "NIGHTLIGHT_MEDIA_ROOT" in done.stderr


def test_doctor_names_what_is_missing_and_how_to_mend_it(nightlight: Run) -> None:
    done = nightlight("doctor")
    assert done.returncode == 0
    assert "mend: nightlight bank import" in done.stdout
    assert "every wall around decoders holds" in done.stdout
    broken = nightlight("doctor", "--json", NIGHTLIGHT_DATABASE_URL="mysql://x/y")
    assert broken.returncode == 1
    findings = [json.loads(line) for line in broken.stdout.splitlines()]
    assert findings[-1]["health"] == "wrong"


def test_doctor_finds_a_record_that_was_changed(nightlight: Run, home: Path) -> None:
    nightlight("run", "-", stdin=_post(1, "ordinary"))
    with sqlite3.connect(home / "nightlight.db") as database:
        database.execute(
            "UPDATE audit_entry SET private = replace(private, 'nightlight', 'nobody')"
        )
    assert nightlight("doctor").returncode == 1
    verified = nightlight("audit", "verify")
    assert verified.returncode == 1
    assert "was changed after it was written" in verified.stderr


def test_record_is_exported_and_verified_by_the_program_of_one_file(
    nightlight: Run, home: Path, tmp_path: Path
) -> None:
    public = tmp_path / "public"
    named = {
        "NIGHTLIGHT_RECORD_ORIGIN": "example.test/x",
        "NIGHTLIGHT_CHECKPOINT_FOLDER": str(public),
    }
    nightlight("run", "-", stdin=_post(1, "ordinary"), **named)
    assert nightlight("audit", "publish", **named).stdout.startswith("published: the checkpoint")
    key = nightlight("audit", "key", **named).stdout.strip()
    assert key.startswith("example.test/x+")
    export = tmp_path / "export.ndjson"
    assert nightlight("audit", "export", "--out", str(export), **named).returncode == 0

    def verify(*arguments: object) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "nightlight_verify", *map(str, arguments), "--key", key]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert verify(export, "--checkpoints", public).returncode == 0
    assert verify(home / "nightlight.db", "--checkpoints", public).returncode == 0
    told = nightlight(
        "audit", "disclose", "1", "--field", "actor", "--by", "ana", "--reason", "x", **named
    )
    assert json.loads(told.stdout)["value"] == '"nightlight"'
    findings = [
        json.loads(line) for line in nightlight("doctor", "--json", **named).stdout.splitlines()
    ]
    said = {one["part"]: one["says"] for one in findings}
    assert said["record"].startswith("intact")
    assert "published" in said["checkpoints"]


def test_hash_prints_one_object_a_line_and_tells_what_it_could_not_decode(
    nightlight: Run, tmp_path: Path
) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(as_file(drawn(1, (256, 256)), "PNG"))
    broken = tmp_path / "broken.png"
    broken.write_bytes(picture.read_bytes()[:200])
    done = nightlight("hash", str(picture), str(broken))
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    exact = ["md5", "sha1", "sha256"]
    assert list(first) == ["file", *exact, "pdq", "quality", "views", "video_frames"]
    assert len(first["pdq"]) == 64
    assert second["pdq"] is None
    assert done.returncode == 1


def test_the_shell_is_offered_completion(nightlight: Run) -> None:
    asked = {"_NIGHTLIGHT_COMPLETE": "complete_bash", "COMP_CWORD": "2"}
    done = nightlight(COMP_WORDS="nightlight case ap", **asked)
    assert done.stdout.split() == ["appeal"]


@pytest.mark.parametrize(
    "command",
    [
        *("run", "demo", "serve", "town", "hash", "doctor", "bank", "lexicon", "policy"),
        *("case", "report", "audit", "simulate"),
    ],
)
def test_every_command_explains_itself(nightlight: Run, command: str) -> None:
    done = nightlight(command, "--help")
    assert done.returncode == 0
    assert "Usage: nightlight" in done.stdout


def test_a_policy_with_a_misspelt_fact_is_refused_with_the_place(
    nightlight: Run, tmp_path: Path
) -> None:
    file = tmp_path / "policy.toml"
    body = nightlight("policy", "default").stdout
    file.write_text(body.replace("hash_matched && hash_exact", "hash_matchd && hash_exact"))
    done = nightlight("policy", "check", str(file))
    assert done.returncode == 2
    assert "known-media-exact" in done.stderr
    assert "hash_matchd" in done.stderr


def test_ctrl_c_ends_a_run_cleanly_and_keeps_what_was_accepted(home: Path) -> None:
    environment = environment_with({"NIGHTLIGHT_HOME": str(home)})
    process = subprocess.Popen(
        [sys.executable, "-m", "nightlight", "run", "-"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write((_post(1, "ordinary") + "\n").encode())
    process.stdin.flush()
    _wait_for_event(home / "nightlight.db")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=_LIMIT_S)
    assert process.returncode == 130
    assert said.strip() == b"interrupted; what was accepted is kept"


def _wait_for_event(database: Path) -> None:
    """Return once an event is in the log: a pipe that pauses is not kept waiting."""
    deadline = time.monotonic() + _LIMIT_S
    while time.monotonic() < deadline:
        if database.exists():
            with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
                try:
                    if connection.execute("SELECT count(*) FROM event_log").fetchone()[0]:
                        return
                except sqlite3.OperationalError:
                    pass  # The tables are just being made.
        time.sleep(0.05)
    raise AssertionError("the event never arrived")


def test_the_whole_story_ends_with_a_filed_tip(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "nightlight", "demo", "--once"),
            *("--home", str(tmp_path / "demo"), "--accounts", "100", "--posts", "600"),
        ],
        env={**os.environ},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "filed with the simulated CyberTipline" in done.stderr
    assert "intact" in done.stderr
