"""The environment becomes settings; all faults are reported together."""

import os
from collections.abc import Mapping
from pathlib import Path

from nightlight.errors import InvalidInput
from nightlight.settings.checks import flag
from nightlight.settings.groups import (
    read_cybertipline,
    read_hotline,
    read_index_directory,
    read_key_service,
    read_media_origins,
    read_media_root,
    read_platform,
    read_record,
    read_reporter,
    read_statements,
    read_vault_bucket,
)
from nightlight.settings.reference import REFERENCE
from nightlight.settings.values import Secret, Settings

_SHORTEST_TOKEN = 16


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
        reporter=read_reporter(env),
        platform=read_platform(env, faults),
        cybertipline=read_cybertipline(env, faults),
        hotline=read_hotline(env, faults),
        vault_bucket=read_vault_bucket(env, faults),
        key_service=read_key_service(env, faults),
        media_root=read_media_root(env, faults),
        media_origins=read_media_origins(env, faults),
        index_directory=read_index_directory(env, home),
        fast_hashing=flag("NIGHTLIGHT_FAST_HASHING", env, faults),
        one_person_lists=flag("NIGHTLIGHT_ONE_PERSON_LISTS", env, faults),
        report_classification=flag("NIGHTLIGHT_REPORT_CLASSIFICATION", env, faults),
        api_token=Secret(token) if token else None,
        hma_api=flag("NIGHTLIGHT_HMA_API", env, faults),
        hma_test_hooks=flag("NIGHTLIGHT_HMA_TEST_HOOKS", env, faults),
        record=read_record(env, faults),
        statements=read_statements(env, faults),
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
