"""StopNCII's JSON: pages of hash records, and feedback on them.

A record has no id of its own: it is named by its hash, and so by a keyed reference here.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from msgspec import Raw, Struct

from nightlight.errors import InvalidInput
from nightlight.exchange.client import EntryNames
from nightlight.exchange.gathered import Gathered
from nightlight.exchange.hashes import checked_hash
from nightlight.exchange.opinion import agreed
from nightlight.model.bank import BankEntry, HashKind, Opinion

#: StopNCII's names of what is matched here.
SIGNAL_TYPES: Mapping[str, HashKind] = {
    "ImagePDQ": HashKind.PDQ,
    "ImageMD5": HashKind.MD5,
    "VideoMD5": HashKind.MD5,
}
FEEDBACK: Mapping[Opinion, str] = {Opinion.POSITIVE: "Blocked", Opinion.NEGATIVE: "NotBlocked"}
_OPINIONS = {value: opinion for opinion, value in FEEDBACK.items()}
#: The person who gave the hash took it back, or the case was deleted.
_GONE = frozenset({"Withdrawn", "Deleted"})
_STANDING = frozenset({"Unknown", "Received", "Active"})
#: The person who gave the hash, who is no member and whose name is not shared.
_SUBMITTER = "submitter"
_TOKEN = re.compile(rb'"nextPageToken"\s*:\s*"([!#-\[\]-~]{1,4096})"')
_MORE = re.compile(rb'"hasMoreRecords"\s*:\s*true')


class StopNciiPage(NamedTuple):
    """What a page says; ``token`` names the page after it, "" on the last one."""

    gathered: Gathered
    token: str
    next_timestamp: int


class _Answer(Struct, frozen=True):
    hashRecords: list[Raw]  # noqa: N815  StopNCII's own names
    nextSetTimestamp: int  # noqa: N815
    hasMoreRecords: bool  # noqa: N815
    nextPageToken: str | None = None  # noqa: N815


class _Feedback(Struct, frozen=True):
    feedbackValue: str = ""  # noqa: N815
    source: str = ""


class _Record(Struct, frozen=True):
    signalType: str  # noqa: N815
    hashValue: str  # noqa: N815
    hashStatus: str  # noqa: N815
    CSPFeedbacks: list[_Feedback] | None = None


_answers = msgspec.json.Decoder(_Answer)
_records = msgspec.json.Decoder(_Record)


def read_page(document: bytes, names: EntryNames, *, own: str = "") -> StopNciiPage:
    """Return what a page says; ``own`` is this platform's name there, whose feedback is ours.

    Raises:
        InvalidInput: the page as a whole is not the JSON that StopNCII sends.
    """
    try:
        answer = _answers.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidInput("the page is not the JSON that StopNCII sends") from None
    token = (answer.nextPageToken or "") if answer.hasMoreRecords else ""
    if answer.hasMoreRecords and not token:
        raise InvalidInput("the page says that there is more, and not where")
    gathered = Gathered()
    for place, raw in enumerate(answer.hashRecords, start=1):
        try:
            _read_record(_records.decode(raw), gathered, names, own)
        except msgspec.ValidationError as error:
            gathered.reject(bytes(raw), _fault(error), place=place)
        except InvalidInput as fault:
            gathered.reject(bytes(raw), str(fault), place=place)
    return StopNciiPage(gathered=gathered, token=token, next_timestamp=answer.nextSetTimestamp)


def salvaged_token(document: bytes) -> str:
    """Return the token of the next page from what is left of a damaged one, "" where none is."""
    found = _TOKEN.findall(document)
    return str(found[-1].decode()) if found and _MORE.search(document) else ""


def feedback_document(entry: BankEntry, opinion: Opinion) -> bytes:
    """Return the body of a feedback submission.

    Raises:
        InvalidInput: StopNCII has no word for this opinion.
    """
    value = FEEDBACK.get(opinion)
    if value is None:
        known = " or ".join(FEEDBACK)
        raise InvalidInput(f"StopNCII cannot be told {opinion.value}", hint=f"say {known}")
    told = {"feedbackValue": value, "hashValue": entry.value, "tags": []}
    return msgspec.json.encode({"count": 1, "hashFeedbacks": [told]})


def _read_record(record: _Record, gathered: Gathered, names: EntryNames, own: str) -> None:
    kind = SIGNAL_TYPES.get(record.signalType)
    if kind is None:
        gathered.ignore(record.signalType)
        return
    value = checked_hash(kind, record.hashValue)
    ref = names.ref(record.signalType, value)
    if record.hashStatus in _GONE:
        gathered.withdraw(ref)
        return
    if record.hashStatus not in _STANDING:
        raise InvalidInput("hashStatus: not a status that StopNCII has")
    claims = {
        one.source: _OPINIONS[one.feedbackValue]
        for one in record.CSPFeedbacks or ()
        if one.feedbackValue in _OPINIONS
    }
    entry = BankEntry(
        id=names.entry_id(ref, kind, value),
        bank=names.bank,
        kind=kind,
        value=value,
        opinion=agreed({_SUBMITTER: Opinion.POSITIVE, **claims}, own=own),
        source="StopNCII",
        source_ref=ref,
    )
    gathered.put(ref, [entry])


def _fault(error: msgspec.ValidationError) -> str:
    """Return what is wrong with a record: msgspec names types and path, never a value."""
    return f"a field is missing or of another type: {error}"
