"""The parent of ingest's own values that hold content which must not reach a log."""

from msgspec import Struct


class Masked(Struct, frozen=True, kw_only=True):
    """A value that holds personal data or content: printing it shows only its type."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: masked>"

    __str__ = __repr__
