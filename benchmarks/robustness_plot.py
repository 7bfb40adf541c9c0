"""The table of ``benchmarks.robustness`` as a picture: a row an edit, a mark a method."""

from typing import Any

_ROW, _TOP, _LEFT, _WIDTH = 17, 56, 210, 560
#: Where each method stands in the key above the table.
_KEY = (12, 102, 167, 262, 452)
_MARKS = {
    "PDQ": ("#9a9a9a", "PDQ alone"),
    "pHash": ("#d98f2b", "pHash"),
    "perception": ("#b8b22f", "perception"),
    "hash-only": ("#3b82c4", "Nightlight, hash-only bank"),
    "media": ("#1f7a4d", "Nightlight, bank made from media"),
}


def plot(found: dict[str, Any]) -> str:
    """Return the SVG."""
    rows = found["recall"]
    height = _TOP + _ROW * len(rows) + 30
    title = (
        f"Share of {found['originals']} edited pictures found, where at most 1 in 10,000 of "
        f"{found['negatives']} others may be matched"
    )
    size = f'width="{_LEFT + _WIDTH + 40}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="10" y="18" font-size="13">{title}</text>',
    ]
    for at, (colour, label) in enumerate(_MARKS.values()):
        x = _KEY[at]
        parts.append(f'<circle cx="{x}" cy="36" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{x + 8}" y="40">{label}</text>')
    for percent in range(0, 101, 20):
        line = _LEFT + _WIDTH * percent // 100
        ends = f'x1="{line}" y1="{_TOP}" x2="{line}" y2="{height - 24}"'
        parts.append(f'<line {ends} stroke="#e4e4e4"/>')
        parts.append(f'<text x="{line}" y="{height - 10}" text-anchor="middle">{percent} %</text>')
    for at, row in enumerate(rows):
        y = _TOP + _ROW * at + _ROW / 2
        parts.append(f'<text x="{_LEFT - 10}" y="{y + 4}" text-anchor="end">{row["edit"]}</text>')
        for name, (colour, _) in _MARKS.items():
            mark = _LEFT + _WIDTH * row[name]["share"]
            parts.append(f'<circle cx="{mark:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
    return "\n".join([*parts, "</svg>", ""])
