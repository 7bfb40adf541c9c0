"""nightlight-verify: proves on its own that a record of Nightlight was not changed.

One file, to be read in one sitting and run anywhere: it needs Python 3.11 and `cryptography`, and
nothing of Nightlight. It reads an export (`nightlight audit export`) or a copy of the SQLite
database, and never writes to either. The format is described in Nightlight's documentation,
docs/record-format.md.
"""

import argparse
import base64
import hashlib
import json
import re
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

GENESIS = "0" * 64
FORMAT, FORMER_FORMAT = "nightlight-audit-export-2", "nightlight-audit-export-1"
FIELDS = ("actor", "subject", "reason", "detail")
SALT_BYTES = 16
FAULTS_SHOWN = 20
#: How many are explained by which reason.
REASONS = "explained_by_reason"
COLUMNS = ("suspended", "reported", "explained", "undecided", "unexplained")
HEX_64, HEX_256 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{256}")
BROKEN = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
    sqlite3.Error,
)


class WrongUse(Exception):  # noqa: N818  it says what is wrong, not that something failed
    """What was given cannot be used; leaves with 2."""


class Entry(NamedTuple):
    """One entry; ``computed`` is the hash that its text gives, None where that is withheld whole,
    and ``withheld`` the commitments to what is not shown."""  # noqa: D205, D209

    seq: int
    public: str
    computed: str | None
    previous: str
    hash: str
    withheld: list[str]


class State(NamedTuple):
    """How far a record is verified: ``newer`` says that no entry of the former kind may follow,
    ``unread`` how many entries showed no text; None where that is not known."""  # noqa: D205, D209

    seq: int
    hash: str
    newer: bool
    unread: int | None


class Source(NamedTuple):
    """A record to be verified: after which place it begins, and what it says of its end.

    ``manifest`` is the signed note of an export, None for a database; ``stated`` what it has to
    say; ``former`` up to which entry no text is shown, None where nothing says so."""  # noqa: D209

    entries: Iterator[Entry]
    after: int
    previous: str
    head: tuple[int, str]
    notes: list[str]
    manifest: str | None
    stated: list[str]
    former: int | None

    def mislabels(self, entry: Entry) -> bool:
        """Return whether an entry shows a text where none is to be, or none where one is."""
        if self.former is None:
            return False
        return (entry.computed is None) != (entry.seq <= self.former)


# --- hashing ------------------------------------------------------------------------------------


def entry_hash(seq: int, at_us: int, previous: str, public: str, withheld: list[str]) -> str:
    """Return the hash of an entry, given the four commitments for what may be withheld."""
    a, b, c, d = withheld
    body = f"nightlight-audit-2\n{seq}\n{at_us}\n{previous}\n{public}\n{a}\n{b}\n{c}\n{d}\n"
    return hashlib.sha256(body.encode()).hexdigest()


def commitment(field: str, salt: bytes, value: str) -> str:
    """Return what stands for a value: SHA-256 over its own salt, the field's name and itself."""
    return hashlib.sha256(salt + f"{field}:{value}".encode()).hexdigest()


def commitments(salt: str, private: str) -> list[str]:
    """Return the commitments to actor, subject, reason and detail, which are lines of JSON."""
    raw = bytes.fromhex(salt)
    actor, subject, reason, detail = private.split("\n")
    if len(raw) != SALT_BYTES:
        raise ValueError("not the salt of an entry")
    spread = hashlib.sha512(raw).digest()
    return [
        commitment("actor", spread[:16], actor),
        commitment("subject", spread[16:32], subject),
        commitment("reason", spread[32:48], reason),
        commitment("detail", spread[48:], detail),
    ]


def former_hash(seq: int, at_us: int, previous: str, text: str) -> str:
    """Return the hash of an entry of version 1: it covers everything, as JSON in sorted order."""
    at = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)).isoformat()
    said = json.loads(text)
    if json.dumps(said, separators=(",", ":"), ensure_ascii=False) != text:
        raise ValueError("not an entry as it was written")
    body = {"at": at.replace("+00:00", "Z"), "entry": said, "previous": previous, "seq": seq}
    plain = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()


# --- where records come from --------------------------------------------------------------------


def open_record(path: Path, after: int) -> Source:
    """Return the record in a file, from an entry on."""
    try:
        with path.open("rb") as file:
            is_database = file.read(16) == b"SQLite format 3\0"
        return open_database(path, after) if is_database else open_export(path)
    except OSError as error:
        raise WrongUse(f"{path}: {error.strerror}") from error
    except BROKEN as error:
        raise WrongUse(f"{path}: neither an export nor a database of Nightlight") from error


def open_export(path: Path) -> Source:
    """Return the record in an export."""
    with path.open("rb") as file:
        top = json.loads(file.readline())
    if top["format"] not in (FORMAT, FORMER_FORMAT):
        raise ValueError("another format")
    is_signed = top["format"] == FORMAT
    after, previous = int(top["after"]), str(top["previous"])
    head = (int(top["head"]["seq"]), str(top["head"]["hash"]))
    former = int(top["former"]) if is_signed else None
    return Source(
        entries=exported(path),
        after=after,
        previous=previous,
        head=head,
        notes=[top["checkpoint"]] if top["checkpoint"] else [],
        manifest=str(top["manifest"]) if is_signed else "",
        stated=[
            FORMAT,
            f"after {after} {previous}",
            f"head {head[0]} {head[1]}",
            f"former {former}",
        ],
        former=former,
    )


def exported(path: Path) -> Iterator[Entry]:
    """Yield the entries of an export."""
    with path.open("rb") as file:
        next(file)
        for line in file:
            try:
                said = json.loads(line)
                seq, previous, digest = said["seq"], said["previous"], said["hash"]
                public, withheld = said.get("public", ""), said.get("withheld", [])
                if not (HEX_64.fullmatch(previous) and HEX_64.fullmatch(digest)):
                    raise ValueError("not the hashes of an entry")
                computed = None
                if "withheld" in said:
                    if not HEX_256.fullmatch("".join(withheld)):
                        raise ValueError("not four commitments")
                    computed = entry_hash(seq, said["at_us"], previous, public, withheld)
                yield Entry(int(seq), public, computed, previous, digest, withheld)
            except BROKEN:
                yield Entry(-1, "", "", "", "", [])


def open_database(path: Path, after: int) -> Source:
    """Return the record in a SQLite database, which is opened for reading only."""
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    columns = {row[1] for row in database.execute("PRAGMA table_info(audit_entry)")}
    apart = "private, salt" if "private" in columns else "NULL, NULL"
    heads = database.execute("SELECT seq, hash FROM audit_head").fetchall()
    rows = database.execute(
        f"SELECT seq, at_us, entry, {apart}, previous, hash FROM audit_entry"
        " WHERE ? = 0 OR seq > ? ORDER BY seq",
        (after, after),
    )
    head = heads[0] if len(heads) == 1 else (0, GENESIS)
    return Source(
        entries=stored(rows),
        after=after,
        previous=GENESIS if not after else "",
        head=head,
        notes=[],
        manifest=None,
        stated=[],
        former=None,
    )


def stored(rows: Iterator[Any]) -> Iterator[Entry]:
    """Yield the entries of a database."""
    try:
        for seq, at_us, public, private, salt, previous, digest in rows:
            withheld: list[str] = []
            try:
                if private is None and salt is None:
                    computed = former_hash(seq, at_us, previous, public)
                else:
                    withheld = commitments(salt, private)
                    computed = entry_hash(seq, at_us, previous, public, withheld)
            except BROKEN:
                computed = ""
            yield Entry(seq, public, computed, previous, digest, withheld)
    except BROKEN:
        yield Entry(-1, "", "", "", "", [])


# --- checkpoints --------------------------------------------------------------------------------


def parse_key(text: str) -> tuple[str, bytes, Ed25519PublicKey]:
    """Return name, id and key of a verifier key (name+id+key, as `nightlight audit key` says)."""
    try:
        name, key_id, encoded = text.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        expected = hashlib.sha256(f"{name}\n".encode() + raw).digest()[:4]
        if raw[:1] == b"\x01" and bytes.fromhex(key_id) == expected:
            return name, expected, Ed25519PublicKey.from_public_bytes(raw[1:])
    except ValueError as error:
        raise WrongUse(f"not a verifier key: {text}") from error
    raise WrongUse(f"not an Ed25519 key under its name: {text}")


def open_note(note: str, keys: list[tuple[str, bytes, Ed25519PublicKey]]) -> tuple[int, str] | None:
    """Return place and hash that a checkpoint names; None if none of the keys signed it.

    Raises:
        ValueError: it is not a checkpoint, or a signature in the name of a key is not genuine.
    """
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    if text.count("\n") != 4:  # noqa: PLR2004  the lines that are signed
        raise ValueError("not a checkpoint")
    origin, seq, encoded, at = text.split("\n")[:4]
    digest = base64.b64decode(encoded, validate=True).hex()
    if text != f"{origin}\n{int(seq)}\n{encoded}\n{at}\n" or not HEX_64.fullmatch(digest):
        raise ValueError("not a checkpoint")
    return (int(seq), digest) if is_signed(text, signatures, keys) else None


def open_manifest(
    note: str, stated: list[str], keys: list[tuple[str, bytes, Ed25519PublicKey]]
) -> bool:
    """Return whether one of the keys signed that an export holds what it states to hold.

    Raises:
        ValueError: it states something else, or a signature in the name of a key is not genuine.
    """
    text, _, signatures = note.rpartition("\n\n")
    if text.split("\n")[1:-1] != stated:
        raise ValueError("the export is not what was signed")
    return is_signed(f"{text}\n", signatures, keys)


def is_signed(text: str, signatures: str, keys: list[tuple[str, bytes, Ed25519PublicKey]]) -> bool:
    """Return whether one of the keys signed a text, under the name in its first line.

    Raises:
        ValueError: a signature in the name of a key is not genuine.
    """
    origin = text.split("\n", 1)[0]
    signed = False
    for line in signatures.splitlines():
        name, _, signature = line.removeprefix("\N{EM DASH} ").partition(" ")
        raw = base64.b64decode(signature, validate=True)
        if base64.b64encode(raw).decode() != signature:
            raise ValueError("a signature is not written as it should be")
        for known, key_id, key in keys:
            if (name, raw[:4]) == (known, key_id) and name == origin:
                try:
                    key.verify(raw[4:], text.encode())
                except InvalidSignature as error:
                    raise ValueError("a signature is not genuine") from error
                signed = True
    return signed


def notes_in(path: Path) -> Iterator[str]:
    """Yield the checkpoints in a text file, in every one of a folder, or in an anchors file."""
    if path.is_dir():
        for one in sorted(path.rglob("*.txt")):
            yield one.read_text("utf-8", "replace")
    elif path.suffix == ".ndjson":
        for line in path.read_text("utf-8", "replace").splitlines():
            try:
                said = json.loads(line)
                if "seal" in said:  # Anchors of the former kind are for who has the secret key.
                    continue
                yield str(said["note"])
            except BROKEN:
                yield ""
    else:
        yield path.read_text("utf-8", "replace")


# --- figures ------------------------------------------------------------------------------------


class Recount:
    """Counts suspensions, and what was decided about reporting them, from what is public."""

    def __init__(self) -> None:
        self.months: dict[str, str] = {}
        self.states: dict[str, tuple[str, str]] = {}

    def take(self, public: str) -> None:
        """Count an entry, if it is about an account action."""
        if '"account.actioned"' not in public and '"report.decided"' not in public:
            return
        said = json.loads(public)
        detail = said["detail"]
        action = str(detail.get("account_action"))
        if said["action"] == "account.actioned":
            self.months.setdefault(action, str(detail.get("month")))
        elif said["action"] == "report.decided":
            self.states[action] = (str(detail.get("state")), str(detail.get("reason")))

    def result(self) -> list[dict[str, Any]]:
        """Return the figures of each month: of decisions, the last one of an action counts."""
        months: dict[str, dict[str, Any]] = {}
        for action, month in self.months.items():
            empty = {**dict.fromkeys(COLUMNS, 0), REASONS: {}}
            cells = months.setdefault(month, empty)
            state, reason = self.states.get(action, ("", ""))
            cells["suspended"] += 1
            cells[column(state)] += 1
            if state == "explained":
                cells[REASONS][reason] = cells[REASONS].get(reason, 0) + 1
        return [{"month": month, **cells} for month, cells in sorted(months.items())]


def column(state: str) -> str:
    """Return the column in which a report decision is counted."""
    return state if state in ("reported", "explained", "undecided") else "unexplained"


def differences(counted: list[dict[str, Any]], path: Path) -> list[str]:
    """Return every cell in which published figures differ from those counted."""
    try:
        said = json.loads(path.read_text("utf-8"))
        published = {one["month"]: one for one in said["months"]}
        if "total" in said:
            published["in all"] = {name: said[name] for name in (REASONS,) if name in said}
            published["in all"] |= said["total"]
    except (OSError, *BROKEN) as error:
        raise WrongUse(f"{path}: not the figures of `nightlight report reconcile`") from error
    ours = {one["month"]: one for one in counted}
    if "in all" in published:
        ours["in all"] = in_all(counted)
    found = []
    for month in sorted({*ours, *published}):
        # Figures from before reasons were told by month are compared without them.
        told = REASONS in published.get(month, {})
        own, said = (cells(one.get(month, {}), reasons=told) for one in (ours, published))
        found += [
            f"{month} {name}: counted {own.get(name, 0)}, published {said.get(name, 0)}"
            for name in dict.fromkeys((*own, *said))
            if own.get(name, 0) != said.get(name, 0)
        ]
    return found


def cells(month: dict[str, Any], *, reasons: bool) -> dict[str, int]:
    """Return the figures of a month by name, with those of each reason if asked for."""
    named = {name: month.get(name, 0) for name in COLUMNS}
    if reasons:
        named |= {f"explained by {name}": n for name, n in month.get(REASONS, {}).items()}
    return named


def in_all(counted: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the sums over all months."""
    reasons: dict[str, int] = {}
    for month in counted:
        for name, count in month[REASONS].items():
            reasons[name] = reasons.get(name, 0) + count
    return {**{name: sum(one[name] for one in counted) for name in COLUMNS}, REASONS: reasons}


# --- verifying ----------------------------------------------------------------------------------


class Verifier:
    """Goes through a record once and gathers whatever contradicts it."""

    def __init__(self, checkpoints: dict[int, str], disclosed: dict[int, list[Any]]) -> None:
        self.checkpoints = checkpoints
        self.disclosed = disclosed
        self.faults: list[str] = []
        self.settled: list[str] = []
        self.recount = Recount()
        self.entries = self.not_recomputed = 0

    def fault(self, seq: int, problem: str) -> None:
        """Gather a contradiction; after twenty, more say nothing new."""
        if len(self.faults) < FAULTS_SHOWN:
            self.faults.append(f"entry {seq}: {problem}")

    def run(self, source: Source, since: State) -> State:
        """Verify every entry after ``since`` and return how far the record is verified now."""
        seq, previous, is_newer, unread = since
        for entry in source.entries:
            if entry.seq <= since[0] and source.after < since[0]:
                if entry.seq == since[0] and entry.hash != since[1]:
                    self.fault(entry.seq, "is not the one that was verified before")
                continue
            problem = self.problem(entry, seq + 1, previous)
            if not problem and not entry.withheld and is_newer:
                problem = "of the former kind, after newer ones"
            if not problem and source.mislabels(entry):
                problem = "its text was taken out, or it was given one"
            if problem:
                self.fault(entry.seq, problem)
            self.take(entry)
            is_newer = is_newer or bool(entry.withheld)
            seq, previous = entry.seq, entry.hash
        if (seq, previous) != source.head:
            self.fault(source.head[0], "the newest entries are missing or were replaced")
        for signed in sorted(self.checkpoints):
            if signed > seq:
                self.fault(signed, "was signed and is missing")
        unread = None if unread is None else unread + self.not_recomputed
        return State(seq, previous, is_newer, unread)

    def problem(self, entry: Entry, expected: int, previous: str) -> str:
        """Return what contradicts an entry in its place; "" for nothing."""
        if entry.seq != expected:
            return f"missing or out of order: expected entry {expected}"
        if entry.previous != previous:
            return "does not follow the one before it"
        if entry.computed is not None and entry.computed != entry.hash:
            return "was changed after it was written"
        if self.checkpoints.get(entry.seq, entry.hash) != entry.hash:
            return "is not the one that was signed"
        return ""

    def take(self, entry: Entry) -> None:
        """Count an entry, and compare what was disclosed of it."""
        self.entries += 1
        self.not_recomputed += entry.computed is None
        if entry.computed == entry.hash:
            try:
                self.recount.take(entry.public)
                self.take_settled(entry)
            except BROKEN:
                self.fault(entry.seq, "says nothing that can be counted")
        if entry.seq in self.disclosed:
            self.check_disclosed(entry)

    def take_settled(self, entry: Entry) -> None:
        """Keep what an entry says was lost or laid aside, as a person settled it."""
        if '"record.settled"' not in entry.public:
            return
        said = json.loads(entry.public)
        if said["action"] != "record.settled":
            return  # it says so of something else
        detail = said["detail"]
        first, last, aside = (int(detail[one]) for one in ("lost_from", "lost_to", "set_aside"))
        told = f"entries {first:,} to {last:,} as they were are lost" if last else ""
        if aside:
            told += f"{' and ' if told else ''}{aside:,} anchors were laid aside"
        self.settled.append(f"entry {entry.seq:,} says that {told or 'nothing is lost'}")

    def check_disclosed(self, entry: Entry) -> None:
        """Find disclosed parts that are not those that the entry was written with."""
        for one in self.disclosed[entry.seq]:
            made = commitment(one["field"], bytes.fromhex(one["salt"]), one["value"])
            shown = dict(zip(FIELDS, entry.withheld, strict=False)).get(one["field"])
            if shown != made:
                self.fault(entry.seq, f"{one['field']} is not what was disclosed")


def verify(options: argparse.Namespace) -> dict[str, Any]:
    """Return what verifying found, as it is printed with --json."""
    since = read_state(options.state)
    source = open_record(options.record, since[0])
    if source.after > since[0] or (source.after and not options.state):
        raise WrongUse("the export begins later than what was verified: give --state, or all of it")
    if options.figures and since[0]:
        raise WrongUse("figures are counted from the whole record: leave --state out")
    keys = [parse_key(one) for one in options.key]
    checkpoints, faults = read_checkpoints(
        [*source.notes, *(note for one in options.checkpoints for note in notes_in(one))], keys
    )
    manifest_signed = check_manifest(source, keys, checkpoints, faults)
    verifier = Verifier(checkpoints, read_disclosed(options.disclosed))
    reached = verifier.run(source, since)
    faults += verifier.faults
    if options.figures and verifier.not_recomputed:
        faults.append(
            f"figures: {verifier.not_recomputed:,} entries hold no text, so what they say cannot be"
            " counted: compare with a copy of the database"
        )
    is_whole = not since.seq and not verifier.not_recomputed
    figures = verifier.recount.result() if is_whole else None
    differing = differences(figures or [], options.figures) if options.figures else []
    if options.state and not faults:
        options.state.write_text(json.dumps(reached._asdict()) + "\n", "utf-8")
    newest = max(checkpoints, default=None)
    return {
        "entries": verifier.entries,
        "seq": reached.seq,
        "head": reached.hash,
        "since": since.seq,
        "checkpoints": len(checkpoints),
        "newest_checkpoint": newest,
        "manifest_signed": manifest_signed,
        "not_recomputed": verifier.not_recomputed,
        "faults": faults,
        "unproved": unproved(source, reached, newest, manifest_signed=manifest_signed),
        "settled": verifier.settled,
        "months": figures,
        "figures_compared": bool(options.figures),
        "differences": differing,
        "intact": not faults and not differing,
    }


def read_checkpoints(
    notes: list[str], keys: list[tuple[str, bytes, Ed25519PublicKey]]
) -> tuple[dict[int, str], list[str]]:
    """Return the hashes that signed checkpoints name, by place, and what is wrong with others."""
    checkpoints: dict[int, str] = {}
    faults: list[str] = []
    for note in notes:
        try:
            signed = open_note(note, keys)
            if signed and checkpoints.setdefault(*signed) != signed[1]:
                faults.append(f"entry {signed[0]}: two checkpoints sign different entries")
            elif not signed and keys:
                faults.append("a checkpoint is not signed by a key that was given")
        except BROKEN as error:
            faults.append(f"a checkpoint: {error}")
    return checkpoints, faults


def check_manifest(
    source: Source,
    keys: list[tuple[str, bytes, Ed25519PublicKey]],
    checkpoints: dict[int, str],
    faults: list[str],
) -> bool:
    """Return whether what an export states of itself is signed; its head is signed with it."""
    if not source.manifest:
        if source.former is not None:
            faults.append("the manifest is missing")
        return False
    try:
        signed = open_manifest(source.manifest, source.stated, keys)
    except BROKEN as error:
        faults.append(f"the manifest: {error}")
        return False
    if not signed and keys:
        faults.append("the manifest is not signed by a key that was given")
    if signed and source.head[0] and checkpoints.setdefault(*source.head) != source.head[1]:
        faults.append(f"entry {source.head[0]}: two checkpoints sign different entries")
    return signed


def unproved(
    source: Source, reached: State, newest: int | None, *, manifest_signed: bool
) -> list[str]:
    """Return in words what nothing contradicts, but nothing proves either; empty for nothing."""
    found: list[str] = []
    if newest is None and not manifest_signed:
        found.append(
            "no signature was checked: a record written anew, or cut short, would look intact;"
            " give --key, and --checkpoints for a database"
        )
    elif newest is not None and newest < reached.seq:
        found.append(f"no checkpoint signs the entries after {newest:,}")
    if newest is not None and source.manifest is not None and not manifest_signed:
        found.append("nothing signed says what this export holds: it is of the former format")
    if reached.unread is None:
        found.append("what was verified before was verified by a former nightlight-verify")
    elif reached.unread:
        found.append(
            f"{reached.unread:,} entries of the former kind are linked and show no text, so they"
            " were not recomputed: verify a copy of the database"
        )
    return found


def read_state(path: Path | None) -> State:
    """Return up to where the record was verified before; the beginning, if it was not."""
    if path is None or not path.exists():
        return State(0, GENESIS, newer=False, unread=0)
    try:
        said = json.loads(path.read_text("utf-8"))
        unread = said.get("unread")
        return State(
            seq=int(said["seq"]),
            hash=str(said["hash"]),
            newer=bool(said.get("newer", True)),
            unread=None if unread is None else int(unread),
        )
    except BROKEN as error:
        raise WrongUse(f"{path}: not a state that nightlight-verify wrote") from error


def read_disclosed(path: Path | None) -> dict[int, list[Any]]:
    """Return what was disclosed (`nightlight audit disclose`), by entry."""
    found: dict[int, list[Any]] = {}
    try:
        for line in path.read_text("utf-8").splitlines() if path else ():
            said = json.loads(line)
            commitment(said["field"], bytes.fromhex(said["salt"]), said["value"])
            found.setdefault(said["seq"], []).append(said)
    except BROKEN as error:
        raise WrongUse(f"{path}: not what `nightlight audit disclose` printed") from error
    return found


def print_result(found: dict[str, Any]) -> None:
    """Print the result for people."""
    for one in (*found["faults"], *found["differences"]):
        print(one, file=sys.stderr)
    state = "BROKEN" if found["faults"] else "intact"
    if not found["faults"] and found["unproved"]:
        state = "verified only in part"
    print(f"{state}: {found['entries']:,} entries up to {found['seq']:,}, head {found['head']}")
    if found["newest_checkpoint"] is not None:
        print(f"{found['checkpoints']:,} checkpoints, the newest of entry", end=" ")
        print(f"{found['newest_checkpoint']:,}")
    for one in found["settled"]:
        print(f"settled: {one}")
    for one in found["unproved"]:
        print(f"not proved: {one}")
    if found["figures_compared"]:
        print(f"figures: {len(found['months'] or ())} months,", end=" ")
        print(f"{len(found['differences'])} differences")


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="nightlight-verify", description=__doc__.split("\n")[0])
    parser.add_argument("record", type=Path, help="an export, or a copy of the SQLite database")
    parser.add_argument("--key", action="append", default=[], help="verifier key; may be repeated")
    parser.add_argument(
        "--checkpoints",
        action="append",
        default=[],
        type=Path,
        help="a checkpoint, a folder of them, or anchors.ndjson; may be repeated",
    )
    parser.add_argument("--state", type=Path, help="verify only what is new since; kept there")
    parser.add_argument("--figures", type=Path, help="what `report reconcile --json` printed")
    parser.add_argument("--disclosed", type=Path, help="what `audit disclose` printed")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Return the exit code: 0 intact, 1 something was found, 2 wrong use, 3 only a part proved."""
    options = read_options(arguments)
    try:
        found = verify(options)
    except (WrongUse, OSError) as error:
        print(f"nightlight-verify: {error}", file=sys.stderr)
        return 2
    except BROKEN as error:
        print(f"nightlight-verify: cannot be read ({type(error).__name__})", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(found))
    else:
        print_result(found)
    if not found["intact"]:
        return 1
    return 3 if found["unproved"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
