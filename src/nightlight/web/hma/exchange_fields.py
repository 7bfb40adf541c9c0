"""What exchanges are told, under HMA's names and as JSON; Nightlight keeps it as text."""

from collections.abc import Mapping
from typing import Any

from nightlight.exchange.apis import NCMEC, Api, ApiField
from nightlight.web.hma.answers import bad

#: HMA's names for what Nightlight calls otherwise.
_OPTIONS = {"environment": "url", "only_esp_ids": "only_members", "base_url_override": "url"}
_SHOWN_AS = {NCMEC.name: {"url": "environment", "only_members": "only_esp_ids"}}
#: What HMA keeps with the credentials and Nightlight with the options.
_NOT_SECRET = frozenset({"base_url_override"})
_ITS_OWN = frozenset({"name", "api", "enabled"})
_LONGEST_VALUE = 4096


def options_of(given: Mapping[str, Any]) -> dict[str, str]:
    """Return ``api_json`` as options.

    Raises:
        Refused: a value is none.
    """
    found = {
        _OPTIONS.get(name, name): _text(value, "api_json")
        for name, value in given.items()
        if name not in _ITS_OWN and value is not None
    }
    return {name: value for name, value in found.items() if value}


def secrets_of(given: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Return ``credential_json`` as credentials, and what of it are options here.

    Nothing, or an object without fields, is no credentials. No value is repeated in an answer.

    Raises:
        Refused: it is no object of text and numbers, or they are all empty.
    """
    what = "credential_json"
    if given is None:
        return {}, {}
    if not isinstance(given, Mapping):
        raise bad(f"Field `{what}` must be object")
    if any(isinstance(value, list) for value in given.values()):
        raise bad(f"Failed to parse `{what}` - a value is not one")
    found = {name: _text(value, what) for name, value in given.items() if value is not None}
    found = {name: value for name, value in found.items() if value}
    if given and not found:
        raise bad(f"Failed to parse `{what}` - verify all fields are supplied.")
    beside = {_OPTIONS[name]: found.pop(name) for name in _NOT_SECRET if name in found}
    return found, beside


def shown_options(api: Api, options: Mapping[str, str]) -> dict[str, object]:
    """Return the options that an exchange has, as HMA shows them."""
    names = _SHOWN_AS.get(api.name, {})
    shown: dict[str, object] = {}
    for field in api.options:
        if field.name in options or field.name in names:
            shown[names.get(field.name, field.name)] = _json(field, api.option(options, field.name))
    return shown


def schema_of(api: Api) -> dict[str, object]:
    """Return what an API needs to be told, for a form."""
    names = _SHOWN_AS.get(api.name, {})
    credentials = {"fields": [_field(one, one.name) for one in api.credentials]}
    return {
        "config_schema": {
            "fields": [_field(one, names.get(one.name, one.name)) for one in api.options]
        },
        "credentials_schema": credentials if api.credentials else None,
    }


def _field(field: ApiField, name: str) -> dict[str, object]:
    return {
        "name": name,
        "type": field.kind,
        "required": field.required,
        "default": _json(field, field.default) if field.default else None,
        "help": field.help,
        "choices": None,
    }


def _json(field: ApiField, value: str) -> object:
    match field.kind:
        case "number":
            return _number(value)
        case "set_of_number":
            return [_number(one.strip()) for one in value.split(",") if one.strip()]
        case _:
            return value


def _number(text: str) -> int | str:
    """Return a number, or what was told where it is none."""
    return int(text) if text.isascii() and text.isdecimal() else text


def _text(value: Any, what: str) -> str:
    if isinstance(value, list):
        return ",".join(_text(one, what) for one in value)
    if isinstance(value, Mapping) or len(str(value)) > _LONGEST_VALUE or "\0" in str(value):
        raise bad(f"Failed to parse `{what}` - a value is not one")
    return str(value)
