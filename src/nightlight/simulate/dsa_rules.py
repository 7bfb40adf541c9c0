"""What the DSA Transparency Database asks of a statement, as its API documents it."""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

_COUNTRIES = (
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
)
_VISIBILITY = {
    f"DECISION_VISIBILITY_{one}"
    for one in [
        "CONTENT_REMOVED",
        "CONTENT_DISABLED",
        "CONTENT_DEMOTED",
        "CONTENT_AGE_RESTRICTED",
        "CONTENT_INTERACTION_RESTRICTED",
        "CONTENT_LABELLED",
        "OTHER",
    ]
}
_PROVISION = {
    f"DECISION_PROVISION_{how}_{what}"
    for how in ("PARTIAL", "TOTAL")
    for what in ("SUSPENSION", "TERMINATION")
}
_ACCOUNT = {"DECISION_ACCOUNT_SUSPENDED", "DECISION_ACCOUNT_TERMINATED"}
_GROUNDS = {"DECISION_GROUND_ILLEGAL_CONTENT", "DECISION_GROUND_INCOMPATIBLE_CONTENT"}
_CONTENT = {
    f"CONTENT_TYPE_{one}"
    for one in ["APP", "AUDIO", "IMAGE", "PRODUCT", "SYNTHETIC_MEDIA", "TEXT", "VIDEO", "OTHER"]
}
_SOURCES = {
    "SOURCE_ARTICLE_16",
    "SOURCE_TRUSTED_FLAGGER",
    "SOURCE_VOLUNTARY",
    "SOURCE_TYPE_OTHER_NOTIFICATION",
}
_AUTOMATED = {f"AUTOMATED_DECISION_{one}" for one in ("FULLY", "PARTIALLY", "NOT_AUTOMATED")}
#: Of the many categories and keywords, those that protect minors.
_CATEGORIES = {"STATEMENT_CATEGORY_PROTECTION_OF_MINORS"}
_KEYWORDS = {
    "KEYWORD_AGE_SPECIFIC_RESTRICTIONS_MINORS",
    "KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL",
    "KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL_DEEPFAKE",
    "KEYWORD_GROOMING_SEXUAL_ENTICEMENT_MINORS",
    "KEYWORD_UNSAFE_CHALLENGES",
}
_LISTS: Mapping[str, Collection[str]] = {
    "decision_visibility": _VISIBILITY,
    "content_type": _CONTENT,
    "territorial_scope": set(_COUNTRIES.split()),
    "category_specification": _KEYWORDS,
}
_ONE_OF: Mapping[str, Collection[str]] = {
    "decision_provision": _PROVISION,
    "decision_account": _ACCOUNT,
    "decision_ground": _GROUNDS,
    "category": _CATEGORIES,
    "source_type": _SOURCES,
    "automated_detection": {"Yes", "No"},
    "automated_decision": _AUTOMATED,
    "incompatible_content_illegal": {"Yes", "No"},
}
_REQUIRED = (
    "decision_ground",
    "decision_facts",
    "category",
    "content_type",
    "content_date",
    "application_date",
    "source_type",
    "automated_detection",
    "automated_decision",
    "puid",
)
_LONGEST: Mapping[str, int] = {
    "decision_facts": 5000,
    "illegal_content_legal_ground": 500,
    "illegal_content_explanation": 2000,
    "incompatible_content_ground": 500,
    "incompatible_content_explanation": 2000,
    "content_type_other": 500,
    "puid": 500,
}
_RESTRICTIONS = (
    "decision_visibility",
    "decision_monetary",
    "decision_provision",
    "decision_account",
)
_GROUND_FIELDS = {
    "DECISION_GROUND_ILLEGAL_CONTENT": (
        "illegal_content_legal_ground",
        "illegal_content_explanation",
    ),
    "DECISION_GROUND_INCOMPATIBLE_CONTENT": (
        "incompatible_content_ground",
        "incompatible_content_explanation",
    ),
}
_EARLIEST = {"content_date": "2000-01-01", "application_date": "2020-01-01"}
_PUID = re.compile(r"[a-zA-Z0-9-_]+")


def errors_in(statement: object) -> dict[str, list[str]]:
    """Return what is wrong with a statement, by field."""
    if not isinstance(statement, dict):
        return {"statement": ["must be an object"]}
    found: dict[str, list[str]] = {}
    for field, problem in _problems(statement):
        found.setdefault(field, []).append(problem)
    return found


def _problems(statement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    required = [*_REQUIRED, *_GROUND_FIELDS.get(str(statement.get("decision_ground")), ())]
    if "CONTENT_TYPE_OTHER" in (statement.get("content_type") or ()):
        required.append("content_type_other")
    yield from (
        (one, f"The {one} field is required.") for one in required if not statement.get(one)
    )
    if not any(statement.get(one) for one in _RESTRICTIONS):
        yield "decision_visibility", "Some decision is required."
    for field, allowed in _LISTS.items():
        values = statement.get(field) or []
        if not isinstance(values, list) or not set(map(str, values)) <= set(allowed):
            yield field, f"The selected {field} is invalid."
    for field, allowed in _ONE_OF.items():
        if statement.get(field) is not None and statement[field] not in allowed:
            yield field, f"The selected {field} is invalid."
    for field, most in _LONGEST.items():
        if len(str(statement.get(field) or "")) > most:
            yield field, f"The {field} must not be greater than {most} characters."
    for field, earliest in _EARLIEST.items():
        if statement.get(field) and not _is_day(str(statement[field]), earliest):
            yield field, f"The {field} does not match the format YYYY-MM-DD."
    if not _PUID.fullmatch(str(statement.get("puid") or "-")):
        yield "puid", "The puid format is invalid."


def _is_day(text: str, earliest: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text >= earliest
    except ValueError:
        return False
