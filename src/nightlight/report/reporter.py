"""Who reports: the same in every document of one provider."""

from msgspec import Struct


class Contact(Struct, frozen=True, kw_only=True):
    """A person or desk that NCMEC or law enforcement can reach."""

    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    email: str = ""


class Reporter(Struct, frozen=True, kw_only=True):
    """Who reports: the same in every document of one provider.

    Attributes:
        person: who answers for the reports.
        contact: whom law enforcement should ask instead, if somebody else.
        company_template: what every report should say: company, legal process, retention.
        terms_of_service: the terms that bear on what is reported.
        legal_url: where law enforcement finds more.
    """

    person: Contact
    contact: Contact | None = None
    company_template: str = ""
    terms_of_service: str = ""
    legal_url: str = ""
