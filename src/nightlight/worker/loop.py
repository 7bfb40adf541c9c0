"""One loop that does whatever is due, in the order of the sentence."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event as Stop
from traceback import extract_tb

import structlog
from msgspec import Struct

from nightlight.detect.hunting import HuntState
from nightlight.errors import NightlightError, Unavailable
from nightlight.model.filing import TipState
from nightlight.report.check import NO_REPORT_TAKEN
from nightlight.report.remedy import is_set_aside
from nightlight.services import Services
from nightlight.worker.watch import RecordWatch

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
        self,
        *,
        services: Services,
        options: WorkerOptions,
        orphaned: Callable[[], bool],
        watch: RecordWatch | None = None,
    ) -> None:
        """Keep the parts.

        Args:
            services: what it works with.
            options: how it divides its time.
            orphaned: tells whether whoever started this worker is gone.
            watch: verifies the record; by default as the settings say.
        """
        self._services = services
        self._options = options
        self._orphaned = orphaned
        settings = services.settings.record
        self._watch = watch or RecordWatch(
            services.record,
            services.clock,
            every=timedelta(minutes=settings.verify_every_minutes),
            whole_every=timedelta(days=settings.verify_whole_every_days),
        )
        self._next: dict[str, datetime] = {}
        self._failing: dict[str, str] = {}

    def run(self, stop: Stop) -> None:
        """Work until ``stop`` is set or the parent is gone."""
        while not stop.is_set() and not self._orphaned():
            busy, failed = self._round()
            if failed:
                # Nothing was acknowledged: the same work is due again after the pause.
                stop.wait(self._options.pause_after_failure_s)
            elif not busy:
                stop.wait(self._options.idle_s)

    def _round(self) -> tuple[bool, bool]:
        """Take every step, whatever becomes of the others; return if any had work, or failed."""
        options = self._options
        done = [
            self._every(options.beat_every_s, "beat", self._beat),
            self._step("judge", self._judge),
            self._step("keep", self._keep),
            self._step("deliver", self._deliver),
            self._step("state", self._state),
            self._step("file", self._file),
            self._step("hunt", self._hunt),
            self._step("snapshot", self._leave_snapshot),
            self._every(options.destroy_every_s, "destroy", self._destroy),
            self._every(options.destroy_every_s, "forget", self._forget_machines),
            self._every(options.escalate_every_s, "escalate", self._escalate),
            self._every(options.anchor_every_s, "anchor", self._anchor),
            self._every(options.anchor_every_s, "publish", self._publish),
            self._every(options.deadlines_every_s, "deadlines", self._notice_deadlines),
            self._verify(),
        ]
        return any(done), None in done

    def _every(self, seconds: float, name: str, act: Callable[[], bool]) -> bool | None:
        """Take a step if it is due, and not again before its time, whatever becomes of it."""
        now = self._services.clock.now()
        if name in self._next and now < self._next[name]:
            return False
        self._next[name] = now + timedelta(seconds=seconds)
        return self._step(name, act)

    def _step(self, name: str, act: Callable[[], bool]) -> bool | None:
        """Return whether a step had work, None if it failed; the heartbeat says which fail."""
        try:
            busy = act()
        except NightlightError as error:
            _log.error("step.failed", step=name, code=error.code, error=str(error))
            self._failing[name] = error.code
            return None
        except Exception as error:  # noqa: BLE001  one step must not end the worker and all others
            fault = type(error).__name__
            _log.error(
                "step.failed", step=name, code="unforeseen", error=fault, where=_where(error)
            )
            self._failing[name] = f"unforeseen {fault}"
            return None
        self._failing.pop(name, None)
        return busy

    def _verify(self) -> bool | None:
        """Return None if the record was found broken, or could not be read."""
        try:
            found = self._watch.look()
        except NightlightError as error:
            _log.error("step.failed", step="verify", code=error.code, error=str(error))
            self._failing["verify"] = error.code
            return None
        if found is None:
            return False
        if found.intact:
            self._failing.pop("verify", None)
            return False
        first = found.faults[0]
        _log.error("record.broken", entry=first.seq, problem=first.problem)
        self._failing["verify"] = f"the record is broken at entry {first.seq}"
        return None

    def _judge(self) -> bool:
        busy = False
        for batch in self._services.processor.process(limit=self._options.batch):
            busy = True
            _log.info(
                "batch.processed",
                events=batch.events,
                decisions=len(batch.judged),
                last=batch.last_seq,
            )
        return busy

    def _keep(self) -> bool:
        busy = bool(self._services.kept_posts.run_due())
        self._services.sealing.tell()
        return busy

    def _deliver(self) -> bool:
        return self._services.dispatcher is not None and bool(self._services.dispatcher.run_due())

    def _state(self) -> bool:
        return self._services.statements is not None and bool(self._services.statements.run_due())

    def _file(self) -> bool:
        filer = self._services.filer
        if filer is None:
            return False
        filings = filer.run_due(self._options.tips)
        for one in filings:
            if is_set_aside(one):
                _log.error("tip.set_aside", tip=one.tip_id, why=one.failure)
            elif one.state is TipState.REFUSED:
                _log.error("tip.refused", tip=one.tip_id, report=one.remote_id, why=one.failure)
            elif one.failure.startswith(NO_REPORT_TAKEN):
                _log.error("tip.postponed", tip=one.tip_id, why=one.failure)
            elif one.state is TipState.FILED and one.failure:
                _log.warning("tip.filed", tip=one.tip_id, report=one.remote_id, why=one.failure)
        return bool(filings)

    def _leave_snapshot(self) -> bool:
        if self._services.matcher.wants_snapshot():
            self._services.matcher.leave_snapshot()
        return False

    def _hunt(self) -> bool:
        """Search a little further for what newly came onto lists; return whether there was any."""
        hunts = self._services.hunts
        self._services.banks.wake_due()
        hunts.notice_new_hashes()
        hunt = hunts.step()
        if hunt is not None and hunt.state is HuntState.DONE:
            _log.info("hunt.ended", hunt=hunt.id, found=hunt.found, looked_at=hunt.looked_at)
        return hunt is not None

    def _destroy(self) -> bool:
        """Destroy what is due, and certify it.

        Raises:
            Unavailable: some of it could not be destroyed; its orders stand.
        """
        done = self._services.retention.run_due()
        if done.destroyed or done.spared:
            _log.info("evidence.destroyed", destroyed=done.destroyed, spared=done.spared)
        if done.missing:
            _log.error("evidence.missed", files=done.missing)
        if done.failed:
            raise Unavailable(f"{done.failed} destructions failed: {done.failure}")
        return False

    def _forget_machines(self) -> bool:
        self._services.retention.forget_machines()
        return False

    def _beat(self) -> bool:
        failing = ", ".join(f"{name}: {code}" for name, code in sorted(self._failing.items()))
        with self._services.unit_of_work.begin() as tx:
            tx.heartbeats.beat("worker", at=self._services.clock.now(), detail=failing)
            tx.commit_unrecorded()
        return False

    def _escalate(self) -> bool:
        """Put into the record which report decisions are overdue, each once."""
        overdue = self._services.report_decisions.escalate()
        if overdue:
            _log.warning("report.overdue", account_actions=overdue)
        return False

    def _anchor(self) -> bool:
        self._services.record.anchor()
        return False

    def _publish(self) -> bool:
        """Publish a checkpoint every hour, and after a failure at every anchor."""
        now = self._services.clock.now()
        if "published" in self._next and now < self._next["published"]:
            return False
        published = self._services.record.publish()
        if published is not None and published.failure:
            _log.warning("checkpoint.not_published", why=published.failure)
            return False
        self._next["published"] = now + timedelta(seconds=self._options.publish_every_s)
        return False

    def _notice_deadlines(self) -> bool:
        for tip in self._services.deadlines.notice():
            _log.error("tip.overdue", tip=tip.tip_id, state=tip.filing.state.value)
        return False


def _where(error: Exception) -> str:
    """Return the place in the program that failed, without anything that was handed to it."""
    last = extract_tb(error.__traceback__)[-1]
    return f"{last.name}, line {last.lineno}"
