"""Lists and the policy come in; the record says who brought them, never what is in.

How lexicons change is ``services.lexicons``, hash banks are ``services.banks``.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from nightlight.audit.clock import Clock
from nightlight.decide.evaluate import Judge
from nightlight.decide.policy import Policy, parse_policy
from nightlight.errors import InvalidInput
from nightlight.exchange.ports import ListSummary
from nightlight.model.audit import AuditEntry
from nightlight.model.bank import EntryState
from nightlight.report.threshold import compiled
from nightlight.services.lexicons import Imported, Lexicons
from nightlight.services.report_decisions import check_versioned, flips
from nightlight.services.rules import declared_facts
from nightlight.transaction import UnitOfWork, let_nothing_be_destroyed


class Lists:
    """Imports and withdraws lexicons at once, counts lists, and activates policies."""

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock, lexicons: Lexicons) -> None:
        """Keep the parts."""
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._lexicons = lexicons

    def import_lexicon(
        self, name: str, lines: Iterable[str], *, actor: str, reason: str
    ) -> Imported:
        """Return what one person added to the lexicon; running processes use it at once.

        What is stored already is hunted for the new terms.

        Raises:
            NotPermitted: more than one person is known here.
        """
        return self._lexicons.import_alone(name, lines, actor=actor, reason=reason)

    def remove_lexicon(self, name: str, *, actor: str, reason: str) -> int:
        """Return how many terms the lexicon held that one person withdrew.

        Raises:
            NotFound: there is no such lexicon.
            NotPermitted: more than one person is known here.
        """
        return self._lexicons.withdraw_alone(name, actor=actor, reason=reason)

    def summaries(self) -> tuple[list[ListSummary], list[ListSummary]]:
        """Return what may be shown of banks and lexicons."""
        with self._unit_of_work.read() as tx:
            banks = [
                ListSummary(
                    name=one.bank.name,
                    entries=sum(one.entries.values()) - one.entries.get(EntryState.WITHDRAWN, 0),
                    updated_at=one.updated_at,
                )
                for one in tx.banks.summaries()
            ]
            return banks, tx.lexicons.summaries()

    def activate_policy(self, body: bytes, *, actor: str, reason: str) -> Policy:
        """Return the policy now in force.

        The record says how many account actions its threshold would decide otherwise; none is.

        Raises:
            InvalidInput: the policy is wrong, or its threshold differs from an earlier one of the
                same name and version; the policy before stays in force.
        """
        policy = check_policy(body)
        now = self._clock.now()
        with self._unit_of_work.read() as tx:
            check_versioned(tx, policy.reporting)
            # Looks at every account action: nothing that is judged waits for it.
            found = list(flips(tx, policy.reporting))
            reportable = sum(one.is_reportable for one in found)
            for_a_person = sum(one.asks_a_person for one in found)
        with self._unit_of_work.begin() as tx:
            let_nothing_be_destroyed(tx)  # it may keep evidence longer
            check_versioned(tx, policy.reporting)
            tx.report_decisions.keep_threshold(policy.reporting, at=now)
            tx.policies.activate(policy.version, body, at=now)
            tx.commit(
                AuditEntry(
                    actor=actor,
                    action="policy.activated",
                    subject=policy.version,
                    reason=reason,
                    policy_version=policy.version,
                    detail={
                        "rules": len(policy.rules),
                        "threshold": policy.reporting.full_name,
                        "now_reportable": reportable,
                        "now_for_a_person": for_a_person,
                        "no_longer_reportable": len(found) - reportable - for_a_person,
                    },
                )
            )
        return policy


def check_policy(body: bytes) -> Policy:
    """Return the policy if every rule compiles against the declared facts, and its threshold.

    Raises:
        InvalidInput: it does not.
    """
    policy = parse_policy(body)
    Judge(policy=policy, detectors_facts=[facts for _, facts in declared_facts()])
    compiled(policy.reporting)
    return policy


def read_list(path: Path) -> list[str]:
    """Return the lines of a list file.

    Raises:
        InvalidInput: the file cannot be read as text.
    """
    return list(stream_list(path))


def stream_list(path: Path) -> Iterator[str]:
    """Yield the lines of a list file, however many, without keeping them.

    Raises:
        InvalidInput: the file cannot be read as text.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            for line in file:
                yield line.removesuffix("\n")
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", field=str(path)) from error
    except UnicodeDecodeError as error:
        raise InvalidInput("not a UTF-8 text file", field=str(path)) from error
