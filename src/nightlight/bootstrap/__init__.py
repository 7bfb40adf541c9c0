"""The composition root: settings in, services out. The only place that names adapters."""

from nightlight.bootstrap.parts import cover_keys
from nightlight.bootstrap.root import build_services
from nightlight.bootstrap.tools import (
    build_clock,
    build_file_scanner,
    build_hasher,
    missing_walls,
    open_package,
    verify_package,
)

__all__ = [
    "build_clock",
    "build_file_scanner",
    "build_hasher",
    "build_services",
    "cover_keys",
    "missing_walls",
    "open_package",
    "verify_package",
]
