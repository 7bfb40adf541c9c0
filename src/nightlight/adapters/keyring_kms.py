"""Keys covered by a key service that speaks the transit interface of OpenBao and Vault.

The service keeps one key and never gives it out; it encrypts and decrypts what the key file holds,
once at each start. Data keys are wrapped here, so sealing asks nobody.
"""

import base64
import binascii

import httpx

from nightlight.errors import IntegrityFailure, NotPermitted, Unavailable

_OK = 200
_BAD_REQUEST = 400


class TransitCover:
    """Covers keys by a key of a key service."""

    def __init__(self, *, url: str, key: str, token: str, timeout_s: float = 10.0) -> None:
        """Keep where the service is; nothing is asked yet.

        Args:
            url: the base of its transit interface, such as https://bao.example.test/v1/transit.
            key: the name of the service's key.
            token: lets us use it.
            timeout_s: how long an answer may take.
        """
        self._url = url.rstrip("/")
        self._key = key
        self._client = httpx.Client(
            headers={"X-Vault-Token": token}, timeout=timeout_s, follow_redirects=False
        )

    @property
    def name(self) -> str:
        """What covers them, as the key file says it."""
        return f"transit:{self._key}"

    def cover(self, key: bytes) -> str:
        """Return a key as it is kept in the file.

        Raises:
            Unavailable: the service does not answer.
            NotPermitted: it does not let us.
        """
        return self._ask("encrypt", {"plaintext": base64.b64encode(key).decode()}, "ciphertext")

    def uncover(self, kept: str) -> bytes:
        """Return the key.

        Raises:
            IntegrityFailure: it was not covered by this.
            Unavailable: the service does not answer.
            NotPermitted: it does not let us.
        """
        plain = self._ask("decrypt", {"ciphertext": kept}, "plaintext")
        try:
            return base64.b64decode(plain, validate=True)
        except binascii.Error as error:
            raise Unavailable("the key service answers what is no key") from error

    def _ask(self, verb: str, body: dict[str, str], wanted: str) -> str:
        try:
            answer = self._client.post(f"{self._url}/{verb}/{self._key}", json=body)
            if answer.status_code == _OK:
                return str(answer.json()["data"][wanted])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            # Without its text: it may quote what was asked.
            raise Unavailable(
                f"the key service does not answer: {type(error).__name__}",
                field="NIGHTLIGHT_KMS_URL",
            ) from None
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise NotPermitted(
                "the key service does not take the token",
                field="NIGHTLIGHT_KMS_TOKEN",
                hint="it needs encrypt and decrypt with this key",
            )
        if answer.status_code == _BAD_REQUEST and verb == "decrypt":
            raise IntegrityFailure(
                "the key service did not cover this key file",
                field="NIGHTLIGHT_KMS_KEY",
                hint="restore the key file from its backup, or name the key that covered it",
            )
        raise Unavailable(
            f"the key service answers {answer.status_code}", field="NIGHTLIGHT_KMS_URL"
        )
