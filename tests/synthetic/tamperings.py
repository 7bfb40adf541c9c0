"""What somebody may do to a record behind its back: one random thing at a time."""

import json
import sqlite3
import string
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from random import Random

from nightlight.audit.chain import GENESIS, StoredEntry, link
from nightlight.audit.checkpoint import AuditKey
from nightlight.model.audit import AuditEntry

_COLUMNS = ("seq", "at_us", "entry", "private", "salt", "previous", "hash")
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM audit_entry ORDER BY seq"
_INSERT = f"INSERT INTO audit_entry ({', '.join(_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?)"


class Forger:
    """Writes to the database and the anchors of one record, and knows its format but no key."""

    def __init__(self, database: Path, anchors: Path, chance: Random) -> None:
        self.connection = sqlite3.connect(database, isolation_level=None)
        self.connection.execute("BEGIN")
        self.anchors = anchors
        self.chance = chance
        self.entries = [StoredEntry(*row) for row in self.connection.execute(_SELECT)]

    def close(self) -> None:
        self.connection.execute("COMMIT")
        self.connection.close()

    def any_seq(self, before_end: int = 0) -> int:
        return self.chance.randint(1, len(self.entries) - before_end)

    def changed(self, text: str) -> str:
        """Return the text with one character more, less or other."""
        place = self.chance.randrange(len(text) + 1)
        letters = string.ascii_lowercase + string.digits + '"{}:,\n '
        rest = text[place + self.chance.choice([0, 1]) :]
        made = text[:place] + self.chance.choice(letters) + rest
        return made if made != text else self.changed(text)

    def write(self, entries: list[StoredEntry], *, head: bool = True) -> None:
        """Store these entries in place of all, and the head that fits."""
        self.connection.execute("DELETE FROM audit_entry")
        self.connection.executemany(_INSERT, entries)
        if head:
            last = entries[-1]
            statement = "UPDATE audit_head SET seq = ?, hash = ?"
            self.connection.execute(statement, (last.seq, last.hash))

    def chained(self, entries: list[StoredEntry], start: int) -> list[StoredEntry]:
        """Return the entries with everything from a place on chained anew, without a flaw."""
        made = entries[: start - 1]
        for one in entries[start - 1 :]:
            entry = AuditEntry(actor="forger", action="case.dismissed", subject=f"case {one.seq}")
            previous = made[-1].hash if made else GENESIS
            salt = self.chance.randbytes(16)
            made.append(
                link(entry, seq=len(made) + 1, at_us=one.at_us, previous=previous, salt=salt)
            )
        return made


def _edit_text(forger: Forger) -> None:
    column = forger.chance.choice(["entry", "private", "salt", "previous", "hash"])
    seq = forger.any_seq()
    text = getattr(forger.entries[seq - 1], column)
    forger.connection.execute(
        f"UPDATE audit_entry SET {column} = ? WHERE seq = ?", (forger.changed(text), seq)
    )


def _edit_meaning(forger: Forger) -> None:
    """Change a word of an entry and renew its own hash, as one who knows the format would."""
    seq = forger.any_seq(before_end=1)
    one = forger.entries[seq - 1]
    entry = AuditEntry(actor="forger", action="case.dismissed", subject="x")
    made = link(entry, seq=seq, at_us=one.at_us, previous=one.previous, salt=b"x" * 16)
    forger.write([*forger.entries[: seq - 1], made, *forger.entries[seq:]])


def _edit_time(forger: Forger) -> None:
    change = forger.chance.choice([-1, 1, 1_000_000, -86_400_000_000])
    forger.connection.execute(
        "UPDATE audit_entry SET at_us = at_us + ? WHERE seq = ?", (change, forger.any_seq())
    )


def _strip(forger: Forger) -> None:
    """Take the private part or the salt away."""
    columns = forger.chance.choice(["private = NULL", "salt = NULL", "private = NULL, salt = NULL"])
    seq = forger.any_seq()
    forger.connection.execute(f"UPDATE audit_entry SET {columns} WHERE seq = ?", (seq,))


def _delete(forger: Forger) -> None:
    first = forger.any_seq()
    last = first + forger.chance.choice([0, 0, 1, 20])
    forger.connection.execute("DELETE FROM audit_entry WHERE seq BETWEEN ? AND ?", (first, last))


def _delete_and_close_the_gap(forger: Forger) -> None:
    seq = forger.any_seq()
    rest = [one._replace(seq=one.seq - 1) for one in forger.entries[seq:]]
    forger.write([*forger.entries[: seq - 1], *rest])


def _insert(forger: Forger) -> None:
    seq = forger.any_seq()
    copied = forger.entries[seq - 1]
    place = forger.chance.choice([-seq, 0, len(forger.entries) + seq])
    forger.connection.execute(_INSERT, copied._replace(seq=place))


def _duplicate(forger: Forger) -> None:
    seq = forger.any_seq()
    rest = [one._replace(seq=one.seq + 1) for one in forger.entries[seq - 1 :]]
    forger.write([*forger.entries[:seq], *rest])


def _append(forger: Forger) -> None:
    """Append a copy of an entry, with the head moved on."""
    copied = forger.entries[forger.any_seq() - 1]
    forger.write([*forger.entries, copied._replace(seq=len(forger.entries) + 1)])


def _swap(forger: Forger) -> None:
    first, second = forger.chance.sample(range(1, len(forger.entries) + 1), 2)
    made = list(forger.entries)
    made[first - 1] = forger.entries[second - 1]._replace(seq=first)
    made[second - 1] = forger.entries[first - 1]._replace(seq=second)
    forger.write(made, head=forger.chance.random() < 0.5)


def _reorder(forger: Forger) -> None:
    """Turn a stretch of entries around, or shuffle it."""
    length = forger.chance.randint(3, 40)
    start = forger.any_seq(before_end=length)
    order = list(range(length))
    while order == sorted(order):
        forger.chance.shuffle(order)
    made = list(forger.entries)
    for place, taken in enumerate(order):
        made[start - 1 + place] = forger.entries[start - 1 + taken]._replace(seq=start + place)
    forger.write(made)


def _truncate(forger: Forger) -> None:
    left = forger.any_seq(before_end=1)
    forger.write(forger.entries[:left], head=forger.chance.random() < 0.7)


def _replace_the_tail(forger: Forger) -> None:
    """Write everything from a place on anew, with every hash as it must be."""
    forger.write(forger.chained(forger.entries, forger.any_seq()))


def _rewrite_shorter(forger: Forger) -> None:
    left = forger.any_seq(before_end=1) + 1
    forger.write(forger.chained(forger.entries[:left], forger.chance.randint(1, left)))


def _head(forger: Forger) -> None:
    statement = forger.chance.choice(
        [
            "DELETE FROM audit_head",
            "UPDATE audit_head SET seq = seq - 1",
            "UPDATE audit_head SET seq = seq + 1",
            f"UPDATE audit_head SET hash = '{'ab' * 32}'",
            f"INSERT INTO audit_head (id, seq, hash) VALUES (2, 1, '{'ab' * 32}')",
        ]
    )
    forger.connection.execute(statement)


def _checkpoint(forger: Forger) -> None:
    """Change a character of a checkpoint."""
    lines = forger.anchors.read_text("utf-8").splitlines()
    place = forger.chance.randrange(len(lines))
    note: str = json.loads(lines[place])["note"]
    lines[place] = json.dumps({"note": forger.changed(note)}, ensure_ascii=False)
    forger.anchors.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def _forged_checkpoint(forger: Forger) -> None:
    """Write a record anew and sign its head, with a key of one's own."""
    made = forger.chained(forger.entries, forger.any_seq())
    forger.write(made)
    key = AuditKey(b"a forger's key", origin="nightlight")
    note = json.loads(forger.anchors.read_text("utf-8").splitlines()[-1])["note"]
    at = note.split("\n")[3]
    forged = key.checkpoint(
        seq=made[-1].seq, head=made[-1].hash, at=datetime.fromisoformat(at)
    ).note
    forger.anchors.write_text(json.dumps({"note": forged}) + "\n", "utf-8")


TAMPERINGS: Mapping[str, Callable[[Forger], None]] = {
    "edit a text": _edit_text,
    "edit what an entry means": _edit_meaning,
    "edit a time": _edit_time,
    "strip the private part": _strip,
    "delete": _delete,
    "delete and close the gap": _delete_and_close_the_gap,
    "insert": _insert,
    "duplicate": _duplicate,
    "append": _append,
    "swap": _swap,
    "reorder": _reorder,
    "truncate": _truncate,
    "replace the tail with hashes that fit": _replace_the_tail,
    "rewrite shorter with hashes that fit": _rewrite_shorter,
    "rewrite the head": _head,
    "alter a checkpoint": _checkpoint,
    "forge a checkpoint": _forged_checkpoint,
}


def tamper(database: Path, anchors: Path, chance: Random) -> str:
    """Do one random thing to a record, and say which."""
    name = chance.choice(sorted(TAMPERINGS))
    forger = Forger(database, anchors, chance)
    TAMPERINGS[name](forger)
    forger.close()
    return name
