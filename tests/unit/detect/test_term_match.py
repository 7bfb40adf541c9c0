"""Every disguise of a nonsense term is found; look-alike words are not."""

# ruff: noqa: RUF001  characters that look like others are what is tested here

from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlight.detect.term_finder import TermFinder
from nightlight.detect.term_match import TermMatch
from nightlight.errors import InvalidInput
from nightlight.model.context import Context
from nightlight.model.event import (
    AccountCreated,
    AccountUpdated,
    Event,
    EventData,
    EventType,
    MediaUploaded,
    PostCreated,
    PostDeleted,
    PostEdited,
)
from nightlight.model.ids import EventKey
from nightlight.model.lexicon import Term, TermKind
from nightlight.model.signal import Fact, Signal, Subject, SubjectKind
from nightlight.town.disguise import DISGUISES, UNSEEN_DISGUISES, Disguise, spell

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


def term(text: str, *, kind: TermKind = TermKind.TERM, severity: int = 50) -> Term:
    return Term(id=f"tm_{len(text)}_{kind.value}", kind=kind, text=text, severity=severity)


def event(data: EventData, kind: EventType = EventType.POST_CREATED) -> Event:
    return Event(key=EventKey("k"), source="s", id="1", type=kind, time=NOON, data=data)


def post(text: str) -> Event:
    return event(PostCreated(post_id="p1", account_id="a1", text=text))


def signals(text: str, *terms: Term) -> list[Signal]:
    return list(TermMatch(TermFinder(terms)).detect(post(text), Context()))


def facts(text: str, *terms: Term) -> dict[str, Fact]:
    found = signals(text, *terms)
    return dict(found[0].facts) if found else {}


def finds(text: str, term_text: str) -> bool:
    return bool(signals(text, term(term_text)))


@pytest.mark.parametrize(
    "text",
    [
        "blenkort",
        "Fresh BLENKORT today",
        "#blenkort",
        "blenkort!",
        "blenkort's",
        "(blenkort)",
        "the_blenkort_guy",
        "blenkort2024",
        "one,blenkort;two",
        "zorb\nblenkort",
        "ｂｌｅｎｋｏｒｔ",
        "きょうblenkortを",
    ],
)
def test_term_is_found_undisguised_as_a_word(text: str) -> None:
    assert facts(text, term("Blenkort"))["term_disguised"] is False


@pytest.mark.parametrize(
    ("view", "text"),
    [
        ("skeleton", "bl\u0435nk\u043ert"),
        ("skeleton", "blen\u200bkort"),
        ("skeleton", "b\u0335l\u0335enkórt"),
        ("skeleton", "🅱🅻🅴🅽🅺🅾🆁🆃"),
        ("joined", "get b l e n k o r t now"),
        ("joined", "b.l.e.n.k.o.r.t"),
        ("leet", "bl3nk0r7"),
        ("leet", "b l 3 n k 0 r t"),
        ("leet", "ｂl3nk\u200b0rt"),
        ("leet_l", "b1enkort"),
        ("leet_l", "bIenkort"),
        ("squeezed", "blennnkort"),
        ("squeezed", "bblleenkort"),
        ("squeezed", "bl3nk00000rt"),
        ("reversed", "troknelb"),
        ("reversed", "tr0kn3lb"),
        ("reversed", "t r o k n e l b"),
        ("reversed", "tr\u043eknelb"),
        ("reversed", "#trok #nelb"),
        ("reversed", "trooooknelb"),
        ("reversed", "ʇɹoʞuǝlq"),
        ("turned", "qlǝuʞoɹʇ"),
        ("split", "#blen #kort"),
        ("split", "@blen kort"),
        ("split", "get blen #kort now"),
        ("split", "#fresh #blen #kort #now"),
        ("split", "blen\nkort"),
        ("split", "sale\nblen\nkort\nnow"),
        ("split", "bl3n\nkort"),
        ("compound", "#BlenkortClub"),
        ("compound", "#MyBlenkort"),
        ("compound", "TheBlenkortGuy"),
        ("punctuated", "blen.kort"),
        ("punctuated", "b(l)enkort"),
        ("punctuated", "blen🌶kort"),
        ("punctuated", "blen🌶️kort"),
        ("punctuated", "bl'enkort"),
        ("punctuated", "blen.kort.now"),
        ("masked", "bl*nk*rt"),
        ("masked", "bl#nkort"),
        ("masked", "get bl_nk_rt!"),
        ("masked", "the_bl*nk*rt_guy"),
        ("masked", "**bl*nk*rt**"),
        ("masked", "tr*kn*lb"),
        ("masked", "bl🌶nk🌶rt"),
    ],
)
def test_disguised_term_is_found_and_said_to_be_disguised(view: str, text: str) -> None:
    found = signals(text, term("blenkort"))
    assert found[0].facts["term_disguised"] is True
    views = found[0].evidence["views"]
    assert isinstance(views, list)
    assert view in views


@pytest.mark.parametrize(
    "text",
    [
        "blenkortage",
        "ablenkort",
        "blenkorts",
        "blenkor t",
        "blenk ort",
        "blenkoort",
        "b1enkortage",
        "blenkort4ge",
        "bleenkortaage",
        "blen kort",
        "blen, kort",
        "blen. Kort",
        "a #tag blen kort",
        "able.nkort",
        "#ABlenkortage",
        "b\nlenkort",  # one letter is no part of a word
        "https://blen.kort.example.test/blen-kort",
        "bl*nk",
        "bl*nkirt",
        "bl*nkart*",
        "#lenkort",
        "bl-nkort",
        "b*l*e*n",
        "an ordinary day without any",
        "",
    ],
)
def test_longer_and_other_words_are_not_found(text: str) -> None:
    assert not finds(text, "blenkort")


@pytest.mark.parametrize(
    ("term_text", "text"),
    [
        ("zorb", "quiz orb"),  # across words
        ("zorbl", "zor\nbl"),  # five letters: parts are not joined
        ("zorbl", "zor.bl"),
        ("zorbl", "z*rbl"),
        ("zorbl", "#ZorblClub"),
        ("zoorb", "zorb and zzorrk"),  # the term's own double letter is missing
        ("zal", "z4l"),  # three letters: no leet
        ("zal", "z a l"),  # nor joined
        ("zorl", "zori 2day"),  # "i" is not "l" where it is written plainly
        ("zorblu", "zorblu\u0308k"),
        ("zorb1", "zorb12"),
        ("cop", "\u0441\u043e\u0440 \u0438 \u0434\u043e\u043c"),  # a word of a Russian sentence
        ("\u043c\u043e\u0439", "\u043c\u043e\u0438"),  # two Russian words, one mark apart
        ("कब", "कबूल"),
        ("がぎ", "かき"),
        ("👩", "👩\u200d💻"),
    ],
)
def test_look_alike_of_a_term_is_not_found(term_text: str, text: str) -> None:
    assert not finds(text, term_text)


@pytest.mark.parametrize(
    ("term_text", "text"),
    [
        ("зорбля", "Свежая ЗОРБЛЯ тут"),
        ("зорбля", "свежая зopбля тут"),  # Latin o and p
        ("зорбля", "з о р б л я"),
        ("ゾルブ", "きょうはゾルブです"),
        ("زوربل", "هنا زوربل!"),
        ("زوربل", "هنا زوـربل!"),
        ("ज़ोर्बल", "यह ज़ोर्बल है"),
        ("ซอร์เบิล", "วันนี้ซอร์เบิลมา"),
        ("조르블", "오늘 조르블을 봤다"),
        ("zorb flux", "fresh Zorb\n Flux here"),
        ("zorb flux", "#ZorbFlux"),
        ("zorb flux", "zorb-flux"),
        ("zorb flux", "z0rb_flux"),
        ("zo", "a ZO b"),
        ("zorblefux", "zorblephux"),
        ("зорбля", "зор\nбля"),
        ("зорбля", "зор.бля"),
        ("зорбля", "з*рбл*"),
        ("zorb4u", "ZORB4U"),
        ("🦓🪀", "look🦓🪀now"),
        ("🦓\ufe0f🪀", "🦓🪀"),
        ("👩\u200d💻", "👩\u200d💻!"),
    ],
)
def test_term_of_any_script_or_several_words_is_found(term_text: str, text: str) -> None:
    assert finds(text, term_text)


def test_facts_count_distinct_terms_and_the_highest_severity() -> None:
    found = facts("zorb zorb kleptic", term("zorb", severity=30), term("kleptic", severity=80))
    assert (found["term_count"], found["term_severity"], found["term_in"]) == (2, 80, "post")


def test_cues_and_exclusions_are_counted_beside_a_term() -> None:
    cue = term("plonk", kind=TermKind.CUE)
    exclusion = term("newsflab", kind=TermKind.EXCLUSION)
    found = facts("zorb plonk newsflab", term("zorb"), cue, exclusion)
    assert (found["term_count"], found["cue_count"], found["exclusion_count"]) == (1, 1, 1)


@pytest.mark.parametrize("kind", [TermKind.CUE, TermKind.EXCLUSION])
def test_cue_or_exclusion_alone_says_nothing(kind: TermKind) -> None:
    assert signals("zorb", term("zorb", kind=kind)) == []


def test_exclusion_halves_the_confidence() -> None:
    exclusion = term("newsflab", kind=TermKind.EXCLUSION)
    alone, beside = (signals(text, term("zorb"), exclusion) for text in ("zorb", "zorb newsflab"))
    assert beside[0].confidence == alone[0].confidence / 2


def test_variant_of_a_term_is_found_as_the_term_itself() -> None:
    listed = Term(id="tm_1", kind=TermKind.TERM, text="zorbleflux", variants=("sorblephlux",))
    found = signals("fresh s0rblephlux", listed)
    assert found[0].evidence["terms"] == ["tm_1"]


def test_one_plain_term_does_not_hide_a_disguised_one() -> None:
    assert facts("zorb kl3ptic", term("zorb"), term("kleptic"))["term_disguised"] is True


def test_term_inside_a_longer_term_is_found_too() -> None:
    assert facts("zorb flux", term("zorb"), term("zorb flux"))["term_count"] == 2


def test_evidence_names_places_and_never_words() -> None:
    found = signals("fresh zorbleflux", term("zorbleflux"))[0]
    assert found.evidence["places"] == ["tm_10_term text/plain 6-16"]
    assert "zorbleflux" not in repr(found)


def test_edited_post_is_searched() -> None:
    edited = event(PostEdited(post_id="p1", account_id="a1", text="zorb"), EventType.POST_EDITED)
    found = TermMatch(TermFinder([term("zorb")])).detect(edited, Context())
    assert [each.subject for each in found] == [Subject(kind=SubjectKind.POST, id="p1")]


@pytest.mark.parametrize("field", ["handle", "display_name", "bio"])
def test_each_field_of_a_profile_is_searched(field: str) -> None:
    fields = {"handle": "h", field: "my zorb"}
    created = event(AccountCreated(account_id="a1", **fields), EventType.ACCOUNT_CREATED)
    found = TermMatch(TermFinder([term("zorb")])).detect(created, Context())
    assert [each.subject for each in found] == [Subject(kind=SubjectKind.ACCOUNT, id="a1")]
    assert found[0].facts["term_in"] == "profile"


def test_profile_field_left_out_of_an_update_is_no_text() -> None:
    updated = event(AccountUpdated(account_id="a1", bio="zorb"), EventType.ACCOUNT_UPDATED)
    assert len(TermMatch(TermFinder([term("zorb")])).detect(updated, Context())) == 1


def test_description_of_media_is_searched() -> None:
    data = MediaUploaded(media_id="m1", account_id="a1", description="a zorb")
    found = TermMatch(TermFinder([term("zorb")])).detect(
        event(data, EventType.MEDIA_UPLOADED), Context()
    )
    assert [each.subject for each in found] == [Subject(kind=SubjectKind.MEDIA, id="m1")]
    assert found[0].facts["term_in"] == "media"


def test_event_without_text_gives_nothing() -> None:
    deleted = event(PostDeleted(post_id="p1"), EventType.POST_DELETED)
    assert TermMatch(TermFinder([term("zorb")])).detect(deleted, Context()) == ()


def test_empty_lexicon_finds_nothing() -> None:
    assert signals("zorb") == []


def test_term_of_which_nothing_is_left_is_refused_by_id() -> None:
    with pytest.raises(InvalidInput, match="tm_1_term"):
        TermFinder([term("\n")])


def test_ten_thousand_terms_are_each_found() -> None:
    words = [f"zor{a}{b}{c}{d}k" for a in "aeiou" for b in "bdfgklmnpr" for c in "aeiouy" for d in
             "bcdfghjklmnpqrstvwxzaeiouybcdfghj"][:10_000]  # fmt: skip
    words = sorted(set(words))
    detector = TermMatch(TermFinder(Term(id=word, kind=TermKind.TERM, text=word) for word in words))
    for word in words[:: len(words) // 50]:
        assert len(detector.detect(post(f"a {word} b"), Context())) == 1


def test_facts_of_a_signal_are_the_declared_ones() -> None:
    found = facts("zorb", term("zorb"))
    assert {k: type(v) for k, v in found.items()} == {
        k: type(v) for k, v in TermMatch.facts.items()
    }


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=80))
def test_any_text_is_searched_and_places_lie_in_it(text: str) -> None:
    listed = [term("zorbleflux"), term("zorb"), term("a", severity=9), term("\N{ZEBRA FACE}x")]
    for one in TermFinder(listed).find_in("text", text + " zorb"):
        assert 0 <= one.start < one.end


@pytest.mark.parametrize("disguise", sorted({*DISGUISES, *UNSEEN_DISGUISES}))
@pytest.mark.parametrize("word", ["quindrosk", "ossiplomb"])
@pytest.mark.parametrize("around", ["{}", "get {} now", "menu below\n{} 20 a go, ask @flob"])
def test_term_is_found_in_every_spelling_of_the_town(
    disguise: Disguise, word: str, around: str
) -> None:
    for seed in range(8):
        spelt = spell(word, disguise, Random(seed))  # noqa: S311  the same each time
        assert finds(around.format(spelt), word), seed
