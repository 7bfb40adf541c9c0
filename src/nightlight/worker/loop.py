"""One loop that does whatever is due, in the order of the sentence."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event as Stop

import structlog
from msgspec import Struct

from nightlight.detect.hunting import HuntState
from nightlight.errors import NightlightError
from nightlight.services import Services

_log = structlog.get_logger("nightlight.worker")


class WorkerOptions(Struct, frozen=True, kw_only=True):
    """How the worker divides its time."""

    batch: int = 1_000
    tips: int = 5
    idle_s: float = 0.2
    beat_every_s: float = 5.0
    anchor_every_s: float = 60.0
    deadlines_every_s: float = 30.0
    destroy_every_s: float = 3_600.0
    publish_every_s: float = 3600.0
    escalate_every_s: float = 60.0
    pause_after_failure_s: float = 2.0


class Worker:
    """Judges accepted events, delivers effects and files tips until told to stop."""

    def __init__(
        self, *, services: Services, options: WorkerOptions, orphaned: Callable[[], bool]
    ) -> None:
        """Keep the parts; ``orphaned`` tells whether whoever started this worker is gone."""
        self._services = services
        self._options = options
        self._orphaned = orphaned
        self._next_beat: datetime | None = None
        self._next_anchor: datetime | None = None
        self._next_deadlines: datetime | None = None
        self._next_destruction: datetime | None = None
        self._next_publication: datetime | None = None
        self._next_escalation: datetime | None = None

    def run(self, stop: Stop) -> None:
        """Work until ``stop`` is set or the parent is gone."""
        while not stop.is_set() and not self._orphaned():
            try:
                busy = self._round()
            except NightlightError as error:
                # Nothing was acknowledged: the same work is due again after the pause.
                _log.error("round.failed", code=error.code, error=str(error))
                stop.wait(self._options.pause_after_failure_s)
                continue
            if not busy:
                stop.wait(self._options.idle_s)

    def _round(self) -> bool:
        services, options = self._services, self._options
        self._beat()
        busy = False
        for batch in services.processor.process(limit=options.batch):
            busy = True
            _log.info(
                "batch.processed",
                events=batch.events,
                decisions=len(batch.judged),
                last=batch.last_seq,
            )
        if services.dispatcher is not None and services.dispatcher.run_due():
            busy = True
        if services.statements is not None and services.statements.run_due():
            busy = True
        if services.filer is not None and services.filer.run_due(options.tips):
            busy = True
        if self._hunt():
            busy = True
        if services.matcher.wants_snapshot():
            services.matcher.leave_snapshot()
        self._destroy()
        self._escalate()
        self._anchor()
        self._notice_deadlines()
        return busy

    def _hunt(self) -> bool:
        """Search a little further for what newly came onto lists; return whether there was any."""
        hunts = self._services.hunts
        hunts.notice_new_hashes()
        hunt = hunts.step()
        if hunt is not None and hunt.state is HuntState.DONE:
            _log.info("hunt.ended", hunt=hunt.id, found=hunt.found, looked_at=hunt.looked_at)
        return hunt is not None

    def _destroy(self) -> None:
        """Destroy what is due, and certify it."""
        now = self._services.clock.now()
        if self._next_destruction is None or now >= self._next_destruction:
            done = self._services.retention.run_due()
            self._services.retention.forget_machines()
            if done.destroyed or done.spared:
                _log.info("evidence.destroyed", destroyed=done.destroyed, spared=done.spared)
            self._next_destruction = now + timedelta(seconds=self._options.destroy_every_s)

    def _beat(self) -> None:
        now = self._services.clock.now()
        if self._next_beat is None or now >= self._next_beat:
            with self._services.unit_of_work.begin() as tx:
                tx.heartbeats.beat("worker", at=now)
                tx.commit_unrecorded()
            self._next_beat = now + timedelta(seconds=self._options.beat_every_s)

    def _escalate(self) -> None:
        """Put into the record which report decisions are overdue, each once."""
        now = self._services.clock.now()
        if self._next_escalation is None or now >= self._next_escalation:
            overdue = self._services.report_decisions.escalate()
            if overdue:
                _log.warning("report.overdue", account_actions=overdue)
            self._next_escalation = now + timedelta(seconds=self._options.escalate_every_s)

    def _anchor(self) -> None:
        now = self._services.clock.now()
        if self._next_anchor is None or now >= self._next_anchor:
            self._services.record.anchor()
            self._next_anchor = now + timedelta(seconds=self._options.anchor_every_s)
            self._publish(now)

    def _publish(self, now: datetime) -> None:
        """Publish a checkpoint every hour, and after a failure at every anchor."""
        if self._next_publication is not None and now < self._next_publication:
            return
        published = self._services.record.publish()
        if published is not None and published.failure:
            _log.warning("checkpoint.not_published", why=published.failure)
            return
        self._next_publication = now + timedelta(seconds=self._options.publish_every_s)

    def _notice_deadlines(self) -> None:
        now = self._services.clock.now()
        if self._next_deadlines is None or now >= self._next_deadlines:
            for tip in self._services.deadlines.notice():
                _log.error("tip.overdue", tip=tip.tip_id, state=tip.filing.state.value)
            self._next_deadlines = now + timedelta(seconds=self._options.deadlines_every_s)
