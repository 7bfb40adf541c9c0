"""Where reports go, as the reader must know it: nowhere, to a simulator, or to NCMEC."""

from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

from nightlight.settings import Settings

_PRODUCTION_HOST = "report.cybertip.org"


class Destination(StrEnum):
    """Where tips are filed."""

    NONE = "not configured"
    SIMULATED = "simulated"
    TEST = "test service"
    PRODUCTION = "NCMEC"


def destination(settings: Settings) -> Destination:
    """Return where tips are filed; a loopback address is a simulator."""
    if settings.cybertipline is None:
        return Destination.NONE
    host = urlsplit(settings.cybertipline.url).hostname or ""
    if _is_loopback(host):
        return Destination.SIMULATED
    return Destination.PRODUCTION if host == _PRODUCTION_HOST else Destination.TEST


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
