"""Writes the JSON Schemas of events to docs/reference/events, or to the folder named."""  # noqa: INP001  a script, not a package

import sys
from pathlib import Path

from nightlight.ingest.schemas import file_content, file_name, schemas

_FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference" / "events"


def main(folder: Path) -> None:
    """Leave one current schema file a schema in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (folder / file_name(name)).write_text(file_content(schema), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else _FOLDER)
