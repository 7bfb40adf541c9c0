"""Where each view looks: the geometry of undoing an edit, or of making one, as six-number maps.

See ``_views_reference`` for what a map is. Shares are of the side of the original.
"""

from math import cos, radians, sin

from nightlight.kernel._views_reference import ALSO_FLIPPED, AS_IS

Map = tuple[float, float, float, float, float, float]
#: A view's name, where it looks, and which turns and flips of it are wanted.
View = tuple[str, Map, int]

#: PDQ still matches with the picture about 1 % larger or smaller, shifted by 1 %, or turned by a
#: degree (82 % of photographs each, within 31 bits): steps are under twice that.
_CROPS = (1.5, 2.5, 3.5, 5.0, 6.5, 8.0, 10.0)
_ONE_SIDED = (2.5, 5.0, 7.5, 10.0)
_TWO_SIDED = (2.0, 3.5, 5.0)
_ANGLES = tuple(1.25 * step for step in range(1, 13))
_ANGLES_OF_CROPPED = (1.25, 2.5, 3.75, 5.0)
#: An original that was cropped further than this is only found by views of itself in the bank.
_BANK_CROPS = (
    *(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.5, 9.0, 10.0, 11.5, 13.0, 15.0),
    *(16.5, 18.0, 20.0, 22.0, 24.0, 25.0, 26.5, 28.0, 30.0),
)
_BANK_ONE_SIDED = (2.5, 5.0, 7.5, 10.0, 12.5, 15.0, 20.0, 25.0, 30.0)
_BANK_ANGLES = tuple(float(step) for step in range(1, 16))
_SHAPES = ((1, 1), (4, 5), (5, 4), (16, 9), (9, 16), (4, 3), (3, 4))
#: What the middle part leaves out on every side. Turned by less than the least angle, a picture
#: keeps nearly all of itself, and its middle need not stand in.
_MIDDLE = 0.2
_LEAST_MIDDLE_ANGLE = 5.0
#: Of a picture cropped to another form, what may be missing on both sides.
_LEAST_RESHAPED, _MOST_RESHAPED = 0.02, 0.35
_SIDES = ("left", "top", "right", "bottom")


def window(left: float, top: float, right: float, bottom: float) -> Map:
    """Return the map that leaves out these shares of the picture, or adds them where negative."""
    return (left, 1 - left - right, 0.0, top, 0.0, 1 - top - bottom)


def turned(degrees: float, shape: tuple[float, float], wanted: tuple[float, float]) -> Map:
    """Return the map of a ``wanted`` rectangle turned about the middle of a picture of ``shape``.

    Args:
        degrees: clockwise, as the rectangle lies in the picture.
        shape: width and height of the picture.
        wanted: width and height of the rectangle, in the same unit.
    """
    width, height = shape
    c, s = cos(radians(degrees)), sin(radians(degrees))
    right = (c * wanted[0] / width, s * wanted[0] / height)
    down = (-s * wanted[1] / width, c * wanted[1] / height)
    corner = (0.5 - (right[0] + down[0]) / 2, 0.5 - (right[1] + down[1]) / 2)
    return (corner[0], right[0], down[0], corner[1], right[1], down[1])


def _grown(share: float) -> float:
    """Return what to add to a picture that lost ``share`` of the original on both sides."""
    return -share / (1 - 2 * share)


def uncropped() -> list[View]:
    """Return the views of a picture made larger by repeating its edges."""
    views: list[View] = []
    for percent in _CROPS:
        grown = _grown(percent / 100)
        views.append((f"uncropped-{percent:g}", window(*[grown] * 4), ALSO_FLIPPED))
    for percent in _ONE_SIDED:
        grown = -percent / (100 - percent)
        for at, side in enumerate(_SIDES):
            shares = [grown if at == place else 0.0 for place in range(4)]
            views.append((f"uncropped-{side}-{percent:g}", window(*shares), AS_IS))
    for percent in _TWO_SIDED:
        grown = _grown(percent / 100)
        views.append((f"uncropped-sides-{percent:g}", window(grown, 0, grown, 0), AS_IS))
        views.append((f"uncropped-ends-{percent:g}", window(0, grown, 0, grown), AS_IS))
    return views


def turned_back(shape: tuple[int, int], *, framed: bool) -> list[View]:
    """Return the views of a picture of this width and height turned back by small angles.

    Args:
        shape: width and height.
        framed: whether the corners are even, as when all of a turned picture is shown.
    """
    views: list[View] = []
    for side, sign in (("left", -1.0), ("right", 1.0)):
        for angle in _ANGLES:
            name = f"turned-back-{side}-{angle:g}"
            views.append((name, turned(sign * angle, shape, shape), AS_IS))
            if angle >= _LEAST_MIDDLE_ANGLE:
                middle = (shape[0] * (1 - 2 * _MIDDLE), shape[1] * (1 - 2 * _MIDDLE))
                views.append((f"{name}+part-middle", turned(sign * angle, shape, middle), AS_IS))
            if framed:
                inner = _framed(angle, shape)
                views.append((f"{name}+without-corners", turned(sign * angle, shape, inner), AS_IS))
        for angle in _ANGLES_OF_CROPPED:
            larger = 1 / _upright(angle, shape)
            wanted = (shape[0] * larger, shape[1] * larger)
            name = f"turned-back-{side}-{angle:g}+uncropped"
            views.append((name, turned(sign * angle, shape, wanted), AS_IS))
    return views


def _framed(angle: float, shape: tuple[float, float]) -> tuple[float, float]:
    """Return the size of the picture that, turned by ``angle``, just fits into ``shape``."""
    c, s = cos(radians(angle)), sin(radians(angle))
    width, height = shape
    inner = c * c - s * s
    # Of a very long picture no upright one fits: the least sensible size stands in.
    return (
        max((width * c - height * s) / inner, width / 4),
        max((height * c - width * s) / inner, height / 4),
    )


def _upright(angle: float, shape: tuple[float, float]) -> float:
    """Return the share of its sides that the largest upright picture within ``shape`` keeps."""
    c, s = cos(radians(angle)), sin(radians(angle))
    width, height = shape
    return min(width / (width * c + height * s), height / (width * s + height * c))


def bank_crops(shape: tuple[int, int]) -> list[View]:
    """Return the views that a crop of a picture of this width and height would be."""
    views: list[View] = [
        (f"cropped-{percent:g}", window(*[percent / 100] * 4), ALSO_FLIPPED)
        for percent in _BANK_CROPS
    ]
    for percent in _BANK_ONE_SIDED:
        for at, side in enumerate(_SIDES):
            shares = [percent / 100 if at == place else 0.0 for place in range(4)]
            views.append((f"cropped-{side}-{percent:g}", window(*shares), AS_IS))
    for percent, steps in ((5.0, 3), (10.0, 5), (15.0, 5), (20.0, 7)):
        views += _positions(percent, steps)
    for wide, tall in _SHAPES:
        kept = (wide / tall) / (shape[0] / shape[1])
        left, top = max(0.0, (1 - kept) / 2), max(0.0, (1 - 1 / kept) / 2)
        if _LEAST_RESHAPED < max(left, top) < _MOST_RESHAPED:
            views.append((f"cropped-to-{wide}x{tall}", window(left, top, left, top), AS_IS))
    return views


def _positions(percent: float, steps: int) -> list[View]:
    """Return crops that leave out ``percent`` of both sides, at places other than the middle."""
    views: list[View] = []
    for row in range(steps):
        for column in range(steps):
            if row == column == steps // 2:
                continue
            left, top = percent * column / (steps - 1), percent * row / (steps - 1)
            shares = (left / 100, top / 100, (percent - left) / 100, (percent - top) / 100)
            views.append((f"cropped-from-{left:g}-{top:g}-by-{percent:g}", window(*shares), AS_IS))
    return views


def bank_tilts(shape: tuple[int, int]) -> list[View]:
    """Return the views that a picture of this width and height, turned and cropped, would be."""
    views: list[View] = []
    for side, sign in (("left", -1.0), ("right", 1.0)):
        for angle in _BANK_ANGLES:
            share = _upright(angle, shape)
            wanted = (shape[0] * share, shape[1] * share)
            views.append((f"tilted-{side}-{angle:g}", turned(sign * angle, shape, wanted), AS_IS))
    return views


def parts() -> list[View]:
    """Return the parts of a picture, looked at on both sides: what covers one leaves another."""
    half, rest, rim = 0.5, 0.4, _MIDDLE
    places = {
        "part-left-half": (0, 0, half, 0),
        "part-right-half": (half, 0, 0, 0),
        "part-upper-half": (0, 0, 0, half),
        "part-lower-half": (0, half, 0, 0),
        "part-upper-left": (0, 0, rest, rest),
        "part-upper-right": (rest, 0, 0, rest),
        "part-lower-left": (0, rest, rest, 0),
        "part-lower-right": (rest, rest, 0, 0),
        "part-middle": (rim, rim, rim, rim),
        "part-middle-rows": (0, rim, 0, rim),
        "part-middle-columns": (rim, 0, rim, 0),
    }
    return [(name, window(*place), AS_IS) for name, place in places.items()]
