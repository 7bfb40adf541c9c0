"""What people write: ordinary posts, look-alikes and adverts."""

from collections.abc import Sequence
from random import Random

from msgspec import Struct, structs

from nightlight.town.chance import pick
from nightlight.town.disguise import Disguise, is_disguisable, spell
from nightlight.town.words import AdvertShape, Phrases, PlantedWords

_LINK_SHARE = 0.07
_TAG_SHARE = 0.35
_MARKET = "https://corner.example.test/"
_PRESS = "https://press.example.test/"
_HOBBY_WORD = "vornadel"
#: Of look-alikes: whole sentences, the others are put together from parts.
_WHOLE_SHARE = 0.3
#: Of those who may retell what others sell.
_RETOLD_SHARE = 0.6
_RETELLERS = frozenset({"reporter", "researcher", "survivor", "helpline", "quotation"})
_DISGUISED_SHARE = 0.4
_SYLLABLES = ("ba", "dro", "fi", "gul", "ka", "lem", "mo", "nis", "pu", "ros", "ta", "vex", "zim")


def handle_of(rng: Random) -> str:
    """Return an invented handle on some other service."""
    return f"@{''.join(pick(rng, _SYLLABLES) for _ in range(3))}{rng.randint(10, 99)}"


class OrdinaryProse:
    """Writes harmless posts of which hardly two are alike."""

    def __init__(self, *, phrases: Sequence[Phrases], rng: Random) -> None:
        self._random = rng.random
        self._rng = rng
        self._remarks = {voice.language: voice.remarks for voice in phrases}
        self._voices = [voice for voice in phrases for _ in range(voice.weight)]

    def voice(self, account_number: int) -> Phrases:
        """Return the language of an account: always the same one."""
        return self._voices[account_number * 37 % len(self._voices)]

    def post(self, voice: Phrases) -> str:
        """Return a text of one to three sentences, some with a hashtag or a link."""
        rng, random = self._rng, self._random
        number = str(2 + int(random() * 38))
        parts = [
            pick(rng, voice.times if random() < 2 / 3 else voice.openers),
            pick(rng, voice.doings),
        ]
        if random() < 2 / 3:
            parts.append(pick(rng, voice.details).replace("{n}", number))
        parts += (pick(rng, voice.places), pick(rng, voice.remarks))
        if random() < 1 / 2:
            parts.append(pick(rng, voice.remarks))
        if random() < _TAG_SHARE:
            parts.append(pick(rng, voice.tags))
        text = voice.joiner.join(parts)
        if random() < _LINK_SHARE:
            return f"{text} https://blog.example.test/{int(random() * 1e9):x}"
        return text

    def remark(self, language: str) -> str:
        """Return a short closing sentence."""
        return pick(self._rng, self._remarks[language])


class LookAlikeProse:
    """Writes harmless posts with planted words in them."""

    def __init__(self, *, words: PlantedWords, disguises: Sequence[Disguise], rng: Random) -> None:
        self._words = words
        self._disguises = disguises
        self._rng = rng

    def post(self, writer: str) -> tuple[str, Disguise | None]:
        """Return a text by such a writer and how its code words are spelt, None without any."""
        rng = self._rng
        shape = self._shape(writer)
        disguise: Disguise = "plain"
        term, other = pick(rng, self._words.terms).text, pick(rng, self._words.terms).text
        if "{term}" in shape and rng.random() < _DISGUISED_SHARE and is_disguisable(term):
            # Who writes about a word may spell it so that nobody finds it through them.
            disguise = pick(rng, self._disguises)
            term, other = spell(term, disguise, rng), spell(other, disguise, rng)
        text = shape.format(
            term=term,
            other=other,
            cue=pick(rng, self._words.cues).text,
            n=rng.randint(2, 60),
            link=f"{_PRESS}{rng.getrandbits(32):x}",
            handle=handle_of(rng),
            tag=pick(rng, self._words.tags),
        )
        return text, disguise if "{term}" in shape or _HOBBY_WORD in shape.casefold() else None

    def _shape(self, writer: str) -> str:
        parts = self._words.lookalike_parts.get(writer)
        if parts is None or self._rng.random() < _WHOLE_SHARE:
            return pick(self._rng, self._words.lookalikes[writer])
        said = [pick(self._rng, parts.openings), pick(self._rng, parts.bodies)]
        if writer in _RETELLERS and self._rng.random() < _RETOLD_SHARE:
            said.insert(1, pick(self._rng, self._words.retold))
        sentences = [f"{one[:1].upper()}{one[1:]}." for one in said]
        return " ".join([*sentences, pick(self._rng, parts.closings)]).strip()


class Advert(Struct, frozen=True, kw_only=True):
    """An advert in parts, so that it can be posted again with a part changed."""

    language: str
    shape: str
    term: str
    other: str
    cue: str
    second_cue: str
    n: int
    contact: str
    handle: str
    disguise: Disguise

    def text(self) -> str:
        """Return the advert as posted."""
        return self.shape.format(
            term=self.term,
            other=self.other,
            cue=self.cue,
            second_cue=self.second_cue,
            n=self.n,
            contact=self.contact,
            handle=self.handle,
        )


class SellerVoice(Struct, frozen=True, kw_only=True):
    """What all adverts of a seller have in common, also after coming back under a new name."""

    language: str
    shape: str
    terms: tuple[str, ...]
    cues: tuple[str, str]
    contact: str
    handle: str


class AdvertProse:
    """Writes adverts in code words and cues."""

    def __init__(self, *, words: PlantedWords, rng: Random) -> None:
        self._words = words
        self._rng = rng
        self._terms = [entry.text for entry in words.terms]
        self._latin = [term for term in self._terms if is_disguisable(term)]
        # A small town has fewer sellers than there are shapes: another seed shows others.
        self._first_shape = rng.randrange(len(words.advert_shapes))

    def seller(self, number: int) -> SellerVoice:
        """Return the way of a seller; the sellers between them use every term."""
        rng = self._rng
        shape = self._shape(number)
        fitting = [
            entry.text for entry in self._words.cues if entry.language in ("", "en", shape.language)
        ]
        first, second = rng.sample(fitting, 2)
        offset = number * 3
        return SellerVoice(
            language=shape.language,
            shape=shape.text,
            terms=tuple(self._terms[(offset + step) % len(self._terms)] for step in range(3)),
            cues=(first, second),
            contact=f"{_MARKET}{rng.getrandbits(24):x}",
            handle=handle_of(rng),
        )

    def _shape(self, number: int) -> AdvertShape:
        """Return a shape of the list for every other seller, and a made one for the rest."""
        parts, shapes = self._words.advert_parts, self._words.advert_shapes
        if parts is None:
            return shapes[(self._first_shape + number) % len(shapes)]
        if number % 2 == 0:
            return shapes[(self._first_shape + number // 2) % len(shapes)]
        rng = self._rng
        # Without a way to buy it would be a mention that nobody could call an offer.
        said = [pick(rng, list(filter(None, parts.contacts)))]
        said.append(pick(rng, list(filter(None, (*parts.prices, *parts.selling)))))
        said += [pick(rng, parts.prices), pick(rng, parts.amounts)][: 1 + rng.randrange(2)]
        rng.shuffle(said)
        texts = [pick(rng, parts.goods), *filter(None, said)]
        return AdvertShape(language="en", text=pick(rng, parts.joiners).join(texts))

    def advert(self, voice: SellerVoice, disguise: Disguise) -> Advert:
        """Return a new advert of the seller, its code words in that spelling."""
        rng = self._rng
        terms = list(voice.terms)
        if disguise != "plain":
            # Every code word of a disguised advert is disguised: none gives it away.
            terms = [term for term in terms if is_disguisable(term)]
            terms += [term for term in rng.sample(self._latin, 3) if term not in terms]
        term, other = rng.sample(terms, 2)
        return Advert(
            language=voice.language,
            shape=voice.shape,
            term=spell(term, disguise, rng),
            other=spell(other, disguise, rng),
            cue=voice.cues[0],
            second_cue=voice.cues[1],
            n=rng.randint(2, 90),
            contact=voice.contact,
            handle=voice.handle,
            disguise=disguise,
        )

    def again(self, advert: Advert, number: int) -> str:
        """Return the advert's text unchanged, with a number changed, or with words changed."""
        text = advert.text()
        match number % 3:
            case 0:
                return text
            case 1:
                return structs.replace(advert, n=advert.n + 1).text()
            case _:
                return f"again: {text}"
