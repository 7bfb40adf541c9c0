"""What people write: ordinary posts, look-alikes and adverts."""

from collections.abc import Sequence
from random import Random

from msgspec import Struct, structs

from nightlight.town.chance import pick
from nightlight.town.disguise import Disguise, is_disguisable, spell
from nightlight.town.words import Phrases, PlantedWords

_LINK_SHARE = 0.07
_TAG_SHARE = 0.35
_MARKET = "https://corner.example.test/"
_PRESS = "https://press.example.test/"
_HOBBY_WORD = "vornadel"


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

    def __init__(self, *, words: PlantedWords, rng: Random) -> None:
        self._words = words
        self._rng = rng

    def post(self, writer: str) -> tuple[str, bool]:
        """Return a text by such a writer and whether a code word stands in it."""
        rng = self._rng
        shape = pick(rng, self._words.lookalikes[writer])
        text = shape.format(
            term=pick(rng, self._words.terms).text,
            cue=pick(rng, self._words.cues).text,
            n=rng.randint(2, 60),
            link=f"{_PRESS}{rng.getrandbits(32):x}",
            tag=pick(rng, self._words.tags),
        )
        return text, "{term}" in shape or _HOBBY_WORD in shape


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
        )


class SellerVoice(Struct, frozen=True, kw_only=True):
    """What all adverts of a seller have in common, also after coming back under a new name."""

    language: str
    shape: str
    terms: tuple[str, ...]
    cues: tuple[str, str]
    contact: str


class AdvertProse:
    """Writes adverts in code words and cues."""

    def __init__(self, *, words: PlantedWords, rng: Random) -> None:
        self._words = words
        self._rng = rng
        self._terms = [entry.text for entry in words.terms]
        self._latin = [term for term in self._terms if is_disguisable(term)]

    def seller(self, number: int) -> SellerVoice:
        """Return the way of a seller; the sellers between them use every term."""
        rng = self._rng
        shape = self._words.advert_shapes[number % len(self._words.advert_shapes)]
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
        )

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
