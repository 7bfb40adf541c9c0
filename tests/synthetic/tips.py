"""Generated tips of every kind, seeded: nonsense in every field that the model has.

Values are built from the types themselves, so a new field is filled without being named here; only
what has a form of its own (addresses, hashes, countries) is listed.
"""

import ipaddress
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec import Struct, inspect
from msgspec.structs import replace

from nightlight.model.cybertip import CyberTip
from nightlight.model.ids import TipId
from nightlight.model.person import Account, Disabled
from nightlight.model.reported_file import FileAnnotation, FileHash, Relevance, ReportedFile

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_WORDS = ("zorbleflux", "kleptic", "plonk", "quibble", "ñandú", "x & y <z>", "😀", "two\nlines")
_ODD = ("nul\x00inside", "\x0b", " ", "w" * 4_000)
_FORMS: dict[str, tuple[str, ...]] = {
    "country": ("DE", "US", "BR", "JP", ""),
    "foreign_country": ("DE", "FR", ""),
    "state": ("CA", "NY", ""),
    "calling_code": ("+1", "+49", ""),
    "extension": ("12", ""),
    "account_id": ("account-1", "account-2", "did:plc:zorble"),
}
_DIGITS = {"MD5": 32, "SHA1": 40, "SHA256": 64, "PDQ": 64, "other": 10}


def generated_tip(seed: int) -> CyberTip:
    """Return the tip of this seed: valid, with any subset of all fields."""
    return _Maker(random.Random(seed)).tip(seed)  # noqa: S311  nonsense, not secrets


class _Maker:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def tip(self, seed: int) -> CyberTip:
        tip: CyberTip = self._struct(CyberTip)
        reported = tuple(
            replace(one, account_id=f"reported-{seed}-{place}")
            for place, one in enumerate(tip.reported)
        )
        return replace(
            tip,
            id=TipId(f"tip-{seed}"),
            reported=reported,
            files=tuple(self._file(one) for one in tip.files),
        )

    def _file(self, file: ReportedFile) -> ReportedFile:
        """Return the file without what excludes each other."""
        kinds = self._chance.sample(sorted(_DIGITS), k=self._chance.randint(0, len(_DIGITS)))
        hashes = tuple(FileHash(kind=kind, value=self._hex(_DIGITS[kind])) for kind in kinds)
        file = replace(file, hashes=hashes, exif_viewed=file.exif_viewed if file.viewed else None)
        if file.relevance is Relevance.SUPPLEMENTAL:
            calm = tuple(x for x in file.annotations if x is not FileAnnotation.POTENTIAL_MEME)
            file = replace(file, classification=None, potential_meme=None, annotations=calm)
        return replace(file, annotations=()) if file.potential_meme is not None else file

    def _struct(self, kind: type[Any]) -> Any:
        """Return a value of a type, every field of it by chance."""
        info = inspect.type_info(kind)
        assert isinstance(info, inspect.StructType)
        made = {
            field.name: self._value(field.type, field.name, required=field.required)
            for field in info.fields
        }
        value: Struct = kind(**made)
        if isinstance(value, Disabled) and not value.user_notified:
            return replace(value, user_notified_at=None)
        if kind.__name__ == "CellPhone" and None in (made["latitude"], made["longitude"]):
            return replace(value, latitude=None, longitude=None)
        if isinstance(value, Account):
            return replace(value, prior_reports=tuple(dict.fromkeys(value.prior_reports)))
        return value

    def _value(self, kind: inspect.Type, name: str, *, required: bool = True) -> Any:
        match kind:
            case inspect.UnionType(types=types):
                some = [one for one in types if not isinstance(one, inspect.NoneType)]
                if len(some) < len(types) and not required and self._chance.random() < 0.5:
                    return None
                return self._value(self._chance.choice(some), name)
            case inspect.StructType(cls=cls):
                return self._struct(cls)
            case inspect.EnumType(cls=cls):
                return self._chance.choice(list(cls))
            case inspect.VarTupleType(item_type=item):
                least = int(name == "pairs")
                return tuple(self._value(item, name) for _ in range(self._chance.randint(least, 2)))
            case inspect.TupleType(item_types=items):
                return tuple(self._value(one, name) for one in items)
            case inspect.BoolType():
                return self._chance.random() < 0.5
            case _:
                return self._plain(kind, name)

    def _plain(self, kind: inspect.Type, name: str) -> Any:
        match kind:
            case inspect.IntType():
                most = {"age": 99, "port": 65535}.get(name, 10**9)
                return self._chance.randint(1, most)
            case inspect.FloatType():
                return self._chance.uniform(-90, 90)
            case inspect.DateTimeType():
                return NOW - timedelta(seconds=self._chance.randint(0, 10**8))
            case inspect.DateType():
                return date(2026, 3, 1) - timedelta(days=self._chance.randint(0, 20_000))
            case _:
                return self._text(name)

    def _text(self, name: str) -> str:
        chance = self._chance
        if name == "address":
            version = chance.choice((ipaddress.IPv4Address, ipaddress.IPv6Address))
            return str(version(chance.getrandbits(32)))
        if name in _FORMS:
            return chance.choice(_FORMS[name])
        if name in ("agency", "evidence_id", "digest", "file_name"):
            return f"{name}-{chance.randint(1, 99)}"
        if chance.random() < 0.02:
            return chance.choice(_ODD)
        return " ".join(chance.choices(_WORDS, k=chance.randint(0, 3)))

    def _hex(self, digits: int) -> str:
        return f"{self._chance.getrandbits(4 * digits):0{digits}x}"
