"""NCMEC Hash Sharing v2 as XML: pages of items, members, reasons and feedback.

An item is one picture or video with its fingerprints; its reference is "member/id".
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from lxml import etree

from nightlight.errors import InvalidInput
from nightlight.exchange.client import EntryNames
from nightlight.exchange.gathered import Gathered
from nightlight.exchange.hashes import checked_hash
from nightlight.exchange.opinion import agreed
from nightlight.model.bank import BankEntry, Classification, HashKind, Opinion

NAMESPACE = "https://hashsharing.ncmec.org/hashsharing/v2"
#: NCMEC's names of the fingerprints that are matched here, as its paths write them.
FINGERPRINTS: Mapping[str, HashKind] = {
    "MD5": HashKind.MD5,
    "SHA1": HashKind.SHA1,
    "SHA256": HashKind.SHA256,
    "PDQ": HashKind.PDQ,
}
FINGERPRINT_OF: Mapping[HashKind, str] = {kind: name for name, kind in FINGERPRINTS.items()}

_CLASSIFICATIONS: tuple[Classification, ...] = ("A1", "A2", "B1", "B2")
_GROUPS = ("images", "videos")
_ITEMS = frozenset({"image", "video"})
_TOMBSTONES = frozenset({"deletedimage", "deletedvideo"})
_LONGEST_NAME = 64
_FEEDBACK = {"affirmativefeedback": Opinion.POSITIVE, "negativefeedback": Opinion.NEGATIVE}


class NcmecPage(NamedTuple):
    """What a page says; ``next`` is the link to the page after it, "" on the last one."""

    gathered: Gathered
    next: str


class Reading(NamedTuple):
    """How a page is read: names of entries, whose opinion is ours, whose items are wanted."""

    names: EntryNames
    own: str = ""
    only_members: frozenset[str] = frozenset()


def read_page(document: bytes, reading: Reading) -> NcmecPage:
    """Return what a page says, with what could not be read of it.

    Raises:
        InvalidInput: the page as a whole is not the XML that NCMEC documents.
    """
    root = _parsed(document)
    if _local(root) != "queryresult":
        raise InvalidInput("the page is no queryResult")
    gathered = Gathered()
    items = (item for group in root if _local(group) in _GROUPS for item in _elements(group))
    for place, item in enumerate(items, start=1):
        _read_item(item, place, reading, gathered)
    return NcmecPage(gathered=gathered, next=_next(root))


def salvaged_next(document: bytes, query: str) -> str | None:
    """Return the link to the page after a damaged one, "" for none, None where it cannot be told.

    The link is looked for in what is left of the page; else it follows from the query by which
    the page was asked for: NCMEC's links name the first row, how many, and the last row.
    """
    _, found, rest = document.rpartition(b"<next>")
    link, end, _ = rest.partition(b"</next>")
    if found and end:
        with suppress(InvalidInput):
            return _next(_parsed(b"<q><paging><next>" + link + b"</next></paging></q>"))
    elif not found and document.rstrip().endswith(b"</queryResult>"):
        return ""
    fields = parse_qs(query)
    try:
        start, size, last = (int(fields[name][0]) for name in ("start", "size", "max"))
    except (KeyError, ValueError):
        return None
    if size < 1 or start + size > last:
        return ""
    fields["start"] = [str(start + size)]
    return "/v2/entries?" + urlencode(fields, doseq=True)


def rows_left(link: str) -> int:
    """Return how many rows the rest of the range has, as far as a next link tells; 0 if not."""
    fields = parse_qs(urlsplit(link).query)
    try:
        return int(fields["max"][0]) - int(fields["start"][0])
    except (KeyError, ValueError):
        return 0


def read_member(document: bytes) -> str:
    """Return the id of the member that a status answer names: ours.

    Raises:
        InvalidInput: it names none.
    """
    for element in _parsed(document).iter():
        if _local(element) == "member" and element.get("id"):
            return str(element.get("id"))
    raise InvalidInput("the status names no member")


def read_reasons(document: bytes) -> dict[str, str]:
    """Return the reasons that negative feedback may give, names by GUID."""
    found = (element for element in _parsed(document).iter() if _local(element) == "reason")
    return {str(one.get("guid")): str(one.get("name", "")) for one in found if one.get("guid")}


def feedback_document(*, reason_guid: str = "") -> bytes:
    """Return the body of a feedback submission: affirmative, or negative for a reason."""
    root = etree.Element(
        f"{{{NAMESPACE}}}feedbackSubmission",
        nsmap={None: NAMESPACE},  # type: ignore[dict-item]  # lxml takes None, its stubs do not
    )
    if not reason_guid:
        etree.SubElement(root, f"{{{NAMESPACE}}}affirmative")
    else:
        negative = etree.SubElement(root, f"{{{NAMESPACE}}}negative")
        reasons = etree.SubElement(negative, f"{{{NAMESPACE}}}reasonIds")
        etree.SubElement(reasons, f"{{{NAMESPACE}}}guid").text = reason_guid
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def feedback_path(source_ref: str, kind: HashKind) -> str:
    """Return where feedback on one fingerprint goes, relative to the application's root.

    Raises:
        InvalidInput: the reference is not one of NCMEC's, or the kind has no feedback there.
    """
    member, _, item = source_ref.partition("/")
    fingerprint = FINGERPRINT_OF.get(kind)
    if not member or not item or fingerprint is None:
        raise InvalidInput("NCMEC takes no opinion on this entry")
    return f"/v2/entries/{member}/{item}/{fingerprint}/feedback"


def _parsed(document: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        # The parser's own message can quote the document.
        raise InvalidInput(f"the page is not well-formed XML, line {error.lineno}") from None
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]  # missing in lxml-stubs
        raise InvalidInput("the page declares a document type")
    return root


def _local(element: etree._Element) -> str:
    """Return the tag without its namespace, in lower case."""
    return str(element.tag).rpartition("}")[2].lower()


def _elements(parent: etree._Element) -> Iterator[etree._Element]:
    return (child for child in parent if isinstance(child.tag, str))


def _child(parent: etree._Element, name: str) -> etree._Element | None:
    return next((child for child in _elements(parent) if _local(child) == name), None)


def _next(root: etree._Element) -> str:
    paging = _child(root, "paging")
    link = _child(paging, "next") if paging is not None else None
    return (link.text or "").strip() if link is not None else ""


def _read_item(item: etree._Element, place: int, reading: Reading, gathered: Gathered) -> None:
    try:
        ref, member, name = _identity(item)
    except InvalidInput as fault:
        gathered.reject(etree.tostring(item), str(fault), place=place)
        return
    if _local(item) in _TOMBSTONES or (reading.only_members and member not in reading.only_members):
        gathered.withdraw(ref)
        return
    claims = _claims(item, member)
    found, faults = _hashes(item, gathered)
    # With no hash that is matched here, nothing stands under the reference any more.
    gathered.put(
        ref,
        (
            BankEntry(
                id=reading.names.entry_id(ref, kind, value),
                bank=reading.names.bank,
                kind=kind,
                value=value,
                classification=_classification(item),
                content=-place,
                opinion=agreed(claims.get(kind, {member: Opinion.POSITIVE}), own=reading.own),
                source=f"{name} ({member})" if name else member,
                source_ref=ref,
            )
            for kind, value in found
        ),
    )
    if faults:
        gathered.reject(etree.tostring(item), "; ".join(faults), place=place, ref=ref)


def _identity(item: etree._Element) -> tuple[str, str, str]:
    """Return an item's reference, and the id and name of the member that gave it."""
    if _local(item) not in _ITEMS | _TOMBSTONES:
        raise InvalidInput("neither an image nor a video, nor the deletion of one")
    member, identifier = _child(item, "member"), _child(item, "id")
    member_id = (member.get("id") or "").strip() if member is not None else ""
    item_id = (identifier.text or "").strip() if identifier is not None else ""
    if member is None or not member_id.isdecimal():
        raise InvalidInput("the member's id is missing or no number")
    if not item_id:
        raise InvalidInput("the id is missing")
    name = (member.text or "").strip()[:_LONGEST_NAME]
    return f"{member_id}/{quote(item_id, safe='')}", member_id, name


def _classification(item: etree._Element) -> Classification:
    element = _child(item, "classification")
    text = (element.text or "").strip().upper() if element is not None else ""
    return next((known for known in _CLASSIFICATIONS if known == text), "")


def _hashes(
    item: etree._Element, gathered: Gathered
) -> tuple[list[tuple[HashKind, str]], list[str]]:
    """Return the fingerprints that are matched here, and what is wrong with others."""
    found: list[tuple[HashKind, str]] = []
    faults: list[str] = []
    fingerprints = _child(item, "fingerprints")
    if fingerprints is None:
        return found, ["the fingerprints are missing"]
    for element in _elements(fingerprints):
        name = _fingerprint(_local(element))
        kind = FINGERPRINTS.get(name)
        if kind is None:
            gathered.ignore(name)
            continue
        try:
            found.append((kind, checked_hash(kind, element.text or "")))
        except InvalidInput as fault:
            faults.append(str(fault))
    return found, faults


def _fingerprint(tag: str) -> str:
    return tag.upper().replace("-", "_")


def _claims(item: etree._Element, owner: str) -> dict[HashKind, dict[str, Opinion]]:
    """Return what each member says, by hash kind; who gave an item holds it to be right."""
    claims: dict[HashKind, dict[str, Opinion]] = {}
    feedback = _child(item, "feedback")
    for voice in _elements(feedback) if feedback is not None else ():
        opinion = _FEEDBACK.get(_local(voice))
        kind = FINGERPRINTS.get(_fingerprint(voice.get("type") or ""))
        if opinion is None or kind is None:
            continue
        by_member = claims.setdefault(kind, {owner: Opinion.POSITIVE})
        for member in voice.iter():
            if _local(member) == "member" and member.get("id"):
                by_member[str(member.get("id"))] = opinion
    return claims
