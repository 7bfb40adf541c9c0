"""Documents may only point at what is there."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

_ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^ *(```|~~~).*?^ *\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"!?\[(?:[^\[\]]|!\[[^\]]*\]\([^)]*\))*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


def _documents() -> list[Path]:
    return sorted([*_ROOT.glob("*.md"), *_ROOT.glob("docs/**/*.md")])


def _links(text: str) -> list[str]:
    return _LINK.findall(_CODE.sub("", _FENCE.sub("", text)))


def _anchors(text: str) -> set[str]:
    """Return the anchors that a page's headings get where the repository is shown."""
    found: set[str] = set()
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        name = _NOT_IN_ANCHORS.sub("", heading.lower()).replace(" ", "-")
        count = 1
        unique = name
        while unique in found:
            unique = f"{name}-{count}"
            count += 1
        found.add(unique)
    return found


def _faults(document: Path, text: str) -> Iterator[str]:
    for link in _links(text):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (document.parent / unquote(parts.path)).resolve() if parts.path else document
        if not target.is_relative_to(_ROOT) or not target.exists():
            yield f"{link}: there is no such file"
        elif parts.fragment and parts.fragment not in _anchors(target.read_text(encoding="utf-8")):
            yield f"{link}: there is no such heading"


@pytest.mark.parametrize("document", _documents(), ids=lambda path: str(path.relative_to(_ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    assert not list(_faults(document, document.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "text",
    [
        "[gone](docs/no-such-page.md)",
        "[gone](README.md#no-such-heading)",
        "[gone](#no-such-heading)",
        "![gone](docs/images/no-such-picture.png)",
        "[outside](../elsewhere.md)",
    ],
)
def test_a_link_that_leads_nowhere_is_found(text: str) -> None:
    assert len(list(_faults(_ROOT / "README.md", text))) == 1


def test_code_is_not_read_as_links() -> None:
    assert _links("`[a](b)`\n```sh\n[c](d)\n```\n[e](f)") == ["f"]
