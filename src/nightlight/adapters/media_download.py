"""Takes an answer of a media server in: bounded in size and time, never in memory as a whole."""

from pathlib import Path
from time import monotonic

import httpx
from msgspec import Struct

from nightlight.adapters.spool import Spool, SpooledFile
from nightlight.errors import InvalidInput, Unavailable

_CHUNK = 1 << 16
#: Media is compressed by itself; a server that packs it again could send little and mean much.
HEADERS = {"accept-encoding": "identity"}


class DownloadLimits(Struct, frozen=True, kw_only=True):
    """What may be fetched, and how slowly.

    Attributes:
        max_bytes: of one file.
        timeout_s: for connecting, and for each piece to come.
        whole_s: for a small file as a whole.
        least_bytes_per_s: a large file may take longer by its size at this rate.
    """

    max_bytes: int = 4 << 30
    timeout_s: float = 20.0
    whole_s: float = 60.0
    least_bytes_per_s: int = 1 << 20


def taken_in(
    answer: httpx.Response, *, limits: DownloadLimits, folder: Path | None, since: float
) -> SpooledFile:
    """Return the body of an answer that is being received.

    Args:
        answer: whose body is not read yet.
        limits: what may come, and how slowly.
        folder: where a large file lies meanwhile, encrypted.
        since: when asking for it began, by ``time.monotonic``.

    Raises:
        Unavailable: the server does not answer with a file, or too slowly.
        InvalidInput: the file is larger than allowed.
    """
    if not answer.is_success:
        raise Unavailable(f"the media server answers {answer.status_code}")
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unavailable("the media server packs its answer, though asked not to")
    said = answer.headers.get("content-length", "")
    if said.isascii() and said.isdecimal() and int(said) > limits.max_bytes:
        raise InvalidInput("the file is larger than allowed", field="media.url")
    # httpx limits each piece, not the whole: a server that trickles would hold the worker.
    latest = since + limits.whole_s
    taken = 0
    with Spool(max_bytes=limits.max_bytes, folder=folder) as spool:
        for chunk in answer.iter_raw(_CHUNK):
            spool.write(chunk)
            taken += len(chunk)
            if monotonic() > latest + taken / limits.least_bytes_per_s:
                raise Unavailable("the media server is too slow")
        return spool.finish()
