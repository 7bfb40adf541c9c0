"""One small town, drawn once for all tests of this folder that only read it."""

from pathlib import Path
from typing import cast

import msgspec
import pytest
from msgspec import Struct

from nightlight.model.event import DATA_TYPES, EventData, EventType
from nightlight.town import Town, TownPlan, TownTruth, build_town
from nightlight.town.materials import Materials

SMALL = TownPlan(seed=5, accounts=200, posts=2_000)


class Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of the stream, strictly as the town promises to write it."""

    specversion: str
    id: str
    source: str
    type: EventType
    time: str
    datacontenttype: str
    data: msgspec.Raw

    def decoded(self) -> EventData:
        """Return the data as the model's own type, refusing anything that is not."""
        return cast("EventData", msgspec.json.decode(self.data, type=DATA_TYPES[self.type]))


class SmallTown(Struct, frozen=True, kw_only=True):
    """A finished town and all that it wrote."""

    town: Town
    raw: list[bytes]
    lines: list[Line]
    truth: TownTruth
    materials: Materials


@pytest.fixture(scope="session")
def small_town(tmp_path_factory: pytest.TempPathFactory) -> SmallTown:
    stem: Path = tmp_path_factory.mktemp("town") / "events"
    town = build_town(SMALL)
    materials = town.write_materials(stem)
    raw = list(town.events())
    return SmallTown(
        town=town,
        raw=raw,
        lines=[msgspec.json.decode(line, type=Line) for line in raw],
        truth=town.truth(),
        materials=materials,
    )
