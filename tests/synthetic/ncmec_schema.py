"""The schemas that documents are held against: our own, and NCMEC's where it lies beside.

NCMEC's is not part of the project; tests pass without it.
"""

from pathlib import Path

from nightlight.simulate.cybertipline import builtin_schema

NCMEC_XSD = Path(__file__).parents[2].parent / "shared" / "ncmec" / "cyber_tipline.xsd"
SCHEMA_FILES = [path for path in (NCMEC_XSD,) if path.exists()]
SCHEMAS = [builtin_schema(), *(path.read_bytes() for path in SCHEMA_FILES)]
