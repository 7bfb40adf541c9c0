"""The parent of values that hold content, hashes, terms or personal data."""

from typing import Any

from msgspec import Struct


class Masked(Struct, frozen=True, kw_only=True):
    """A value that must not reach a log or a screen: printing it shows only its type.

    A child may show its own id, by overriding ``__repr__`` alone.
    """

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: masked>"

    def __str__(self) -> str:
        return repr(self)

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        # Struct would list every field to the library that prints for the terminal.
        return []
