"""Draws an account and those it is tied to: as SVG, readable without a mouse, in either theme."""

from collections.abc import Sequence
from math import cos, pi, sin
from urllib.parse import quote

from markupsafe import Markup, escape
from msgspec import Struct

_WIDTH, _HEIGHT = 900, 460
_RINGS = ((0, 10, 1.0), (10, 24, 1.0))
_REACH = ((230, 130), (365, 195))
_LONGEST_NAME = 18
MOST = 24


class Neighbour(Struct, frozen=True, kw_only=True):
    """An account that another is tied to.

    Attributes:
        ties: what ties them, in words, the strongest first.
        strength: 0.0 to 1.0.
        tone: how it is coloured: "bad" where confirmed or suspended, "warn" where a case is open.
    """

    account_id: str
    ties: tuple[str, ...]
    strength: float
    tone: str = "quiet"


def draw(center: str, neighbours: Sequence[Neighbour]) -> Markup:
    """Return the drawing, the strongest ties nearest; "" where there is nobody to draw."""
    shown = sorted(neighbours, key=lambda one: (-one.strength, one.account_id))[:MOST]
    if not shown:
        return Markup("")
    placed = list(zip(shown, _places(len(shown)), strict=True))
    lines = Markup("").join(_line(one, at) for one, at in placed)
    nodes = Markup("").join(_node(one, at) for one, at in placed)
    return Markup(
        '<svg class="graph" viewBox="0 0 {w} {h}" role="img" aria-labelledby="graph-title">'
        '<title id="graph-title">{center} and {n} accounts tied to it</title>{lines}'
        '<g class="graph-center"><circle cx="{x}" cy="{y}" r="13"/>'
        '<text x="{x}" y="{below}" text-anchor="middle">{short}</text></g>{nodes}</svg>'
    ).format(
        w=_WIDTH,
        h=_HEIGHT,
        center=center,
        n=len(shown),
        lines=lines,
        nodes=nodes,
        x=_WIDTH // 2,
        y=_HEIGHT // 2,
        below=_HEIGHT // 2 + 30,
        short=_short(center),
    )


def _places(count: int) -> list[tuple[float, float]]:
    """Return where each stands: up to ten on an inner ring, the rest on an outer one."""
    places: list[tuple[float, float]] = []
    for (first, last, _), (wide, tall) in zip(_RINGS, _REACH, strict=True):
        here = min(count, last) - first
        for number in range(here):
            turn = 2 * pi * (number + (0.5 if first else 0.0)) / here - pi / 2
            places.append((_WIDTH / 2 + wide * cos(turn), _HEIGHT / 2 + tall * sin(turn)))
    return places


def _line(one: Neighbour, at: tuple[float, float]) -> Markup:
    return Markup(
        '<line class="tone-{tone}" x1="{x0}" y1="{y0}" x2="{x:.0f}" y2="{y:.0f}" '
        'stroke-width="{width:.1f}"><title>{ties}</title></line>'
    ).format(
        tone=one.tone,
        x0=_WIDTH // 2,
        y0=_HEIGHT // 2,
        x=at[0],
        y=at[1],
        width=1 + 4 * min(max(one.strength, 0.0), 1.0),
        ties=", ".join(one.ties),
    )


def _node(one: Neighbour, at: tuple[float, float]) -> Markup:
    return Markup(
        '<a href="/accounts/{href}" class="tone-{tone}"><title>{full}: {ties}</title>'
        '<circle cx="{x:.0f}" cy="{y:.0f}" r="8"/>'
        '<text x="{x:.0f}" y="{name_y:.0f}" text-anchor="middle">{short}</text>'
        '<text class="graph-tie" x="{x:.0f}" y="{tie_y:.0f}" text-anchor="middle">{tie}</text></a>'
    ).format(
        href=quote(one.account_id, safe=""),
        tone=one.tone,
        full=one.account_id,
        ties=", ".join(one.ties),
        x=at[0],
        y=at[1],
        name_y=at[1] - 13,
        tie_y=at[1] + 21,
        short=_short(one.account_id),
        tie=one.ties[0] if one.ties else "",
    )


def _short(name: str) -> Markup:
    """Return a name that fits, its end kept: ids of one platform begin alike."""
    if len(name) > _LONGEST_NAME:
        name = f"…{name[1 - _LONGEST_NAME :]}"
    return escape(name)
