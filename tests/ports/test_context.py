"""Accounts, posts and media come back as they were saved; queries keep to their limits."""

from datetime import timedelta
from traceback import format_exception

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.fakes.cybertip_store import NOON
from tests.ports.builders import ENTRY, make_account, make_media, make_post
from tests.ports.raw import raw_bytes

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.errors import Conflict
from nightlight.model.context import AccountContext, MediaContext, PostContext
from nightlight.model.ids import AccountId, MediaId, PostId
from nightlight.model.media import Scan, ScanState

LONG_AGO = NOON - timedelta(days=365)


def save(
    unit_of_work: SqlUnitOfWork,
    *,
    accounts: tuple[AccountContext, ...] = (),
    posts: tuple[PostContext, ...] = (),
    media: tuple[MediaContext, ...] = (),
) -> None:
    with unit_of_work.begin() as tx:
        tx.context.save(accounts=accounts, posts=posts, media=media)
        tx.commit(ENTRY)


FULL_ACCOUNT = make_account(
    "account-1",
    handle="quibbleton",
    display_name="Quibble \N{SNOWMAN}",
    bio="line\nline",
    profile_url="https://zorbleflux.example.test/q",
    country="GB",
    created_at=LONG_AGO,
    profile_at=NOON,
    first_seen=NOON - timedelta(microseconds=1),
    posts=3,
    deletions=2,
    user_reports=1,
    suspended=True,
    human_decision="dismissed",
)
FULL_POST = make_post(
    "post-1",
    posted_at=NOON,
    text_at=NOON + timedelta(microseconds=7),
    deleted_at=NOON + timedelta(days=1),
    deleted_by="author",
    fingerprint=bytes(range(63)),
    media_ids=("m-1", "m-2"),
    event_key="ab" * 16,
    views=(1 << 63) - 1,
    engagements=12,
    flagged=True,
    human_decision="confirmed",
)


@pytest.mark.parametrize("account", [make_account("account-1"), FULL_ACCOUNT])
def test_an_account_comes_back_as_it_was_saved(
    unit_of_work: SqlUnitOfWork, account: AccountContext
) -> None:
    save(unit_of_work, accounts=(account,))
    with unit_of_work.read() as tx:
        assert tx.context.accounts([account.account_id, AccountId("nobody")]) == {
            account.account_id: account
        }


@pytest.mark.parametrize("post", [make_post("post-1"), FULL_POST])
def test_a_post_comes_back_as_it_was_saved(unit_of_work: SqlUnitOfWork, post: PostContext) -> None:
    save(unit_of_work, posts=(post,))
    with unit_of_work.read() as tx:
        assert tx.context.posts([post.post_id, PostId("none")]) == {post.post_id: post}


@pytest.mark.parametrize(
    "media",
    [
        make_media("media-1"),
        make_media(
            "media-1",
            scan=Scan(state=ScanState.FAILED, reason="no picture", sealed_digest="12" * 32),
            url="media/1.png",
            content_type="image/png",
            description="a drawn square",
            event_key="cd" * 16,
            human_decision="confirmed",
        ),
    ],
)
def test_media_comes_back_as_it_was_saved(unit_of_work: SqlUnitOfWork, media: MediaContext) -> None:
    save(unit_of_work, media=(media,))
    with unit_of_work.read() as tx:
        assert tx.context.media([media.media_id, MediaId("none")]) == {media.media_id: media}


def test_newer_knowledge_replaces_older(unit_of_work: SqlUnitOfWork) -> None:
    save(unit_of_work, accounts=(make_account("account-1"),), posts=(make_post("post-1"),))
    save(unit_of_work, accounts=(FULL_ACCOUNT,), posts=(FULL_POST,))
    with unit_of_work.read() as tx:
        assert tx.context.accounts([AccountId("account-1")])[AccountId("account-1")] == FULL_ACCOUNT
        assert tx.context.posts([PostId("post-1")])[PostId("post-1")] == FULL_POST


def test_thousands_are_loaded_at_once(unit_of_work: SqlUnitOfWork) -> None:
    accounts = tuple(make_account(f"account-{number}") for number in range(3_000))
    save(unit_of_work, accounts=accounts)
    with unit_of_work.read() as tx:
        found = tx.context.accounts([AccountId(f"account-{number}") for number in range(40_000)])
    assert len(found) == 3_000


def test_asking_for_nothing_finds_nothing(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.read() as tx:
        assert tx.context.accounts([]) == {}
        assert tx.context.posts([]) == {}
        assert tx.context.media([]) == {}
        assert tx.context.tombstones([], deleted_after=LONG_AGO, each=5) == {}


def test_hashes_of_media_are_sealed_at_rest(unit_of_work: SqlUnitOfWork, engine: Engine) -> None:
    save(unit_of_work, media=(make_media("media-1"),))
    stored = raw_bytes(engine)
    for secret in (b"ab" * 32, b"cd" * 32, b"\xab" * 32, b"\xcd" * 32):
        assert secret not in stored


def buried(name: str, account: str, *, hours: int) -> PostContext:
    return make_post(
        name,
        account,
        posted_at=NOON,
        deleted_at=NOON + timedelta(hours=hours),
        text_at=NOON,
        fingerprint=b"f",
    )


def test_tombstones_are_the_newest_deletions_of_each_account(unit_of_work: SqlUnitOfWork) -> None:
    for account in ("account-1", "account-2"):
        posts = [buried(f"{account}-{hours}", account, hours=hours) for hours in range(6)]
        save(unit_of_work, posts=tuple(posts))
    with unit_of_work.read() as tx:
        found = tx.context.tombstones(
            [AccountId("account-1"), AccountId("account-2")], deleted_after=LONG_AGO, each=3
        )
    assert {name: [post.post_id for post in posts] for name, posts in found.items()} == {
        "account-1": ["account-1-5", "account-1-4", "account-1-3"],
        "account-2": ["account-2-5", "account-2-4", "account-2-3"],
    }


def test_tombstones_leave_out_what_is_old_alive_textless_or_of_others(
    unit_of_work: SqlUnitOfWork,
) -> None:
    kept = buried("kept", "account-1", hours=2)
    save(
        unit_of_work,
        posts=(
            kept,
            buried("old", "account-1", hours=0),
            replace(buried("alive", "account-1", hours=2), deleted_at=None),
            replace(buried("textless", "account-1", hours=2), text_at=None),
            buried("other", "account-2", hours=2),
        ),
    )
    with unit_of_work.read() as tx:
        found = tx.context.tombstones(
            [AccountId("account-1")], deleted_after=NOON + timedelta(hours=2), each=10
        )
    assert found == {"account-1": [kept]}


def test_posts_since_are_the_newest_of_each_account_from_that_time_on(
    unit_of_work: SqlUnitOfWork,
) -> None:
    posts = [
        make_post(f"{account}-{hour}", account, text_at=NOON,
                  posted_at=NOON + timedelta(hours=hour))
        for account in ("account-1", "account-2", "account-3")
        for hour in range(5)
    ]  # fmt: skip
    textless = make_post("textless", "account-1", posted_at=NOON + timedelta(hours=4))
    save(unit_of_work, posts=(*posts, textless))
    with unit_of_work.read() as tx:
        found = tx.context.posted_since(
            [AccountId("account-1"), AccountId("account-2")],
            posted_after=NOON + timedelta(hours=2),
            each=2,
        )
        all_three = tx.context.posted_since(
            [AccountId("account-1")], posted_after=NOON + timedelta(hours=2), each=9
        )
    assert {name: [post.post_id for post in posts] for name, posts in found.items()} == {
        "account-1": ["account-1-4", "account-1-3"],
        "account-2": ["account-2-4", "account-2-3"],
    }
    assert [post.post_id for post in all_three[AccountId("account-1")]] == [
        "account-1-4", "account-1-3", "account-1-2",
    ]  # fmt: skip


def test_an_error_of_the_database_does_not_show_what_was_to_be_stored(
    unit_of_work: SqlUnitOfWork,
) -> None:
    impossible = make_account("account-1", bio="zorbleflux", handle=None)
    with pytest.raises(Conflict) as caught:
        save(unit_of_work, accounts=(impossible,))
    assert "zorbleflux" not in "".join(format_exception(caught.value))


def test_recent_scans_are_the_newest_uploads_that_nothing_and_nobody_objected_to(
    unit_of_work: SqlUnitOfWork,
) -> None:
    def scanned(place: int, **fields: object) -> MediaContext:
        made = make_media(f"media-{place}", uploaded_at=NOON + timedelta(seconds=place))
        return replace(made, scan=replace(made.scan, byte_count=place), **fields)

    failed = replace(scanned(7), scan=Scan(state=ScanState.FAILED, reason="cut short"))
    matched = scanned(8)
    matched = replace(matched, scan=replace(matched.scan, sealed_digest="ab" * 32))
    save(
        unit_of_work,
        media=(
            *(scanned(place) for place in (3, 1, 5)),
            scanned(6, human_decision="dismissed"),
            failed,
            matched,
        ),
    )
    with unit_of_work.read() as tx:
        assert [scan.byte_count for scan in tx.context.recent_scans(100)] == [5, 3, 1]
        assert [scan.byte_count for scan in tx.context.recent_scans(4)] == [5]
