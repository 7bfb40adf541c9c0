"""What the operator configured, as values with safe defaults."""

from pathlib import Path

from msgspec import Struct

from nightlight.report.reporter import Reporter
from nightlight.report.statement_document import StatementOptions


class Secret(str):
    """A string that does not show itself when printed for debugging."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<secret>"


class PlatformSettings(Struct, frozen=True, kw_only=True):
    """Where effects are delivered, in the Standard Webhooks form."""

    url: str
    secret: Secret
    timeout_s: float = 10.0


class CyberTiplineSettings(Struct, frozen=True, kw_only=True):
    """Where tips are filed."""

    url: str
    username: str
    password: Secret
    timeout_s: float = 30.0
    formerly: tuple[str, ...] = ()


class StatementSettings(Struct, frozen=True, kw_only=True):
    """Where statements of reasons are published, and what is the same in each."""

    url: str
    token: Secret
    options: StatementOptions
    timeout_s: float = 30.0


class RecordSettings(Struct, frozen=True, kw_only=True):
    """Under which name the record's checkpoints are signed, and where they are published.

    Attributes:
        origin: the name of the record, such as example.test/nightlight.
        folder, url: None where checkpoints are not published there.
        token: what the address asks for; "" for nothing.
        verify_every_minutes: how often the worker verifies what is new of the record.
        verify_whole_every_days: how often it verifies all of it.
    """

    origin: str = "nightlight"
    folder: Path | None = None
    url: str | None = None
    token: Secret = Secret("")
    verify_every_minutes: int = 60
    verify_whole_every_days: int = 7


class VaultBucketSettings(Struct, frozen=True, kw_only=True):
    """A bucket of an S3-compatible store that holds the vault.

    Attributes:
        endpoint: the store's address, "" for Amazon's own.
    """

    name: str
    prefix: str
    endpoint: str
    region: str
    access_key: str
    secret_key: Secret


class KeyServiceSettings(Struct, frozen=True, kw_only=True):
    """A key service that covers the key file, by its transit interface."""

    url: str
    key: str
    token: Secret


class HotlineSettings(Struct, frozen=True, kw_only=True):
    """Where packages for a hotline are left, and to whose key they are encrypted."""

    folder: Path
    recipient: str


class Settings(Struct, frozen=True, kw_only=True):
    """Everything the operator configured, with safe defaults.

    Attributes:
        home: where state, vault and keys live.
        database_url: SQLite under ``home`` by default.
        platform: None where no platform is configured; effects then wait in the outbox.
        cybertipline: None where none is configured; tips then wait as drafts.
        hotline: the same of a hotline that takes packages.
        vault_bucket: None where the vault is a folder under ``home``.
        key_service: None where the keys lie in clear in the key file.
        media_root: folder for relative media urls, None where none is configured.
        media_origins: origins (scheme://host:port) from which media may be fetched.
        index_directory: shared memory where processes leave each other the matching index, None
            where each is to make its own.
        fast_hashing: whether hashes may be a few bits off for less time.
        one_person_lists: whether one person may change lexicons where others are known.
        report_classification: whether tips carry a hash bank's industry classification.
        api_token: None: ``serve`` makes one and keeps it under ``home``.
        hma_api: whether HMA's REST interface is served.
        hma_test_hooks: whether tests may empty the banks, and need no token on this machine.
        record: how the record's checkpoints are signed and published.
        statements: None where no statements of reasons are published, nor made.
    """

    home: Path
    database_url: Secret
    platform_name: str
    platform_country: str
    reporter: Reporter
    platform: PlatformSettings | None = None
    cybertipline: CyberTiplineSettings | None = None
    hotline: HotlineSettings | None = None
    vault_bucket: VaultBucketSettings | None = None
    key_service: KeyServiceSettings | None = None
    media_root: Path | None = None
    media_origins: tuple[str, ...] = ()
    index_directory: Path | None = None
    fast_hashing: bool = False
    one_person_lists: bool = False
    report_classification: bool = False
    api_token: Secret | None = None
    hma_api: bool = False
    hma_test_hooks: bool = False
    record: RecordSettings = RecordSettings()
    statements: StatementSettings | None = None

    @property
    def keys_file(self) -> Path:
        """The master keys."""
        return self.home / "keys" / "keys.json"

    @property
    def token_file(self) -> Path:
        """The API token that ``serve`` made."""
        return self.home / "keys" / "api_token"

    @property
    def vault_directory(self) -> Path:
        """The sealed evidence."""
        return self.home / "vault"

    @property
    def schema_file(self) -> Path:
        """The CyberTipline's schema, as it was fetched last."""
        return self.home / "cybertipline-schema.json"

    @property
    def anchors_file(self) -> Path:
        """The chain heads kept outside the database."""
        return self.home / "audit" / "anchors.ndjson"

    @property
    def verified_file(self) -> Path:
        """How far the record was verified."""
        return self.home / "audit" / "verified.json"

    @property
    def published_file(self) -> Path:
        """Which checkpoint of the record was published last."""
        return self.home / "audit" / "published.json"
