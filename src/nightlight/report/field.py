"""Text as an XML field can carry it; whatever had to be altered is noted, never silent."""

import re

from lxml import etree

# XML 1.0, section 2.2: everything outside these ranges cannot stand in a document at all.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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


class Field:
    """One text element: its name and, where the API limits it, how many characters it takes."""

    def __init__(self, tag: str, limit: int | None = None) -> None:
        self._tag = tag
        self._limit = limit

    def put(self, parent: etree._Element, text: str, notes: Notes, **attributes: str) -> None:
        """Append the element with as much of ``text`` as it can carry; nothing if that is ""."""
        fitted = self._fitted(text, notes)
        if fitted:
            element = etree.SubElement(parent, self._tag)
            element.text = fitted
            for name, value in attributes.items():
                element.set(name, value)

    def put_with_notes(self, parent: etree._Element, text: str, notes: Notes) -> None:
        """Append the element with ``text`` and, after it, everything that was altered so far."""
        fitted = self._fitted(text, notes)
        both = "\n\n".join(part for part in (fitted, str(notes)) if part)
        if both:
            etree.SubElement(parent, self._tag).text = both

    def _fitted(self, text: str, notes: Notes) -> str:
        legal = _ILLEGAL.sub("", text)
        if legal != text:
            notes.add(f"Characters that XML cannot carry were removed from {self._tag}.")
        if self._limit is not None and len(legal) > self._limit:
            notes.add(f"{self._tag} was cut to {self._limit} of {len(legal)} characters.")
            legal = legal[: self._limit]
        return legal
