"""Keys, vault, record, platform: what the settings ask for, built from adapters."""

from datetime import timedelta

from sqlalchemy import Engine

from nightlight.adapters.anchors_file import FileAnchorStore
from nightlight.adapters.checkpoint_places import CheckpointAddress, CheckpointFolder
from nightlight.adapters.dsa_http import HttpStatementDatabase
from nightlight.adapters.keyring_file import FileKeyRing, KeyCover, PlainCover, cover_file
from nightlight.adapters.keyring_kms import TransitCover
from nightlight.adapters.media_source import ConfiguredMediaSource
from nightlight.adapters.media_source_public import PublicMediaSource
from nightlight.adapters.platform_http import HttpPlatform
from nightlight.adapters.spool import Spool, SpooledFile
from nightlight.adapters.sql.database import migrate
from nightlight.adapters.sql.whose_keys import check_keys, check_unsealed, remember_keys
from nightlight.adapters.state_file import StateFile
from nightlight.adapters.vault_directory import DirectoryBlobStore
from nightlight.adapters.vault_s3 import Bucket, S3BlobStore
from nightlight.audit.clock import Clock
from nightlight.enforce.outbox import OutboxOptions
from nightlight.errors import InvalidInput, NotPermitted
from nightlight.ingest.ports import Hasher
from nightlight.preserve.ports import BlobStore
from nightlight.services.delivery import Dispatcher
from nightlight.services.matching import Matcher
from nightlight.services.record import CheckpointDestination, Record
from nightlight.services.record_notes import Published, Verified
from nightlight.services.screening import Screening
from nightlight.services.sealing import Sealing
from nightlight.services.statements import Statements, note_statements
from nightlight.settings import Settings
from nightlight.transaction import UnitOfWork

#: The largest file that is taken in to be screened.
_LARGEST_UPLOAD = 1 << 30
#: A file that is still being sealed is younger.
_PARTIAL_KEPT = timedelta(days=1)


def build_blobs(settings: Settings, clock: Clock, unit_of_work: UnitOfWork) -> BlobStore:
    """Return where sealed bytes lie: the configured bucket, or a folder under the home."""

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


def open_keys(settings: Settings, engine: Engine) -> FileKeyRing:
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


def build_record(settings: Settings, unit_of_work: UnitOfWork, clock: Clock, key: bytes) -> Record:
    """Return the record, published where the settings say."""
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


def build_screening(
    settings: Settings,
    unit_of_work: UnitOfWork,
    clock: Clock,
    matcher: Matcher,
    sealing: Sealing,
    *,
    own: ConfiguredMediaSource,
    hasher: Hasher,
) -> Screening:
    """Return what screens single files before they are shown."""
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
        seal=sealing.seal_file,
        receive=lambda: Spool(max_bytes=_LARGEST_UPLOAD, folder=settings.home),
    )


def build_dispatcher(
    settings: Settings, unit_of_work: UnitOfWork, clock: Clock
) -> Dispatcher | None:
    """Return what delivers effects, None where no platform is configured."""
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


def build_statements(
    settings: Settings, unit_of_work: UnitOfWork, clock: Clock
) -> Statements | None:
    """Return what publishes statements of reasons, None where no database is configured."""
    if settings.statements is None:
        return None
    database = HttpStatementDatabase(
        url=settings.statements.url,
        token=str(settings.statements.token),
        options=settings.statements.options,
        timeout_s=settings.statements.timeout_s,
    )
    return Statements(unit_of_work=unit_of_work, database=database, clock=clock)
