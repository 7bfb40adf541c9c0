"""Pictures, bank and lexicon are what the truth says they are."""

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pdqhash
from numpy.typing import NDArray
from PIL import Image

from nightlight.model.bank import HASH_DIGITS, BankEntry, HashKind
from nightlight.model.event import EventType
from nightlight.model.lexicon import Term, TermKind
from nightlight.town import TownPlan, build_town

SmallTown = Any  # the fixture's own type lives in conftest.py, which tests do not import

PDQ_MATCHES = 31
LEAST_QUALITY = 50


def test_every_url_of_the_stream_is_a_file_of_its_content_type(small_town: SmallTown) -> None:
    formats = {"image/jpeg": "JPEG", "image/png": "PNG"}
    for data in _uploads(small_town).values():
        with Image.open(small_town.materials.media / data.url) as picture:
            assert picture.format == formats[data.content_type]


def test_known_pictures_match_the_bank_after_every_edit(small_town: SmallTown) -> None:
    bank = _bank_bits(small_town)
    known = [key for key, media in small_town.truth.media_files.items() if media.known]
    assert known
    for media_id in known:
        bits, quality = _hashed(small_town, media_id)
        assert quality >= LEAST_QUALITY
        assert (bank != bits).sum(axis=1).min() <= PDQ_MATCHES


def test_ordinary_and_family_pictures_do_not_match_the_bank(small_town: SmallTown) -> None:
    bank = _bank_bits(small_town)
    known = [key for key, media in small_town.truth.media_files.items() if media.known]
    others = set(_uploads(small_town)) - set(known)
    assert len(others) > 50
    for media_id in others:
        bits, quality = _hashed(small_town, media_id)
        assert quality >= LEAST_QUALITY
        assert (bank != bits).sum(axis=1).min() > PDQ_MATCHES


def test_family_pictures_are_nearer_to_the_bank_than_chance(small_town: SmallTown) -> None:
    bank = _bank_bits(small_town)
    for media_id, media in small_town.truth.media_files.items():
        if media.edit == "lookalike_family":
            bits, _ = _hashed(small_town, media_id)
            assert (bank != bits).sum(axis=1).min() < 80


def test_pictures_of_the_bank_do_not_match_each_other(small_town: SmallTown) -> None:
    bank = _bank_bits(small_town)
    for index, bits in enumerate(bank):
        assert (np.delete(bank, index, axis=0) != bits).sum(axis=1).min() > PDQ_MATCHES


def test_exact_copies_match_by_md5_and_sha256_and_edited_ones_do_not(
    small_town: SmallTown,
) -> None:
    values = {entry.value for entry in _bank(small_town)}
    for media_id, media in small_town.truth.media_files.items():
        content = _file(small_town, media_id).read_bytes()
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        sha256 = hashlib.sha256(content).hexdigest()
        assert (md5 in values) == (sha256 in values) == (media.edit == "none")


def test_bank_lines_are_bank_entries(small_town: SmallTown) -> None:
    entries = _bank(small_town)
    assert {entry.kind for entry in entries} == {HashKind.PDQ, HashKind.MD5, HashKind.SHA256}
    assert {entry.classification for entry in entries} == {"A1", "A2", "B1", "B2"}
    assert len({entry.id for entry in entries}) == len(entries)
    for entry in entries:
        assert len(entry.value) == HASH_DIGITS[entry.kind]


def test_lexicon_lines_are_terms_of_every_kind(small_town: SmallTown) -> None:
    lines = small_town.materials.lexicon.read_bytes().splitlines()
    terms = [msgspec.json.decode(line, type=Term) for line in lines]
    assert {term.kind for term in terms} == set(TermKind)
    assert len({term.id for term in terms}) == len(terms)


def test_equal_plans_draw_equal_files_and_tell_how_far_they_are(
    small_town: SmallTown, tmp_path: Path
) -> None:
    told: list[int] = []
    town = build_town(small_town.town.plan)
    again = town.write_materials(tmp_path / "events", drawn=told.append)
    assert again.media is not None
    first = {path.name: path.read_bytes() for path in small_town.materials.media.iterdir()}
    assert {path.name: path.read_bytes() for path in again.media.iterdir()} == first
    assert told == list(range(1, len(first) + 1))


def test_a_town_without_media_has_an_empty_bank_and_a_lexicon(tmp_path: Path) -> None:
    town = build_town(TownPlan(media=False))
    materials = town.write_materials(tmp_path / "events")
    assert {path.name for path in tmp_path.iterdir()} == {
        "events.bank.ndjson",
        "events.lexicon.ndjson",
    }
    assert materials.files == 0
    assert town.truth().media == ""


def _uploads(small_town: SmallTown) -> dict[str, Any]:
    return {
        line.decoded().media_id: line.decoded()
        for line in small_town.lines
        if line.type is EventType.MEDIA_UPLOADED
    }


def _file(small_town: SmallTown, media_id: str) -> Path:
    path: Path = small_town.materials.media / _uploads(small_town)[media_id].url
    return path


def _hashed(small_town: SmallTown, media_id: str) -> tuple[NDArray[np.uint8], int]:
    with Image.open(_file(small_town, media_id)) as picture:
        bits, quality = pdqhash.compute(np.asarray(picture.convert("RGB")))
    return bits.astype(np.uint8), int(quality)


def _bank(small_town: SmallTown) -> list[BankEntry]:
    entries = []
    for line in small_town.materials.bank.read_bytes().splitlines():
        fields = {"bank": "town", **msgspec.json.decode(line)}
        entries.append(msgspec.convert(fields, BankEntry))
    return entries


def _bank_bits(small_town: SmallTown) -> NDArray[np.uint8]:
    values = [entry.value for entry in _bank(small_town) if entry.kind is HashKind.PDQ]
    packed = np.array([list(bytes.fromhex(value)) for value in values], dtype=np.uint8)
    return np.unpackbits(packed, axis=1)
