"""The rules in force: detectors over the operator's lists, and the active policy, compiled."""

from functools import lru_cache
from importlib.resources import files

from nightlight.decide.evaluate import Judge
from nightlight.decide.policy import Policy, parse_policy
from nightlight.detect.bank_index import BankIndex
from nightlight.detect.behaviour import Behaviour
from nightlight.detect.delete_repost import DeleteRepost
from nightlight.detect.detector import Detector
from nightlight.detect.hash_match import HashMatch
from nightlight.detect.offer import Offer
from nightlight.detect.offer_weights import OfferWeights
from nightlight.detect.returning import Returning
from nightlight.detect.scan_health import ScanHealth
from nightlight.detect.term_finder import TermFinder
from nightlight.detect.term_match import TermMatch
from nightlight.detect.user_report import UserReport
from nightlight.model.media import MediaHashes
from nightlight.model.signal import Fact
from nightlight.pipeline import Rules
from nightlight.services.matching import Matcher
from nightlight.services.offers import active_weights
from nightlight.transaction import Transaction, UnitOfWork


def default_policy() -> bytes:
    """Return the policy file that holds until the operator activates another."""
    return files("nightlight.decide").joinpath("default_policy.toml").read_bytes()


#: The same file says the same: it is read once.
_parsed = lru_cache(maxsize=4)(parse_policy)


def active_policy(tx: Transaction) -> Policy:
    """Return the policy in force."""
    return _parsed(tx.policies.active() or default_policy())


def build_detectors(
    index: BankIndex, terms: TermFinder, weights: OfferWeights | None = None
) -> tuple[Detector, ...]:
    """Return every detector, over these lists; without ``weights`` the shipped ones count."""
    return (
        HashMatch(index=index),
        ScanHealth(),
        TermMatch(terms),
        Offer(terms, weights),
        DeleteRepost(),
        Returning(),
        Behaviour(),
        UserReport(),
    )


def declared_facts() -> list[tuple[str, dict[str, Fact]]]:
    """Return the facts that each detector declares, by detector name."""
    detectors = build_detectors(BankIndex(()), TermFinder(()))
    return [(detector.name, dict(detector.facts)) for detector in detectors]


class CurrentRules:
    """Answers with the rules in force; lists and policy are read again when they changed."""

    def __init__(self, *, unit_of_work: UnitOfWork, matcher: Matcher) -> None:
        """Keep the parts."""
        self._unit_of_work = unit_of_work
        self._matcher = matcher
        self._version: tuple[int, int] | None = None
        self._rules: Rules | None = None
        self._index: BankIndex | None = None

    def __call__(self) -> Rules:
        """Return the rules in force now, with all that the lists hold."""
        rules = self.advance()
        while not self.is_whole:
            rules = self.advance()
        return rules

    @property
    def is_whole(self) -> bool:
        """Whether the rules go by all that the lists hold, and lack no piece of a large change."""
        return self._matcher.is_whole

    def advance(self) -> Rules:
        """Return the rules in force now, with a piece more of a large change than before."""
        with self._unit_of_work.read() as tx:
            index = self._matcher.advance(tx)
            _, *others = tx.lists_version()
            version = (others[0], others[1])
            # The index is changed in place: new entries need no new rules.
            if self._rules is None or version != self._version or index is not self._index:
                self._rules = self._read(tx, index)
                self._version, self._index = version, index
        return self._rules

    def matches(self, hashes: MediaHashes) -> bool:
        """Return whether any bank entry matches these hashes, as of the newest ``__call__``."""
        return bool(self._matcher.match(hashes))

    def _read(self, tx: Transaction, index: BankIndex) -> Rules:
        detectors = build_detectors(index, TermFinder(tx.lexicons.all()), active_weights(tx))
        judge = Judge(
            policy=active_policy(tx), detectors_facts=[detector.facts for detector in detectors]
        )
        return Rules(detectors=detectors, judge=judge)
