"""Evidence for an authority: one person proposes, another approves, and the record says it all."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.errors import Conflict, InvalidInput, NotPermitted
from nightlight.model.audit import AuditEntry, ChainedEntry
from nightlight.model.case import Evidence
from nightlight.model.custody import (
    Access,
    CustodyRequest,
    RequestKind,
    RequestState,
    check_is_person,
    is_same_person,
)
from nightlight.model.ids import CaseId, derive_id
from nightlight.preserve.package import (
    CONTENTS,
    VERSION,
    Contents,
    Custody,
    Manifest,
    Member,
    Packed,
    PackedEvidence,
    Packer,
    SigningKey,
)
from nightlight.preserve.vault import Vault
from nightlight.services.requests import request_entry
from nightlight.transaction import Transaction, UnitOfWork, let_nothing_be_destroyed

#: Stands for the recipient where a passphrase opens the package.
PASSPHRASE = "passphrase"  # noqa: S105  it says that there is one
_SHORTEST = 12


class Exported(Struct, frozen=True, kw_only=True):
    """A package that was written for an approved request."""

    request: CustodyRequest
    packed: Packed


class Exports:
    """Proposes, approves and writes packages of evidence."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        vault: Vault,
        packer: Packer,
        key: SigningKey,
        clock: Clock,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._vault = vault
        self._packer = packer
        self._key = key
        self._clock = clock

    @property
    def public_key(self) -> str:
        """The key that verifies packages, in base64."""
        return self._key.public

    def propose(
        self,
        case_id: CaseId,
        *,
        recipient: str,
        reference: str,
        person: str,
        reason: str,
        only: Sequence[str] = (),
    ) -> CustodyRequest:
        """Return the request that waits for a second person to have a case's evidence exported.

        Args:
            case_id: the case.
            recipient: the authority's public key of age, or "passphrase".
            reference: the authority's request.
            person: who proposes it.
            reason: why.
            only: this evidence alone; by default everything that is kept of the case.

        Raises:
            NotFound: there is no such case.
            InvalidInput: a word is missing, the key is none, or the case lacks the evidence.
        """
        for field, text in (("by", person), ("reason", reason), ("reference", reference)):
            if not text.strip():
                raise InvalidInput("an export needs a person, a reason and a request", field=field)
        check_is_person(person, field="by")
        if recipient != PASSPHRASE:
            self._packer.check_recipient(recipient)
        now = self._clock.now()
        with self._unit_of_work.begin() as tx:
            let_nothing_be_destroyed(tx)
            if not tx.kept_posts.some([case_id]):
                tx.cases.get(case_id)
            kept = [one.id for one in tx.evidence.of_case(case_id)]
            wanted = tuple(dict.fromkeys(only)) or tuple(kept)
            unknown = sorted(set(wanted) - set(kept))
            if unknown or not wanted:
                raise InvalidInput(
                    f"the case holds no {unknown[0] if unknown else 'evidence'}",
                    field="evidence",
                    hint="`nightlight evidence list` shows what there is",
                )
            request = CustodyRequest(
                id=derive_id("req", "export", case_id, person, reference, now.isoformat()),
                what=RequestKind.EXPORT,
                case_id=case_id,
                evidence_ids=wanted,
                reference=reference,
                reason=reason,
                proposed_by=person,
                proposed_at=now,
                recipient=recipient,
            )
            tx.custody.save_request(request)
            tx.commit(request_entry("custody.proposed", request, person, reason))
        return request

    def approve(self, request_id: str, *, person: str, reason: str) -> CustodyRequest:
        """Return the request, approved: its package may now be written by either person.

        Raises:
            NotFound: there is no such request.
            NotPermitted: the person who proposed it approves it.
            Conflict: it was decided before, or lapsed.
            InvalidInput: a word is missing, or it is no export.
        """
        with self._unit_of_work.begin() as tx:
            let_nothing_be_destroyed(tx)
            request = _export(tx, request_id).decided(
                RequestState.APPROVED, person=person, reason=reason, at=self._clock.now()
            )
            tx.custody.save_request(request)
            tx.commit(request_entry("custody.approved", request, person, reason))
        return request

    def write(self, request_id: str, to: Path, *, person: str, passphrase: str = "") -> Exported:
        """Return the package, written to a new file; the record says so before it is.

        Raises:
            NotFound: there is no such request.
            Conflict: nobody approved it, it lapsed or was revoked, or evidence is gone.
            NotPermitted: this person is neither of the two.
            InvalidInput: the file cannot be made, or a passphrase is missing or too short.
            IntegrityFailure: what is sealed is not what was sealed; nothing is written.
        """
        with self._unit_of_work.begin() as tx:
            let_nothing_be_destroyed(tx)
            request = _export(tx, request_id)
            self._check(request, person, passphrase)
            evidence = [tx.evidence.get(one) for one in request.evidence_ids]
            gone = [one.id for one in evidence if one.destroyed_at is not None]
            if gone:
                raise Conflict(f"{gone[0]} was destroyed")
            account_id = _account_of(tx, request.case_id)
            tx.commit(
                AuditEntry(
                    actor=person,
                    action="evidence.exported",
                    subject=request.case_id,
                    reason=f"{request.reference}: {request.reason}",
                    detail={
                        "request": request.id,
                        "evidence": list(request.evidence_ids),
                        "recipient": request.recipient,
                        "proposed_by": request.proposed_by,
                        "approved_by": request.decided_by,
                    },
                )
            )
        contents = self._contents(request, evidence, account_id)
        made_at = contents.made_at

        def manifest(members: tuple[Member, ...]) -> Manifest:
            return Manifest(
                version=VERSION,
                package=derive_id("pack", request.id, made_at.isoformat()),
                made_at=made_at,
                recipient=request.recipient,
                members=members,
            )

        is_keyed = request.recipient != PASSPHRASE
        packed = self._packer.pack(
            to,
            members=self._members(contents, evidence, request, person),
            recipient=request.recipient if is_keyed else "",
            passphrase=passphrase,
            manifest=manifest,
            sign=self._key.sign,
        )
        self._record_written(request, packed, to, person)
        return Exported(request=request, packed=packed)

    def _record_written(
        self, request: CustodyRequest, packed: Packed, to: Path, person: str
    ) -> None:
        """Let the record name the package by its SHA-256; what it cannot name is not left there."""
        entry = AuditEntry(
            actor=person,
            action="evidence.packed",
            subject=request.case_id,
            reason=f"{request.reference}: {request.reason}",
            detail={
                "request": request.id,
                "package": packed.manifest.package,
                "sha256": packed.sha256,
            },
        )
        try:
            with self._unit_of_work.begin() as tx:
                let_nothing_be_destroyed(tx)
                now_stands = tx.custody.request(request.id)
                _check_approved(now_stands)
                written = now_stands.written_at or self._clock.now()
                tx.custody.save_request(replace(now_stands, written_at=written))
                tx.commit(entry)
        except BaseException:
            to.unlink(missing_ok=True)
            raise

    def _check(self, request: CustodyRequest, person: str, passphrase: str) -> None:
        _check_approved(request)
        request.check_stands(self._clock.now())
        if not any(
            is_same_person(person, one) for one in (request.proposed_by, request.decided_by)
        ):
            raise NotPermitted("only who proposed or approved it may write the package")
        if request.recipient == PASSPHRASE and len(passphrase) < _SHORTEST:
            raise InvalidInput(
                f"the passphrase needs {_SHORTEST} characters or more", field="passphrase"
            )

    def _members(
        self,
        contents: Contents,
        evidence: Sequence[Evidence],
        request: CustodyRequest,
        person: str,
    ) -> Iterator[tuple[str, Iterator[bytes]]]:
        yield CONTENTS, iter([msgspec.json.format(msgspec.json.encode(contents))])
        access = Access(person=person, purpose=f"export {request.reference}")
        for place, one in enumerate(evidence, start=1):
            yield _member(place), self._vault.open_parts(one.digest, access)

    def _contents(
        self, request: CustodyRequest, evidence: Sequence[Evidence], account_id: str
    ) -> Contents:
        with self._unit_of_work.read() as tx:
            custody = tuple(_custody(tx.audit.entries(), request))
            seq, head = tx.audit.head()
        return Contents(
            version=VERSION,
            case_id=request.case_id,
            account_id=account_id,
            reference=request.reference,
            reason=request.reason,
            proposed_by=request.proposed_by,
            approved_by=request.decided_by,
            made_at=self._clock.now(),
            chain_head=f"{seq}:{head}",
            evidence=tuple(
                PackedEvidence(
                    id=one.id,
                    member=_member(place),
                    kind=one.kind.value,
                    content_id=one.content_id,
                    content_type=one.content_type,
                    byte_count=one.byte_count,
                    sha256=one.digest,
                    sealed_at=one.sealed_at,
                    captured_at=one.captured_at,
                )
                for place, one in enumerate(evidence, start=1)
            ),
            custody=custody,
        )


def _member(place: int) -> str:
    """Return what everybody sees of evidence: an id of ours can be computed from public ids."""
    return f"evidence-{place}"


def _check_approved(request: CustodyRequest) -> None:
    if request.state is RequestState.PROPOSED:
        raise Conflict("the request is proposed: a second person approves it")
    if request.state is not RequestState.APPROVED:
        raise Conflict(f"the request is {request.state.value}", hint="propose it anew")


def _account_of(tx: Transaction, case_id: CaseId) -> str:
    """Return the account of a case, or of a deleted post that stands in the place of one."""
    post = tx.kept_posts.some([case_id]).get(case_id)
    return post.account_id if post is not None else tx.cases.get(case_id).account_id


def _export(tx: Transaction, request_id: str) -> CustodyRequest:
    request = tx.custody.request(request_id)
    if request.what is not RequestKind.EXPORT:
        raise InvalidInput("that is no request to export", field="request")
    return request


def _custody(entries: Iterable[ChainedEntry], request: CustodyRequest) -> Iterator[Custody]:
    """Yield every step of the record that is this request's or the evidence's own.

    Of holds, and of what was exported to others, it tells no person, reference or reason.
    """
    ids = set(request.evidence_ids)
    for chained in entries:
        entry, is_named = chained.entry, True
        match entry.action.partition("."):
            case ("custody", _, _):
                is_ours = entry.subject == request.id
            case ("hold", _, _):
                is_ours, is_named = entry.detail.get("case") == request.case_id, False
            case ("evidence", _, "sealed" | "opened" | "given" | "viewed" | "exported"):
                listed = entry.detail.get("evidence")
                is_ours = entry.subject in ids or (
                    isinstance(listed, list) and not ids.isdisjoint(listed)
                )
                is_named = entry.detail.get("request", request.id) == request.id
            case _:
                is_ours = False
        if is_ours:
            yield Custody(
                entry=chained.seq,
                hash=chained.hash,
                at=chained.at,
                action=entry.action,
                person=entry.actor if is_named else "",
                subject=entry.subject,
                reason=entry.reason if is_named else "",
            )
