"""Tells videos, and files that are certainly no picture, from files that nobody could read.

The difference matters: a video without a picture hash was looked at, an unreadable file was not.
Whatever is not on the short list here counts as unreadable, so that it goes to a person.
"""

#: What a file of this kind begins with: Matroska and WebM, Ogg, FLAC, MP3 with tags, Flash video,
#: MPEG programme stream and video, Windows media.
_BEGINNINGS = (
    b"\x1aE\xdf\xa3",
    b"OggS",
    b"fLaC",
    b"ID3",
    b"FLV\x01",
    b"\x00\x00\x01\xba",
    b"\x00\x00\x01\xb3",
    b"0&\xb2u\x8ef\xcf\x11",
)
#: Major brands of ISO media files that hold video or sound.
_VIDEO_BRANDS = frozenset(
    {b"avc1", b"dash", b"f4v ", b"isom", b"mp41", b"mp42", b"mmp4", b"MSNV", b"M4A ", b"M4V "}
    | {b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"qt  ", b"3g2a"}
    | {b"3gp4", b"3gp5", b"3gp6", b"3gp7"}
)
#: Brands of pictures in the same container; viewers show a picture wherever one is listed.
_PICTURE_BRANDS = frozenset(
    {b"avif", b"avio", b"avis", b"heic", b"heim", b"heis", b"heix", b"hevc", b"hevm", b"hevs"}
    | {b"hevx", b"jp2 ", b"jpx ", b"jxl ", b"MA1A", b"MA1B", b"miaf", b"mif1", b"mif2", b"msf1"}
)
#: What pictures begin with that viewers show whatever else lies in them: JPEG, PNG, GIF, BMP,
#: TIFF of either byte order, JPEG 2000.
_PICTURE_BEGINNINGS = (
    b"\xff\xd8\xff",
    b"\x89PNG",
    b"GIF8",
    b"BM",
    b"II*\0",
    b"II\0*",
    b"II+\0",
    b"MM\0*",
    b"MM*\0",
    b"MM\0+",
    b"\xff\x4f\xff\x51",
    b"\0\0\0\x0cjP  ",
)
_RIFF_KINDS = frozenset({b"AVI ", b"WAVE"})
#: Boxes with which QuickTime files begin that are older than the box which names their kind.
_QUICKTIME_BOXES = frozenset({b"free", b"mdat", b"moov", b"pnot", b"skip", b"wide"})
_TRANSPORT_PACKET_BYTES = 188
#: As discs keep it: each packet with its time before it.
_TIMED_PACKET_BYTES = 192
_TRANSPORT_SYNC = 0x47
#: Text in which a picture is drawn or enclosed.
_PICTURE_IN_TEXT = (b"<svg", b"data:image")
_TEXT_CONTROLS = frozenset("\t\n\r\f")


#: So much of a file's beginning tells whether it is a video.
HEAD_BYTES = 4096


def is_video_or_sound(head: bytes) -> bool:
    """Return whether a file that begins so is to be read as a video, or as sound."""
    if _is_picture(head):
        return False
    return _is_known_stream(head) or head[4:8] in _QUICKTIME_BOXES


def is_known_non_picture(data: bytes) -> bool:
    """Return whether the bytes are certainly a video, sound, PDF or plain text."""
    if _is_known_stream(data) and not _is_picture(data):
        return True
    return data.startswith(b"%PDF-") or _is_text(data)


def _is_picture(head: bytes) -> bool:
    """Return whether a file begins as a picture does: that it may be a video too counts less."""
    if head[4:8] == b"ftyp" and head[8:12] in _PICTURE_BRANDS:
        return True
    return head.startswith(_PICTURE_BEGINNINGS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def _is_known_stream(head: bytes) -> bool:
    return (
        head.startswith(_BEGINNINGS)
        or _is_iso_video(head)
        or (head[:4] == b"RIFF" and head[8:12] in _RIFF_KINDS)
        or _is_transport_stream(head, _TRANSPORT_PACKET_BYTES)
        or _is_transport_stream(head[4:], _TIMED_PACKET_BYTES)
    )


def _is_iso_video(data: bytes) -> bool:
    if data[4:8] != b"ftyp" or data[8:12] not in _VIDEO_BRANDS:
        return False
    # The box goes: its length, "ftyp", major brand, version, and the brands it also obeys.
    box = data[: int.from_bytes(data[:4])]
    also = {box[at : at + 4] for at in range(16, len(box), 4)}
    return also.isdisjoint(_PICTURE_BRANDS)


def _is_transport_stream(data: bytes, packet_bytes: int) -> bool:
    starts = data[: 3 * packet_bytes : packet_bytes]
    return starts == bytes([_TRANSPORT_SYNC] * 3)


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    if any(ord(letter) < ord(" ") and letter not in _TEXT_CONTROLS for letter in set(text)):
        return False
    lowered = data.lower()
    return bool(text.strip()) and not any(mark in lowered for mark in _PICTURE_IN_TEXT)
