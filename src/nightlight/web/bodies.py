"""Bodies as they come in: never more of one is held than allowed, and nothing lies in clear."""

from collections.abc import AsyncIterator, Callable
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request

from nightlight.ingest.ports import MediaFile
from nightlight.services.screening import IncomingFile


def check_encoding(request: Request) -> None:
    """Return if the body is as it is.

    Raises:
        HTTPException: it is compressed (415): how large it becomes would not be known.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail="send the body without content encoding"
        )


async def read_small(request: Request, *, most: int) -> bytes:
    """Return a whole body.

    Raises:
        HTTPException: it is larger than allowed (413).
    """
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise HTTPException(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail=f"a body may have {most} bytes"
            )
        parts.append(part)
    return b"".join(parts)


async def read_file(stream: AsyncIterator[bytes], receive: Callable[[], IncomingFile]) -> MediaFile:
    """Return the body as a file, to be closed by the caller.

    Raises:
        InvalidInput: it is larger than allowed.
        Unavailable: there is no room for it.
    """
    with receive() as incoming:
        async for part in stream:
            incoming.write(part)
        return incoming.finish()
