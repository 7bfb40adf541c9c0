"""The handle that web, worker and command line get: everything Nightlight can be asked to do."""

from collections.abc import Callable

from msgspec import Struct

from nightlight.audit.clock import Clock
from nightlight.pipeline import Pipeline
from nightlight.preserve.vault import Vault
from nightlight.report.ports import CyberTipline
from nightlight.services.banks import Banks
from nightlight.services.deadlines import Deadlines
from nightlight.services.delivery import Dispatcher
from nightlight.services.destroying import Destroying
from nightlight.services.early_destruction import EarlyDestruction
from nightlight.services.evidence import EvidenceDesk
from nightlight.services.exchanges import Exchanges
from nightlight.services.export import Exports
from nightlight.services.filing import Filers
from nightlight.services.holds import Holds
from nightlight.services.hunts import Hunts
from nightlight.services.kept_posts import KeptPosts
from nightlight.services.keys import Keys
from nightlight.services.lexicons import Lexicons
from nightlight.services.lists import Lists
from nightlight.services.matching import Matcher
from nightlight.services.offers import Offers
from nightlight.services.processing import Processor
from nightlight.services.record import Record
from nightlight.services.report_decisions import ReportDecisions
from nightlight.services.requests import Requests
from nightlight.services.retention import Retention
from nightlight.services.review import Review
from nightlight.services.rules import CurrentRules
from nightlight.services.screening import Screening
from nightlight.services.sealing import Sealing
from nightlight.services.statements import Statements
from nightlight.services.suggestions import Suggestions
from nightlight.services.tip_desk import TipDesk
from nightlight.settings import Settings
from nightlight.transaction import UnitOfWork


class Services(Struct, frozen=True, kw_only=True):
    """What Nightlight can do, built once by ``bootstrap``.

    Attributes:
        prepare: begins to start what takes seconds to start, and returns at once.
        dispatcher: None where no platform is configured.
        statements: None where no database of statements of reasons is configured.
        filer: None where no place to file tips is configured.
        cybertipline: None where no CyberTipline is configured.
    """

    settings: Settings
    clock: Clock
    unit_of_work: UnitOfWork
    prepare: Callable[[], None]
    pipeline: Pipeline
    processor: Processor
    matcher: Matcher
    rules: CurrentRules
    screening: Screening
    vault: Vault
    sealing: Sealing
    evidence: EvidenceDesk
    exports: Exports
    holds: Holds
    keys: Keys
    retention: Retention
    destroying: Destroying
    early_destruction: EarlyDestruction
    kept_posts: KeptPosts
    requests: Requests
    review: Review
    report_decisions: ReportDecisions
    lists: Lists
    lexicons: Lexicons
    suggestions: Suggestions
    offers: Offers
    banks: Banks
    exchanges: Exchanges
    hunts: Hunts
    record: Record
    dispatcher: Dispatcher | None
    deadlines: Deadlines
    statements: Statements | None
    tip_desk: TipDesk
    filer: Filers | None
    cybertipline: CyberTipline | None
