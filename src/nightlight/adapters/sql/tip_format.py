"""Tips as they are sealed: JSON that names its format, and the format before it read as well."""

from typing import Any

import msgspec
from msgspec import Struct

from nightlight.errors import IntegrityFailure
from nightlight.model.cybertip import CyberTip

_FORMAT = 2


class _Sealed(Struct, frozen=True, kw_only=True):
    format: int
    tip: CyberTip


def encode_tip(tip: CyberTip) -> bytes:
    """Return a tip in today's format."""
    return msgspec.json.encode(_Sealed(format=_FORMAT, tip=tip))


def decode_tip(sealed: bytes) -> CyberTip:
    """Return a tip from today's format or the one before it.

    Raises:
        IntegrityFailure: it is in neither.
    """
    try:
        raw = msgspec.json.decode(sealed)
        if raw.get("format") == _FORMAT:
            return msgspec.convert(raw, _Sealed).tip
        return msgspec.convert(_from_first(raw), CyberTip)
    except (msgspec.DecodeError, AttributeError, KeyError) as error:
        raise IntegrityFailure("a stored tip cannot be read") from error


def _from_first(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a tip of the first format, which had one flat account and its pages, as today's."""
    kept = ("id", "case_id", "account_id", "incident_type", "incident_at", "platform", "narrative")
    suspended_at = raw.get("suspended_at")
    permanently = raw.get("suspended_permanently", False)
    account = {
        "account_id": raw["account_id"],
        "service": raw["platform"],
        "handle": raw["handle"],
        "display_names": [raw["display_name"]] if raw["display_name"] else [],
        "profile_urls": [raw["profile_url"]] if raw["profile_url"] else [],
        "bio": raw["bio"],
        "disabled": {"at": suspended_at, "permanently": permanently} if suspended_at else None,
    }
    return {
        **{name: raw[name] for name in kept},
        "annotations": ["csam_solicitation"] if raw.get("solicitation") else [],
        "places": [{"type": "web_page", "urls": raw["urls"]}] if raw["urls"] else [],
        "reported": [account],
        "files": [_file_from_first(one) for one in raw["files"]],
    }


def _file_from_first(raw: dict[str, Any]) -> dict[str, Any]:
    kinds = (("MD5", "md5"), ("SHA1", "sha1"), ("SHA256", "sha256"), ("PDQ", "pdq"))
    grade = raw.get("classification", "")
    changed = {
        "classification": grade if grade in ("A1", "A2", "B1", "B2") else None,
        "hashes": [{"kind": kind, "value": raw[name]} for kind, name in kinds if raw.get(name)],
    }
    return {**raw, **changed}
