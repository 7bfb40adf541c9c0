"""Master keys: a fresh one wraps from now on, older things are wrapped again, old keys retire.

Killed anywhere, everything opens: a key is in the file before anything is wrapped under it, and
leaves it only when nothing needs it.
"""

import secrets
from datetime import datetime, timedelta

from msgspec import Struct

from nightlight.audit.clock import Clock
from nightlight.errors import Conflict, IntegrityFailure, InvalidInput, NotFound
from nightlight.model.audit import AuditEntry
from nightlight.model.custody import check_is_person
from nightlight.preserve.ports import KeyRing
from nightlight.preserve.vault import Vault
from nightlight.transaction import UnitOfWork

#: Values wrapped again in one transaction.
_PAGE = 500
#: Whoever began to seal under the key before the newest has come to an end after so long.
_SETTLED = timedelta(hours=1)


class KeyUse(Struct, frozen=True, kw_only=True):
    """A master key and how much is under it.

    Attributes:
        is_newest: whether it wraps what is sealed from now on.
        is_known: whether the key ring has it; what is under a key that it lacks is lost.
        files, values: how many vault files and database values only it opens.
    """

    id: str
    made_at: datetime | None
    is_newest: bool
    is_known: bool
    files: int
    values: int


class Survey(Struct, frozen=True, kw_only=True):
    """Every master key, newest last, and the vault files that cannot say which one opens them."""

    keys: tuple[KeyUse, ...]
    unreadable: tuple[str, ...] = ()


class Rewrapped(Struct, frozen=True, kw_only=True):
    """What wrapping again came to; what could not be read is as it was."""

    key: str
    files: int
    values: int
    unreadable: tuple[str, ...] = ()


class Keys:
    """Rotates and retires master keys."""

    def __init__(
        self, *, unit_of_work: UnitOfWork, keys: KeyRing, vault: Vault, clock: Clock
    ) -> None:
        self._unit_of_work = unit_of_work
        self._keys = keys
        self._vault = vault
        self._clock = clock

    def status(self) -> Survey:
        """Return every master key and how much is under it.

        Raises:
            Unavailable: vault or database do not answer.
        """
        files: dict[str, int] = {}
        unreadable: list[str] = []
        for name in self._vault.names():
            try:
                key_id = self._vault.key_of(name)
            except NotFound:
                continue
            except IntegrityFailure:
                unreadable.append(name)
                continue
            files[key_id] = files.get(key_id, 0) + 1
        with self._unit_of_work.read() as tx:
            values = tx.sealed.count()
        known = self._keys.master_keys()
        made = {one.id: one.made_at for one in known}
        lost = sorted({*files, *values} - set(made))
        uses = (
            KeyUse(
                id=one,
                made_at=made.get(one),
                is_newest=one == known[-1].id,
                is_known=one in made,
                files=files.get(one, 0),
                values=values.get(one, 0),
            )
            for one in [*lost, *made]
        )
        return Survey(keys=tuple(uses), unreadable=tuple(unreadable))

    def rotate(self, *, person: str, reason: str) -> str:
        """Return the id of a fresh master key, under which everything is sealed from now on.

        Raises:
            InvalidInput: a person or a reason is missing.
            Unavailable: the keys cannot be written.
        """
        _check_said(person, reason)
        key_id = secrets.token_hex(4)
        self._record("keys.rotated", key_id, person, reason, {})
        self._keys.add(key_id, at=self._clock.now())
        # Only once the file has it: killed before, the next start remembers it.
        with self._unit_of_work.begin() as tx:
            tx.sealed.remember_newest(key_id)
            tx.commit_unrecorded()
        return key_id

    def rewrap(self, *, person: str, reason: str) -> Rewrapped:
        """Return what is now under the newest master key and was not; what is already, stays.

        A vault file that is damaged, or under a key that is not known, is named and holds up none.

        Raises:
            InvalidInput: a person or a reason is missing.
            IntegrityFailure: a value of the database is under a key that is not known.
            Unavailable: vault or database do not answer: go on later.
        """
        _check_said(person, reason)
        newest = self._keys.master_keys()[-1].id
        values, place = 0, ""
        while True:
            with self._unit_of_work.begin() as tx:
                changed, place = tx.sealed.rewrap(place, _PAGE)
                tx.commit_unrecorded()
            values += changed
            if not place:
                break
        files, unchecked, unreadable = 0, list[str](), list[str]()
        for name in self._vault.names():
            try:
                if self._vault.rewrap(name):
                    files += 1
                    unchecked.append(name)
            except NotFound:
                continue  # destroyed meanwhile
            except IntegrityFailure:
                unreadable.append(name)
            if len(unchecked) == _PAGE:
                self._destroy_needless(unchecked)
                unchecked = []
        self._destroy_needless(unchecked)
        counts = {"files": files, "values": values, "unreadable": len(unreadable)}
        self._record("keys.rewrapped", newest, person, reason, counts)
        return Rewrapped(key=newest, files=files, values=values, unreadable=tuple(unreadable))

    def _destroy_needless(self, names: list[str]) -> None:
        """Destroy what was destroyed while it was wrapped again, and so came back.

        Nothing is destroyed beside this: the lock is the one under which that is done.
        """
        with self._unit_of_work.begin() as tx:
            tx.events.offset()
            for name in tx.evidence.needless(names):
                self._vault.destroy_named(name)

    def retire(
        self, key_id: str, *, person: str, reason: str, despite_unreadable: bool = False
    ) -> None:
        """Take a master key out for good; what was copied while it was in use opens no more.

        Args:
            key_id: the key.
            person: who does this.
            reason: why.
            despite_unreadable: also where vault files are damaged: a whole copy of them, in a
                backup, may need this key.

        Raises:
            InvalidInput: a person or a reason is missing.
            NotFound: there is none with this id.
            Conflict: it is the newest, something still needs it, or may from before the rotation.
        """
        _check_said(person, reason)
        survey = self.status()
        found = next((one for one in survey.keys if one.id == key_id and one.is_known), None)
        if found is None:
            raise NotFound(f"no master key {key_id}", hint="`nightlight keys status`")
        if found.is_newest:
            raise Conflict("that is the master key in use", hint="rotate first")
        newest = self._keys.master_keys()[-1]
        if newest.made_at is not None and self._clock.now() - newest.made_at < _SETTLED:
            raise Conflict(
                "the newest key is younger than an hour: somebody may still seal under the old one",
                hint="try again later",
            )
        if found.files or found.values:
            raise Conflict(
                f"{found.files} files and {found.values} values are still under it",
                hint="`nightlight keys rewrap` first",
            )
        damaged = len(survey.unreadable)
        if damaged and not despite_unreadable:
            raise Conflict(
                f"{damaged} vault files are damaged, and their copies in backups may need this key",
                hint="restore them (`nightlight keys status` names them) and rewrap,"
                " or --despite-unreadable",
            )
        self._record("keys.retired", key_id, person, reason, {"unreadable": damaged})
        self._keys.remove(key_id)

    def _record(
        self, action: str, key_id: str, person: str, reason: str, detail: dict[str, int]
    ) -> None:
        with self._unit_of_work.begin() as tx:
            tx.commit(
                AuditEntry(
                    actor=person,
                    action=action,
                    subject=f"master key {key_id}",
                    reason=reason,
                    detail={**detail},
                )
            )


def _check_said(person: str, reason: str) -> None:
    check_is_person(person, field="by")
    if not reason.strip():
        raise InvalidInput("changing keys needs a reason", field="reason")
