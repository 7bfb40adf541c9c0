"""What clients say of the pictures and videos that they add to banks: notes and metadata."""

from collections.abc import Mapping
from typing import Any

import msgspec

from nightlight.web.hma.answers import bad

_LONGEST_NOTE = 255
_LONGEST_METADATA = 1 << 16
_METADATA: Mapping[str, type] = {"content_id": str, "content_uri": str, "json": dict}


def note_of(note: Any) -> str:
    """Return a note, "" for none.

    Raises:
        Refused: it is no text, or too long.
    """
    text = "" if note is None else note
    if not isinstance(text, str) or len(text) > _LONGEST_NOTE:
        raise bad(f"note must be text of at most {_LONGEST_NOTE} characters")
    return text


def metadata_of(metadata: Any) -> dict[str, Any] | None:
    """Return what a client says of what it adds, None where it says nothing.

    Raises:
        Refused: it says something else than HMA's clients do.
    """
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        raise bad("metadata should be a json object")
    unexpected = sorted(str(name)[:40] for name in set(metadata) - set(_METADATA))
    if unexpected:
        raise bad(f"metadata contains unexpected keys: {', '.join(unexpected)}")
    said = {name: value for name, value in metadata.items() if value is not None}
    for name, value in said.items():
        if not isinstance(value, _METADATA[name]):
            raise bad(f"Invalid metadata: {name}")
    return said


def metadata_beside(fields: Mapping[str, str]) -> dict[str, Any] | None:
    """Return metadata that stands in a form or the address, as FetLife's and Coop's clients put it.

    FetLife's ``metadata`` is all of it, Coop's what HMA calls ``json``.

    Raises:
        Refused: it is no JSON object.
    """
    said: dict[str, Any] = {}
    if fields.get("metadata"):
        try:
            said = msgspec.json.decode(fields["metadata"], type=dict[str, Any])
        except msgspec.DecodeError:
            raise bad("metadata should be a json object") from None
        if not said.keys() <= _METADATA.keys():
            said = {"json": said}
    said |= {name: fields[name] for name in ("content_id", "content_uri") if fields.get(name)}
    return metadata_of(said or None)


def stored_metadata(said: Mapping[str, Any] | None) -> bytes:
    """Return metadata as it is kept, b"" for none.

    Raises:
        Refused: it is too long.
    """
    stored = msgspec.json.encode(said) if said else b""
    if len(stored) > _LONGEST_METADATA:
        raise bad(f"metadata must be at most {_LONGEST_METADATA} bytes of JSON")
    return stored
