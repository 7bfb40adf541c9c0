"""Draws the pictures and writes them beside the stream, with the hash bank and the lexicon.

Every picture is checked as it is drawn: edited copies stay within PDQ's reach of their original,
everything else stays out of the reach of every known picture, turned or mirrored as it may be.
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from PIL import Image

from nightlight.errors import IntegrityFailure
from nightlight.model.bank import Classification, HashKind
from nightlight.town.distinct import (
    LEAST_QUALITY,
    Sketch,
    Taken,
    sketch,
    sketch_of_file,
    turned_and_flipped,
)
from nightlight.town.edits import edited, jpeg
from nightlight.town.gallery import KNOWN, Gallery
from nightlight.town.scenes import draw_scene
from nightlight.town.truth import Edit
from nightlight.town.words import lexicon_terms, load_planted_words

# PDQ matches at 31 bits or fewer. Copies stay below, strangers above, each with bits to spare for
# another decoder's rounding.
_COPY_BITS = 24
_FAMILY_BITS, _FAMILY_MOST_BITS = 40, 72
_STRANGER_BITS = 48
_ATTEMPTS = 40
_TURNS = 8
_STRENGTHS = (1.0, 0.75, 0.5, 0.25, 0.1)
_BLENDS = tuple(share / 100 for share in range(20, 85, 5))
_CLASSIFICATIONS: tuple[Classification, ...] = ("A1", "A2", "B1", "B2")


class Materials(Struct, frozen=True, kw_only=True):
    """Where the materials of a stream are; None for what was not written."""

    media: Path | None = None
    bank: Path | None = None
    lexicon: Path | None = None
    files: int = 0


class _BankLine(Struct, frozen=True, kw_only=True):
    """A line of the bank file."""

    kind: HashKind
    value: str
    classification: Classification
    id: str


class _Original(Struct, frozen=True, kw_only=True):
    """A known picture as drawn, and as the file that is uploaded unchanged."""

    picture: Image.Image
    content: bytes
    sketch: Sketch


def write_materials(
    stem: Path, *, seed: int, gallery: Gallery, drawn: Callable[[int], None]
) -> Materials:
    """Write all materials beside ``stem`` and return where they are."""
    materials = Materials(
        media=stem.with_name(f"{stem.name}.media") if gallery.file_count else None,
        bank=stem.with_name(f"{stem.name}.bank.ndjson"),
        lexicon=stem.with_name(f"{stem.name}.lexicon.ndjson"),
        files=gallery.file_count,
    )
    bank: list[_BankLine] = []
    if materials.media is not None:
        materials.media.mkdir(parents=True, exist_ok=True)
        studio = _Studio(seed=seed, gallery=gallery)
        for count, (name, content) in enumerate(studio.files(), start=1):
            (materials.media / name).write_bytes(content)
            drawn(count)
        bank = studio.bank()
    if materials.bank is not None:
        materials.bank.write_bytes(_lines(bank))
    if materials.lexicon is not None:
        materials.lexicon.write_bytes(_lines(lexicon_terms(load_planted_words())))
    return materials


class _Studio:
    """Draws until every picture keeps its distance."""

    def __init__(self, *, seed: int, gallery: Gallery) -> None:
        self._seed = seed
        self._gallery = gallery
        self._known = Taken(KNOWN * _TURNS)
        self._all = Taken(KNOWN + gallery.file_count)
        self._originals = [self._original(index) for index in range(KNOWN)]

    def bank(self) -> list[_BankLine]:
        """Return three hashes of every known picture."""
        return [
            _BankLine(
                kind=kind,
                value=value,
                classification=_CLASSIFICATIONS[index % len(_CLASSIFICATIONS)],
                id=f"known-{index:03d}-{kind}",
            )
            for index, original in enumerate(self._originals)
            for kind, value in (
                (HashKind.PDQ, original.sketch.hex()),
                (HashKind.MD5, hashlib.md5(original.content, usedforsecurity=False).hexdigest()),
                (HashKind.SHA256, hashlib.sha256(original.content).hexdigest()),
            )
        ]

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield every file of the gallery by name."""
        for copy in self._gallery.known:
            yield copy.file, self._copy(self._originals[copy.known], copy.edit)
        for index, name in enumerate(self._gallery.family):
            yield name, self._family(index)
        for index, name in enumerate(self._gallery.ordinary):
            yield name, self._ordinary(index, name)

    def _original(self, index: int) -> _Original:
        for attempt in range(_ATTEMPTS):
            picture = draw_scene(self._seed, "known", index, attempt)
            drawn, content = sketch(picture), jpeg(picture)
            if (
                drawn.quality >= LEAST_QUALITY
                and self._known.nearest(drawn.bits) > _STRANGER_BITS
                and _distance(drawn, sketch_of_file(content)) <= _COPY_BITS
            ):
                for bits in turned_and_flipped(picture):
                    self._known.add(bits)
                self._all.add(drawn.bits)
                return _Original(picture=picture, content=content, sketch=drawn)
        raise _undrawable()

    def _copy(self, original: _Original, edit: Edit) -> bytes:
        if edit == "none":
            return original.content
        for strength in _STRENGTHS:
            content = edited(original.picture, edit, strength)
            if _distance(original.sketch, sketch_of_file(content)) <= _COPY_BITS:
                return content
        raise _undrawable()

    def _family(self, index: int) -> bytes:
        """Return a known scene with so much of another in it that it is another picture."""
        original = self._originals[index % KNOWN]
        for attempt in range(_ATTEMPTS):
            guest = draw_scene(self._seed, "family", index, attempt)
            for share in _BLENDS:
                content = jpeg(Image.blend(original.picture, guest, share))
                blended = sketch_of_file(content)
                if blended.quality < LEAST_QUALITY:
                    continue
                if _FAMILY_BITS <= self._known.nearest(blended.bits) <= _FAMILY_MOST_BITS:
                    self._all.add(blended.bits)
                    return content
        raise _undrawable()

    def _ordinary(self, index: int, name: str) -> bytes:
        for attempt in range(_ATTEMPTS):
            picture = draw_scene(self._seed, "ordinary", index, attempt)
            content = _png(picture) if name.endswith(".png") else jpeg(picture)
            found = sketch_of_file(content)
            if (
                found.quality >= LEAST_QUALITY
                and self._known.nearest(found.bits) > _STRANGER_BITS
                and self._all.nearest(found.bits) > _STRANGER_BITS
            ):
                self._all.add(found.bits)
                return content
        raise _undrawable()


def _distance(first: Sketch, second: Sketch) -> int:
    return int((first.bits != second.bits).sum())


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _undrawable() -> IntegrityFailure:
    return IntegrityFailure(
        f"No picture of {_ATTEMPTS} kept its distance", hint="take another seed"
    )


def _lines(values: Sequence[Struct]) -> bytes:
    encode = msgspec.json.Encoder().encode
    return b"".join(encode(value) + b"\n" for value in values)
