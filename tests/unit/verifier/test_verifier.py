"""The separate verifier proves an export or a database, and recounts figures, on its own."""

import ast
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.fakes.desk import Desk
from tests.fakes.record_stores import FORMER, FORMER_ANCHOR

import nightlight_verify
from nightlight.adapters.anchors_file import FileAnchorStore
from nightlight.audit.chain import StoredEntry
from nightlight.model.audit import AuditEntry
from nightlight.services.record_export import disclose, export

Run = Callable[..., tuple[int, dict[str, Any]]]
MONTHS = ("2026-01", "2026-01", "2026-01", "2026-02")


def commit(desk: Desk, *entries: AuditEntry) -> None:
    with desk.services.unit_of_work.begin() as tx:
        tx.commit(*entries)


def decided(action: str, month: str, state: str) -> AuditEntry:
    return AuditEntry(
        actor="ana quibble",
        action="report.decided",
        subject=action,
        reason="words of ana",
        detail={
            "account_action": action,
            "month": month,
            "state": state,
            "reason": "below_threshold",
        },
    )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A record with four suspensions: reported at last, explained, undecided, and nothing said."""
    made = Desk(tmp_path / "home", lists=False)
    for number, month in enumerate(MONTHS):
        entry = AuditEntry(
            actor="nightlight",
            action="account.actioned",
            subject="account-of-zorble",
            detail={"account_action": f"act_{number}", "month": month, "account": "zorble@x.test"},
        )
        commit(made, entry)
    commit(made, decided("act_0", "2026-01", "undecided"), decided("act_1", "2026-01", "undecided"))
    made.services.record.anchor()
    commit(made, decided("act_0", "2026-01", "reported"))
    commit(made, decided("act_2", "2026-01", "explained"))
    return made


FIGURES = {
    "months": [
        {
            "month": "2026-01",
            "suspended": 3,
            "reported": 1,
            "explained": 1,
            "undecided": 1,
            "unexplained": 0,
            "explained_by_reason": {"below_threshold": 1},
        },
        {
            "month": "2026-02",
            "suspended": 1,
            "reported": 0,
            "explained": 0,
            "undecided": 0,
            "unexplained": 1,
            "explained_by_reason": {},
        },
    ]
}


def exported(desk: Desk, path: Path, *, after: int = 0) -> Path:
    services = desk.services
    path.write_bytes(b"".join(export(services.record, services.unit_of_work, after=after)))
    return path


def database(desk: Desk) -> Path:
    return desk.services.settings.home / "nightlight.db"


@pytest.fixture
def run(desk: Desk, capsys: pytest.CaptureFixture[str]) -> Run:
    key = desk.services.record.verifier_key

    def verified(*arguments: object, key: str = key) -> tuple[int, dict[str, Any]]:
        with_key = ["--key", key] if key else []
        code = nightlight_verify.main([*map(str, arguments), *with_key, "--json"])
        said = capsys.readouterr().out
        return code, json.loads(said) if said else {}

    return verified


def test_export_is_verified_with_its_checkpoint_and_shows_nothing_personal(
    desk: Desk, run: Run, tmp_path: Path
) -> None:
    path = exported(desk, tmp_path / "export.ndjson")
    code, found = run(path)
    assert (code, found["entries"], found["checkpoints"]) == (0, 8, 1)
    assert found["newest_checkpoint"] == 8
    for personal in ("zorble", "quibble", "ana", "account-of", "words"):
        assert personal not in path.read_text()


def test_database_is_verified_with_every_anchor(desk: Desk, run: Run) -> None:
    desk.services.record.anchor()
    code, found = run(database(desk), "--checkpoints", desk.services.settings.anchors_file)
    assert (code, found["entries"], found["checkpoints"]) == (0, 8, 2)
    assert found["months"] == FIGURES["months"]


def test_what_a_person_settled_to_be_lost_is_said(
    desk: Desk, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for lost, aside in (((0, 0), 0), ((0, 0), 1), ((6, 10), 1), ((6, 10), 0)):
        entry = AuditEntry(
            actor="ana",
            action="record.settled",
            subject="the record",
            detail={"lost_from": lost[0], "lost_to": lost[1], "set_aside": aside},
        )
        commit(desk, entry)
    path = exported(desk, tmp_path / "export.ndjson")
    code, found = run(path)
    said = [
        "entry 9 says that nothing is lost",
        "entry 10 says that 1 anchors were laid aside",
        "entry 11 says that entries 6 to 10 as they were are lost and 1 anchors were laid aside",
        "entry 12 says that entries 6 to 10 as they were are lost",
    ]
    assert (code, found["settled"]) == (0, said)
    nightlight_verify.main([str(path)])
    assert f"settled: {said[-1]}" in capsys.readouterr().out


def test_only_the_action_tells_that_something_was_settled() -> None:
    verifier = nightlight_verify.Verifier({}, {})
    public = json.dumps({"action": "case.opened", "subject": "record.settled", "detail": {}})
    verifier.take_settled(nightlight_verify.Entry(1, public, "", "", "", []))
    assert verifier.settled == []


def test_entries_after_the_newest_checkpoint_are_said_to_be_unproved(desk: Desk, run: Run) -> None:
    anchors = desk.services.settings.anchors_file
    code, found = run(database(desk), "--checkpoints", anchors)
    assert (code, found["intact"]) == (3, True)
    assert found["unproved"] == ["no checkpoint signs the entries after 6"]


def test_figures_are_recounted_and_every_cell_that_differs_is_named(
    desk: Desk, run: Run, tmp_path: Path
) -> None:
    path, figures = exported(desk, tmp_path / "export.ndjson"), tmp_path / "figures.json"
    figures.write_text(json.dumps(FIGURES))
    assert run(path, "--figures", figures)[0] == 0
    published = json.loads(json.dumps(FIGURES))
    published["months"][0]["reported"] = 2
    published["months"].pop()
    published["total"] = {"suspended": 4, "reported": 1, "undecided": 1, "unexplained": 1}
    figures.write_text(json.dumps(published))
    code, found = run(path, "--figures", figures)
    assert code == 1
    assert found["differences"] == [
        "2026-01 reported: counted 1, published 2",
        "2026-02 suspended: counted 1, published 0",
        "2026-02 unexplained: counted 1, published 0",
        "in all explained: counted 1, published 0",
    ]


def test_reasons_are_recounted_by_month_and_in_all(desk: Desk, run: Run, tmp_path: Path) -> None:
    path, figures = exported(desk, tmp_path / "export.ndjson"), tmp_path / "figures.json"
    published = json.loads(json.dumps(FIGURES))
    published["months"][0]["explained_by_reason"] = {"wrong_account": 1}
    published["total"] = {"suspended": 4, "reported": 1, "explained": 1, "undecided": 1}
    published["total"]["unexplained"] = 1
    published["explained_by_reason"] = {"below_threshold": 1, "wrong_account": 1}
    figures.write_text(json.dumps(published))
    assert run(path, "--figures", figures)[1]["differences"] == [
        "2026-01 explained by below_threshold: counted 1, published 0",
        "2026-01 explained by wrong_account: counted 0, published 1",
        "in all explained by wrong_account: counted 0, published 1",
    ]
    for month in published["months"]:
        del month["explained_by_reason"]
    del published["explained_by_reason"]
    figures.write_text(json.dumps(published))
    assert run(path, "--figures", figures)[0] == 0, "figures from before told no reasons by month"


def test_verifying_goes_on_where_it_ended(desk: Desk, run: Run, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    whole = exported(desk, tmp_path / "whole.ndjson")
    assert run(whole, "--state", state)[1]["entries"] == 8
    commit(desk, decided("act_1", "2026-01", "reported"))
    assert run(exported(desk, tmp_path / "more.ndjson", after=8), "--state", state) == (
        0,
        {
            **run(exported(desk, tmp_path / "again.ndjson", after=8), "--state", state)[1],
            "entries": 1,
            "since": 8,
        },
    )
    commit(desk, decided("act_3", "2026-02", "reported"))
    anchors = desk.services.settings.anchors_file
    for path in (exported(desk, tmp_path / "all.ndjson"), database(desk)):
        state.write_text(json.dumps({"seq": 9, "hash": head_at(desk, 9), "unread": 0}))
        code, found = run(path, "--state", state, "--checkpoints", anchors)
        assert (code, found["entries"], found["since"], found["months"]) == (0, 1, 9, None)
        state.write_text(json.dumps({"seq": 9, "hash": "f" * 64}))
        assert run(path, "--state", state)[0] == 1
    state.write_text(json.dumps({"seq": 9, "hash": head_at(desk, 9)}))
    code, found = run(tmp_path / "all.ndjson", "--state", state)
    assert code == 3, "what a former verifier took may have been stripped"
    assert "by a former nightlight-verify" in found["unproved"][0]


def head_at(desk: Desk, seq: int) -> str:
    with desk.services.unit_of_work.read() as tx:
        return next(iter(tx.audit.stored(after=seq - 1))).hash


def test_disclosed_part_is_proved_and_another_is_not(desk: Desk, run: Run, tmp_path: Path) -> None:
    services = desk.services
    told = disclose(
        services.unit_of_work, 5, ["actor", "reason"], actor="bo", reason="auditor asked"
    )
    assert [one.value for one in told] == ['"ana quibble"', '"words of ana"']
    assert desk.actions()[-1] == "record.disclosed"
    path, shown = exported(desk, tmp_path / "export.ndjson"), tmp_path / "disclosed.ndjson"
    lines = [
        json.dumps({name: getattr(one, name) for name in one.__struct_fields__}) for one in told
    ]
    shown.write_text("\n".join(lines))
    assert run(path, "--disclosed", shown)[0] == 0
    shown.write_text(lines[0].replace("ana", "bob"))
    code, found = run(path, "--disclosed", shown)
    assert (code, found["faults"]) == (1, ["entry 5: actor is not what was disclosed"])


def edit(path: Path, number: int, **changes: object) -> None:
    lines = path.read_text().splitlines()
    lines[number] = json.dumps({**json.loads(lines[number]), **changes}, separators=(",", ":"))
    path.write_text("".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize(
    "changes",
    [
        {"public": '{"action":"report.decided","policy_version":"","detail":{}}'},
        {"at_us": 1},
        {"withheld": ["0" * 64] * 4},
        {"withheld": ["0" * 64] * 3},
        {"withheld": ["unreadable"]},
        {"withheld": []},
        {"withheld": None},
        {"previous": "0" * 64},
        {"hash": "0" * 64},
        {"seq": 40},
        {"seq": None},
    ],
)
def test_export_that_was_edited_is_found(
    desk: Desk, run: Run, tmp_path: Path, changes: dict[str, object]
) -> None:
    path = exported(desk, tmp_path / "export.ndjson")
    edit(path, 4, **changes)
    assert run(path)[0] == 1


def test_export_that_was_cut_off_or_holds_rubbish_is_found(
    desk: Desk, run: Run, tmp_path: Path
) -> None:
    path = exported(desk, tmp_path / "export.ndjson")
    whole = path.read_bytes()
    for body in (whole[:-20], b"".join(whole.splitlines(keepends=True)[:-1]), whole + b"\xff\n"):
        path.write_bytes(body)
        assert run(path)[0] == 1


def test_export_written_anew_from_somewhere_is_found_by_checkpoints(
    desk: Desk, run: Run, tmp_path: Path
) -> None:
    first, other = exported(desk, tmp_path / "a.ndjson"), Desk(tmp_path / "other", lists=False)
    commit(other, *[decided(f"act_{number}", "2026-01", "reported") for number in range(8)])
    forged = exported(other, tmp_path / "b.ndjson")
    note = tmp_path / "kept.txt"
    note.write_text(json.loads(first.read_text().splitlines()[0])["checkpoint"], "utf-8")
    code, found = run(forged, "--checkpoints", note)
    assert code == 1
    assert "entry 8: is not the one that was signed" in found["faults"]
    assert "a checkpoint is not signed by a key that was given" in found["faults"]


def test_changed_checkpoint_is_found(desk: Desk, run: Run, tmp_path: Path) -> None:
    path = exported(desk, tmp_path / "export.ndjson")
    folder = tmp_path / "checkpoints"
    (folder / "2026-03").mkdir(parents=True)
    note = json.loads(path.read_text().splitlines()[0])["checkpoint"]
    for changed in (note.replace("\n8\n", "\n7\n"), note[:-10] + note[-8:], "quibble", ""):
        (folder / "2026-03" / "one.txt").write_text(changed, "utf-8")
        assert run(path, "--checkpoints", folder)[0] == 1


def test_without_a_key_nothing_is_said_about_checkpoints(
    desk: Desk, run: Run, tmp_path: Path
) -> None:
    code, found = run(exported(desk, tmp_path / "export.ndjson"), key="")
    assert (code, found["checkpoints"], found["newest_checkpoint"]) == (3, 0, None)
    assert "no signature was checked" in found["unproved"][0]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET private = replace(private, 'ana', 'bob') WHERE seq = 5",
        "UPDATE audit_entry SET salt = 'zz' WHERE seq = 5",
        "UPDATE audit_entry SET salt = NULL WHERE seq = 5",
        "UPDATE audit_entry SET private = NULL, salt = NULL WHERE seq = 5",
        "UPDATE audit_entry SET entry = x'ff' WHERE seq = 5",
        "DELETE FROM audit_entry WHERE seq = 5",
        "DELETE FROM audit_entry WHERE seq = 8",
        "DELETE FROM audit_head",
        "UPDATE audit_head SET seq = 7",
    ],
)
def test_database_that_was_edited_is_found(desk: Desk, run: Run, statement: str) -> None:
    with sqlite3.connect(database(desk)) as connection:
        connection.execute(statement)
    assert run(database(desk))[0] == 1


def test_record_that_began_in_the_former_form_is_verified(
    desk: Desk, run: Run, tmp_path: Path
) -> None:
    with sqlite3.connect(database(desk)) as connection:
        connection.execute("DELETE FROM audit_entry")
        names = ", ".join(StoredEntry._fields)
        connection.executemany(f"INSERT INTO audit_entry ({names}) VALUES (?,?,?,?,?,?,?)", FORMER)
        connection.execute("UPDATE audit_head SET seq = 2, hash = ?", (FORMER[1].hash,))
    desk.services.settings.anchors_file.unlink()
    FileAnchorStore(desk.services.settings.anchors_file).append(FORMER_ANCHOR)
    commit(desk, decided("act_0", "2026-01", "reported"))
    anchors = desk.services.settings.anchors_file
    desk.services.record.anchor()
    code, found = run(database(desk), "--checkpoints", anchors)
    assert (code, found["entries"], found["not_recomputed"]) == (0, 3, 0)
    state = tmp_path / "state.json"
    path = exported(desk, tmp_path / "export.ndjson")
    for _ in range(2):  # what was not recomputed once is not proved by going on from there
        code, found = run(path, "--checkpoints", anchors, "--state", state)
        assert (code, found["faults"]) == (3, [])
        assert "2 entries of the former kind" in found["unproved"][0]
    assert found["since"] == 3
    edit(path, 1, public="{}", withheld=["0" * 64] * 4)
    assert run(path)[0] == 1
    assert "ana" not in (tmp_path / "export.ndjson").read_text()
    with sqlite3.connect(database(desk)) as connection:
        connection.execute("UPDATE audit_entry SET entry = replace(entry, 'ana', 'bo')")
    assert run(database(desk))[0] == 1


DEEP = b"[" * 100_000
HOSTILE = [
    DEEP,
    b'{"note":' + DEEP,
    b'{"note":}',
    b'{"seq":' + b"9" * 5_000 + b"}",
    b'{"seq":1e999,"at_us":1e999,"previous":"","hash":"\\ud800"}',
    b'{"seq":9,"at_us":1,"public":[],"previous":null,"hash":{}}',
    b"null",
    b"{}",
    b"\xff\xfe\x00",
    Random(3).randbytes(400).replace(b"\n", b""),  # noqa: S311  repeatable, not secret
]


@pytest.mark.parametrize("rubbish", HOSTILE, ids=range(len(HOSTILE)))
def test_rubbish_anywhere_is_found_in_words_and_never_ends_in_a_traceback(
    desk: Desk, run: Run, tmp_path: Path, rubbish: bytes
) -> None:
    path, other = exported(desk, tmp_path / "export.ndjson"), tmp_path / "other.ndjson"
    other.write_bytes(path.read_bytes() + rubbish + b"\n")
    assert run(other)[0] == 1
    for name in ("notes.ndjson", "note.txt"):
        (tmp_path / name).write_bytes(rubbish)
        code, found = run(path, "--checkpoints", tmp_path / name)
        assert (code, bool(found["faults"])) == (1, True)
    for option in ("--figures", "--state", "--disclosed"):
        other.write_bytes(rubbish)
        assert run(path, option, other)[0] in (1, 2)
    assert run(other)[0] == 2


def strip(path: Path, numbers: range) -> None:
    """Take the text out of lines of an export, as if they were of the former kind."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for number in numbers:
        del lines[number]["withheld"], lines[number]["public"]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def test_entries_without_text_never_prove_figures(desk: Desk, run: Run, tmp_path: Path) -> None:
    path, figures = exported(desk, tmp_path / "export.ndjson"), tmp_path / "figures.json"
    strip(path, range(1, 9))
    figures.write_text('{"months": []}')
    code, found = run(path, "--figures", figures)
    assert (code, found["intact"], found["months"]) == (1, False, None)
    assert "8 entries hold no text" in found["faults"][-1]
    assert run(path)[1]["months"] is None, "figures of a part are not figures"


def rewrite(path: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(lines)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def begin_later(lines: list[dict[str, Any]]) -> None:
    lines[0].update(after=2, previous=lines[2]["hash"])
    del lines[1:3]


def end_sooner(lines: list[dict[str, Any]]) -> None:
    lines[0].update(head={"seq": 6, "hash": lines[6]["hash"]}, checkpoint="")
    del lines[7:]


@pytest.mark.parametrize("count", [1, 3, 8])
def test_export_whose_first_entries_were_stripped_is_found(
    desk: Desk, run: Run, tmp_path: Path, count: int
) -> None:
    path = exported(desk, tmp_path / "export.ndjson")
    strip(path, range(1, count + 1))
    code, found = run(path)
    assert (code, len(found["faults"])) == (1, count)
    assert found["faults"][0] == "entry 1: its text was taken out, or it was given one"
    rewrite(path, lambda lines: lines[0].update(former=count))
    code, found = run(path)
    assert (code, found["faults"]) == (1, ["the manifest: the export is not what was signed"])


@pytest.mark.parametrize("change", [begin_later, end_sooner])
def test_export_said_to_be_of_another_part_of_the_record_is_found(
    desk: Desk, run: Run, tmp_path: Path, change: Callable[[list[dict[str, Any]]], object]
) -> None:
    path, state = exported(desk, tmp_path / "export.ndjson"), tmp_path / "state.json"
    state.write_text(json.dumps({"seq": 2, "hash": head_at(desk, 2), "newer": True, "unread": 0}))
    rewrite(path, change)
    code, found = run(path, "--state", state)
    assert code == 1
    assert "the manifest: the export is not what was signed" in found["faults"]


def test_export_without_its_manifest_or_with_anothers_is_found(
    desk: Desk, run: Run, tmp_path: Path
) -> None:
    path, other = exported(desk, tmp_path / "a.ndjson"), Desk(tmp_path / "other", lists=False)
    whole = path.read_bytes()
    commit(other, decided("act_1", "2026-01", "reported"))
    foreign = json.loads(exported(other, tmp_path / "b.ndjson").read_text().splitlines()[0])
    for changes in (
        {"manifest": ""},
        {"manifest": foreign["manifest"]},
        {"manifest": json.loads(whole.splitlines()[0])["checkpoint"]},
        {"manifest": json.loads(whole.splitlines()[0])["manifest"][:-10] + "AAAAAAAA=\n"},
    ):
        path.write_bytes(whole)
        rewrite(path, lambda lines, changes=changes: lines[0].update(changes))  # type: ignore[misc]
        code, found = run(path)
        assert (code, "manifest" in found["faults"][0]) == (1, True)
    path.write_bytes(whole)
    code, found = run(path, key=other.services.record.verifier_key)
    assert "the manifest is not signed by a key that was given" in found["faults"]


def test_export_passed_off_as_of_the_former_format_is_verified_only_in_part(
    desk: Desk, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = exported(desk, tmp_path / "export.ndjson")
    rewrite(path, lambda lines: lines[0].update(format="nightlight-audit-export-1"))
    code, found = run(path)
    assert (code, found["faults"]) == (3, [])
    assert "nothing signed says what this export holds" in found["unproved"][0]
    strip(path, range(1, 9))
    assert run(path)[0] == 3
    assert nightlight_verify.main([str(path), "--key", desk.services.record.verifier_key]) == 3
    said = capsys.readouterr().out
    assert "verified only in part: 8 entries" in said
    assert "8 entries of the former kind are linked and show no text" in said


def test_entries_whose_text_was_taken_out_in_the_database_are_not_exported_as_former_ones(
    desk: Desk, run: Run, tmp_path: Path
) -> None:
    with sqlite3.connect(database(desk)) as connection:
        connection.execute("UPDATE audit_entry SET private = NULL, salt = NULL WHERE seq < 4")
    code, found = run(exported(desk, tmp_path / "export.ndjson"))
    assert (code, len(found["faults"])) == (1, 3)


def test_entries_after_a_verified_newer_one_cannot_be_stripped(
    desk: Desk, run: Run, tmp_path: Path
) -> None:
    state = tmp_path / "state.json"
    assert run(exported(desk, tmp_path / "whole.ndjson"), "--state", state)[0] == 0
    commit(desk, decided("act_1", "2026-01", "reported"))
    more = exported(desk, tmp_path / "more.ndjson", after=8)
    strip(more, range(1, 2))
    code, found = run(more, "--state", state)
    assert (code, found["faults"]) == (1, ["entry 9: of the former kind, after newer ones"])


def test_record_without_entries_is_proved_to_have_none(tmp_path: Path) -> None:
    other = Desk(tmp_path / "empty", lists=False)
    path = exported(other, tmp_path / "empty.ndjson")
    key = other.services.record.verifier_key
    assert nightlight_verify.main([str(path), "--key", key]) == 0
    assert nightlight_verify.main([str(path)]) == 3


def test_wrong_use_is_told_from_a_broken_record(desk: Desk, run: Run, tmp_path: Path) -> None:
    path, other = exported(desk, tmp_path / "export.ndjson"), tmp_path / "other.json"
    late = exported(desk, tmp_path / "late.ndjson", after=3)
    other.write_text('{"quibble": 1}')
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"seq": 2, "hash": "0" * 64}))
    for arguments in (
        [tmp_path / "none"],
        [other],
        [path, "--figures", other],
        [path, "--state", other],
        [path, "--disclosed", other],
        [path, "--state", state, "--figures", other],
        [late],
        [late, "--state", state],
    ):
        assert run(*arguments)[0] == 2
    assert run(path, key="quibble+00000000+AAAA")[0] == 2
    assert run(path, key="quibble")[0] == 2


def test_people_are_told_in_words(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = exported(desk, tmp_path / "export.ndjson")
    assert nightlight_verify.main([str(path)]) == 3
    assert "not proved: no signature was checked" in capsys.readouterr().out
    assert nightlight_verify.main([str(path), "--key", desk.services.record.verifier_key]) == 0
    assert "intact: 8 entries" in capsys.readouterr().out
    edit(path, 4, at_us=1)
    assert nightlight_verify.main([str(path), "--key", desk.services.record.verifier_key]) == 1
    said = capsys.readouterr()
    assert "BROKEN" in said.out
    assert "entry 4: was changed after it was written" in said.err


def test_verifier_stands_alone() -> None:
    source = Path(nightlight_verify.__file__)
    named = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
        )
    }
    assert named - set(sys.stdlib_module_names) == {"cryptography"}
    done = subprocess.run([sys.executable, source, "--help"], capture_output=True, check=True)
    assert b"nightlight-verify" in done.stdout
