"""Statements of reasons: made with the delivery they are about, and sent in batches."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.decide.policy import Outcome
from nightlight.enforce.ports import Delivery
from nightlight.errors import NotFound, Unavailable
from nightlight.model.audit import AuditEntry
from nightlight.model.effect import DeliveryState, Effect
from nightlight.model.ids import AccountId, MediaId, PostId
from nightlight.model.signal import SubjectKind
from nightlight.model.statement import StatementDelivery, StatementState
from nightlight.report.statement import Restricted, is_about_minors, needs_statement, statement_of
from nightlight.report.statement_ports import StatementDatabase, Submitted
from nightlight.services.rules import active_policy
from nightlight.transaction import Transaction, UnitOfWork


class StatementSending(Struct, frozen=True, kw_only=True):
    """How statements are sent and tried again."""

    batch: int = 100
    lease_s: float = 120.0
    first_retry_s: float = 30.0
    longest_retry_s: float = 3600.0


class Statements:
    """Sends statements of reasons to the public database."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        database: StatementDatabase,
        clock: Clock,
        sending: StatementSending | None = None,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._database = database
        self._clock = clock
        self._sending = sending or StatementSending()

    def run_due(self) -> list[StatementDelivery]:
        """Try one batch of what is due, and return what became of each.

        What the database refuses waits for a person and holds up nothing else.
        """
        sending, now = self._sending, self._clock.now()
        with self._unit_of_work.begin() as tx:
            claimed = tx.statements.claim(now=now, lease_s=sending.lease_s, limit=sending.batch)
            if not claimed:
                return []
            tx.commit_unrecorded()
        unreadable = [one for one in claimed if one.state is StatementState.REFUSED]
        settled = [*unreadable, *self._sent([one for one in claimed if one not in unreadable])]
        with self._unit_of_work.begin() as tx:
            tx.statements.settle(settled)
            entries = _entries(settled)
            if entries:
                tx.commit(*entries)
            else:
                tx.commit_unrecorded()
        return settled

    def _sent(self, claimed: Sequence[StatementDelivery]) -> list[StatementDelivery]:
        if not claimed:
            return []
        try:
            submitted = self._database.submit([one.statement for one in claimed])
        except Unavailable as error:
            return [self._postponed(one, str(error)) for one in claimed]
        return [self._settled(one, submitted) for one in claimed]

    def retry(self, statement_id: str, *, actor: str, reason: str) -> None:
        """Let a refused statement be sent again.

        Raises:
            NotFound: no refused statement has this id.
        """
        with self._unit_of_work.begin() as tx:
            if not tx.statements.retry(statement_id, at=self._clock.now()):
                raise NotFound(
                    f"no refused statement {statement_id!r}", hint="`nightlight statement list`"
                )
            tx.commit(
                AuditEntry(
                    actor=actor, action="statement.retried", subject=statement_id, reason=reason
                )
            )

    def _postponed(self, one: StatementDelivery, failure: str) -> StatementDelivery:
        wait = min(
            self._sending.first_retry_s * 2 ** min(one.attempts, 20), self._sending.longest_retry_s
        )
        return replace(
            one,
            attempts=one.attempts + 1,
            next_attempt_at=self._clock.now() + timedelta(seconds=wait),
            failure=failure,
        )

    def _settled(self, one: StatementDelivery, submitted: Submitted) -> StatementDelivery:
        tried, name = replace(one, attempts=one.attempts + 1), one.statement.id
        now = self._clock.now()
        if name in submitted.receipts or name in submitted.known:
            return replace(
                tried,
                state=StatementState.SENT,
                sent_at=now,
                receipt=submitted.receipts.get(name, ""),
                failure="",
            )
        if name in submitted.refused:
            return replace(tried, state=StatementState.REFUSED, failure=submitted.refused[name])
        # Another statement of the batch was refused: this one goes on its own way at once.
        return replace(one, next_attempt_at=now)


def note_statements(tx: Transaction, settled: Sequence[Delivery]) -> None:
    """Store a statement for every restriction that the platform has carried out.

    None for the policy's other matters, nor for what waits only because it could not be scanned or
    judged: what is stated here is about the protection of minors.
    """
    delivered = [
        one
        for one in settled
        if one.state is DeliveryState.DELIVERED
        and one.delivered_at is not None
        and needs_statement(one.effect)
    ]
    if not delivered:
        return
    ids = sorted({one.effect.decision_id for one in delivered})
    decisions = {one.id: one for one in tx.decisions.get(ids)}
    keys = {one.event_key for one in decisions.values()}
    detectors: dict[str, set[str]] = {}
    for signal in tx.signals.of_events(keys):
        detectors.setdefault(signal.event_key, set()).add(signal.detector)
    restricted = _restricted(tx, [one.effect for one in delivered])
    policy = active_policy(tx)
    for one in delivered:
        decision = decisions.get(one.effect.decision_id)
        if decision is None:  # Taken out behind the program's back: deliveries go on all the same.
            continue
        if decision.category in policy.reporting.other_matters:  # Not about minors: not for us.
            continue
        incident = policy.confirmed.get(decision.category, Outcome()).report
        found = detectors.get(decision.event_key, set())
        if not is_about_minors(decision, incident, found):
            continue
        made = statement_of(
            one.effect,
            decision=decision,
            incident=incident,
            detectors=found,
            restricted=restricted[one.effect.id],
            applied_at=one.delivered_at or decision.time,
        )
        tx.statements.put([made], at=one.delivered_at or decision.time)


def _restricted(tx: Transaction, effects: Sequence[Effect]) -> dict[str, Restricted]:
    def ids(kind: SubjectKind) -> set[str]:
        return {one.subject.id for one in effects if one.subject.kind is kind}

    accounts = tx.context.accounts({AccountId(one) for one in ids(SubjectKind.ACCOUNT)})
    posts = tx.context.posts({PostId(one) for one in ids(SubjectKind.POST)})
    shown = {file for post in posts.values() for file in post.media_ids}
    media = tx.context.media({MediaId(one) for one in (*ids(SubjectKind.MEDIA), *shown)})
    found: dict[str, Restricted] = {}
    for effect in effects:
        post = posts.get(PostId(effect.subject.id))
        files: Iterable[str] = (effect.subject.id,)
        if effect.subject.kind is SubjectKind.POST:
            files = post.media_ids if post else ()
        found[effect.id] = Restricted(
            account=accounts.get(AccountId(effect.subject.id)),
            post=post,
            media=tuple(media[MediaId(one)] for one in files if MediaId(one) in media),
        )
    return found


def _entries(settled: Sequence[StatementDelivery]) -> list[AuditEntry]:
    sent = [one.statement.id for one in settled if one.state is StatementState.SENT]
    entries = [
        AuditEntry(
            actor="nightlight",
            action="statement.refused",
            subject=one.statement.id,
            reason=one.failure,
            detail={"attempts": one.attempts},
        )
        for one in settled
        if one.state is StatementState.REFUSED
    ]
    if sent:
        entries.append(
            AuditEntry(
                actor="nightlight",
                action="statement.sent",
                subject=f"{len(sent)} statements",
                detail={"statements": len(sent), "ids": sent},
            )
        )
    return entries
