"""Whether the receipts of filed tips are as they came: the record kept their digests."""

from collections.abc import Iterator, Mapping
from hashlib import sha256

from msgspec import Struct

from nightlight.model.ids import TipId
from nightlight.transaction import StoredTip, Transaction

#: What is said of a tip once it is filed, by a line or by a person who asked NCMEC.
_FILED = frozenset({"tip.filed", "tip.found"})
#: Told of a tip as it was filed; what the record did not say yet is not compared.
_COMPARED = ("receipt", "remote_id", "line", "document")


class Changed(Struct, frozen=True, kw_only=True):
    """A tip of which something else is stored than the record says was filed."""

    tip_id: TipId
    says: str


def changed(tx: Transaction) -> list[Changed]:
    """Return the tips whose filing the record tells otherwise than it is stored, by id."""
    told: dict[str, Mapping[str, object]] = {}
    for one in tx.audit.entries():
        if one.entry.action in _FILED:
            told[one.entry.subject] = one.entry.detail
    stored = {one.tip_id: one for one in tx.tips.filed()}
    gone = [
        Changed(tip_id=TipId(name), says="the record says that it was filed, and it is not")
        for name in told.keys() - stored.keys()
    ]
    differing = [
        Changed(tip_id=name, says=says)
        for name, one in stored.items()
        for says in _differs(one, told.get(name))
    ]
    return sorted([*gone, *differing], key=lambda one: (one.tip_id, one.says))


def _differs(one: StoredTip, told: Mapping[str, object] | None) -> Iterator[str]:
    if told is None:
        yield "it is stored as filed, and the record does not say so"
        return
    if one.trouble:
        yield f"it cannot be compared: {one.trouble}"
        return
    filing = one.filing
    kept = {
        "receipt": sha256(filing.receipt.encode()).hexdigest() if filing.receipt else "",
        "remote_id": filing.remote_id,
        "line": filing.line,
        "document": filing.document,
    }
    for name in _COMPARED:
        # A line that was not known was noted later.
        if told.get(name) and told[name] != kept[name]:
            yield f"its {_NAMES[name]} is not the one that was filed"


_NAMES = {
    "receipt": "receipt",
    "remote_id": "report id",
    "line": "line",
    "document": "document's digest",
}
