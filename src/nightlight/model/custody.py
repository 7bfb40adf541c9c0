"""Custody of sealed evidence: who read it, what two people ask for, and its destruction."""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from unicodedata import category, normalize

from msgspec import Struct
from msgspec.structs import replace

from nightlight.errors import Conflict, InvalidInput, NotPermitted
from nightlight.model.ids import AccountId, CaseId, EventKey, PostId

#: A file that cannot be had after so many attempts, two days, is given up; the post never is.
TRIES = 12
_FIRST, _LONGEST = timedelta(minutes=1), timedelta(hours=6)


class ReadKind(StrEnum):
    """What a person did with sealed evidence, or what was done for them.

    OPENED says that a person asked for it, before a byte was given; GIVEN that they got all of it.
    """

    OPENED = "opened"
    GIVEN = "given"
    VIEWED = "viewed"
    EXIF_VIEWED = "exif_viewed"


class SeenWhere(StrEnum):
    """Where a person saw what they say to have viewed."""

    VAULT = "vault"
    PLATFORM = "platform"


class EvidenceRead(Struct, frozen=True, kw_only=True):
    """One line of a file's view log.

    Attributes:
        person: who read it; no name of automation stands here, for a program views nothing.
        purpose: what for, in the person's words.
        where: VAULT for what this person was given whole here before; PLATFORM for what they say
            to have seen on the platform.
    """

    id: str
    evidence_id: str
    person: str
    purpose: str
    what: ReadKind
    where: SeenWhere
    at: datetime


class Access(Struct, frozen=True, kw_only=True):
    """Who opens sealed evidence, and what for."""

    person: str
    purpose: str

    def check(self) -> None:
        """Return only if both are told.

        Raises:
            InvalidInput: a person or a purpose is missing.
        """
        if not self.person.strip():
            raise InvalidInput("opening evidence needs a person", field="person")
        if not self.purpose.strip():
            raise InvalidInput("opening evidence needs a purpose", field="purpose")

    def check_by_person(self) -> None:
        """Return only if both are told, and it is no program that reads.

        Raises:
            InvalidInput: a person or a purpose is missing, or that is a name of automation.
        """
        self.check()
        check_is_person(self.person, field="person")


class Destruction(Struct, frozen=True, kw_only=True):
    """Evidence that is to be destroyed, or was; ordered before anything is done.

    Attributes:
        rule: under which rule, in words.
        due_at: when the rule made it due.
        proposed_by, approved_by: who wanted it before that; "" where nobody did.
        found_at: when it was last found in the vault, before anything was done to it.
        missing_at: when it was first found missing there.
        tried_at: when it was last tried, and still stood afterwards.
        failed_at: when the vault last failed to destroy it; None once it was found there again.
    """

    evidence_id: str
    case_id: CaseId
    rule: str
    due_at: datetime
    ordered_at: datetime
    proposed_by: str = ""
    approved_by: str = ""
    done_at: datetime | None = None
    found_at: datetime | None = None
    missing_at: datetime | None = None
    tried_at: datetime | None = None
    failed_at: datetime | None = None

    @property
    def is_early(self) -> bool:
        """Whether two people wanted it before it was due."""
        return bool(self.approved_by)


class RequestKind(StrEnum):
    """What two people may ask for together."""

    EXPORT = "export"
    DESTROY = "destroy"


class RequestState(StrEnum):
    """Where such a request is."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    REVOKED = "revoked"


#: A request to export ends by itself so long after it was proposed, and again after its approval.
EXPORT_STANDS = timedelta(days=30)
#: Something is still done by a request in one of these.
_STANDING = (RequestState.PROPOSED, RequestState.APPROVED)


class CustodyRequest(Struct, frozen=True, kw_only=True):
    """Something done with evidence that one person proposes and another approves.

    Attributes:
        evidence_ids: the evidence concerned.
        reference: what it follows, such as the number of an authority's request.
        recipient: of an export, the key it is encrypted to, in words that may be shown.
        written_at: of an export, when its package was first written whole.
    """

    id: str
    what: RequestKind
    case_id: CaseId
    evidence_ids: tuple[str, ...]
    reference: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    recipient: str = ""
    state: RequestState = RequestState.PROPOSED
    decided_by: str = ""
    decided_at: datetime | None = None
    decision_reason: str = ""
    written_at: datetime | None = None

    @property
    def lapses_at(self) -> datetime | None:
        """When an export that was proposed or approved ends by itself; None where nothing does."""
        if self.what is not RequestKind.EXPORT or self.state not in _STANDING:
            return None
        return (self.decided_at or self.proposed_at) + EXPORT_STANDS

    @property
    def keeps_until(self) -> datetime | None:
        """Up to when its evidence is kept for it: until it lapses, or its package is written."""
        return self.lapses_at if self.written_at is None else None

    def check_stands(self, at: datetime) -> None:
        """Return only if it did not lapse.

        Raises:
            Conflict: it did.
        """
        if self.lapses_at is not None and self.lapses_at <= at:
            raise Conflict(
                f"the request lapsed on {self.lapses_at:%Y-%m-%d}", hint="propose it anew"
            )

    def revoked(self, *, person: str, reason: str, at: datetime) -> "CustodyRequest":
        """Return the request, revoked: nothing is done by it any more, nor kept for it.

        Raises:
            InvalidInput: a person or a reason is missing.
            Conflict: it was rejected or revoked before, or approved to destroy: that is ordered.
        """
        _check_decider(person, reason)
        ordered = self.what is RequestKind.DESTROY and self.state is RequestState.APPROVED
        if self.state not in _STANDING or ordered:
            raise Conflict(
                f"the request was {self.state.value} before",
                hint="a hold keeps what is ordered to be destroyed" if ordered else "",
            )
        return replace(
            self,
            state=RequestState.REVOKED,
            decided_by=person,
            decided_at=at,
            decision_reason=reason,
        )

    def decided(
        self, state: RequestState, *, person: str, reason: str, at: datetime
    ) -> "CustodyRequest":
        """Return the request, decided.

        Raises:
            InvalidInput: a person or a reason is missing.
            Conflict: it was decided before, or lapsed and is approved.
            NotPermitted: who proposed it approves it.
        """
        _check_decider(person, reason)
        if self.state is not RequestState.PROPOSED:
            raise Conflict(f"the request was {self.state.value} before")
        if state is RequestState.APPROVED and is_same_person(person, self.proposed_by):
            raise NotPermitted("who proposed it cannot approve it", hint="another person must")
        if state is RequestState.APPROVED:
            self.check_stands(at)
        return replace(self, state=state, decided_by=person, decided_at=at, decision_reason=reason)


def _check_decider(person: str, reason: str) -> None:
    if not person.strip() or not reason.strip():
        raise InvalidInput("deciding needs a person and a reason", field="request")
    check_is_person(person, field="by")


def is_same_person(one: str, other: str) -> bool:
    """Return whether two names are one person's, however they are written.

    Case, spaces, invisible characters and the ways in which Unicode writes one letter make no
    other person. Letters of another script that look alike do: accounts prevent that, not this.
    """
    return known_as(one) == known_as(other)


def known_as(name: str) -> str:
    """Return what two ways of writing one person's name have in common; "" where nothing shows."""
    seen = "".join(one for one in name if category(one) not in _UNSEEN)
    folded = normalize("NFKC", normalize("NFKC", _IGNORABLE.sub("", seen)).casefold())
    return "".join(folded.split())


#: Categories of characters that show nothing of their own.
_UNSEEN = ("Cf", "Cs", "Co", "Cn")
#: Marks and letters that Unicode lets every program pass over.
_IGNORABLE = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
#: By these names the record and the report decisions know automation: no person goes by them.
_AUTOMATION = ("nightlight", "policy")


def check_is_person(name: str, *, field: str) -> None:
    """Return only if this is no name that stands for automation.

    Raises:
        InvalidInput: it is, or nothing of it can be seen: a person must.
    """
    if not known_as(name):
        raise InvalidInput("needs a person's name", field=field)
    words = [one for one in map(known_as, name.split()) if one]
    if known_as(name) in _AUTOMATION or words[:1] == ["nightlight"]:
        raise InvalidInput("that is a name of automation: a person must", field=field)


class KeptPost(Struct, frozen=True, kw_only=True):
    """One version of a deleted post in which something was found, and whether it is sealed.

    Attributes:
        id: stands in the place of a case where its evidence names one.
        event_key: the event that told this version.
        noticed_at: when it was known that there is something to seal.
        next_at: when sealing is tried next; None once that has ended.
        complete: whether all of it is sealed.
    """

    id: CaseId
    post_id: PostId
    account_id: AccountId
    event_key: EventKey
    deleted_at: datetime
    noticed_at: datetime
    next_at: datetime | None
    attempts: int = 0
    complete: bool = False

    def attempted(self, *, has_post: bool, complete: bool, at: datetime) -> "KeptPost":
        """Return it after an attempt that sealed the post itself or not, and all of it or not."""
        attempts = self.attempts + 1
        ended = complete or (has_post and attempts >= TRIES)
        wait = min(_FIRST * 4 ** min(attempts - 1, 8), _LONGEST)
        return replace(
            self, attempts=attempts, complete=complete, next_at=None if ended else at + wait
        )
