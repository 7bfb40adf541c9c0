"""What is known of each bank entry besides its hash, in columns: millions fit into memory.

Rows are found by the entry's number. An entry that changed keeps its row; what was withdrawn loses
it when the table is ``compacted``.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from nightlight.model.bank import BankEntry, EntryState, HashKind

_GROWTH = 1.5
_STATES = tuple(EntryState)
_KINDS = tuple(HashKind)

#: A row as it lies in the table; numbers are places in the table's lists of names.
_ROW = np.dtype(
    [
        ("number", np.int64),
        ("content", np.int64),
        ("value", np.uint64),
        ("id_start", np.uint64),
        ("id_length", np.uint16),
        ("bank", np.uint16),
        ("classification", np.uint16),
        ("view", np.uint16),
        ("opinion", np.uint16),
        ("kind", np.uint8),
        ("state", np.uint8),
    ]
)


class Row(Struct, frozen=True, kw_only=True):
    """One entry's columns, in words; ``bank`` is what the index knows its bank by."""

    entry_id: str
    number: int
    content: int
    bank: str
    kind: HashKind
    classification: str
    view: str
    opinion: str


class EntryTable:
    """Columns of bank entries. One thread changes it; any number may read meanwhile."""

    def __init__(self) -> None:
        self._rows = np.zeros(0, _ROW)
        self._count = 0
        # Ids of a snapshot stay where they are, new ones follow in memory of one's own.
        self._old_ids: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._ids = bytearray()
        self._names: list[str] = []
        self._code_of: dict[str, int] = {}
        # Numbers come in rising order but for entries that come back. From the first such row on,
        # rows are found through a dictionary, until they are put in order again.
        self._ordered = 0
        self._late: dict[int, int] = {}

    def __len__(self) -> int:
        """Return how many rows are not withdrawn."""
        states = self._rows["state"][: self._count]
        return int(np.count_nonzero(states != _STATES.index(EntryState.WITHDRAWN)))

    def append(self, entries: Sequence[BankEntry], banks: Mapping[str, str]) -> None:
        """Add rows for entries that have none.

        ``banks`` says what the index knows banks by, where that is not their name.
        """
        self._reserve(len(entries))
        newest = int(self._rows["number"][self._ordered - 1]) if self._ordered else -1
        for entry in entries:
            place = self._count
            self._rows[place] = self._packed(entry, banks)
            if place == self._ordered and entry.number > newest:
                newest = entry.number
                self._ordered += 1
            else:
                self._late[entry.number] = place
            self._count += 1

    def update(self, place: int, entry: BankEntry, banks: Mapping[str, str]) -> None:
        """Bring a row up to date."""
        packed = self._packed(entry, banks, id_of=place)
        if not entry.value:
            packed = (*packed[:2], self._rows["value"][place], *packed[3:])
        self._rows[place] = packed

    def place_of(self, number: int) -> int | None:
        """Return where the entry's row is, None where it has none."""
        ordered = self._rows["number"][: self._ordered]
        # Not NumPy's own search, which would first copy the whole column out of the rows.
        place = bisect_left(ordered, number)
        if place < len(ordered) and ordered[place] == number:
            return place
        return self._late.get(number)

    def code(self, name: str) -> int:
        """Return the number that stands for a name in the columns."""
        code = self._code_of.get(name)
        if code is None:
            code = len(self._names)
            self._names.append(name)
            self._code_of[name] = code
        return code

    def row(self, place: int) -> Row:
        """Return one row in words."""
        packed = self._rows[place]
        return Row(
            entry_id=self._id(int(packed["id_start"]), int(packed["id_length"])).decode(),
            number=int(packed["number"]),
            content=int(packed["content"]),
            bank=self._names[packed["bank"]],
            kind=_KINDS[packed["kind"]],
            classification=self._names[packed["classification"]],
            view=self._names[packed["view"]],
            opinion=self._names[packed["opinion"]],
        )

    def state(self, place: int) -> EntryState:
        """Return the state of a row."""
        return _STATES[int(self._rows["state"][place])]

    def set_state(self, place: int, state: EntryState) -> None:
        """Change only the state of a row."""
        self._rows["state"][place] = _STATES.index(state)

    def is_same_value(self, place: int, value: bytes) -> bool:
        """Return whether the row is of an entry with this hash, as far as its beginning tells."""
        return int(self._rows["value"][place]) == _beginning(value)

    @property
    def rows(self) -> int:
        """How many rows there are, withdrawn ones included."""
        return self._count

    @property
    def newest(self) -> int:
        """The greatest number of an entry, 0 where there is none."""
        return max(int(self._rows["number"][: self._count].max(initial=0)), 0)

    def thinned(self) -> "EntryTable":
        """Return the same table without withdrawn rows, the others in order of their numbers.

        All ids stay where they are, those of withdrawn rows too: millions are not moved while
        whoever waits for another change goes on waiting.
        """
        table = EntryTable()
        table._old_ids, table._ids = self._old_ids, self._ids
        table._rows = self._without_withdrawn()
        table._count = table._ordered = len(table._rows)
        for name in self._names:
            table.code(name)
        return table

    def compacted(self) -> "EntryTable":
        """Return the table ``thinned``, with the ids of its rows alone."""
        table = EntryTable()
        rows = table._rows = self._without_withdrawn()
        table._count = table._ordered = len(rows)
        table._ids = self._packed_ids(rows)
        lengths = rows["id_length"].astype(np.uint64)
        rows["id_start"] = np.cumsum(lengths) - lengths
        for name in self._names:
            table.code(name)
        return table

    def _without_withdrawn(self) -> NDArray[Any]:
        rows: NDArray[Any] = self._rows[: self._count]
        rows = rows[rows["state"] != _STATES.index(EntryState.WITHDRAWN)]
        if self._late:
            rows = rows[np.argsort(rows["number"], kind="stable")]
        return rows

    def _packed_ids(self, rows: NDArray[Any]) -> bytearray:
        """Return the ids of these rows, one after the other."""
        ids = bytearray()
        for start, length in zip(
            rows["id_start"].tolist(), rows["id_length"].tolist(), strict=True
        ):
            ids += self._id(start, length)
        return ids

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return everything as arrays, for a snapshot; best of a table that is compacted."""
        return {
            "rows": np.ascontiguousarray(self._rows[: self._count]).view(np.uint8),
            "ids": np.concatenate([self._old_ids, np.frombuffer(bytes(self._ids), np.uint8)]),
            "names": np.frombuffer(msgspec.json.encode(self._names), np.uint8),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "EntryTable":
        """Return the table that ``arrays`` was taken of; ids stay where they are mapped."""
        table = cls()
        rows = np.array(arrays["rows"], np.uint8)  # copied: states change in place
        table._rows = rows.view(_ROW)
        table._count = table._ordered = len(table._rows)
        table._old_ids = np.asarray(arrays["ids"], np.uint8)
        for name in msgspec.json.decode(arrays["names"].tobytes(), type=list[str]):
            table.code(name)
        return table

    def _id(self, start: int, length: int) -> bytes:
        if start < len(self._old_ids):
            return self._old_ids[start : start + length].tobytes()
        start -= len(self._old_ids)
        return bytes(self._ids[start : start + length])

    def _packed(
        self, entry: BankEntry, banks: Mapping[str, str], *, id_of: int | None = None
    ) -> tuple[int, ...]:
        if id_of is None:
            own = entry.id.encode()
            start, length = len(self._old_ids) + len(self._ids), len(own)
            self._ids += own
        else:
            start = int(self._rows["id_start"][id_of])
            length = int(self._rows["id_length"][id_of])
        return (
            entry.number,
            entry.content,
            _beginning(bytes.fromhex(entry.value)),
            start,
            length,
            self.code(banks.get(entry.bank, entry.bank)),
            self.code(entry.classification),
            self.code(entry.view),
            self.code(entry.opinion.value),
            _KINDS.index(entry.kind),
            _STATES.index(entry.state),
        )

    def _reserve(self, more: int) -> None:
        wanted = self._count + more
        if wanted > len(self._rows):
            rows = np.zeros(max(wanted, int(len(self._rows) * _GROWTH)), _ROW)
            rows[: self._count] = self._rows[: self._count]
            self._rows = rows


def _beginning(value: bytes) -> int:
    return int.from_bytes(value[:8])
