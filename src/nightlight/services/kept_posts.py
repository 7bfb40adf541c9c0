"""Deleted posts on which a signal fired are sealed, whether or not a rule asked for anything.

What is to be sealed was stored together with the deletion. Each is sealed in a transaction of its
own, with what the record says of it, so that whoever is killed goes on where it was.
"""

from collections import Counter
from collections.abc import Callable

from nightlight.audit.clock import Clock
from nightlight.model.audit import AuditEntry
from nightlight.model.case import Evidence, EvidenceKind
from nightlight.model.context import MediaContext
from nightlight.model.custody import KeptPost
from nightlight.model.event import Event, PostCreated, PostEdited
from nightlight.model.ids import CaseId, DecisionId, MediaId
from nightlight.model.media import Scan
from nightlight.preserve.seal import Finding, Sealer
from nightlight.transaction import Transaction, UnitOfWork, let_nothing_be_destroyed

#: A file that was destroyed for a case while this waited is fetched so often in one attempt.
_FETCHES = 3


class KeptPosts:
    """Seals what was found in posts that are deleted."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        sealer: Sealer,
        fetch: Callable[[str], Scan],
        clock: Clock,
    ) -> None:
        """Keep the parts.

        Args:
            unit_of_work: begins transactions.
            sealer: seals evidence.
            fetch: fetches a file and seals it; asked while no transaction is open.
            clock: tells when.
        """
        self._unit_of_work = unit_of_work
        self._sealer = sealer
        self._fetch = fetch
        self._clock = clock

    def run_due(self, *, limit: int = 100) -> int:
        """Return for how many of up to ``limit`` posts sealing was tried now.

        Raises:
            Exception: some failed otherwise than by what cannot be had; they stay due, and the
                others were tried.
        """
        with self._unit_of_work.read() as tx:
            due = tx.kept_posts.due(self._clock.now(), limit)
        failure: Exception | None = None
        for one in due:
            try:
                self._seal(one.id)
            except Exception as error:  # noqa: BLE001  one post must not stop the sealing of others
                failure = error
        if failure is not None:
            raise failure
        return len(due)

    def newest(self, limit: int, *, account_id: str = "") -> list[KeptPost]:
        """Return the newest that are kept, of one account or of all."""
        with self._unit_of_work.read() as tx:
            return tx.kept_posts.newest(limit, account_id=account_id)

    def _seal(self, kept_id: CaseId) -> None:
        fetched: dict[str, Scan] = {}
        asked: Counter[str] = Counter()
        while True:
            with self._unit_of_work.begin() as tx:
                let_nothing_be_destroyed(tx)
                kept = tx.kept_posts.get(kept_id)
                if kept.next_at is None:
                    return
                sealed = self._sealer.seal(_finding(tx, kept), fetched=fetched)
                wanted = [url for url in sealed.wanted if asked[url] < _FETCHES]
                if not wanted:
                    before = {one.id for one in tx.evidence.of_case(kept.id, destroyed=True)}
                    new = [one for one in sealed.evidence if one.id not in before]
                    tx.evidence.add(new)
                    has_post = any(one.kind is EvidenceKind.POST for one in sealed.evidence)
                    kept = kept.attempted(
                        has_post=has_post, complete=sealed.complete, at=self._clock.now()
                    )
                    tx.kept_posts.save(kept)
                    if new or kept.next_at is None:
                        tx.commit(_entry(kept, new))
                    else:
                        tx.commit_unrecorded()
                    return
            # A slow platform holds no lock.
            asked.update(wanted)
            fetched.update((url, self._fetch(url)) for url in wanted)


def _finding(tx: Transaction, kept: KeptPost) -> Finding:
    """Return what is to be sealed: the post as published, its files, the profile as known now."""
    event = tx.events.find([kept.event_key])[kept.event_key]
    account = tx.context.accounts([kept.account_id]).get(kept.account_id)
    return Finding(
        case_id=kept.id,
        decision_id=DecisionId(""),
        events=(event,),
        account=account,
        media=_media(tx, event),
        at=event.time,
    )


def _media(tx: Transaction, event: Event) -> tuple[MediaContext, ...]:
    if not isinstance(event.data, PostCreated | PostEdited):
        return ()
    known = tx.context.media([MediaId(one) for one in event.data.media_ids])
    return tuple(known[MediaId(one)] for one in event.data.media_ids if MediaId(one) in known)


def _entry(kept: KeptPost, evidence: list[Evidence]) -> AuditEntry:
    return AuditEntry(
        actor="nightlight",
        action="evidence.sealed",
        subject=kept.id,
        reason="the post was deleted, and a signal had fired on it",
        detail={
            "evidence": [one.id for one in evidence],
            "complete": kept.complete,
            "account": kept.account_id,
        },
    )
