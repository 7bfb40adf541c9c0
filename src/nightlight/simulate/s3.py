"""A simulated S3 server: signed requests, conditional writes, uploads in parts, and faults."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from secrets import token_hex
from urllib.parse import parse_qsl, quote, unquote
from xml.sax.saxutils import escape, unescape

from fastapi import FastAPI, Request, Response
from msgspec import Struct

from nightlight.simulate.faults import App, Faults, Faulty, add_fault_control

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNSIGNED = "UNSIGNED-PAYLOAD"
_PAGE = 1000
_KEY = re.compile("<Key>([^<]*)</Key>")


class _Refused(Exception):  # noqa: N818  the server's answer
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


class _Asked(Struct, frozen=True, kw_only=True):
    """A request whose signature is right."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class _Store:
    """Objects, and uploads that were begun, in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, tuple[str, dict[int, bytes]]] = {}

    def answer(self, asked: _Asked) -> Response:
        match asked.method:
            case "GET" if not asked.key:
                return self._list(asked)
            case "GET" | "HEAD":
                return self._get(asked)
            case "PUT" if "uploadId" in asked.query:
                _, parts = self._upload(asked)
                parts[int(asked.query["partNumber"])] = asked.body
                return Response(headers={"ETag": _etag(asked.body)})
            case "PUT":
                return self._put(asked)
            case "POST" if "uploads" in asked.query:
                upload = token_hex(8)
                self.uploads[upload] = (asked.key, {})
                return _xml(f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId>"
                            "</InitiateMultipartUploadResult>")  # fmt: skip
            case "POST" if "uploadId" in asked.query:
                return self._complete(asked)
            case "POST" if "delete" in asked.query:
                return self._delete_all(asked)
            case "DELETE" if "uploadId" in asked.query:
                self._upload(asked)
                del self.uploads[asked.query["uploadId"]]
                return Response(status_code=204)
            case "DELETE":
                self.objects.pop(asked.key, None)
                return Response(status_code=204)
            case _:
                raise _Refused(501, "NotImplemented")

    def _upload(self, asked: _Asked) -> tuple[str, dict[int, bytes]]:
        found = self.uploads.get(asked.query["uploadId"])
        if found is None or found[0] != asked.key:
            raise _Refused(404, "NoSuchUpload")
        return found

    def _complete(self, asked: _Asked) -> Response:
        _, parts = self._upload(asked)
        self._check_condition(asked)
        self.objects[asked.key] = b"".join(parts[number] for number in sorted(parts))
        del self.uploads[asked.query["uploadId"]]
        tag = escape(_etag(self.objects[asked.key]))
        return _xml(f"<CompleteMultipartUploadResult><ETag>{tag}</ETag>"
                    "</CompleteMultipartUploadResult>")  # fmt: skip

    def _delete_all(self, asked: _Asked) -> Response:
        keys = [unescape(key) for key in _KEY.findall(asked.body.decode())]
        for key in keys:
            self.objects.pop(key, None)
        gone = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
        return _xml(f"<DeleteResult>{gone}</DeleteResult>")

    def _put(self, asked: _Asked) -> Response:
        self._check_condition(asked)
        self.objects[asked.key] = asked.body
        return Response(headers={"ETag": _etag(asked.body)})

    def _check_condition(self, asked: _Asked) -> None:
        there = self.objects.get(asked.key)
        if asked.headers.get("if-none-match") == "*" and there is not None:
            raise _Refused(412, "PreconditionFailed")
        wanted = asked.headers.get("if-match")
        if wanted is not None and there is None:
            raise _Refused(404, "NoSuchKey")
        if wanted is not None and there is not None and wanted != _etag(there):
            raise _Refused(412, "PreconditionFailed")

    def _get(self, asked: _Asked) -> Response:
        body = self.objects.get(asked.key)
        if body is None:
            raise _Refused(404, "NoSuchKey")
        headers = {"ETag": _etag(body), "Last-Modified": "Sun, 01 Mar 2026 12:00:00 GMT"}
        if asked.method == "HEAD":
            return Response(headers={**headers, "Content-Length": str(len(body))})
        return Response(body, headers=headers, media_type="application/octet-stream")

    def _list(self, asked: _Asked) -> Response:
        after = asked.query.get("continuation-token", "")
        prefix = asked.query.get("prefix", "")
        size = min(int(asked.query.get("max-keys", _PAGE)), _PAGE)
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > after)
        page, more = keys[:size], len(keys) > size
        listed = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.objects[key])}</Size>"
            "<LastModified>2026-03-01T12:00:00.000Z</LastModified>"
            f"<ETag>{escape(_etag(self.objects[key]))}</ETag></Contents>"
            for key in page
        )
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        return _xml(
            f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"<KeyCount>{len(page)}</KeyCount>{token}{listed}</ListBucketResult>"
        )


def s3_app(*, bucket: str, access_key: str, secret_key: str, page: int = _PAGE) -> App:
    """Return a simulated S3 server with one bucket; what it holds at /_state, faults at /_faults.

    Args:
        bucket: the bucket that there is.
        access_key: who may use it.
        secret_key: with what requests are signed.
        page: how many objects a list names at most.
    """
    app = FastAPI(title="Simulated S3", openapi_url=None)
    store, faults = _Store(), Faults()
    add_fault_control(app, faults)

    @app.get("/_state")
    def state() -> dict[str, object]:
        sizes = {key: len(body) for key, body in store.objects.items()}
        return {"objects": sizes, "uploads": len(store.uploads)}

    @app.api_route("/{path:path}", methods=["GET", "HEAD", "PUT", "POST", "DELETE"])
    async def ask(request: Request) -> Response:
        body = await request.body()
        try:
            asked = _asked(request, body, bucket, (access_key, secret_key))
            if page < _PAGE and asked.method == "GET" and not asked.key:
                asked = _with_page(asked, page)
            return store.answer(asked)
        except _Refused as refused:
            body_text = f"<Error><Code>{refused.code}</Code></Error>"
            is_head = request.method == "HEAD"
            return Response(
                b"" if is_head else body_text.encode(),
                status_code=refused.status,
                media_type="application/xml",
            )

    return Faulty(app, faults, lambda code: Response(status_code=code))


def _with_page(asked: _Asked, page: int) -> _Asked:
    return _Asked(
        method=asked.method,
        bucket=asked.bucket,
        key=asked.key,
        query={**asked.query, "max-keys": str(page)},
        headers=asked.headers,
        body=asked.body,
    )


def _asked(request: Request, body: bytes, known: str, keys: tuple[str, str]) -> _Asked:
    """Return the request, if its signature (version 4) and the digests it states are right."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    raw_path = request.scope["raw_path"].decode()
    query = parse_qsl(request.scope["query_string"].decode(), keep_blank_values=True)
    _check_signature(request.method, raw_path, query, headers, keys)
    stated = headers.get("x-amz-content-sha256", "")
    if stated not in (_UNSIGNED, hashlib.sha256(body).hexdigest()):
        raise _Refused(400, "XAmzContentSHA256Mismatch")
    checksum = headers.get("x-amz-checksum-sha256")
    if checksum and base64.b64decode(checksum) != hashlib.sha256(body).digest():
        raise _Refused(400, "BadDigest")
    bucket, _, key = unquote(raw_path).lstrip("/").partition("/")
    if bucket != known:
        raise _Refused(404, "NoSuchBucket")
    return _Asked(
        method=request.method,
        bucket=bucket,
        key=key,
        query=dict(query),
        headers=headers,
        body=body,
    )


def _check_signature(
    method: str,
    raw_path: str,
    query: list[tuple[str, str]],
    headers: Mapping[str, str],
    keys: tuple[str, str],
) -> None:
    access_key, secret_key = keys
    algorithm, _, fields = headers.get("authorization", "").partition(" ")
    said = dict(one.strip().split("=", 1) for one in fields.split(",") if "=" in one)
    credential = said.get("Credential", "").split("/")
    if algorithm != _ALGORITHM or len(credential) != 5 or credential[0] != access_key:  # noqa: PLR2004  key, day, region, service, end
        raise _Refused(403, "InvalidAccessKeyId")
    _, day, region, service, end = credential
    signed = said.get("SignedHeaders", "").split(";")
    canonical = "\n".join(
        [
            method,
            raw_path,
            "&".join(
                f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
                for name, value in sorted(query)
            ),
            *(f"{name}:{headers.get(name, '').strip()}" for name in signed),
            "",
            ";".join(signed),
            headers.get("x-amz-content-sha256", ""),
        ]
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    scope = f"{day}/{region}/{service}/{end}"
    text = f"{_ALGORITHM}\n{headers.get('x-amz-date', '')}\n{scope}\n{digest}"
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, service, end):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, said.get("Signature", "")):
        raise _Refused(403, "SignatureDoesNotMatch")


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _xml(body: str) -> Response:
    return Response(f'<?xml version="1.0"?>{body}', media_type="application/xml")
