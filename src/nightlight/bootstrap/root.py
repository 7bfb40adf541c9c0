"""Everything connected: settings in, services out."""

from time import sleep

from sqlalchemy import Engine

from nightlight.adapters.clock import SystemClock
from nightlight.adapters.exchange_http import leads_outside
from nightlight.adapters.exchanges import Connector
from nightlight.adapters.media_source import ConfiguredMediaSource
from nightlight.adapters.package_age import AgePacker
from nightlight.adapters.sql.database import SqlUnitOfWork, open_engine
from nightlight.audit.clock import Clock
from nightlight.bootstrap.filing import (
    build_cybertipline,
    build_filers,
    build_live_schema,
    line_of,
)
from nightlight.bootstrap.parts import (
    build_blobs,
    build_dispatcher,
    build_record,
    build_screening,
    build_statements,
    open_keys,
)
from nightlight.bootstrap.tools import build_hasher
from nightlight.exchange.apis import offered
from nightlight.ingest.media import MediaIntake
from nightlight.pipeline import Pipeline
from nightlight.preserve.package import SigningKey
from nightlight.preserve.seal import Sealer
from nightlight.preserve.vault import Vault
from nightlight.services import Services
from nightlight.services.banks import Banks
from nightlight.services.deadlines import Deadlines
from nightlight.services.destroying import Destroying
from nightlight.services.drafting import Drafting
from nightlight.services.early_destruction import EarlyDestruction
from nightlight.services.evidence import EvidenceDesk
from nightlight.services.exchanges import Exchanges
from nightlight.services.export import Exports
from nightlight.services.filing import StoredTips, VaultMedia
from nightlight.services.flood import KnownEntries
from nightlight.services.holds import Holds
from nightlight.services.hunts import Hunts
from nightlight.services.kept_posts import KeptPosts
from nightlight.services.keys import Keys
from nightlight.services.lexicons import Lexicons
from nightlight.services.lists import Lists
from nightlight.services.matching import Matcher
from nightlight.services.offers import Offers
from nightlight.services.processing import Processor
from nightlight.services.report_decisions import ReportDecisions
from nightlight.services.requests import Requests
from nightlight.services.retention import Retention
from nightlight.services.review import Review
from nightlight.services.rules import CurrentRules
from nightlight.services.sealed_machines import SealedMachines
from nightlight.services.sealing import Sealing
from nightlight.services.suggestions import Suggestions
from nightlight.services.tip_desk import TipDesk
from nightlight.settings import Settings


def build_services(settings: Settings, *, clock: Clock | None = None) -> Services:
    """Return everything, connected; the database is at its newest schema.

    Args:
        settings: what the operator set.
        clock: tells the time in place of the machine's, for years that are only simulated.

    Raises:
        InvalidInput: the settings name something that cannot be used.
        Unavailable: the database does not answer.
    """
    clock = clock or SystemClock()
    engine: Engine = open_engine(settings.database_url)
    keys = open_keys(settings, engine)
    line = line_of(settings)
    unit_of_work = SqlUnitOfWork(engine=engine, clock=clock, keys=keys, line=line)
    vault = Vault(blobs=build_blobs(settings, clock, unit_of_work), keys=keys)
    sealing = Sealing(unit_of_work=unit_of_work, vault=vault)
    matcher = Matcher(unit_of_work=unit_of_work, clock=clock, snapshots=settings.index_directory)
    rules = CurrentRules(unit_of_work=unit_of_work, matcher=matcher)
    source = ConfiguredMediaSource(
        root=settings.media_root, origins=settings.media_origins, spool=settings.home
    )
    hasher = build_hasher(is_fast=settings.fast_hashing)
    intake = MediaIntake(
        source=source,
        hasher=hasher,
        wanted=rules.matches,
        seal=sealing.seal_file,
    )
    sealer = Sealer(vault=vault, clock=clock)
    pipeline = Pipeline(
        unit_of_work=unit_of_work,
        rules=rules,
        intake=intake,
        sealer=sealer,
        clock=clock,
    )
    cybertipline = build_cybertipline(settings)
    schema = build_live_schema(settings, cybertipline, clock)
    drafting = Drafting(
        platform_name=settings.platform_name,
        classify=settings.report_classification,
        machines=SealedMachines(unit_of_work=unit_of_work, vault=vault),
        platform_country=settings.platform_country,
    )
    banks = Banks(
        unit_of_work=unit_of_work,
        clock=clock,
        id_key=keys.naming_key(),
        known=KnownEntries(matcher, unit_of_work=unit_of_work),
    )
    lexicons = Lexicons(
        unit_of_work=unit_of_work,
        clock=clock,
        id_key=keys.naming_key(),
        one_person=settings.one_person_lists,
    )
    destroying = Destroying(unit_of_work=unit_of_work, vault=vault, clock=clock)
    return Services(
        settings=settings,
        clock=clock,
        unit_of_work=unit_of_work,
        prepare=hasher.sandbox.start,
        pipeline=pipeline,
        processor=Processor(pipeline=pipeline),
        matcher=matcher,
        rules=rules,
        screening=build_screening(
            settings, unit_of_work, clock, matcher, sealing, own=source, hasher=hasher
        ),
        vault=vault,
        sealing=sealing,
        keys=Keys(unit_of_work=unit_of_work, keys=keys, vault=vault, clock=clock),
        exports=Exports(
            unit_of_work=unit_of_work,
            vault=vault,
            packer=AgePacker(),
            key=SigningKey(keys.audit_key()),
            clock=clock,
        ),
        holds=Holds(unit_of_work=unit_of_work, clock=clock),
        retention=Retention(unit_of_work=unit_of_work, destroying=destroying, clock=clock),
        destroying=destroying,
        early_destruction=EarlyDestruction(
            unit_of_work=unit_of_work, destroying=destroying, clock=clock
        ),
        kept_posts=KeptPosts(
            unit_of_work=unit_of_work, sealer=sealer, fetch=intake.seal_now, clock=clock
        ),
        requests=Requests(unit_of_work=unit_of_work, clock=clock),
        evidence=EvidenceDesk(unit_of_work=unit_of_work, vault=vault, clock=clock),
        review=Review(
            unit_of_work=unit_of_work,
            clock=clock,
            drafting=drafting,
        ),
        report_decisions=ReportDecisions(unit_of_work=unit_of_work, clock=clock),
        lists=Lists(unit_of_work=unit_of_work, clock=clock, lexicons=lexicons),
        lexicons=lexicons,
        suggestions=Suggestions(unit_of_work=unit_of_work, clock=clock, lexicons=lexicons),
        banks=banks,
        exchanges=Exchanges(
            unit_of_work=unit_of_work,
            clock=clock,
            updates=banks,
            connect=Connector(clock=clock, pause=sleep),
            apis=offered(sample=settings.hma_test_hooks),
            id_key=keys.naming_key(),
            leads_outside=leads_outside,
        ),
        offers=Offers(unit_of_work=unit_of_work, clock=clock),
        hunts=Hunts(unit_of_work=unit_of_work, clock=clock, pipeline=pipeline, matcher=matcher),
        record=build_record(settings, unit_of_work, clock, keys.audit_key()),
        dispatcher=build_dispatcher(settings, unit_of_work, clock),
        deadlines=Deadlines(unit_of_work=unit_of_work, clock=clock),
        statements=build_statements(settings, unit_of_work, clock),
        tip_desk=TipDesk(
            unit_of_work=unit_of_work,
            clock=clock,
            reporter=settings.reporter,
            drafting=drafting,
            schema=schema,
        ),
        filer=build_filers(
            settings,
            StoredTips(unit_of_work=unit_of_work, clock=clock, drafting=drafting),
            VaultMedia(vault=vault, unit_of_work=unit_of_work),
            line=(cybertipline, schema) if cybertipline and schema else None,
            key=keys.audit_key(),
            clock=clock,
        ),
        cybertipline=cybertipline,
    )
