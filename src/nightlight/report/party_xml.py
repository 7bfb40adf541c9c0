"""People and accounts of a report as XML."""

from collections.abc import Mapping

from nightlight.model.person import (
    Account,
    Address,
    AddressKind,
    AssociatedAccount,
    Association,
    CaptureKind,
    Device,
    Disabled,
    Email,
    EmailKind,
    EstimatedLocation,
    IntendedRecipient,
    IpCapture,
    Person,
    Phone,
    PhoneKind,
    ReportedParty,
    Victim,
)
from nightlight.report.field import Element
from nightlight.report.reporter import Contact, Reporter

_PHONES: Mapping[PhoneKind, str] = {one: one.value.capitalize() for one in PhoneKind}
_EMAILS: Mapping[EmailKind, str] = {one: one.value.capitalize() for one in EmailKind}
_ADDRESSES: Mapping[AddressKind, str] = {one: one.value.capitalize() for one in AddressKind}
_CAPTURES: Mapping[CaptureKind, str] = {one: one.value.capitalize() for one in CaptureKind}
_ASSOCIATIONS: Mapping[Association, str] = {
    **{one: one.value.capitalize() for one in Association},
    Association.GUARDIAN: "Parent/Guardian",
}


def put_reporter(root: Element, reporter: Reporter) -> None:
    """Append who reports."""
    element = root.child("reporter")
    _put_desk(element, "reportingPerson", reporter.person)
    if reporter.contact is not None:
        _put_desk(element, "contactPerson", reporter.contact)
    element.text("companyTemplate", reporter.company_template)
    element.text("termsOfService", reporter.terms_of_service)
    element.text("legalURL", reporter.legal_url)


def put_reported(root: Element, party: ReportedParty) -> None:
    """Append whom the report is about."""
    element = root.child("personOrUserReported")
    if party.person is not None:
        put_person(element, "personOrUserReportedPerson", party.person)
    element.text("vehicleDescription", party.vehicle)
    _put_profile(element, party)
    element.truth("thirdPartyUserReported", value=party.third_party)
    _put_prior_reports(element, party)
    element.text("groupIdentifier", party.group)
    _put_standing(element, party, party.location)
    _put_associated(element, party.associated)
    element.text("additionalInfo", party.info)


def put_recipient(root: Element, party: IntendedRecipient) -> None:
    """Append somebody whom the content was meant for."""
    element = root.child("intendedRecipient")
    if party.person is not None:
        put_person(element, "intendedRecipientPerson", party.person)
    _put_profile(element, party)
    _put_prior_reports(element, party)
    element.text("groupIdentifier", party.group)
    _put_standing(element, party, party.location)
    element.text("additionalInfo", party.info)


def put_victim(root: Element, party: Victim) -> None:
    """Append a child who is harmed or in danger."""
    element = root.child("victim")
    put_person(element, "victimPerson", party.person)
    _put_profile(element, party)
    element.text("schoolName", party.school)
    _put_prior_reports(element, party)
    _put_standing(element, party, party.location)
    _put_associated(element, party.associated)
    element.text("additionalInfo", party.info)


def put_person(parent: Element, tag: str, person: Person) -> None:
    """Append a natural person."""
    element = put_contact(parent, tag, person)
    element.number("age", person.age)
    element.day("dateOfBirth", person.born)


def put_contact(parent: Element, tag: str, person: Person) -> Element:
    """Append how a person is reached, and return the element."""
    element = parent.child(tag)
    element.text("firstName", person.first_name)
    element.text("lastName", person.last_name)
    _put_reached(element, person)
    return element


def put_phone(parent: Element, tag: str, phone: Phone) -> None:
    """Append a phone number."""
    parent.text(
        tag,
        phone.number,
        type=_PHONES[phone.kind] if phone.kind else "",
        verified=phone.verified,
        verificationDate=phone.verified_at,
        countryCallingCode=phone.calling_code,
        extension=phone.extension,
    )


def put_email(parent: Element, tag: str, email: Email) -> None:
    """Append an e-mail address."""
    parent.text(
        tag,
        email.address,
        type=_EMAILS[email.kind] if email.kind else "",
        verified=email.verified,
        verificationDate=email.verified_at,
    )


def put_address(parent: Element, tag: str, address: Address) -> None:
    """Append a postal address."""
    element = parent.child(tag, type=_ADDRESSES[address.kind] if address.kind else "")
    element.text("address", address.street)
    element.text("city", address.city)
    element.text("zipCode", address.zip_code)
    element.text("state", address.state)
    element.text("nonUsaState", address.state_elsewhere)
    element.text("country", address.country)


def put_ip_capture(parent: Element, capture: IpCapture) -> None:
    """Append an IP address and when it was seen."""
    element = parent.child("ipCaptureEvent")
    element.text("ipAddress", capture.address)
    element.text("eventName", _CAPTURES[capture.event] if capture.event else "")
    element.moment("dateTime", capture.at)
    element.truth("possibleProxy", value=capture.possible_proxy)
    element.number("port", capture.port)


def put_device(parent: Element, device: Device) -> None:
    """Append a device."""
    element = parent.child("deviceId")
    element.said("idType", device.id_kind)
    element.said("idValue", device.id_value)
    element.text("eventName", _CAPTURES[device.event] if device.event else "")
    element.moment("dateTime", device.at)


def _put_desk(parent: Element, tag: str, contact: Contact) -> None:
    element = parent.child(tag)
    element.text("firstName", contact.first_name)
    element.text("lastName", contact.last_name)
    element.text("phone", contact.phone)
    element.text("email", contact.email)


def _put_reached(element: Element, person: Person) -> None:
    for phone in person.phones:
        put_phone(element, "phone", phone)
    for email in person.emails:
        put_email(element, "email", email)
    for address in person.addresses:
        put_address(element, "address", address)


def _put_profile(element: Element, party: Account) -> None:
    element.text("espIdentifier", party.account_id)
    element.text("espService", party.service)
    element.truth("compromisedAccount", value=party.compromised)
    element.text("screenName", party.handle)
    element.texts("displayName", party.display_names)
    element.texts("profileUrl", party.profile_urls)
    element.text("profileBio", party.bio)
    for capture in party.ip_captures:
        put_ip_capture(element, capture)
    for device in party.devices:
        put_device(element, device)


def _put_prior_reports(element: Element, party: Account) -> None:
    for report in party.prior_reports:
        element.number("priorCTReports", report)


def _put_standing(element: Element, party: Account, location: EstimatedLocation | None) -> None:
    if party.disabled is not None:
        _put_disabled(element, party.disabled)
    if location is not None:
        where = element.child(
            "estimatedLocation", verified=location.verified, timestamp=location.at
        )
        where.text("city", location.city)
        where.text("region", location.region)
        where.text("countryCode", location.country)
    element.truth("allEmailsReported", value=party.all_emails_reported)


def _put_disabled(element: Element, disabled: Disabled) -> None:
    element.truth(
        f"account{'Permanently' if disabled.permanently else 'Temporarily'}Disabled",
        value=True,
        disabledDate=disabled.at,
        userNotified=disabled.user_notified,
        userNotifiedDate=disabled.user_notified_at,
        reenabledDate=None if disabled.permanently else disabled.reenabled_at,
    )


def _put_associated(parent: Element, accounts: tuple[AssociatedAccount, ...]) -> None:
    for account in accounts:
        _put_associated_one(parent, account)


def _put_associated_one(parent: Element, account: AssociatedAccount) -> None:
    # The schema calls the attribute "type", though the documentation once named it otherwise.
    element = parent.child("associatedAccount", type=_ASSOCIATIONS[account.kind])
    element.text("platform", account.platform, thirdPartyUser=account.third_party_user)
    person = account.person or Person()
    element.text("firstName", person.first_name)
    element.text("middleName", account.middle_name)
    element.text("lastName", person.last_name)
    element.number("approximateAge", person.age)
    element.day("dateOfBirth", person.born)
    for phone in person.phones:
        put_phone(element, "phone", phone)
    for email in person.emails:
        put_email(element, "email", email)
    element.truth("allEmailsReported", value=account.all_emails_reported)
    for address in person.addresses:
        put_address(element, "address", address)
    element.text("espService", account.service)
    element.text("espIdentifier", account.account_id)
    element.texts("profileUrl", account.profile_urls)
    element.text("screenName", account.handle)
    element.texts("displayName", account.display_names)
    element.text("profileBio", account.bio)
    element.text("groupIdentifier", account.group)
    element.truth("compromisedAccount", value=account.compromised)
    if account.disabled is not None:
        _put_disabled(element, account.disabled)
    for capture in account.ip_captures:
        put_ip_capture(element, capture)
    for device in account.devices:
        put_device(element, device)
    for report in account.prior_reports:
        element.number("priorCTReport", report)
    element.text("additionalInfo", account.info)
