"""The ``sample`` exchange: hashes of harmless files that the hash libraries publish as examples.

HMA's own tests and its clients expect it. It is offered only where test hooks are on.
"""

from collections.abc import Iterator

from nightlight.errors import InvalidInput
from nightlight.exchange.client import EntryNames, Page
from nightlight.exchange.gathered import Gathered
from nightlight.model.bank import BankEntry, HashKind, Opinion

#: PDQ of the pictures "bridge-mods" and two others that its authors publish, and of two logos.
_PDQ = (
    "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22",
    "f8f8f0cee0f4a84f06370a2a038f63f0b36e26d596621e1d33e6b39c4e9c9b22",
    "f8f8f0cee0f4a84f0637022a038f67f0b36e26d596621e1d33e6b39c4e9c9b22",
    "f8f8f0cee0f4a84f06370a2a068f67f0b36e26d596621e1d33e6339c4e9c9b22",
    "f8f8f0cee0f4a84f06370a22038f67f0b36e2ed596221e1d33e6b39c4e9c9b22",
    "f8f8f0cee0f4a84f0e370a22038f67f0b36e2ed596221e1d33e6b39c4a9c9b22",
    "d8f8f0cec0f4a84f8e370a22038f67f0b36a2ed597231e1d72e6b39c4a9c9b22",
    "f8f8f0cee0f4a84f06370a22038f67f0b36e2ed596621e1d33e6339c4e9c9b22",
    "d0f8f1ccc0f4a84d0a370a3a228f67f0b36e2ed5b6623e1d33e6339c4e9c9b22",
    "d8f8f1eec0f4a84f0e37022a078f63f0b36e2ed596621e1d33e6239c4e9c9b22",
    "d8f8f0cec4f4a84f0637022a078f67f0b36e2ee5b6621e1d33e6239c4e9c9b22",
    "d8f8f0cec0f4a84f0637022a278f67f0b36e2ed596621e1d33e6339c4e9c9b22",
    "e64cc9d91c623882f8d1f1d9a398e78c9f199b3bd83924f2b7e11e0bf861b064",
    "6227401f601ff4ccafcc9fad4b0d95d371a2eb7265a3285234d228ca94deeb2d",
    "c186f9619659658c4b6916daf934496985f4259c72c39676ab9edb631c3c349c",
    "62c9789627838f69f23cf98c29e37836d61c87c31c59587c4b49a783f496725c",
)
#: MD5 of a video that is published as an example, and of no bytes at all.
_MD5 = ("cab08b36195edb1a1231d2d09fa450e0", "d41d8cd98f00b204e9800998ecf8427e")


class SampleExchange:
    """Gives every example at once, on every fetch."""

    def __init__(self, names: EntryNames) -> None:
        self._names = names

    def fetch(self, checkpoint: str) -> Iterator[Page]:  # noqa: ARG002  there is one page
        """Yield the one page there is."""
        gathered = Gathered()
        hashes = [(HashKind.PDQ, value) for value in _PDQ] + [(HashKind.MD5, one) for one in _MD5]
        for place, (kind, value) in enumerate(hashes, start=1):
            ref = f"{kind.value}/{place}"
            entry = BankEntry(
                id=self._names.entry_id(ref, kind, value),
                bank=self._names.bank,
                kind=kind,
                value=value,
                source="published example",
                source_ref=ref,
            )
            gathered.put(ref, [entry])
        yield gathered.page(checkpoint="all", up_to_date=True)

    def vote(self, entry: BankEntry, opinion: Opinion) -> None:  # noqa: ARG002  takes none
        """Take no opinion.

        Raises:
            InvalidInput: always.
        """
        raise InvalidInput("the examples take no opinions")

    def close(self) -> None:
        """Have nothing to give back."""
