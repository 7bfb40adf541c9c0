"""Builders of values for tests: each gives a complete, harmless value and takes what matters.

Times are minutes after ``NOON``; texts are nonsense; ids say what they name.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from nightlight.decide.policy import Policy, parse_policy
from nightlight.model.case import Case, CaseState, Evidence, EvidenceKind
from nightlight.model.context import AccountContext, MediaContext, PostContext
from nightlight.model.decision import Decision, Reason
from nightlight.model.effect import Effect, EffectKind
from nightlight.model.event import DATA_TYPES, Event, EventData, EventType
from nightlight.model.ids import (
    AccountId,
    CaseId,
    DecisionId,
    EffectId,
    EventKey,
    MediaId,
    PostId,
    event_key,
)
from nightlight.model.media import Scan, ScanState
from nightlight.model.signal import Fact, Signal, Subject, SubjectKind

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SOURCE = "https://zorbleflux.example.test"
#: Long enough to be compared with others, and without meaning.
TEXT = (
    "fresh zorbleflux and kleptic plonks from our garden, 30 coins each,"
    " ask for the list today, dm me"
)

_TYPE_OF = {data_type: event_type for event_type, data_type in DATA_TYPES.items()}


def at(minutes: float) -> datetime:
    """Return the moment this many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def event_of(data: EventData, *, minutes: float = 0, event_id: str = "") -> Event:
    """Return an event with this data; its id is made of type, post and time if not given."""
    event_type: EventType = _TYPE_OF[type(data)]
    subject = getattr(data, "post_id", "") or getattr(data, "media_id", "") or data.account_id
    name = event_id or f"{event_type}:{subject}:{minutes}"
    return Event(
        key=event_key(SOURCE, name),
        source=SOURCE,
        id=name,
        type=event_type,
        time=at(minutes),
        data=data,
    )


def subject_of(kind: SubjectKind = SubjectKind.POST, name: str = "post-1") -> Subject:
    """Return a subject."""
    return Subject(kind=kind, id=name)


def make_signal(
    facts: Mapping[str, Fact] | None = None,
    *,
    detector: str = "term_match",
    subject: Subject | None = None,
    account_id: str = "account-1",
    event_key: str = "event-1",
) -> Signal:
    """Return a signal about a post that carries these facts."""
    return Signal(
        detector=detector,
        event_key=EventKey(event_key),
        account_id=AccountId(account_id),
        subject=subject or subject_of(),
        confidence=0.9,
        facts=facts or {},
    )


def make_decision(
    *asks: EffectKind,
    subject: Subject | None = None,
    account_id: str = "account-1",
    name: str = "decision-1",
    minutes: float = 0,
    **changes: Any,
) -> Decision:
    """Return a decision by policy that asks for these effects."""
    values: dict[str, Any] = {
        "id": DecisionId(name),
        "event_key": EventKey(f"event-of-{name}"),
        "account_id": AccountId(account_id),
        "subject": subject or subject_of(),
        "decided_by": "policy",
        "policy_version": "quibble@1:000000000000",
        "category": "advert",
        "severity": 70,
        "asks": asks,
        "reasons": (Reason(rule="advert", text="Nonsense stood beside nonsense."),),
        "time": at(minutes),
    }
    return Decision(**{**values, **changes})


def make_effect(kind: EffectKind = EffectKind.HIDE, *, name: str = "effect-1") -> Effect:
    """Return an effect on a post."""
    return Effect(
        id=EffectId(name), decision_id=DecisionId("decision-1"), kind=kind, subject=subject_of()
    )


def make_case(
    *decisions: str, state: CaseState = CaseState.OPEN, account_id: str = "account-1", **more: Any
) -> Case:
    """Return a case about these decisions."""
    values: dict[str, Any] = {
        "id": CaseId("case-1"),
        "account_id": AccountId(account_id),
        "state": state,
        "category": "advert",
        "severity": 70,
        "opened_at": NOON,
        "decisions": tuple(DecisionId(one) for one in decisions or ("decision-1",)),
    }
    return Case(**{**values, **more})


def make_evidence(
    content_id: str = "media-1", *, kind: EvidenceKind = EvidenceKind.MEDIA, name: str = ""
) -> Evidence:
    """Return one sealed thing of the case."""
    return Evidence(
        id=name or f"evidence-of-{content_id}",
        case_id=CaseId("case-1"),
        decision_id=DecisionId("decision-1"),
        kind=kind,
        content_id=content_id,
        digest=hashlib.sha256(content_id.encode()).hexdigest(),
        byte_count=12,
        content_type="image/png",
        sealed_at=NOON,
        captured_at=NOON,
    )


def make_account(name: str = "account-1", **changes: Any) -> AccountContext:
    """Return what is known of an account."""
    return AccountContext(account_id=AccountId(name), **changes)


def make_post(
    name: str = "post-1", *, account_id: str = "account-1", **changes: Any
) -> PostContext:
    """Return what is known of a post."""
    return PostContext(post_id=PostId(name), account_id=AccountId(account_id), **changes)


def make_media(
    name: str = "media-1", *, scan: Scan | None = None, account_id: str = "account-1", **more: Any
) -> MediaContext:
    """Return what is known of a media file."""
    values = {"uploaded_at": NOON, **more}
    return MediaContext(
        media_id=MediaId(name),
        account_id=AccountId(account_id),
        scan=scan or Scan(state=ScanState.SCANNED),
        **values,
    )


def policy_text(
    *rules: Mapping[str, object], confirmed: Iterable[str] = ("advert",), more: str = ""
) -> bytes:
    """Return a policy file with these rules, each over a complete and harmless rule."""
    lines = ['name = "quibble"', 'revision = "1"', ""]
    for number, rule in enumerate(rules or ({},)):
        whole: dict[str, object] = {
            "name": f"rule-{number}",
            "when": "term_count >= 1",
            "because": "Nonsense stood there.",
            "category": "advert",
            "severity": 50,
            "asks": ["review"],
            **rule,
        }
        lines += ["[[rules]]"]
        lines += [f"{name} = {_toml(value)}" for name, value in whole.items() if value is not None]
        lines += [""]
    lines += [f"[confirmed.{category}]\n" for category in confirmed]
    return ("\n".join(lines) + more).encode()


def make_policy(*rules: Mapping[str, object], **options: Any) -> Policy:
    """Return the policy of such a file."""
    return parse_policy(policy_text(*rules, **options))


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value).lower() if isinstance(value, bool) else str(value)
