"""The truth names what is in the stream, and everything planted is there at a small size."""

import re
from collections import Counter, deque
from itertools import pairwise
from typing import Any, get_args

import pytest

from nightlight.model.event import EventType
from nightlight.town import Town, TownPlan, build_town
from nightlight.town.chance import seeded
from nightlight.town.disguise import DISGUISES, UNSEEN_DISGUISES, Disguise, is_disguisable, spell
from nightlight.town.gallery import EDITS
from nightlight.town.truth import LookAlike, PostKind, Role
from nightlight.town.words import load_planted_words

SmallTown = Any  # the fixture's own type lives in conftest.py, which tests do not import


def test_truth_names_only_ids_of_the_stream(small_town: SmallTown) -> None:
    data = [line.decoded() for line in small_town.lines]
    truth = small_town.truth
    assert set(truth.posts) <= {getattr(item, "post_id", "") for item in data}
    assert set(truth.media_files) <= {getattr(item, "media_id", "") for item in data}
    assert set(truth.accounts) <= {item.account_id for item in data}
    assert truth.events == len(small_town.raw)


def test_every_kind_of_post_is_there_a_few_times(small_town: SmallTown) -> None:
    kinds = Counter(post.kind for post in small_town.truth.posts.values())
    assert set(kinds) == set(get_args(PostKind))
    assert min(kinds.values()) >= 8


def test_every_look_alike_is_there_a_few_times(small_town: SmallTown) -> None:
    found = Counter(
        post.lookalike for post in small_town.truth.posts.values() if post.kind == "lookalike"
    )
    assert set(found) == set(get_args(LookAlike)) - {""}
    assert min(found.values()) >= 3


def test_every_disguise_is_there_a_few_times(small_town: SmallTown) -> None:
    adverts = [post for post in small_town.truth.posts.values() if post.kind == "advert"]
    found = Counter(post.disguise for post in adverts)
    assert set(found) == set(DISGUISES)
    assert min(found.values()) >= 2


def test_a_town_to_measure_with_has_other_spellings_and_other_sentences() -> None:
    seen, unseen = (_drawn(unseen=one) for one in (False, True))

    assert {post.disguise for post in unseen.truth().posts.values()} == set(UNSEEN_DISGUISES)
    assert set(DISGUISES) & set(UNSEEN_DISGUISES) == {"plain"}
    assert not set(_sentences(unseen=True)) & set(_sentences(unseen=False))
    assert seen.truth().accounts.keys() == unseen.truth().accounts.keys()


def _drawn(*, unseen: bool) -> Town:
    town = build_town(TownPlan(seed=3, accounts=200, posts=2_000, media=False, unseen=unseen))
    deque(town.events(), maxlen=0)
    return town


def _sentences(*, unseen: bool) -> list[str]:
    words = load_planted_words(unseen=unseen)
    said = [text for texts in words.lookalikes.values() for text in texts]
    return said + [shape.text for shape in words.advert_shapes]


def test_every_edit_of_a_known_picture_is_there_a_few_times(small_town: SmallTown) -> None:
    found = Counter(media.edit for media in small_town.truth.media_files.values() if media.known)
    assert set(found) == set(EDITS)
    assert min(found.values()) >= 2


def test_every_role_is_there_a_few_times(small_town: SmallTown) -> None:
    roles = Counter(account.role for account in small_town.truth.accounts.values())
    assert set(roles) == set(get_args(Role))
    assert min(roles.values()) >= 2


def test_one_to_three_posts_in_a_hundred_are_to_be_limited(small_town: SmallTown) -> None:
    limited = sum(post.act for post in small_town.truth.posts.values())
    assert 0.01 < limited / small_town.town.plan.posts < 0.03


def test_only_planted_things_are_to_be_limited(small_town: SmallTown) -> None:
    for post in small_town.truth.posts.values():
        assert post.act == (post.kind in {"advert", "repost", "media"})
    for media in small_town.truth.media_files.values():
        assert media.act == media.known == (media.edit != "lookalike_family")


def test_a_repost_follows_the_deletion_of_its_original_by_the_same_account(
    small_town: SmallTown,
) -> None:
    deleted = {
        line.decoded().post_id: line.time
        for line in small_town.lines
        if line.type is EventType.POST_DELETED
    }
    posted = _posted(small_town)
    reposts = {
        post_id: post.reposts for post_id, post in small_town.truth.posts.items() if post.reposts
    }
    assert len(reposts) >= 12
    for post_id, original in reposts.items():
        time, post = posted[post_id]
        assert posted[original][0] < deleted[original] < time
        assert posted[original][1].account_id == post.account_id


def test_some_reposts_are_changed_and_some_are_not(small_town: SmallTown) -> None:
    posted = _posted(small_town)
    same = {
        posted[post_id][1].text == posted[post.reposts][1].text
        for post_id, post in small_town.truth.posts.items()
        if post.kind == "repost"
    }
    assert same == {True, False}


def test_a_typo_is_fixed_with_the_same_letters(small_town: SmallTown) -> None:
    posted = _posted(small_town)
    fixes = [
        (posted[post.reposts][1].text, posted[post_id][1].text)
        for post_id, post in small_town.truth.posts.items()
        if post.kind == "typo_fix" and post.reposts
    ]
    assert fixes
    for wrong, right in fixes:
        assert wrong != right
        assert sorted(wrong) == sorted(right)


def test_a_returning_account_takes_over_from_a_seller_who_fell_silent(
    small_town: SmallTown,
) -> None:
    accounts = small_town.truth.accounts
    posts = [
        (line.decoded().account_id, line.time)
        for line in small_town.lines
        if line.type is EventType.POST_CREATED
    ]
    returning = {key: value for key, value in accounts.items() if value.role == "returning"}
    for account_id, account in returning.items():
        assert accounts[account.predecessor].role == "seller"
        before = [time for author, time in posts if author == account.predecessor]
        after = [time for author, time in posts if author == account_id]
        assert before
        assert after
        assert max(before) < min(after)


def test_a_returning_account_has_a_handle_much_like_the_old_one(small_town: SmallTown) -> None:
    handles = {
        line.decoded().account_id: line.decoded().handle
        for line in small_town.lines
        if line.type is EventType.ACCOUNT_CREATED
    }
    for account_id, account in small_town.truth.accounts.items():
        if account.predecessor:
            old, new = handles[account.predecessor], handles[account_id]
            assert old != new
            assert len(_letter_pairs(old) & _letter_pairs(new)) > 0.7 * len(_letter_pairs(old))


def test_plainly_spelt_code_words_stand_in_exactly_the_posts_that_truth_names(
    small_town: SmallTown,
) -> None:
    terms = [entry.text for entry in load_planted_words().terms]
    spelt = [spelling for term in terms for spelling in (term, term.capitalize())]
    word = re.compile("|".join(rf"(?<!\w){re.escape(one)}(?!\w)" for one in spelt))
    texts: dict[str, str] = {}
    for line in small_town.lines:
        if line.type in {EventType.POST_CREATED, EventType.POST_EDITED}:
            data = line.decoded()
            texts[data.post_id] = f"{texts.get(data.post_id, '')} {data.text}"
    plain = {post_id for post_id, text in texts.items() if word.search(text)}
    assert plain == {
        post_id
        for post_id, post in small_town.truth.posts.items()
        if post.terms and post.disguise == "plain"
    }


def test_engagers_engage_with_sellers_and_uploaders(small_town: SmallTown) -> None:
    roles = {key: account.role for key, account in small_town.truth.accounts.items()}
    engaged = {
        line.decoded().account_id
        for line in small_town.lines
        if line.type is EventType.ENGAGEMENT_CREATED
        and roles.get(line.decoded().target_account_id) in {"seller", "returning", "uploader"}
    }
    assert engaged == {key for key, role in roles.items() if role == "engager"}


def test_some_adverts_are_reported_by_users(small_town: SmallTown) -> None:
    reported = {
        line.decoded().post_id
        for line in small_town.lines
        if line.type is EventType.USER_REPORT_CREATED
    }
    assert any(
        small_town.truth.posts[post_id].act for post_id in reported & set(small_town.truth.posts)
    )


def test_some_adverts_are_edited_into_a_harmless_post(small_town: SmallTown) -> None:
    edited = {
        line.decoded().post_id for line in small_town.lines if line.type is EventType.POST_EDITED
    }
    assert any(
        small_town.truth.posts[post_id].act for post_id in edited & set(small_town.truth.posts)
    )


@pytest.mark.parametrize("disguise", [name for name in DISGUISES if name != "plain"])
def test_a_disguise_always_changes_the_spelling(disguise: Disguise) -> None:
    rng = seeded(1, "disguise")
    words = [entry.text for entry in load_planted_words().terms if is_disguisable(entry.text)]
    assert len(words) >= 8
    for word in words * 50:
        assert spell(word, disguise, rng) != word


def _posted(small_town: SmallTown) -> dict[str, tuple[str, Any]]:
    return {
        line.decoded().post_id: (line.time, line.decoded())
        for line in small_town.lines
        if line.type is EventType.POST_CREATED
    }


def _letter_pairs(handle: str) -> set[tuple[str, str]]:
    return set(pairwise(handle))
