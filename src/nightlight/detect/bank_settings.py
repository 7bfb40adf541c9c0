"""The banks' settings as the index asks for them, and of which files a bank is asked."""

import hashlib
from collections.abc import Iterable, Mapping

from nightlight.model.bank import Bank
from nightlight.model.media import MediaHashes

_RATIO_STEPS = 1 << 32
#: Stands before a bank's number; no bank's name begins so.
NUMBERED = "#"


class BankSettings:
    """The banks' settings as of one moment: by name, and by what the index knows a bank by.

    That is a mark and the number that stays with a bank whatever it is called; the name of a bank
    that never was in a store, as in tests and tools.
    """

    def __init__(
        self, banks: Iterable[Bank] = (), numbers: Mapping[str, int] | None = None
    ) -> None:
        self.keys = {name: f"{NUMBERED}{number}" for name, number in (numbers or {}).items()}
        self._by_name = {bank.name: bank for bank in banks}
        self._by_key = {self.keys.get(name, name): bank for name, bank in self._by_name.items()}

    def named(self, name: str) -> Bank:
        """Return the settings of the bank that has this name; the usual ones if none has."""
        return self._by_name.get(name) or Bank(name=name)

    def of(self, key: str) -> Bank | None:
        """Return the settings of the bank that an entry is in, None where it was withdrawn."""
        bank = self._by_key.get(key)
        return bank if bank or key.startswith(NUMBERED) else Bank(name=key)


def is_asked(bank: Bank, key: bytes) -> bool:
    """Return whether a bank is asked about the file of this key; always the same for one file."""
    ratio = bank.enabled_ratio
    if ratio >= 1.0:
        return True
    digest = hashlib.blake2b(key, digest_size=4, key=bank.name.encode()[:64]).digest()
    return int.from_bytes(digest) < ratio * _RATIO_STEPS


def sampling_key(hashes: MediaHashes) -> bytes:
    """Return what stays the same however often, and with however much else, a file is asked for."""
    return (hashes.sha256 or hashes.md5 or hashes.sha1 or hashes.pdq).encode()
