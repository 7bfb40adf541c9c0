"""Turns a decoded picture of any colour mode into 8-bit RGB as a viewer shows it."""

from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

Pixels: TypeAlias = NDArray[np.uint8]

_OPAQUE = 255
#: Modes of more than 8 bits begin so; a colour that they call transparent is shown.
_DEEP = "IF"


def rgb_looks(picture: Image.Image) -> tuple[tuple[str, Pixels], ...]:
    """Return the picture's pixels as shown, named "", and other ways in which it may be shown.

    What is transparent shows the page behind it: white, or black in a dark reader; and programs
    that know no transparency show, and hash, the colours that lie hidden.
    """
    if not _is_see_through(picture):
        return (("", _pixels(_rgb(picture))),)
    layered = picture.convert("RGBA")
    return (
        ("", _pixels(_on(layered, "white"))),
        ("on-black", _pixels(_on(layered, "black"))),
        ("opaque", _pixels(layered.convert("RGB"))),
    )


def _is_see_through(picture: Image.Image) -> bool:
    if picture.mode[0] in _DEEP or not picture.has_transparency_data:
        return False
    darkest = picture.convert("RGBA").getchannel("A").getextrema()[0]
    return isinstance(darkest, int | float) and darkest < _OPAQUE


def _on(layered: Image.Image, colour: str) -> Image.Image:
    ground = Image.new("RGBA", layered.size, colour)
    return Image.alpha_composite(ground, layered).convert("RGB")


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        # Pillow's own conversion cuts off at 255 instead of scaling.
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)).convert("RGB")
    if picture.mode in ("I", "F"):
        return Image.fromarray(_stretched(np.asarray(picture, np.float32))).convert("RGB")
    if picture.mode == "LAB":
        shown = ImageCms.applyTransform(picture, _lab_to_rgb())
        return picture.convert("RGB") if shown is None else shown
    return picture if picture.mode == "RGB" else picture.convert("RGB")


@cache
def _lab_to_rgb() -> ImageCms.ImageCmsTransform:
    lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, rgb, "LAB", "RGB")


def _stretched(samples: NDArray[np.float32]) -> Pixels:
    """Return samples of unknown range as 0 to 255; PDQ looks at contrast, not at brightness."""
    samples = np.nan_to_num(samples, posinf=0.0, neginf=0.0)
    low, high = samples.min(), samples.max()
    span = high - low or np.float32(1)
    return np.asarray((samples - low) / span * 255, np.uint8)


def _pixels(picture: Image.Image) -> Pixels:
    return np.asarray(picture)
