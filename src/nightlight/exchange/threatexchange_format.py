"""Meta ThreatExchange's JSON: pages of updates of a privacy group, and descriptors.

An indicator is one hash; its reference is its id. Members' opinions are its descriptors and the
reactions to them.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import msgspec
from msgspec import Raw, Struct

from nightlight.errors import InvalidInput
from nightlight.exchange.client import EntryNames
from nightlight.exchange.gathered import Gathered
from nightlight.exchange.hashes import checked_hash
from nightlight.exchange.opinion import agreed
from nightlight.model.bank import BankEntry, HashKind, Opinion

#: ThreatExchange's names of what is matched here.
TYPES: Mapping[str, HashKind] = {
    "HASH_PDQ": HashKind.PDQ,
    "HASH_MD5": HashKind.MD5,
    "HASH_VIDEO_MD5": HashKind.MD5,
    "HASH_SHA1": HashKind.SHA1,
    "HASH_SHA256": HashKind.SHA256,
    "HASH_VIDEO_SHA256": HashKind.SHA256,
}
#: The fields that are asked for.
FIELDS = "id,indicator,type,last_updated,should_delete,descriptors{id,owner{id},status,reactions}"
#: The reactions by which an opinion is said.
REACTIONS: Mapping[Opinion, str] = {
    Opinion.POSITIVE: "HELPFUL",
    Opinion.NEGATIVE: "NON_MALICIOUS",
    Opinion.DISPUTED: "DISAGREE_WITH_TAGS",
}
_STATUSES = {
    "MALICIOUS": Opinion.POSITIVE,
    "SUSPICIOUS": Opinion.POSITIVE,
    "NON_MALICIOUS": Opinion.NEGATIVE,
}
#: From the weakest to the strongest: of two reactions of one member, the latter holds.
_REACTED = {
    "HELPFUL": Opinion.POSITIVE,
    "NOT_HELPFUL": Opinion.NEGATIVE,
    "DISAGREE_WITH_TAGS": Opinion.DISPUTED,
    "NON_MALICIOUS": Opinion.NEGATIVE,
}
_NEXT = re.compile(rb'"next"\s*:\s*("(?:[^"\\]|\\["\\/u0-9a-fA-F]){1,8192}")')
_NUMBER = re.compile(r"[0-9]{1,32}")


class UpdatesPage(NamedTuple):
    """What a page says; ``next`` is the link to the page after it, "" on the last one."""

    gathered: Gathered
    next: str
    newest: int


# Graph writes ids as text, and some of its versions as numbers.
_Id: TypeAlias = str | int


class _Paging(Struct, frozen=True):
    next: str = ""


class _Answer(Struct, frozen=True):
    data: list[Raw]
    paging: _Paging = _Paging()


class _Owner(Struct, frozen=True):
    id: _Id


class _Reaction(Struct, frozen=True):
    key: str
    value: str


class _Descriptor(Struct, frozen=True):
    id: _Id
    status: str = ""
    owner: _Owner | None = None
    reactions: list[_Reaction] | None = None


class _Descriptors(Struct, frozen=True):
    data: list[_Descriptor]


class _Update(Struct, frozen=True):
    id: _Id
    indicator: str
    type: str
    last_updated: int
    should_delete: bool
    descriptors: _Descriptors | None = None


class _Indicator(Struct, frozen=True):
    descriptors: _Descriptors


_answers = msgspec.json.Decoder(_Answer)
# Graph writes times as numbers, and some of its versions as text.
_updates = msgspec.json.Decoder(_Update, strict=False)
_indicators = msgspec.json.Decoder(_Indicator, strict=False)


def read_page(document: bytes, names: EntryNames, *, own: str = "") -> UpdatesPage:
    """Return what a page says; ``own`` is this platform's application id.

    Raises:
        InvalidInput: the page as a whole is not the JSON that ThreatExchange sends.
    """
    try:
        answer = _answers.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidInput("the page is not the JSON that ThreatExchange sends") from None
    gathered, newest = Gathered(), 0
    for place, raw in enumerate(answer.data, start=1):
        try:
            update = _updates.decode(raw)
            _read_update(update, gathered, names, own)
            newest = max(newest, update.last_updated)
        except msgspec.ValidationError as error:
            reason = f"a field is missing or of another type: {error}"
            gathered.reject(bytes(raw), reason, place=place)
        except InvalidInput as fault:
            gathered.reject(bytes(raw), str(fault), place=place)
    return UpdatesPage(gathered=gathered, next=answer.paging.next, newest=newest)


def salvaged_next(document: bytes) -> str:
    """Return the link to the next page from what is left of a damaged one, "" where none is."""
    found = _NEXT.findall(document)
    try:
        return msgspec.json.decode(found[-1], type=str) if found else ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def read_descriptors(document: bytes, *, own: str) -> list[str]:
    """Return the ids of the descriptors of an indicator that others gave.

    Raises:
        InvalidInput: the answer is not the JSON that ThreatExchange sends.
    """
    try:
        found = _indicators.decode(document).descriptors.data
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidInput("the answer is not the JSON that ThreatExchange sends") from None
    others = (str(one.id) for one in found if one.owner is None or str(one.owner.id) != own)
    return [one for one in others if _NUMBER.fullmatch(one)]


def _read_update(update: _Update, gathered: Gathered, names: EntryNames, own: str) -> None:
    ref = str(update.id)
    if not _NUMBER.fullmatch(ref):
        raise InvalidInput("id: not a number")
    kind = TYPES.get(update.type)
    if kind is None:
        gathered.ignore(update.type)
        return
    if update.should_delete or update.descriptors is None:
        # An update without descriptors is one that this platform may not see any more.
        gathered.withdraw(ref)
        return
    value = checked_hash(kind, update.indicator)
    entry = BankEntry(
        id=names.entry_id(ref, kind, value),
        bank=names.bank,
        kind=kind,
        value=value,
        opinion=agreed(_claims(update.descriptors.data), own=own),
        source=_source(update.descriptors.data),
        source_ref=ref,
    )
    gathered.put(ref, [entry])


def _source(descriptors: list[_Descriptor]) -> str:
    owners = sorted({str(one.owner.id) for one in descriptors if one.owner is not None})
    return ", ".join(owners)[:128]


def _claims(descriptors: list[_Descriptor]) -> dict[str, Opinion]:
    """Return each member's opinion: a descriptor of its own outranks its reactions to others'."""
    claims: dict[str, Opinion] = {}
    for name, opinion in _REACTED.items():
        for one in descriptors:
            for reaction in one.reactions or ():
                if reaction.key == name:
                    claims.update(
                        {who.strip(): opinion for who in reaction.value.split(",") if who.strip()}
                    )
    for one in descriptors:
        said = _STATUSES.get(one.status)
        if one.owner is not None and said is not None:
            claims[str(one.owner.id)] = said
    return claims
