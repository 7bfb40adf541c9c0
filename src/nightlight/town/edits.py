"""Edits of a picture that leave it the same picture, and that PDQ is meant to survive."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from nightlight.town.truth import Edit

_QUALITY = 90
_POOR_QUALITY = 40


def jpeg(picture: Image.Image, quality: int = _QUALITY) -> bytes:
    """Return the picture as a JPEG file."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def edited(picture: Image.Image, edit: Edit, strength: float) -> bytes:
    """Return a JPEG of the picture after the edit; ``strength`` 1 is visible, 0 next to none."""
    match edit:
        case "recompress":
            return jpeg(picture, int(_QUALITY - strength * (_QUALITY - _POOR_QUALITY)))
        case "resize":
            share = 1 - 0.45 * strength
            return jpeg(picture.resize((int(picture.width * share), int(picture.height * share))))
        case "brightness":
            return jpeg(ImageEnhance.Brightness(picture).enhance(1 + 0.15 * strength))
        case "greyscale":
            return jpeg(picture.convert("L").convert("RGB"))
        case "noise":
            return jpeg(_with_noise(picture, 12 * strength))
        case "blur":
            return jpeg(picture.filter(ImageFilter.GaussianBlur(1.5 * strength)))
        case "watermark":
            return jpeg(_with_watermark(picture, strength))
        case "none" | "lookalike_family":
            return jpeg(picture)


def _with_noise(picture: Image.Image, deviation: float) -> Image.Image:
    pixels = np.asarray(picture, dtype=np.float64)
    noise = np.random.default_rng(pixels.shape).normal(0, deviation, pixels.shape)
    return Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))


def _with_watermark(picture: Image.Image, strength: float) -> Image.Image:
    layer = picture.copy()
    place = (picture.width - 110, picture.height - 16)
    ImageDraw.Draw(layer).text(place, "town.example.test", fill=(255, 255, 255))
    return Image.blend(picture, layer, 0.3 + 0.5 * strength)
