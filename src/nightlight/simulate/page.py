"""A small page on which a person can see what a simulator was told."""

from collections.abc import Sequence
from html import escape

from fastapi.responses import HTMLResponse

_STYLE = (
    "body{font-family:sans-serif;margin:2rem}"
    "table{border-collapse:collapse}td,th{border:1px solid #999;padding:.3rem .6rem;"
    "text-align:left}"
)


def page(title: str, *, header: Sequence[str], rows: Sequence[Sequence[str]]) -> HTMLResponse:
    """Return a page with one table; every text is escaped."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></html>"
    )
