"""Files that HMA's clients name or send, and their hashes."""

from contextlib import ExitStack
from http import HTTPStatus

from msgspec import Struct
from starlette.requests import Request

from nightlight.errors import InvalidInput, NotPermitted, Unavailable
from nightlight.ingest.ports import MediaFile
from nightlight.model.media import MediaHashes, ScanState
from nightlight.services.screening import Screening
from nightlight.web.bodies import check_encoding
from nightlight.web.forms import Form, boundary_of, read_form
from nightlight.web.hma.answers import Refused, bad
from nightlight.web.hma.signals import PHOTO, VIDEO, content_type_of, types_of
from nightlight.web.work import Lane, Work


class Hashed(Struct, frozen=True, kw_only=True):
    """What a file is, its hashes, the signal types asked for, and what else the form said."""

    content_type: str
    hashes: MediaHashes
    types: tuple[str, ...]
    fields: dict[str, str]

    def __repr__(self) -> str:
        return f"<Hashed {self.content_type}: masked>"

    __str__ = __repr__


class _Wanted(Struct, frozen=True, kw_only=True):
    """What is wanted of a file, and what else the form said."""

    content_type: str
    types: str | None
    all_hashes: bool
    fields: dict[str, str] = {}

    @property
    def is_decoded(self) -> bool:
        """Whether the file is decoded for it."""
        # The exact hashes were made as the file came in: decoding a video is for who wants frames.
        return self.content_type != VIDEO or self.all_hashes


class Files:
    """Takes files in and hashes them."""

    def __init__(self, screening: Screening, work: Work) -> None:
        self._screening = screening
        self._work = work

    async def at_address(self, request: Request, *, all_hashes: bool = False) -> Hashed:
        """Return the hashes of the file at the address in ``url``.

        Raises:
            Refused: it cannot be had (400), is too large (413) or cannot be read (400).
        """
        url = request.query_params["url"]
        wanted = request.query_params.get("content_type") or ""
        content_type = content_type_of(wanted) if wanted else ""
        types = request.query_params.get("types")
        if content_type:
            types_of(content_type, types)
        held = ExitStack()

        def fetched(until_s: float) -> Hashed:
            file = held.enter_context(self._fetch(url))
            wanted = _Wanted(content_type=content_type, types=types, all_hashes=all_hashes)
            return self._hashed(file, wanted, until_s)

        return await self._work.do(fetched, using=held, lane=Lane.ADDRESSES)

    async def sent(self, request: Request, *, all_hashes: bool = False) -> Hashed:
        """Return the hashes of the file in a form, whose field says what it is.

        Raises:
            Refused: there is no such file, or it cannot be read.
        """
        check_encoding(request)
        boundary = boundary_of(request.headers.get("content-type", ""))
        if boundary is None:
            raise bad("Missing multipart/form-data file upload")
        form = await read_form(request.stream(), boundary, self._screening.receive)
        held = ExitStack()
        held.callback(form.close)
        try:
            content_type = content_type_of(_one_file(form))
            types = request.query_params.get("types")
            types_of(content_type, types)
        except Refused:
            held.close()
            raise
        file = form.files[0].file
        wanted = _Wanted(
            content_type=content_type, types=types, all_hashes=all_hashes, fields=form.fields
        )
        is_long = wanted.is_decoded and self._screening.takes_long(file)
        return await self._work.do_file(
            lambda until_s, *, briefly: self._hashed(file, wanted, until_s, briefly=briefly),
            using=held,
            is_long=is_long,
        )

    def _fetch(self, url: str) -> MediaFile:
        try:
            return self._screening.fetch(url)
        except NotPermitted:
            raise bad("Invalid or unsafe URL provided") from None
        except InvalidInput as error:
            if "larger" in str(error):
                message = "Content too large"
                raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message) from None
            raise bad("Invalid or unsafe URL provided") from None
        except Unavailable as error:
            raise bad(f"Failed to fetch URL: {error}") from None

    def _hashed(
        self, file: MediaFile, wanted: _Wanted, until_s: float, *, briefly: bool = False
    ) -> Hashed:
        hashes, content_type = file.hashes, wanted.content_type
        if wanted.is_decoded:
            hashes, content_type = self._scanned(file, wanted, until_s, briefly=briefly)
        return Hashed(
            content_type=content_type,
            hashes=hashes,
            types=types_of(content_type, wanted.types),
            fields=wanted.fields,
        )

    def _scanned(
        self, file: MediaFile, wanted: _Wanted, until_s: float, *, briefly: bool
    ) -> tuple[MediaHashes, str]:
        scan = self._screening.scan(
            file, for_bank=wanted.all_hashes, until_s=until_s, briefly=briefly
        )
        hashes, content_type = scan.hashes, wanted.content_type
        if content_type == PHOTO and not hashes.pdq:
            why = scan.reason or "it shows no picture"
            raise bad(f"the file cannot be hashed as a photo: {why}")
        if content_type:
            return hashes, content_type
        if hashes.pdq:
            return hashes, PHOTO
        if hashes.video is not None:
            return hashes, VIDEO
        why = f" ({scan.reason})" if scan.state is not ScanState.SCANNED else ""
        raise bad(
            f"unsupported url ContentType{why}, if you know the expected type,"
            " provide it with the content_type query param"
        )


def _one_file(form: Form) -> str:
    if not form.files:
        raise bad("Missing multipart/form-data file upload")
    if len(form.files) > 1:
        raise bad("Only one file allowed per request")
    return form.files[0].name
