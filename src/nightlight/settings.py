"""Settings from the environment: the only reader of it. All faults are reported together."""

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from nightlight.errors import InvalidInput
from nightlight.report.reporter import Contact, Reporter
from nightlight.report.statement_document import TERRITORIES, StatementOptions

_SHORTEST_TOKEN = 16
#: A file system in memory: what lies there never reaches a disk, but for swap.
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  nothing is written here but in a folder of our own
#: Filing with NCMEC needs NIGHTLIGHT_CYBERTIPLINE_ARMED, but for its test service.
_NCMEC = ".cybertip.org"
_DSA_PRODUCTION = "transparency.dsa.ec.europa.eu"
_LONGEST_GROUND = 500
_NCMEC_TEST_HOSTS = frozenset({"exttest.cybertip.org"})


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


#: name -> (what it does, default in words); the reference page is generated from it.
REFERENCE: Mapping[str, tuple[str, str]] = {
    "NIGHTLIGHT_HOME": ("folder of state, vault and keys", "~/.nightlight"),
    "NIGHTLIGHT_DATABASE_URL": (
        "sqlite:///FILE or postgresql://user:password@host/name",
        "SQLite in NIGHTLIGHT_HOME",
    ),
    "NIGHTLIGHT_PLATFORM_COUNTRY": (
        "two letters: the country of accounts of which nothing is told (policy: report_routes)",
        "none: they are reported where their category says",
    ),
    "NIGHTLIGHT_PLATFORM_NAME": ("the platform's name, as reports give it", "unnamed platform"),
    "NIGHTLIGHT_PLATFORM_URL": ("where effects are sent (Standard Webhooks)", "none: effects wait"),
    "NIGHTLIGHT_PLATFORM_SECRET": ("signing secret of the webhooks, whsec_<base64>", "none"),
    "NIGHTLIGHT_VAULT_URL": (
        "s3://BUCKET/PREFIX of an S3-compatible store for sealed evidence",
        "a folder in NIGHTLIGHT_HOME",
    ),
    "NIGHTLIGHT_VAULT_ENDPOINT": ("the store's address, where it is not Amazon's", "Amazon's"),
    "NIGHTLIGHT_VAULT_REGION": ("the store's region", "us-east-1"),
    "NIGHTLIGHT_VAULT_ACCESS_KEY": ("the store's access key", "none"),
    "NIGHTLIGHT_VAULT_SECRET_KEY": ("the store's secret key", "none"),
    "NIGHTLIGHT_KMS_URL": (
        "base of a key service's transit interface, such as https://bao.example.test/v1/transit",
        "none: the key file holds keys in clear",
    ),
    "NIGHTLIGHT_KMS_KEY": ("the name of its key that covers the key file", "nightlight"),
    "NIGHTLIGHT_KMS_TOKEN": ("its token", "none"),
    "NIGHTLIGHT_MEDIA_ROOT": ("folder for media urls that are relative paths", "none"),
    "NIGHTLIGHT_MEDIA_ORIGINS": (
        "origins from which media may be fetched, comma-separated, such as https://cdn.example.test",
        "none: nothing is fetched",
    ),
    "NIGHTLIGHT_FAST_HASHING": (
        "true decodes only the brightness of JPEGs: faster, and hashes are up to 4 bits off (p99)",
        "false: hashes are those of the full picture",
    ),
    "NIGHTLIGHT_INDEX_DIRECTORY": (
        "folder in shared memory for an index that processes share; none: each makes its own",
        "a private folder in /dev/shm where there is one",
    ),
    "NIGHTLIGHT_ONE_PERSON_LISTS": (
        "true lets one person change lexicons (--alone) also where others are known; doctor warns",
        "false: once another person changed a lexicon or decided a case, every change needs two",
    ),
    "NIGHTLIGHT_CYBERTIPLINE_URL": (
        "base of the CyberTipline's API, ending in /ispws",
        "none: tips wait as drafts",
    ),
    "NIGHTLIGHT_CYBERTIPLINE_USER": ("its user name", "none"),
    "NIGHTLIGHT_CYBERTIPLINE_PASSWORD": ("its password", "none"),
    "NIGHTLIGHT_CYBERTIPLINE_ARMED": (
        "true allows filing with NCMEC's production service",
        "false: only test and simulated services",
    ),
    "NIGHTLIGHT_HOTLINE_DIRECTORY": (
        "folder where packages for a hotline are left (policy: report_to)",
        "none: tips for it wait as drafts",
    ),
    "NIGHTLIGHT_HOTLINE_RECIPIENT": ("the hotline's public age key, age1...", "none"),
    "NIGHTLIGHT_REPORT_CLASSIFICATION": (
        "true passes a hash bank's industry classification (A1 to B2) on in tips",
        "false: a person classifies, or nobody",
    ),
    "NIGHTLIGHT_REPORTER_FIRST_NAME": ("first name of the person who reports", "none"),
    "NIGHTLIGHT_REPORTER_LAST_NAME": ("last name of the person who reports", "none"),
    "NIGHTLIGHT_REPORTER_EMAIL": ("e-mail address of the person who reports", "none"),
    "NIGHTLIGHT_REPORTER_PHONE": ("phone number of the person who reports", "none"),
    "NIGHTLIGHT_API_TOKEN": (
        "bearer token of the HTTP API and console",
        "made by `serve`, kept in NIGHTLIGHT_HOME/keys/api_token",
    ),
    "NIGHTLIGHT_DSA_URL": (
        "base of the DSA Transparency Database's API, ending in /api/v1",
        "none: no statements of reasons are made",
    ),
    "NIGHTLIGHT_DSA_TOKEN": ("its token", "none"),
    "NIGHTLIGHT_DSA_ARMED": (
        "true allows publishing in the production database",
        "false: only its sandbox and simulated ones",
    ),
    "NIGHTLIGHT_DSA_TERRITORIES": (
        "countries to which restrictions apply, two letters each, comma-separated",
        "the European Economic Area",
    ),
    "NIGHTLIGHT_DSA_LEGAL_GROUND": (
        "the law that statements name where a person found content to be illegal",
        "National law that transposes Directive 2011/93/EU, Articles 3 to 6",
    ),
    "NIGHTLIGHT_DSA_TERMS_GROUND": (
        "the platform's rules that statements name otherwise",
        "Rules of the platform against child sexual exploitation",
    ),
    "NIGHTLIGHT_RECORD_ORIGIN": (
        "name under which the record's checkpoints are signed, such as example.test/nightlight",
        "nightlight",
    ),
    "NIGHTLIGHT_CHECKPOINT_FOLDER": (
        "folder in which checkpoints are published as text files",
        "none: they stay in NIGHTLIGHT_HOME/audit/anchors.ndjson",
    ),
    "NIGHTLIGHT_CHECKPOINT_URL": ("address to which checkpoints are posted as plain text", "none"),
    "NIGHTLIGHT_CHECKPOINT_TOKEN": ("bearer token that the address asks for", "none"),
    "NIGHTLIGHT_VERIFY_EVERY_MINUTES": (
        "how often the worker verifies what is new of the record, 1 to 1440",
        "60",
    ),
    "NIGHTLIGHT_VERIFY_WHOLE_EVERY_DAYS": (
        "how often the worker verifies the whole record, 1 to 31",
        "7",
    ),
    "NIGHTLIGHT_HMA_API": (
        "true serves HMA's REST interface beside our own (docs/operations/hma.md)",
        "false",
    ),
    "NIGHTLIGHT_HMA_TEST_HOOKS": (
        "true lets tests of HMA's clients empty the banks, without a token, on this machine only",
        "false: never set it where there is anything to lose",
    ),
}


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in the environment.

    Raises:
        InvalidInput: one or more variables are wrong; the message names every one.
    """
    env = os.environ if environment is None else environment
    faults: list[str] = []
    home = Path(env.get("NIGHTLIGHT_HOME") or "~/.nightlight").expanduser().absolute()
    known = set(REFERENCE)
    faults.extend(
        f"{name}: not a setting of Nightlight (see docs/reference/settings.md)"
        for name in sorted(env)
        if name.startswith("NIGHTLIGHT_") and name not in known
    )
    token = env.get("NIGHTLIGHT_API_TOKEN", "")
    if token and len(token) < _SHORTEST_TOKEN:
        faults.append("NIGHTLIGHT_API_TOKEN: too short to be secret (use 16 characters or more)")
    settings = Settings(
        home=home,
        database_url=Secret(
            env.get("NIGHTLIGHT_DATABASE_URL") or f"sqlite:///{home / 'nightlight.db'}"
        ),
        platform_country=env.get("NIGHTLIGHT_PLATFORM_COUNTRY", ""),
        platform_name=env.get("NIGHTLIGHT_PLATFORM_NAME") or "unnamed platform",
        reporter=_reporter(env),
        platform=_platform(env, faults),
        cybertipline=_cybertipline(env, faults),
        hotline=_hotline(env, faults),
        vault_bucket=_vault_bucket(env, faults),
        key_service=_key_service(env, faults),
        media_root=_media_root(env, faults),
        media_origins=_media_origins(env, faults),
        index_directory=_index_directory(env, home),
        fast_hashing=_flag("NIGHTLIGHT_FAST_HASHING", env, faults),
        one_person_lists=_flag("NIGHTLIGHT_ONE_PERSON_LISTS", env, faults),
        report_classification=_flag("NIGHTLIGHT_REPORT_CLASSIFICATION", env, faults),
        api_token=Secret(token) if token else None,
        hma_api=_flag("NIGHTLIGHT_HMA_API", env, faults),
        hma_test_hooks=_flag("NIGHTLIGHT_HMA_TEST_HOOKS", env, faults),
        record=_record(env, faults),
        statements=_statements(env, faults),
    )
    if settings.hma_test_hooks and not settings.hma_api:
        faults.append("NIGHTLIGHT_HMA_TEST_HOOKS: needs NIGHTLIGHT_HMA_API=true")
    if faults:
        raise InvalidInput("; ".join(faults), field="settings")
    return settings


def environment_with(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with exactly these Nightlight settings, for a child."""
    other = {name: value for name, value in os.environ.items() if name not in REFERENCE}
    return {**other, **settings}


def _platform(env: Mapping[str, str], faults: list[str]) -> PlatformSettings | None:
    url = env.get("NIGHTLIGHT_PLATFORM_URL", "")
    if not url:
        return None
    _check_url("NIGHTLIGHT_PLATFORM_URL", url, faults)
    secret = env.get("NIGHTLIGHT_PLATFORM_SECRET", "")
    try:
        base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        usable = secret.startswith("whsec_") and len(secret) > len("whsec_")
    except binascii.Error:
        usable = False
    if not usable:
        faults.append("NIGHTLIGHT_PLATFORM_SECRET: must be whsec_ followed by base64")
    return PlatformSettings(url=url, secret=Secret(secret))


def _cybertipline(env: Mapping[str, str], faults: list[str]) -> CyberTiplineSettings | None:
    url = env.get("NIGHTLIGHT_CYBERTIPLINE_URL", "")
    if not url:
        return None
    _check_url("NIGHTLIGHT_CYBERTIPLINE_URL", url, faults)
    armed = _flag("NIGHTLIGHT_CYBERTIPLINE_ARMED", env, faults)
    if _is_production(url) and not armed:
        faults.append(
            "NIGHTLIGHT_CYBERTIPLINE_URL: this is NCMEC's production service"
            " (set NIGHTLIGHT_CYBERTIPLINE_ARMED=true to file real reports)"
        )
    user = env.get("NIGHTLIGHT_CYBERTIPLINE_USER", "")
    password = env.get("NIGHTLIGHT_CYBERTIPLINE_PASSWORD", "")
    if not user or not password:
        faults.append("NIGHTLIGHT_CYBERTIPLINE_USER and _PASSWORD: both are needed to file tips")
    return CyberTiplineSettings(url=url, username=user, password=Secret(password))


def _statements(env: Mapping[str, str], faults: list[str]) -> StatementSettings | None:
    url = env.get("NIGHTLIGHT_DSA_URL", "")
    if not url:
        return None
    _check_url("NIGHTLIGHT_DSA_URL", url, faults)
    address = _address(url)
    armed = _flag("NIGHTLIGHT_DSA_ARMED", env, faults)
    if address and (address.hostname or "") == _DSA_PRODUCTION and not armed:
        faults.append(
            "NIGHTLIGHT_DSA_URL: this is the production database"
            " (set NIGHTLIGHT_DSA_ARMED=true to publish real statements)"
        )
    token = env.get("NIGHTLIGHT_DSA_TOKEN", "")
    if not token:
        faults.append("NIGHTLIGHT_DSA_TOKEN: needed to publish statements")
    named = env.get("NIGHTLIGHT_DSA_TERRITORIES", "")
    territories = tuple(one.strip().upper() for one in named.split(",") if one.strip())
    unknown = sorted(set(territories) - set(TERRITORIES))
    if unknown:
        faults.append(
            f"NIGHTLIGHT_DSA_TERRITORIES: not in the European Economic Area: {unknown[0]}"
        )
    usual = StatementOptions()
    options = StatementOptions(
        territories=territories or usual.territories,
        legal_ground=env.get("NIGHTLIGHT_DSA_LEGAL_GROUND") or usual.legal_ground,
        terms_ground=env.get("NIGHTLIGHT_DSA_TERMS_GROUND") or usual.terms_ground,
    )
    if max(len(options.legal_ground), len(options.terms_ground)) > _LONGEST_GROUND:
        faults.append("NIGHTLIGHT_DSA_LEGAL_GROUND and _TERMS_GROUND: 500 characters at most")
    return StatementSettings(url=url, token=Secret(token), options=options)


def _record(env: Mapping[str, str], faults: list[str]) -> RecordSettings:
    origin = env.get("NIGHTLIGHT_RECORD_ORIGIN") or "nightlight"
    if not origin.isprintable() or "+" in origin or any(one.isspace() for one in origin):
        faults.append("NIGHTLIGHT_RECORD_ORIGIN: may hold neither spaces nor +")
    url = env.get("NIGHTLIGHT_CHECKPOINT_URL") or None
    if url:
        _check_url("NIGHTLIGHT_CHECKPOINT_URL", url, faults)
    folder = env.get("NIGHTLIGHT_CHECKPOINT_FOLDER")
    return RecordSettings(
        origin=origin,
        folder=Path(folder).expanduser().absolute() if folder else None,
        url=url,
        token=Secret(env.get("NIGHTLIGHT_CHECKPOINT_TOKEN", "")),
        verify_every_minutes=_whole("NIGHTLIGHT_VERIFY_EVERY_MINUTES", env, faults, 60, 1440),
        verify_whole_every_days=_whole("NIGHTLIGHT_VERIFY_WHOLE_EVERY_DAYS", env, faults, 7, 31),
    )


def _whole(name: str, env: Mapping[str, str], faults: list[str], usual: int, most: int) -> int:
    """Return a whole number from 1 on, the usual one where none is set."""
    said = env.get(name) or str(usual)
    if not (said.isascii() and said.isdecimal() and 1 <= int(said) <= most):
        faults.append(f"{name}: must be a whole number from 1 to {most}")
        return usual
    return int(said)


def _vault_bucket(env: Mapping[str, str], faults: list[str]) -> VaultBucketSettings | None:
    url = env.get("NIGHTLIGHT_VAULT_URL", "")
    if not url:
        return None
    name, _, prefix = url.removeprefix("s3://").partition("/")
    if not url.startswith("s3://") or not name:
        faults.append("NIGHTLIGHT_VAULT_URL: must be s3://BUCKET or s3://BUCKET/PREFIX")
    endpoint = env.get("NIGHTLIGHT_VAULT_ENDPOINT", "")
    if endpoint:
        _check_url("NIGHTLIGHT_VAULT_ENDPOINT", endpoint, faults)
    access_key = env.get("NIGHTLIGHT_VAULT_ACCESS_KEY", "")
    secret_key = env.get("NIGHTLIGHT_VAULT_SECRET_KEY", "")
    if not access_key or not secret_key:
        faults.append("NIGHTLIGHT_VAULT_ACCESS_KEY and _SECRET_KEY: both are needed for a bucket")
    return VaultBucketSettings(
        name=name,
        prefix=prefix.strip("/"),
        endpoint=endpoint,
        region=env.get("NIGHTLIGHT_VAULT_REGION") or "us-east-1",
        access_key=access_key,
        secret_key=Secret(secret_key),
    )


def _key_service(env: Mapping[str, str], faults: list[str]) -> KeyServiceSettings | None:
    url = env.get("NIGHTLIGHT_KMS_URL", "")
    if not url:
        return None
    _check_url("NIGHTLIGHT_KMS_URL", url, faults)
    token = env.get("NIGHTLIGHT_KMS_TOKEN", "")
    if not token:
        faults.append("NIGHTLIGHT_KMS_TOKEN: needed to use the key service")
    key = env.get("NIGHTLIGHT_KMS_KEY") or "nightlight"
    if not key.replace("-", "").replace("_", "").isalnum():
        faults.append("NIGHTLIGHT_KMS_KEY: letters, digits, - and _ alone")
    return KeyServiceSettings(url=url, key=key, token=Secret(token))


def _hotline(env: Mapping[str, str], faults: list[str]) -> HotlineSettings | None:
    folder = env.get("NIGHTLIGHT_HOTLINE_DIRECTORY", "")
    recipient = env.get("NIGHTLIGHT_HOTLINE_RECIPIENT", "")
    if bool(folder) is not bool(recipient):
        faults.append("NIGHTLIGHT_HOTLINE_DIRECTORY and _RECIPIENT: both are needed, or neither")
    if not folder or not recipient:
        return None
    return HotlineSettings(folder=Path(folder).expanduser().absolute(), recipient=recipient)


def _media_root(env: Mapping[str, str], faults: list[str]) -> Path | None:
    value = env.get("NIGHTLIGHT_MEDIA_ROOT", "")
    if not value:
        return None
    root = Path(value).expanduser()
    if not root.is_dir():
        faults.append("NIGHTLIGHT_MEDIA_ROOT: not a folder")
    return root


def _media_origins(env: Mapping[str, str], faults: list[str]) -> tuple[str, ...]:
    origins = [one.strip() for one in env.get("NIGHTLIGHT_MEDIA_ORIGINS", "").split(",")]
    found = tuple(origin.rstrip("/").lower() for origin in origins if origin)
    for origin in found:
        _check_url("NIGHTLIGHT_MEDIA_ORIGINS", origin, faults)
        address = _address(origin)
        if address and (address.path or address.query or address.fragment or address.username):
            faults.append("NIGHTLIGHT_MEDIA_ORIGINS: an origin is scheme, host and port, no more")
    return found


def _index_directory(env: Mapping[str, str], home: Path) -> Path | None:
    value = env.get("NIGHTLIGHT_INDEX_DIRECTORY", "")
    if value == "none":
        return None
    if value:
        return Path(value).expanduser().absolute()
    if not _SHARED_MEMORY.is_dir():
        return None
    database = env.get("NIGHTLIGHT_DATABASE_URL", "")
    told = hashlib.sha256(f"{os.getuid()}\n{home}\n{database}".encode()).hexdigest()[:16]
    return _SHARED_MEMORY / f"nightlight-{told}"


def _check_url(name: str, url: str, faults: list[str]) -> None:
    if _address(url) is None:
        faults.append(f"{name}: must be an http:// or https:// address")


def _address(url: str) -> SplitResult | None:
    """Return the parts of an http address, None where it is none."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def _is_production(url: str) -> bool:
    """Return whether this is NCMEC's service in earnest, as any name there but its test's."""
    address = _address(url)
    host = (address.hostname or "").rstrip(".") if address else ""
    return f".{host}".endswith(_NCMEC) and host not in _NCMEC_TEST_HOSTS


def _flag(name: str, env: Mapping[str, str], faults: list[str]) -> bool:
    value = (env.get(name) or "false").lower()
    if value not in ("true", "false"):
        faults.append(f"{name}: must be true or false")
    return value == "true"


def _reporter(env: Mapping[str, str]) -> Reporter:
    return Reporter(
        person=Contact(
            first_name=env.get("NIGHTLIGHT_REPORTER_FIRST_NAME", ""),
            last_name=env.get("NIGHTLIGHT_REPORTER_LAST_NAME", ""),
            phone=env.get("NIGHTLIGHT_REPORTER_PHONE", ""),
            email=env.get("NIGHTLIGHT_REPORTER_EMAIL", ""),
        )
    )
