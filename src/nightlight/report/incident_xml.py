"""The incident of a report as XML: its summary and where it happened."""

from collections.abc import Mapping
from typing import assert_never

from nightlight.model.cybertip import CyberTip
from nightlight.model.incident import (
    Annotation,
    CellPhone,
    Chat,
    Gaming,
    IncidentType,
    LawEnforcement,
    Mail,
    Newsgroup,
    NonInternet,
    PeerToPeer,
    Place,
    WebPage,
)
from nightlight.report.field import Element
from nightlight.report.party_xml import (
    put_address,
    put_contact,
    put_email,
    put_ip_capture,
    put_phone,
)

#: The CyberTipline's own words for its incident types.
INCIDENT_TYPES: Mapping[IncidentType, str] = {
    IncidentType.CSAM: "Child Pornography (possession, manufacture, and distribution)",
    IncidentType.SEX_TRAFFICKING: "Child Sex Trafficking",
    IncidentType.ENTICEMENT: "Online Enticement of Children for Sexual Acts",
    IncidentType.UNSOLICITED_OBSCENE_MATERIAL: "Unsolicited Obscene Material Sent to a Child",
    IncidentType.SEX_TOURISM: "Child Sex Tourism",
    IncidentType.MOLESTATION: "Child Sexual Molestation",
    IncidentType.MISLEADING_DOMAIN: "Misleading Domain Name",
    IncidentType.MISLEADING_WORDS: "Misleading Words or Digital Images on the Internet",
}
_ANNOTATIONS: Mapping[Annotation, str] = {
    Annotation.SEXTORTION: "sextortion",
    Annotation.CSAM_SOLICITATION: "csamSolicitation",
    Annotation.MINOR_TO_MINOR: "minorToMinorInteraction",
    Annotation.SPAM: "spam",
    Annotation.SADISTIC_EXPLOITATION: "sadisticOnlineExploitation",
}


def put_summary(root: Element, tip: CyberTip) -> None:
    """Append what happened, and when."""
    summary = root.child("incidentSummary")
    summary.text("incidentType", INCIDENT_TYPES[tip.incident_type])
    summary.text("platform", tip.platform)
    summary.text("escalateToHighPriority", tip.high_priority.strip())
    summary.flags("reportAnnotations", (_ANNOTATIONS[one] for one in tip.annotations))
    summary.moment("incidentDateTime", tip.incident_at)
    summary.text("incidentDateTimeDescription", tip.incident_note)


def put_place(root: Element, place: Place) -> None:
    """Append where it happened: one kind of place an element."""
    details = root.child("internetDetails")
    match place:
        case WebPage(third_party_hosted=hosted):
            element = details.child("webPageIncident", thirdPartyHostedContent=hosted)
            element.texts("url", place.urls)
        case Mail() | Newsgroup() | Chat() | Gaming():
            element = _said(details, place)
        case CellPhone():
            element = details.child("cellPhoneIncident")
            if place.phone is not None:
                put_phone(element, "phoneNumber", place.phone)
            element.number("latitude", place.latitude)
            element.number("longitude", place.longitude)
        case NonInternet():
            element = details.child("nonInternetIncident")
            element.text("locationName", place.place)
            for where in place.addresses:
                put_address(element, "incidentAddress", where)
        case PeerToPeer():
            element = details.child("peer2peerIncident")
            element.text("client", place.client)
            for capture in place.ip_captures:
                put_ip_capture(element, capture)
            element.text("fileNames", place.file_names)
        case _:
            assert_never(place)
    element.text("additionalInfo", place.info)


def _said(details: Element, place: Mail | Newsgroup | Chat | Gaming) -> Element:
    """Append a place where something was said, up to and with what was said."""
    match place:
        case Mail():
            element = details.child("emailIncident")
        case Newsgroup():
            element = details.child("newsgroupIncident")
            element.text("name", place.name)
        case Chat():
            element = details.child("chatImIncident")
            element.text("chatClient", place.client)
            element.text("chatRoomName", place.room)
        case Gaming():
            element = details.child("onlineGamingIncident")
            element.text("gameName", place.game)
            element.text("console", place.console)
        case _:
            assert_never(place)
    if isinstance(place, Mail | Newsgroup):
        for address in place.addresses:
            put_email(element, "emailAddress", address)
    element.text("content", place.content)
    return element


def put_law_enforcement(root: Element, authority: LawEnforcement) -> None:
    """Append which authority knows of it already."""
    element = root.child("lawEnforcement")
    element.text("agencyName", authority.agency)
    element.text("caseNumber", authority.case_number)
    if authority.officer is not None:
        put_contact(element, "officerContact", authority.officer)
    element.truth("reportedToLe", value=authority.reported)
    element.truth("servedLegalProcessDomestic", value=authority.legal_process)
    element.truth(
        "servedLegalProcessInternational",
        value=authority.foreign_process,
        fleaCountry=authority.foreign_country,
    )
