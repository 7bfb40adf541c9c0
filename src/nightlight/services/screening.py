"""The answer to a platform that asks about a file before it shows it.

What the answer says is what the policy in force decides about the upload, by the same pure
judgement that events get. Whatever fails on the way makes it ``hold``: never ``allow``.

Asking leaves no trace unless the platform names the media and its account. Then the upload enters
the event log with what scanning found, as if the platform had sent the event: the worker judges it
again, with everything known of the account, and a match becomes a case with sealed evidence. Such
an upload need not be sent to ``/v1/events`` as well.
"""

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Literal, Protocol, Self, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.decide.policy import Policy
from nightlight.detect.bank_index import Looked
from nightlight.detect.detector import Detector
from nightlight.detect.hash_match import AlreadyAsked, HashMatch
from nightlight.detect.known import Known
from nightlight.enforce.plan import human_decisions, plan_effects
from nightlight.errors import InvalidInput, NightlightError, NotPermitted, Unavailable
from nightlight.ingest.media import as_claimed
from nightlight.ingest.ports import Hasher, MediaFile
from nightlight.model.audit import AuditEntry
from nightlight.model.bank import BankMatch
from nightlight.model.context import Context
from nightlight.model.decision import Decision
from nightlight.model.effect import EffectKind
from nightlight.model.event import Event, EventType, MediaUploaded
from nightlight.model.ids import derive_id, event_key
from nightlight.model.media import MediaHashes, Scan, ScanState
from nightlight.pipeline import Judgement, Rules, judge
from nightlight.services.matching import Matcher
from nightlight.transaction import UnitOfWork

Answer: TypeAlias = Literal["allow", "limit", "hold", "block"]

_SOURCE = "nightlight:/v1/screen"
_A_DAY = timedelta(days=1)
_BLOCKING = frozenset({EffectKind.HIDE, EffectKind.REMOVE, EffectKind.LOCK, EffectKind.SUSPEND})
#: A flooded bank must not make an answer as large as itself.
_MATCHES_SHOWN = 100


class IncomingFile(Protocol):
    """A file that is coming in; nothing of it lies anywhere in clear."""

    def write(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            InvalidInput: the file is larger than allowed.
            Unavailable: there is no room for it.
        """
        ...

    def finish(self) -> MediaFile:
        """Return the whole file."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class About(Struct, frozen=True, kw_only=True):
    """What the platform says of a file; with media and account the upload is recorded."""

    media_id: str = ""
    account_id: str = ""
    post_id: str = ""
    content_type: str = ""

    @property
    def is_recorded(self) -> bool:
        """Whether the upload enters the event log."""
        return bool(self.media_id and self.account_id)


class Screened(Struct, frozen=True, kw_only=True):
    """What became of a file.

    Attributes:
        asks: the effects that the policy asks for, by name.
        reasons: the rules that hold, and whatever else made the answer what it is.
        taken_back: how many matches a negative bank took back.
        version: of the banks that were asked.
        policy: the version of the policy that decided.
        is_recorded: whether the upload is in the event log.
    """

    decision: Answer
    scan: Scan
    asks: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    matches: tuple[BankMatch, ...] = ()
    taken_back: int = 0
    version: int = 0
    policy: str = ""
    is_recorded: bool = False


class _Asked(Struct, frozen=True, kw_only=True):
    """What the index said of a file, once: everything that is told and done goes by it."""

    index: AlreadyAsked
    looked: Looked


class Screening:
    """Answers what a file is, by the rules that it is given."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        clock: Clock,
        matcher: Matcher,
        fetch: Callable[[str], MediaFile],
        hasher: Hasher,
        seal: Callable[[MediaFile], str],
        receive: Callable[[], IncomingFile],
    ) -> None:
        """Keep the parts.

        Args:
            unit_of_work: begins transactions.
            clock: tells when an upload was announced.
            matcher: answers what a file matches, by the index that the rules use too.
            fetch: gets a file from an address that the operator allows.
            hasher: turns a file into hashes.
            seal: keeps a file in the vault and returns its digest.
            receive: begins to take in a file.
        """
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._matcher = matcher
        self._fetch = fetch
        self._hasher = hasher
        self._seal = seal
        self.receive = receive

    def takes_long(self, file: MediaFile) -> bool:
        """Return whether scanning a file may take much longer than a picture takes."""
        return self._hasher.takes_long(file)

    def scan(
        self,
        file: MediaFile,
        *,
        for_bank: bool = False,
        until_s: float | None = None,
        briefly: bool = False,
    ) -> Scan:
        """Return what scanning finds; a file that cannot be decoded is a failed scan.

        With ``for_bank``, in the views that a bank made from media holds. What is not decoded by
        ``until_s``, by the monotonic clock, cannot be.

        Raises:
            TakesLong: asked for ``briefly``, it turned out to take long.
        """
        return self._hasher.scan_file(file, for_bank=for_bank, until_s=until_s, briefly=briefly)

    def fetch(self, url: str) -> MediaFile:
        """Return the file at an address.

        Raises:
            Unavailable: it cannot be had now.
            NotPermitted: the operator has not allowed this place.
            InvalidInput: the address is not one, or the file is larger than allowed.
        """
        return self._fetch(url)

    def screen_url(
        self, url: str, about: About, rules: Rules, *, until_s: float | None = None
    ) -> Screened:
        """Return the answer about the file at an address, as ``screen_file`` does."""
        try:
            file = self._fetch(url)
        except (Unavailable, NotPermitted, InvalidInput) as error:
            scan = Scan(state=ScanState.UNREACHABLE, reason=str(error))
            return self._answer(scan, self._asked(scan.hashes), about, rules, url=url)
        with file:
            return self.screen_file(file, about, rules, until_s=until_s)

    def screen_file(
        self,
        file: MediaFile,
        about: About,
        rules: Rules,
        *,
        until_s: float | None = None,
        briefly: bool = False,
    ) -> Screened:
        """Return the answer about a file; what cannot be decoded by ``until_s`` is held.

        Raises:
            TakesLong: asked for ``briefly``, it turned out to take long.
        """
        scan = self.scan(file, until_s=until_s, briefly=briefly)
        scan = as_claimed(scan, about.content_type)
        asked = self._asked(scan.hashes)
        is_evidence = scan.state is not ScanState.SCANNED or asked.looked.matches
        if about.is_recorded and is_evidence:
            scan = self._sealed(scan, file)
        return self._answer(scan, asked, about, rules)

    def screen_hashes(self, hashes: MediaHashes, about: About, rules: Rules) -> Screened:
        """Return the answer about a file of which only hashes are told.

        Raises:
            InvalidInput: a hash is not hex of the right length; names the field.
        """
        scan = Scan(state=ScanState.SCANNED, hashes=hashes)
        return self._answer(scan, self._asked(hashes), about, rules)

    def _asked(self, hashes: MediaHashes) -> _Asked:
        index = self._matcher.index
        version = index.version  # before it is asked: what comes meanwhile is not promised
        looked = index.look(hashes)
        told = AlreadyAsked(index, hashes=hashes, matches=looked.matches, version=version)
        return _Asked(index=told, looked=looked)

    def _sealed(self, scan: Scan, file: MediaFile) -> Scan:
        try:
            return replace(scan, sealed_digest=self._seal(file))
        except Unavailable as error:
            return replace(scan, reason=f"{scan.reason} not sealed: {error}".strip())

    def _answer(
        self, scan: Scan, asked: _Asked, about: About, rules: Rules, *, url: str = ""
    ) -> Screened:
        looked = asked.looked
        event = self._event(scan, about, url)
        context = self._context(event, about, scan)
        detectors: list[Detector] = [
            HashMatch(index=asked.index) if isinstance(one, HashMatch) else one
            for one in rules.detectors
        ]
        made = judge(event, context, detectors, rules.judge)
        screened = Screened(
            decision="allow",
            scan=scan,
            matches=looked.matches[:_MATCHES_SHOWN],
            taken_back=len(looked.taken_back),
            version=asked.index.version,
            policy=rules.judge.policy.version,
        )
        screened = self._decided(screened, made, rules.judge.policy)
        if scan.state is not ScanState.SCANNED:
            screened = _at_least_held(screened, scan.reason or "the file was not scanned")
        if about.is_recorded:
            self._record(event, scan, url=url)
            screened = replace(screened, is_recorded=True)
        return screened

    def _decided(self, screened: Screened, made: Judgement, policy: Policy) -> Screened:
        decision = made.decision
        if decision is None:
            return screened
        over_quota = self._over_quota(decision, policy)
        human, account_human = human_decisions(decision, made.context)
        plan = plan_effects(decision, human_decision=human, account_human_decision=account_human)
        kinds = {effect.kind for effect in plan.effects}
        screened = replace(
            screened,
            decision=_answer_of(kinds - over_quota),
            asks=tuple(decision.asks),
            reasons=tuple(reason.text for reason in decision.reasons),
        )
        if _has_unknown(decision, policy):
            screened = _at_least_held(screened, "a rule could not be evaluated")
        if kinds & over_quota:
            screened = _at_least_held(screened, "today's quota of an effect is used up")
        return screened

    def _over_quota(self, decision: Decision, policy: Policy) -> set[EffectKind]:
        limited = [one for one in policy.quotas if one.effect in decision.asks]
        if not limited:
            return set()
        since = self._clock.now() - _A_DAY
        with self._unit_of_work.read() as tx:
            return {
                one.effect
                for one in limited
                if tx.outbox.count_since(one.effect, since) >= one.per_day
            }

    def _event(self, scan: Scan, about: About, url: str) -> Event:
        hashes = scan.hashes
        told = derive_id("scr", hashes.sha256, hashes.md5, hashes.sha1, hashes.pdq, url)
        name = f"{about.media_id}:{told}"
        return Event(
            key=event_key(_SOURCE, name),
            source=_SOURCE,
            id=name,
            type=EventType.MEDIA_UPLOADED,
            time=self._clock.now(),
            data=MediaUploaded(
                media_id=about.media_id or told,
                account_id=about.account_id,
                post_id=about.post_id,
                content_type=about.content_type,
                url=url,
                md5=hashes.md5,
                sha1=hashes.sha1,
                sha256=hashes.sha256,
                pdq=hashes.pdq,
                pdq_quality=hashes.pdq_quality,
            ),
        )

    def _context(self, event: Event, about: About, scan: Scan) -> Context:
        known = Known()
        if about.account_id or about.media_id or about.post_id:
            with self._unit_of_work.read() as tx:
                known.load([event], tx)
        if isinstance(event.data, MediaUploaded):
            known.add_media(event, event.data, scan)
        return known.context_for(event)

    def _record(self, event: Event, scan: Scan, *, url: str) -> None:
        """Put the upload into the event log, with what scanning found."""
        with self._unit_of_work.begin() as tx:
            if not tx.events.append([event], at=self._clock.now()):
                return
            if not url and isinstance(event.data, MediaUploaded):
                # There is nothing that the worker could scan again: it finds what was found.
                known = Known()
                known.load([event], tx)
                known.add_media(event, event.data, scan)
                known.save(tx.context)
            tx.commit(
                AuditEntry(
                    actor="nightlight",
                    action="media.screened",
                    subject=event.media_id,
                    detail={"event": event.key, "sealed": bool(scan.sealed_digest)},
                )
            )


def failed(why: NightlightError) -> Screened:
    """Return the answer where nothing could be asked."""
    scan = Scan(state=ScanState.UNREACHABLE, reason="nothing was looked at")
    return Screened(decision="hold", scan=scan, reasons=(f"matching is out: {why}",))


def _answer_of(kinds: Collection[EffectKind]) -> Answer:
    if any(kind in _BLOCKING for kind in kinds):
        return "block"
    if EffectKind.HOLD in kinds:
        return "hold"
    return "limit" if EffectKind.LIMIT_REACH in kinds else "allow"


def _at_least_held(screened: Screened, why: str) -> Screened:
    decision: Answer = "block" if screened.decision == "block" else "hold"
    return replace(screened, decision=decision, reasons=(*screened.reasons, why))


def _has_unknown(decision: Decision, policy: Policy) -> bool:
    """Return whether a rule is among the reasons that could not be evaluated."""
    because = {rule.name: rule.because for rule in policy.rules}
    return any(because.get(reason.rule) != reason.text for reason in decision.reasons)
