"""The rules in force: detectors over the operator's lists, and the active policy, compiled."""

from importlib.resources import files

from nightlight.decide.evaluate import Judge
from nightlight.decide.policy import Policy, parse_policy
from nightlight.detect.delete_repost import DeleteRepost
from nightlight.detect.detector import Detector
from nightlight.detect.hash_match import BankIndex, HashMatch
from nightlight.detect.scan_health import ScanHealth
from nightlight.detect.term_match import TermMatch
from nightlight.detect.user_report import UserReport
from nightlight.model.media import MediaHashes
from nightlight.model.signal import Fact
from nightlight.pipeline import Rules
from nightlight.transaction import Transaction, UnitOfWork


def default_policy() -> bytes:
    """Return the policy file that holds until the operator activates another."""
    return files("nightlight.decide").joinpath("default_policy.toml").read_bytes()


def active_policy(tx: Transaction) -> Policy:
    """Return the policy in force."""
    return parse_policy(tx.policies.active() or default_policy())


def build_detectors(index: BankIndex, terms: TermMatch) -> tuple[Detector, ...]:
    """Return every detector, over these lists."""
    return (HashMatch(index=index), ScanHealth(), terms, DeleteRepost(), UserReport())


def declared_facts() -> list[tuple[str, dict[str, Fact]]]:
    """Return the facts that each detector declares, by detector name."""
    detectors = build_detectors(BankIndex(()), TermMatch(()))
    return [(detector.name, dict(detector.facts)) for detector in detectors]


class CurrentRules:
    """Answers with the rules in force; lists and policy are read again when they changed."""

    def __init__(self, *, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work
        self._version: tuple[int, int, int] | None = None
        self._index = BankIndex(())
        self._rules: Rules | None = None

    def __call__(self) -> Rules:
        """Return the rules in force now."""
        with self._unit_of_work.read() as tx:
            version = tx.lists_version()
            if self._rules is None or version != self._version:
                self._rules = self._read(tx)
                self._version = version
        return self._rules

    def matches(self, hashes: MediaHashes) -> bool:
        """Return whether any bank entry matches these hashes, as of the newest ``__call__``."""
        if self._rules is None:
            self()
        return bool(self._index.match(hashes))

    def _read(self, tx: Transaction) -> Rules:
        self._index = BankIndex(tx.banks.all())
        detectors = build_detectors(self._index, TermMatch(tx.lexicons.all()))
        judge = Judge(
            policy=active_policy(tx), detectors_facts=[detector.facts for detector in detectors]
        )
        return Rules(detectors=detectors, judge=judge)
