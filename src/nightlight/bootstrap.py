"""The composition root: settings in, services out. The only place that names adapters."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from time import sleep

from sqlalchemy import Engine

from nightlight.adapters import package_age
from nightlight.adapters.anchors_file import FileAnchorStore
from nightlight.adapters.checkpoint_places import CheckpointAddress, CheckpointFolder
from nightlight.adapters.clock import SystemClock
from nightlight.adapters.cybertipline import HttpCyberTipline
from nightlight.adapters.dsa_http import HttpStatementDatabase
from nightlight.adapters.exchange_http import leads_outside
from nightlight.adapters.exchanges import Connector
from nightlight.adapters.keyring_file import FileKeyRing, KeyCover, PlainCover, cover_file
from nightlight.adapters.keyring_kms import TransitCover
from nightlight.adapters.media_download import DownloadLimits
from nightlight.adapters.media_source import ConfiguredMediaSource
from nightlight.adapters.media_source_public import PublicMediaSource
from nightlight.adapters.package_age import AgePacker
from nightlight.adapters.package_box import DirectoryPackageBox
from nightlight.adapters.platform_http import HttpPlatform
from nightlight.adapters.sandbox import Sandbox
from nightlight.adapters.sandbox_hasher import SandboxedHasher
from nightlight.adapters.sandbox_walls import Wall
from nightlight.adapters.schema_file import FileSchemaCache
from nightlight.adapters.spool import Spool, SpooledFile
from nightlight.adapters.sql.database import SqlUnitOfWork, migrate, open_engine
from nightlight.adapters.sql.whose_keys import check_keys, check_unsealed, remember_keys
from nightlight.adapters.state_file import StateFile
from nightlight.adapters.vault_directory import DirectoryBlobStore
from nightlight.adapters.vault_s3 import Bucket, S3BlobStore
from nightlight.audit.clock import Clock
from nightlight.enforce.outbox import OutboxOptions
from nightlight.errors import InvalidInput, NotPermitted
from nightlight.exchange.apis import offered
from nightlight.ingest.media import MediaIntake
from nightlight.ingest.ports import Hasher
from nightlight.model.cybertip import Destination
from nightlight.model.media import Scan
from nightlight.pipeline import Pipeline
from nightlight.preserve.package import Contents, Manifest, SigningKey
from nightlight.preserve.ports import BlobStore
from nightlight.preserve.seal import Sealer
from nightlight.preserve.vault import Vault
from nightlight.report.live_schema import LiveSchema
from nightlight.report.pack import PackageFiler
from nightlight.report.ports import TipFiler
from nightlight.report.submit import Filer
from nightlight.services import Services
from nightlight.services.banks import Banks
from nightlight.services.deadlines import Deadlines
from nightlight.services.delivery import Dispatcher
from nightlight.services.drafting import Drafting
from nightlight.services.evidence import EvidenceDesk
from nightlight.services.exchanges import Exchanges
from nightlight.services.export import Exports
from nightlight.services.filing import Filers, StoredTips, VaultMedia
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
from nightlight.services.record import CheckpointDestination, Published, Record, Verified
from nightlight.services.report_decisions import ReportDecisions
from nightlight.services.requests import Requests
from nightlight.services.retention import Retention
from nightlight.services.review import Review
from nightlight.services.rules import CurrentRules
from nightlight.services.screening import Screening
from nightlight.services.statements import Statements, note_statements
from nightlight.services.suggestions import Suggestions
from nightlight.services.tip_desk import TipDesk
from nightlight.settings import Settings
from nightlight.transaction import UnitOfWork

_CHUNK = 1 << 20

#: The largest file that is taken in to be screened.
_LARGEST_UPLOAD = 1 << 30
#: A file that is still being sealed is younger.
_PARTIAL_KEPT = timedelta(days=1)


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
    keys = _keys_of(settings, engine)
    unit_of_work = SqlUnitOfWork(engine=engine, clock=clock, keys=keys)
    vault = Vault(blobs=_blobs(settings, clock, unit_of_work), keys=keys)
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
        seal=vault.seal_file,
    )
    sealer = Sealer(vault=vault, clock=clock)
    pipeline = Pipeline(
        unit_of_work=unit_of_work,
        rules=rules,
        intake=intake,
        sealer=sealer,
        clock=clock,
    )
    cybertipline = _cybertipline(settings)
    schema = _live_schema(settings, cybertipline, clock)
    drafting = Drafting(
        platform_name=settings.platform_name,
        classify=settings.report_classification,
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
    return Services(
        settings=settings,
        clock=clock,
        unit_of_work=unit_of_work,
        prepare=hasher.sandbox.start,
        pipeline=pipeline,
        processor=Processor(pipeline=pipeline),
        matcher=matcher,
        rules=rules,
        screening=_screening(
            settings, unit_of_work, clock, matcher, vault, own=source, hasher=hasher
        ),
        vault=vault,
        keys=Keys(unit_of_work=unit_of_work, keys=keys, vault=vault, clock=clock),
        exports=Exports(
            unit_of_work=unit_of_work,
            vault=vault,
            packer=AgePacker(),
            key=SigningKey(keys.audit_key()),
            clock=clock,
        ),
        holds=Holds(unit_of_work=unit_of_work, clock=clock),
        retention=Retention(unit_of_work=unit_of_work, vault=vault, clock=clock),
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
        record=_record(settings, unit_of_work, clock, keys.audit_key()),
        dispatcher=_dispatcher(settings, unit_of_work, clock),
        deadlines=Deadlines(unit_of_work=unit_of_work, clock=clock),
        statements=_statements(settings, unit_of_work, clock),
        tip_desk=TipDesk(
            unit_of_work=unit_of_work,
            clock=clock,
            reporter=settings.reporter,
            drafting=drafting,
            schema=schema,
        ),
        filer=_filers(
            settings,
            StoredTips(unit_of_work=unit_of_work, clock=clock, drafting=drafting),
            VaultMedia(vault=vault, unit_of_work=unit_of_work),
            line=(cybertipline, schema) if cybertipline and schema else None,
            key=keys.audit_key(),
            clock=clock,
        ),
        cybertipline=cybertipline,
    )


def cover_keys(settings: Settings) -> str:
    """Let the configured key service cover the key file, whose keys were in clear; return its name.

    Raises:
        InvalidInput: no key service is configured, or the key file is covered already.
        Unavailable: the key service does not answer; the file is as it was.
    """
    cover = _cover(settings)
    if isinstance(cover, PlainCover):
        raise InvalidInput("no key service is configured", field="NIGHTLIGHT_KMS_URL")
    cover_file(settings.keys_file, before=PlainCover(), after=cover)
    return cover.name


def _blobs(settings: Settings, clock: Clock, unit_of_work: UnitOfWork) -> BlobStore:
    def may_be_new() -> bool:
        """Return whether the database knows of no evidence that is kept."""
        with unit_of_work.read() as tx:
            return not tx.evidence.sealed_before(clock.now(), after="", limit=1)

    bucket = settings.vault_bucket
    if bucket is None:
        folder = DirectoryBlobStore(settings.vault_directory, may_be_new=may_be_new)
        folder.discard_partial(before=clock.now() - _PARTIAL_KEPT)
        return folder
    return S3BlobStore(
        Bucket(
            name=bucket.name,
            prefix=bucket.prefix,
            endpoint=bucket.endpoint,
            region=bucket.region,
            access_key=bucket.access_key,
            secret_key=str(bucket.secret_key),
        ),
        may_be_new=may_be_new,
    )


def _cover(settings: Settings) -> KeyCover:
    service = settings.key_service
    if service is None:
        return PlainCover()
    return TransitCover(url=service.url, key=service.key, token=str(service.token))


def _keys_of(settings: Settings, engine: Engine) -> FileKeyRing:
    """Return the keys of the home, to which the database belongs, at its newest schema.

    A start that is refused here changes nothing on disk.

    Raises:
        InvalidInput: what is sealed was sealed under other keys, or those are missing.
        Unavailable: the database or what covers the keys does not answer.
    """
    _check_keys_belong(settings)
    try:
        if not settings.keys_file.exists():
            check_unsealed(engine)
        keys = FileKeyRing(settings.keys_file, cover=_cover(settings))
        check_keys(engine, keys)
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        migrate(engine)
        remember_keys(engine, keys)
    except BaseException:
        engine.dispose()
        raise
    return keys


def _check_keys_belong(settings: Settings) -> None:
    """Return if there are keys, or nothing yet that was sealed under keys that are gone.

    Raises:
        InvalidInput: sealed things are here and their keys are not; new keys would hide that.
    """
    kept = (settings.vault_directory, settings.home / "nightlight.db")
    if not settings.keys_file.exists() and any(path.exists() for path in kept):
        raise InvalidInput(
            "the keys of this home are missing; what is sealed here cannot be opened without them",
            field=str(settings.keys_file),
            hint="restore the key file from its backup",
        )


def _record(settings: Settings, unit_of_work: UnitOfWork, clock: Clock, key: bytes) -> Record:
    places: list[CheckpointDestination] = []
    if settings.record.folder is not None:
        places.append(CheckpointFolder(settings.record.folder))
    if settings.record.url is not None:
        places.append(CheckpointAddress(settings.record.url, token=str(settings.record.token)))
    return Record(
        unit_of_work=unit_of_work,
        anchors=FileAnchorStore(settings.anchors_file),
        key=key,
        clock=clock,
        verified=StateFile(settings.verified_file, Verified),
        published=StateFile(settings.published_file, Published),
        origin=settings.record.origin,
        destinations=tuple(places),
    )


def _screening(
    settings: Settings,
    unit_of_work: UnitOfWork,
    clock: Clock,
    matcher: Matcher,
    vault: Vault,
    *,
    own: ConfiguredMediaSource,
    hasher: Hasher,
) -> Screening:
    public = PublicMediaSource(spool=settings.home)

    def fetch(url: str) -> SpooledFile:
        """Return a file of the operator's own places, or from any public address."""
        try:
            return own.fetch(url)
        except NotPermitted:
            if not url.lower().startswith(("http://", "https://")):
                raise
            return public.fetch(url)

    return Screening(
        unit_of_work=unit_of_work,
        clock=clock,
        matcher=matcher,
        fetch=fetch,
        hasher=hasher,
        seal=vault.seal_file,
        receive=lambda: Spool(max_bytes=_LARGEST_UPLOAD, folder=settings.home),
    )


def verify_package(path: Path, *, public: str) -> Manifest:
    """Return what a package's manifest truly says; needs no settings.

    Raises:
        InvalidInput: it cannot be read, or the key is none.
        IntegrityFailure: it is cut off or changed, or somebody else signed it.
    """
    return package_age.verify_package(path, public=public)


def open_package(path: Path, *, public: str, to: Path, identity: str, passphrase: str) -> Contents:
    """Return what a package holds, written decrypted into a new folder; needs no settings.

    Raises:
        InvalidInput: it cannot be read, the folder is there, or the identity does not open it.
        IntegrityFailure: it is cut off or changed, or somebody else signed it.
    """
    return package_age.open_package(
        path, public=public, to=to, identity=identity, passphrase=passphrase
    )


def build_clock() -> Clock:
    """Return the machine's clock; needs no settings."""
    return SystemClock()


def build_hasher(*, is_fast: bool = False) -> SandboxedHasher:
    """Return what turns bytes into hashes; needs no settings."""
    return SandboxedHasher(sandbox=Sandbox(is_fast=is_fast))


def missing_walls() -> list[str]:
    """Return what decoders of hostile files are not kept from on this machine; needs no settings.

    Raises:
        Unavailable: no decoder can be started.
    """
    sandbox = Sandbox(workers=1)
    try:
        return sorted(set(Wall) - sandbox.walls())
    finally:
        sandbox.close()


def build_file_scanner(*, for_bank: bool = False) -> Callable[[Path], Scan]:
    """Return what hashes files of this machine, as the files of events are; needs no settings.

    It raises InvalidInput where a file cannot be read. With ``for_bank``, in the views that a bank
    made from media holds.
    """
    hasher, limits = build_hasher(), DownloadLimits()

    def scan(path: Path) -> Scan:
        try:
            with path.open("rb") as file, Spool(max_bytes=limits.max_bytes) as spool:
                while part := file.read(_CHUNK):
                    spool.write(part)
                with spool.finish() as spooled:
                    return hasher.scan_file(spooled, for_bank=for_bank)
        except OSError as error:
            raise InvalidInput(f"cannot be read: {error.strerror}", field=str(path)) from error

    return scan


def _dispatcher(settings: Settings, unit_of_work: UnitOfWork, clock: Clock) -> Dispatcher | None:
    if settings.platform is None:
        return None
    platform = HttpPlatform(
        url=settings.platform.url,
        secret=str(settings.platform.secret),
        timeout_s=settings.platform.timeout_s,
    )
    return Dispatcher(
        unit_of_work=unit_of_work,
        platform=platform,
        clock=clock,
        options=OutboxOptions(),
        note=note_statements if settings.statements else None,
    )


def _statements(settings: Settings, unit_of_work: UnitOfWork, clock: Clock) -> Statements | None:
    if settings.statements is None:
        return None
    database = HttpStatementDatabase(
        url=settings.statements.url,
        token=str(settings.statements.token),
        options=settings.statements.options,
        timeout_s=settings.statements.timeout_s,
    )
    return Statements(unit_of_work=unit_of_work, database=database, clock=clock)


def _cybertipline(settings: Settings) -> HttpCyberTipline | None:
    if settings.cybertipline is None:
        return None
    return HttpCyberTipline(
        base_url=settings.cybertipline.url,
        username=settings.cybertipline.username,
        password=str(settings.cybertipline.password),
        timeout_s=settings.cybertipline.timeout_s,
    )


def _live_schema(
    settings: Settings, cybertipline: HttpCyberTipline | None, clock: Clock
) -> LiveSchema | None:
    if cybertipline is None:
        return None
    cache = FileSchemaCache(settings.schema_file)
    return LiveSchema(fetch=cybertipline.schema, clock=clock, cache=cache)


def _filers(
    settings: Settings,
    store: StoredTips,
    media: VaultMedia,
    *,
    line: tuple[HttpCyberTipline, LiveSchema] | None,
    key: bytes,
    clock: Clock,
) -> Filers | None:
    """Return what files tips with every place that is configured, None where there is none."""
    filers: list[TipFiler] = []
    if line is not None:
        destination, schema = line
        filers.append(
            Filer(
                store=store,
                destination=destination,
                media=media,
                reporter=settings.reporter,
                clock=clock,
                schema=schema,
            )
        )
    if settings.hotline is not None:
        box = DirectoryPackageBox(
            folder=settings.hotline.folder,
            recipient=settings.hotline.recipient,
            packer=AgePacker(),
            key=SigningKey(key),
            clock=clock,
        )
        filers.append(
            PackageFiler(
                store=store,
                box=box,
                media=media,
                reporter=settings.reporter,
                clock=clock,
                name=Destination.HOTLINE,
            )
        )
    return Filers(*filers) if filers else None
