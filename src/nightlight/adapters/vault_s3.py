"""Vault files in a bucket of any S3-compatible store; durable once the store says so.

Small files are written by one conditional request: what is there stays. Large ones go up in parts,
and appear whole or not at all. Every request is signed, and says the SHA-256 of what it carries.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain
from typing import BinaryIO

from msgspec import Struct
from obstore import put
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from nightlight.errors import NightlightError, NotFound, NotPermitted, Unavailable

#: Up to this size a file is written by one request, larger ones in parts of this size.
PART_BYTES = 8 << 20
#: A file is read in pieces of at least this size: who reads its beginning waits for no more.
_READ_BYTES = 128 << 10
#: An object that is written before the first file, and stays: where it is, there is a vault.
MARKER = "nightlight-vault"


class Bucket(Struct, frozen=True, kw_only=True):
    """Where files are kept, and what lets us.

    Attributes:
        endpoint: the store's address; "" for Amazon's own.
    """

    name: str
    prefix: str
    endpoint: str
    region: str
    access_key: str
    secret_key: str
    timeout_s: float = 30.0
    retries: int = 3


class S3BlobStore:
    """Keeps each blob in an object of its own.

    An empty place in a bucket, instead of a vault that is in use, is never taken for one.
    """

    def __init__(
        self,
        bucket: Bucket,
        *,
        part_bytes: int = PART_BYTES,
        may_be_new: Callable[[], bool] = lambda: True,
    ) -> None:
        """Keep the parts; ``may_be_new`` tells whether nothing is known to be kept yet."""
        self._part_bytes = part_bytes
        self._may_be_new = may_be_new
        self._is_marked = False
        timeout = timedelta(seconds=bucket.timeout_s)
        self._store = S3Store(
            bucket.name,
            prefix=bucket.prefix or None,
            endpoint=bucket.endpoint or None,
            region=bucket.region,
            access_key_id=bucket.access_key,
            secret_access_key=bucket.secret_key,
            virtual_hosted_style_request=False,
            checksum_algorithm="SHA256",
            client_options={
                "allow_http": bucket.endpoint.startswith("http://"),
                "timeout": timeout,
                "connect_timeout": timeout,
            },
            retry_config={"max_retries": bucket.retries, "retry_timeout": timeout},
        )

    def put(self, name: str, data: bytes) -> None:
        """Keep ``data`` under ``name``; what is already there stays.

        Raises:
            Unavailable: the store does not answer.
        """
        self.put_parts(name, (data,))

    def put_parts(self, name: str, parts: Iterable[bytes]) -> None:
        """Keep the parts, one after the other, under ``name``; what is already there stays.

        Raises:
            Unavailable: the store does not answer.
        """
        if not self._is_marked:
            self._mark()
        source = _Source(parts)
        whole = source.whole_up_to(self._part_bytes)
        with _told("written", source):
            if whole is None:
                # Two that write the same at once write equal content: either may stay.
                if not self.has(name):
                    self._upload(name, source)
                return
            try:
                put(self._store, name, whole, mode="create", use_multipart=False)
            except (AlreadyExistsError, PreconditionError):
                return

    def get(self, name: str) -> bytes:
        """Return the bytes under ``name``.

        Raises:
            NotFound: nothing is kept under it.
            Unavailable: the store does not answer.
        """
        with _told("read"), self.open(name) as file:
            return file.read()

    def open(self, name: str) -> BinaryIO:
        """Return a reader of the bytes under ``name``; reading it may raise OSError.

        Raises:
            NotFound: nothing is kept under it.
            Unavailable: the store does not answer.
        """
        try:
            with _told("read"):
                found = self._store.get(name)
                parts = iter(found.stream(min_chunk_size=_READ_BYTES))
                return _Stream(parts, found.meta["e_tag"])  # type: ignore[return-value]  # it reads like any binary file
        except NotFound:
            self._check_is_vault()
            raise

    def has(self, name: str) -> bool:
        """Return whether something is kept under ``name``.

        Raises:
            Unavailable: the store does not answer.
        """
        try:
            self._tag(name)
        except NotFound:
            self._check_is_vault()
            return False
        return True

    def names(self) -> Iterator[str]:
        """Yield every name under which something is kept, each once.

        Raises:
            Unavailable: the store does not answer.
        """
        self._check_is_vault()
        for name in self._listed():
            if name != MARKER:
                yield name

    def replace_parts(
        self, name: str, parts: Iterable[bytes], *, instead_of: BinaryIO | None = None
    ) -> None:
        """Keep the parts in place of what is under ``name``: there is the old or the new, whole.

        A large file that is destroyed or replaced just when its last part went up may come back:
        who replaces asks afterwards whether it is still needed.

        Raises:
            NotFound: nothing is kept under it, or not any more, or not what ``instead_of`` reads.
            Unavailable: the store does not answer.
        """
        tag = self._tag(name)
        if getattr(instead_of, "tag", tag) != tag:
            raise NotFound("the vault holds something else by now")

        def still() -> None:
            # The library calls this while it uploads, and refuses another request on that thread.
            with ThreadPoolExecutor(1) as aside:
                now = aside.submit(self._tag, name).result()
            if now != tag:
                raise NotFound("the vault holds something else by now")

        source = _Source(parts, still)
        whole = source.whole_up_to(self._part_bytes)
        with _told("written", source):
            if whole is None:
                self._upload(name, source)
                return
            try:
                condition = {"e_tag": tag}
                put(self._store, name, whole, mode=condition, use_multipart=False)  # type: ignore[arg-type]  # its type has no name here
            except PreconditionError as error:
                raise NotFound("the vault does not hold this") from error

    def destroy(self, name: str) -> None:
        """Destroy what is kept under ``name``; once back, it is gone.

        A bucket that keeps versions keeps this one: see docs/operations/evidence.md.

        Raises:
            Unavailable: the store does not answer, or this is not the vault that is in use.
        """
        self._mark()  # Once the last file is gone, nothing else says that this is the vault.
        try:
            with _told("written"):
                self._store.delete(name)
        except NotFound:
            return

    def _check_is_vault(self) -> None:
        """Return if this is the vault: marked, with files in it, or all new.

        Raises:
            Unavailable: it is empty, and something is known to be kept: this is another place.
        """
        self._is_marked = False
        try:
            self._tag(MARKER)
        except NotFound:
            if next(self._listed(), None) is None and not self._may_be_new():
                raise Unavailable(
                    "the vault is not there: its place is empty, and evidence is kept in it",
                    field="NIGHTLIGHT_VAULT_URL",
                    hint="correct bucket and prefix, or restore the vault from its backup",
                ) from None
        else:
            self._is_marked = True

    def _mark(self) -> None:
        """Let the place say that it is a vault; one that is not the vault in use is refused."""
        self._check_is_vault()
        if not self._is_marked:
            with _told("written"):
                put(self._store, MARKER, MARKER.encode(), use_multipart=False)
            self._is_marked = True

    def _listed(self) -> Iterator[str]:
        with _told("read"):
            for page in self._store.list():
                for one in page:
                    yield str(one["path"]).rpartition("/")[2]

    def _tag(self, name: str) -> str:
        """Return what the store calls this version of an object.

        Raises:
            NotFound: nothing is kept under the name.
            Unavailable: the store does not answer, or only half: then it says no tag.
        """
        with _told("read"):
            tag = self._store.head(name)["e_tag"]
        if not tag:
            raise Unavailable("the vault cannot be read: the store's answer is not whole")
        return tag

    def _upload(self, name: str, source: "_Source") -> None:
        put(self._store, name, source.all(), use_multipart=True, chunk_size=self._part_bytes)


class _Source:
    """Parts that are read once; remembers what they raised, which the library would wrap."""

    def __init__(self, parts: Iterable[bytes], check: Callable[[], None] = lambda: None) -> None:
        """Keep the parts, and what is to be checked once they went up and are not joined yet."""
        self._parts = iter(parts)
        self._check = check
        self._held: list[bytes] = []
        self.failure: NightlightError | None = None

    def whole_up_to(self, most: int) -> bytes | None:
        """Return everything, None if it is more than that many bytes."""
        size = 0
        for part in self._parts:
            self._held.append(part)
            size += len(part)
            if size > most:
                return None
        return b"".join(self._held)

    def all(self) -> Iterator[bytes]:
        """Yield everything from the start."""
        try:
            yield from chain(self._held, self._parts)
            self._check()
        except NightlightError as error:
            self.failure = error
            raise


class _Stream(io.RawIOBase):
    """An object as a file that is read once."""

    def __init__(self, parts: Iterator[object], tag: str | None) -> None:
        self._parts = parts
        self.tag = tag
        self._left = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return ``size`` bytes, fewer only at the end."""
        found: list[bytes] = []
        missing = size
        while missing:
            if not self._left:
                part = self._next()
                if part is None:
                    break
                self._left = part
            taken = self._left if missing < 0 else self._left[:missing]
            self._left = self._left[len(taken) :]
            found.append(taken)
            missing = missing if missing < 0 else missing - len(taken)
        return b"".join(found)

    def _next(self) -> bytes | None:
        try:
            part = next(self._parts, None)
        except BaseError as error:
            raise OSError(0, "the store broke off") from error
        return None if part is None else bytes(part)  # type: ignore[call-overload]  # the library's buffer


@contextmanager
def _told(done: str, source: _Source | None = None) -> Iterator[None]:
    """Turn the library's errors into ours; without their text, which quotes requests."""
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        raise NotFound("the vault does not hold this") from error
    except (PermissionDeniedError, UnauthenticatedError, PermissionError) as error:
        raise NotPermitted(
            "the store does not take the credentials of the vault",
            field="NIGHTLIGHT_VAULT_ACCESS_KEY",
        ) from error
    except (BaseError, OSError) as error:
        if source is not None and source.failure is not None:
            raise source.failure from None
        raise Unavailable(
            f"the vault cannot be {done}: the store answers {type(error).__name__}",
            field="NIGHTLIGHT_VAULT_URL",
        ) from None
