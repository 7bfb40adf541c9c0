"""Harmless pictures for ``benchmarks.robustness``: drawn ones, and those of a folder.

Drawn ones have what hashes live on: occluding shapes of all sizes (dead leaves), landscapes of
fractal noise, textures, pages of text, charts, application windows. One seed, one picture.
"""

import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

#: A drawing's seed, a file, or a near miss: its seed and what it is made from.
Source = int | str | tuple[int, int | str]

#: Pictures are worked on at most this large.
LONG_SIDE = 512
_SHAPES = ((512, 384), (384, 512), (512, 288), (448, 448), (512, 340))
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
_LEAST_SIDE = 160
_THUMBNAIL = 24
#: Two files whose thumbnails correlate this well are one picture, or versions of one.
_SAME_PICTURE = 0.93
_WORDS = ("quam", "lorum", "vesti", "palod", "brenna", "sild", "torvik", "mepp", "oran", "dulse")


def file_pictures(folder: Path) -> list[Path]:
    """Return the pictures of a folder, in an order that is always the same and looks random."""
    files = [p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES and p.is_file()]
    return sorted(files, key=lambda p: hashlib.sha256(p.name.encode()).digest())


def load(path: Path) -> Image.Image | None:
    """Return a file's picture at working size, None where it is none or too small."""
    try:
        with Image.open(path) as file:
            picture = file.convert("RGB")
    except (OSError, ValueError):
        return None
    picture.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.BOX)
    return picture if min(picture.size) >= _LEAST_SIDE else None


class Sameness:
    """Tells versions of one picture from different ones, by their thumbnails alone."""

    def __init__(self) -> None:
        self._known = np.empty((0, _THUMBNAIL * _THUMBNAIL), np.float32)

    def is_known(self, picture: Image.Image) -> bool:
        """Return whether a version of the picture was remembered."""
        return bool(len(self._known)) and bool(
            np.max(self._known @ _thumbnail(picture)) > _SAME_PICTURE
        )

    def remember(self, picture: Image.Image) -> None:
        self._known = np.concatenate([self._known, _thumbnail(picture)[None]])


def _thumbnail(picture: Image.Image) -> NDArray[np.float32]:
    small = picture.convert("L").resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX)
    values = np.asarray(small, np.float32).ravel()
    values = values - values.mean()
    return np.asarray(values / (np.linalg.norm(values) + 1e-3), np.float32)


def picture_of(source: Source) -> Image.Image:
    """Return the picture that a source stands for.

    Raises:
        ValueError: a file is no picture, or too small.
    """
    match source:
        case int():
            return drawn(source)
        case str():
            picture = load(Path(source))
            if picture is None:
                raise ValueError("a file that was a picture is none any more")
            return picture
        case (seed, inner):
            page = look_alike(seed, picture_of(inner))
            page.thumbnail((LONG_SIDE, LONG_SIDE))
            return page


def drawn(seed: int) -> Image.Image:
    """Return a picture drawn from a seed, of the kind that the seed's remainder says."""
    return _KINDS[seed % len(_KINDS)](random.Random(seed))  # noqa: S311  the same each run; no secret


def look_alike(seed: int, picture: Image.Image) -> Image.Image:
    """Return a near miss: one template or scene around, under or beside another content."""
    rng = random.Random(seed)  # noqa: S311  the same each run; no secret
    match seed % 6:
        case 0:
            return meme(picture, "WHEN THE BRENNA", "GOES OVER THE SILD")
        case 1:
            return window(picture, rng, dark=seed % 4 < 2)
        case 2:
            return _same_scene(rng)
        case 3:
            return picture.point(lambda value: value // 8)  # a dark picture
        case 4:
            return _flat(rng)
    return _chart(rng)


def meme(picture: Image.Image, above: str, below: str) -> Image.Image:
    """Return the picture between two white bars of text."""
    width, height = picture.size
    bar = height // 6
    page = Image.new("RGB", (width, height + 2 * bar), "white")
    page.paste(picture, (0, bar))
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=max(12, bar // 2))
    for text, top in ((above, bar // 4), (below, height + bar + bar // 4)):
        draw.text((width // 2, top), text, fill="black", font=font, anchor="ma")
    return page


def window(picture: Image.Image, rng: random.Random, *, dark: bool = False) -> Image.Image:
    """Return a screenshot of an application that shows the picture among its text and buttons."""
    back, ink, bar = (
        ("#15202b", "#d9d9d9", "#22303c") if dark else ("#ffffff", "#222222", "#e8eaf0")
    )
    width, height = rng.choice(((720, 960), (1100, 760), (640, 1000)))
    page = Image.new("RGB", (width, height), back)
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, width, 48), fill=bar)
    draw.ellipse((14, 60, 54, 100), fill="#5b7fa6")
    font = ImageFont.load_default(size=16)
    draw.text((66, 68), _sentence(rng, 4), fill=ink, font=font)
    draw.text((20, 14), _sentence(rng, 2), fill=ink, font=font)
    wide = int(width * rng.uniform(0.55, 0.9))
    scale = min(wide / picture.width, 0.62 * height / picture.height)
    shown = picture.resize((int(picture.width * scale), int(picture.height * scale)))
    left, top = rng.randrange(12, max(13, width - shown.width - 12)), rng.randrange(112, 150)
    page.paste(shown, (left, top))
    for line in range(top + shown.height + 18, height - 30, 26):
        draw.text((left, line), _sentence(rng, rng.randrange(3, 9)), fill=ink, font=font)
    return page


def _sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choice(_WORDS) for _ in range(words))


def _noise(rng: random.Random, width: int, height: int, power: float) -> NDArray[np.float64]:
    """Return fractal noise, 0 to 1."""
    values = np.random.default_rng(rng.randrange(2**32)).normal(size=(height, width))
    down, across = np.fft.fftfreq(height) * height, np.fft.rfftfreq(width) * width
    reach = np.hypot(down[:, None], across[None])
    reach[0, 0] = 1
    shaped = np.fft.irfft2(np.fft.rfft2(values) / reach ** (power / 2), s=(height, width))
    low, high = np.percentile(shaped, (1, 99))
    return np.asarray(np.clip((shaped - low) / (high - low), 0, 1), np.float64)


def _colours(rng: random.Random, values: NDArray[np.float64]) -> NDArray[np.float64]:
    first, second = (np.array([rng.randrange(256) for _ in range(3)]) for _ in range(2))
    return np.asarray(first + (second - first) * values[..., None], np.float64)


def _image(values: NDArray[np.float64]) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _dead_leaves(rng: random.Random) -> Image.Image:
    width, height = rng.choice(_SHAPES)
    page = Image.new("RGB", (width, height), tuple(rng.randrange(256) for _ in range(3)))
    draw = ImageDraw.Draw(page)
    for _ in range(450):
        size = 6 / (rng.random() ** 0.6 + 0.02)
        x, y = rng.randrange(width), rng.randrange(height)
        base = rng.randrange(40, 216)
        fill = tuple(min(255, max(0, base + rng.randrange(-40, 40))) for _ in range(3))
        box = (x - size, y - size * rng.uniform(0.5, 1.5), x + size, y + size)
        (draw.ellipse if rng.random() < 0.6 else draw.rectangle)(
            (box[0], min(box[1], box[3]), box[2], max(box[1], box[3])), fill=fill
        )
    shade = 0.75 + 0.5 * _noise(rng, width, height, 3.0)
    return _image(np.asarray(page.filter(ImageFilter.GaussianBlur(0.7)), float) * shade[..., None])


def _landscape(rng: random.Random) -> Image.Image:
    width, height = rng.choice(_SHAPES)
    ramp = np.linspace(0, 1, height)[:, None] * np.ones(width)
    values = _colours(rng, 0.6 * ramp + 0.4 * _noise(rng, width, height, 3.2))
    for layer in range(rng.randrange(2, 5)):
        ridge = height * (0.3 + 0.15 * layer) + 0.35 * height * (
            _noise(rng, width, 8, 3.0)[0] - 0.5
        )
        ground = _colours(rng, _noise(rng, width, height, 2.2))
        values = np.where((np.arange(height)[:, None] > ridge)[..., None], ground, values)
    return _image(values)


def _texture(rng: random.Random) -> Image.Image:
    width, height = rng.choice(_SHAPES)
    warp = _noise(rng, width, height, 2.6)
    angle, rate = rng.uniform(0, 3.1), rng.uniform(4, 30)
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    waves = np.sin(rate * (x * np.cos(angle) + y * np.sin(angle) + 1.5 * warp))
    return _image(_colours(rng, 0.5 * warp + 0.25 * (waves + 1)))


def _objects(rng: random.Random) -> Image.Image:
    page = _landscape(rng)
    draw = ImageDraw.Draw(page)
    for _ in range(rng.randrange(2, 7)):
        x, y = rng.randrange(page.width), rng.randrange(page.height)
        size = rng.randrange(30, 130)
        fill = tuple(rng.randrange(256) for _ in range(3))
        for ring in range(size, 0, -3):
            light = 1 + 0.6 * (1 - ring / size)
            shaded = tuple(min(255, int(part * light)) for part in fill)
            draw.ellipse((x - ring, y - ring, x + ring // 2, y + ring // 2), fill=shaded)
    return page


def _page(rng: random.Random) -> Image.Image:
    page = Image.new("RGB", (400, 512), rng.choice(("white", "#fdf6e3", "#eeeeee")))
    draw = ImageDraw.Draw(page)
    draw.text(
        (30, 24), _sentence(rng, 3).upper(), fill="black", font=ImageFont.load_default(size=24)
    )
    for line in range(64, 490, 18):
        if rng.random() < 0.85:
            draw.text(
                (30, line),
                _sentence(rng, rng.randrange(3, 8)),
                fill="#222222",
                font=ImageFont.load_default(size=13),
            )
    return page


def _chart(rng: random.Random) -> Image.Image:
    page = Image.new("RGB", (512, 384), "white")
    draw = ImageDraw.Draw(page)
    draw.line((50, 20, 50, 340, 490, 340), fill="black", width=2)
    bars = rng.randrange(5, 14)
    for at in range(bars):
        left = 60 + at * 420 // bars
        fill = tuple(rng.randrange(200) for _ in range(3))
        draw.rectangle((left, 340 - rng.randrange(20, 300), left + 300 // bars, 339), fill=fill)
    draw.text((200, 355), _sentence(rng, 3), fill="black")
    return page


def _application(rng: random.Random) -> Image.Image:
    shown = window(
        rng.choice((_landscape, _dead_leaves, _objects))(rng), rng, dark=rng.random() < 0.5
    )
    shown.thumbnail((LONG_SIDE, LONG_SIDE))
    return shown


def _same_scene(rng: random.Random) -> Image.Image:
    """Return one composition, redrawn: the same horizon and ball, other clouds and ground."""
    width, height = 512, 384
    sky = np.array([120, 160, 220]) + 60 * (_noise(rng, width, height, 3)[..., None] - 0.5)
    ground = np.array([80, 110, 60]) + 90 * (_noise(rng, width, height, 2.2)[..., None] - 0.5)
    page = _image(np.where((np.arange(height) > 220)[:, None, None], ground, sky))
    x, y = rng.randrange(180, 330), rng.randrange(150, 260)
    ImageDraw.Draw(page).ellipse(
        (x - 50, y - 50, x + 50, y + 50), fill=(200, rng.randrange(200), 40)
    )
    return page


def _flat(rng: random.Random) -> Image.Image:
    width, height = rng.choice(_SHAPES)
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    ramp = x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1)
    if rng.random() < 0.5:
        ramp = np.hypot(x - rng.random(), y - rng.random())
    page = _image(_colours(rng, ramp))
    draw = ImageDraw.Draw(page)
    for _ in range(rng.randrange(0, 4)):  # line art and signs
        points = [(rng.randrange(width), rng.randrange(height)) for _ in range(rng.randrange(2, 6))]
        draw.line(
            points, fill=tuple(rng.randrange(256) for _ in range(3)), width=rng.randrange(2, 14)
        )
    return page


_KINDS: tuple[Callable[[random.Random], Image.Image], ...] = (
    _dead_leaves,
    _landscape,
    _objects,
    _texture,
    _dead_leaves,
    _landscape,
    _objects,
    _application,
    _page,
    _chart,
)
