"""A CyberTip as the XML that NCMEC's schema asks for.

Owns the order of a whole document; the parts stand in ``incident_xml`` and ``party_xml``. Leaves
sending to ``submit.py``, the schema to ``schema.py`` and the cross rules to ``rules.py``. Source:
NCMEC CyberTipline Reporting API.
"""

from collections.abc import Mapping

from nightlight.model.cybertip import CyberTip
from nightlight.model.reported_file import (
    DetailKind,
    FileAnnotation,
    FileDetail,
    Relevance,
    ReportedFile,
)
from nightlight.report.field import Element, document
from nightlight.report.incident_xml import put_law_enforcement, put_place, put_summary
from nightlight.report.party_xml import (
    put_device,
    put_ip_capture,
    put_recipient,
    put_reported,
    put_reporter,
    put_victim,
)
from nightlight.report.reporter import Reporter
from nightlight.report.unattached import in_words

_RELEVANCE: Mapping[Relevance, str] = {
    Relevance.REPORTED: "Reported",
    Relevance.SUPPLEMENTAL: "Supplemental Reported",
}
_ANNOTATIONS: Mapping[FileAnnotation, str] = {
    FileAnnotation.DRAWING: "animeDrawingVirtualHentai",
    FileAnnotation.POTENTIAL_MEME: "potentialMeme",
    FileAnnotation.VIRAL: "viral",
    FileAnnotation.SELF_PRODUCTION: "possibleSelfProduction",
    FileAnnotation.PHYSICAL_HARM: "physicalHarm",
    FileAnnotation.VIOLENCE: "violenceGore",
    FileAnnotation.ANIMAL: "bestiality",
    FileAnnotation.LIVE_STREAMING: "liveStreaming",
    FileAnnotation.INFANT: "infant",
    FileAnnotation.GENERATED: "generativeAi",
}
_DETAIL_KINDS: Mapping[DetailKind, str] = {DetailKind.EXIF: "EXIF", DetailKind.HASH: "HASH"}


def report_xml(tip: CyberTip, *, reporter: Reporter) -> bytes:
    """Return the ``report`` document of a tip; what had to be altered is said in it.

    Raises:
        InvalidInput: a time has no zone.
    """
    root = document("report")
    if tip.viral_batch:
        root.child("batchedReport", reason="VIRAL_POTENTIAL_MEME")
    put_summary(root, tip)
    for place in tip.places:
        put_place(root, place)
    if tip.law_enforcement is not None:
        put_law_enforcement(root, tip.law_enforcement)
    put_reporter(root, reporter)
    for party in tip.reported:
        put_reported(root, party)
    for recipient in tip.recipients:
        put_recipient(root, recipient)
    for victim in tip.victims:
        put_victim(root, victim)
    said = "\n".join((tip.narrative, *(in_words(one) for one in tip.unattached)))
    root.text_with_notes("additionalInfo", said)
    return root.written()


def file_details_xml(file: ReportedFile, *, remote_id: str, file_id: str) -> bytes:
    """Return the ``fileDetails`` document of one uploaded file.

    Raises:
        InvalidInput: a time has no zone.
    """
    root = document("fileDetails")
    root.text("reportId", remote_id)
    root.text("fileId", file_id)
    root.text("originalFileName", file.file_name)
    root.moment("uploadedToEspTimestamp", file.uploaded_at)
    root.text("locationOfFile", file.location)
    # Whether a person viewed the file decides what a search needs (Wilson, 9th Cir. 2021): it is
    # stated as it is known, and never assumed.
    root.truth("fileViewedByEsp", value=file.viewed)
    root.truth("exifViewedByEsp", value=file.exif_viewed)
    root.truth("publiclyAvailable", value=file.public)
    root.text("fileRelevance", _RELEVANCE[file.relevance])
    root.truth("potentialMeme", value=file.potential_meme)
    root.flags("fileAnnotations", (_ANNOTATIONS[one] for one in file.annotations))
    root.text("industryClassification", file.classification or "")
    for one in file.hashes:
        root.text("originalFileHash", one.value, hashType=one.kind)
    if file.ip_capture is not None:
        put_ip_capture(root, file.ip_capture)
    for device in file.devices:
        put_device(root, device)
    for detail in file.details:
        _put_detail(root, detail)
    root.texts("additionalInfo", file.info)
    root.text_with_notes("additionalInfo", file.match)
    return root.written()


def _put_detail(root: Element, detail: FileDetail) -> None:
    kind = _DETAIL_KINDS[detail.kind] if detail.kind else ""
    element = root.child("details", type=kind)
    for name, value in detail.pairs:
        pair = element.child("nameValuePair")
        pair.said("name", name)
        pair.said("value", value)
