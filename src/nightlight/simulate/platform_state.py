"""What the simulated platform remembers: the effects it was asked for and what they changed."""

from hashlib import sha256

import msgspec
from msgspec import Struct

from nightlight.errors import Conflict
from nightlight.model.effect import EffectKind
from nightlight.model.signal import Subject
from nightlight.simulate.state_file import open_state

_TABLES = """
CREATE TABLE IF NOT EXISTS delivery (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook_id TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,
    effect BLOB NOT NULL,
    received_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    repeats INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS standing (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);
"""

#: What an effect makes of its subject; the rest is Nightlight's own business.
OUTCOMES: dict[EffectKind, str] = {
    EffectKind.LIMIT_REACH: "limited",
    EffectKind.HIDE: "hidden",
    EffectKind.REMOVE: "removed",
    EffectKind.RESTORE: "visible",
    EffectKind.HOLD: "held",
    EffectKind.LOCK: "locked",
    EffectKind.SUSPEND: "suspended",
    EffectKind.REINSTATE: "active",
}


class RequestedEffect(Struct, frozen=True, kw_only=True):
    """The data of one ``effect.requested`` webhook."""

    effect_id: str
    kind: EffectKind
    subject: Subject
    decision_id: str = ""
    case_id: str | None = None


class Delivery(Struct, frozen=True, kw_only=True):
    """One effect as first received; ``repeats`` counts how often it came again."""

    webhook_id: str
    received_at: str
    repeats: int
    effect: RequestedEffect


class PlatformStore:
    """Effects and their outcomes in a SQLite database, on disk before a function returns."""

    def __init__(self, path: str) -> None:
        """Open the database at ``path``, ":memory:" for none; tables are made if missing."""
        self._db = open_state(path, _TABLES)

    def apply(self, webhook_id: str, effect: RequestedEffect) -> bool:
        """Carry an effect out if its webhook id is new; return whether it was.

        Raises:
            Conflict: the webhook id stood for another effect before.
        """
        content = msgspec.json.encode(effect)
        digest = sha256(content).hexdigest()
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            known = self._db.execute(
                "SELECT digest FROM delivery WHERE webhook_id = ?", (webhook_id,)
            ).fetchone()
            if known is None:
                self._carry_out(webhook_id, effect, digest, content)
                return True
            if known[0] != digest:
                raise Conflict("this webhook id stood for another effect", field="webhook-id")
            self._db.execute(
                "UPDATE delivery SET repeats = repeats + 1 WHERE webhook_id = ?", (webhook_id,)
            )
        return False

    def _carry_out(
        self, webhook_id: str, effect: RequestedEffect, digest: str, content: bytes
    ) -> None:
        self._db.execute(
            "INSERT INTO delivery (webhook_id, digest, effect) VALUES (?, ?, ?)",
            (webhook_id, digest, content),
        )
        self._db.execute(
            "INSERT INTO standing (kind, id, state) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET state = excluded.state",
            (effect.subject.kind, effect.subject.id, OUTCOMES[effect.kind]),
        )

    def deliveries(self) -> list[Delivery]:
        """Return the effects in the order in which they first came."""
        rows = self._db.execute(
            "SELECT webhook_id, received_at, repeats, effect FROM delivery ORDER BY place"
        )
        return [
            Delivery(
                webhook_id=webhook_id,
                received_at=received_at,
                repeats=repeats,
                effect=msgspec.json.decode(effect, type=RequestedEffect),
            )
            for webhook_id, received_at, repeats, effect in rows
        ]

    def standings(self, kind: str) -> dict[str, str]:
        """Return the state of every subject of a kind that an effect changed, by id."""
        rows = self._db.execute(
            "SELECT id, state FROM standing WHERE kind = ? ORDER BY id", (kind,)
        )
        return dict(rows.fetchall())
