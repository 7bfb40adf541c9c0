"""Small drawn videos, encoded where they are used: shapes that wander over soft noise."""

from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Pictures = NDArray[np.uint8]
RATE = 10
WIDTH, HEIGHT = 160, 96


def drawn_scene(seed: int, width: int = 2 * WIDTH, height: int = 2 * HEIGHT) -> Image.Image:
    """Return a picture of soft noise with shapes on it, the same for the same seed."""
    random = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for size in (5, 12, 40):
        noise = random.integers(0, 256, (size, size * 2, 3), np.uint8)
        grown = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(grown, np.float32) / size**0.5
    total = (total - total.min()) / (total.max() - total.min()) * 255
    picture = Image.fromarray(total.astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(16):
        x, y = random.uniform(0, width), random.uniform(0, height)
        w, h = random.uniform(0.04, 0.2, 2) * (width, height)
        red, green, blue = (int(one) for one in random.integers(0, 256, 3))
        shape = draw.ellipse if random.random() < 0.5 else draw.rectangle
        shape((x, y, x + w, y + h), fill=(red, green, blue))
    return picture


def walk(seed: int, seconds: float = 2.0) -> Pictures:
    """Return frames of a camera that wanders over a scene."""
    random = np.random.default_rng(seed + 1)
    world = drawn_scene(seed)
    count = round(seconds * RATE)
    (x, y), (to_x, to_y) = random.uniform(0, 1, (2, 2))
    frames = np.empty((count, HEIGHT, WIDTH, 3), np.uint8)
    for number in range(count):
        share = number / count
        left = (x + (to_x - x) * share) * (world.width - WIDTH)
        top = (y + (to_y - y) * share) * (world.height - HEIGHT)
        box = (left, top, left + WIDTH, top + HEIGHT)
        frames[number] = np.asarray(
            world.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR, box=box)
        )
    return frames


def film(*seeds: int, seconds: float = 2.0) -> Pictures:
    """Return a walk over one scene for each seed, one after the other."""
    return np.concatenate([walk(seed, seconds) for seed in seeds])


def held(picture: Image.Image | Pictures, seconds: float) -> Pictures:
    """Return one picture shown for a while."""
    return np.repeat(np.asarray(picture)[None], round(seconds * RATE), axis=0)


def letterboxed(frames: Pictures, *, above: int = 0, beside: int = 0, grey: int = 0) -> Pictures:
    """Return the frames made smaller, between bars of this many lines and columns."""
    made = np.full_like(frames, grey)
    size = (WIDTH - 2 * beside, HEIGHT - 2 * above)
    for place, one in enumerate(frames):
        small = np.asarray(Image.fromarray(one).resize(size))
        made[place, above : HEIGHT - above, beside : WIDTH - beside] = small
    return made


def with_logo(frames: Pictures, side: int) -> Pictures:
    """Return the frames with a white square with a dark frame in their upper right corner."""
    made = frames.copy()
    made[:, 4 : 4 + side, -4 - side : -4] = 20
    made[:, 8:side, -side:-8] = 255
    return made


def encoded(
    frames: Pictures,
    *,
    rate: float = RATE,
    codec: str = "libx264",
    container: str = "mp4",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    sound_s: float = 0.0,
) -> bytes:
    """Return the frames as a file, with silence beside them if asked."""
    sink = BytesIO()
    write(
        sink,
        frames,
        rate=rate,
        codec=codec,
        container=container,
        pixels=pixels,
        options=options,
        sound_s=sound_s,
    )
    return sink.getvalue()


def write(
    sink: str | BytesIO,
    frames: Pictures,
    *,
    rate: float = RATE,
    codec: str = "libx264",
    container: str = "mp4",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    sound_s: float = 0.0,
    container_options: dict[str, str] | None = None,
) -> None:
    """Leave the frames in a file, with silence beside them if asked."""
    with av.open(sink, "w", format=container, options=container_options or {}) as output:
        stream: Any = output.add_stream(codec, rate=Fraction(rate).limit_denominator(1000))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pixels
        stream.options = options or {}
        sound: Any = output.add_stream("aac", rate=8000) if sound_s else None
        for one in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(one), format="rgb24")
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
        if sound is not None:
            _mux_silence(output, sound, sound_s)


def sound_only(seconds: float = 1.0) -> bytes:
    """Return a file with silence in it and no picture."""
    sink = BytesIO()
    with av.open(sink, "w", format="mp4") as output:
        sound = output.add_stream("aac", rate=8000)
        _mux_silence(output, sound, seconds)
    return sink.getvalue()


def joined(parts: Sequence[Pictures]) -> Pictures:
    """Return frames after one another."""
    return np.concatenate(parts)


def _mux_silence(output: Any, sound: Any, seconds: float) -> None:
    for place in range(round(seconds * 8)):
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 1000), np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate = 8000
        frame.pts = place * 1000
        output.mux(sound.encode(frame))
    output.mux(sound.encode())
