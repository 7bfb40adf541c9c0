"""NCMEC's CyberTipline over HTTPS.

Owns URLs, encodings and the reading of answers. Leaves what an answer means for a tip to
``report/submit.py``. Nothing that was sent, and no text of an answer, goes into an error: NCMEC's
descriptions can quote the report. The ``Request-ID`` does, so that NCMEC can look it up.
"""

from collections.abc import Iterator
from itertools import chain
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx
from lxml import etree

from nightlight.errors import InvalidInput, Unavailable
from nightlight.report.ports import CyberTiplineRefusal
from nightlight.report.schema import parsed

_XML = "text/xml; charset=utf-8"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
#: HTTP statuses whose answer may have an empty body, as the response codes that say the same.
_BY_STATUS = {401: 2000, 403: 3000}


class HttpCyberTipline:
    """A ``CyberTipline`` reached over HTTP with Basic authentication."""

    def __init__(
        self, *, base_url: str, username: str, password: str, timeout_s: float = 30.0
    ) -> None:
        """Prepare to call ``base_url``, the address up to and including ``/ispws``.

        Raises:
            InvalidInput: the address is not HTTPS, and not on this machine.
        """
        address = urlsplit(base_url)
        local = address.scheme == "http" and address.hostname in _LOOPBACK
        if address.scheme != "https" and not local:
            raise InvalidInput("the CyberTipline is reached over https only", field="base_url")
        self._client = httpx.Client(
            base_url=base_url,
            auth=(username, password),
            timeout=timeout_s,
            trust_env=False,  # settings/ is the only reader of the environment
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def status(self) -> None:
        """Return if the line is up and takes the credentials."""
        self._answer(self._client.build_request("GET", "/status"))

    def schema(self) -> bytes:
        """Return the XML schema that documents must follow today."""
        request = self._client.build_request("GET", "/xsd")
        response = self._send(request)
        if not response.is_success:
            _read(response)
            raise _unusable(response)
        return response.content

    def open(self, document: bytes) -> str:
        """Open a report and return its id."""
        response, answer = self._answer(self._xml("/submit", document))
        return _text(answer, "reportId", response)

    def upload(
        self,
        remote_id: str,
        file_name: str,
        content_type: str,
        content: Iterator[bytes],
        byte_count: int,
    ) -> tuple[str, str]:
        """Add a file to an open report; return its id and the MD5 of what arrived.

        The file is sent as it is read. What ``content`` raises cuts the call off and goes on to
        the caller; the length was promised before, so no part of the file is taken for it.
        """
        name = file_name.encode(errors="replace").decode() or "file"
        head, tail, form = self._around(remote_id, name, content_type or "application/octet-stream")
        request = self._client.build_request(
            "POST",
            "/upload",
            content=chain((head,), content, (tail,)),
            headers={
                "Content-Type": form,
                "Content-Length": str(len(head) + byte_count + len(tail)),
            },
        )
        response, answer = self._answer(request)
        return _text(answer, "fileId", response), _text(answer, "hash", response)

    def describe(self, document: bytes) -> None:
        """File the details of one uploaded file."""
        self._answer(self._xml("/fileinfo", document))

    def finish(self, remote_id: str) -> str:
        """Finish the report and return the answer, verbatim.

        Raises:
            Unavailable: besides the usual reasons, the answer is about another report.
        """
        response, answer = self._answer(self._form("/finish", remote_id))
        if _text(answer, "reportId", response) != remote_id:
            raise _unusable(response)
        return response.text

    def retract(self, remote_id: str) -> None:
        """Withdraw a report that is not finished."""
        self._answer(self._form("/retract", remote_id))

    def _around(self, remote_id: str, name: str, content_type: str) -> tuple[bytes, bytes, str]:
        """Return what comes before and after a file in a multipart body, and the body's type."""
        empty = self._client.build_request(
            "POST", "/upload", data={"id": remote_id}, files={"file": (name, b"", content_type)}
        )
        form = empty.headers["Content-Type"]
        tail = f"\r\n--{form.partition('boundary=')[2]}--\r\n".encode()
        return empty.read().removesuffix(tail), tail, form

    def _xml(self, path: str, document: bytes) -> httpx.Request:
        return self._client.build_request(
            "POST", path, content=document, headers={"Content-Type": _XML}
        )

    def _form(self, path: str, remote_id: str) -> httpx.Request:
        # A field without a file name: multipart, as the API wants it, and no file.
        return self._client.build_request("POST", path, files={"id": (None, remote_id)})

    def _answer(self, request: httpx.Request) -> tuple[httpx.Response, etree._Element]:
        response = self._send(request)
        return response, _read(response)

    def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            return self._client.send(request)
        except httpx.HTTPError as error:
            # The library's own message names no content, but its type says all that helps.
            raise Unavailable(
                f"the CyberTipline did not answer {request.url.path}: {type(error).__name__}"
            ) from error


def _read(response: httpx.Response) -> etree._Element:
    """Return the answer's root if it says 0.

    Raises:
        CyberTiplineRefusal: it says another code.
        Unavailable: it says none.
    """
    try:
        root = parsed(response.content)
        code = int(root.findtext("responseCode") or "")
    except (InvalidInput, ValueError):
        by_status = _BY_STATUS.get(response.status_code)
        if by_status is None:
            raise _unusable(response) from None
        raise _refusal(response, by_status) from None
    if code != 0:
        raise _refusal(response, code)
    if not response.is_success:
        raise _unusable(response)
    return root


def _refusal(response: httpx.Response, code: int) -> CyberTiplineRefusal:
    body = response.content.decode(errors="replace")
    return CyberTiplineRefusal(
        f"the CyberTipline answered {code} to {_named(response)}", answer_code=code, body=body
    )


def _unusable(response: httpx.Response) -> Unavailable:
    return Unavailable(
        f"unusable answer, HTTP {response.status_code}, from the CyberTipline to {_named(response)}"
    )


def _named(response: httpx.Response) -> str:
    request_id = response.headers.get("Request-ID", "none")
    return f"{response.request.url.path} (Request-ID {request_id})"


def _text(answer: etree._Element, tag: str, response: httpx.Response) -> str:
    text = (answer.findtext(tag) or "").strip()
    if not text:
        raise _unusable(response)
    return text
