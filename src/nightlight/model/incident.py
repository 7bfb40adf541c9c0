"""What happened, and where: the incident of a report.

Source: NCMEC CyberTipline Reporting API.
"""

from enum import StrEnum
from typing import TypeAlias

from nightlight.model.masked import Masked
from nightlight.model.person import Address, Email, IpCapture, Person, Phone


class IncidentType(StrEnum):
    """The CyberTipline's closed list of incident types.

    The first four are what a platform meets; the others are a person's to choose.
    """

    CSAM = "csam"
    SEX_TRAFFICKING = "sex_trafficking"
    ENTICEMENT = "enticement"
    UNSOLICITED_OBSCENE_MATERIAL = "unsolicited_obscene_material"
    SEX_TOURISM = "sex_tourism"
    MOLESTATION = "molestation"
    MISLEADING_DOMAIN = "misleading_domain"
    MISLEADING_WORDS = "misleading_words"


class Annotation(StrEnum):
    """What the provider adds to say about a whole report."""

    SEXTORTION = "sextortion"
    CSAM_SOLICITATION = "csam_solicitation"
    MINOR_TO_MINOR = "minor_to_minor"
    SPAM = "spam"
    SADISTIC_EXPLOITATION = "sadistic_exploitation"


class WebPage(Masked, frozen=True, kw_only=True, tag="web_page"):
    """It was on a web page."""

    urls: tuple[str, ...] = ()
    third_party_hosted: bool | None = None
    info: str = ""


class Mail(Masked, frozen=True, kw_only=True, tag="email"):
    """It was in an e-mail."""

    addresses: tuple[Email, ...] = ()
    content: str = ""
    info: str = ""


class Newsgroup(Masked, frozen=True, kw_only=True, tag="newsgroup"):
    """It was in a newsgroup."""

    name: str = ""
    addresses: tuple[Email, ...] = ()
    content: str = ""
    info: str = ""


class Chat(Masked, frozen=True, kw_only=True, tag="chat"):
    """It was in a chat or message."""

    client: str = ""
    room: str = ""
    content: str = ""
    info: str = ""


class Gaming(Masked, frozen=True, kw_only=True, tag="gaming"):
    """It was in an online game."""

    game: str = ""
    console: str = ""
    content: str = ""
    info: str = ""


class CellPhone(Masked, frozen=True, kw_only=True, tag="cell_phone"):
    """It was on the phone."""

    phone: Phone | None = None
    latitude: float | None = None
    longitude: float | None = None
    info: str = ""


class NonInternet(Masked, frozen=True, kw_only=True, tag="non_internet"):
    """It was nowhere online."""

    place: str = ""
    addresses: tuple[Address, ...] = ()
    info: str = ""


class PeerToPeer(Masked, frozen=True, kw_only=True, tag="peer_to_peer"):
    """It was on a network of peers."""

    client: str = ""
    ip_captures: tuple[IpCapture, ...] = ()
    file_names: str = ""
    info: str = ""


#: Where an incident was: exactly one kind each, since a value has one type.
Place: TypeAlias = WebPage | Mail | Newsgroup | Chat | Gaming | CellPhone | NonInternet | PeerToPeer


class LawEnforcement(Masked, frozen=True, kw_only=True):
    """An authority that knows of it already.

    Attributes:
        legal_process: it served legal process in the USA, True, False or not told.
        foreign_process: the same of another country, whose two letters are ``foreign_country``.
    """

    agency: str
    case_number: str = ""
    officer: Person | None = None
    reported: bool | None = None
    legal_process: bool | None = None
    foreign_process: bool | None = None
    foreign_country: str = ""
