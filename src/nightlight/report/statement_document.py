"""A statement in the words of the DSA Transparency Database's API (v1). Pure.

Names and values as documented at transparency.dsa.ec.europa.eu, "API and schema".
"""

from collections.abc import Mapping

from msgspec import Struct

from nightlight.model.effect import EffectKind
from nightlight.model.statement import ContentKind, Statement

#: Field and value by which the database knows what an effect does.
_RESTRICTIONS: Mapping[EffectKind, tuple[str, str | list[str]]] = {
    EffectKind.LIMIT_REACH: ("decision_visibility", ["DECISION_VISIBILITY_CONTENT_DEMOTED"]),
    EffectKind.HIDE: ("decision_visibility", ["DECISION_VISIBILITY_CONTENT_DISABLED"]),
    EffectKind.HOLD: ("decision_visibility", ["DECISION_VISIBILITY_CONTENT_DISABLED"]),
    EffectKind.REMOVE: ("decision_visibility", ["DECISION_VISIBILITY_CONTENT_REMOVED"]),
    EffectKind.LOCK: ("decision_provision", "DECISION_PROVISION_PARTIAL_SUSPENSION"),
    EffectKind.SUSPEND: ("decision_account", "DECISION_ACCOUNT_SUSPENDED"),
}
_CONTENT: Mapping[ContentKind, str] = {
    ContentKind.TEXT: "CONTENT_TYPE_TEXT",
    ContentKind.IMAGE: "CONTENT_TYPE_IMAGE",
    ContentKind.VIDEO: "CONTENT_TYPE_VIDEO",
    ContentKind.AUDIO: "CONTENT_TYPE_AUDIO",
    ContentKind.ACCOUNT: "CONTENT_TYPE_OTHER",
    ContentKind.OTHER: "CONTENT_TYPE_OTHER",
}
#: The countries of the European Economic Area, which the database calls its territory.
# fmt: off
TERRITORIES = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE",
    "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
)
# fmt: on


class StatementOptions(Struct, frozen=True, kw_only=True):
    """What the operator says of the service, the same in every statement.

    Attributes:
        territories: where the restrictions apply, as two-letter codes.
        legal_ground: the law that illegal content breaks.
        terms_ground: the rules of the platform that other content breaks.
    """

    territories: tuple[str, ...] = TERRITORIES
    legal_ground: str = "National law that transposes Directive 2011/93/EU, Articles 3 to 6"
    terms_ground: str = "Rules of the platform against child sexual exploitation"


def document_of(statement: Statement, options: StatementOptions) -> dict[str, str | list[str]]:
    """Return the JSON object that the database takes."""
    field, value = _RESTRICTIONS[statement.restriction]
    content = list(dict.fromkeys(_CONTENT[one] for one in statement.content))
    document: dict[str, str | list[str]] = {
        "puid": statement.published_as,
        field: value,
        "decision_facts": statement.facts,
        "category": "STATEMENT_CATEGORY_PROTECTION_OF_MINORS",
        "content_type": content,
        "territorial_scope": list(options.territories),
        "content_date": statement.content_date.isoformat(),
        "application_date": statement.applied_on.isoformat(),
        "source_type": (
            "SOURCE_TYPE_OTHER_NOTIFICATION" if statement.notified else "SOURCE_VOLUNTARY"
        ),
        "automated_detection": "Yes" if statement.found_by_machine else "No",
        "automated_decision": (
            "AUTOMATED_DECISION_FULLY"
            if statement.decided_by_machine
            else "AUTOMATED_DECISION_NOT_AUTOMATED"
        ),
    }
    if statement.child_abuse_material:
        document["category_specification"] = ["KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL"]
    elif statement.enticement:
        document["category_specification"] = ["KEYWORD_GROOMING_SEXUAL_ENTICEMENT_MINORS"]
    if "CONTENT_TYPE_OTHER" in content:
        is_account = ContentKind.ACCOUNT in statement.content
        document["content_type_other"] = "account" if is_account else "file"
    return {**document, **_ground(statement, options)}


def _ground(statement: Statement, options: StatementOptions) -> dict[str, str]:
    if statement.illegal:
        return {
            "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
            "illegal_content_legal_ground": options.legal_ground,
            "illegal_content_explanation": _explanation(statement),
        }
    return {
        "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        "incompatible_content_ground": options.terms_ground,
        "incompatible_content_explanation": (
            "The rules forbid the sexual exploitation of children, and what serves it."
        ),
        "incompatible_content_illegal": "Yes" if statement.suspected else "No",
    }


def _explanation(statement: Statement) -> str:
    if statement.child_abuse_material:
        return "A person found that it is, offers, or spreads child sexual abuse material."
    if statement.enticement:
        return "A person found that it entices a child to sexual acts, or serves that."
    return "A person found that it breaks a law that protects children."
