"""Banks over a database of their own, with recent traffic where a test wants it."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from msgspec.structs import replace
from tests.fakes.cybertip_store import NOON, HandClock
from tests.ports.builders import ENTRY, make_media

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.model.audit import AuditEntry
from nightlight.model.bank import BankEntry
from nightlight.model.media import MediaHashes, Scan, ScanState
from nightlight.services.banks import Banks

WHO: dict[str, Any] = {"actor": "ana", "reason": "to see"}


def md5(place: int) -> str:
    return f"{place:032x}"


def line(place: int, **fields: str) -> str:
    told = {"kind": "md5", "value": md5(place), "id": f"entry-{place}", **fields}
    return json.dumps(told)


class Told:
    """Answers that others match these known entries, whatever they are."""

    def __init__(self) -> None:
        self.entries: Mapping[str, set[int]] = {}

    def prepare(self) -> None:
        """There is nothing to prepare."""

    def __call__(self, _: Sequence[BankEntry]) -> Mapping[str, set[int]]:
        return self.entries


class BankDesk:
    """Banks, and what a test asks of the store behind them."""

    def __init__(self, unit_of_work: SqlUnitOfWork, clock: HandClock, key: bytes = b"k") -> None:
        self.unit_of_work = unit_of_work
        self.known = Told()
        self.banks = Banks(unit_of_work=unit_of_work, clock=clock, id_key=key, known=self.known)

    def traffic(self, *hashes: MediaHashes) -> None:
        """Let files with these hashes have come in, harmless as far as anybody knows."""
        media = [
            replace(
                make_media(f"media-{place}", uploaded_at=NOON + timedelta(seconds=place)),
                scan=Scan(state=ScanState.SCANNED, hashes=one),
            )
            for place, one in enumerate(hashes)
        ]
        with self.unit_of_work.begin() as tx:
            tx.context.save(accounts=[], posts=[], media=media)
            tx.commit(ENTRY)

    def entries(self) -> list[BankEntry]:
        with self.unit_of_work.read() as tx:
            return list(tx.banks.entries())

    def states(self) -> dict[str, str]:
        return {entry.id: entry.state.value for entry in self.entries()}

    def record(self) -> Sequence[AuditEntry]:
        with self.unit_of_work.read() as tx:
            return [chained.entry for chained in tx.audit.entries()]
