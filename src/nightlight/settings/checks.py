"""What one variable of the environment may hold; faults are gathered, not raised."""

from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit


def check_url(name: str, url: str, faults: list[str]) -> None:
    """Add a fault where this is no http address."""
    if web_address(url) is None:
        faults.append(f"{name}: must be an http:// or https:// address")


def web_address(url: str) -> SplitResult | None:
    """Return the parts of an http address, None where it is none."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def flag(name: str, env: Mapping[str, str], faults: list[str]) -> bool:
    """Return what a switch is set to, off where it is not set."""
    value = (env.get(name) or "false").lower()
    if value not in ("true", "false"):
        faults.append(f"{name}: must be true or false")
    return value == "true"


def whole(name: str, env: Mapping[str, str], faults: list[str], usual: int, most: int) -> int:
    """Return a whole number from 1 on, the usual one where none is set."""
    said = env.get(name) or str(usual)
    if not (said.isascii() and said.isdecimal() and 1 <= int(said) <= most):
        faults.append(f"{name}: must be a whole number from 1 to {most}")
        return usual
    return int(said)
