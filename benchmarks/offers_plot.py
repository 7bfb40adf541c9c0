"""Precision against recall of ``benchmarks.offers`` as a picture."""

from typing import Any

_LEFT, _TOP, _SIZE = 70, 60, 420
_RIVALS = {
    "a listed term alone": "#d98f2b",
    "a term beside a listed cue, no exclusion": "#3b82c4",
}


def plot(found: dict[str, Any]) -> str:
    """Return the SVG: a line for the offer detector, a dot for each simpler rule."""
    points = [(recall, precision) for _, precision, recall in found["curve"]]
    rivals = {name: found["simpler rules"][name] for name in _RIVALS}
    every = [
        *points,
        *((one["recall"]["share"], one["precision"]["share"]) for one in rivals.values()),
    ]
    low = min(0.9, *(int(min(pair) * 10) / 10 for pair in every))
    title = f"Adverts among {found['posts']:,} posts of towns that nothing was fitted to"
    right, bottom = _LEFT + _SIZE, _TOP + _SIZE

    def at(recall: float, precision: float) -> tuple[float, float]:
        across = _LEFT + _SIZE * (recall - low) / (1 - low)
        return across, _TOP + _SIZE * (1 - (precision - low) / (1 - low))

    size = f'width="{_LEFT + _SIZE + 60}" height="{_TOP + _SIZE + 60}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="10" y="18" font-size="13">{title}</text>',
    ]
    for step in range(round((1 - low) * 10) + 1):
        value = low + step / 10
        across, down = at(value, value)
        lines = (
            f'x1="{across:.1f}" y1="{_TOP}" x2="{across:.1f}" y2="{bottom}"',
            f'x1="{_LEFT}" y1="{down:.1f}" x2="{right}" y2="{down:.1f}"',
        )
        parts += [f'<line {ends} stroke="#e4e4e4"/>' for ends in lines]
        below = f'x="{across:.1f}" y="{bottom + 16}" text-anchor="middle"'
        beside = f'x="{_LEFT - 8}" y="{down + 4:.1f}" text-anchor="end"'
        parts += [f"<text {where}>{value:.0%}</text>" for where in (below, beside)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*pair) for pair in points))
    parts.append(f'<polyline points="{line}" fill="none" stroke="#1f7a4d" stroke-width="2"/>')
    chosen = at(found["recall"]["share"], found["precision"]["share"])
    parts.append(_dot(*chosen, "#1f7a4d"))
    for name, colour in _RIVALS.items():
        one = rivals[name]
        parts.append(_dot(*at(one["recall"]["share"], one["precision"]["share"]), colour))
    key = {"offer detector, dot: as shipped": "#1f7a4d", **_RIVALS}
    for place, (name, colour) in enumerate(key.items()):
        parts.append(_dot(20 + (0, 190, 310)[place], 40, colour))
        parts.append(f'<text x="{30 + (0, 190, 310)[place]}" y="44">{name}</text>')
    parts.append(
        f'<text x="{_LEFT + _SIZE / 2}" y="{_TOP + _SIZE + 40}" text-anchor="middle">recall</text>'
    )
    parts.append(
        f'<text x="18" y="{_TOP + _SIZE / 2}" transform="rotate(-90 18 {_TOP + _SIZE / 2})" '
        'text-anchor="middle">precision</text>'
    )
    return "\n".join([*parts, "</svg>", ""])


def _dot(across: float, down: float, colour: str) -> str:
    return f'<circle cx="{across:.1f}" cy="{down:.1f}" r="5" fill="{colour}"/>'
