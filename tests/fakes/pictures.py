"""Drawn, harmless pictures."""

from io import BytesIO

from PIL import Image, ImageDraw


def drawn(shift: int = 0, *, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Return a drawn picture that PDQ can tell from those of other shifts."""
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for step in range(24):
        x, y = (step * 53 + shift * 97) % (size[0] - 20), (step * 31 + shift * 41) % (size[1] - 20)
        draw.ellipse((x, y, x + 12 + step * 3, y + 10 + step * 2), fill=(step * 10, 90, 255 - step))
    return picture


def png(picture: Image.Image) -> bytes:
    """Return a picture as a file."""
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def flat() -> bytes:
    """Return a picture of one colour, of which PDQ can say nothing."""
    return png(Image.new("RGB", (64, 64), "navy"))
