"""Values as XML elements can carry them; whatever had to be altered is noted, never silent."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import assert_never

from lxml import etree

from nightlight.errors import InvalidInput

# XML 1.0, section 2.2: everything outside these ranges cannot stand in a document at all.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

#: How many characters an element takes, as the API's documentation says; the schema has no limits.
LIMITS: Mapping[str, int] = {
    "platform": 256,
    "escalateToHighPriority": 3000,
    "url": 2083,
    "espIdentifier": 255,
    "espService": 100,
    "screenName": 256,
    "profileUrl": 2083,
    "originalFileName": 2056,
    "locationOfFile": 2083,
}


class Notes:
    """What was altered on the way into a document, in words for the analyst."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, line: str) -> None:
        """Add a line unless it is already there."""
        if line not in self._lines:
            self._lines.append(line)

    def __str__(self) -> str:
        return "\n".join(self._lines)


def document(tag: str) -> "Element":
    """Return the root of a new document."""
    return Element(etree.Element(tag), Notes())


class Element:
    """An element to which children are appended, in the order in which the schema wants them."""

    def __init__(self, element: etree._Element, notes: Notes) -> None:
        self._element = element
        self._notes = notes

    def child(self, tag: str, **attributes: str | bool | datetime | None) -> "Element":
        """Return a new child element, the last so far, with the attributes that are told."""
        return Element(self._append(tag, attributes), self._notes)

    def text(self, tag: str, text: str, **attributes: str | bool | datetime | None) -> None:
        """Append a child with as much of ``text`` as it can carry; nothing if that is ""."""
        fitted = self._fitted(tag, text)
        if fitted:
            self._append(tag, attributes).text = fitted

    def said(self, tag: str, text: str) -> None:
        """Append a child that the schema requires, empty where ``text`` is ""."""
        self._append(tag).text = self._fitted(tag, text)

    def texts(self, tag: str, texts: Iterable[str]) -> None:
        """Append a child for each text."""
        for one in texts:
            self.text(tag, one)

    def text_with_notes(self, tag: str, text: str) -> None:
        """Append a child with ``text`` and, after it, everything that was altered so far."""
        fitted = self._fitted(tag, text)
        both = "\n\n".join(part for part in (fitted, str(self._notes)) if part)
        if both:
            self._append(tag).text = both

    def truth(
        self, tag: str, *, value: bool | None, **attributes: str | bool | datetime | None
    ) -> None:
        """Append whether it is so; nothing where nobody told."""
        if value is not None:
            self._append(tag, attributes).text = _truth(value=value)

    def number(self, tag: str, value: float | None) -> None:
        """Append a number; nothing where nobody told."""
        if value is not None:
            self._append(tag).text = str(value)

    def moment(self, tag: str, value: datetime | None) -> None:
        """Append a moment in UTC; nothing where nobody told.

        Raises:
            InvalidInput: it has no zone.
        """
        if value is not None:
            self._append(tag).text = _zoned(value)

    def day(self, tag: str, value: date | None) -> None:
        """Append a day; nothing where nobody told."""
        if value is not None:
            self._append(tag).text = value.isoformat()

    def flags(self, tag: str, names: Iterable[str]) -> None:
        """Append a child with an empty element for each name; nothing where there are none.

        The schema fixes these to true: present and empty is true, and "false" cannot be said.
        """
        told = list(dict.fromkeys(names))
        if told:
            parent = self.child(tag)
            for name in told:
                parent.child(name)

    def written(self) -> bytes:
        """Return the document, one element a line, so that a fault names a line worth naming."""
        return etree.tostring(
            self._element, xml_declaration=True, encoding="UTF-8", pretty_print=True
        )

    def _append(
        self, tag: str, attributes: Mapping[str, str | bool | datetime | None] | None = None
    ) -> etree._Element:
        element = etree.SubElement(self._element, tag)
        for name, value in (attributes or {}).items():
            match value:
                case None | "":
                    pass
                case bool():
                    element.set(name, _truth(value=value))
                case datetime():
                    element.set(name, _zoned(value))
                case str():
                    element.set(name, self._legal(name, value))
                case _:
                    assert_never(value)
        return element

    def _legal(self, tag: str, text: str) -> str:
        legal = _ILLEGAL.sub("", text)
        if legal != text:
            self._notes.add(f"Characters that XML cannot carry were removed from {tag}.")
        return legal

    def _fitted(self, tag: str, text: str) -> str:
        legal, limit = self._legal(tag, text), LIMITS.get(tag)
        if limit is not None and len(legal) > limit:
            self._notes.add(f"{tag} was cut to {limit} of {len(legal)} characters.")
            legal = legal[:limit]
        return legal


def _truth(*, value: bool) -> str:
    return "true" if value else "false"


def _zoned(time: datetime) -> str:
    if time.tzinfo is None:
        raise InvalidInput("a time in a report needs a zone")
    return time.astimezone(UTC).isoformat(timespec="milliseconds")
