"""Draws harmless pictures: each its own scene, none of anything or anyone real."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 320, 240

_Pixels = NDArray[np.float64]


def draw_scene(seed: int, part: str, index: int, attempt: int) -> Image.Image:
    """Return the scene that these numbers name; another attempt is another scene."""
    rng = np.random.default_rng([seed, *part.encode(), index, attempt])
    scene = _SCENES[index % len(_SCENES)](rng)
    # A soft field of light over everything: it gives each scene low frequencies of its own, which
    # is what tells one perceptual hash from another.
    light = 70 * (_field(rng, 6) - 0.5)
    pixels = np.asarray(scene, dtype=np.float64) + light[:, :, None]
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _field(rng: np.random.Generator, cells: int) -> _Pixels:
    """Return smooth random values between 0 and 1, about one hill a cell."""
    grid = rng.random((cells, cells), dtype=np.float32)
    smooth = Image.fromarray(grid).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    values: _Pixels = np.asarray(smooth, dtype=np.float64).clip(0, 1)
    return values


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    return red, green, blue


def _mixed(share: _Pixels, first: tuple[int, int, int], second: tuple[int, int, int]) -> _Pixels:
    weight = share[:, :, None]
    mixed: _Pixels = weight * np.array(first) + (1 - weight) * np.array(second)
    return mixed


def _image(pixels: _Pixels) -> Image.Image:
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _box(rng: np.random.Generator) -> tuple[int, int, int, int]:
    width, height = (int(value) for value in rng.integers(30, 130, 2))
    left, top = int(rng.integers(-20, WIDTH - 20)), int(rng.integers(-20, HEIGHT - 20))
    return left, top, left + width, top + height


def _shapes(rng: np.random.Generator) -> Image.Image:
    """A gradient with discs, boxes and triangles on it."""
    slope = rng.random() * np.linspace(0, 1, WIDTH)[None, :]
    slope = slope + rng.random() * np.linspace(0, 1, HEIGHT)[:, None]
    picture = _image(_mixed(slope / 2, _colour(rng), _colour(rng)))
    draw = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(8, 16))):
        box = _box(rng)
        match int(rng.integers(3)):
            case 0:
                draw.ellipse(box, fill=_colour(rng))
            case 1:
                draw.rectangle(box, fill=_colour(rng))
            case _:
                corners = [(box[0], box[3]), (box[2], box[3]), ((box[0] + box[2]) // 2, box[1])]
                draw.polygon(corners, fill=_colour(rng))
    return picture


def _landscape(rng: np.random.Generator) -> Image.Image:
    """A sky with a sun, ridges behind ridges, and trees."""
    sky = np.repeat(np.linspace(0, 1, HEIGHT)[:, None], WIDTH, axis=1)
    picture = _image(_mixed(sky, _colour(rng), _colour(rng)))
    draw = ImageDraw.Draw(picture)
    sun = (int(rng.integers(20, WIDTH - 60)), int(rng.integers(5, 80)))
    draw.ellipse((*sun, sun[0] + 45, sun[1] + 45), fill=_colour(rng))
    for ridge in range(int(rng.integers(3, 6))):
        heights = _field(rng, int(rng.integers(4, 12)))[HEIGHT // 2]
        tops = 60 + 30 * ridge + 90 * (heights - 0.3)
        outline = [(x, int(top)) for x, top in enumerate(tops)]
        draw.polygon([(0, HEIGHT), *outline, (WIDTH, HEIGHT)], fill=_colour(rng))
    for _ in range(int(rng.integers(4, 14))):
        x, y = int(rng.integers(0, WIDTH)), int(rng.integers(120, HEIGHT))
        size = int(rng.integers(10, 40))
        draw.polygon([(x - size // 2, y), (x + size // 2, y), (x, y - 2 * size)], fill=_colour(rng))
    return picture


def _tiles(rng: np.random.Generator) -> Image.Image:
    """A patchwork quilt: patches of every colour, some with a dot."""
    columns, rows = (int(value) for value in rng.integers(5, 10, 2))
    colours = rng.integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    picture = Image.fromarray(colours).resize((WIDTH, HEIGHT), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(picture)
    step_x, step_y = WIDTH / columns, HEIGHT / rows
    for row in range(rows):
        for column in range(columns):
            if rng.random() < 1 / 2:
                left, top = column * step_x + 5, row * step_y + 5
                dot = (left, top, left + step_x - 10, top + step_y - 10)
                draw.ellipse(dot, fill=_colour(rng))
    return picture


def _texture(rng: np.random.Generator) -> Image.Image:
    """Marble: hills of light in several sizes, and veins."""
    height = 0.6 * _field(rng, 5) + 0.3 * _field(rng, 12) + 0.1 * _field(rng, 40)
    veins = 0.5 + 0.5 * np.sin(height * float(rng.uniform(12, 30)))
    pixels = _mixed(0.6 * height + 0.4 * veins, _colour(rng), _colour(rng))
    return _image(pixels + rng.normal(0, 6, pixels.shape))


_SCENES: tuple[Callable[[np.random.Generator], Image.Image], ...] = (
    _shapes,
    _landscape,
    _tiles,
    _texture,
)
