"""Draws harmless videos, edits them, and encodes them: what ``benchmarks.video`` runs on.

A video is an array of frames, height x width x 3 bytes, at a rate. Its shots move over drawn
scenes of soft noise and shapes, as a camera in a hand does; or stand still while things move; or
show slides of made-up text.
"""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from io import BytesIO
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Pictures = NDArray[np.uint8]
RATE = 12
WIDTH, HEIGHT = 320, 180
_SOFT_SIZES = (5, 12, 40, 150)
_SYLLABLES = ("zor", "ble", "flux", "quim", "pash", "tov", "ner", "wug", "dax", "lim", "mip")


class Drawn(NamedTuple):
    """Frames and how many of them a second shows."""

    frames: Pictures
    rate: float = RATE


def scene(random: np.random.Generator, width: int = 640, height: int = 360) -> Image.Image:
    """Return a picture of soft noise with shapes on it, of any brightness and colour."""
    total = np.zeros((height, width, 3), np.float32)
    for size in _SOFT_SIZES:
        noise = random.integers(0, 256, (size, size * 2, 3), np.uint8)
        grown = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(grown, np.float32) / size**0.45
    total = (total - total.min()) / (total.max() - total.min())
    picture = Image.fromarray((total * random.uniform(150, 255)).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(int(random.integers(6, 22))):
        _shape(draw, random, width, height)
    return picture.filter(ImageFilter.GaussianBlur(float(random.uniform(0, 1.5))))


def _shape(draw: ImageDraw.ImageDraw, random: np.random.Generator, width: int, height: int) -> None:
    x, y = random.uniform(0, width), random.uniform(0, height)
    w, h = random.uniform(0.03, 0.3) * width, random.uniform(0.03, 0.4) * height
    colour = _colour(random)
    match int(random.integers(3)):
        case 0:
            draw.ellipse((x, y, x + w, y + h), fill=colour)
        case 1:
            draw.rectangle((x, y, x + w, y + h), fill=colour)
        case _:
            corners = [(x + random.uniform(-w, w), y + random.uniform(-h, h)) for _ in range(4)]
            draw.polygon(corners, fill=colour)


def _colour(random: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(one) for one in random.integers(0, 256, 3))
    return red, green, blue


def moving_shot(
    random: np.random.Generator,
    seconds: float,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    rate: float = RATE,
) -> Pictures:
    """Return a camera's way over one scene: pan, zoom and a hand's tremble."""
    width, height = size
    world = scene(random, width * 2, height * 2)
    count = max(1, round(seconds * rate))
    begin, end = random.uniform(0.1, 0.9, (2, 2))
    zooms = np.linspace(random.uniform(0.35, 0.8), random.uniform(0.35, 0.8), count)
    tremble = np.cumsum(random.normal(0, 0.002, (count, 2)), axis=0)
    frames = np.empty((count, height, width, 3), np.uint8)
    for number, zoom in enumerate(zooms):
        share = number / max(1, count - 1)
        w, h = world.width * zoom, world.height * zoom
        x, y = np.clip(begin + (end - begin) * share + tremble[number], 0, 1)
        left, top = x * (world.width - w), y * (world.height - h)
        frames[number] = np.asarray(
            world.resize(size, Image.Resampling.BILINEAR, box=(left, top, left + w, top + h))
        )
    return frames


def still_shot(
    random: np.random.Generator,
    seconds: float,
    ground: Image.Image | None = None,
    share: float = 0.35,
) -> Pictures:
    """Return a fixed view in which two or three things move; ``share`` is their size."""
    base = ground or scene(random, WIDTH, HEIGHT)
    things = [
        (
            _colour(random),
            random.uniform(0, 6.3, 2),
            random.uniform(0.2, 0.9, 2),
            random.uniform(0.5, 1.0) * share,
        )
        for _ in range(int(random.integers(2, 4)))
    ]
    frames = np.empty((max(1, round(seconds * RATE)), HEIGHT, WIDTH, 3), np.uint8)
    for number in range(len(frames)):
        picture = base.copy()
        draw = ImageDraw.Draw(picture)
        for colour, phase, speed, size in things:
            x, y = (np.sin(phase + speed * number / RATE) * 0.5 + 0.5) * (WIDTH, HEIGHT)
            w, h = size * WIDTH, size * HEIGHT
            draw.ellipse((x - w / 2, y - h / 2, x + w / 2, y + h / 2), fill=colour)
            draw.rectangle((x - w / 4, y, x + w / 4, y + h), fill=colour)
        frames[number] = np.asarray(picture)
    return frames


def slide(random: np.random.Generator, *, is_dark: bool = False) -> Image.Image:
    """Return a page of made-up words with a heading and perhaps a picture."""
    paper, ink = ((20, 22, 30), (230, 230, 230)) if is_dark else ((250, 250, 248), (20, 20, 40))
    page = Image.new("RGB", (WIDTH, HEIGHT), paper)
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, WIDTH, 26), fill=(40, 70, 140))
    draw.text((8, 6), _words(random, 3), fill=(255, 255, 255), font_size=14)
    for line in range(int(random.integers(3, 8))):
        draw.text(
            (14, 36 + line * 17), _words(random, int(random.integers(2, 7))), fill=ink, font_size=11
        )
    if random.random() < 0.4:
        page.paste(scene(random, 110, 90), (200, 80))
    return page


def _words(random: np.random.Generator, count: int) -> str:
    return " ".join(
        "".join(random.choice(_SYLLABLES, int(random.integers(1, 4)))) for _ in range(count)
    )


def hold(picture: Image.Image, seconds: float) -> Pictures:
    """Return a picture shown for a while."""
    return np.repeat(np.asarray(picture)[None], max(1, round(seconds * RATE)), axis=0)


def film(random: np.random.Generator, seconds: float) -> Drawn:
    """Return shots of two to six seconds, most of a moving camera, until the time is over."""
    shots: list[Pictures] = []
    left = seconds
    while left > 0.2:
        length = min(left, float(random.uniform(2, 6)))
        is_moving = random.random() < 0.7
        shots.append((moving_shot if is_moving else still_shot)(random, length))
        left -= length
    return Drawn(np.concatenate(shots)[: round(seconds * RATE)])


def encode(
    drawn: Drawn,
    *,
    crf: int = 26,
    preset: str = "veryfast",
    codec: str = "libx264",
    container: str = "mp4",
) -> bytes:
    """Return the video as a file."""
    sink = BytesIO()
    with av.open(sink, "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=Fraction(drawn.rate).limit_denominator(1000))
        stream.height, stream.width = drawn.frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(crf), "preset": preset, "threads": "1"}
        for picture in drawn.frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return sink.getvalue()


def each(drawn: Drawn, change: Callable[[Image.Image], Image.Image]) -> Drawn:
    """Return the video with every frame changed."""
    made = [np.asarray(change(Image.fromarray(one))) for one in drawn.frames]
    return Drawn(np.stack(made), drawn.rate)


def part(drawn: Drawn, begin_s: float, end_s: float) -> Drawn:
    """Return what is shown between two times."""
    begin, end = round(begin_s * drawn.rate), round(end_s * drawn.rate)
    return Drawn(drawn.frames[begin:end], drawn.rate)


def joined(parts: Iterable[Drawn]) -> Drawn:
    """Return videos of one size and rate after one another."""
    listed: Sequence[Drawn] = list(parts)
    return Drawn(np.concatenate([one.frames for one in listed]), listed[0].rate)
