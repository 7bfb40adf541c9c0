"""What a file is, told from how it begins."""

import pytest

from nightlight.adapters.file_kind import is_known_non_picture, is_video_or_sound

STREAMS = {
    "MP4": b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2",
    "QuickTime": b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ",
    "Matroska": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01",
    "AVI": b"RIFF\x00\x00\x00\x00AVI LIST",
    "WAVE": b"RIFF\x00\x00\x00\x00WAVEfmt ",
    "Ogg": b"OggS\x00\x02",
    "FLAC": b"fLaC\x00\x00",
    "MP3": b"ID3\x04\x00\x00",
    "Flash": b"FLV\x01\x05",
    "programme stream": b"\x00\x00\x01\xba\x44",
    "Windows media": b"0&\xb2u\x8ef\xcf\x11\xa6\xd9",
    "transport stream": (b"G" + bytes(187)) * 4,
    "transport stream of a disc": (bytes(4) + b"G" + bytes(187)) * 4,
}
OLD_QUICKTIME = {
    "moov": b"\x00\x00\x10\x00moov",
    "mdat": b"\x00\x00\x10\x00mdat",
    "wide": b"\x00\x00\x00\x08wide",
}
AMBIGUOUS = {
    "JPEG with a box": b"\xff\xd8\xff\xfemoov" + bytes(60),
    "TIFF with a box": b"II*\x00moov" + bytes(60),
    "WebP with a box": b"RIFFfreeWEBPVP8 " + bytes(60),
    "GIF with packets": (b"GIF89a" + bytes(182) + b"G" + bytes(187) + b"G" + bytes(187)),
    "BMP with timed packets": (b"BM\x00\x00G" + bytes(187)) + (bytes(4) + b"G" + bytes(187)) * 3,
}
OTHERS = {
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "text": b"zorbleflux was here\n",
    "JPEG": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "HEIC": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
    "picture that calls itself a video": b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomavif",
    "archive": b"PK\x03\x04" + bytes(60),
    "nothing": b"",
}


@pytest.mark.parametrize("head", [*STREAMS.values(), *OLD_QUICKTIME.values()])
def test_video_and_sound_are_told_by_how_they_begin(head: bytes) -> None:
    assert is_video_or_sound(head)


@pytest.mark.parametrize("head", OTHERS.values(), ids=OTHERS)
def test_what_is_no_video_is_not_taken_for_one(head: bytes) -> None:
    assert not is_video_or_sound(head)


@pytest.mark.parametrize("head", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_begins_as_a_picture_is_one_whatever_else_it_may_be(head: bytes) -> None:
    assert not is_video_or_sound(head)
    assert not is_known_non_picture(head)


@pytest.mark.parametrize("data", [*STREAMS.values(), OTHERS["PDF"], OTHERS["text"]])
def test_what_is_certainly_no_picture_is_told(data: bytes) -> None:
    assert is_known_non_picture(data)


@pytest.mark.parametrize("data", [OTHERS["JPEG"], OTHERS["archive"], *OLD_QUICKTIME.values()])
def test_what_may_be_anything_is_not_called_harmless(data: bytes) -> None:
    assert not is_known_non_picture(data)
