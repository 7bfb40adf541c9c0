"""Places where checkpoints of the record are published: a folder, an HTTP address."""

import os
import secrets
from pathlib import Path

import httpx

from nightlight.audit.checkpoint import Anchor
from nightlight.errors import InvalidInput, Unavailable


class CheckpointFolder:
    """Writes each checkpoint as a file, and the newest as ``latest.txt``.

    The folder may be one that a web server shows, a repository, or another machine's disk.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def publish(self, checkpoint: Anchor) -> None:
        """Put a checkpoint into the folder; one that is there stays.

        Raises:
            Unavailable: it cannot be written now.
        """
        try:
            month = self._folder / f"{checkpoint.at:%Y-%m}"
            month.mkdir(parents=True, exist_ok=True)
            named = month / f"{checkpoint.seq:012d}.txt"
            if named.exists() and named.read_text("utf-8", "replace") != checkpoint.note:
                # After a restored backup: what was published before stays, as evidence.
                named = named.with_stem(f"{named.stem}-{checkpoint.at:%Y%m%dT%H%M%SZ}")
            _write(named, checkpoint.note)
            _write(self._folder / "latest.txt", checkpoint.note)
        except OSError as error:
            raise Unavailable(f"checkpoints cannot be written: {error.strerror}") from error


class CheckpointAddress:
    """Posts each checkpoint as plain text."""

    def __init__(self, url: str, *, token: str = "", timeout_s: float = 10.0) -> None:
        self._url = url
        self._headers = {"content-type": "text/plain; charset=utf-8"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        self._timeout_s = timeout_s

    def publish(self, checkpoint: Anchor) -> None:
        """Post a checkpoint; returns once the address took it.

        Raises:
            Unavailable: it did not.
            InvalidInput: it refuses checkpoints.
        """
        try:
            answer = httpx.post(
                self._url,
                content=checkpoint.note.encode(),
                headers=self._headers,
                timeout=self._timeout_s,
                follow_redirects=False,
            )
        except httpx.HTTPError as error:
            name = type(error).__name__
            raise Unavailable(f"the address for checkpoints does not answer: {name}") from error
        if answer.is_success:
            return
        kind = InvalidInput if answer.is_client_error else Unavailable
        raise kind(f"the address for checkpoints answers {answer.status_code}")


def _write(path: Path, note: str) -> None:
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with partial.open("x", encoding="utf-8") as file:
        file.write(note)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
