"""Effects go out: claimed under a lease, tried, settled with an audit entry each."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from nightlight.audit.clock import Clock
from nightlight.enforce.outbox import OutboxOptions, attempt
from nightlight.enforce.ports import Delivery, Platform
from nightlight.model.audit import AuditEntry
from nightlight.model.effect import DeliveryState
from nightlight.transaction import Transaction, UnitOfWork


class Dispatcher:
    """Delivers what is due to the platform."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        platform: Platform,
        clock: Clock,
        options: OutboxOptions,
        note: Callable[[Transaction, Sequence[Delivery]], None] | None = None,
    ) -> None:
        """Keep the parts; ``note`` stores what follows from deliveries, in their transaction."""
        self._note = note
        self._unit_of_work = unit_of_work
        self._platform = platform
        self._clock = clock
        self._options = options

    def is_reachable(self) -> bool:
        """Return whether anything answers at the platform's address."""
        return self._platform.is_reachable()

    def run_due(self) -> list[Delivery]:
        """Try every effect that is due, up to one batch, and return what became of each.

        A platform that answers slowly gets fewer: what would outlast the lease is put back, since
        another worker may then deliver it, and what follows it, at the same time.
        """
        options, claimed_at = self._options, self._clock.now()
        with self._unit_of_work.begin() as tx:
            claimed = tx.outbox.claim(now=claimed_at, lease_s=options.lease_s, limit=options.batch)
            if not claimed:
                return []
            tx.commit_unrecorded()
        settled: list[Delivery] = []
        latest = claimed_at + timedelta(seconds=options.lease_s / 2)
        for one in claimed:
            now = self._clock.now()
            if now > latest:
                break
            settled.append(attempt(one, platform=self._platform, now=now, options=options))
        with self._unit_of_work.begin() as tx:
            tx.outbox.settle([*settled, *claimed[len(settled) :]])
            if self._note is not None:
                self._note(tx, settled)
            # A retry is no news; an effect that arrived, or never will, is.
            entries = [_entry(one) for one in settled if one.state is not DeliveryState.PENDING]
            if entries:
                tx.commit(*entries)
            else:
                tx.commit_unrecorded()
        return settled


def _entry(delivery: Delivery) -> AuditEntry:
    effect = delivery.effect
    return AuditEntry(
        actor="nightlight",
        action=f"effect.{delivery.state}",
        subject=effect.id,
        reason=delivery.failure,
        detail={
            "kind": effect.kind.value,
            "about": f"{effect.subject.kind}:{effect.subject.id}",
            "attempts": delivery.attempts,
        },
    )
