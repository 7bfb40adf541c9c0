"""People and accounts as a report names them: who they are, and where they were seen.

Everything is optional that the CyberTipline's schema leaves optional: None and "" mean that nobody
told, and nothing is written. Source: NCMEC CyberTipline Reporting API.
"""

from datetime import date, datetime
from enum import StrEnum

from nightlight.model.masked import Masked


class PhoneKind(StrEnum):
    """What a phone number is used for."""

    MOBILE = "mobile"
    HOME = "home"
    BUSINESS = "business"
    WORK = "work"
    FAX = "fax"
    INTERNET = "internet"
    RECOVERY = "recovery"


class EmailKind(StrEnum):
    """What an e-mail address is used for."""

    HOME = "home"
    WORK = "work"
    BUSINESS = "business"
    RECOVERY = "recovery"


class AddressKind(StrEnum):
    """What a postal address is used for."""

    HOME = "home"
    BUSINESS = "business"
    BILLING = "billing"
    SHIPPING = "shipping"
    TECHNICAL = "technical"


class CaptureKind(StrEnum):
    """What somebody did when an address or a device was seen."""

    LOGIN = "login"
    REGISTRATION = "registration"
    PURCHASE = "purchase"
    UPLOAD = "upload"
    OTHER = "other"
    UNKNOWN = "unknown"


class Phone(Masked, frozen=True, kw_only=True):
    """A phone number."""

    number: str
    kind: PhoneKind | None = None
    verified: bool | None = None
    verified_at: datetime | None = None
    calling_code: str = ""
    extension: str = ""


class Email(Masked, frozen=True, kw_only=True):
    """An e-mail address."""

    address: str
    kind: EmailKind | None = None
    verified: bool | None = None
    verified_at: datetime | None = None


class Address(Masked, frozen=True, kw_only=True):
    """A postal address.

    Attributes:
        state: two letters of a state of the USA; other states go to ``state_elsewhere``.
        country: two letters.
    """

    street: str = ""
    city: str = ""
    zip_code: str = ""
    state: str = ""
    state_elsewhere: str = ""
    country: str = ""
    kind: AddressKind | None = None


class Person(Masked, frozen=True, kw_only=True):
    """A natural person, as far as the platform knows them."""

    first_name: str = ""
    last_name: str = ""
    phones: tuple[Phone, ...] = ()
    emails: tuple[Email, ...] = ()
    addresses: tuple[Address, ...] = ()
    age: int | None = None
    born: date | None = None


class IpCapture(Masked, frozen=True, kw_only=True):
    """An IP address, and when and at what it was seen."""

    address: str
    event: CaptureKind | None = None
    at: datetime | None = None
    possible_proxy: bool | None = None
    port: int | None = None


class Device(Masked, frozen=True, kw_only=True):
    """A device, by whatever kind of id the platform knows it."""

    id_kind: str
    id_value: str
    event: CaptureKind | None = None
    at: datetime | None = None


class Disabled(Masked, frozen=True, kw_only=True):
    """An account that was closed to its owner.

    Attributes:
        permanently: false while it can still be lifted, as after an appeal.
        reenabled_at: when it was, or will be, opened again; only where not permanent.
    """

    permanently: bool
    at: datetime | None = None
    user_notified: bool | None = None
    user_notified_at: datetime | None = None
    reenabled_at: datetime | None = None


class EstimatedLocation(Masked, frozen=True, kw_only=True):
    """Where somebody probably is."""

    city: str = ""
    region: str = ""
    country: str = ""
    verified: bool | None = None
    at: datetime | None = None


class Association(StrEnum):
    """How an account belongs to the reported one."""

    BILLING = "billing"
    LINKED = "linked"
    BUSINESS = "business"
    CREATOR = "creator"
    GUARDIAN = "guardian"
    OTHER = "other"


class Account(Masked, frozen=True, kw_only=True):
    """What a report can say of any account.

    Attributes:
        account_id: the platform's own id.
        service: the platform's name.
        prior_reports: ids of earlier CyberTipline reports that named this account.
    """

    account_id: str = ""
    service: str = ""
    compromised: bool | None = None
    handle: str = ""
    display_names: tuple[str, ...] = ()
    profile_urls: tuple[str, ...] = ()
    bio: str = ""
    ip_captures: tuple[IpCapture, ...] = ()
    devices: tuple[Device, ...] = ()
    prior_reports: tuple[int, ...] = ()
    disabled: Disabled | None = None
    all_emails_reported: bool | None = None
    info: str = ""


class AssociatedAccount(Account, frozen=True, kw_only=True):
    """An account that belongs to the reported one, here or on another platform."""

    kind: Association
    platform: str = ""
    third_party_user: bool | None = None
    middle_name: str = ""
    person: Person | None = None
    group: str = ""


class ReportedParty(Account, frozen=True, kw_only=True):
    """The person or account that is reported.

    Attributes:
        third_party: true where the account is on somebody else's service.
        group: the id of a group or channel that it acted in.
    """

    person: Person | None = None
    vehicle: str = ""
    third_party: bool | None = None
    group: str = ""
    location: EstimatedLocation | None = None
    associated: tuple[AssociatedAccount, ...] = ()


class IntendedRecipient(Account, frozen=True, kw_only=True):
    """Somebody whom the reported content was meant for."""

    person: Person | None = None
    group: str = ""
    location: EstimatedLocation | None = None


class Victim(Account, frozen=True, kw_only=True):
    """A child who is harmed or in danger, as far as the platform knows."""

    person: Person = Person()
    school: str = ""
    location: EstimatedLocation | None = None
    associated: tuple[AssociatedAccount, ...] = ()
