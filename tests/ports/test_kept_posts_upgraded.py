"""Posts that were deleted before deletions were seen to are found by the upgrade."""

from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, text
from tests.fakes.cybertip_store import HandClock

from nightlight.adapters.sql.database import SqlUnitOfWork, migrate, open_engine
from nightlight.adapters.sql.upgrade import _alembic
from nightlight.preserve.ports import KeyRing

_BEFORE = "0012"


def insert(connection: Connection, table: str, **row: Any) -> None:
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


def told(
    connection: Connection, place: int, kind: str = "post.created", *, data: bytes = b"{}"
) -> None:
    at = {"seq": place, "time_us": place, "accepted_us": place}
    names = {"key": f"key-{place}", "source": "s", "event_id": str(place), "type": kind}
    insert(connection, "event_log", **at, **names, data=data)


def deleted(connection: Connection, name: str, place: int, *, gone: int | None = 99) -> None:
    nothing: dict[str, Any] = {"deleted_by": "", "media_ids": "", "human_decision": ""}
    nothing |= {"fingerprint": b"", "views": 0, "engagements": 0, "flagged": False}
    names = {"post_id": name, "account_id": "ana", "event_key": f"key-{place}", "reposted_as": ""}
    insert(connection, "post", **names, **nothing, deleted_us=gone)


def sealed(
    connection: Connection, content_id: str, *, kind: str = "post", gone: int | None = None
) -> None:
    names = {"id": f"e-{content_id}", "case_id": "c", "decision_id": "d", "kind": kind}
    what = {"content_id": content_id, "sealed_digest": b"", "byte_count": 1, "content_type": "x"}
    insert(connection, "evidence", **names, **what, sealed_us=1, captured_us=1, destroyed_us=gone)


def signal(
    connection: Connection, place: int, about: str, kind: str = "post", *, at: int = 1
) -> None:
    names = {"id": f"sig-{place}-{about}", "event_key": f"key-{place}", "detector": "quibble"}
    about_it = {"account_id": "ana", "subject_kind": kind, "subject_id": about}
    rest = {"confidence": 0.5, "facts": "{}", "evidence": "{}", "recorded_us": at}
    insert(connection, "signal", **names, **about_it, **rest)


@pytest.mark.parametrize("is_sealed", [True, False])
def test_versions_with_a_signal_of_posts_deleted_before_are_due_to_be_sealed(
    blank_url: str, keys: KeyRing, *, is_sealed: bool
) -> None:
    engine = open_engine(blank_url)
    config = _alembic()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, _BEFORE)
    with engine.begin() as connection:
        told(connection, 1)
        told(connection, 2, "post.edited")
        told(connection, 3, "user_report.created")
        deleted(connection, "edited", 2)
        signal(connection, 1, "edited")
        signal(connection, 3, "edited")
        told(connection, 4)
        deleted(connection, "up", 4, gone=None)
        signal(connection, 4, "up")
        told(connection, 5)
        deleted(connection, "quiet", 5)
        told(connection, 6)
        deleted(connection, "of its account", 6)
        signal(connection, 6, "ana", "account")
        if is_sealed:
            sealed(connection, "key-1")
    migrate(engine)
    with SqlUnitOfWork(engine=engine, clock=HandClock(), keys=keys).read() as tx:
        found = {(one.post_id, one.event_key) for one in tx.kept_posts.due(HandClock().now(), 9)}
    engine.dispose()
    wanted = {("edited", "key-2"), ("of its account", "key-6")}
    assert found == wanted | (set() if is_sealed else {("edited", "key-1")})


def test_what_was_sealed_in_part_or_found_anew_after_destruction_is_due_too(
    blank_url: str, keys: KeyRing
) -> None:
    engine = open_engine(blank_url)
    config = _alembic()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0021")
    with engine.begin() as connection:
        for place, name in enumerate(("without", "with", "gone", "anew", "hunted"), start=1):
            shown = b'{"media_ids": ["m-%d"]}' % place if place < 3 else b"{}"
            told(connection, place, data=shown)
            deleted(connection, name, place)
            signal(connection, place, name, at=60 if name == "anew" else 1)
            sealed(connection, f"key-{place}", gone=50 if place > 2 else None)
        sealed(connection, "m-2", kind="media")
        about = {"subject_kind": "post", "subject_id": "hunted", "account_id": "ana"}
        found = {"from_us": 1, "found_us": 70, "views": 0, "decision_id": ""}
        insert(connection, "hunt_finding", hunt_id="h", event_key="key-5", **about, **found)
    migrate(engine)
    with SqlUnitOfWork(engine=engine, clock=HandClock(), keys=keys).read() as tx:
        due = {one.post_id for one in tx.kept_posts.due(HandClock().now(), 9)}
    engine.dispose()
    assert due == {"without", "anew", "hunted"}
