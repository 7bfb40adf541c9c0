"""Settings that belong together are read together; faults are gathered, not raised."""

import base64
import binascii
import hashlib
import os
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from nightlight.report.reporter import Contact, Reporter
from nightlight.report.statement_document import TERRITORIES, StatementOptions
from nightlight.settings.checks import check_url, flag, web_address, whole
from nightlight.settings.values import (
    CyberTiplineSettings,
    HotlineSettings,
    KeyServiceSettings,
    PlatformSettings,
    RecordSettings,
    Secret,
    StatementSettings,
    VaultBucketSettings,
)

#: A file system in memory: what lies there never reaches a disk, but for swap.
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  nothing is written here but in a folder of our own
#: Filing with NCMEC needs NIGHTLIGHT_CYBERTIPLINE_ARMED, but for its test service.
_NCMEC = ".cybertip.org"
_NCMEC_TEST_HOSTS = frozenset({"exttest.cybertip.org"})
_DSA_PRODUCTION = "transparency.dsa.ec.europa.eu"
_LONGEST_GROUND = 500


def read_platform(env: Mapping[str, str], faults: list[str]) -> PlatformSettings | None:
    """Return where effects are delivered, None where no address is set."""
    url = env.get("NIGHTLIGHT_PLATFORM_URL", "")
    if not url:
        return None
    check_url("NIGHTLIGHT_PLATFORM_URL", url, faults)
    secret = env.get("NIGHTLIGHT_PLATFORM_SECRET", "")
    try:
        base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        usable = secret.startswith("whsec_") and len(secret) > len("whsec_")
    except binascii.Error:
        usable = False
    if not usable:
        faults.append("NIGHTLIGHT_PLATFORM_SECRET: must be whsec_ followed by base64")
    return PlatformSettings(url=url, secret=Secret(secret))


def read_cybertipline(env: Mapping[str, str], faults: list[str]) -> CyberTiplineSettings | None:
    """Return where tips are filed, None where no address is set; production only if armed."""
    url = env.get("NIGHTLIGHT_CYBERTIPLINE_URL", "")
    if not url:
        return None
    check_url("NIGHTLIGHT_CYBERTIPLINE_URL", url, faults)
    armed = flag("NIGHTLIGHT_CYBERTIPLINE_ARMED", env, faults)
    if _is_production(url) and not armed:
        faults.append(
            "NIGHTLIGHT_CYBERTIPLINE_URL: this is NCMEC's production service"
            " (set NIGHTLIGHT_CYBERTIPLINE_ARMED=true to file real reports)"
        )
    user = env.get("NIGHTLIGHT_CYBERTIPLINE_USER", "")
    password = env.get("NIGHTLIGHT_CYBERTIPLINE_PASSWORD", "")
    if not user or not password:
        faults.append("NIGHTLIGHT_CYBERTIPLINE_USER and _PASSWORD: both are needed to file tips")
    formerly = tuple(env.get("NIGHTLIGHT_CYBERTIPLINE_FORMERLY", "").split())
    for other in formerly:
        check_url("NIGHTLIGHT_CYBERTIPLINE_FORMERLY", other, faults)
    return CyberTiplineSettings(
        url=url, username=user, password=Secret(password), formerly=formerly
    )


def _is_production(url: str) -> bool:
    """Return whether this is NCMEC's service in earnest, as any name there but its test's.

    By the name as clients look it up: dots and letters of other scripts become plain ones.
    """
    host = _looked_up(url)
    return f".{host}".endswith(_NCMEC) and host not in _NCMEC_TEST_HOSTS


def _looked_up(url: str) -> str:
    """Return the host of an address as it is looked up, "" where there is none."""
    address = web_address(url)
    host = unicodedata.normalize("NFKC", address.hostname or "") if address else ""
    return host.replace("\u3002", ".").lower().rstrip(".")


def read_statements(env: Mapping[str, str], faults: list[str]) -> StatementSettings | None:
    """Return where statements of reasons go, None where no address is set."""
    url = env.get("NIGHTLIGHT_DSA_URL", "")
    if not url:
        return None
    check_url("NIGHTLIGHT_DSA_URL", url, faults)
    armed = flag("NIGHTLIGHT_DSA_ARMED", env, faults)
    if _looked_up(url) == _DSA_PRODUCTION and not armed:
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


def read_record(env: Mapping[str, str], faults: list[str]) -> RecordSettings:
    """Return how the record is signed, published and verified."""
    origin = env.get("NIGHTLIGHT_RECORD_ORIGIN") or "nightlight"
    if not origin.isprintable() or "+" in origin or any(one.isspace() for one in origin):
        faults.append("NIGHTLIGHT_RECORD_ORIGIN: may hold neither spaces nor +")
    url = env.get("NIGHTLIGHT_CHECKPOINT_URL") or None
    if url:
        check_url("NIGHTLIGHT_CHECKPOINT_URL", url, faults)
    folder = env.get("NIGHTLIGHT_CHECKPOINT_FOLDER")
    return RecordSettings(
        origin=origin,
        folder=Path(folder).expanduser().absolute() if folder else None,
        url=url,
        token=Secret(env.get("NIGHTLIGHT_CHECKPOINT_TOKEN", "")),
        verify_every_minutes=whole("NIGHTLIGHT_VERIFY_EVERY_MINUTES", env, faults, 60, 1440),
        verify_whole_every_days=whole("NIGHTLIGHT_VERIFY_WHOLE_EVERY_DAYS", env, faults, 7, 31),
    )


def read_vault_bucket(env: Mapping[str, str], faults: list[str]) -> VaultBucketSettings | None:
    """Return the bucket that holds the vault, None where a folder does."""
    url = env.get("NIGHTLIGHT_VAULT_URL", "")
    if not url:
        return None
    name, _, prefix = url.removeprefix("s3://").partition("/")
    if not url.startswith("s3://") or not name:
        faults.append("NIGHTLIGHT_VAULT_URL: must be s3://BUCKET or s3://BUCKET/PREFIX")
    endpoint = env.get("NIGHTLIGHT_VAULT_ENDPOINT", "")
    if endpoint:
        check_url("NIGHTLIGHT_VAULT_ENDPOINT", endpoint, faults)
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


def read_key_service(env: Mapping[str, str], faults: list[str]) -> KeyServiceSettings | None:
    """Return what covers the key file, None where nothing does."""
    url = env.get("NIGHTLIGHT_KMS_URL", "")
    if not url:
        return None
    check_url("NIGHTLIGHT_KMS_URL", url, faults)
    token = env.get("NIGHTLIGHT_KMS_TOKEN", "")
    if not token:
        faults.append("NIGHTLIGHT_KMS_TOKEN: needed to use the key service")
    key = env.get("NIGHTLIGHT_KMS_KEY") or "nightlight"
    if not key.replace("-", "").replace("_", "").isalnum():
        faults.append("NIGHTLIGHT_KMS_KEY: letters, digits, - and _ alone")
    return KeyServiceSettings(url=url, key=key, token=Secret(token))


def read_hotline(env: Mapping[str, str], faults: list[str]) -> HotlineSettings | None:
    """Return where packages for a hotline are left, None where none are."""
    folder = env.get("NIGHTLIGHT_HOTLINE_DIRECTORY", "")
    recipient = env.get("NIGHTLIGHT_HOTLINE_RECIPIENT", "")
    if bool(folder) is not bool(recipient):
        faults.append("NIGHTLIGHT_HOTLINE_DIRECTORY and _RECIPIENT: both are needed, or neither")
    if not folder or not recipient:
        return None
    return HotlineSettings(folder=Path(folder).expanduser().absolute(), recipient=recipient)


def read_media_root(env: Mapping[str, str], faults: list[str]) -> Path | None:
    """Return the folder of relative media urls, None where there is none."""
    value = env.get("NIGHTLIGHT_MEDIA_ROOT", "")
    if not value:
        return None
    root = Path(value).expanduser()
    if not root.is_dir():
        faults.append("NIGHTLIGHT_MEDIA_ROOT: not a folder")
    return root


def read_media_origins(env: Mapping[str, str], faults: list[str]) -> tuple[str, ...]:
    """Return from where media may be fetched."""
    origins = [one.strip() for one in env.get("NIGHTLIGHT_MEDIA_ORIGINS", "").split(",")]
    found = tuple(origin.rstrip("/").lower() for origin in origins if origin)
    for origin in found:
        check_url("NIGHTLIGHT_MEDIA_ORIGINS", origin, faults)
        address = web_address(origin)
        if address and (address.path or address.query or address.fragment or address.username):
            faults.append("NIGHTLIGHT_MEDIA_ORIGINS: an origin is scheme, host and port, no more")
    return found


def read_index_directory(env: Mapping[str, str], home: Path) -> Path | None:
    """Return where processes leave each other the index, None where they do not."""
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


def read_reporter(env: Mapping[str, str]) -> Reporter:
    """Return the person who reports, as far as they are named."""
    return Reporter(
        person=Contact(
            first_name=env.get("NIGHTLIGHT_REPORTER_FIRST_NAME", ""),
            last_name=env.get("NIGHTLIGHT_REPORTER_LAST_NAME", ""),
            phone=env.get("NIGHTLIGHT_REPORTER_PHONE", ""),
            email=env.get("NIGHTLIGHT_REPORTER_EMAIL", ""),
        )
    )
