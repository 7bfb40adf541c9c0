"""What people do to a picture before they post it again, as named functions of a picture."""

import random
from collections.abc import Callable
from io import BytesIO
from math import cos, radians, sin

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from benchmarks.robustness_corpus import meme, window

Edit = Callable[[Image.Image, random.Random], Image.Image]
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)
_SMOOTH = Image.Resampling.BILINEAR


def encoded(quality: int) -> Edit:
    def edit(picture: Image.Image, _rng: random.Random) -> Image.Image:
        file = BytesIO()
        picture.save(file, "JPEG", quality=quality)
        return Image.open(file).convert("RGB")

    return edit


def resized(across: float, down: float) -> Edit:
    return lambda picture, _rng: picture.resize(
        (max(8, int(picture.width * across)), max(8, int(picture.height * down))), _SMOOTH
    )


def noisy(sigma: float) -> Edit:
    def edit(picture: Image.Image, rng: random.Random) -> Image.Image:
        values = np.asarray(picture, np.float64)
        values = values + np.random.default_rng(rng.randrange(2**32)).normal(0, sigma, values.shape)
        return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))

    return edit


def cropped(share: float) -> Edit:
    """Take ``share`` of the picture off every side."""
    return lambda picture, _rng: _cut(picture, share, share, share, share)


def cropped_anywhere(share: float) -> Edit:
    """Take twice ``share`` off in each direction, divided at random between the two sides."""

    def edit(picture: Image.Image, rng: random.Random) -> Image.Image:
        left, top = rng.uniform(0, 2 * share), rng.uniform(0, 2 * share)
        return _cut(picture, left, top, 2 * share - left, 2 * share - top)

    return edit


def cropped_one_side(share: float) -> Edit:
    def edit(picture: Image.Image, rng: random.Random) -> Image.Image:
        shares = [0.0] * 4
        shares[rng.randrange(4)] = share
        return _cut(picture, *shares)

    return edit


def _cut(picture: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    width, height = picture.size
    return picture.crop(
        (
            round(width * left),
            round(height * top),
            round(width * (1 - right)),
            round(height * (1 - bottom)),
        )
    )


def bordered(share: float) -> Edit:
    """Put an even border of ``share`` of the picture on every side."""

    def edit(picture: Image.Image, rng: random.Random) -> Image.Image:
        colour = rng.choice((_BLACK, _WHITE, tuple(rng.randrange(256) for _ in range(3))))
        x, y = int(picture.width * share), int(picture.height * share)
        page = Image.new("RGB", (picture.width + 2 * x, picture.height + 2 * y), colour)
        page.paste(picture, (x, y))
        return page

    return edit


def letterboxed(picture: Image.Image, _rng: random.Random) -> Image.Image:
    bar = picture.height // 5
    page = Image.new("RGB", (picture.width, picture.height + 2 * bar))
    page.paste(picture, (0, bar))
    return page


def on_its_blur(picture: Image.Image, _rng: random.Random) -> Image.Image:
    """Show the picture on a blurred, enlarged copy of itself, as video sites do."""
    width, height = picture.size
    bar = width // 4
    page = picture.resize((width + 2 * bar, (width + 2 * bar) * height // width))
    off = (page.height - height) // 2
    page = page.crop((0, off, width + 2 * bar, off + height)).filter(ImageFilter.GaussianBlur(14))
    page.paste(picture, (bar, 0))
    return page


def turned(degrees: float, fill: tuple[int, int, int] = _BLACK, *, whole: bool = False) -> Edit:
    def edit(picture: Image.Image, rng: random.Random) -> Image.Image:
        return picture.rotate(rng.choice((-1, 1)) * degrees, _SMOOTH, expand=whole, fillcolor=fill)

    return edit


def turned_and_cropped(degrees: float) -> Edit:
    """Turn, and keep the largest upright picture of the same form, as telephones do."""

    def edit(picture: Image.Image, rng: random.Random) -> Image.Image:
        width, height = picture.size
        c, s = cos(radians(degrees)), sin(radians(degrees))
        kept = min(width / (width * c + height * s), height / (width * s + height * c))
        off = (1 - kept) / 2
        return _cut(turned(degrees)(picture, rng), off, off, off, off)

    return edit


def watermarked(picture: Image.Image, rng: random.Random) -> Image.Image:
    page = picture.convert("RGBA")
    layer = Image.new("RGBA", page.size)
    draw = ImageDraw.Draw(layer)
    font = ImageFont.load_default(size=max(14, page.width // 12))
    for y in range(0, page.height, page.height // 4):
        draw.text(
            (rng.randrange(page.width // 3), y),
            "OLDBRENNA.TEST",
            fill=(255, 255, 255, 90),
            font=font,
        )
    return Image.alpha_composite(page, layer).convert("RGB")


def with_logo(share: float) -> Edit:
    """Put a disc with a sign over ``share`` of the area, in a corner."""

    def edit(picture: Image.Image, rng: random.Random) -> Image.Image:
        page = picture.copy()
        size = int((share * page.width * page.height) ** 0.5)
        x = rng.choice((4, page.width - size - 4))
        y = rng.choice((4, page.height - size - 4))
        draw = ImageDraw.Draw(page)
        draw.ellipse((x, y, x + size, y + size), fill=tuple(rng.randrange(256) for _ in range(3)))
        draw.arc(
            (x + size // 4, y + size // 4, x + 3 * size // 4, y + 3 * size // 4),
            20,
            160,
            fill="black",
            width=max(2, size // 16),
        )
        return page

    return edit


def with_emoji(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Put a smiling face over 10 % of the area, anywhere."""
    page = picture.copy()
    size = int((0.10 * page.width * page.height * 4 / np.pi) ** 0.5)
    x, y = rng.randrange(page.width - size), rng.randrange(page.height - size)
    draw = ImageDraw.Draw(page)
    draw.ellipse((x, y, x + size, y + size), fill="#ffcc33", outline="black")
    for eye in (0.3, 0.6):
        draw.ellipse(
            (x + eye * size, y + size * 0.3, x + (eye + 0.1) * size, y + size * 0.45), fill="black"
        )
    draw.arc(
        (x + size // 4, y + size // 3, x + 3 * size // 4, y + 4 * size // 5),
        20,
        160,
        fill="black",
        width=5,
    )
    return page


def with_text(picture: Image.Image, _rng: random.Random) -> Image.Image:
    """Write across the picture, white with a black rim."""
    page = picture.copy()
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=max(16, page.width // 12))
    for text, y in (("WHEN THE BRENNA", 0.04), ("GOES OVER THE SILD", 0.84)):
        draw.text(
            (page.width // 2, int(page.height * y)),
            text,
            fill="white",
            font=font,
            anchor="ma",
            stroke_width=3,
            stroke_fill="black",
        )
    return page


def captioned(*, below: bool) -> Edit:
    def edit(picture: Image.Image, rng: random.Random) -> Image.Image:
        page = meme(picture, "WHEN THE BRENNA", "GOES OVER THE SILD")
        bar = picture.height // 6
        if below:
            return page
        del rng
        return page.crop((0, 0, page.width, page.height - bar))

    return edit


def then(*edits: Edit) -> Edit:
    def edit(picture: Image.Image, rng: random.Random) -> Image.Image:
        for step in edits:
            picture = step(picture, rng)
        return picture

    return edit


def _turn(method: Image.Transpose) -> Edit:
    return lambda picture, _rng: picture.transpose(method)


_flip = _turn(Image.Transpose.FLIP_LEFT_RIGHT)
_screenshot: Edit = window

EDITS: dict[str, Edit] = {
    "re-encode q70": encoded(70),
    "re-encode q25": encoded(25),
    "resize 50 %": resized(0.5, 0.5),
    "resize 20 %": resized(0.2, 0.2),
    "stretch 125 %": resized(1.25, 1.0),
    "blur 2": lambda picture, _rng: picture.filter(ImageFilter.GaussianBlur(2)),
    "blur 5": lambda picture, _rng: picture.filter(ImageFilter.GaussianBlur(5)),
    "noise 10": noisy(10),
    "noise 25": noisy(25),
    "brightness +35 %": lambda picture, _rng: ImageEnhance.Brightness(picture).enhance(1.35),
    "brightness -35 %": lambda picture, _rng: ImageEnhance.Brightness(picture).enhance(0.65),
    "contrast +50 %": lambda picture, _rng: ImageEnhance.Contrast(picture).enhance(1.5),
    "contrast -40 %": lambda picture, _rng: ImageEnhance.Contrast(picture).enhance(0.6),
    "grey": lambda picture, _rng: picture.convert("L").convert("RGB"),
    "palette 32": lambda picture, _rng: picture.quantize(32, Image.Quantize.FASTOCTREE).convert(
        "RGB"
    ),
    "CMYK": lambda picture, _rng: picture.convert("CMYK").convert("RGB"),
    "watermark": watermarked,
    "logo 5 %": with_logo(0.05),
    "logo 10 %": with_logo(0.10),
    "emoji 10 %": with_emoji,
    "text over": with_text,
    "caption above": captioned(below=False),
    "caption above and below": captioned(below=True),
    "flip": _flip,
    "flip upside down": _turn(Image.Transpose.FLIP_TOP_BOTTOM),
    "turn 90": _turn(Image.Transpose.ROTATE_90),
    "turn 180": _turn(Image.Transpose.ROTATE_180),
    "turn 270": _turn(Image.Transpose.ROTATE_270),
    **{f"crop {share:g} %": cropped(share / 100) for share in (2, 2.5, 5, 10, 15, 20, 30)},
    "crop 5 % off centre": cropped_anywhere(0.05),
    "crop 10 % off centre": cropped_anywhere(0.10),
    "crop one side 5 %": cropped_one_side(0.05),
    "crop one side 15 %": cropped_one_side(0.15),
    **{f"border {share} %": bordered(share / 100) for share in (5, 10, 20, 30)},
    "letterbox 20 %": letterboxed,
    "on its blur": on_its_blur,
    **{f"rotate {angle}": turned(angle) for angle in (1, 2, 4, 8, 15)},
    "rotate 4 on white, whole": turned(4, _WHITE, whole=True),
    **{f"rotate {angle}, cropped": turned_and_cropped(angle) for angle in (2, 4, 8, 15)},
    "screenshot": _screenshot,
    "screenshot, dark": lambda picture, rng: window(picture, rng, dark=True),
    "screenshot + q50": then(_screenshot, encoded(50)),
    "screenshot + flip": then(_flip, _screenshot),
    "flip + crop 5 %": then(_flip, cropped(0.05)),
    "border 20 % + flip": then(bordered(0.2), _flip),
    "resize 50 % + crop 2 % + q60": then(resized(0.5, 0.5), cropped(0.02), encoded(60)),
}
