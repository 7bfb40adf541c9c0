"""Posts deleted before, of which a file was not sealed, or that were found anew after destruction.

Where nothing at all was sealed of one, an earlier upgrade saw to it.
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from nightlight.adapters.sql.rows import from_us
from nightlight.model.ids import derive_id

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

#: Versions with a signal, and the newest ones, of deleted posts, as far as they were sealed once.
_SEALED_ONCE = sa.text("""
    SELECT p.post_id, p.account_id, p.deleted_us, l.key, l.data, f.found_us
    FROM post p
    JOIN (
        SELECT q.post_id, s.event_key AS key, s.recorded_us AS found_us
        FROM post q JOIN signal s ON s.subject_id = q.post_id AND s.subject_kind = 'post'
        WHERE q.deleted_us IS NOT NULL
        UNION ALL
        SELECT q.post_id, q.event_key AS key, s.recorded_us AS found_us
        FROM post q JOIN signal s ON s.subject_id = q.post_id AND s.subject_kind = 'post'
        WHERE q.deleted_us IS NOT NULL
        UNION ALL
        SELECT q.post_id, q.event_key AS key, s.recorded_us AS found_us
        FROM post q JOIN signal s ON s.event_key = q.event_key
        WHERE q.deleted_us IS NOT NULL
        UNION ALL
        SELECT q.post_id, h.event_key AS key, h.found_us AS found_us
        FROM post q
        JOIN hunt_finding h ON h.subject_id = q.post_id AND h.subject_kind = 'post'
        WHERE q.deleted_us IS NOT NULL
    ) f ON f.post_id = p.post_id
    JOIN event_log l ON l.key = f.key AND l.type IN ('post.created', 'post.edited')
    WHERE EXISTS (SELECT 1 FROM evidence e WHERE e.kind = 'post' AND e.content_id = l.key)
""")
_POSTS = sa.text(
    "SELECT case_id, destroyed_us FROM evidence WHERE kind = 'post' AND content_id = :key"
)
_FILES = sa.text(
    "SELECT content_id, destroyed_us FROM evidence WHERE kind = 'media' AND case_id = :case_id"
)


def upgrade() -> None:
    connection = op.get_bind()
    found: dict[tuple[str, str], Any] = {}
    for row in connection.execute(_SEALED_ONCE):
        before = found.get((row.post_id, row.key))
        if before is None or row.found_us > before.found_us:
            found[row.post_id, row.key] = row
    table = sa.Table("kept_post", sa.MetaData(), autoload_with=connection)
    there = set(connection.execute(sa.select(table.c.id)).scalars())
    rows = [made for row in found.values() if (made := _to_keep(connection, row))]
    rows = [row for row in rows if row["id"] not in there]
    if rows:
        connection.execute(table.insert(), rows)


def _to_keep(connection: sa.Connection, row: Any) -> dict[str, Any] | None:
    """Return what is to be sealed of a version, None if nothing is."""
    posts = connection.execute(_POSTS, {"key": row.key}).all()
    counting = [one for one in posts if _counts(one, row)]
    if counting and all(one.destroyed_us is not None for one in counting):
        return None
    media = set(json.loads(row.data).get("media_ids", ()))
    for one in counting:
        files = connection.execute(_FILES, {"case_id": one.case_id}).all()
        if media <= {each.content_id for each in files if _counts(each, row)}:
            return None
    gone = max((one.destroyed_us for one in posts if one.destroyed_us is not None), default=None)
    again = () if gone is None else (from_us(gone).isoformat(),)
    return {
        "id": derive_id("kept", row.post_id, row.key, *again),
        "post_id": row.post_id,
        "account_id": row.account_id,
        "event_key": row.key,
        "deleted_us": row.deleted_us,
        "noticed_us": row.deleted_us,
        "next_us": row.deleted_us,
        "attempts": 0,
        "complete": False,
    }


def _counts(evidence: Any, version: Any) -> bool:
    return evidence.destroyed_us is None or evidence.destroyed_us > version.found_us
