"""Files are sealed as they come in, and the record is told what the vault had lost of them."""

from contextlib import suppress

import structlog

from nightlight.errors import Unavailable
from nightlight.model.audit import AuditEntry
from nightlight.preserve.ports import EvidenceFile
from nightlight.preserve.vault import Vault
from nightlight.transaction import UnitOfWork

_log = structlog.get_logger("nightlight.sealing")


class Sealing:
    """Seals files while no transaction is open."""

    def __init__(self, *, unit_of_work: UnitOfWork, vault: Vault) -> None:
        self._unit_of_work = unit_of_work
        self._vault = vault

    def seal_file(self, file: EvidenceFile) -> str:
        """Return the SHA-256 (hex) under which the file is now durably sealed, and opens.

        Raises:
            IntegrityFailure: the file's bytes are not those of its SHA-256; nothing is sealed.
            Unavailable: the vault does not answer.
        """
        digest = self._vault.seal_file(file)
        with suppress(Unavailable):  # it is sealed; what is to be told is told later
            self.tell()
        return digest

    def tell(self) -> int:
        """Return of how many vault files the record now says that they did not open.

        Equal bytes came in again and were sealed in their place, so nothing of these is lost. It
        is an alarm all the same: what damaged them may have damaged others, which nobody sent
        again.
        """
        names = self._vault.mended()
        if not names:
            return 0
        with self._unit_of_work.begin() as tx:
            tx.commit(*map(_entry, names))
        self._vault.forget_mended(names)
        _log.error("evidence.mended", files=len(names))
        return len(names)


def _entry(name: str) -> AuditEntry:
    return AuditEntry(
        actor="nightlight",
        action="evidence.mended",
        subject=name,
        reason="what the vault held under this keyed digest did not open; equal bytes came in"
        " and were sealed in its place",
    )
