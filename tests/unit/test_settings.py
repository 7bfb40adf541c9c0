"""Settings: every fault at once, secrets unseen, and nothing filed in earnest by accident."""

from pathlib import Path

import pytest

from nightlight.errors import InvalidInput
from nightlight.settings import REFERENCE, environment_with, read_settings

SECRET = "whsec_cXVpYmJsZQ=="
TIPS = {
    "NIGHTLIGHT_CYBERTIPLINE_URL": "https://exttest.cybertip.org/ispws",
    "NIGHTLIGHT_CYBERTIPLINE_USER": "quib",
    "NIGHTLIGHT_CYBERTIPLINE_PASSWORD": "zorbleflux-password",
}


def faults(environment: dict[str, str]) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        read_settings(environment)
    return str(caught.value).removeprefix("settings: ").split("; ")


def test_without_any_setting_everything_stays_on_this_machine(tmp_path: Path) -> None:
    settings = read_settings({"NIGHTLIGHT_HOME": str(tmp_path)})
    assert settings.home == tmp_path
    assert settings.database_url == f"sqlite:///{tmp_path / 'nightlight.db'}"
    assert settings.platform is None
    assert settings.cybertipline is None
    assert settings.media_root is None
    assert settings.media_origins == ()
    assert settings.api_token is None
    assert not settings.report_classification


def test_everything_lies_below_home(tmp_path: Path) -> None:
    settings = read_settings({"NIGHTLIGHT_HOME": str(tmp_path)})
    places = [settings.keys_file, settings.token_file, settings.vault_directory]
    assert all(place.is_relative_to(tmp_path) for place in [*places, settings.anchors_file])


def test_home_without_a_setting_is_the_users_own() -> None:
    assert read_settings({}).home == Path.home() / ".nightlight"


def test_settings_are_read_as_told(tmp_path: Path) -> None:
    settings = read_settings(
        {
            **TIPS,
            "NIGHTLIGHT_DATABASE_URL": "postgresql://quib:zorble@db.example.test/night",
            "NIGHTLIGHT_PLATFORM_NAME": "Zorbleflux",
            "NIGHTLIGHT_PLATFORM_URL": "https://platform.example.test/effects",
            "NIGHTLIGHT_PLATFORM_SECRET": SECRET,
            "NIGHTLIGHT_MEDIA_ROOT": str(tmp_path),
            "NIGHTLIGHT_MEDIA_ORIGINS": " https://CDN.example.test/ ,http://[::1]:80,",
            "NIGHTLIGHT_REPORT_CLASSIFICATION": "TRUE",
            "NIGHTLIGHT_REPORTER_EMAIL": "desk@example.test",
            "NIGHTLIGHT_API_TOKEN": "quibble-quibble-quibble",
        }
    )
    assert settings.platform_name == "Zorbleflux"
    assert settings.platform is not None
    assert settings.platform.secret == SECRET
    assert settings.cybertipline is not None
    assert settings.cybertipline.username == "quib"
    assert settings.media_root == tmp_path
    assert settings.media_origins == ("https://cdn.example.test", "http://[::1]:80")
    assert settings.report_classification
    assert settings.reporter.person.email == "desk@example.test"
    assert settings.api_token == "quibble-quibble-quibble"


def test_all_faults_are_told_together(tmp_path: Path) -> None:
    told = faults(
        {
            "NIGHTLIGHT_PLATFROM_URL": "https://platform.example.test",
            "NIGHTLIGHT_API_TOKEN": "short",
            "NIGHTLIGHT_PLATFORM_URL": "ftp://platform.example.test",
            "NIGHTLIGHT_PLATFORM_SECRET": "quibble",
            "NIGHTLIGHT_CYBERTIPLINE_URL": "https://[broken",
            "NIGHTLIGHT_CYBERTIPLINE_ARMED": "perhaps",
            "NIGHTLIGHT_MEDIA_ROOT": str(tmp_path / "missing"),
            "NIGHTLIGHT_MEDIA_ORIGINS": "https://cdn.example.test/folder,quibble",
            "NIGHTLIGHT_REPORT_CLASSIFICATION": "yes",
        }
    )
    assert told == [
        "NIGHTLIGHT_PLATFROM_URL: not a setting of Nightlight (see docs/reference/settings.md)",
        "NIGHTLIGHT_API_TOKEN: too short to be secret (use 16 characters or more)",
        "NIGHTLIGHT_PLATFORM_URL: must be an http:// or https:// address",
        "NIGHTLIGHT_PLATFORM_SECRET: must be whsec_ followed by base64",
        "NIGHTLIGHT_CYBERTIPLINE_URL: must be an http:// or https:// address",
        "NIGHTLIGHT_CYBERTIPLINE_ARMED: must be true or false",
        "NIGHTLIGHT_CYBERTIPLINE_USER and _PASSWORD: both are needed to file tips",
        "NIGHTLIGHT_MEDIA_ROOT: not a folder",
        "NIGHTLIGHT_MEDIA_ORIGINS: an origin is scheme, host and port, no more",
        "NIGHTLIGHT_MEDIA_ORIGINS: must be an http:// or https:// address",
        "NIGHTLIGHT_REPORT_CLASSIFICATION: must be true or false",
    ]


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!!", "cXVpYmJsZQ==", "whsec_cXVpYmJsZQ"])
def test_signing_secret_must_be_usable(secret: str) -> None:
    environment = {
        "NIGHTLIGHT_PLATFORM_URL": "https://platform.example.test",
        "NIGHTLIGHT_PLATFORM_SECRET": secret,
    }
    assert faults(environment) == ["NIGHTLIGHT_PLATFORM_SECRET: must be whsec_ followed by base64"]


@pytest.mark.parametrize(
    "host",
    [
        "report.cybertip.org",
        "REPORT.CyberTip.org",
        "report.cybertip.org.",
        "report.cybertip.org:443",
        "other.cybertip.org",
        "cybertip.org",
        "exttest.cybertip.org@report.cybertip.org",
        "report\u3002cybertip\uff0eorg",
        "\uff52eport.cybertip.org",
    ],
)
def test_filing_in_earnest_needs_arming(host: str) -> None:
    environment = {**TIPS, "NIGHTLIGHT_CYBERTIPLINE_URL": f"https://{host}/ispws"}
    [fault] = faults(environment)
    assert fault.startswith("NIGHTLIGHT_CYBERTIPLINE_URL: this is NCMEC's production service")
    armed = read_settings({**environment, "NIGHTLIGHT_CYBERTIPLINE_ARMED": "true"})
    assert armed.cybertipline is not None


@pytest.mark.parametrize(
    "url", ["https://exttest.cybertip.org/ispws", "http://127.0.0.1:8001/ispws"]
)
def test_test_service_and_simulation_need_no_arming(url: str) -> None:
    assert read_settings({**TIPS, "NIGHTLIGHT_CYBERTIPLINE_URL": url}).cybertipline is not None


@pytest.mark.parametrize(
    "missing", ["NIGHTLIGHT_CYBERTIPLINE_USER", "NIGHTLIGHT_CYBERTIPLINE_PASSWORD"]
)
def test_tips_need_both_name_and_password(missing: str) -> None:
    environment = {name: value for name, value in TIPS.items() if name != missing}
    assert faults(environment) == [
        "NIGHTLIGHT_CYBERTIPLINE_USER and _PASSWORD: both are needed to file tips"
    ]


def test_secrets_are_not_seen_when_settings_are_printed() -> None:
    settings = read_settings(
        {
            **TIPS,
            "NIGHTLIGHT_DATABASE_URL": "postgresql://quib:zorble-db@db.example.test/night",
            "NIGHTLIGHT_PLATFORM_URL": "https://platform.example.test/effects",
            "NIGHTLIGHT_PLATFORM_SECRET": SECRET,
            "NIGHTLIGHT_API_TOKEN": "zorbleflux-zorbleflux-token",
        }
    )
    printed = f"{settings!r} {settings} {settings.platform!r} {settings.cybertipline}"
    for secret in ("zorble", SECRET, "cXVpYmJsZQ"):
        assert secret not in printed


def test_faults_do_not_quote_secrets() -> None:
    told = faults(
        {
            "NIGHTLIGHT_API_TOKEN": "zorbleflux",
            "NIGHTLIGHT_PLATFORM_URL": "zorbleflux://user:zorbleflux@platform.example.test",
            "NIGHTLIGHT_PLATFORM_SECRET": "zorbleflux",
        }
    )
    assert "zorbleflux" not in " ".join(told)


def test_child_process_gets_exactly_these_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTLIGHT_PLATFORM_NAME", "inherited")
    monkeypatch.setenv("QUIBBLE", "kept")
    environment = environment_with({"NIGHTLIGHT_HOME": "/somewhere"})
    assert environment["QUIBBLE"] == "kept"
    assert {name for name in environment if name in REFERENCE} == {"NIGHTLIGHT_HOME"}


def test_environment_of_the_process_is_read_by_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in REFERENCE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(tmp_path))
    assert read_settings().home == tmp_path


def test_record_is_published_only_where_told(tmp_path: Path) -> None:
    settings = read_settings({"NIGHTLIGHT_HOME": str(tmp_path)})
    assert (settings.record.origin, settings.record.folder, settings.record.url) == (
        "nightlight",
        None,
        None,
    )
    told = {
        "NIGHTLIGHT_RECORD_ORIGIN": "example.test/x",
        "NIGHTLIGHT_CHECKPOINT_FOLDER": str(tmp_path),
        "NIGHTLIGHT_CHECKPOINT_URL": "https://witness.example.test/",
        "NIGHTLIGHT_CHECKPOINT_TOKEN": "zorbleflux-token",
    }
    record = read_settings(told).record
    assert (record.origin, record.folder) == ("example.test/x", tmp_path)
    assert record.url == "https://witness.example.test/"
    assert "zorbleflux" not in repr(record)


def test_the_record_is_verified_hourly_and_weekly_unless_set_otherwise() -> None:
    usual = read_settings({}).record
    assert (usual.verify_every_minutes, usual.verify_whole_every_days) == (60, 7)
    names = ("NIGHTLIGHT_VERIFY_EVERY_MINUTES", "NIGHTLIGHT_VERIFY_WHOLE_EVERY_DAYS")
    told = read_settings(dict.fromkeys(names, "30")).record
    assert (told.verify_every_minutes, told.verify_whole_every_days) == (30, 30)
    for wrong in ("0", "-1", "1441", "never", "1.5"):
        assert len(faults(dict.fromkeys(names, wrong))) == 2


@pytest.mark.parametrize("origin", ["two words", "a+b", "a\tb", "line\nbreak"])
def test_origin_that_no_signed_note_can_have_is_refused(origin: str) -> None:
    [fault] = faults({"NIGHTLIGHT_RECORD_ORIGIN": origin})
    assert fault.startswith("NIGHTLIGHT_RECORD_ORIGIN")


def test_checkpoints_are_not_posted_to_what_is_no_address() -> None:
    [fault] = faults({"NIGHTLIGHT_CHECKPOINT_URL": "quibble"})
    assert fault.startswith("NIGHTLIGHT_CHECKPOINT_URL")


DSA = {
    "NIGHTLIGHT_DSA_URL": "https://sandbox.example.test/api/v1",
    "NIGHTLIGHT_DSA_TOKEN": "zorbleflux-token",
}


def test_statements_are_published_only_where_told() -> None:
    assert read_settings({}).statements is None
    told = {**DSA, "NIGHTLIGHT_DSA_TERRITORIES": "de, FR", "NIGHTLIGHT_DSA_LEGAL_GROUND": "law 9"}
    found = read_settings(told).statements
    assert found is not None
    assert (found.options.territories, found.options.legal_ground) == (("DE", "FR"), "law 9")
    assert "zorbleflux" not in repr(found)


def test_production_database_of_statements_needs_arming() -> None:
    dotted = {**DSA, "NIGHTLIGHT_DSA_URL": "https://transparency\u3002dsa.ec.europa.eu./api/v1"}
    assert len(faults(dotted)) == 1
    production = {**DSA, "NIGHTLIGHT_DSA_URL": "https://transparency.dsa.ec.europa.eu/api/v1"}
    [fault] = faults(production)
    assert "NIGHTLIGHT_DSA_ARMED" in fault
    assert read_settings({**production, "NIGHTLIGHT_DSA_ARMED": "true"}).statements


@pytest.mark.parametrize(
    "wrong",
    [
        {"NIGHTLIGHT_DSA_TOKEN": ""},
        {"NIGHTLIGHT_DSA_URL": "quibble"},
        {"NIGHTLIGHT_DSA_TERRITORIES": "DE,US"},
        {"NIGHTLIGHT_DSA_TERMS_GROUND": "x" * 501},
    ],
)
def test_statements_that_could_not_be_published_are_refused_at_the_start(
    wrong: dict[str, str],
) -> None:
    [fault] = faults({**DSA, **wrong})
    assert fault.startswith("NIGHTLIGHT_DSA_")
