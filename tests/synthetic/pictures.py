"""Pictures that are drawn from a number: harmless shapes, the same on every run."""

import random
import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw


def drawn(seed: int = 1, size: tuple[int, int] = (256, 256)) -> Image.Image:
    """Return an RGB picture of soft shapes; different numbers give unlike pictures."""
    choose = random.Random(seed)  # noqa: S311  repeatable on purpose, not for secrets
    width, height = size
    picture = Image.new("RGB", size, _colour(choose))
    pen = ImageDraw.Draw(picture)
    for _ in range(24):
        left, top = choose.randrange(width), choose.randrange(height)
        right = left + choose.randrange(width // 8, width // 2)
        bottom = top + choose.randrange(height // 8, height // 2)
        shape = choose.choice((pen.ellipse, pen.rectangle))
        shape((left, top, right, bottom), fill=_colour(choose))
    return picture


def flat(size: tuple[int, int] = (128, 128)) -> Image.Image:
    """Return a picture of one colour, in which PDQ finds nothing to hold on to."""
    return Image.new("RGB", size, (90, 120, 150))


def as_file(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Return the picture as the bytes of a file of this kind (a Pillow format name)."""
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def declared_png(width: int, height: int) -> bytes:
    """Return a small PNG file that claims to be this large, as decompression bombs do."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def _colour(choose: random.Random) -> tuple[int, int, int]:
    return (choose.randrange(256), choose.randrange(256), choose.randrange(256))
