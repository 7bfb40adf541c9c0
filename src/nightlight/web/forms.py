"""Reads multipart/form-data (RFC 7578) as it comes in; files never lie in memory or disk whole.

A file's bytes go where the caller says, piece by piece; text fields are small and limited.
"""

from collections.abc import AsyncIterator, Callable
from email.message import Message
from email.parser import BytesHeaderParser

from msgspec import Struct, field

from nightlight.errors import InvalidInput
from nightlight.ingest.ports import MediaFile
from nightlight.services.screening import IncomingFile

_LONGEST_HEAD = 4096
_LONGEST_FIELD = 64 << 10
_MOST_PARTS = 20
_LONGEST_BOUNDARY = 200


class FormFile(Struct, frozen=True, kw_only=True):
    """One file of a form: whoever has it closes it."""

    name: str
    content_type: str
    file: MediaFile

    def __repr__(self) -> str:
        return f"<FormFile of {self.file.size} bytes: masked>"

    __str__ = __repr__


class Form(Struct, kw_only=True):
    """A form's fields and files, in the order in which they came."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[FormFile] = field(default_factory=list)

    def close(self) -> None:
        """Let the bytes of every file go."""
        for one in self.files:
            one.file.close()


def boundary_of(content_type: str) -> bytes | None:
    """Return the boundary of a form, None where the body is no form.

    Raises:
        InvalidInput: it says that it is a form, and not how its parts are divided.
    """
    header = Message()
    header["Content-Type"] = content_type
    if header.get_content_type() != "multipart/form-data":
        return None
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str) or not 0 < len(boundary) <= _LONGEST_BOUNDARY:
        raise InvalidInput("the form has no boundary", field="content-type")
    return boundary.encode("latin-1", "replace")


async def read_form(
    stream: AsyncIterator[bytes], boundary: bytes, receive: Callable[[], IncomingFile]
) -> Form:
    """Return the form; on an error nothing of it is left.

    Raises:
        InvalidInput: it is no form, or larger than allowed.
        Unavailable: there is no room for a file.
    """
    form = Form()
    try:
        await _Reader(stream, boundary, receive).read_into(form)
    except BaseException:
        form.close()
        raise
    return form


class _Reader:
    """Finds the parts between the boundaries."""

    def __init__(
        self, stream: AsyncIterator[bytes], boundary: bytes, receive: Callable[[], IncomingFile]
    ) -> None:
        self._stream = stream
        self._receive = receive
        self._break = b"\r\n--" + boundary
        self._held = bytearray(b"\r\n")

    async def read_into(self, form: Form) -> None:
        await self._take(_Nowhere())
        for _ in range(_MOST_PARTS):
            if await self._is_end():
                return
            await self._part(form)
        raise InvalidInput("the form has too many parts")

    async def _is_end(self) -> bool:
        """Return whether the boundary just passed was the last."""
        while len(self._held) < len(b"--"):
            await self._more()
        return self._held[:2] == b"--"

    async def _part(self, form: Form) -> None:
        head = await self._head()
        name = head.get_param("name", header="Content-Disposition")
        if not isinstance(name, str):
            raise InvalidInput("a part of the form has no name")
        if head.get_filename() is None:
            text = _Text()
            await self._take(text)
            form.fields[name] = text.value.decode("utf-8", "replace")
            return
        with self._receive() as incoming:
            await self._take(incoming)
            file = incoming.finish()
        form.files.append(FormFile(name=name, content_type=head.get_content_type(), file=file))

    async def _head(self) -> Message:
        while (end := self._held.find(b"\r\n\r\n")) < 0:
            if len(self._held) > _LONGEST_HEAD:
                raise InvalidInput("a part of the form has too long a head")
            await self._more()
        head = bytes(self._held[:end]).lstrip(b"\r\n")
        # The break before what follows belongs to it: a part may be empty.
        del self._held[: end + len(b"\r\n")]
        return BytesHeaderParser().parsebytes(head)

    async def _take(self, into: "IncomingFile | _Text | _Nowhere") -> None:
        """Hand on everything up to the next boundary, which is passed."""
        extra = 0 if isinstance(into, _Nowhere) else len(b"\r\n")
        while True:
            place = self._held.find(self._break)
            until = place if place >= 0 else max(0, len(self._held) - len(self._break))
            if until:
                into.write(bytes(self._held[min(extra, until) : until]))
                extra -= min(extra, until)
                del self._held[:until]
            if place >= 0:
                del self._held[: len(self._break)]
                return
            await self._more()

    async def _more(self) -> None:
        async for piece in self._stream:
            if piece:
                self._held += piece
                return
        raise InvalidInput("the form does not end")


class _Text:
    """Holds a field."""

    def __init__(self) -> None:
        self.value = b""

    def write(self, data: bytes) -> None:
        self.value += data
        if len(self.value) > _LONGEST_FIELD:
            raise InvalidInput("a field of the form is too long")


class _Nowhere:
    """Takes what stands before the first part."""

    def write(self, data: bytes) -> None:
        """Let it go."""
