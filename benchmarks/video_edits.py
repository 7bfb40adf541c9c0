"""What people do to a video before they post it again, and what only looks like that."""

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from benchmarks.video_drawn import (
    HEIGHT,
    RATE,
    WIDTH,
    Drawn,
    each,
    encode,
    film,
    hold,
    joined,
    moving_shot,
    part,
    scene,
    slide,
    still_shot,
)


def edits(video: Drawn, random: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    """Yield each edit's name and the edited video as a file."""
    seconds = len(video.frames) / video.rate
    yield "same, encoded again", encode(video, crf=30)
    yield "low bitrate", encode(video, crf=42, preset="ultrafast")
    yield "another codec (VP9)", encode(video, codec="libvpx-vp9", container="webm", crf=40)
    at = float(random.uniform(0, seconds - 5))
    yield "clip of 5 s", encode(part(video, at, at + 5))
    yield "clip of 15 s", encode(part(video, at * 0.8, at * 0.8 + 15))
    yield "first second cut off", encode(part(video, 1.03, seconds))
    yield "slideshow, 1 of 5 s", encode(_slideshow(video, 5))
    yield "slideshow, 1 of 2 s", encode(_slideshow(video, 2))
    yield "letterbox 12 %", encode(each(video, lambda one: _boxed(one, 0, 0.12)))
    yield "pillarbox 25 %", encode(each(video, lambda one: _boxed(one, 0.25, 0)))
    yield "white border", encode(each(video, lambda one: _boxed(one, 0.08, 0.08, "white")))
    yield (
        "letterboxed clip of 5 s",
        encode(each(part(video, at, at + 5), lambda one: _boxed(one, 0, 0.12))),
    )
    yield "half the size", encode(each(video, lambda one: one.resize((WIDTH // 2, HEIGHT // 2))))
    yield "stretched to 4:3", encode(each(video, lambda one: one.resize((240, 180))))
    for speed in (0.8, 1.25, 2.0):
        yield f"speed {speed:g}", encode(_at_speed(video, speed))
    yield "frame rate halved", encode(Drawn(video.frames[::2], video.rate / 2))
    yield "frame rate doubled", encode(Drawn(np.repeat(video.frames, 2, axis=0), video.rate * 2))
    yield "small logo", encode(each(video, lambda one: _logo(one, 0.1)))
    yield "large logo", encode(each(video, lambda one: _logo(one, 0.2)))
    yield "caption", encode(each(video, _caption))
    yield "grey", encode(each(video, lambda one: one.convert("L").convert("RGB")))
    yield "sepia", encode(each(video, _sepia))
    yield "brighter, more contrast", encode(each(video, _brighter))
    yield "blurred", encode(each(video, lambda one: one.filter(ImageFilter.GaussianBlur(2))))
    yield "mirrored", encode(Drawn(video.frames[:, :, ::-1], video.rate))
    yield "turned by 180", encode(Drawn(video.frames[:, ::-1, ::-1], video.rate))
    yield "turned by 90", encode(each(video, lambda one: one.rotate(90, expand=True)))
    yield "reordered pieces of 6 s", encode(_reordered(video, random))
    yield "inside another, 15 of 75 s", encode(_inside(part(video, 10, 25), random))
    yield "inside another, 6 of 66 s", encode(_inside(part(video, 10, 16), random))
    yield "cropped by 3 %", encode(each(video, lambda one: _cropped(one, 0.03)))
    yield "cropped by 6 %", encode(each(video, lambda one: _cropped(one, 0.06)))
    yield "picture in picture", encode(_in_picture(video, random))


def _slideshow(video: Drawn, every_s: float) -> Drawn:
    step = round(every_s * video.rate)
    return Drawn(np.repeat(video.frames[::step], round(1.5 * video.rate), axis=0), video.rate)


def _boxed(one: Image.Image, beside: float, above: float, colour: str = "black") -> Image.Image:
    x, y = round(WIDTH * beside), round(HEIGHT * above)
    page = Image.new("RGB", (WIDTH, HEIGHT), colour)
    page.paste(one.resize((WIDTH - 2 * x, HEIGHT - 2 * y)), (x, y))
    return page


def _at_speed(video: Drawn, speed: float) -> Drawn:
    count = round(len(video.frames) / speed)
    places = np.minimum(np.arange(count) * speed, len(video.frames) - 1).astype(int)
    return Drawn(video.frames[places], video.rate)


def _logo(one: Image.Image, share: float) -> Image.Image:
    draw = ImageDraw.Draw(one)
    side = round(WIDTH * share)
    x, y = WIDTH - side - 10, 10
    draw.ellipse((x, y, x + side, y + side), fill="white", outline="black", width=3)
    draw.line((x, y + side // 2, x + side, y + side // 2), fill="red", width=4)
    return one


def _caption(one: Image.Image) -> Image.Image:
    draw = ImageDraw.Draw(one)
    draw.rectangle((40, HEIGHT - 28, WIDTH - 40, HEIGHT - 8), fill="black")
    draw.text((50, HEIGHT - 26), "zorble flux quimpash tovner", fill="white", font_size=14)
    return one


def _sepia(one: Image.Image) -> Image.Image:
    return ImageOps.colorize(one.convert("L"), "#201004", "#ffe8c0")


def _brighter(one: Image.Image) -> Image.Image:
    return ImageEnhance.Contrast(ImageEnhance.Brightness(one).enhance(1.25)).enhance(1.2)


def _reordered(video: Drawn, random: np.random.Generator) -> Drawn:
    pieces = [part(video, at, at + 6) for at in range(0, int(len(video.frames) / video.rate), 6)]
    order = random.permutation(len(pieces))
    return joined(pieces[one] for one in order)


def _inside(piece: Drawn, random: np.random.Generator) -> Drawn:
    return joined([film(random, 30), piece, film(random, 30)])


def _cropped(one: Image.Image, share: float) -> Image.Image:
    x, y = one.width * share, one.height * share
    return one.resize(one.size, box=(x, y, one.width - x, one.height - y))


def _in_picture(video: Drawn, random: np.random.Generator) -> Drawn:
    ground = scene(random, WIDTH, HEIGHT)

    def placed(one: Image.Image) -> Image.Image:
        page = ground.copy()
        page.paste(one.resize((int(WIDTH * 0.8), int(HEIGHT * 0.8))), (WIDTH // 10, HEIGHT // 10))
        return page

    return each(video, placed)


def look_alikes(random: np.random.Generator) -> Iterator[tuple[str, list[bytes]]]:
    """Yield groups of videos that share something but are not one another."""
    card = slide(random)
    yield (
        "same title card",
        [
            encode(joined([Drawn(hold(card, 3)), film(random, 20), Drawn(hold(card, 2))]))
            for _ in range(3)
        ],
    )
    intro = Drawn(moving_shot(random, 3))
    yield "same moving intro of 3 s", [encode(joined([intro, film(random, 25)])) for _ in range(3)]
    for share in (0.25, 0.5):
        ground = scene(random, WIDTH, HEIGHT)
        yield (
            f"same room, others of size {share}",
            [encode(Drawn(still_shot(random, 20, ground, share))) for _ in range(3)],
        )
    yield (
        "slides of one design",
        [
            encode(Drawn(np.concatenate([hold(slide(random), 3) for _ in range(7)])))
            for _ in range(4)
        ],
    )
    yield (
        "dark slides of one design",
        [
            encode(Drawn(np.concatenate([hold(slide(random, is_dark=True), 3) for _ in range(7)])))
            for _ in range(3)
        ],
    )
    yield "nearly nothing", [encode(one) for one in _nearly_nothing(random)]
    overlay = slide(random).crop((0, 0, WIDTH, 27))
    yield (
        "same banner over other films",
        [encode(each(film(random, 20), lambda one: _with_banner(one, overlay))) for _ in range(3)],
    )
    world = scene(random, WIDTH * 2, HEIGHT * 2)
    yield "same place, another walk", [encode(_walk(world, random)) for _ in range(3)]


def _walk(world: Image.Image, random: np.random.Generator) -> Drawn:
    """Return a view of a small part of a large scene: another part each time."""
    x, y = random.uniform(0, WIDTH), random.uniform(0, HEIGHT)
    frames = []
    for number in range(15 * RATE):
        dx, dy = 12 * np.sin(number / 9), 8 * np.cos(number / 7)
        left, top = np.clip(x + dx, 0, WIDTH), np.clip(y + dy, 0, HEIGHT)
        frames.append(world.crop((int(left), int(top), int(left) + WIDTH, int(top) + HEIGHT)))
    return Drawn(np.stack([np.asarray(one) for one in frames]))


def _with_banner(one: Image.Image, banner: Image.Image) -> Image.Image:
    one.paste(banner, (0, HEIGHT - banner.height))
    return one


def _nearly_nothing(random: np.random.Generator) -> Iterator[Drawn]:
    count = 10 * RATE
    yield Drawn(np.zeros((count, HEIGHT, WIDTH, 3), np.uint8))
    yield Drawn(np.full((count, HEIGHT, WIDTH, 3), 16, np.uint8))
    yield Drawn(np.full((count, HEIGHT, WIDTH, 3), 255, np.uint8))
    yield Drawn(random.integers(0, 20, (count, HEIGHT, WIDTH, 3), np.uint8))
    ramp = np.linspace(0, 255, WIDTH, dtype=np.uint8)
    yield Drawn(np.broadcast_to(ramp[None, None, :, None], (count, HEIGHT, WIDTH, 3)))
    fade = np.linspace(0, 255, count).astype(np.uint8)
    yield Drawn(np.broadcast_to(fade[:, None, None, None], (count, HEIGHT, WIDTH, 3)))
