"""Synthetic values for the ports, each with defaults that a test overrides where it matters."""

from datetime import date, datetime, timedelta
from typing import Any

from msgspec.structs import replace
from tests.fakes.cybertip_store import NOON

from nightlight.decide.policy import DEFAULT_THRESHOLD
from nightlight.enforce.ports import Delivery
from nightlight.model.audit import AuditEntry
from nightlight.model.case import Case, CaseState, Evidence, EvidenceKind
from nightlight.model.context import AccountContext, MediaContext, PostContext
from nightlight.model.decision import Decision, Reason
from nightlight.model.effect import DeliveryState, Effect, EffectKind
from nightlight.model.event import Event, EventType, PostCreated
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
from nightlight.model.media import MediaHashes, Scan, ScanState
from nightlight.model.signal import Signal, Subject, SubjectKind
from nightlight.model.statement import ContentKind, Statement
from nightlight.report.account_actions import account_for
from nightlight.transaction import Transaction

SOURCE = "https://zorbleflux.example.test"
ENTRY = AuditEntry(actor="a test", action="test.acted", subject="something", reason="to see")


def make_event(name: str, *, text: str = "quibbleton", at: datetime = NOON) -> Event:
    """Return a post, its account named after it."""
    return Event(
        key=event_key(SOURCE, name),
        source=SOURCE,
        id=name,
        type=EventType.POST_CREATED,
        time=at,
        data=PostCreated(post_id=f"post-{name}", account_id=f"account-{name}", text=text),
    )


def make_events(prefix: str, count: int) -> list[Event]:
    return [make_event(f"{prefix}-{number}") for number in range(count)]


def make_account(name: str, **fields: Any) -> AccountContext:
    return AccountContext(account_id=AccountId(name), **fields)


def make_post(name: str, account: str = "account-1", **fields: Any) -> PostContext:
    return PostContext(post_id=PostId(name), account_id=AccountId(account), **fields)


def make_media(name: str, **fields: Any) -> MediaContext:
    scan = Scan(
        state=ScanState.SCANNED,
        hashes=MediaHashes(sha256="ab" * 32, pdq="cd" * 32, pdq_quality=90),
        byte_count=512,
    )
    made = MediaContext(
        media_id=MediaId(name), account_id=AccountId("account-1"), scan=scan, uploaded_at=NOON
    )
    return replace(made, **fields)


def make_signal(name: str, **fields: Any) -> Signal:
    made = Signal(
        detector="quibble_match",
        event_key=event_key(SOURCE, name),
        account_id=AccountId("account-1"),
        subject=Subject(kind=SubjectKind.POST, id=f"post-{name}"),
        confidence=0.75,
        facts={"quibbles": 3, "disguised": True, "share": 0.5, "where": "text"},
        evidence={"entries": ["q-1", "q-2"], "distance": 4},
    )
    return replace(made, **fields)


def make_decision(name: str, **fields: Any) -> Decision:
    made = Decision(
        id=DecisionId(f"decision-{name}"),
        event_key=event_key(SOURCE, name),
        account_id=AccountId("account-1"),
        subject=Subject(kind=SubjectKind.POST, id=f"post-{name}"),
        decided_by="policy",
        policy_version="test-1",
        category="advert",
        severity=70,
        asks=("preserve", "hide", "review"),
        reasons=(Reason(rule="quibbles", text="It quibbles."),),
        time=NOON,
    )
    return replace(made, **fields)


def make_effect(
    name: str,
    kind: EffectKind = EffectKind.HIDE,
    *,
    of: str = "post-1",
    about: str = "post",
    decision: str = "decision-1",
) -> Effect:
    return Effect(
        id=EffectId(name),
        decision_id=DecisionId(decision),
        kind=kind,
        subject=Subject(kind=SubjectKind(about), id=of),
        case_id=CaseId("case-1"),
    )


def settled(delivery: Delivery, state: DeliveryState, at: datetime = NOON) -> Delivery:
    """Return the delivery after one attempt that ended in ``state``."""
    arrived = state is DeliveryState.DELIVERED
    return replace(
        delivery,
        state=state,
        attempts=delivery.attempts + 1,
        next_attempt_at=at + timedelta(seconds=30),
        delivered_at=at if arrived else None,
        failure="" if arrived else "no answer",
    )


def make_case(name: str, **fields: Any) -> Case:
    made = Case(
        id=CaseId(name),
        account_id=AccountId(f"account-of-{name}"),
        state=CaseState.OPEN,
        category="advert",
        severity=70,
        opened_at=NOON,
        decisions=(DecisionId("decision-1"),),
    )
    return replace(made, **fields)


def make_evidence(name: str, case: str = "case-1", **fields: Any) -> Evidence:
    made = Evidence(
        id=name,
        case_id=CaseId(case),
        decision_id=DecisionId("decision-1"),
        kind=EvidenceKind.POST,
        content_id="post-1",
        digest="ef" * 32,
        byte_count=100,
        content_type="application/json",
        sealed_at=NOON,
        captured_at=NOON,
    )
    return replace(made, **fields)


def key_of(name: str) -> EventKey:
    return event_key(SOURCE, name)


def close(
    tx: Transaction, *effects: Effect, at: datetime = NOON, **decision: Any
) -> list[AuditEntry]:
    """Ask for locks and suspensions as the pipeline does: with their account actions."""
    because = [make_decision("1", id=one.decision_id, **decision) for one in effects]
    entries = account_for(
        tx.report_decisions, effects, because, threshold=DEFAULT_THRESHOLD, at=at, parts={}
    )
    tx.outbox.put(effects, at=at)
    return entries


def make_statement(name: str) -> Statement:
    """Return a statement of reasons."""
    return Statement(
        id=f"sor_{name}",
        effect_id=EffectId(f"eff_{name}"),
        restriction=EffectKind.HIDE,
        facts="Something was found.",
        illegal=False,
        suspected=True,
        child_abuse_material=True,
        content=(ContentKind.TEXT,),
        content_date=date(2026, 3, 1),
        applied_on=date(2026, 3, 2),
        notified=False,
        found_by_machine=True,
        decided_by_machine=True,
    )
