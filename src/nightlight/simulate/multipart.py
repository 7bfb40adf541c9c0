"""Reads multipart/form-data bodies (RFC 7578) whose bytes must arrive unaltered."""

from email.message import Message
from email.parser import HeaderParser

from msgspec import Struct

from nightlight.errors import InvalidInput

_BREAK = b"\r\n"


class Part(Struct, frozen=True, kw_only=True):
    """One field: its content and, where it is a file, its name and type."""

    content: bytes
    file_name: str
    content_type: str

    def __repr__(self) -> str:
        return f"<Part of {len(self.content)} bytes: masked>"

    __str__ = __repr__


def parse(content_type: str, body: bytes) -> dict[str, Part]:
    """Return the fields by name; the last one of a name wins.

    Raises:
        InvalidInput: the body is no multipart/form-data.
    """
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        raise InvalidInput("a multipart/form-data body with a boundary was expected")
    pieces = (_BREAK + body).split(_BREAK + b"--" + boundary.encode())
    if not pieces[-1].startswith(b"--"):
        raise InvalidInput("the multipart body does not end")
    return dict(_part(piece) for piece in pieces[1:-1])


def _part(piece: bytes) -> tuple[str, Part]:
    head, found, content = piece.partition(_BREAK + _BREAK)
    # Names are UTF-8 as browsers, curl and most libraries write them (RFC 7578, section 5.1).
    headers = HeaderParser().parsestr(head.lstrip().decode("utf-8", "replace"))
    try:
        name = headers.get_param("name", header="Content-Disposition")
        file_name = headers.get_filename() or ""
    except (ValueError, LookupError) as error:
        raise InvalidInput("a part of the multipart body has a name in no text encoding") from error
    if not found or not isinstance(name, str):
        raise InvalidInput("a part of the multipart body has no name")
    return name, Part(
        content=content,
        # Half of a pair of surrogates, as UTF-7 can hold, is no text either.
        file_name=file_name.encode("utf-8", "replace").decode(),
        content_type=headers.get_content_type(),
    )
